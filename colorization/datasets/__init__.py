"""Data sets of color images: CIFAR in its published layouts, Parquet and Keras arrays, folders of images by
class or of any kind, prepared sets and a synthetic one.

Importing this package costs little: neither tensorflow nor keras is imported.
"""

from pathlib import Path

from colorization.core.errors import InputError, printable
from colorization.datasets import cifar, photographs, prepared, readers, synthetic
from colorization.datasets.base import Dataset, Images, Limits, data_root, verify
from colorization.datasets.cifar import download
from colorization.datasets.photographs import check_colors
from colorization.datasets.prepared import read, write
from colorization.datasets.splits import Splits, split
from colorization.datasets.synthetic import PALETTES, SYNTHETIC_CLASSES

__all__ = [
    "NAMES",
    "PALETTES",
    "SYNTHETIC_CLASSES",
    "Dataset",
    "Images",
    "Splits",
    "check_colors",
    "data_root",
    "download",
    "load",
    "photographs",
    "read",
    "split",
    "verify",
    "write",
]

NAMES = (*cifar.SOURCES, "synthetic")


def load(
    source: str | Path,
    *,
    image_size: int = 32,
    train_limit: int | None = None,
    test_limit: int | None = None,
    seed: int = 0,
) -> Dataset:
    """Load a data set of color images.

    The source is "cifar10" or "cifar100" (prepared by `colorize prepare`), "synthetic", or a path. These
    paths are accepted: a prepared folder; CIFAR in its published Python or binary layout, as a folder or a
    tar; a folder of Parquet files; arrays of Keras in .npz; a folder `train|val|test` of images with or
    without class folders; a folder that contains one of these; and any other folder of photographs (see
    photographs.prepare). Images of another size are cropped to their central square and resized.

    The limits save work where images are generated or read one by one: the synthetic set, image folders and
    Parquet. Other sources are loaded completely.

    Args:
        source: name or path.
        image_size: side of the images, in pixels.
        train_limit: maximum number of training images; None is no limit.
        test_limit: maximum number of images of `val` and of `test`, each; None is no limit.
        seed: of the synthetic scenes, of the choice under a limit, and of the held-out images of a folder.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images.

    Raises:
        InputError: the set is not found, is damaged or has no known layout, or an argument is out of range.
    """
    if min(image_size, *(limit for limit in (train_limit, test_limit, 1) if limit is not None)) < 1:
        raise InputError("image_size, train_limit and test_limit must be at least 1.")
    if not str(source):
        raise InputError("The name of the data set is empty. Name a data set or a path.")
    if seed < 0:
        raise InputError(f"seed must be at least 0, received {seed}.")
    try:
        dataset = _load(source, image_size, (train_limit, test_limit), seed)
    except OSError as error:
        raise InputError(
            f"{printable(error.filename or source)} cannot be read: {error.strerror or error}."
        ) from error
    verify(dataset)
    return dataset


def _load(source: str | Path, image_size: int, limits: Limits, seed: int) -> Dataset:
    if source == "synthetic":
        return synthetic.generate(*limits, size=image_size, seed=seed)
    if source not in cifar.SOURCES:
        return readers.read(Path(source), image_size, limits, seed)
    path = data_root() / source
    if not path.exists():
        raise InputError(
            f"{source} is not prepared yet: {printable(path)} is not found. Run "
            f"`colorize prepare {source}`. Add --from PATH if you have the file."
        )
    return prepared.read(path, image_size)
