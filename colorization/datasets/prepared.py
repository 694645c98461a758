"""Prepared sets: plain .npy files, and a meta.json with their checksums."""

import dataclasses
import json
import tempfile
from pathlib import Path

import numpy as np

from colorization.core.atomic_io import sha256, system_message
from colorization.core.errors import InputError, printable
from colorization.datasets.base import Dataset, Images, Limits, to_squares, verify

META = "meta.json"
ARRAYS = ("train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy")


def recognizes(path: Path) -> bool:
    """Whether a path is a folder with the meta.json of a prepared set.

    Args:
        path: Path of a file or folder.

    Returns:
        True if `read` accepts the path.
    """
    return (path / META).is_file()


def write(dataset: Dataset, folder: str | Path, source: str = "") -> None:
    """Write a Dataset as a prepared set. An older prepared set is replaced.

    Everything is written to a temporary folder beside it, which is renamed at the end. So an interrupted call
    changes nothing.

    Args:
        dataset: a Dataset.
        folder: path of the set.
        source: the origin of the images, for meta.json.

    Raises:
        InputError: the Dataset is not valid, or the folder contains other files or cannot be written.
    """
    folder = Path(folder)
    verify(dataset)
    if folder.exists() and not (
        folder.is_dir() and {entry.name for entry in folder.iterdir()} <= {META, *ARRAYS}
    ):
        raise InputError(f"{printable(folder)} contains other files than a prepared set. Move them first.")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as scratch:
            new = Path(scratch) / "new"
            _write_into(new, dataset, source)
            if folder.exists():
                folder.rename(Path(scratch) / "old")
            new.rename(folder)
    except OSError as error:
        raise InputError(f"{printable(folder)} cannot be written: {system_message(error)}.") from error


def _write_into(new: Path, dataset: Dataset, source: str) -> None:
    """Make the folder ``new`` and write the set into it. Raises OSError."""
    new.mkdir()
    contents = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    for name, array in zip(ARRAYS, contents, strict=True):
        np.save(new / name, array)
    meta = {
        "name": dataset.name,
        "source": source,
        "classes": list(dataset.classes),
        "skipped": list(dataset.skipped),
        "dev": dataset.dev,
        "counts": {split: numbers.tolist() for split, numbers in verify(dataset).items()},
        "sha256": {name: sha256(new / name) for name in ARRAYS},
    }
    text = json.dumps(meta, indent=1, ensure_ascii=False) + "\n"
    # A name that is not UTF-8 becomes an escape of JSON, which is read back
    (new / META).write_text(text, encoding="utf-8", errors="backslashreplace")


def read(folder: str | Path, image_size: int = 32, limits: Limits = (None, None), seed: int = 0) -> Dataset:
    """Read a prepared set, and compare it with its meta.json.

    Args:
        folder: path of the set.
        image_size: side of the images, in pixels.
        limits: not used; the set is read completely.
        seed: not used.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images.

    Raises:
        InputError: a file is missing or damaged.
    """
    folder = Path(folder)
    again = "Delete the folder, and run `colorize prepare` again"
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        name, classes, sums = str(meta["name"]), tuple(map(str, meta["classes"])), dict(meta["sha256"])
        skipped, dev = tuple(map(str, meta["skipped"])), meta.get("dev")
        dev = None if dev is None else int(dev)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / META} is missing or damaged. {again}.") from error
    arrays = []
    for file in ARRAYS:
        path = folder / file
        if not path.is_file():
            raise InputError(f"{path} is missing. {again}.")
        if sha256(path) != sums.get(file):
            raise InputError(f"{path} is damaged: its SHA-256 differs from {META}. {again}.")
        try:
            arrays.append(np.load(path, allow_pickle=False))
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path} is not a plain .npy array. {again}.") from error
    dataset = Dataset(name, Images(*arrays[:2]), Images(*arrays[2:]), classes, skipped, dev)
    try:
        verify(dataset)
    except InputError as error:
        raise InputError(f"{folder} is not a valid prepared set. {error} {again}.") from error
    return dataclasses.replace(
        dataset, train=to_squares(dataset.train, image_size), test=to_squares(dataset.test, image_size)
    )
