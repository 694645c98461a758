#!/usr/bin/env python
"""Prepare a data set: read or download it once, check it, and lay it down as plain arrays."""

import argparse
import os
import sys
import time
from pathlib import Path

NAMES = ("cifar10", "cifar100", "synthetic")
CLASSES = {"cifar10": 10, "cifar100": 100}
TRAIN, TEST = 50_000, 10_000  # images of the published sets, equally many of each class


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="PATH",
        help="convert this file or folder: the published Python or binary layout (a folder or a tar), "
        "a folder of Parquet files, arrays in .npz, a prepared folder or train|test/<class>/ images; "
        "without it the set is downloaded",
    )
    parser.add_argument(
        "--to",
        type=Path,
        metavar="DIR",
        help="the folder in which NAME/ is made (default: $COLORIZATION_DATA, else the checkout's data/)",
    )
    parser.add_argument("--force", action="store_true", help="replace a prepared set that is there")
    return parser.parse_args(arguments)


def obtain(name: str, source: Path | None):
    """The data set called ``name``, from ``source``, from its generator or from the network."""
    from colorization import datasets
    from colorization.core.errors import InputError, printable

    if name == "synthetic":
        if source:
            raise InputError("the synthetic set is generated: leave out --from.")
        return datasets.load(name)
    if source is None:
        return datasets.download(name)
    dataset = datasets.load(source)
    if len(dataset.classes) != CLASSES[name]:
        raise InputError(
            f"{printable(source)} has {len(dataset.classes)} classes, but {name} has {CLASSES[name]}."
        )
    if datasets.cifar.differs_from_published(source):
        print(
            f"warning: {printable(source)} has the name of a published file, but not its checksum. "
            "It may be damaged or changed.",
            file=sys.stderr,
        )
    return dataset


def report(name: str, dataset) -> None:
    """Print how many images each split and class has, and whether that is the published number."""
    from colorization import datasets

    print(f"{len(dataset.classes)} classes: {', '.join(dataset.classes)}")
    for (split, counts), full in zip(datasets.verify(dataset).items(), (TRAIN, TEST), strict=True):
        each = (
            f"{counts.min():,}" if counts.min() == counts.max() else f"{counts.min():,} to {counts.max():,}"
        )
        published = full // len(counts)
        note = f" (the published set has {published:,})" if (counts != published).any() else ""
        print(f"{split}: {counts.sum():,} images, {each} of each class{note}")
    for sentence in dataset.skipped:
        print(sentence)


def prepare(name: str, source: Path | None, to: Path | None, force: bool) -> None:
    from dataclasses import replace

    from colorization import datasets
    from colorization.core.errors import printable

    start = time.perf_counter()
    folder = (to or datasets.data_root()) / name
    if folder.exists() and not force:
        report(name, datasets.read(folder))
        print(f"{name} is already in {printable(folder)} and undamaged. --force makes it again.")
        return
    dataset = replace(obtain(name, source), name=name)
    origin = printable(source) if source else "generated" if name == "synthetic" else "downloaded"
    datasets.write(dataset, folder, source=origin)
    report(name, dataset)
    print(f"{name} is now in {printable(folder)}; it took {time.perf_counter() - start:.1f} s.")


def main(arguments: list[str] | None = None) -> int:
    args = parse(arguments)
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout need not be installed
    from colorization.cli.console import run_command

    return run_command(prepare, args.name, args.source, args.to, args.force)


if __name__ == "__main__":
    # A download imports keras; with this backend it starts sooner and logs nothing, and nothing is computed.
    os.environ.setdefault("KERAS_BACKEND", "numpy")
    sys.exit(main())
