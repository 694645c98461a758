"""A session of training: opened, compared with the run that is there, and recorded."""

import dataclasses
import json

import h5py
import numpy as np
import pytest

from colorization import training
from colorization.core import image_files
from colorization.core.config import ClassificationConfig, RegressionConfig, override
from colorization.core.errors import InputError
from colorization.runs import RunFolder, session

TINY = RegressionConfig(data="synthetic", train_size=20, dev_size=8, test_size=8, image_size=16, width=0.03)


def times(folder):
    """{file: when it was last written}."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_new_run_writes_nothing_until_it_begins(tmp_path):
    """Oracle: the listing; "auto" precision is resolved."""
    run = session.open_run(TINY, tmp_path / "run")
    assert not run.path.exists()
    assert run.config.precision in ("float32", "mixed_bfloat16")
    assert dataclasses.replace(run.config, precision="auto") == TINY
    session.begin(run, run.data())
    names = {path.name for path in run.path.iterdir()}
    assert names == {"config.json", "data.json", "splits.npz", "environment.json"}
    (told,) = run.sessions()
    assert told["seed"] == 0
    assert told["packages"]["keras"]


def test_a_data_set_that_is_not_there_leaves_the_folder_free(tmp_path):
    with pytest.raises(InputError, match="nowhere does not exist"):
        training.train(dataclasses.replace(TINY, data="nowhere"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_may_not_be_resumed_or_overwritten(old_run, tmp_path):
    with pytest.raises(InputError, match="holds no run to resume"):
        session.open_run(None, tmp_path / "new", resume=True)
    run_dir = old_run("classification")
    config = RunFolder(run_dir).config
    before = times(run_dir)
    with pytest.raises(InputError, match="holds a run already: pass --resume"):
        session.open_run(config, run_dir)
    with pytest.raises(InputError, match="was begun with batch_size=16, seed=0; a resumed run keeps its settings"):
        session.open_run(override(config, ["batch_size=8", "seed=1"]), run_dir, resume=True)
    with pytest.raises(InputError, match="holds a classification run, not one of regression"):
        session.open_run(RegressionConfig(), run_dir, resume=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    with pytest.raises(InputError, match="is not an empty folder and holds no run"):
        session.open_run(TINY, tmp_path / "mine", resume=True)
    assert times(run_dir) == before
    with h5py.File(run_dir / "last.weights.h5", "r+") as file:
        del file.attrs["history"]
    with pytest.raises(InputError, match=r"last\.weights\.h5 is damaged: it holds no history"):
        training.train(None, run_dir, resume=True)
    (run_dir / "last.weights.h5").write_bytes((run_dir / "last.weights.h5").read_bytes()[:3000])
    with pytest.raises(InputError, match=r"last\.weights\.h5 is no(t a)? whole weights file"):
        training.train(None, run_dir, resume=True)


def test_what_may_change(old_run):
    """Oracle: the settings that are no longer needed, or decide of nothing that was learned; by hand."""
    run_dir = old_run("classification")
    config = RunFolder(run_dir).config
    changes = [
        "temperature=0.3", "working_size=64", "jit=off", "distribute=off", "samples_every=2", "tensorboard=true",
        "epochs=9", "precision=auto", "init_from=elsewhere",
    ]  # fmt: skip
    opened = session.open_run(override(config, changes), run_dir, resume=True)
    expected = override(config, [*changes[:-2]])
    assert opened.config == expected
    cosine = dataclasses.replace(config, schedule="cosine")
    RunFolder(run_dir).write_config(cosine)
    with pytest.raises(InputError, match="was begun with epochs=2"):
        session.open_run(override(cosine, ["epochs=3"]), run_dir, resume=True)


def test_a_finished_run_is_left_as_it_is(old_run, capsys):
    """Oracle: the files, not one of which is written anew."""
    run_dir = old_run("classification")
    before = times(run_dir)
    training.train(None, run_dir, resume=True)
    assert times(run_dir) == before
    assert "is finished: 2 epochs." in capsys.readouterr().err


@pytest.mark.parametrize(("mark", "changes"), [("tuned.json", True), ("SHA256SUMS.json", False)])
def test_a_run_of_best_weights_alone_is_not_trained_anew(old_run, mark, changes, capsys):
    """A preset, or a tuned run. Oracle: the files, not one of which is written anew; a preset's config stays."""
    run_dir = old_run("classification")
    (run_dir / "last.weights.h5").unlink()
    (run_dir / mark).write_text("{}")
    before = times(run_dir)
    training.train(None, run_dir, resume=True)
    assert times(run_dir) == before
    assert f"--set init_from={run_dir}" in capsys.readouterr().err
    training.train(dataclasses.replace(RunFolder(run_dir).config, temperature=0.3), run_dir, resume=True)
    assert RunFolder(run_dir).config.temperature == (0.3 if changes else 0.89)


