"""Exports: what each format makes of photographs is what Colorizer makes of them. Alone: test_exported_alone."""

import dataclasses
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from colorization import Colorizer, export_model
from colorization.cli import main
from colorization.core import image_files
from colorization.core.errors import InputError
from colorization.export import FORMATS
from colorization.inference import load_model, runtimes
from colorization.runs import RunFolder, resolve
from vgg_eval import export as judge_export
from vgg_eval import judge

PHOTOGRAPHS = {
    "odd": data.astronaut()[:101, :67],
    "smaller than the network's step": data.chelsea()[:7, :9],
    "a strip": data.rocket()[:37, :501],
    "a multiple of 8": data.coffee()[:160:2, :240:2],
    "whole": data.chelsea(),
}
SIZE = (101, 67)

TASK_OF = {
    "savedmodel": "classification",
    "onnx": "transfer",
    "litert": "regression",
    "keras": "classification",
}
"""Format -> the task that is exported in it in a normal run; with --slow it is every task in every format."""

TRIPLES = [
    pytest.param(task, format, marks=() if TASK_OF[format] == task else pytest.mark.slow)
    for format in ("savedmodel", "onnx", "litert")
    for task in ("regression", "classification", "transfer")
]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Function of task and format: path of the preset in that format, written once."""
    folder = tmp_path_factory.mktemp("exports")

    def write(task, format):
        path = folder / f"{task}{FORMATS[format]}"
        if not path.exists():
            size = SIZE if format == "litert" else None
            export_model(resolve.preset_folder(f"cifar10-{task}"), format, path, size=size)
        assert not list(folder.glob(".unfinished*"))
        return path

    return write


def assert_near(found, expected):
    """At most one 8-bit level on 99.9 % of the values."""
    assert (found.shape, found.dtype) == (expected.shape, "uint8")
    assert (np.abs(found.astype(int) - expected) > 1).mean() < 1e-3


@pytest.mark.parametrize(("task", "format"), TRIPLES)
def test_parity(written, task, format):
    """Oracle: Colorizer, at odd sizes, sizes below the network's step, in batches, gray, and at two temperatures."""
    colorizer, other = Colorizer.from_preset(f"cifar10-{task}"), runtimes.load(written(task, format))
    shown = {"odd": PHOTOGRAPHS["odd"]} if format == "litert" else PHOTOGRAPHS
    for picture in shown.values():
        for temperature in (None,) if task == "regression" else (0.89, 0.2):
            assert_near(
                other.colorize(picture, temperature=temperature),
                colorizer.colorize(picture, temperature=temperature),
            )
    gray = np.stack([PHOTOGRAPHS["odd"][..., 0]] * 3)[..., None]
    for picture in (gray, gray[0], gray[0, ..., 0]):
        assert_near(other.colorize(picture), colorizer.colorize(picture))
    with pytest.raises(TypeError, match=r"uint8.* float64"):
        other.colorize(np.zeros((4, 4)))


def test_what_an_exported_model_does_not_take_is_refused(written):
    classification = runtimes.load(written("classification", "savedmodel"))
    with pytest.raises(ValueError, match="at least 0"):
        classification.colorize(PHOTOGRAPHS["odd"], temperature=-1)
    regression = runtimes.load(written("regression", "litert"))
    with pytest.raises(InputError, match="decoding takes no temperature"):
        regression.colorize(PHOTOGRAPHS["odd"], temperature=0.3)
    with pytest.raises(InputError, match="takes pictures of 101 x 67 pixels only, not 7 x 9"):
        regression.colorize(PHOTOGRAPHS["smaller than the network's step"])


@pytest.mark.parametrize("format", ["onnx", pytest.param("savedmodel", marks=pytest.mark.slow)])
def test_a_file_for_one_size_takes_batches_of_it_and_nothing_else(tmp_path, format):
    """Oracle: Colorizer of the same decoding and working size; one sentence for another size."""
    path = tmp_path / f"model{FORMATS[format]}"
    options = {"decoding": "mode", "working_size": 64}
    export_model(resolve.preset_folder("cifar10-classification"), format, path, size=SIZE, **options)
    batch = np.stack([PHOTOGRAPHS["odd"], PHOTOGRAPHS["odd"][::-1]])
    colorizer = Colorizer.from_preset("cifar10-classification", working_size=64)
    other = runtimes.load(path)
    assert_near(other.colorize(batch), colorizer.colorize(batch, decoding="mode"))
    with pytest.raises(InputError, match="takes pictures of 101 x 67 pixels only, not 7 x 9"):
        other.colorize(PHOTOGRAPHS["smaller than the network's step"])
    with pytest.raises(InputError, match="decoding takes no temperature"):
        other.colorize(batch, temperature=0.3)


