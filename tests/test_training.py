"""Runs: what they leave behind, exact resume after real SIGKILLs, other backends and devices, bad endings."""

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from colorization.core import config, image_files
from colorization.evaluation import evaluate
from colorization.training import trainer, train
from colorization.datasets import pipeline
from colorization.runs import resolve, folder
from colorization.core.errors import InputError

PROCESS = Path(__file__).with_name("training_process.py")
TINY = config.RegressionConfig(
    data="synthetic", train_size=60, dev_size=20, test_size=20, width=0.03, batch_size=16, epochs=2
)

UNOPTIMIZED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
"""XLA_FLAGS that halve the time of a short training on JAX, which is mostly compilation."""


def start(*arguments, **environment):
    """Run training_process.py; returns the finished process."""
    return subprocess.run(
        [sys.executable, PROCESS, *map(str, arguments)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def arrays(path):
    """Everything in an HDF5 file, by name."""
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]} if isinstance(item, h5py.Dataset) else {})
        )
    return found


def times(folder):
    """{file: when it was last written}."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


# A judge whose first two blocks are frozen, and batch normalizations in either part; without kept features.
JUDGE = ("batch_norm=true", "frozen_blocks=2", "flip=true")


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A classification never interrupted."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    done = start("classification", run_dir)
    assert done.returncode == 0, done.stderr
    return run_dir


def test_a_half_frozen_run_killed_again_and_again_ends_with_the_same_bits(tmp_path):
    moments = (("step", 6), ("save", 4))
    for name, kills in (("run", moments), ("whole", ())):
        done = start("vgg", tmp_path / name, *JUDGE, *(word for kill in kills for word in ("--kill", *kill)))
        assert done.returncode == 0, done.stderr
    for name in (folder.LAST, folder.BEST, folder.FROZEN):
        resumed, whole = arrays(tmp_path / "run" / name), arrays(tmp_path / "whole" / name)
        assert resumed.keys() == whole.keys()
        for key in whole:
            np.testing.assert_array_equal(resumed[key], whole[key], err_msg=f"{name}: {key}")
    assert {key.split("_")[0] for key in whole} == {"model/block1", "model/block2"}


def test_a_finished_run_is_left_as_it_is(whole_run):
    """Oracle: the files, not one of which is written anew."""
    before = times(whole_run)
    train.train(None, whole_run, resume=True)
    assert times(whole_run) == before


@pytest.mark.parametrize("mark", [folder.TUNED, resolve.CHECKSUMS])
def test_a_run_of_best_weights_alone_is_not_trained_anew(whole_run, tmp_path, mark, capsys):
    """A preset, or what tune.py makes. Oracle: the files, not one of which is written anew."""
    run_dir = tmp_path / "run"
    shutil.copytree(whole_run, run_dir, ignore=shutil.ignore_patterns(folder.LAST))
    (run_dir / mark).write_text("{}")
    before = times(run_dir)
    train.train(None, run_dir, resume=True)
    assert times(run_dir) == before
    assert f"go on by start={run_dir}" in capsys.readouterr().err
    changed = dataclasses.replace(folder.read_config(run_dir), temperature=0.3)
    train.train(changed, run_dir, resume=True)
    assert folder.read_config(run_dir).temperature == (0.3 if mark == folder.TUNED else 0.89)


def test_a_finished_run_may_be_decoded_otherwise(whole_run, tmp_path):
    """Oracle: the config alone is another, by what was asked."""
    run_dir = tmp_path / "run"
    shutil.copytree(whole_run, run_dir)
    old = folder.read_config(run_dir)
    new = dataclasses.replace(old, temperature=0.3, working_size=64)
    train.train(new, run_dir, resume=True)
    assert folder.read_config(run_dir) == new
    for path in run_dir.glob("*.h5"):
        assert path.read_bytes() == (whole_run / path.name).read_bytes()
    image_files.write(tmp_path / "data/train/a/0.png", np.zeros((32, 32, 3), np.uint8))
    image_files.write(tmp_path / "data/train/b/0.png", np.ones((32, 32, 3), np.uint8))
    for folder in ("nowhere", tmp_path / "data"):  # not what it was trained on
        with pytest.raises(InputError):
            train.train(dataclasses.replace(new, data=str(folder)), run_dir, resume=True)
    assert folder.read_config(run_dir) == new


# Of a run with 4 steps an epoch, which when resumed writes config, environment, history, and at the end of an
# epoch best weights, history, last weights, environment, in this order.
MOMENTS = (
    ("step", 2),  # inside the first epoch: nothing is there to resume from but the config
    ("save", 1),  # when the first file of a start is being written
    ("step", 7),  # inside the second epoch
    ("save", 4),  # in the second epoch's save
    ("save", 5),
    ("save", 6),
    ("save", 7),  # when the epoch is all there, but for the time it took
    ("step", 6),  # inside the last one
)


@pytest.mark.parametrize(
    "moments", [[MOMENTS[i] for i in (0, 3, 5, 7)], pytest.param(MOMENTS, marks=pytest.mark.slow)]
)
def test_a_run_killed_again_and_again_ends_with_the_same_bits(whole_run, tmp_path, moments):
    run_dir = tmp_path / "run"
    done = start("classification", run_dir, *(word for moment in moments for word in ("--kill", *moment)))
    assert done.returncode == 0, done.stderr

    for name in (folder.LAST, folder.BEST):
        resumed, whole = arrays(run_dir / name), arrays(whole_run / name)
        assert resumed.keys() == whole.keys()
        for key in whole:
            np.testing.assert_array_equal(resumed[key], whole[key], err_msg=f"{name}: {key}")
    assert (run_dir / folder.HISTORY).read_text() == (whole_run / folder.HISTORY).read_text()
    assert json.loads((run_dir / folder.METRICS).read_text()) == json.loads(
        (whole_run / folder.METRICS).read_text()
    )
    assert not list(run_dir.rglob(".unfinished-*"))


def test_a_run_folder_suffices(whole_run):
    names = {path.relative_to(whole_run).as_posix() for path in whole_run.rglob("*") if path.is_file()}
    assert names == {
        *(config.FILE, folder.DATA, folder.SPLITS, folder.STATISTICS, folder.ENVIRONMENT, folder.LAST, folder.BEST),
        *(folder.HISTORY, folder.METRICS, "samples/epoch_004.png"),
    }
    with (whole_run / folder.HISTORY).open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    environment = json.loads((whole_run / folder.ENVIRONMENT).read_text())["starts"][0]
    assert environment["packages"]["keras"] == keras.__version__
    assert environment["seed"] == 0
    settings, model = folder.load_model(whole_run)
    assert settings.precision in ("float32", "mixed_bfloat16")
    assert model.dtype_policy.name == "float32"


def test_training_without_tensorflow_gets_the_same_batches(tmp_path):
    """JAX trains, in a process where tensorflow cannot be imported, on what tf.data gives here."""
    run_dir = tmp_path / "run"
    jax = {"KERAS_BACKEND": "jax", "XLA_FLAGS": UNOPTIMIZED}
    done = start("classification", run_dir, "--without-tensorflow", "epochs=2", **jax)
    assert done.returncode == 0, done.stderr
    with (run_dir / folder.HISTORY).open() as file:
        first, last = csv.DictReader(file)
    assert float(last["loss"]) < float(first["loss"])
    assert json.loads((run_dir / folder.ENVIRONMENT).read_text())["starts"][0]["backend"] == "jax"

    code = (
        "import numpy as np, sys; sys.path.insert(0, sys.argv[1])\n"
        "import training_process; training_process.forbid_tensorflow()\n"
        "from colorization import pipelines\n"
        "rgb = np.load(sys.argv[2])\n"
        "options = dict(batch_size=7, seed=5, epochs=2, flip=True)\n"
        "feed = pipelines.training_batches((rgb,), pipelines.to_lightness_and_ab, **options)\n"
        "np.savez(sys.argv[3], *[np.concatenate(pair, -1) for pair in feed])\n"
    )
    rgb = np.random.default_rng(1).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "rgb.npy", rgb)
    files = [PROCESS.parent, tmp_path / "rgb.npy", tmp_path / "jax.npz"]
    environment = {"KERAS_BACKEND": "jax", "PATH": "", "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, *map(str, files)], env=environment, check=True)
    theirs = np.load(tmp_path / "jax.npz")
    options = {"batch_size": 7, "seed": 5, "epochs": 2, "flip": True}
    ours = list(pipeline.training_batches((rgb,), pipeline.to_lightness_and_ab, **options))
    assert len(theirs.files) == len(ours) == 6
    for name, pair in zip(theirs.files, ours, strict=True):
        np.testing.assert_allclose(theirs[name], np.concatenate(pair, -1), atol=2e-3)


def test_several_devices_train_through_mirrored_strategy(tmp_path):
    done = start("regression", tmp_path / "run", "--devices", 2, "distribute=mirrored", "epochs=2")
    assert done.returncode == 0, done.stderr
    assert "2 replicas" in done.stdout
    rows = csv.DictReader((tmp_path / "run" / folder.HISTORY).read_text().splitlines())
    first, last = (row["loss"] for row in rows)
    assert float(last) < float(first)


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_last_good_weights(tmp_path):
    run_dir = tmp_path / "run"
    train.train(TINY, run_dir)
    folder.write_config(run_dir, config.override(folder.read_config(run_dir), ["epochs=3"]))
    with h5py.File(run_dir / folder.LAST, "r+") as file:
        file["optimizer/adam/learning_rate"][...] = 1e30
    good = arrays(run_dir / folder.LAST)
    with pytest.raises(
        InputError, match=r"in epoch 3; of the weights those of epoch 2 stay in .* lower learning_rate"
    ):
        train.train(None, run_dir, resume=True)
    kept = arrays(run_dir / folder.LAST)
    assert all(np.array_equal(kept[key], good[key]) for key in good)


def test_what_may_not_be_resumed_or_overwritten(tmp_path):
    run_dir = tmp_path / "run"
    with pytest.raises(InputError, match="holds no run to resume"):
        train.train(None, run_dir, resume=True)
    train.train(TINY, run_dir)
    with pytest.raises(InputError, match=r"holds a run already: pass --resume"):
        train.train(TINY, run_dir)
    with pytest.raises(InputError, match=r"was begun with batch_size=16, seed=0; a resumed run keeps"):
        train.train(config.override(TINY, ["batch_size=8", "seed=1"]), run_dir, resume=True)
    with pytest.raises(InputError, match="holds a regression run, not one of classification"):
        train.train(config.ClassificationConfig(), run_dir, resume=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    with pytest.raises(InputError, match="is no empty folder and holds no run"):
        train.train(TINY, tmp_path / "mine", resume=True)
    with h5py.File(run_dir / folder.LAST, "r+") as file:
        del file.attrs["history"]
    with pytest.raises(InputError, match=r"last\.weights\.h5 is damaged: it holds no history"):
        train.train(None, run_dir, resume=True)
    (run_dir / folder.LAST).write_bytes((run_dir / folder.LAST).read_bytes()[:3000])
    with pytest.raises(InputError, match=r"last\.weights\.h5 is no whole weights file"):
        train.train(None, run_dir, resume=True)


def test_tensorboard_logs_if_asked(tmp_path):
    train.train(config.override(TINY, ["tensorboard=true", "epochs=1"]), tmp_path / "run")
    assert list((tmp_path / "run" / folder.LOGS).rglob("events.out.tfevents.*"))


def test_a_run_is_resumed_and_lengthened_in_the_same_process(tmp_path):
    """What Keras counts up in a process must not enter the files; a constant rate may go on for longer, and
    so does the scale of float16's loss, of which float32 knows nothing."""
    run_dir, straight = tmp_path / "run", tmp_path / "straight"
    settings = config.override(TINY, ["precision=mixed_float16"])
    train.train(settings, run_dir)
    folder.write_metrics(run_dir, {"test": "of these weights"})
    train.train(config.override(settings, ["epochs=3"]), run_dir, resume=True)
    assert not folder.read_metrics(run_dir)  # what there was is of other weights
    assert len((run_dir / folder.HISTORY).read_text().splitlines()) == 4
    assert folder.read_config(run_dir).epochs == 3
    train.train(config.override(settings, ["epochs=3"]), straight)
    resumed, whole = arrays(run_dir / folder.LAST), arrays(straight / folder.LAST)
    assert resumed.keys() == whole.keys()
    for key in whole:
        np.testing.assert_array_equal(resumed[key], whole[key], err_msg=key)


