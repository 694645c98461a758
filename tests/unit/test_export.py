"""Exports: what each format makes of photographs is what Colorizer makes of them; alone, and at odd sizes."""

import dataclasses
import os
import shutil
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
from skimage import data

from colorization import Colorizer
from colorization.cli import main
from colorization.export import writers
from colorization.inference import runtimes, graph
from colorization.core import image_files
from colorization.runs import folder
from colorization.core.errors import InputError
from vgg_eval import export as judge_export
from vgg_eval import judge

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow writes the exports"
)

PHOTOGRAPHS = {
    "odd": data.astronaut()[:101, :67],
    "smaller than the network's step": data.chelsea()[:7, :9],
    "a strip": data.rocket()[:37, :501],
    "a multiple of 8": data.coffee()[:160:2, :240:2],
    "whole": data.chelsea(),
}
SIZE = (101, 67)


@pytest.fixture(scope="module")
def written(smoke_runs, tmp_path_factory):
    """{(task, format): path} of every colorizer in every format."""
    folder, paths = tmp_path_factory.mktemp("exports"), {}
    for task, run_dir in smoke_runs.items():
        for format, suffix in writers.FORMATS.items():
            paths[task, format] = folder / f"{task}{suffix}"
            size = SIZE if format == "litert" else None
            writers.export(run_dir, format, paths[task, format], size=size)
    assert not list(folder.glob(".unfinished*"))
    return paths


@pytest.mark.parametrize("format", ["savedmodel", "onnx", "litert"])
@pytest.mark.parametrize("task", ["regression", "classification", "transfer"])
def test_parity(written, smoke_runs, task, format):
    """Oracle: Colorizer: at most one 8-bit level on 99.9 % of the values."""
    colorizer, other = Colorizer.load(smoke_runs[task]), runtimes.load(written[task, format])
    shown = {"odd": PHOTOGRAPHS["odd"]} if format == "litert" else PHOTOGRAPHS
    for name, picture in shown.items():
        for temperature in (None,) if task == "regression" else (0.89, 0.2):
            expected = colorizer.colorize(picture, temperature=temperature)
            found = other.colorize(picture, temperature=temperature)
            assert (found.shape, found.dtype) == (expected.shape, "uint8"), name
            assert (np.abs(found.astype(int) - expected) > 1).mean() < 1e-3, name
            assert np.ptp(found.astype(int), axis=-1).max() > 10, name


def test_a_file_for_one_size_takes_batches_of_it_and_nothing_else(written, smoke_runs, tmp_path):
    """Oracle: Colorizer; one sentence for another size."""
    run_dir = smoke_runs["classification"]
    paths = [written["classification", "litert"], tmp_path / "model", tmp_path / "model.onnx"]
    for path, format in zip(paths[1:], ("savedmodel", "onnx"), strict=True):
        writers.export(run_dir, format, path, size=SIZE)
    batch = np.stack([PHOTOGRAPHS["odd"], PHOTOGRAPHS["odd"][::-1]])
    expected = Colorizer.load(run_dir).colorize(batch).astype(int)
    for other in map(runtimes.load, paths):
        assert (np.abs(other.colorize(batch) - expected) > 1).mean() < 1e-3
        with pytest.raises(InputError, match="takes pictures of 101 x 67 pixels only, not 7 x 9"):
            other.colorize(PHOTOGRAPHS["smaller than the network's step"], temperature=1)


def test_batches_and_gray_pictures(written, smoke_runs):
    """Oracle: Colorizer."""
    colorizer = Colorizer.load(smoke_runs["classification"])
    gray = np.stack([PHOTOGRAPHS["odd"][..., 0]] * 3)[..., None]
    for format in ("savedmodel", "onnx", "litert"):
        other = runtimes.load(written["classification", format])
        for picture in (gray, gray[0], gray[0, ..., 0]):
            found = other.colorize(picture, temperature=0.89).astype(int)
            assert (np.abs(found - colorizer.colorize(picture)) > 1).mean() < 1e-3
        with pytest.raises(TypeError, match="uint8, not float64"):
            other.colorize(np.zeros((4, 4)), temperature=1)
        with pytest.raises(ValueError, match="at least 0"):
            other.colorize(gray, temperature=-1)


