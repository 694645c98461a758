"""The images of a config: which data set, which rows, at which side."""

import dataclasses
import functools
import sys
from pathlib import Path
from typing import Any, NamedTuple

from colorization import datasets
from colorization.core.config import Config
from colorization.core.errors import InputError
from colorization.datasets.base import Dataset, Images
from colorization.datasets.splits import Splits


class RunData(NamedTuple):
    """The data of a training.

    Attributes:
        dataset: the Dataset.
        splits: its Splits.
        train: Images to train on, of the side `crop_from` if the config has one, else of `image_size`.
        dev: Images of the dev split.
    """

    dataset: Dataset
    splits: Splits
    train: Images
    dev: Images

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.dataset.classes


def load(config: Config, source: str | Path | None = None, side: int | None = None) -> Dataset:
    """Load the Dataset of a config. Prints once how many files were left out.

    Args:
        config: a Config.
        source: name or path of another data set; None is the config's own.
        side: side of the images, in pixels; None is the config's image_size.

    Returns:
        Dataset of at most the config's numbers of images.

    Raises:
        InputError: the data are not found or not usable.
    """
    dataset = datasets.load(
        config.data if source is None else source,
        image_size=config.image_size if side is None else side,
        train_limit=config.train_size,
        test_limit=2 * max(config.dev_size, config.test_size),  # split takes each from one half
    )
    for sentence in dataset.skipped:
        _tell(sentence)
    return dataset


@functools.cache
def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def is_found(source: str) -> bool:
    """Whether a source is the name of a data set, or an existing path.

    Args:
        source: name or path.

    Returns:
        True if it exists.
    """
    return source in datasets.NAMES or Path(source).exists()


def split(config: Config, dataset: Dataset) -> Splits:
    """Split a Dataset by the sizes and the split_seed of a config.

    Args:
        config: a Config.
        dataset: a Dataset.

    Returns:
        Splits.

    Raises:
        InputError: a split is empty.
    """
    splits = datasets.split(
        dataset,
        config.train_size,
        config.dev_size,
        config.test_size,
        seed=config.split_seed,
        stratified=config.stratified,
    )
    counts = {name: len(rows) for name, rows in dataclasses.asdict(splits).items()}
    if not all(counts.values()):
        told = ", ".join(f"{count} to {name}" for name, count in counts.items())
        raise InputError(f"{dataset.name} has too few images: {told}. Add images, or enlarge the test split.")
    return splits


def run_data(config: Config, dataset: Dataset, splits: Splits, source: str | None = None) -> RunData:
    """Select the images of a training.

    Args:
        config: a Config.
        dataset: its Dataset.
        splits: Splits of the Dataset.
        source: name or path of the Dataset; None is the config's own.

    Returns:
        RunData.

    Raises:
        InputError: the data are not usable at the side of the crops.
    """
    cropped = load(config, source, config.crop_from) if config.crop_from else dataset
    return RunData(dataset, splits, cropped.train.rows(splits.train), dataset.test.rows(splits.dev))


def identity(dataset: Dataset) -> dict[str, Any]:
    """The identity of a Dataset: name, classes, sizes, and a hash of all images and labels.

    Args:
        dataset: a Dataset.

    Returns:
        {"name", "classes", "train", "test", "sha256"}.
    """
    return {
        "name": dataset.name,
        "classes": list(dataset.classes),
        "train": len(dataset.train),
        "test": len(dataset.test),
        "sha256": dataset.sha256,
    }
