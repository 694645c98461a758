"""RunFolder: what it writes it reads again; what is missing or damaged gets one sentence."""

import json
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest

from colorization.core.color_prior import ColorPrior
from colorization.core.config import ClassificationConfig, ColorizerConfig, RegressionConfig, VggConfig
from colorization.core.errors import InputError
from colorization.datasets import loading
from colorization.runs import RunFolder, resolve

TINY = ClassificationConfig(
    data="synthetic", train_size=12, dev_size=5, test_size=7, image_size=16, crop_from=24
)
ARRAYS = {"first/kernel": np.arange(6, dtype="float32").reshape(2, 3), "first/bias": np.float32([1, 2, 3])}


@pytest.fixture
def run(tmp_path):
    return RunFolder(tmp_path / "run", TINY)


@pytest.fixture(scope="module")
def data():
    return RunFolder("nowhere", TINY).data()


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def test_a_run_is_a_folder_with_a_config(run):
    """Oracle: equality, in a second object that only knows the path."""
    assert (run.name, str(run), run.exists()) == ("run", str(run.path), False)
    with pytest.raises(InputError, match=r"run is not a run folder: it has no config\.json"):
        _ = RunFolder(run.path).config
    run.write_config(TINY)
    assert run.exists()
    assert RunFolder(run.path).config == TINY
    assert [path.name for path in run.path.iterdir()] == ["config.json"]


def test_a_run_of_another_kind_is_refused(run):
    run.write_config(TINY)
    assert run.expect(ColorizerConfig) is run
    with pytest.raises(
        InputError, match=r"config\.json has the task 'classification', but one of regression is needed\."
    ):
        run.expect(RegressionConfig)
    with pytest.raises(InputError, match=r"has the task 'classification', but one of .*transfer"):
        run.expect(VggConfig)


def test_weights_are_the_best_and_the_frozen_ones(run):
    """Oracle: the arrays; the fingerprint and the stamp change with a file, and with nothing else."""
    with pytest.raises(InputError, match="is not a run folder"):
        run.weights()
    run.write_config(TINY)
    with pytest.raises(
        InputError, match=r"has no best\.weights\.h5: its training has not finished an epoch yet"
    ):
        run.weights()
    run.write_best(ARRAYS, epoch=3)
    assert_same(run.weights(), ARRAYS)
    with h5py.File(run.path / "best.weights.h5") as file:
        assert file.attrs["epoch"] == 3
    before, stamp = run.model_fingerprint(), run.model_stamp()
    assert (RunFolder(run.path).model_fingerprint(), run.model_stamp()) == (before, stamp)
    run.write_state({"model": ARRAYS}, [])
    assert run.model_fingerprint() == before
    frozen = {"block1_conv1/kernel": np.float32([7])}
    run.write_frozen(frozen)
    assert_same(run.read_frozen(), frozen)
    assert_same(run.weights(), {**ARRAYS, **frozen})
    assert run.model_fingerprint() != before
    assert run.model_stamp() != stamp
    assert list(run.weight_files()) == ["best.weights.h5", "frozen.weights.h5"]


def test_the_state_of_a_training_is_one_piece(run):
    """Oracle: equality of groups and history."""
    assert (run.has_state(), run.finished_epochs()) == (False, 0)
    groups = {
        "model": ARRAYS,
        "optimizer": {"adam/iteration": np.int64(4)},
        "random": {"drop": np.uint32([1, 2])},
    }
    history = [{"epoch": 1, "loss": 2.5, "val_loss": 3.0}, {"epoch": 2, "loss": 1.5, "val_loss": 2.0}]
    run.write_state(groups, history)
    found, rows = run.read_state()
    assert found.keys() == groups.keys()
    for name, arrays in groups.items():
        assert_same(found[name], arrays)
    assert (rows, run.has_state(), run.finished_epochs()) == (history, True, 2)
    with h5py.File(run.path / "last.weights.h5", "r+") as file:
        file.attrs["history"] = "[["
    for read in (run.finished_epochs, run.read_state):
        with pytest.raises(
            InputError, match=r"last\.weights\.h5 is damaged: it does not contain the history"
        ):
            read()