def test_the_temperature_has_its_default_in_every_format_that_knows_one(written):
    """Oracle: the run's own temperature: in the signature that TensorFlow Serving reads, and by ONNX's own rule;
    LiteRT has no defaults."""
    from tensorflow.core.protobuf import saved_model_pb2

    own = Colorizer.from_preset("cifar10-classification").temperature
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((written("classification", "savedmodel") / "saved_model.pb").read_bytes())
    for name in ("serving_default", "analyze"):
        default = model.meta_graphs[0].signature_def[name].defaults["temperature"]
        assert default.float_val[0] == pytest.approx(own)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(written("transfer", "onnx").read_bytes(), options)
    image, own = PHOTOGRAPHS["odd"][None], Colorizer.from_preset("cifar10-transfer").temperature
    left_out = session.run(["rgb"], {"image": image})[0]
    given = session.run(["rgb"], {"image": image, "temperature": np.array(own, "float32")})[0]
    np.testing.assert_array_equal(left_out, given)
    assert (session.run(["rgb"], {"image": image, "temperature": np.array(0.1, "float32")})[0] != given).any()


def test_the_default_is_the_runs_own(old_run, tmp_path):
    """Oracle: Colorizer, of a run whose temperature is another than the report's; in LiteRT, which has none."""
    run = RunFolder(old_run("classification"))
    run.write_config(dataclasses.replace(run.config, temperature=0.0))
    picture = PHOTOGRAPHS["odd"]
    export_model(run.path, "litert", tmp_path / "model.tflite", size=SIZE)
    found = runtimes.load(tmp_path / "model.tflite")
    colorizer = Colorizer.load(run.path)
    assert_near(found.colorize(picture), colorizer.colorize(picture))
    warm = colorizer.colorize(picture, temperature=0.89)
    assert_near(found.colorize(picture, temperature=0.89), warm)
    assert (np.abs(found.colorize(picture).astype(int) - warm) > 1).mean() > 0.1


def test_the_keras_file_is_the_network(written):
    """Oracle: the run's model."""
    model = load_model(RunFolder(resolve.preset_folder("cifar10-classification")))
    again = keras.models.load_model(written("classification", "keras"))
    lightness = np.random.default_rng(0).uniform(0, 100, (1, 32, 32, 1)).astype("float32")
    np.testing.assert_allclose(again(lightness), model(lightness), atol=1e-5)


@pytest.mark.parametrize("format", ["savedmodel", "onnx", "litert"])
def test_the_command_line_takes_every_format(written, tmp_path, capsys, format):
    """Oracle: the pictures that the exported model itself gives."""
    image_files.write(tmp_path / "photo.png", PHOTOGRAPHS["odd"])
    model, output = str(written(TASK_OF[format], format)), tmp_path / "out"
    arguments = ["image", str(tmp_path / "photo.png"), "--model", model, "-o", str(output)]
    assert main.main(arguments) == 0
    expected = runtimes.load(model).colorize(PHOTOGRAPHS["odd"])
    np.testing.assert_array_equal(image_files.read(output / "photo.png"), expected)
    assert main.main([*arguments, "--overwrite", "--working-size", "64"]) == 2
    assert "has its working-size built in" in capsys.readouterr().err


def test_the_command_exports(old_runs, tmp_path, capsys):
    """Oracle: Colorizer, with the options of the command."""
    path = tmp_path / "new" / "m.onnx"
    arguments = ["export", str(old_runs["classification"]), "--format", "onnx", "-o", str(path)]
    assert main.main([*arguments, "--decoding", "mode", "--working-size", "64"]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    colorizer = Colorizer.load(old_runs["classification"], working_size=64)
    assert_near(
        runtimes.load(path).colorize(PHOTOGRAPHS["odd"]),
        colorizer.colorize(PHOTOGRAPHS["odd"], decoding="mode"),
    )


def savedmodel_judge(path):
    model = tf.saved_model.load(path)
    return lambda batch: model.classify(tf.constant(batch))["probabilities"].numpy()


def onnx_judge(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes())
    return lambda batch: session.run(["probabilities"], {"image": batch})[0]


def litert_judge(path):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=path.read_bytes())
    interpreter.allocate_tensors()
    image, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def run(batch):
        interpreter.set_tensor(image["index"], batch)
        interpreter.invoke()
        return interpreter.get_tensor(out["index"])

    return run


