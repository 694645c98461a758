"""Places that cannot be written: noticed before the work, told in one sentence; results are shown all the same."""

import errno
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from colorization import datasets, export_model
from colorization.cli import main
from colorization.core import atomic_io, image_files
from colorization.core.errors import InputError
from colorization.evaluation import tuning
from colorization.runs import RunFolder, checkpoint_io, resolve
from colorization.training import frozen_features

HDF5 = (
    "[Errno 28] Can't synchronously write data (file write failed: time = Sat Nov 28, filename = 'w.h5', "
    "file descriptor = 3, errno = 28, error message = 'No space left on device', buf = 0x55ca126259d8)"
)


@pytest.fixture
def no_folder(tmp_path):
    """A path where no folder can be made, for the superuser neither: below a file."""
    (tmp_path / "file").write_text("in the way")
    return tmp_path / "file" / "folder"


@pytest.fixture
def unread(monkeypatch):
    """Fails as soon as a picture is read."""

    def read(path):
        raise AssertionError("read before the place was tried")

    monkeypatch.setattr(image_files, "read", read)


def pictures(folder):
    """A folder of five photographs."""
    for number in range(5):
        image_files.write(
            folder / f"{number}.png", np.random.default_rng(number).integers(0, 256, (9, 9, 3), "uint8")
        )
    return folder


def test_an_unwritable_place_is_refused_and_a_writable_one_left_as_it_was(tmp_path, no_folder):
    """Oracle: the listing of the folder."""
    atomic_io.refuse_unwritable(tmp_path / "new" / "deep")
    atomic_io.refuse_unwritable(tmp_path)
    with pytest.raises(InputError, match=r"file/folder cannot be written: Not a directory\.$"):
        atomic_io.refuse_unwritable(no_folder)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_data_folder_is_tried_before_photographs_are_read(tmp_path, no_folder, unread, monkeypatch):
    folder = pictures(tmp_path / "photographs")
    monkeypatch.setenv("COLORIZATION_DATA", str(no_folder))
    with pytest.raises(InputError, match=r"cannot be written: Not a directory"):
        datasets.photographs.prepare([folder], 8)
    with pytest.raises(InputError, match=r"features cannot be written: Not a directory"):
        frozen_features.refuse_unwritable_place()


@pytest.mark.parametrize("experiment", ["photos", "classification"])
def test_the_run_folder_is_tried_before_data_are_read(
    tmp_path, no_folder, unread, experiments, capsys, experiment
):
    folder = pictures(tmp_path / "photographs")
    arguments = ["--variant", "smoke", "--data", str(folder), "--run-dir", str(no_folder)]
    assert experiments[experiment].main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: {no_folder} cannot be written: Not a directory."


def test_other_places_are_tried_before_the_work(old_runs, no_folder, monkeypatch):
    """The data are not there, which is not noticed first."""
    monkeypatch.setattr(
        datasets, "load", lambda *arguments, **options: pytest.fail("read before the place was tried")
    )
    for format, name in (("onnx", "m.onnx"), ("keras", "m.keras"), ("savedmodel", "model")):
        with pytest.raises(InputError, match=r"cannot be written: Not a directory"):
            export_model(resolve.preset_folder("cifar10-regression"), format, no_folder / name)
    with pytest.raises(InputError, match=r"cannot be written: Not a directory"):
        tuning.tune(old_runs["classification"], output=no_folder)
    assert main.main(["figures", str(old_runs["classification"]), "-o", str(no_folder)]) == 2
    assert main.main(["prepare", "synthetic", "--to", str(no_folder)]) == 2


def read_only(*arguments, **options):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize("task", ["classification", "vgg"])
def test_a_table_is_shown_where_it_cannot_be_stored(old_run, task, monkeypatch, capsys):
    """Oracle: the same evaluation with a folder that can be written."""
    from colorization.evaluation import evaluate
    from vgg_eval import judge

    measure = judge.evaluate if task == "vgg" else evaluate
    expected = measure(old_run(task, "writable"))
    run = RunFolder(old_run(task, "read-only"))
    before = run.metrics()
    monkeypatch.setattr(atomic_io.Path, "touch", read_only)
    capsys.readouterr()
    assert measure(run.path) == expected
    line = capsys.readouterr().err.splitlines()[-1]  # the progress comes before
    assert line == f"warning: {run.path / 'metrics.json'} cannot be written: Read-only file system."
    if task != "vgg":
        assert main.main(["evaluate", str(run)]) == 0
        shown = capsys.readouterr()
        assert "| annealed |" in shown.out
        assert line in shown.err
    assert run.metrics() == before


