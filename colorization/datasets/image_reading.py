"""Encoded images: chosen by class, decoded one by one into an array."""

import sys
from collections.abc import Iterable, Sequence

import numpy as np
from tqdm import tqdm

from colorization.core import image_files
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath
from colorization.datasets.base import Images, to_square

MANY = 2000  # images; for more of them the progress is shown also in a log file


def choose(labels: np.ndarray, classes: int, limit: int | None, rng: np.random.Generator) -> np.ndarray:
    """Choose at most `limit` images, about equally many of each class.

    Args:
        labels: (N,) int64.
        classes: number of classes.
        limit: number of images; None takes all.
        rng: draws which images of a class are taken.

    Returns:
        Rows in ascending order, int64.
    """
    by_class = np.argsort(labels, kind="stable")
    counts = np.bincount(labels, minlength=classes)
    ranks = np.empty(len(labels), np.int64)
    ranks[by_class] = np.concatenate([np.argsort(rng.permutation(count)) for count in counts])
    return np.sort(np.lexsort((labels, ranks))[:limit])


def gather(
    images: Iterable[np.ndarray | None], labels: np.ndarray, size: int, part: str
) -> tuple[Images, list[int]]:
    """Crop and resize decoded images into one array.

    Args:
        images: N images, uint8 (H, W, 3) RGB each; None for one that cannot be read.
        labels: (N,) int64.
        size: side of the result.
        part: name of the split, for the progress bar.

    Returns:
        (Images that can be read, rows of the others).
    """
    squares = np.empty((len(labels), size, size, 3), np.uint8)
    kept: list[int] = []
    unreadable: list[int] = []
    silent = not sys.stderr.isatty() and len(labels) <= MANY
    shown = tqdm(images, desc=f"{part} images", total=len(labels), disable=silent, mininterval=1.0)
    for row, image in enumerate(shown):
        if image is None:
            unreadable.append(row)
        else:
            squares[len(kept)] = to_square(image, size)
            kept.append(row)
    return Images(squares[: len(kept)], labels[kept]), unreadable


def decoded(data: bytes) -> np.ndarray | None:
    """Decode the bytes of an image file.

    Args:
        data: the bytes.

    Returns:
        (H, W, 3) uint8 RGB; None if they cannot be read.
    """
    try:
        return image_files.decode(data, "")
    except InputError:
        return None


def file_or_none(path: StrPath) -> np.ndarray | None:
    """Read an image file.

    Args:
        path: path of the file.

    Returns:
        (H, W, 3) uint8 RGB; None if it cannot be read.
    """
    try:
        return image_files.read(path)
    except InputError:
        return None


def refuse_mostly_unreadable(unreadable: Sequence[StrPath], total: int, part: str) -> None:
    """Refuse a split of which more than half of the images cannot be read.

    Args:
        unreadable: names of the images that cannot be read.
        total: number of images of the split.
        part: name of the split.

    Raises:
        InputError: more than half of the images cannot be read.
    """
    if 2 * len(unreadable) > total:
        raise InputError(
            f"{len(unreadable)} of the {total} {part} images cannot be read, for example "
            f"{printable(unreadable[0])}. Replace them."
        )
