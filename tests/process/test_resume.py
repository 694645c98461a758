"""Exact resume after real SIGKILLs, and training on several devices."""

import signal

import h5py
import keras
import numpy as np
import pytest
from support.training_process import Trainings

from colorization.inference import load_model
from colorization.runs import RunFolder

FILES = ("last.weights.h5", "best.weights.h5")
# All that is drawn at random in a training, and a decay, whose step depends on the optimizer's state.
OPTIONS = ("dropout=0.3", "shift=2", "weight_decay=0.01", "rebalance=true")
# A judge whose first two blocks are frozen, and batch normalizations in either part; without kept features.
HALF_FROZEN = ("batch_norm=true", "frozen_blocks=2", "flip=true")

# Of a run with 4 steps an epoch, which when resumed writes config, environment, history, and at the end of an
# epoch best weights, history, last weights, environment, in this order.
MOMENTS = (
    ("step", 2),  # inside the first epoch: nothing is there to resume from but the config
    ("save", 1),  # when the first file of a session is being written
    ("step", 7),  # inside the second epoch
    ("save", 4),  # in the second epoch's save
    ("save", 5),
    ("save", 6),
    ("save", 7),  # when the epoch is all there, but for the time it took
    ("step", 3),  # inside the last one
)


@pytest.fixture(scope="module")
def trainings():
    with Trainings() as process:
        yield process


@pytest.fixture(scope="module")
def whole_run(trainings, tmp_path_factory):
    """A classification never interrupted, evaluated in the end."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    trainings.must_train("classification", run_dir, *OPTIONS)
    return run_dir


def arrays(path):
    """Everything in an HDF5 file, by name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {})
        )
    return found


def assert_same_files(run_dir, whole_dir, names):
    for name in names:
        resumed, whole = arrays(run_dir / name), arrays(whole_dir / name)
        assert resumed.keys() == whole.keys()
        for key in whole:
            np.testing.assert_array_equal(resumed[key], whole[key], err_msg=f"{name}: {key}")


@pytest.mark.parametrize(
    "moments", [[MOMENTS[i] for i in (0, 3, 5, 7)], pytest.param(MOMENTS, marks=pytest.mark.slow)]
)
def test_a_run_killed_again_and_again_ends_with_the_same_bits(trainings, whole_run, tmp_path, moments):
    """Oracle: a run never stopped: weights, optimizer, random states, history and metrics, bit for bit."""
    run_dir = tmp_path / "run"
    for moment in moments:
        trainings.must_train("classification", run_dir, *OPTIONS, kill=moment)
    trainings.must_train("classification", run_dir, *OPTIONS)
    assert_same_files(run_dir, whole_run, FILES)
    groups = RunFolder(run_dir).read_state()[0]
    assert groups.keys() == {"model", "optimizer", "random"}
    assert len(groups["random"]) == 4
    resumed, whole = RunFolder(run_dir), RunFolder(whole_run)
    assert resumed.history() == whole.history()
    assert resumed.metrics() == whole.metrics()
    assert len(resumed.sessions()) == 1 + len(moments) - sum(moment == ("save", 1) for moment in moments)
    assert not list(run_dir.rglob(".unfinished-*"))


def test_a_half_frozen_run_killed_again_and_again_ends_with_the_same_bits(trainings, tmp_path):
    """Oracle: a run never stopped; the frozen blocks are in a file of their own."""
    for moment in (("step", 6), ("save", 4)):
        trainings.must_train("judge", tmp_path / "run", *HALF_FROZEN, kill=moment)
    for name in ("run", "whole"):
        trainings.must_train("judge", tmp_path / name, *HALF_FROZEN)
    assert_same_files(tmp_path / "run", tmp_path / "whole", (*FILES, "frozen.weights.h5"))
    names = RunFolder(tmp_path / "whole").read_frozen()
    assert {name.split("_")[0] for name in names} == {"block1", "block2"}


