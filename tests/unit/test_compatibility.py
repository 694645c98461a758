"""Runs and command lines of version 0.1: they load, measure as then, resume, and say what is new."""

import dataclasses
import json

import h5py
import keras
import numpy as np
import pytest

from colorization import Colorizer
from colorization.core.config import CONFIGS
from colorization.evaluation import evaluate
from colorization.inference import load_model
from colorization.runs import RunFolder, resolve
from colorization.training import train
from vgg_eval import judge, training

TASKS = {
    "vgg": "judge",
    "regression": "regression",
    "classification": "classification",
    "transfer": "transfer",
}


def stored(run_dir):
    """metrics.json as version 0.1 wrote it."""
    return json.loads((run_dir / "metrics.json").read_text())["dev"]


@pytest.mark.parametrize("name", TASKS)
def test_a_run_loads_under_the_old_names(old_runs, name):
    """Oracle: the files, read by json and h5py alone."""
    run = RunFolder(old_runs[name])
    old = json.loads((run.path / "config.json").read_text())
    assert {"start"} <= old.keys()
    assert ("grey" in old) == (name == "vgg")
    renamed = {"start": "init_from", "grey": "gray"}
    values = {renamed.get(key, key): value for key, value in old.items() if key != "task"}
    assert type(run.config) is CONFIGS[TASKS[name]]
    assert dataclasses.asdict(run.config).items() >= values.items()
    new = {"dropout": 0, "shift": 0, "weight_decay": 0, "stratified": name == "vgg"}
    assert dataclasses.asdict(run.config).items() >= new.items()
    arrays = {}
    for part in run.weight_files():
        with h5py.File(run.path / part) as file:
            file["model"].visititems(
                lambda key, item: arrays.update({key: item[()]} if isinstance(item, h5py.Dataset) else {})
            )
    assert any("block9_conv" in key for key in arrays) == (name != "vgg")
    found = run.weights()
    assert found.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(found[key].squeeze(), array.squeeze())


def test_the_dense_layer_in_the_weights_of_a_preset_predicts_the_same():
    """Oracle: NumPy's product of the features of block 8 with the matrix in the file, read by h5py."""
    run = RunFolder(resolve.preset_folder("photos"))
    with h5py.File(run.path / "best.weights.h5") as file:
        (layer,) = (found for name, found in file["model"].items() if name.startswith("block9_"))
        kernel, bias = (layer[part][()].astype("float64") for part in ("kernel", "bias"))
    assert kernel.ndim == 2
    network = load_model(run)
    layer = network.get_layer("block9_conv")
    both = keras.Model(network.input, [layer.input, layer.output])
    lightness = np.random.default_rng(0).uniform(0, 100, (2, 32, 32, 1)).astype("float32")
    features, found = both.predict_on_batch(lightness)
    expected = features.astype("float64") @ kernel + bias
    assert expected.std() > 0.01
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["regression", "classification", "transfer"])
def test_a_colorizer_measures_as_then(old_run, name):
    """Oracle: the metrics that version 0.1 wrote, under their new names."""
    run_dir = old_run(name)
    before, found = stored(run_dir), evaluate(run_dir, "dev")
    names = {"grey": "gray", "mean colour": "mean color"}
    assert list(found["methods"]) == [names.get(row, row) for row in before["methods"]]
    for row, values in before["methods"].items():
        expected = {key.replace("colourfulness", "colorfulness"): value for key, value in values.items()}
        measured = found["methods"][names.get(row, row)]
        assert measured.keys() == expected.keys() | {"ciede2000"}
        for key, value in expected.items():
            assert measured[key] == (None if value is None else pytest.approx(value, rel=2e-3, abs=0.02)), (
                row,
                key,
            )


def test_a_judge_measures_as_then(old_run):
    """Oracle: the metrics that version 0.1 wrote."""
    run_dir = old_run("vgg")
    before = stored(run_dir)
    expected = {"images": before["images"], "truth": before["truth"], "gray": before["grey"]}
    assert RunFolder(run_dir).metrics()["dev"] == expected
    assert judge.evaluate(run_dir) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["classification", "transfer"])
def test_a_run_resumes_for_one_more_epoch(old_run, name):
    """Oracle: its history so far, unchanged; one epoch more, whose loss goes on from the last one's."""
    run_dir = old_run(name)
    before = RunFolder(run_dir).history()
    config = dataclasses.replace(RunFolder(run_dir).config, epochs=3)
    run = train(config, run_dir, resume=True)
    assert run.history()[:2] == before
    assert [row["epoch"] for row in run.history()] == [1, 2, 3]
    assert run.history()[2]["loss"] < before[1]["loss"] * 1.01
    assert run.metrics() == {}
    assert json.loads((run_dir / "config.json").read_text())["task"] == name
    assert len(run.sessions()) == 2
    assert Colorizer.load(run_dir).colorize(np.zeros((8, 8), "uint8")).shape == (8, 8, 3)


def test_a_judge_of_then_goes_on_as_a_judge_of_today(old_run):
    """Oracle: a run that begins with its weights, under the old task's name; both kinds of blocks are found."""
    run_dir = old_run("vgg")
    config = dataclasses.replace(
        RunFolder(run_dir).config, init_from=str(run_dir), learning_rate=0.0, epochs=1
    )
    run = training.train_judge(config, run_dir.parent / "new")
    kernels = {key: array for key, array in run.weights().items() if key.endswith("kernel")}
    for key, array in RunFolder(run_dir).weights().items():
        if key in kernels:
            np.testing.assert_array_equal(kernels[key], array)
    assert json.loads((run.path / "config.json").read_text())["task"] == "judge"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--preset", "smoke"], "--preset is deprecated: use --variant."),
        (["--variant", "smoke", "--set", "start=nowhere"], "start is deprecated: use init_from."),
    ],
)
def test_old_options_stand_for_new_ones(experiments, tmp_path, capsys, words, told):
    """Oracle: the message, once; the run that is refused is the one that was asked for."""
    main = experiments["classification"].main
    assert main([*words, "--data", "missing", "--run-dir", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.splitlines()[0] == told
    assert error.count(told) == 1
    assert "missing" in error.splitlines()[-1] or "nowhere" in error.splitlines()[-1]


def test_old_names_of_a_judges_command_line(experiments, old_run, capsys):
    """Oracle: the messages; experiments/vgg.py finds its run finished."""
    run = RunFolder(old_run("vgg"))
    run.write_tuned({})  # finished, without the state of its training
    words = ["--preset", "smoke-grey", "--run-dir", str(run.path), "--resume"]
    main = experiments["vgg"].main
    assert main(words) == 2  # another judge
    error = capsys.readouterr().err
    for told in ("smoke-grey is deprecated", "--preset is deprecated", "was started with"):
        assert told in error
    assert main(["--run-dir", str(run.path), "--resume", "--set", "grey=false"]) == 0
    captured = capsys.readouterr()
    assert "grey is deprecated: use gray." in captured.err
    assert "experiments/vgg.py is deprecated: use experiments/judge.py." in captured.err
    assert captured.out.startswith("Accuracy on 13 dev images: ")