@pytest.mark.parametrize(
    ("format", "opened"), [("savedmodel", savedmodel_judge), ("onnx", onnx_judge), ("litert", litert_judge)]
)
def test_the_judge_exports_too(tmp_path, format, opened, capsys):
    """Oracle: the judge itself, on pictures of its own size, of others, and on gray ones."""
    path = tmp_path / f"judge{FORMATS[format]}"
    size = ["--size", "101x67"] if format == "litert" else []
    arguments = ["cifar10-judge", "--format", format, "-o", str(path), *size]
    assert judge_export.main(arguments) == 0
    asked, run, odd = judge.load(resolve.preset_folder("cifar10-judge")), opened(path), PHOTOGRAPHS["odd"]
    shown = (
        [odd[None]] if format == "litert" else [odd[None], np.stack([odd[:32, :32]] * 2), odd[None, ..., :1]]
    )
    for batch in shown:
        expected = asked.probabilities(np.concatenate([batch] * (3 // batch.shape[-1]), axis=-1))
        np.testing.assert_allclose(run(batch), expected, atol=2e-3)
    assert judge_export.main(arguments) == 2
    assert "already exists" in capsys.readouterr().err


def test_what_cannot_be_exported_gets_one_sentence(old_runs, tmp_path, monkeypatch):
    run_dir, there = old_runs["regression"], tmp_path / "there.onnx"
    there.touch()
    for task, format, name, options, sentence in (
        ("regression", "onnx", "m.tflite", {}, r"names in the format onnx end in \.onnx"),
        (
            "regression",
            "litert",
            "m.tflite",
            {},
            "A LiteRT file has a fixed picture size. Set it with --size",
        ),
        ("regression", "onnx", "there.onnx", {}, "already exists"),
        ("regression", "savedmodel", "model", {"decoding": "mode"}, "Unknown decoding 'mode'"),
        (
            "regression",
            "keras",
            "m.keras",
            {"working_size": 64},
            "contains the network only",
        ),
        ("transfer", "onnx", "m.onnx", {"working_size": 64}, "sees every picture at 32 x 32"),
        ("regression", "onnx", "m.onnx", {"working_size": 0}, "at least 1 pixel, not 0"),
        ("vgg", "onnx", "m.onnx", {}, "has the task 'judge', but one of "),
    ):
        with pytest.raises(InputError, match=sentence):
            export_model(old_runs[task], format, tmp_path / name, **options)
    with pytest.raises(InputError, match="is not a run folder"):
        export_model(tmp_path, "savedmodel", tmp_path / "model")

    def fails(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("tensorflow.saved_model.save", fails)
    with pytest.raises(KeyboardInterrupt):
        export_model(run_dir, "savedmodel", tmp_path / "model")
    assert list(tmp_path.iterdir()) == [there]


@pytest.mark.parametrize("format", ["onnx", "litert"])
def test_damaged_exports_are_refused(written, tmp_path, format):
    path = tmp_path / f"cut{FORMATS[format]}"
    path.write_bytes(written(TASK_OF[format], format).read_bytes()[:3000])
    for bad in (path, tmp_path / f"nowhere{FORMATS[format]}"):
        with pytest.raises(
            InputError, match=r"is no exported colorizer, or damaged|not an exported colorizer|not found"
        ):
            runtimes.load(bad)


def test_another_size_is_no_stand_in_for_a_run(old_run, tmp_path):
    """Oracle: the file is whole, but not what the run itself would do."""
    run = RunFolder(old_run("regression"))
    export_model(run.path, "onnx", tmp_path / "other.onnx", working_size=64)
    shutil.copy(tmp_path / "other.onnx", run.onnx_path)
    assert runtimes.of_run(run.path) is None
