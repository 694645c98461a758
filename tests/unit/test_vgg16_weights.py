"""VGG16's weights: every format gives the features of keras.applications; damaged files are refused."""

import functools
import hashlib
import importlib
import inspect
import os
import zipfile

import h5py
import keras
import numpy as np
import pytest

from colorization.core.errors import InputError
from colorization.models import vgg16
from colorization.runs import checkpoint_io, vgg16_weights

SIDE = 64


def blocks():
    """This project's blocks of VGG16, for RGB in 0..255."""
    rgb = keras.Input((SIDE, SIDE, 3))
    return keras.Model(rgb, vgg16.blocks(rgb))


@pytest.fixture(scope="module")
def oracle():
    """keras.applications' own VGG16 without top, its weights drawn here; it takes BGR."""
    keras.utils.set_random_seed(0)
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if len(variable.shape) == 1:
            variable.assign(rng.uniform(-1, 1, variable.shape))
    return model


@pytest.fixture(scope="module")
def layers(oracle):
    """{"block1_conv1": (kernel, bias)} of it."""
    return {layer.name: layer.get_weights() for layer in oracle.layers if layer.get_weights()}


def write_keras(path, layers, names, *, under="", top=False):
    """The layout of the Keras files: a group for each layer, its arrays within, `names` giving theirs."""
    if top:
        layers = {**layers, "fc1": (np.zeros((8, 4), "float32"), np.zeros(4, "float32"))}
    with h5py.File(path, "w") as file:
        for layer, arrays in layers.items():
            for name, array in zip(names(layer), arrays, strict=True):
                file[f"{under}{layer}/{name}"] = array
    return path


def old_names(layer):
    return f"{layer}_W_1:0", f"{layer}_b_1:0"


def new_names(layer):
    return f"{layer}/kernel:0", f"{layer}/bias:0"


def write_frossard(path, layers, **more):
    """conv1_1_W, ... fc8_b, for RGB."""
    arrays = {}
    for layer, (kernel, bias) in layers.items():
        key = layer.replace("block", "conv").replace("_conv", "_")
        arrays |= {f"{key}_W": kernel[:, :, ::-1] if layer == "block1_conv1" else kernel, f"{key}_b": bias}
    for name, shape in {"fc6_W": (8, 4), "fc6_b": (4,), "fc8_W": (4, 10), "fc8_b": (10,)}.items():
        arrays[name] = np.zeros(shape, "float32")
    np.savez(path, **{**arrays, **more})
    return path


def write_ours(path, layers):
    arrays = {
        f"{layer}/{name}": array
        for layer, pair in layers.items()
        for name, array in zip(("kernel", "bias"), pair, strict=True)
    }
    arrays["block1_conv1/kernel"] = arrays["block1_conv1/kernel"][:, :, ::-1]
    checkpoint_io.save(path, {"model": {**arrays, "fc8/bias": np.zeros(10, "float32")}})
    return path


FORMATS = {
    "keras without top, old names": lambda path, layers: write_keras(path, layers, old_names),
    "keras with top, new names": lambda path, layers: write_keras(path, layers, new_names, top=True),
    "a whole keras model": lambda path, layers: write_keras(path, layers, new_names, under="model_weights/"),
    "frossard": lambda path, layers: write_frossard(path.with_suffix(".npz"), layers),
    "ours": write_ours,
}


@pytest.fixture(scope="module")
def model():
    return blocks()


@pytest.mark.parametrize("name", FORMATS)
def test_features_are_those_of_keras_applications(name, oracle, layers, tmp_path):
    """Oracle: keras.applications.VGG16 with its own preprocessing, on the same random weights."""
    path = FORMATS[name](tmp_path / "weights.h5", layers)
    model = blocks()
    vgg16_weights.load(str(path), model.variables)
    rgb = np.random.default_rng(1).integers(0, 256, (2, SIDE, SIDE, 3)).astype("float32")
    expected = oracle.predict_on_batch(keras.applications.vgg16.preprocess_input(rgb.copy()))
    features = model.predict_on_batch(rgb)
    assert features.shape == (2, SIDE // 32, SIDE // 32, 512)
    assert expected.std() > 0
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())


def test_a_model_file_as_keras_writes_it(oracle, layers, tmp_path):
    oracle.save(tmp_path / "model.h5")
    found = vgg16_weights.read(tmp_path / "model.h5")
    assert len(found) == 26
    for layer, (kernel, bias) in layers.items():
        kernel = kernel[:, :, ::-1] if layer == "block1_conv1" else kernel
        np.testing.assert_array_equal(found[f"{layer}/kernel"], kernel)
        np.testing.assert_array_equal(found[f"{layer}/bias"], bias)


def without(layers, name):
    return {layer: arrays for layer, arrays in layers.items() if layer != name}


def other_shape(layers):
    return {**layers, "block3_conv2": (np.zeros((3, 3, 128, 256), "float32"), layers["block3_conv2"][1])}


def with_nan(layers):
    kernel = layers["block2_conv1"][0].copy()
    kernel[0, 0, 0, 0] = np.nan
    return {**layers, "block2_conv1": (kernel, layers["block2_conv1"][1])}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def damaged_member(path):
    with zipfile.ZipFile(path) as archive:
        middle = archive.getinfo("conv3_1_W.npy").header_offset + 5000
    data = bytearray(path.read_bytes())
    data[middle] ^= 255
    path.write_bytes(data)
    return path


def text(path, layers):
    path.write_text("no weights")
    return path


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("unpickled",)


