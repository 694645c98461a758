"""A session of training: opened, compared with the run that is there, and recorded."""

import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from colorization import training
from colorization.core import image_files
from colorization.core.config import ClassificationConfig, RegressionConfig, override
from colorization.core.errors import InputError
from colorization.runs import RunFolder, environment, session
from colorization.runs.lock import locked
from colorization.training import callbacks

TINY = RegressionConfig(data="synthetic", train_size=20, dev_size=8, test_size=8, image_size=16, width=0.03)


def times(folder):
    """{file: when it was last written}."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_that_of_the_package(tmp_path, monkeypatch):
    """Oracle: git itself. Inside another project, the package has no commit."""
    git = ["git", "-C", tmp_path, "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    for place, commit in (("", head), (".venv/lib", None)):
        file = tmp_path / place / "colorization" / "runs" / "environment.py"
        file.parent.mkdir(parents=True)
        monkeypatch.setattr(environment, "__file__", str(file))
        assert environment.environment()["git"] == commit


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
    with pytest.raises(InputError, match="nowhere is not found"):
        training.train(dataclasses.replace(TINY, data="nowhere"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_may_not_be_resumed_or_overwritten(old_run, tmp_path):
    with pytest.raises(InputError, match="does not contain a run"):
        session.open_run(None, tmp_path / "new", resume=True)
    run_dir = old_run("classification")
    config = RunFolder(run_dir).config
    before = times(run_dir)
    with pytest.raises(InputError, match="already contains a run"):
        session.open_run(config, run_dir)
    with pytest.raises(InputError, match=r"was started with batch_size=16, seed=0\. .* init_from="):
        session.open_run(override(config, ["batch_size=8", "seed=1"]), run_dir, resume=True)
    with pytest.raises(
        InputError, match="contains a run of the task classification, not of the task regression"
    ):
        session.open_run(RegressionConfig(), run_dir, resume=True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep")
    with pytest.raises(InputError, match="contains other files, but no run"):
        session.open_run(TINY, tmp_path / "mine", resume=True)
    assert times(run_dir) == before
    with h5py.File(run_dir / "last.weights.h5", "r+") as file:
        del file.attrs["history"]
    with pytest.raises(InputError, match=r"last\.weights\.h5 is damaged: it does not contain the history"):
        training.train(None, run_dir, resume=True)
    (run_dir / "last.weights.h5").write_bytes((run_dir / "last.weights.h5").read_bytes()[:3000])
    with pytest.raises(InputError, match=r"last\.weights\.h5 is not a weights file"):
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
    with pytest.raises(InputError, match="was started with epochs=2"):
        session.open_run(override(cosine, ["epochs=3"]), run_dir, resume=True)


def test_a_finished_run_is_left_as_it_is(old_run, capsys):
    """Oracle: the files, not one of which is written anew."""
    run_dir = old_run("classification")
    before = times(run_dir)
    training.train(None, run_dir, resume=True)
    assert times(run_dir) == before
    assert "is finished: 2 epochs." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mark", "changes"), [("tuned.json", True), ("SHA256SUMS.json", False), ("note.txt", True)]
)
def test_a_run_of_best_weights_alone_is_not_trained_anew(old_run, mark, changes, capsys):
    """A preset, a tuned run, and one whose state was deleted. A preset's config stays.

    Oracle: the files, not one of which is written anew.
    """
    run_dir = old_run("classification")
    (run_dir / "last.weights.h5").unlink()
    (run_dir / mark).write_text("{}")
    before = times(run_dir)
    with pytest.raises(InputError, match="already contains a run"):
        training.train(RunFolder(run_dir).config, run_dir)
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
        ("nowhere", "nowhere, which is not found. Commands with the option --data take its new place"),
        (tmp_path / "data", "was trained on other images than those in data"),
    ):
        with pytest.raises(InputError, match=sentence):
            training.train(dataclasses.replace(new, data=str(other)), run_dir, resume=True)
    assert RunFolder(run_dir).config == new


def test_a_changed_data_set_is_noticed(old_runs, tmp_path):
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
    assert len(run.data().train) == 13  # nothing was learned from the others
    shutil.copy(old_runs["classification"] / "last.weights.h5", run.path)
    for read in (run.data, lambda: run.images("dev")):
        with pytest.raises(InputError, match="was trained on other images than those in data"):
            read()


def test_sessions_tell_where_the_weights_come_from(old_run, old_runs, tmp_path):
    """Oracle: the list, by hand: first those of the other run, by its name; measurements are of other weights."""
    other = old_run("regression", "other")
    config = dataclasses.replace(TINY, init_from=str(other))
    run = session.open_run(config, tmp_path / "run")
    data = run.data()
    session.begin(run, data)
    shutil.copy(old_runs["classification"] / "last.weights.h5", run.path)
    session.record(run, 3, 7.6)
    run.write_metrics({"dev": {"gray": 1}})
    run = session.open_run(dataclasses.replace(config, epochs=9), tmp_path / "run", resume=True)
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


def test_a_run_without_a_finished_epoch_begins_anew(tmp_path):
    """Oracle: other settings and other data are accepted, without --resume; no file of the first start stays."""
    first = session.open_run(TINY, tmp_path / "run")
    session.begin(first, first.data())
    before = (first.path / "splits.npz").read_bytes()
    (first.path / "statistics.json").write_text("of other images")
    other = dataclasses.replace(TINY, learning_rate=1e-5, split_seed=1)
    second = session.open_run(other, tmp_path / "run")
    session.begin(second, second.data())
    assert RunFolder(tmp_path / "run").config.learning_rate == 1e-5
    assert (second.path / "splits.npz").read_bytes() != before
    assert not second.has_color_prior()
    assert len(second.sessions()) == 1


def test_a_start_killed_between_two_files_loses_no_session(tmp_path, monkeypatch):
    """Oracle: the sessions of starts that wrote theirs; a folder that another start accepts."""

    def killed(*arguments):
        raise KeyboardInterrupt

    run = session.open_run(TINY, tmp_path / "run")
    session.begin(run, run.data())
    for method, sessions in (("write_config", 1), ("write_sessions", 1), ("write_data", 2)):
        with monkeypatch.context() as patched:
            patched.setattr(RunFolder, method, killed)
            with pytest.raises(KeyboardInterrupt):
                session.begin(run, run.data())
        assert len(RunFolder(run.path).sessions()) == sessions, method
    run = session.open_run(TINY, tmp_path / "run")
    session.begin(run, run.data())
    assert len(run.sessions()) == 3
    assert run.images("dev")[0].images.shape == (8, 16, 16, 3)


def test_data_are_found_from_another_directory(tmp_path, monkeypatch):
    """Oracle: the same dev images: from elsewhere, and after the whole directory was moved."""
    rng = np.random.default_rng(0)
    for split, label, i in ((s, c, i) for s in ("train", "test") for c in "ab" for i in range(6)):
        picture = rng.integers(0, 256, (16, 16, 3), np.uint8)
        image_files.write(tmp_path / f"place/data/{split}/{label}/{i}.png", picture)
    monkeypatch.chdir(tmp_path / "place")
    run = session.open_run(dataclasses.replace(TINY, data="data", crop_from=20), "run")
    session.begin(run, run.data())
    expected, cropped = run.images("dev")[0].images, run.data().train.images
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(RunFolder("place/run").images("dev")[0].images, expected)
    (tmp_path / "place").rename(tmp_path / "moved")
    with pytest.raises(
        InputError, match=r"data, which is not found\. Commands with the option --data take its new place"
    ):
        RunFolder("moved/run").images("dev")
    monkeypatch.chdir(tmp_path / "moved")
    np.testing.assert_array_equal(RunFolder("run").images("dev")[0].images, expected)
    np.testing.assert_array_equal(RunFolder("run").data().train.images, cropped)
    (tmp_path / "moved/data").rename(tmp_path / "moved/renamed")
    renamed = session.open_run(dataclasses.replace(run.config, data="renamed"), "run", resume=True)
    np.testing.assert_array_equal(renamed.images("dev")[0].images, expected)


def test_a_folder_that_disappears_while_it_trains_is_told(tmp_path):
    """Oracle: one sentence at the next write, and no new folder with half of a run."""
    run = session.open_run(TINY, tmp_path / "run")
    session.begin(run, run.data())
    shutil.rmtree(run.path)
    checkpoint = callbacks.Checkpoint(run)
    with pytest.raises(InputError, match="run was removed or renamed during the training"):
        checkpoint._write_copies({}, ({}, 1), [{"epoch": 1}])
    assert not run.path.exists()


def test_names_with_line_breaks_stay_on_one_line(tmp_path):
    """Oracle: one line in a message about a run."""
    with pytest.raises(InputError) as raised:
        session.open_run(None, tmp_path / "a\nrun", resume=True)
    assert str(raised.value).startswith(f"{tmp_path}/a\\nrun does not contain a run")


def test_a_folder_without_file_locks_has_one_writer_too(tmp_path, monkeypatch):
    """A file system such as NFS without locks; flock fails in each way that is known of it.

    Oracle: as above, with a child that was killed.
    """
    fcntl = pytest.importorskip("fcntl")
    script = (
        "import errno, fcntl, os, signal, sys\n"
        "from colorization.runs.folder import RunFolder; from colorization.runs.lock import locked\n"
        "def flock(*_): raise OSError(int(sys.argv[2]), 'no locks')\n"
        "fcntl.flock = flock\n"
        "with locked(RunFolder(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    for number in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):

        def flock(*_, number=number):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(fcntl, "flock", flock)
        run = RunFolder(tmp_path / f"run-{number}")
        killed = subprocess.run([sys.executable, "-c", script, run.path, str(number)], check=False)
        assert killed.returncode == -signal.SIGKILL
        with locked(run), pytest.raises(InputError, match="is in use by"), locked(run):
            pass
        assert list(run.path.iterdir()) == []


def test_an_unreadable_owner_of_a_lock_is_no_traceback(tmp_path):
    """Oracle: bytes that are not UTF-8 beside a held lock."""
    run = RunFolder(tmp_path / "run")
    with locked(run):
        run.lock_path.with_suffix(".owner").write_bytes(b"\xff\xfe\n")
        with pytest.raises(InputError, match=r"is in use by .*Wait until it ends"), locked(run):
            pass


def test_a_run_folder_has_one_writer(tmp_path):
    """Oracle: a second process is refused while the first one lives, and not after it was killed."""
    run_dir = tmp_path / "run"
    script = (
        "import sys; from colorization.runs.folder import RunFolder; from colorization.runs.lock import locked\n"
        "with locked(RunFolder(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, run_dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with (
        pytest.raises(InputError, match=f"run is in use by process {holder.pid} on "),
        locked(RunFolder(run_dir)),
    ):
        pass
    holder.kill()
    holder.communicate()
    with locked(RunFolder(run_dir)):
        pass
    assert not [path for path in run_dir.iterdir() if path.name == ".lock"]
    with locked(RunFolder(tmp_path / "new")):
        pass
    assert not (tmp_path / "new").exists()
