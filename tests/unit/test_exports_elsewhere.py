"""Exports in other people's hands: older Keras, onnxruntime and LiteRT by the names they have, TFSMLayer."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from skimage import data

from colorization import Colorizer, export_model, models
from colorization.export import keras_file
from colorization.inference import runtimes
from colorization.runs import RunFolder, resolve
from vgg_eval import judge_export
from vgg_eval.model import vgg16

PICTURE = data.astronaut()[:61, :47]
SIZE = PICTURE.shape[:2]
RUN = resolve.preset_folder("cifar10-classification")
SHARED = {"image": PICTURE[None]}


@pytest.fixture(scope="module")
def colorizer():
    return Colorizer.load(RUN)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Function of a format: path of the preset in it, written once."""
    folder = tmp_path_factory.mktemp("exports")

    def write(format, name):
        if not (folder / name).exists():
            export_model(RUN, format, folder / name, size=SIZE if format == "litert" else None)
        return folder / name

    return write


def networks():
    """{name: (network with penalty and dropout, its input)}: two colorizers, and a judge with each kind of layer."""
    rng, options = np.random.default_rng(0), {"width": 0.05, "l2": 0.01, "dropout": 0.1}
    vgg = {
        "vgg_size": 32,
        "vgg_width": 0.05,
        "vgg_blocks": 3,
        "batch_norm": True,
        "frozen_blocks": 2,
        "image_size": 32,
    }
    judge = vgg16(image_size=32, head_width=8, width=0.05, batch_norm=True, l2=0.01, dropout=0.1)
    lightness = rng.uniform(0, 100, (2, 32, 32, 1)).astype("float32")
    return {
        "classification": (models.classification(**options), lightness),
        "transfer": (models.transfer(**options, **vgg), lightness),
        "judge": (judge, rng.uniform(0, 255, (2, 32, 32, 3)).astype("float32")),
    }


LOAD = """
import sys, keras, numpy as np
assert "colorization" not in sys.modules
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras")
    np.save(f"{name}-found.npy", keras.ops.convert_to_numpy(model(np.load(f"{name}-input.npy"), training=False)))
print(keras.__version__)
"""


def assert_loads(folder, python_path, version):
    """Oracle: this process's outputs; the other one has a Keras of that version, and loads in safe mode."""
    made = networks()
    for name, (network, inputs) in made.items():
        keras_file.save(network, folder / f"{name}.keras")
        np.save(folder / f"{name}-input.npy", inputs)
    environment = {**os.environ, "PYTHONPATH": str(python_path), "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", LOAD, *made]
    done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().startswith(version)
    for name, (network, inputs) in made.items():
        expected = keras.ops.convert_to_numpy(network(inputs, training=False))
        np.testing.assert_allclose(np.load(folder / f"{name}-found.npy"), expected, rtol=1e-5, atol=1e-5)


def test_keras_files_load_where_only_keras_is(tmp_path):
    assert_loads(tmp_path, "", keras.__version__)


@pytest.mark.slow
@pytest.mark.parametrize("version", [keras_file.OLDEST_KERAS, "3.8", "3.12"])
def test_keras_files_load_on_older_versions(tmp_path, version):
    """Skipped unless KERAS_VERSIONS names a folder of `pip install --target FOLDER/keras-V --no-deps keras==V`."""
    places = sorted(Path(os.environ.get("KERAS_VERSIONS", "/nowhere")).glob(f"keras-{version}*"))
    if not places:
        pytest.skip(f"needs Keras {version} below $KERAS_VERSIONS")
    assert_loads(tmp_path, places[0], version)


