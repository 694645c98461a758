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
    """One split: ``images`` uint8 (N, H, W, 3) RGB and ``labels`` int64 (N,), a row for a row."""

    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, indices: np.ndarray) -> "Images":
        """The images and labels of some rows. Rows that follow one another are not copied."""
        if len(indices) and np.array_equal(indices, np.arange(len(indices)) + indices[0]):
            return Images(*(part[indices[0] : indices[-1] + 1] for part in (self.images, self.labels)))
        return Images(self.images[indices], self.labels[indices])


@dataclass(frozen=True)
class Dataset:
    """A named train and test split over the same classes; labels index ``classes``.

    ``skipped`` tells in sentences how many files were left out, and why, and what else is worth knowing of
    them. Of the test images the first ``dev`` are for the dev split, if that is fixed; None leaves it to a
    seed. ``known_sha256`` is ``sha256``, if a reader knows it.
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

Limits = tuple[int | None, int | None]
"""The most images to read for training, and for dev and test; None is no limit."""


class Reader(Protocol):
    """A module that reads one layout of data sets."""

    def recognizes(self, path: Path) -> bool:
        """Whether a file or folder has this layout. It takes little time, whatever the path is."""

    def read(self, path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
        """Read a file or folder of this layout.

        Args:
            path: of the file or folder.
            image_size: side of the images.
            limits: the most images to read; a reader of whole files may ignore them.
            seed: decides which images a limit leaves, and which are held out where no split is given.

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
    """Check the structure of ``dataset`` and count its classes.

    Returns {"train": counts, "test": counts}, each int64 (number of classes,).
    Raises InputError where an array has the wrong shape or type, a split is empty, a label is out of range,
    there is no class, or more images are for the dev split than are held out.
    """
    number = len(dataset.classes)
    if not number:
        raise InputError(f"{dataset.name} has no classes.")
    counts = {}
    for split, part in (("train", dataset.train), ("test", dataset.test)):
        where = f"the {split} split of {dataset.name}"
        images, labels = part.images, part.labels
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
            raise InputError(f"{where} must be uint8 (N, H, W, 3), but is {images.dtype} {images.shape}.")
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise InputError(
                f"{where} needs int64 labels of shape ({len(images)},), "
                f"but they are {labels.dtype} {labels.shape}."
            )
        if not len(labels):
            raise InputError(f"{where} holds no images.")
        if labels.min() < 0 or labels.max() >= number:
            raise InputError(
                f"{where} has labels from {labels.min()} to {labels.max()}, but there are {number} classes."
            )
        counts[split] = np.bincount(labels, minlength=number)
    if dataset.dev is not None and not 0 <= dataset.dev <= len(dataset.test):
        raise InputError(f"{dataset.name} has {len(dataset.test)} test images, not {dataset.dev} for dev.")
    return counts


def content_sha256(dataset: Dataset) -> str:
    """The SHA-256, in hex, of training images and labels, test images and labels, one after the other."""
    digest = hashlib.sha256()
    for part in (dataset.train, dataset.test):
        digest.update(np.ascontiguousarray(part.images).data)
        digest.update(np.ascontiguousarray(part.labels).data)
    return digest.hexdigest()


def to_square(image: np.ndarray, size: int) -> np.ndarray:
    """Crop a uint8 (H, W, 3) image to its central square and resize it to (size, size, 3)."""
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = image[top : top + side, left : left + side]
    if side == size:
        return square
    return cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA if side > size else cv2.INTER_CUBIC)


def to_squares(part: Images, size: int) -> Images:
    """The same split with every image passed through `to_square`."""
    if part.images.shape[1:3] == (size, size):
        return part
    squares = np.empty((len(part), size, size, 3), np.uint8)

    def fill(start):
        for i in range(start, min(start + _CHUNK, len(part))):
            squares[i] = to_square(part.images[i], size)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # OpenCV resizes beside Python
        list(pool.map(fill, range(0, len(part), _CHUNK)))
    return Images(squares, part.labels)
