"""Frozen layers run once: cut, equal to the uncached path, kept, checked, and resumed after a SIGKILL."""

import re

import keras
import numpy as np
import pytest
from keras import layers
from test_training import start

from colorization import datasets
from colorization.training import frozen_features
from colorization.runs import folder, checkpoint_io
from colorization.core.errors import InputError
from colorization.models import transfer, vgg16
from vgg_eval import model, training
from vgg_eval.config import JudgeConfig

RGB = np.random.default_rng(0).integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
TINY = JudgeConfig(
    data="synthetic", train_size=300, dev_size=40, test_size=40, width=0.1, head_width=16, vgg_size=48,
    vgg_weights="none", epochs=2, batch_size=32, learning_rate=1e-3, precision="float32",
)  # fmt: skip


def as_input(rgb, flips):
    return (np.asarray(rgb, "float32"),)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "features"


@pytest.fixture
def encoder():
    keras.utils.set_random_seed(0)
    start = keras.Input((32, 32, 3), name="rgb")
    return keras.Model(start, vgg16.blocks(start, count=2, width=0.1), name="encoder")


@pytest.mark.parametrize("frozen", range(6))
def test_a_model_is_cut_after_its_frozen_blocks(frozen):
    """Oracle: the two parts give what the whole gives; the cut is where it was asked."""
    for model, sample in (
        (
            model.vgg16(image_size=64, head_width=8, width=0.1, frozen_blocks=frozen),
            np.ones((2, 64, 64, 3)) * 99,
        ),
        (
            transfer(width=0.1, vgg_size=128, vgg_width=0.1, frozen_blocks=frozen),
            np.ones((2, 32, 32, 1)) * 50,
        ),
    ):
        place = frozen_features.cut(model)
        names = {variable.path.split("_")[0] for variable in frozen_features.frozen_variables(model)}
        assert names == {f"block{b}" for b in range(1, frozen + 1)}
        if not frozen:
            assert place is None
            continue
        encoder, head = frozen_features.encoder(model, place), frozen_features.head(model, place)
        np.testing.assert_array_equal(head(encoder(sample)), model(sample))
        assert {variable.path for variable in encoder.variables} == {
            variable.path for variable in frozen_features.frozen_variables(model)
        }
        assert not encoder.trainable_variables


def test_features_are_the_encoders_and_are_kept(folder, encoder, monkeypatch):
    """Oracle: the encoder's own output, rounded to float16; the second time it is not asked."""
    found = frozen_features.compute(encoder, (RGB,), as_input, 7)
    expected = np.asarray(encoder(RGB.astype("float32")))
    assert (found.dtype, found.shape, found[:3].dtype) == ("float32", expected.shape, "float32")
    np.testing.assert_allclose(found[:], expected, rtol=2**-10, atol=1e-4)
    assert isinstance(found.values, np.memmap)
    assert (found.values.dtype, found.values.flags.writeable) == ("float16", False)

    def fails(*arguments):
        raise AssertionError("computed again")

    monkeypatch.setattr(frozen_features, "_encoded", fails)
    np.testing.assert_array_equal(frozen_features.compute(encoder, (RGB,), as_input, 7)[:], found[:])
    other_images = RGB.copy()
    other_images[0, 0, 0, 0] ^= 1
    for others in ((other_images,), (RGB[:-1],)):
        with pytest.raises(AssertionError, match="computed again"):
            frozen_features.compute(encoder, others, as_input, 7)
    encoder.variables[0].assign_add(encoder.variables[0] * 0 + 1e-3)
    with pytest.raises(AssertionError, match="computed again"):
        frozen_features.compute(encoder, (RGB,), as_input, 7)


@pytest.mark.parametrize("damage", ["a byte", "cut", "sums", "no sums", "gone"])
def test_damaged_features_are_rebuilt(folder, encoder, damage, monkeypatch):
    """Oracle: what they were; only the damaged chunk is computed again."""
    monkeypatch.setattr(frozen_features, "_CHUNK", 8)
    expected = frozen_features.compute(encoder, (RGB,), as_input, 8)[:]
    (path,), (sums,) = folder.glob("*/features.npy"), folder.glob("*/checksums.json")
    data = bytearray(path.read_bytes())
    if damage == "a byte":
        data[-9] ^= 1
        path.write_bytes(data)
    elif damage == "cut":
        path.write_bytes(data[:-1000])
    elif damage == "sums":
        sums.write_text("[[")
    elif damage == "no sums":
        sums.unlink()
    else:
        path.unlink()
    counted, encoded = [], frozen_features._encoded
    monkeypatch.setattr(frozen_features, "_encoded", lambda *a: counted.append(len(a[1][0])) or encoded(*a))
    np.testing.assert_array_equal(frozen_features.compute(encoder, (RGB,), as_input, 8)[:], expected)
    assert sum(counted) == (4 if damage in ("a byte", "cut") else 20)


