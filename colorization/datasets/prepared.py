"""Prepared sets: plain .npy files, and a meta.json with their checksums."""

import concurrent.futures
import dataclasses
import functools
import json
from pathlib import Path

import numpy as np

from colorization.core.atomic_io import replace_folder, reserve, scratch_folder, sha256, system_message
from colorization.core.errors import InputError, printable
from colorization.datasets.base import Dataset, Images, Limits, content_sha256, to_squares, verify

META = "meta.json"
_CHUNK = 1024  # rows copied at once
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
        with scratch_folder(folder.parent) as scratch:
            new = scratch / "new"
            _write_into(new, dataset, source)
            replace_folder(folder, new)
    except OSError as error:
        raise InputError(f"{printable(folder)} cannot be written: {system_message(error)}.") from error


def _write_into(new: Path, dataset: Dataset, source: str) -> None:
    """Make the folder ``new`` and write the set into it. Raises OSError."""
    new.mkdir()
    contents = (dataset.train.images, dataset.train.labels, dataset.test.images, dataset.test.labels)
    for name, array in zip(ARRAYS, contents, strict=True):
        _save(new / name, array)
    meta = {
        "name": dataset.name,
        "source": source,
        "classes": list(dataset.classes),
        "skipped": list(dataset.skipped),
        "dev": dataset.dev,
        "counts": {split: numbers.tolist() for split, numbers in verify(dataset).items()},
        "sha256": _sums(new),
        "content_sha256": content_sha256(Dataset("", *_mapped(new), ())),
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
    for file in ARRAYS:
        if not (folder / file).is_file():
            raise InputError(f"{folder / file} is missing. {again}.")
    for file, found in _known_sums(folder, _stamps(folder)).items():
        if found != sums.get(file):
            raise InputError(f"{folder / file} is damaged: its SHA-256 differs from {META}. {again}.")
    try:
        train, test = _mapped(folder)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{folder} holds a file that is not a plain .npy array. {again}.") from error
    dataset = Dataset(name, train, test, classes, skipped, dev)
    try:
        verify(dataset)
    except InputError as error:
        raise InputError(f"{folder} is not a valid prepared set. {error} {again}.") from error
    squares = [to_squares(part, image_size) for part in (train, test)]
    same = squares[0] is train and squares[1] is test
    known = str(meta.get("content_sha256", "")) if same else ""
    return dataclasses.replace(dataset, train=squares[0], test=squares[1], known_sha256=known)


def _save(path: Path, array: np.ndarray) -> None:
    """np.save, in pieces, of an array that need not be in memory. Raises OSError."""
    if len(array) == 0:
        np.save(path, np.asarray(array))
        return
    written = np.lib.format.open_memmap(path, "w+", array.dtype, array.shape)
    with path.open("rb+") as file:
        reserve(file, path.stat().st_size)
    for start in range(0, len(array), _CHUNK):
        written[start : start + _CHUNK] = array[start : start + _CHUNK]
    written.flush()


def _mapped(folder: Path) -> tuple[Images, Images]:
    """Training and test part; images are mapped from the disk, not read. Raises OSError and others.

    Copy on write, since TensorFlow shares only memory that can be written.
    """
    parts = [
        Images(
            np.load(folder / images, mmap_mode="c", allow_pickle=False),
            np.load(folder / labels, allow_pickle=False),
        )
        for images, labels in (ARRAYS[:2], ARRAYS[2:])
    ]
    return parts[0], parts[1]


def _stamps(folder: Path) -> tuple[tuple[int, ...], ...]:
    """What changes if a file changes."""
    status = [(folder / file).stat() for file in ARRAYS]
    return tuple((found.st_ino, found.st_size, found.st_mtime_ns) for found in status)


@functools.lru_cache
def _known_sums(folder: Path, stamps: tuple) -> dict[str, str]:
    """_sums of files with these stamps, read once in a process."""
    return _sums(folder)


def _sums(folder: Path) -> dict[str, str]:
    """{file: SHA-256 in hex}."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return dict(zip(ARRAYS, pool.map(sha256, [folder / file for file in ARRAYS]), strict=True))
