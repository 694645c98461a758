"""Folders and files whose names are not UTF-8, in prepare.py and in training, whatever the terminal takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from colorization import datasets
from colorization.core import image_files

PREPARE = Path(__file__).resolve().parents[2] / "data/prepare.py"
ODD = b"caf\xe9"


def odd(folder, suffix=""):
    return Path(os.fsdecode(os.fsencode(folder) + b"/" + ODD + suffix.encode()))


@pytest.fixture
def folder(tmp_path):
    """train/ and test/ of ten classes; the folder, a class and a damaged file have odd names."""
    root = odd(tmp_path)
    rng = np.random.default_rng(0)
    for part in ("train", "test"):
        for name in (*map(str, range(9)), odd("x").name):
            for index in range(3):
                picture = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
                image_files.write(odd(root / part / name, f"{index}.png"), picture)
    odd(root / "train/0", ".jpg").write_bytes(b"")
    return root


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "latin-1"])
def test_prepare(tmp_path, folder, encoding):
    done = subprocess.run(
        [sys.executable, PREPARE, "cifar10", "--from", folder, "--to", odd(tmp_path, "-prepared")],
        env=os.environ | {"COLORIZATION_DATA": str(odd(tmp_path, "-data")), "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"caf\\xe9" in done.stdout
    assert ODD not in done.stdout
    prepared = datasets.read(odd(tmp_path, "-prepared") / "cifar10")
    assert prepared.classes[-1] == "caf\\xe9"
    assert prepared.skipped[0].startswith("Left out: 1 cannot be read. The names are in")
    listed = odd(tmp_path, "-data") / (folder.name + "-skipped-files.txt")
    assert listed.read_text(encoding="ascii").endswith("caf\\xe9/train/0/caf\\xe9.jpg\n")


def test_photographs(tmp_path, folder, monkeypatch):
    monkeypatch.setenv("COLORIZATION_DATA", str(odd(tmp_path, "-data")))
    made = datasets.photographs.prepare([folder], 16)
    assert json.loads((made / "meta.json").read_text(encoding="utf-8"))["source"].endswith("/caf\\xe9")
    dataset = datasets.load(made)
    assert len(dataset.train) + len(dataset.test) == 60


def test_a_data_set_in_memory_may_have_odd_names(tmp_path):
    """They come back as they were."""
    part = datasets.Images(np.zeros((2, 8, 8, 3), np.uint8), np.array([0, 1]))
    dataset = datasets.Dataset("a", part, part, ("b", odd("x").name))
    datasets.write(dataset, odd(tmp_path), source=str(odd(tmp_path)))
    assert datasets.read(odd(tmp_path), 8).classes == dataset.classes