def test_history_is_a_table(run):
    """Oracle: equality, and the text."""
    rows = [{"epoch": 1, "loss": 2.5, "val_loss": 3.0}, {"epoch": 2, "loss": 1e-7, "val_loss": 2.0}]
    run.write_history(rows)
    assert run.history() == rows
    assert (run.path / "history.csv").read_text() == "epoch,loss,val_loss\n1,2.5,3.0\n2,1e-07,2.0\n"
    for text in (
        "",
        "epoch,loss\n1,2\n",
        "epoch,loss,val_loss\n",
        "epoch,loss,val_loss\n1,2,x\n",
        "epoch,loss,val_loss\n1\n",
    ):
        (run.path / "history.csv").write_text(text)
        with pytest.raises(InputError, match=r"history\.csv is missing, or is not a training history"):
            run.history()


def test_data_are_those_of_the_runs_start(run, data):
    """Oracle: the Dataset and its Splits, row by row."""
    run.write_config(TINY)
    run.write_data(data)
    assert run.data_identity() == loading.identity(data.dataset)
    assert run.classes() == list(data.dataset.classes)
    again = run.data()
    for name in ("train", "dev", "test"):
        np.testing.assert_array_equal(getattr(again.splits, name), getattr(data.splits, name))
        images, told = run.images(name)
        part = data.dataset.train if name == "train" else data.dataset.test
        np.testing.assert_array_equal(images.images, part.images[getattr(data.splits, name)])
        np.testing.assert_array_equal(images.labels, part.labels[getattr(data.splits, name)])
        assert told == "synthetic"
    assert again.train.images.shape == (12, 24, 24, 3)
    assert again.dev.images.shape == (5, 16, 16, 3)


def test_other_data_are_refused(run, data):
    run.write_config(TINY)
    run.write_data(data)
    other = loading.load(TINY, side=24)
    with pytest.raises(InputError, match="run was trained on other images than those in synthetic"):
        run.splits(other)
    np.savez(run.path / "splits.npz", train=np.array([99]), dev=np.array([0]), test=np.array([1]))
    with pytest.raises(InputError, match=r"splits\.npz does not match the data"):
        run.splits(data.dataset)
    for text, sentence in (("[[[", "is missing or damaged"), ("{}", "was trained on other images")):
        (run.path / "data.json").write_text(text)
        with pytest.raises(InputError, match=sentence):
            run.splits(data.dataset)
    for text in ("{}", '{"classes": []}', '{"classes": [1]}'):
        (run.path / "data.json").write_text(text)
        with pytest.raises(InputError, match=r"data\.json is damaged: it does not list the classes"):
            run.classes()


def test_the_color_prior_comes_back(run):
    """Oracle: equality."""
    assert not run.has_color_prior()
    run.write_color_prior(ColorPrior(np.arange(313), np.array([1.5, -2.0])))
    assert run.has_color_prior()
    np.testing.assert_array_equal(run.color_prior().bin_counts, np.arange(313))
    np.testing.assert_array_equal(run.color_prior().mean_ab, [1.5, -2])
    path = run.path / "statistics.json"
    for text in (
        "",
        "[]",
        '{"bin_counts": [1], "mean_ab": [0, 0]}',
        '{"bin_counts": [1e400]}',
        "[" * 100_000,
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=r"statistics\.json is missing, or is not a color prior"):
            run.color_prior()