def test_a_start_brings_what_pretrained_weights_would(smoke_runs, tmp_path):
    """Frozen blocks of the run that it goes on from, though the weights that those came from are gone."""
    changes = [f"start={smoke_runs['transfer']}", "vgg_weights=nowhere.h5", "epochs=1", "train_size=64"]
    settings = config.override(folder.read_config(smoke_runs["transfer"]), changes)
    config.refuse_frozen_noise(dataclasses.replace(settings, vgg_weights="none"))
    train.train(settings, tmp_path / "run")
    found, expected = folder.read_weights(tmp_path / "run"), folder.read_weights(smoke_runs["transfer"])
    frozen = [name for name in expected if name.startswith("block1_")]
    assert frozen
    for name in frozen:
        np.testing.assert_array_equal(found[name], expected[name])
    (tmp_path / "run" / folder.ENVIRONMENT).unlink()  # as if killed before it was written
    trainer.begin(settings, tmp_path / "run")
    starts = folder.read_json(tmp_path / "run" / folder.ENVIRONMENT)["starts"]
    assert [start.get("run") for start in starts][-2:] == [smoke_runs["transfer"].name, None]


def test_a_start_that_fails_leaves_the_folder_free_for_the_corrected_one(tmp_path):
    run_dir = tmp_path / "run"
    with pytest.raises(InputError, match="does not exist"):
        train.train(config.override(TINY, ["data=nowhere"]), run_dir)
    assert not run_dir.exists()


