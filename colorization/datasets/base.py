"""The types of all data sets, with their checks and the resizing, and the protocol of their readers."""

import concurrent.futures
import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from colorization.core.errors import InputError


@dataclass(frozen=True)
class Images:
    """One split of a data set.

    Attributes:
        images: (N, H, W, 3) uint8 RGB.
        labels: (N,) int64, the class of each image.
    """

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, indices: np.ndarray) -> "Images":
        """A selection of images with their labels. Rows that follow one another are not copied.

        Args:
            indices: (M,) row numbers, 0 or more.

        Returns:
            Images of M rows.
        """
        if len(indices) and np.array_equal(indices, np.arange(len(indices)) + indices[0]):
            return Images(*(part[indices[0] : indices[-1] + 1] for part in (self.images, self.labels)))
        return Images(self.images[indices], self.labels[indices])


@dataclass(frozen=True)
class Dataset:
    """A data set with a train and a test split over the same classes.

    Attributes:
        name: of the data set.
        train: Images to train on.
        test: Images of the dev and the test split.
        classes: names of the classes; the labels are their positions.
        skipped: sentences about files that were left out, and about copies.
        dev: number of test images, the first ones, that are the dev split; None leaves it to a seed.
        known_sha256: `sha256`, if a reader knows it.
    """

    name: str
    train: Images
    test: Images
    classes: tuple[str, ...]
    skipped: tuple[str, ...] = ()
    dev: int | None = None
    known_sha256: str = ""

    @functools.cached_property
    def sha256(self) -> str:
        """The SHA-256, in hex, of all images and labels."""
        return self.known_sha256 or content_sha256(self)


_CHUNK = 256  # images resized by one thread

UNLABELED = ("image",)
"""The classes of a data set whose images have none; all labels are 0."""

MOST_CLASSES = 100_000
"""A higher label is a mistake. The names of so many classes would fill the memory."""

Limits = tuple[int | None, int | None]
"""The most images to read for training, and for dev and test; None is no limit."""


class Reader(Protocol):
    """A module that reads one layout of data sets."""

    def recognizes(self, path: Path) -> bool:
        """Whether a file or folder has this layout. It takes little time for any path.

        Args:
            path: path of the file or folder.

        Returns:
            True if `read` accepts the path.
        """

    def read(self, path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
        """Read a file or folder of this layout.

        Args:
            path: path of the file or folder.
            image_size: side of the images, in pixels.
            limits: maximum numbers of images; a reader of whole files may ignore them.
            seed: of the choice under a limit, and of the held-out images where the layout has no split.

        Returns:
            A Dataset of uint8 (N, image_size, image_size, 3) RGB images.

        Raises:
            InputError: the data are damaged or incomplete.
        """


def data_root() -> Path:
    """The folder that holds the prepared sets, one folder for each.

    The environment variable COLORIZATION_DATA, else the checkout's ``data/`` where the package runs from a
    checkout, else ``~/.cache/colorization``.
    """
    if chosen := os.environ.get("COLORIZATION_DATA"):
        return Path(chosen)
    checkout_data = Path(__file__).resolve().parents[2] / "data"
    return checkout_data if (checkout_data / "prepare.py").is_file() else Path.home() / ".cache/colorization"


def verify(dataset: Dataset) -> dict[str, np.ndarray]:
    """Check the structure of a data set, and count its classes.

    Args:
        dataset: a Dataset.

    Returns:
        {"train": counts, "test": counts}, each (number of classes,) int64.

    Raises:
        InputError: an array has the wrong shape or dtype, a split is empty, a label is out of range, there is
            no class, or there are more dev images than test images.
    """
    number = len(dataset.classes)
    if not number:
        raise InputError(f"{dataset.name} has no classes.")
    counts = {}
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        where = f"The {split} split of {dataset.name}"
        images, labels = part.images, part.labels
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise InputError(f"{where} must be uint8 (N, H, W, 3), received {images.dtype} {images.shape}.")
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise InputError(
                f"{where} needs int64 labels of shape ({len(images)},), "
                f"received {labels.dtype} {labels.shape}."
            )
        if not len(labels):
            raise InputError(f"{where} is empty.")
        if labels.min() < 0 or labels.max() >= number:
            raise InputError(
                f"{where} has labels from {labels.min()} to {labels.max()}, but there are {number} classes."
            )
        counts[split] = np.bincount(labels, minlength=number)
    if dataset.dev is not None and not 0 <= dataset.dev <= len(dataset.test):
        raise InputError(
            f"{dataset.name} has {len(dataset.test)} test images, but {dataset.dev} are marked as dev images."
        )
    return counts


def content_sha256(dataset: Dataset) -> str:
    """The checksum of training images and labels, test images and labels, in this order.

    Args:
        dataset: a Dataset.

    Returns:
        SHA-256 in hex.
    """
    digest = hashlib.sha256()
    for part in (dataset.train, dataset.test):
        digest.update(np.ascontiguousarray(part.images).data)
        digest.update(np.ascontiguousarray(part.labels).data)
    return digest.hexdigest()


def numbered_classes(highest: int, where: str) -> tuple[str, ...]:
    """Names of classes that have only numbers.

    Args:
        highest: the highest label.
        where: name of the file or folder in error messages.

    Returns:
        "0", "1", ..., up to the highest label.

    Raises:
        InputError: the label is too high.
    """
    if highest >= MOST_CLASSES:
        raise InputError(
            f"{where} has the label {highest}, but at most {MOST_CLASSES} classes are supported."
        )
    return tuple(map(str, range(1 + highest)))


def to_square(image: np.ndarray, size: int) -> np.ndarray:
    """Crop an image to its central square, and resize it.

    Args:
        image: (H, W, 3) uint8.
        size: side of the result, in pixels.

    Returns:
        (size, size, 3) uint8.
    """
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    if side == size:
        return square
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)


def to_squares(part: Images, size: int) -> Images:
    """Crop and resize all images of a split with to_square.

    Args:
        part: Images.
        size: side of the result, in pixels.

    Returns:
        Images of (N, size, size, 3) uint8.
    """
    if part.images.shape[1:3] == (size, size):
        return part
    squares = np.empty((len(part), size, size, 3), np.uint8)

    def fill(start):
        for i in range(start, min(start + _CHUNK, len(part))):
            squares[i] = to_square(part.images[i], size)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # OpenCV resizes beside Python
        list(pool.map(fill, range(0, len(part), _CHUNK)))
    return Images(squares, part.labels)
