"""data/prepare.py end to end, as a user runs it, and the download against a server on this machine."""

import errno
import hashlib
import http.server
import io
import os
import pickle
import subprocess
import sys
import tarfile
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from colorization import datasets
from colorization.core.errors import InputError
from colorization.datasets import cifar

PREPARE = Path(__file__).resolve().parents[2] / "data/prepare.py"


def prepare(tmp_path, *arguments, **environment) -> subprocess.CompletedProcess:
    """Run the script from elsewhere, as an uninstalled checkout allows, with tmp_path/root as data root."""
    return subprocess.run(
        [sys.executable, PREPARE, *map(str, arguments)],
        cwd=tmp_path,
        env=os.environ | {"COLORIZATION_DATA": str(tmp_path / "root")} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def archive(tmp_path) -> Path:
    """A small CIFAR-10 in its published Python layout."""
    path = tmp_path / "served/cifar-10-small.tar.gz"
    path.parent.mkdir()
    rng = np.random.default_rng(0)
    batch = {b"data": rng.integers(256, size=(20, 3072), dtype=np.uint8), b"labels": list(range(10)) * 2}
    names = {b"label_names": [f"class{index}".encode() for index in range(10)]}
    files = {f"data_batch_{number}": batch for number in range(1, 6)}
    with tarfile.open(path, "w:gz") as tar:
        for name, value in {**files, "test_batch": batch, "batches.meta": names}.items():
            content = pickle.dumps(value, protocol=2)
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def contents(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_help(tmp_path):
    done = prepare(tmp_path, "cifar10", "--help")
    assert done.returncode == 0
    assert "--from" in done.stdout


def test_prepare_twice_then_damaged_then_forced(tmp_path, archive):
    first = prepare(tmp_path, "cifar10", "--from", archive)
    assert (first.returncode, first.stderr) == (0, "")
    assert "train: 100 images, 10 of each class (the published set has 5,000)" in first.stdout
    assert contents(tmp_path / "root") == ["cifar10"]
    labels = tmp_path / "root/cifar10/train_labels.npy"
    written = labels.stat().st_mtime_ns

    second = prepare(tmp_path, "cifar10")  # no --from: if it looked for more, it would go to the network
    assert (second.returncode, second.stderr) == (0, "")
    assert "already" in second.stdout
    assert labels.stat().st_mtime_ns == written

    labels.write_bytes(labels.read_bytes()[:-1] + b"\x01")
    damaged = prepare(tmp_path, "cifar10", "--from", archive)
    assert (damaged.returncode, damaged.stderr.count("\n")) == (2, 1)
    assert "train_labels.npy is damaged" in damaged.stderr
    assert "Delete the folder, and run `colorize prepare` again." in damaged.stderr

    assert prepare(tmp_path, "cifar10", "--from", archive, "--force").returncode == 0
    assert contents(tmp_path / "root") == ["cifar10"]
    source = datasets.load(archive)
    np.testing.assert_array_equal(datasets.load(tmp_path / "root/cifar10").train.images, source.train.images)


BAD_CALLS = {
    "classes": (
        ["cifar100", "--from", "served/cifar-10-small.tar.gz"],
        "has 10 classes, but cifar100 has 100",
    ),
    "missing": (["cifar10", "--from", "nowhere.tar"], "nowhere.tar is not found"),
    "synthetic": (["synthetic", "--from", "served"], "Leave out --from"),
    "to a file": (
        ["cifar10", "--from", "served/cifar-10-small.tar.gz", "--to", "served/cifar-10-small.tar.gz"],
        "served/cifar-10-small.tar.gz",
    ),
}


@pytest.mark.parametrize("name", BAD_CALLS)
def test_bad_calls_end_in_one_sentence(tmp_path, archive, name):
    arguments, expected = BAD_CALLS[name]
    done = prepare(tmp_path, *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert expected in done.stderr
    assert contents(tmp_path) == ["served"]


def test_other_files_in_the_way_are_never_deleted(tmp_path, archive):
    mine = tmp_path / "root/cifar10/thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = prepare(tmp_path, "cifar10", "--from", archive, "--force")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert mine.read_text() == "mine"


def test_offline_names_the_way_out(tmp_path):
    dead = "http://127.0.0.1:9"  # nothing listens there
    done = prepare(tmp_path, "cifar10", https_proxy=dead, HTTPS_PROXY=dead, no_proxy="")
    assert done.returncode == 2
    assert done.stderr == (
        f"error: {datasets.cifar.SOURCES['cifar10'][0]} cannot be downloaded. Download it by hand, and run "
        "`colorize prepare cifar10 --from PATH`.\n"
    )
    assert contents(tmp_path / "root") == []


def test_ctrl_c_leaves_nothing(tmp_path):
    """Interrupts while the new folder is being written."""
    code = (
        "import runpy, sys, numpy as np\n"
        "def save(path, *_): open(path, 'wb').write(b'half'); raise KeyboardInterrupt\n"
        "np.save = np.lib.format.open_memmap = save\n"
        "sys.argv = [sys.argv[1], 'cifar10', '--from', sys.argv[2], '--to', 'here']\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        (folder / f"{name}.bin").write_bytes(bytes(3073))
    (folder / "batches.meta.txt").write_text("\n".join("abcdefghij"))
    command = [sys.executable, "-c", code, str(PREPARE), str(folder)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr.startswith("interrupted; no incomplete file is left")
    assert contents(tmp_path / "here") == []


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(archive):
    handler = partial(QuietHandler, directory=str(archive.parent))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_download(tmp_path, archive, server, monkeypatch):
    root = tmp_path / "root"
    monkeypatch.setenv("COLORIZATION_DATA", str(root))
    right = hashlib.sha256(archive.read_bytes()).hexdigest()
    downloaded = datasets.download("cifar10", f"{server}/{archive.name}", right)
    np.testing.assert_array_equal(downloaded.train.images, datasets.load(archive).train.images)

    for address, expected in (
        (f"{server}/{archive.name}", "SHA-256"),  # not the published file
        (f"{server}/absent.tar.gz", "cannot be downloaded"),
        (f"file://{tmp_path}/absent.tar.gz", "cannot be downloaded"),
    ):
        with pytest.raises(InputError, match=expected) as caught:
            datasets.download("cifar10", address)
        assert "--from PATH" in str(caught.value)
        assert address in str(caught.value)
    assert contents(root) == []

    def full(origin, path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cifar, "_fetch", full)
    with pytest.raises(InputError, match="elsewhere cannot be written: No space left"):
        datasets.download("cifar10", folder=tmp_path / "elsewhere")
