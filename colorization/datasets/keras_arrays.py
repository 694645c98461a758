"""Arrays as Keras's data sets return them, in one .npz file: x_train, y_train, x_test, y_test."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from colorization.core.errors import InputError, printable
from colorization.datasets.base import UNLABELED, Dataset, Images, Limits, numbered_classes, to_squares

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def recognizes(path: Path) -> bool:
    """Whether a path is an .npz file.

    Args:
        path: Path of a file or folder.

    Returns:
        True if `read` accepts the path.
    """
    return path.suffix.lower() == ".npz" and path.is_file()


def read(path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
    """Read an .npz file with x_train, y_train, x_test and y_test. Nothing is unpickled.

    Images are uint8 (N, H, W), (N, H, W, 1), (N, H, W, 3) or (N, 3, H, W); gray becomes RGB. Labels are whole
    numbers, (N,) or (N, 1). The classes are named by these numbers. Without y_train and y_test the images
    have no classes.

    Args:
        path: Path of the file.
        image_size: side of the images, in pixels.
        limits: not used; the file is read completely.
        seed: not used.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images.

    Raises:
        InputError: an array is missing, or has another shape or dtype.
    """
    arrays = _arrays(path)
    x_train, x_test = (_rgb(arrays[name], f"{name} in {printable(path)}") for name in ("x_train", "x_test"))
    if "y_train" in arrays:
        y_train, y_test = (
            _labels(arrays[f"y_{part}"], len(images), f"y_{part} in {printable(path)}")
            for part, images in (("train", x_train), ("test", x_test))
        )
        highest = int(max(y_train.max(initial=0), y_test.max(initial=0)))
        classes = numbered_classes(highest, printable(path))
    else:
        y_train, y_test = np.zeros(len(x_train), np.int64), np.zeros(len(x_test), np.int64)
        classes = UNLABELED
    train, test = (
        to_squares(Images(images, labels), image_size)
        for images, labels in ((x_train, y_train), (x_test, y_test))
    )
    return Dataset(printable(path.stem), train, test, classes)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ARRAYS if name in stored}
    except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile, zlib.error):
        raise InputError(
            f"{printable(path)} cannot be read as NumPy arrays. It is damaged, or contains Python objects."
        ) from None
    labeled = "y_train" in arrays or "y_test" in arrays
    for name in ARRAYS if labeled else ("x_train", "x_test"):
        if name not in arrays:
            raise InputError(f"{printable(path)} has no array {name}. It must contain {', '.join(ARRAYS)}.")
    return arrays


def _rgb(images: np.ndarray, where: str) -> np.ndarray:
    """uint8 (N, H, W, 3) of any of the accepted shapes."""
    if images.dtype != np.uint8:
        raise InputError(f"{where} must be uint8 with values of 0 to 255, received {images.dtype}.")
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[1] == 3 and images.shape[3] != 3:
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise InputError(
            f"{where} must have the shape (N, height, width, 3), (N, height, width) or "
            f"(N, 3, height, width), received {images.shape}."
        )
    return np.ascontiguousarray(np.broadcast_to(images, (*images.shape[:3], 3)))


def _labels(labels: np.ndarray, count: int, where: str) -> np.ndarray:
    """int64 (N,)."""
    if labels.dtype.kind not in "iu" or labels.shape not in ((count,), (count, 1)):
        raise InputError(
            f"{where} must contain {count} whole numbers, one for each image, received {labels.dtype} "
            f"{labels.shape}."
        )
    labels = labels.reshape(-1).astype(np.int64)
    if labels.size and labels.min() < 0:
        raise InputError(f"{where} has the label {labels.min()}, but labels start at 0.")
    return labels