def test_sessions_and_metrics_come_back(run):
    """Oracle: equality; names of version 0.1 are read as those of today."""
    assert (run.known_sessions(), run.metrics(), run.tuned()) == ([], {}, {})
    with pytest.raises(InputError, match=r"environment\.json is missing or damaged"):
        run.sessions()
    run.write_sessions([{"seed": 1}])
    assert run.sessions() == run.known_sessions() == [{"seed": 1}]
    run.write_metrics({"dev": {"images": 1, "gray": 0.5}})
    assert run.metrics() == {"dev": {"images": 1, "gray": 0.5}}
    old = {
        "methods": {"grey": {"colourfulness": 1.0}, "mean colour": {"delta_colourfulness": 2.0}},
        "images": 3,
    }
    run.write_metrics({"dev": old, "test": {"grey": 0.5}})
    assert run.metrics() == {
        "dev": {
            "methods": {"gray": {"colorfulness": 1.0}, "mean color": {"delta_colorfulness": 2.0}},
            "images": 3,
        },
        "test": {"gray": 0.5},
    }
    for text in ('{"dev": ', '{"dev": 5}', '[["dev"]]'):
        (run.path / "metrics.json").write_text(text)
        with pytest.raises(InputError, match=r"metrics\.json is missing or damaged"):
            run.metrics()
    run.remove_metrics()
    run.remove_metrics()
    assert run.metrics() == {}
    run.write_tuned({"strength": 0.5})
    assert run.tuned() == {"strength": 0.5}


def test_a_preset_does_not_change(run):
    """Oracle: the metrics that were there; a run of best weights alone is frozen, one with a state is not."""
    run.write_metrics({"dev": {"gray": 1}})
    assert not run.is_frozen()
    run.checksums_path.write_text("{}")
    assert run.is_preset
    assert run.is_frozen()
    run.write_metrics({"dev": {"gray": 2}})
    assert run.metrics() == {"dev": {"gray": 1}}
    run.write_state({"model": ARRAYS}, [])
    assert not run.is_frozen()
    (run.path / "last.weights.h5").unlink()
    run.checksums_path.unlink()
    run.write_tuned({"strength": 1})
    assert run.is_frozen()


def test_the_name_of_a_presets_data_is_no_folder(tmp_path, monkeypatch):
    """A folder of this name in the current directory has nothing to do with the preset."""
    (tmp_path / "photographs").mkdir()
    monkeypatch.chdir(tmp_path)
    photos = RunFolder(resolve.preset_folder("photos"))
    assert (photos.config.data, photos.source()) == ("photographs", None)
    assert RunFolder(resolve.preset_folder("cifar10-regression")).source() == "cifar10"


def test_the_folder_itself(run):
    """Oracle: the listing; a hidden file blocks nothing, any other one does, and so does a file in its place."""
    assert not run.is_blocked()
    run.make()
    (run.path / ".unfinished-x.h5").touch()
    (run.path / ".hidden").touch()
    assert not run.is_blocked()
    run.make()
    assert [path.name for path in run.path.iterdir()] == [".hidden"]
    (run.path / "letter.txt").touch()
    assert run.is_blocked()
    shutil.rmtree(run.path)
    run.path.write_text("a file")
    assert run.is_blocked()


def test_names_of_what_a_run_holds(run):
    """Oracle: the names, by hand: they are documented, and no caller joins them itself."""
    names = {
        run.onnx_path: "colorizer.onnx", run.logs_path: "logs", run.tuning_path: "tune", run.card_path: "README.md",
        run.checksums_path: "SHA256SUMS.json", run.sample_path(5): "samples/epoch_005.png",
    }  # fmt: skip
    for path, name in names.items():
        assert path == run.path / name


def test_what_a_preset_takes_over(old_runs):
    """Oracle: the listing of a run that was trained: neither weights, state, measurements nor config."""
    assert RunFolder(old_runs["classification"]).portable_files() == [
        "data.json", "splits.npz", "statistics.json", "environment.json", "history.csv",
    ]  # fmt: skip
    assert list(RunFolder(old_runs["transfer"]).weight_files()) == ["best.weights.h5", "frozen.weights.h5"]


def test_reading_a_run_needs_no_keras(old_runs):
    """Oracle: the modules of a fresh process that read all of a run but its data."""
    script = (
        "import json, sys\n"
        "from colorization.runs import RunFolder\n"
        "run = RunFolder(sys.argv[1])\n"
        "found = run.config, run.weights(), run.history(), run.metrics(), run.sessions(), run.color_prior()\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, old_runs["classification"]], capture_output=True, text=True, check=True
    )
    assert not {"keras", "tensorflow", "jax", "matplotlib"} & set(json.loads(done.stdout))