@pytest.mark.parametrize(
    "error",
    [
        OSError(HDF5),
        OSError(errno.ENOSPC, HDF5),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError("1843200 requested and 1048448 written"),
        OSError("Not enough free space to write 153600000 bytes after offset 128"),
    ],
)
def test_a_full_disk_is_one_short_sentence(tmp_path, error):
    """Oracle: the system's words for it. The errors are those of HDF5, Python and NumPy."""
    with pytest.raises(InputError) as raised, atomic_io.replacing(tmp_path / "w.h5"):
        raise error
    assert str(raised.value) == f"{tmp_path / 'w.h5'} cannot be written: {os.strerror(errno.ENOSPC)}."
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs posix_fallocate")
def test_space_for_weights_is_taken_before_hdf5_writes(tmp_path, monkeypatch):
    """Oracle: the size of the file, which what was taken holds; and the sentence where it is not there."""
    taken = []

    def full(descriptor, start, size):
        taken.append(size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    groups = {"model": {f"layer{i}/kernel": np.ones((7, i), "float32") for i in range(1, 90)}}
    history = {"history": "x" * 30_000}
    checkpoint_io.save(tmp_path / "w.h5", groups, history)
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(InputError, match=r"full\.h5 cannot be written: No space left on device\.$"):
        checkpoint_io.save(tmp_path / "full.h5", groups, history)
    assert taken[0] >= (tmp_path / "w.h5").stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["w.h5"]


FILL = """
import sys
import numpy as np
from colorization import datasets
from colorization.core import atomic_io
from colorization.core.errors import InputError
from colorization.runs import checkpoint_io

folder = sys.argv[1]
small = {f"layer{i}/kernel": np.ones(1200, "float32") for i in range(260)}
for write in (
    lambda: checkpoint_io.save(f"{folder}/many.h5", {"model": small}),
    lambda: checkpoint_io.save(f"{folder}/one.h5", {"model": {"a": np.ones(400_000, "float32")}}),
    lambda: atomic_io.write_text(f"{folder}/text", "x" * 2_000_000),
    lambda: datasets.write(datasets.load("synthetic", train_limit=600, test_limit=100), f"{folder}/set"),
):
    try:
        write()
    except InputError as error:
        print(error)
"""


def in_namespace(mount, command, folder):
    """Run a command where mounts are its own; the test is skipped where there are no such namespaces."""
    if (
        not shutil.which("unshare")
        or subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode
    ):
        pytest.skip("needs user and mount namespaces")
    words = ["unshare", "-rm", "sh", "-c", f'{mount} && exec "$@"', "sh", *command]
    return subprocess.run(words, capture_output=True, text=True, cwd=folder, env=os.environ, check=False)


def test_a_disk_that_is_really_full(tmp_path):
    """Oracle: the sentences, and nothing on standard error; HDF5 used to end the process with a fault."""
    command = [sys.executable, "-c", FILL, "full"]
    (tmp_path / "full").mkdir()
    done = in_namespace("mount -t tmpfs -o size=1m tmpfs full", command, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    names = ("many.h5", "one.h5", "text", "set")
    assert done.stdout.splitlines() == [
        f"full/{name} cannot be written: No space left on device." for name in names
    ]


@pytest.mark.slow
def test_a_run_that_is_really_read_only(old_run, tmp_path):
    """Oracle: the table; a warning, and nothing else on standard error."""
    run_dir = old_run("regression")
    command = [sys.executable, "-m", "colorization.cli", "evaluate", str(run_dir)]
    mount = f"mount --bind {run_dir} {run_dir} && mount -o remount,ro,bind {run_dir}"
    done = in_namespace(mount, command, tmp_path)
    assert done.returncode == 0
    assert "| regression |" in done.stdout
    assert f"warning: {run_dir}/metrics.json cannot be written: Read-only file system." in done.stderr
