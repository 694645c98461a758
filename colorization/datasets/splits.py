"""Seeded, disjoint choices of the images to train on, to tune on and to report on."""

import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from colorization.core.atomic_io import replacing
from colorization.core.errors import InputError
from colorization.datasets.base import Dataset


@dataclass(frozen=True)
class Splits:
    """Row numbers, (N,) int64: `train` of Dataset.train, `dev` and `test` of Dataset.test."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray

    def save(self, path: str | Path) -> None:
        """Write the three arrays as .npz. An interrupted call leaves the old file.

        Args:
            path: path of the file.

        Raises:
            InputError: the file cannot be written.
        """
        with replacing(path) as temporary:
            np.savez_compressed(temporary, **asdict(self))

    @classmethod
    def load(cls, path: str | Path) -> "Splits":
        """Read the file of `save`.

        Args:
            path: path of the file.

        Returns:
            Splits.

        Raises:
            InputError: the file is missing or damaged, or is something else.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                splits = cls(arrays["train"], arrays["dev"], arrays["test"])
        # A damaged zip, a missing array, a plain .npy and a cut-off file each raise something of their own.
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} cannot be read as splits. Train the run again.") from error
        if any(part.dtype != np.int64 or part.ndim != 1 for part in asdict(splits).values()):
            raise InputError(f"{path} does not contain splits (1-D int64 arrays). Train the run again.")
        return splits


def split(
    dataset: Dataset,
    train: int = 50_000,
    dev: int = 5_000,
    test: int = 5_000,
    *,
    seed: int = 0,
    stratified: bool = False,
) -> Splits:
    """Choose training, dev and test images by a seed.

    The seed puts the test images in an order. The dev split is from its first half, the test split from its
    second half, or from the parts that the set fixes (see Dataset). A dev image of a Dataset is thus never a
    test image of another split with this seed, unless the Datasets have different limits.

    Args:
        dataset: a Dataset.
        train, dev, test: maximum numbers of images.
        seed: of the orders.
        stratified: whether each class has the same number of images: size // classes, or as many as it has.

    Returns:
        Splits; `train` is in ascending order.

    Raises:
        InputError: a size is negative, or too small for one image of each class.

    Example:
        >>> from colorization import datasets
        >>> data = datasets.load("synthetic", train_limit=20, test_limit=10)
        >>> chosen = split(data, train=20, dev=5, test=5, seed=0)
        >>> len(chosen.train), len(chosen.dev), len(chosen.test), set(chosen.dev) & set(chosen.test)
        (20, 5, 5, set())
    """
    classes = len(dataset.classes)
    for name, size in (("train", train), ("dev", dev), ("test", test)):
        if size < 0 or (stratified and 0 < size < classes):
            least = f"0 or at least {classes}, one for each class" if stratified else "at least 0"
            raise InputError(f"The size of the {name} split must be {least}, received {size}.")

    def first(order: np.ndarray, labels: np.ndarray, size: int) -> np.ndarray:
        if not stratified:
            return order[:size]
        chosen = np.zeros(len(order), dtype=bool)
        for label in range(classes):
            chosen[np.flatnonzero(labels[order] == label)[: size // classes]] = True
        return order[chosen]

    # A stream for each: the test order does not depend on the number of training images
    train_order = np.random.default_rng([seed, 0]).permutation(len(dataset.train))
    test_order = np.random.default_rng([seed, 1]).permutation(len(dataset.test))
    half = len(test_order) // 2
    if dataset.dev is not None:
        half, test_order = dataset.dev, test_order[np.argsort(test_order >= dataset.dev, kind="stable")]
    return Splits(
        train=np.sort(first(train_order, dataset.train.labels, train)),
        dev=first(test_order[:half], dataset.test.labels, dev),
        test=first(test_order[half:], dataset.test.labels, test),
    )
