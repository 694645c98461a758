"""`colorize prepare`: read or download a data set once, check it, and store it as plain arrays."""

import argparse
import dataclasses
import sys
import time
from pathlib import Path

from colorization import datasets
from colorization.core.atomic_io import refuse_unwritable
from colorization.core.errors import InputError, printable
from colorization.datasets import Dataset, cifar, photographs

_CLASSES = {"cifar10": 10, "cifar100": 100}
_TRAIN, _TEST = 50_000, 10_000  # images of the published sets, equally many of each class


def run(arguments: argparse.Namespace) -> None:
    """Prepare a data set, or find it prepared, and print its contents.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the data are not usable, or the folder cannot be written.
    """
    start, name = time.perf_counter(), arguments.name
    folder = (arguments.to or datasets.data_root()) / name
    if folder.exists() and not arguments.force:
        _report(datasets.read(folder))
        print(f"{name} is already in {printable(folder)}, and is complete. Use --force to make it again.")
        return
    refuse_unwritable(folder)
    source = arguments.source
    dataset = dataclasses.replace(_obtain(name, source, folder.parent), name=name)
    origin = printable(source) if source else "generated" if name == "synthetic" else "downloaded"
    datasets.write(dataset, folder, source=origin)
    _report(dataset)
    print(f"{name} is now in {printable(folder)}; it took {time.perf_counter() - start:.1f} s.")


def photos(arguments: argparse.Namespace) -> None:
    """Prepare the photographs of folders, as `colorize train photos` does, and print the new folder.

    Args:
        arguments: the parsed command line.

    Raises:
        InputError: the photographs are not usable, or the folder cannot be written.
    """
    folder = photographs.prepare(arguments.folders, arguments.size)
    dataset = datasets.read(folder, arguments.size)
    print(f"train: {len(dataset.train):,} photographs; held out: {len(dataset.test):,}")
    for sentence in dataset.skipped:
        print(sentence)
    print(printable(folder))


def _obtain(name: str, source: Path | None, folder: Path) -> Dataset:
    """The data set of a name, from `source`, from its generator or by a download to `folder`."""
    if name == "synthetic":
        if source:
            raise InputError("The synthetic set is generated. Leave out --from.")
        return datasets.load(name)
    if source is None:
        return datasets.download(name, folder=folder)
    dataset = datasets.load(source)
    if len(dataset.classes) != _CLASSES[name]:
        raise InputError(
            f"{printable(source)} has {len(dataset.classes)} classes, but {name} has {_CLASSES[name]}."
        )
    if cifar.differs_from_published(source):
        print(
            f"warning: {printable(source)} has the name of a published file, but not its checksum. "
            "It may be damaged or changed.",
            file=sys.stderr,
        )
    return dataset


def _report(dataset: Dataset) -> None:
    """Print the numbers of images of the splits and classes, and the published number if it differs."""
    print(f"{len(dataset.classes)} classes: {', '.join(dataset.classes)}")
    for (split, counts), full in zip(datasets.verify(dataset).items(), (_TRAIN, _TEST), strict=True):
        each = (
            f"{counts.min():,}" if counts.min() == counts.max() else f"{counts.min():,} to {counts.max():,}"
        )
        published = full // len(counts)
        note = f" (the published set has {published:,})" if (counts != published).any() else ""
        print(f"{split}: {counts.sum():,} images, {each} of each class{note}")
    for sentence in dataset.skipped:
        print(sentence)