def test_what_float16_cannot_hold_is_cut_off(folder):
    start = keras.Input((2, 2, 1), name="x")
    huge = keras.Model(start, layers.Rescaling(1e6, name="huge")(start), name="encoder")
    found = frozen_features.compute(huge, (np.array([[[[1.0], [-1.0]], [[0.0], [1e-3]]]]),), as_input, 1)
    np.testing.assert_allclose(found[:].ravel(), [65504, -65504, 0, 1000])


def test_no_place_for_features(folder, encoder):
    folder.parent.mkdir()
    folder.write_text("in the way")
    with pytest.raises(InputError, match=r"features.* cannot be written"):
        frozen_features.compute(encoder, (RGB,), as_input, 8)


def test_a_head_on_kept_features_learns_what_the_whole_model_learns(folder, tmp_path, monkeypatch):
    """Oracle: the same training with the frozen blocks run anew in each step; within float16."""
    training.train(TINY, tmp_path / "cached")
    assert len(list(folder.glob("*/features.npy"))) == 2
    monkeypatch.setattr(frozen_features, "cut", lambda model: None)
    training.train(TINY, tmp_path / "whole")
    cached, whole = (folder.read_weights(tmp_path / name) for name in ("cached", "whole"))
    assert cached.keys() == whole.keys()
    start, _ = checkpoint_io.load(tmp_path / "whole" / folder.FROZEN, "model")
    assert {name.split("_")[0] for name in start} == {f"block{b}" for b in range(1, 6)}
    for name in cached:
        np.testing.assert_allclose(cached[name], whole[name], rtol=0.02, atol=2e-3, err_msg=name)
    _, judge, _ = model.load(tmp_path / "cached")
    _, other, _ = model.load(tmp_path / "whole")
    test = datasets.load("synthetic", train_limit=1, test_limit=20).test.images
    logits = [np.asarray(model(model.enlarged(test, 48))) for model in (judge, other)]
    np.testing.assert_allclose(*logits, rtol=0.02, atol=5e-3)


def test_several_devices_share_the_head_and_not_the_features(folder, tmp_path):
    """Oracle: one device's weights; the features of the two runs are the same files."""
    arguments = ["frozen_blocks=3", "train_size=64", "batch_size=10", "dev_batch_size=8", "precision=float32"]
    environment = {"COLORIZATION_DATA": str(tmp_path / "data")}
    done = start("vgg", tmp_path / "two", "--devices", 2, *arguments, "distribute=mirrored", **environment)
    assert done.returncode == 0, done.stderr
    assert "2 replicas" in done.stdout
    done = start("vgg", tmp_path / "one", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    assert len(list(folder.glob("*/features.npy"))) == 2
    two, one = (folder.read_weights(tmp_path / name) for name in ("two", "one"))
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=0.05, atol=0.01, err_msg=name)


def test_a_run_killed_among_its_features_goes_on_with_them(folder, tmp_path):
    """300 images are two chunks; the kill comes in the second one. Oracle: a run never stopped."""
    arguments = ["vgg", tmp_path / "run", "frozen_blocks=5", "train_size=300"]
    environment = {"COLORIZATION_DATA": str(tmp_path / "data")}
    done = start(*arguments, "--kill", "features", 18, "--unfinished", **environment)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run" / folder.LAST).exists()
    (sums,) = folder.glob("*/checksums.json")
    assert sums.read_text().count(":") == 1
    done = start(*arguments, **environment)
    assert done.returncode == 0, done.stderr
    assert re.search(r"features:[^\r]*\| 256/", done.stderr)  # the bar begins behind what is there
    done = start("vgg", tmp_path / "whole", *arguments[2:], COLORIZATION_DATA=str(tmp_path / "elsewhere"))
    assert done.returncode == 0, done.stderr
    resumed, whole = (folder.read_weights(tmp_path / name) for name in ("run", "whole"))
    for name in whole:
        np.testing.assert_array_equal(resumed[name], whole[name], err_msg=name)