ALONE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("colorization", "vgg_eval"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import numpy as np, tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
picture = tf.constant(np.load(sys.argv[2])[None, ..., :1])
found = model.signatures["analyze"](image=picture, temperature=tf.constant(0.89))
np.savez(sys.argv[3], rgb=model.colorize(picture)["rgb"], **found)
"""


def test_a_savedmodel_stands_alone(written, smoke_runs, tmp_path):
    """Oracle: Colorizer, and NumPy's entropy; in a process that cannot import this project."""
    picture = PHOTOGRAPHS["a multiple of 8"][:, :80]
    np.save(tmp_path / "picture.npy", picture[..., :1].repeat(3, -1))
    paths = [written["classification", "savedmodel"], tmp_path / "picture.npy", tmp_path / "found.npz"]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    command = [sys.executable, "-c", ALONE, *map(str, paths)]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "found.npz").open("rb") as file, np.load(file) as archive:
        found = dict(archive)
    colorizer = Colorizer.load(smoke_runs["classification"])
    assert (np.abs(found["rgb"][0].astype(int) - colorizer.colorize(picture[..., 0])) > 1).mean() < 1e-3
    gray = colorizer.colorize(picture[..., 0])[..., :1]
    assert found["ab"].shape == (1, 80, 80, 2)
    assert gray.shape[:2] == found["entropy"].shape[1:]
    lightness = np.asarray(image_files.as_batch(picture[..., 0]))
    planes = np.asarray(writers._lightness(lightness))
    logits = np.asarray(colorizer.model(graph.resize(planes, (32, 32)), training=False), "float64")
    p = np.exp(logits - logits.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    entropy = -(p * np.log(p + 1e-300)).sum(-1)[0].astype("float32")
    expected = cv2.resize(entropy, (80, 80), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found["entropy"][0], expected, atol=0.02)
    assert found["entropy"].std() > 0.05


def test_the_temperature_has_its_default_in_every_format_that_knows_one(written):
    """Oracle: the default in the signature that TensorFlow Serving reads, and ONNX's own rule."""
    from tensorflow.core.protobuf import saved_model_pb2

    model = saved_model_pb2.SavedModel()
    model.ParseFromString((written["classification", "savedmodel"] / "saved_model.pb").read_bytes())
    for name in ("serving_default", "analyze"):
        default = model.meta_graphs[0].signature_def[name].defaults["temperature"]
        assert default.float_val[0] == pytest.approx(0.89)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(written["classification", "onnx"].read_bytes(), options)
    image = PHOTOGRAPHS["odd"][None]
    left_out = session.run(["rgb"], {"image": image})[0]
    given = session.run(["rgb"], {"image": image, "temperature": np.array(0.89, "float32")})[0]
    np.testing.assert_array_equal(left_out, given)
    assert (session.run(["rgb"], {"image": image, "temperature": np.array(0.1, "float32")})[0] != given).any()


@pytest.mark.parametrize("format", ["savedmodel", "onnx", "litert"])
def test_the_default_is_the_runs_own(smoke_runs, tmp_path, format):
    """Oracle: Colorizer, of a run whose temperature is another than the report's."""
    run_dir, path = tmp_path / "run", tmp_path / f"model{export.FORMATS[format]}"
    shutil.copytree(smoke_runs["classification"], run_dir)
    folder.write_config(run_dir, dataclasses.replace(folder.read_config(run_dir), temperature=0.2))
    picture = PHOTOGRAPHS["a multiple of 8"]
    writers.export(run_dir, format, path, size=picture.shape[:2] if format == "litert" else None)
    found = runtimes.load(path).colorize(picture).astype(int)
    colorizer = Colorizer.load(run_dir)
    assert (np.abs(found - colorizer.colorize(picture)) > 1).mean() < 1e-3
    assert (np.abs(found - colorizer.colorize(picture, temperature=0.89)) > 1).mean() > 0.1


def test_the_keras_file_is_the_network(written, smoke_runs):
    for task, run_dir in smoke_runs.items():
        _, model = folder.load_model(run_dir)
        again = keras.models.load_model(written[task, "keras"])
        lightness = np.random.default_rng(0).uniform(0, 100, (1, 32, 32, 1)).astype("float32")
        np.testing.assert_allclose(again(lightness), model(lightness), atol=1e-5)


def test_the_command_line_takes_every_format(written, tmp_path, capsys):
    """Oracle: the pictures that the run folder itself gives."""
    image_files.write(tmp_path / "photo.png", PHOTOGRAPHS["odd"])
    for format in ("savedmodel", "onnx", "litert"):
        model = str(written["regression", format])
        output = tmp_path / format
        assert main.main(["image", str(tmp_path / "photo.png"), "--model", model, "-o", str(output)]) == 0
        colored = image_files.read(output / "photo.png")
        expected = runtimes.load(model).colorize(PHOTOGRAPHS["odd"])
        np.testing.assert_array_equal(colored, expected)
        arguments = ["image", str(tmp_path / "photo.png"), "--model", model, "-o", str(output), "--overwrite"]
        assert main.main([*arguments, "--working-size", "64"]) == 2
        assert "has its working-size built in" in capsys.readouterr().err


def test_the_command_exports(smoke_runs, tmp_path, capsys):
    path = tmp_path / "new" / "m.onnx"
    arguments = ["export", str(smoke_runs["classification"]), "--format", "onnx", "-o", str(path)]
    assert main.main([*arguments, "--decoding", "mode", "--working-size", "64"]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    colorizer = Colorizer.load(smoke_runs["classification"], working_size=64)
    expected = colorizer.colorize(PHOTOGRAPHS["odd"], decoding="mode").astype(int)
    found = runtimes.load(path).colorize(PHOTOGRAPHS["odd"])
    assert (np.abs(found - expected) > 1).mean() < 1e-3


def test_a_run_with_its_own_onnx_needs_no_keras(smoke_runs, tmp_path, capsys):
    """Oracle: the modules of the process; and the run's weights, which the file must have been made from."""
    run_dir = tmp_path / "run"
    shutil.copytree(smoke_runs["regression"], run_dir)
    assert runtimes.of_run(run_dir) is None
    assert main.main(["export", str(run_dir), "--format", "onnx"]) == 0
    assert capsys.readouterr().out == f"{run_dir / exported.ONNX}\n"
    image_files.write(tmp_path / "photo.png", PHOTOGRAPHS["odd"])
    script = (
        "import sys; from colorization import cli\n"
        "assert cli.main(sys.argv[1:]) == 0\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    arguments = ["image", tmp_path / "photo.png", "--model", run_dir, "-o", tmp_path / "out"]
    subprocess.run([sys.executable, "-c", script, *map(str, arguments)], check=True)
    found = image_files.read(tmp_path / "out" / "photo.png").astype(int)
    assert (np.abs(found - Colorizer.load(run_dir).colorize(PHOTOGRAPHS["odd"])) > 1).mean() < 1e-3

    shutil.copy(smoke_runs["regression"] / folder.LAST, run_dir / folder.BEST)  # other weights
    assert runtimes.of_run(run_dir) is None
    shutil.copy(smoke_runs["regression"] / folder.BEST, run_dir / folder.BEST)
    assert runtimes.of_run(run_dir) is not None
    assert main.main(["export", str(run_dir), "--format", "onnx", "--working-size", "64"]) == 2
    assert "stands for its run as it is" in capsys.readouterr().err
    assert runtimes.of_run(run_dir) is not None
    writers.export(run_dir, "onnx", tmp_path / "other.onnx", working_size=64)
    shutil.copy(tmp_path / "other.onnx", run_dir / runtimes.ONNX)
    assert runtimes.of_run(run_dir) is None  # not what the run itself would do
    (run_dir / runtimes.ONNX).write_text("damaged")
    assert runtimes.of_run(run_dir) is None


@pytest.mark.parametrize("format", ["savedmodel", "onnx", "litert"])
def test_the_judge_exports_too(smoke_folder, tmp_path, format, capsys):
    """Oracle: the judge itself, on pictures of its own size, of others, and on gray ones."""
    path = tmp_path / f"judge{export.FORMATS[format]}"
    size = ["--size", "101x67"] if format == "litert" else []
    arguments = [str(smoke_folder / "vgg-smoke"), "--format", format, "-o", str(path), *size]
    assert judge_export.main(arguments) == 0
    judge = judge.load(smoke_folder / "vgg-smoke")
    if format == "savedmodel":
        import tensorflow as tf

        model = tf.saved_model.load(path)
        run = lambda batch: model.classify(tf.constant(batch))["probabilities"].numpy()  # noqa: E731
    elif format == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(path.read_bytes())
        run = lambda batch: session.run(["probabilities"], {"image": batch})[0]  # noqa: E731
    else:
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_content=path.read_bytes())
        interpreter.allocate_tensors()
        image, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

        def run(batch):
            interpreter.set_tensor(image["index"], batch)
            interpreter.invoke()
            return interpreter.get_tensor(out["index"])

    odd = PHOTOGRAPHS["odd"]
    shown = (
        [odd[None]] if format == "litert" else [odd[None], np.stack([odd[:32, :32]] * 2), odd[None, ..., :1]]
    )
    for batch in shown:
        expected = judge.probabilities(np.concatenate([batch] * (3 // batch.shape[-1]), axis=-1))
        np.testing.assert_allclose(run(batch), expected, atol=2e-3)
    assert judge_export.main(arguments) == 2
    assert "is there already" in capsys.readouterr().err


def test_what_cannot_be_exported_or_loaded_gets_one_sentence(smoke_runs, written, tmp_path, monkeypatch):
    run_dir = smoke_runs["regression"]
    for format, name, sentence in (
        ("onnx", "m.tflite", r"a file of the format onnx ends in \.onnx"),
        ("litert", "m.tflite", "LiteRT takes pictures of one size only: give it by --size"),
    ):
        with pytest.raises(InputError, match=sentence):
            writers.export(run_dir, format, tmp_path / name)
    for format, size in (("savedmodel", None), ("onnx", None), ("litert", SIZE)):
        picture = np.zeros((*(size or (8, 8)), 3), "uint8")
        with pytest.raises(InputError, match="decoding takes no temperature"):
            runtimes.load(written["regression", format]).colorize(picture, temperature=0.3)
    with pytest.raises(InputError, match="is there already"):
        writers.export(run_dir, "onnx", written["regression", "onnx"])
    with pytest.raises(InputError, match="decodes by regression, not by 'mode'"):
        writers.export(run_dir, "savedmodel", tmp_path / "model", decoding="mode")
    with pytest.raises(InputError, match="it takes no decoding, working size or size"):
        writers.export(run_dir, "keras", tmp_path / "m.keras", working_size=64)
    with pytest.raises(InputError, match="sees every picture at 32 x 32"):
        writers.export(smoke_runs["transfer"], "onnx", tmp_path / "m.onnx", working_size=64)
    with pytest.raises(InputError, match="at least 1 pixel, not 0"):
        writers.export(run_dir, "onnx", tmp_path / "m.onnx", working_size=0)
    with pytest.raises(InputError, match="is no run folder"):
        writers.export(tmp_path, "savedmodel", tmp_path / "model")

    def fails(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("tensorflow.saved_model.save", fails)
    with pytest.raises(KeyboardInterrupt):
        writers.export(run_dir, "savedmodel", tmp_path / "model")
    assert not list(tmp_path.iterdir())

    for format, suffix in (("onnx", ".onnx"), ("litert", ".tflite")):
        path = tmp_path / f"cut{suffix}"
        path.write_bytes(written["regression", format].read_bytes()[:3000])
        with pytest.raises(InputError, match="is no exported colorizer, or damaged"):
            runtimes.load(path)
        with pytest.raises(InputError, match="is no exported colorizer, or damaged"):
            runtimes.load(tmp_path / f"nowhere{suffix}")
