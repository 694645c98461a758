"""Parquet files as model hubs publish CIFAR and ImageNet: encoded images beside their labels."""

from pathlib import Path
from typing import Any

import numpy as np

from colorization.core.errors import InputError, printable
from colorization.datasets.base import Dataset, Images, Limits
from colorization.datasets.image_reading import choose, gather, refuse_mostly_unreadable

TRAIN, TEST = ("train",), ("test",)
DEV = ("validation", "valid", "val")
IMAGES = ("img", "image")
LABELS = ("label", "fine_label", "labels")
BATCH = 256  # rows in memory at once


def recognizes(path: Path) -> bool:
    """Whether ``path`` is a folder with train-*.parquet, train.parquet or train/*.parquet."""
    return path.is_dir() and bool(_files(path, TRAIN))


def read(path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
    """Read a folder of Parquet files, batch by batch.

    The images are in the column img or image, the labels in label or fine_label; without labels the images
    have no classes. The names of classes come from the schema, or are numbers. Files called validation-*
    beside test-* are the dev split, and test-* the test split; one of them alone is both. Test files without
    labels (all -1) are left out. ``limits`` are kept to with the classes as equal as may be, drawn by
    ``seed``; the second one holds for each held-out split. Returns images of uint8
    (N, image_size, image_size, 3) RGB. Raises InputError where files, columns or pyarrow are missing, and
    where more than half of the images of a split cannot be read.
    """
    files = {names[0]: _files(path, names) for names in (TRAIN, DEV, TEST)}
    labels = {part: _labels(of_part) for part, of_part in files.items() if of_part}
    skipped = []
    if "validation" in labels and "test" in labels and (labels["test"] == -1).all():
        del labels["test"]
        skipped.append(f"The test files of {printable(path)} have no labels and are left out.")
    if len(labels) < 2:
        raise InputError(f"{printable(path)} has no test-*.parquet or validation-*.parquet with labels. Add one.")
    classes = _classes(files["train"][0], labels)
    rng = np.random.default_rng(seed)
    parts = []
    for part, of_part in labels.items():
        _refuse_labels(of_part, len(classes), f"the {part} files of {printable(path)}")
        rows = choose(of_part, len(classes), limits[part != "train"], rng)
        images, unreadable = gather(_images(files[part], rows), of_part[rows], image_size, part)
        refuse_mostly_unreadable([f"row {rows[i]} of {path}" for i in unreadable], len(rows), part)
        if unreadable:
            skipped.append(f"{len(unreadable)} of {len(rows)} {part} images cannot be read and are left out.")
        parts.append(images)
    train, *held_out = parts
    test = Images(
        np.concatenate([part.images for part in held_out]), np.concatenate([part.labels for part in held_out])
    )
    dev = len(held_out[0]) if len(held_out) > 1 else None
    return Dataset(printable(path.resolve().name), train, test, classes, tuple(skipped), dev)


def _files(path: Path, names: tuple[str, ...]) -> list[Path]:
    """The files of a split, in order of name."""
    for name in names:
        patterns = (f"{name}-*.parquet", f"{name}.parquet", f"{name}/*.parquet")
        for pattern in patterns:
            if found := sorted(file for file in path.glob(pattern) if not file.name.startswith(".")):
                return found
    return []


def _open(file: Path) -> Any:
    """A pyarrow.parquet.ParquetFile."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError(f"{printable(file)} needs pyarrow: pip install 'colorization[parquet]'.") from None
    try:
        return pyarrow.parquet.ParquetFile(file)
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise InputError(f"{printable(file)} cannot be read as Parquet: {_first_line(error)}.") from None


def _column(opened: Any, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in opened.schema_arrow.names), None)


def _labels(files: list[Path]) -> np.ndarray:
    """The labels of a split, int64 (N,); zeros if there is no such column."""
    found = []
    for file in files:
        with _open(file) as opened:
            column = _column(opened, LABELS)
            if column is None:
                found.append(np.zeros(opened.metadata.num_rows, np.int64))
                continue
            values = _read_rows(opened, file, column).to_numpy()
            if values.dtype.kind not in "iu":
                raise InputError(f"The column {column} of {printable(file)} does not hold whole numbers.")
            found.append(values.astype(np.int64))
    return np.concatenate(found)
