"""Files that are whole or not there, against plain files and hashlib."""

import hashlib
import os
import subprocess
import sys

import pytest

from colorization.core import atomic_io
from colorization.core.errors import InputError


def test_replacing_is_all_or_nothing(tmp_path):
    """Oracle: contents and folder listing; the temporary lies beside the file and has its suffix."""
    path = tmp_path / "a" / "b.csv"
    with atomic_io.replacing(path) as temporary:
        assert (temporary.parent, temporary.suffix) == (path.parent, ".csv")
        temporary.write_text("old")
        assert not path.exists()
    with pytest.raises(ZeroDivisionError), atomic_io.replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("new")
        raise ZeroDivisionError
    assert path.read_text() == "old"
    atomic_io.write_text(path, "neu: ü\n")
    assert path.read_bytes() == "neu: ü\n".encode()
    assert list(path.parent.iterdir()) == [path]


def test_replaced_files_have_the_usual_permissions(tmp_path):
    """Oracle: a file written by open()."""
    (tmp_path / "plain").write_text("")
    atomic_io.write_text(tmp_path / "replaced", "")
    assert (tmp_path / "replaced").stat().st_mode == (tmp_path / "plain").stat().st_mode


KILLED = """
import os, sys
from colorization.core import atomic_io
with atomic_io.replacing(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os._exit(9)
"""


def test_a_killed_process_leaves_the_old_file_and_its_rest_can_be_removed(tmp_path):
    """Oracle: contents and folder listing, after a process that ended without unwinding."""
    path = tmp_path / "deep" / "weights.h5"
    atomic_io.write_text(path, "old")
    code = subprocess.run([sys.executable, "-c", KILLED, path], env=os.environ, timeout=60).returncode
    assert code == 9
    assert path.read_text() == "old"
    assert len(list(path.parent.iterdir())) == 2
    (path.parent / ".unfinished-model" / "model").mkdir(parents=True)  # a SavedModel's
    atomic_io.remove_unfinished(tmp_path)
    assert list(path.parent.iterdir()) == [path]


INTERRUPTED = """
import os, signal, sys, threading, time
from pathlib import Path
from colorization.core import atomic_io, interrupts
from colorization.cli.console import run_command

def write():
    place = Path(sys.argv[1])
    with atomic_io.scratch_folder(place), atomic_io.replacing(place / "new") as new:
        new.write_text("half")
        written.set()
        time.sleep(60)

def work():
    thread.start()
    written.wait()
    first, second = (getattr(signal, name) for name in sys.argv[2:])
    try:
        os.kill(os.getpid(), first)
        thread.join()
    finally:
        os.kill(os.getpid(), second)
        thread.join()

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup ignores it
interrupts.arm()
written, thread = threading.Event(), threading.Thread(target=write)
sys.exit(run_command(work))
"""


@pytest.mark.parametrize("signals", [["SIGINT", "SIGINT"], ["SIGTERM", "SIGINT"], ["SIGHUP", "SIGTERM"]])
def test_a_second_signal_ends_at_once_and_leaves_nothing(tmp_path, signals):
    """Oracle: the exit code, the sentence and the listing; a thread is still writing. The first signal waits."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, tmp_path, *signals],
        env=os.environ,
        capture_output=True,
        timeout=50,
    )
    assert done.returncode == 130
    assert done.stderr.startswith(b"interrupted; no incomplete file is left.")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"file/below\.txt cannot be written"):
        atomic_io.write_text(tmp_path / "file" / "below.txt", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_hashes_are_hashlibs(tmp_path):
    """Oracle: hashlib, on the bytes and on the digests in the paths' order; missing files are left out."""
    for name, content in (("a", b"one"), ("deep/b", b"two")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    digests = [hashlib.sha256(content) for content in (b"one", b"two")]
    assert atomic_io.sha256(tmp_path / "a") == digests[0].hexdigest()
    both = hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()
    paths = [tmp_path / "a", tmp_path / "nowhere", tmp_path / "deep/b"]
    assert atomic_io.fingerprint(paths) == atomic_io.fingerprint_of(tmp_path) == both
    assert atomic_io.fingerprint_of(tmp_path / "a") == atomic_io.fingerprint([tmp_path / "a"])