def test_a_keras_file_names_nothing_that_older_versions_do_not_know(tmp_path):
    """Oracle: the options that Keras has added since 3.4, and a network that a file was written from."""
    network, inputs = networks()["transfer"]
    keras_file.save(network, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [layer.name for layer in loaded.layers if layer.weights] == [
        layer.name for layer in network.layers if layer.weights
    ]
    assert loaded.get_layer("block1_conv1").trainable is False
    assert not loaded.losses
    assert network.losses  # the network itself keeps its penalties
    found, expected = (keras.ops.convert_to_numpy(each(inputs, training=False)) for each in (loaded, network))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    config = zipfile.ZipFile(tmp_path / "model.keras").read("config.json").decode()
    for name in (
        "renorm",
        "quantization_config",
        "optional",
        "initializer",
        "regularizer",
        "colorization",
        "shared_object_id",
    ):
        assert name not in config


def test_an_onnx_file_names_its_axes(exported):
    import onnxruntime

    session = onnxruntime.InferenceSession(exported("onnx", "m.onnx").read_bytes())
    image, rgb = session.get_inputs()[0], session.get_outputs()[0]
    assert (image.name, image.shape) == ("image", ["batch", "height", "width", "channels"])
    assert (rgb.name, rgb.shape) == ("rgb", ["batch", "height", "width", 3])


ONNX = """
import numpy as np, onnxruntime, sys
session = onnxruntime.InferenceSession(sys.argv[1])
image = np.load("image.npy")
np.save("own.npy", session.run(["rgb"], {"image": image})[0])
np.save("other.npy", session.run(None, {"image": image, "temperature": np.array(0.1, "float32")})[0])
"""


def test_onnxruntime_loads_without_a_word(exported, colorizer, tmp_path):
    """Oracle: Colorizer; standard error, at the default level of the log."""
    np.save(tmp_path / "image.npy", SHARED["image"])
    command = [sys.executable, "-c", ONNX, exported("onnx", "m.onnx")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name, temperature in (("own", None), ("other", 0.1)):
        expected = colorizer.colorize(SHARED["image"], temperature=temperature)
        assert (np.abs(np.load(tmp_path / f"{name}.npy").astype(int) - expected) > 1).mean() < 1e-3


def as_of_version_0_1(path):
    """The bytes of an ONNX file whose temperature is a plain input, with an initializer of its name."""
    model = onnx.load(path)
    graph = model.graph
    assert [graph.node.pop(0).op_type for _ in range(2)] == ["OptionalHasElement", "If"]
    for node in graph.node:
        node.input[:] = ["temperature" if name == "temperature/used" else name for name in node.input]
    graph.input[1].CopyFrom(onnx.helper.make_tensor_value_info("temperature", onnx.TensorProto.FLOAT, []))
    own = np.array(RunFolder(RUN).config.temperature, "float32")
    graph.initializer.append(onnx.numpy_helper.from_array(own, "temperature"))
    return model.SerializeToString()


def test_onnx_files_of_version_0_1_are_run_too(exported, colorizer, tmp_path, capfd):
    """Oracle: Colorizer; without onnxruntime's warning."""
    (tmp_path / "old.onnx").write_bytes(as_of_version_0_1(exported("onnx", "m.onnx")))
    found = runtimes.load(tmp_path / "old.onnx")
    for temperature in (None, 0.1):
        expected = colorizer.colorize(PICTURE, temperature=temperature)
        assert (
            np.abs(found.colorize(PICTURE, temperature=temperature).astype(int) - expected) > 1
        ).mean() < 1e-3
    assert capfd.readouterr() == ("", "")


def test_litert_has_a_signature(exported, colorizer):
    """Oracle: Colorizer; a temperature below 0 stands for the run's own."""
    from ai_edge_litert.interpreter import Interpreter

    call = Interpreter(str(exported("litert", "m.tflite"))).get_signature_runner()
    assert sorted(call.get_input_details()) == ["image", "temperature"]
    assert list(call.get_output_details()) == ["rgb"]
    for given, temperature in ((-1, None), (0.1, 0.1)):
        found = call(**SHARED, temperature=np.array(given, "float32"))["rgb"]
        expected = colorizer.colorize(SHARED["image"], temperature=temperature)
        assert (np.abs(found.astype(int) - expected) > 1).mean() < 1e-3


def test_litert_files_without_a_signature_are_run_too(exported, colorizer, monkeypatch):
    """Oracle: Colorizer. The older files differ in the signature alone."""
    from ai_edge_litert.interpreter import Interpreter

    monkeypatch.setattr(Interpreter, "get_signature_list", lambda interpreter: {})
    monkeypatch.delattr(Interpreter, "get_signature_runner")
    found = runtimes.load(exported("litert", "m.tflite"))
    for temperature in (None, 0.1):
        expected = colorizer.colorize(PICTURE, temperature=temperature)
        assert (
            np.abs(found.colorize(PICTURE, temperature=temperature).astype(int) - expected) > 1
        ).mean() < 1e-3


def test_tfsmlayer_takes_a_savedmodel_as_it_is(exported, colorizer):
    """Oracle: Colorizer, called at once and in a model."""
    layer = keras.layers.TFSMLayer(str(exported("savedmodel", "model")))
    picture = keras.Input((None, None, 3), dtype="uint8")
    model = keras.Model(picture, layer(picture)["rgb"])
    for found, temperature in (
        (layer(SHARED["image"])["rgb"], None),
        (layer(SHARED["image"], temperature=0.1)["rgb"], 0.1),
        (model(SHARED["image"]), None),
    ):
        expected = colorizer.colorize(SHARED["image"], temperature=temperature)
        assert (np.abs(np.asarray(found).astype(int) - expected) > 1).mean() < 1e-3


def test_the_judge_goes_elsewhere_too(tmp_path):
    """Oracle: the layer's default endpoint, against the one that TensorFlow Serving takes; names of ONNX's axes."""
    import onnxruntime

    judge_export.export_judge(resolve.preset_folder("cifar10-judge"), "savedmodel", tmp_path / "model")
    path = str(tmp_path / "model")
    both = [keras.layers.TFSMLayer(path), keras.layers.TFSMLayer(path, call_endpoint="serving_default")]
    first, second = (np.asarray(layer(SHARED["image"])["probabilities"]) for layer in both)
    np.testing.assert_array_equal(first, second)
    judge_export.export_judge(resolve.preset_folder("cifar10-judge"), "onnx", tmp_path / "judge.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "judge.onnx")
    assert session.get_outputs()[0].shape == ["batch", 10]
    np.testing.assert_allclose(session.run(None, SHARED)[0], first, atol=2e-3)
