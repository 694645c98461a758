"""Frozen layers run once: cut, equal to the uncached path, kept and checked. After a SIGKILL: test_resume."""

import keras
import numpy as np
import pytest
from keras import layers

from colorization import datasets
from colorization.core import devices
from colorization.core.errors import InputError
from colorization.models import transfer, vgg16
from colorization.runs import session
from colorization.training import frozen_features, trainer
from vgg_eval import model as judge_model
from vgg_eval import training
from vgg_eval.config import JudgeConfig

RGB = np.random.default_rng(0).integers(0, 256, (300, 16, 16, 3), dtype=np.uint8)  # two chunks
TINY = JudgeConfig(
    data="synthetic", train_size=300, dev_size=40, test_size=40, width=0.1, head_width=16, vgg_size=48,
    vgg_weights="none", epochs=2, batch_size=32, learning_rate=1e-3, precision="float32",
)  # fmt: skip


def as_input(rgb, flips):
    return (np.asarray(rgb, "float32"),)


@pytest.fixture
def features(tmp_path, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "features"


@pytest.fixture
def encoder():
    keras.utils.set_random_seed(0)
    start = keras.Input((16, 16, 3), name="rgb")
    return keras.Model(start, vgg16.blocks(start, count=2, width=0.1), name="encoder")


def watched(encoder, monkeypatch):
    """The list of the numbers of items that the encoder is asked for from now on."""
    counts, predict = [], encoder.predict_on_batch
    monkeypatch.setattr(encoder, "predict_on_batch", lambda x: counts.append(len(x)) or predict(x))
    return counts


@pytest.mark.parametrize("frozen", range(6))
def test_a_model_is_cut_after_its_frozen_blocks(frozen):
    """Oracle: the two parts give what the whole gives; the cut is where it was asked."""
    for model, sample in (
        (
            judge_model.vgg16(image_size=64, head_width=8, width=0.1, frozen_blocks=frozen),
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


def test_a_dropout_is_not_cut_off():
    """Oracle: the names of the layers: those before the first dropout are frozen, those after it need not be."""
    model = judge_model.vgg16(image_size=32, head_width=8, width=0.1, frozen_blocks=6, dropout=0.5)
    place = frozen_features.cut(model)
    assert [layer.name for layer in model.layers[place - 1 : place + 1]] == ["fc6", "fc6_dropout"]
    head = frozen_features.head(model, place)
    assert {variable.path for variable in head.trainable_variables} == {"fc8/kernel", "fc8/bias"}


def test_features_are_the_encoders_and_are_kept(features, encoder, monkeypatch):
    """Oracle: the encoder's own output, rounded to float16; the second time it is not asked."""
    found = frozen_features.compute(encoder, (RGB,), as_input, 70)
    expected = np.asarray(encoder(RGB.astype("float32")))
    assert isinstance(found, np.memmap)
    assert (found.dtype, found.shape, found.flags.writeable) == ("float16", expected.shape, False)
    np.testing.assert_allclose(found, expected, rtol=2**-10, atol=1e-4)

    counts = watched(encoder, monkeypatch)
    np.testing.assert_array_equal(frozen_features.compute(encoder, (RGB,), as_input, 70)[:], found[:])
    assert not counts
    other_images = RGB.copy()
    other_images[0, 0, 0, 0] ^= 1
    for others in ((other_images,), (RGB[:-1],)):
        counts.clear()
        frozen_features.compute(encoder, others, as_input, 70)
        assert sum(counts) == len(others[0])
    counts.clear()
    encoder.variables[0].assign_add(encoder.variables[0] * 0 + 1e-3)
    frozen_features.compute(encoder, (RGB,), as_input, 70)
    assert sum(counts) == len(RGB)


@pytest.mark.parametrize("damage", ["a byte", "cut", "sums", "no sums", "gone"])
def test_damaged_features_are_rebuilt(features, encoder, damage, monkeypatch):
    """Oracle: what they were; only the damaged chunk is computed again."""
    expected = frozen_features.compute(encoder, (RGB,), as_input, 100)[:]
    (path,), (sums,) = features.glob("*/features.npy"), features.glob("*/checksums.json")
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
    counts = watched(encoder, monkeypatch)
    np.testing.assert_array_equal(frozen_features.compute(encoder, (RGB,), as_input, 100)[:], expected)
    assert sum(counts) == (300 - 256 if damage in ("a byte", "cut") else 300)


def test_what_float16_cannot_hold_is_cut_off(features):
    start = keras.Input((2, 2, 1), name="x")
    huge = keras.Model(start, layers.Rescaling(1e6, name="huge")(start), name="encoder")
    found = frozen_features.compute(huge, (np.array([[[[1.0], [-1.0]], [[0.0], [1e-3]]]]),), as_input, 1)
    np.testing.assert_allclose(found[:].ravel(), [65504, -65504, 0, 1000])


def test_no_place_for_features(features, encoder):
    features.parent.mkdir()
    features.write_text("in the way")
    with pytest.raises(InputError, match=r"features.* cannot be written"):
        frozen_features.compute(encoder, (RGB,), as_input, 8)


def test_a_head_on_kept_features_learns_what_the_whole_model_learns(features, tmp_path, monkeypatch):
    """Oracle: the same training with the frozen blocks run anew in each step; within float16."""
    runs = {"cached": training.train_judge(TINY, tmp_path / "cached")}
    assert len(list(features.glob("*/features.npy"))) == 2
    monkeypatch.setattr(frozen_features, "cut", lambda model: None)
    runs["whole"] = training.train_judge(TINY, tmp_path / "whole")
    cached, whole = (runs[name].weights() for name in ("cached", "whole"))
    assert cached.keys() == whole.keys()
    assert {name.split("_")[0] for name in runs["whole"].read_frozen()} == {f"block{b}" for b in range(1, 6)}
    for name in cached:
        np.testing.assert_allclose(cached[name], whole[name], rtol=0.02, atol=2e-3, err_msg=name)
    test = datasets.load("synthetic", train_limit=1, test_limit=20).test.images
    logits = []
    for run in runs.values():
        model = judge_model.build_judge(run.config, run.classes())
        run.load_weights(model)
        logits.append(np.asarray(model(judge_model.enlarged(test, 48))))
    np.testing.assert_allclose(*logits, rtol=0.02, atol=5e-3)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow" or bool(devices.accelerators()), reason="XLA on TensorFlow's CPU"
)
def test_the_feed_of_features_does_not_enlarge_the_images(features, tmp_path):
    """Oracle: the compiled program, without an array of the enlarged side; that of the encoder's feed has one."""
    run = session.open_run(TINY, tmp_path / "run")
    data = run.data()
    network = trainer.build(training.JUDGE, data, run)
    train, _, transform = trainer.training_arrays(network, data, run.config)
    batch = (*(array[:4] for array in train), np.zeros(4, bool))
    assert "[4,48,48,3]" not in program(transform, batch)
    whole = devices.compiled(training.JUDGE.transform(run.config), "on")
    assert "[4,48,48,3]" in program(whole, batch[1:])


def program(function, batch):
    """The text of XLA's program of a compiled function for a batch."""
    return function.experimental_get_compiler_ir(*batch)(stage="optimized_hlo")