DAMAGED = {
    "a layer is missing": (
        lambda path, layers: write_keras(path, without(layers, "block4_conv3"), old_names),
        "block4_conv3/bias is missing; block4_conv3/kernel is missing",
    ),
    "a layer has another shape": (
        lambda path, layers: write_keras(path, other_shape(layers), new_names),
        r"block3_conv2/kernel has the shape \(3, 3, 128, 256\), but the layer needs \(3, 3, 256, 256\)",
    ),
    "a number is not finite": (
        lambda path, layers: write_frossard(path.with_suffix(".npz"), with_nan(layers)),
        "block2_conv1/kernel contains values that are not finite",
    ),
    "an .h5 cut short": (
        lambda path, layers: cut(write_keras(path, layers, old_names)),
        r"weights\.h5 is damaged or incomplete \(.*truncated file",
    ),
    "an .npz cut short": (
        lambda path, layers: cut(write_frossard(path.with_suffix(".npz"), layers)),
        r"weights\.npz is not a weights file, or is incomplete",
    ),
    "an .npz with a flipped byte": (
        lambda path, layers: damaged_member(write_frossard(path.with_suffix(".npz"), layers)),
        r"weights\.npz is damaged or incomplete \(Bad CRC-32",
    ),
    "an .npz with a pickle": (
        lambda path, layers: write_frossard(
            path.with_suffix(".npz"), layers, conv1_1_W=np.array([Bomb()], dtype=object)
        ),
        "Object arrays cannot be loaded when allow_pickle=False",
    ),
    "a text": (text, r"weights\.h5 is not a weights file"),
    "no file": (lambda path, layers: path, "is not found. Name a weights file .*--vgg-weights"),
    "layers numbered": (
        lambda path, layers: write_keras(
            path, {"conv2d": next(iter(layers.values()))}, new_names, under="layers/"
        ),
        "without names of layers",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_refused_and_change_nothing(name, layers, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write, sentence = DAMAGED[name]
    path = write(tmp_path / "weights.h5", layers)
    before = model.get_weights()
    with pytest.raises(InputError, match=sentence):
        vgg16_weights.load(str(path), model.variables)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    assert not (tmp_path / "unpickled").exists()


def test_fewer_blocks_take_what_they_need_and_no_batch_normalization_is_made_up(layers, tmp_path):
    path = write_frossard(tmp_path / "weights.npz", layers)
    start = keras.Input((32, 32, 3))
    two = keras.Model(start, vgg16.blocks(start, count=2))
    vgg16_weights.load(str(path), two.variables)
    np.testing.assert_array_equal(two.get_layer("block2_conv2").get_weights()[0], layers["block2_conv2"][0])
    normalized = keras.Model(start, vgg16.blocks(start, count=2, batch_norm=True))
    with pytest.raises(InputError, match="block1_bn1/beta is missing"):
        vgg16_weights.load(str(path), normalized.variables)


def test_offline_the_download_says_what_to_do(monkeypatch):
    def fails(*arguments, **named):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", fails)
    with pytest.raises(
        InputError, match=r"cannot be downloaded from https://.*Name a file with --vgg-weights"
    ):
        vgg16_weights.load("imagenet", [])


def test_a_download_is_checked(layers, tmp_path, monkeypatch):
    """Keras's own getter, over file://: a file of the right sum is taken, another is refused."""
    getter = functools.partial(keras.utils.get_file, cache_dir=tmp_path / "cache")
    monkeypatch.setattr(keras.utils, "get_file", getter)
    path = write_keras(tmp_path / "served.h5", {"block1_conv1": layers["block1_conv1"]}, old_names)
    got = vgg16_weights.download(path.as_uri(), hashlib.md5(path.read_bytes()).hexdigest())
    assert got.read_bytes() == path.read_bytes()
    got.unlink()
    with pytest.raises(InputError, match="cannot be downloaded"):
        vgg16_weights.download(path.as_uri(), "0" * 32)


@pytest.mark.parametrize("kind", ["keras, old names", "keras, new names", "frossard"])
def test_hidden_layers_are_read_where_they_are_wanted(kind, tmp_path):
    """Oracle: the arrays that were written: fc1 and fc2 of Keras and fc6 and fc7 of Frossard are the same layers."""
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=(8, 4)).astype("float32"), rng.normal(size=4).astype("float32")) for _ in "67"]
    if kind == "frossard":
        (k6, b6), (k7, b7) = pairs
        path = write_frossard(tmp_path / "weights.npz", {}, fc6_W=k6, fc6_b=b6, fc7_W=k7, fc7_b=b7)
    else:
        names = old_names if "old" in kind else new_names
        path = write_keras(tmp_path / "weights.h5", dict(zip(("fc1", "fc2"), pairs, strict=True)), names)
    found = vgg16_weights.read(path, with_hidden=True)
    expected = {
        f"fc{n}/{part}": array
        for n, pair in zip("67", pairs, strict=True)
        for part, array in zip(("kernel", "bias"), pair, strict=True)
    }
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    assert vgg16_weights.read(path) == {}


@pytest.mark.parametrize("with_hidden", [False, True])
def test_imagenet_names_the_file_that_has_the_layers(with_hidden, monkeypatch):
    """Oracle: the addresses and sums in the source of keras.applications.vgg16."""
    source = inspect.getsource(importlib.import_module("keras.src.applications.vgg16"))
    asked = []

    def getter(origin, file_hash, cache_subdir):
        asked.append((origin, file_hash))
        raise OSError

    monkeypatch.setattr(keras.utils, "get_file", getter)
    with pytest.raises(InputError, match="cannot be downloaded"):
        vgg16_weights.load("imagenet", [], with_hidden)
    ((origin, file_hash),) = asked
    assert origin.endswith("tf_kernels.h5" if with_hidden else "tf_kernels_notop.h5")
    assert f'"{file_hash}"' in source
    assert origin.rpartition("/")[2] in source