def test_a_changed_data_set_is_noticed(tmp_path):
    rng = np.random.default_rng(0)
    for split, label, i in ((s, c, i) for s in ("train", "test") for c in "ab" for i in range(6)):
        image_files.write(tmp_path / f"data/{split}/{label}/{i}.png", rng.integers(0, 256, (32, 32, 3), np.uint8))
    run_dir = tmp_path / "run"
    train.train(config.override(TINY, [f"data={tmp_path / 'data'}"]), run_dir)
    evaluate.evaluate(run_dir)
    image_files.write(tmp_path / "data/train/a/new.png", rng.integers(0, 256, (32, 32, 3), np.uint8))
    with pytest.raises(InputError, match="was trained on other images than data now holds"):
        evaluate.evaluate(run_dir)
    longer = config.override(folder.read_config(run_dir), ["epochs=3"])
    with pytest.raises(InputError, match="was trained on other images"):
        train.train(longer, run_dir, resume=True)


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        (folder.STATISTICS, '{"bin_counts": [1e400]}', "holds no statistics"),
        (folder.SPLITS, "no splits", "is not a readable splits file"),
        (folder.DATA, "[[[", "is missing or damaged"),
        (config.FILE, '{"task": ["x"]}', r"names the task \['x'\]"),
        (config.FILE, "[" * 100_000, "cannot be read as JSON"),
        (config.FILE, '{"task": "regression", "epochs": "many"}', "epochs takes a whole number"),
        (folder.METRICS, '{"dev": ', "is missing or damaged"),
    ],
)
def test_damaged_files_of_a_run_get_one_sentence(smoke_runs, tmp_path, name, text, sentence):
    run_dir = tmp_path / "run"
    shutil.copytree(smoke_runs["regression"], run_dir)
    (run_dir / name).write_text(text)
    with pytest.raises(InputError, match=sentence):
        evaluate.evaluate(run_dir)


def test_replicas_need_a_share_of_every_batch(tmp_path):
    """33 images in batches of 16 leave one for two devices; XLA and a strategy do not go together either."""
    done = start("regression", tmp_path / "run", "--devices", 2, "distribute=mirrored", "train_size=33")
    assert "33 images in batches of 16 leave 1 for the last one, too few for 2 devices" in done.stderr
    done = start("regression", tmp_path / "run1", "--devices", 2, "distribute=mirrored", "batch_size=15")
    assert "2 devices cannot share a first batch of 15 images" in done.stderr
    done = start("regression", tmp_path / "run2", "--devices", 2, "distribute=mirrored", "jit=on")
    assert "jit=on does not go with several" in done.stderr