def test_a_run_folder_suffices(whole_run):
    """Oracle: the listing; the history falls; the environment is this one; Keras builds the model again."""
    names = {path.relative_to(whole_run).as_posix() for path in whole_run.rglob("*") if path.is_file()}
    assert names == {
        "config.json", "data.json", "splits.npz", "statistics.json", "environment.json", "last.weights.h5",
        "best.weights.h5", "history.csv", "metrics.json", "samples/epoch_003.png",
    }  # fmt: skip
    run = RunFolder(whole_run)
    rows = run.history()
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert rows[-1]["learning_rate"] < 0.3 * rows[0]["learning_rate"]  # the cosine's end
    (session,) = run.sessions()
    assert session["packages"]["keras"] == keras.__version__
    assert (session["seed"], session["finished_epochs"]) == (0, 3)
    assert run.config.precision in ("float32", "mixed_bfloat16")
    assert load_model(run).dtype_policy.name == "float32"


def test_several_devices_train_through_mirrored_strategy(trainings, tmp_path):
    """Oracle: the number of replicas; the loss falls."""
    done = trainings.must_train("regression", tmp_path / "run", "distribute=mirrored", "epochs=2", devices=2)
    assert "2 replicas" in done.out
    first, last = RunFolder(tmp_path / "run").history()
    assert last["loss"] < first["loss"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ("train_size=33", "33 images in batches of 16 leave 1 for the last batch, too few for 2 devices"),
        ("batch_size=15", "2 devices cannot share a first batch of 15 images"),
        ("jit=on", "jit=on does not work with several TensorFlow devices"),
    ],
)
def test_replicas_need_a_share_of_every_batch(trainings, tmp_path, settings, sentence):
    """33 images in batches of 16 leave one for two devices; XLA and a strategy do not go together either."""
    done = trainings.train("regression", tmp_path / "run", "distribute=mirrored", settings, devices=2)
    assert done.status == 1
    assert f"InputError: {sentence}" in done.err


def test_several_devices_share_the_head_and_not_the_features(trainings, tmp_path):
    """Oracle: one device's weights; the features of the two runs are the same files."""
    settings = ["frozen_blocks=3", "train_size=64", "batch_size=10", "dev_batch_size=8", "precision=float32"]
    settings += ["epochs=2"]
    for name, devices, more in (("two", 2, ["distribute=mirrored"]), ("one", None, [])):
        done = trainings.must_train(
            "judge", tmp_path / name, *settings, *more, devices=devices, data=tmp_path / "data"
        )
        assert ("2 replicas" in done.out) == (devices == 2)
    assert len(list((tmp_path / "data").glob("features/*/features.npy"))) == 2
    two, one = (RunFolder(tmp_path / name).weights() for name in ("two", "one"))
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=0.05, atol=0.01, err_msg=name)


def test_a_run_killed_among_its_features_goes_on_with_them(trainings, tmp_path):
    """300 images are two chunks; the kill comes in the second one. Oracle: a run never stopped."""
    settings = ["frozen_blocks=5", "train_size=300", "epochs=1"]
    data = tmp_path / "data"
    trainings.must_train("judge", tmp_path / "run", *settings, kill=("features", 18), data=data)
    assert not RunFolder(tmp_path / "run").has_state()
    (sums,) = data.glob("features/*/checksums.json")
    assert sums.read_text().count(":") == 1
    done = trainings.must_train("judge", tmp_path / "run", *settings, data=data)
    assert "| 256/" in done.err  # the bar begins behind the first chunk
    trainings.must_train("judge", tmp_path / "whole", *settings, data=tmp_path / "elsewhere")
    resumed, whole = (RunFolder(tmp_path / name).weights() for name in ("run", "whole"))
    for name in whole:
        np.testing.assert_array_equal(resumed[name], whole[name], err_msg=name)


def test_the_process_tells_of_a_kill(trainings, tmp_path):
    """The tests above stand on it: a child that is not killed says so."""
    done = trainings.train("regression", tmp_path / "run", "epochs=0")
    assert done.status == 1
    assert "epochs must be at least 1" in done.err
    assert done.status != -signal.SIGKILL