def test_a_finished_run_may_be_decoded_otherwise(old_run, old_runs, tmp_path):
    """Oracle: the config alone is another, by what was asked; other data are refused, and nothing changes."""
    run_dir = old_run("classification")
    new = dataclasses.replace(RunFolder(run_dir).config, temperature=0.3, working_size=64)
    training.train(new, run_dir, resume=True)
    assert RunFolder(run_dir).config == new
    for path in run_dir.glob("*.h5"):
        assert path.read_bytes() == (old_runs["classification"] / path.name).read_bytes()
    for name, value in (("a", 0), ("b", 1)):
        for part in ("train", "test"):
            picture = np.full((32, 32, 3), value, np.uint8)
            image_files.write(tmp_path / f"data/{part}/{name}/0.png", picture)
    for other, sentence in (
        ("nowhere", "does not exist"),
        (tmp_path / "data", "was trained on other images than data now holds"),
    ):
        with pytest.raises(InputError, match=sentence):
            training.train(dataclasses.replace(new, data=str(other)), run_dir, resume=True)
    assert RunFolder(run_dir).config == new


def test_a_changed_data_set_is_noticed(tmp_path):
    """Oracle: one image more."""
    rng = np.random.default_rng(0)

    def picture(name):
        image_files.write(tmp_path / "data" / name, rng.integers(0, 256, (16, 16, 3), np.uint8))

    for split, label, i in ((s, c, i) for s in ("train", "test") for c in "ab" for i in range(6)):
        picture(f"{split}/{label}/{i}.png")
    run = session.open_run(dataclasses.replace(TINY, data=str(tmp_path / "data")), tmp_path / "run")
    session.begin(run, run.data())
    assert len(run.images("dev")[0]) == 6
    picture("train/a/new.png")
    for read in (run.data, lambda: run.images("dev")):
        with pytest.raises(InputError, match="was trained on other images than data now holds"):
            read()


def test_sessions_tell_where_the_weights_come_from(old_run, tmp_path):
    """Oracle: the list, by hand: first those of the other run, by its name; measurements are of other weights."""
    other = old_run("regression", "other")
    config = dataclasses.replace(TINY, init_from=str(other))
    run = session.open_run(config, tmp_path / "run")
    data = run.data()
    session.begin(run, data)
    session.record(run, 3, 7.6)
    run.write_metrics({"dev": {"gray": 1}})
    run = session.open_run(config, tmp_path / "run", resume=True)
    session.begin(run, data)
    assert run.metrics() == {}
    told = run.sessions()
    assert [entry.get("run") for entry in told] == ["other", None, None]
    assert [entry.get("finished_epochs") for entry in told] == [2, 3, None]
    assert told[1]["seconds"] == 8
    assert (session.own_epochs(told), session.earlier_epochs(told)) == (3, {"other": 2})
    (run.path / "environment.json").write_text("damaged")  # no reason not to train
    session.begin(run, data)
    assert len(run.sessions()) == 2
    assert json.loads((run.path / "environment.json").read_text()).keys() == {"starts"}


def test_epochs_of_sessions():
    """Oracle: counted by hand: interrupted twice, the last one in its first epoch."""
    told = [{"run": "first", "finished_epochs": 3}, {"finished_epochs": 5}, {"finished_epochs": 8}, {}]
    assert session.own_epochs(told) == 8
    assert session.earlier_epochs(told) == {"first": 3}
    assert session.own_epochs([]) == 0


def test_a_task_keeps_its_settings_class(tmp_path):
    run = session.open_run(ClassificationConfig(data="synthetic"), tmp_path / "run")
    run.write_config(run.config)
    assert type(RunFolder(run.path).config) is ClassificationConfig
