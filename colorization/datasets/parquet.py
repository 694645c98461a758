"""Parquet files with encoded images and labels, as model hubs publish CIFAR and ImageNet."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from colorization.core.errors import InputError, printable
from colorization.datasets.base import UNLABELED, Dataset, Images, Limits, numbered_classes
from colorization.datasets.image_reading import choose, decoded, gather, refuse_mostly_unreadable

TRAIN, TEST = ("train",), ("test",)
DEV = ("validation", "valid", "val")
IMAGES = ("img", "image")
LABELS = ("label", "fine_label", "labels")
BATCH = 256  # rows in memory at once


def recognizes(path: Path) -> bool:
    """Whether a path is a folder with train-*.parquet, train.parquet or train/*.parquet.

    Args:
        path: Path of a file or folder.

    Returns:
        True if `read` accepts the path.
    """
    return path.is_dir() and bool(_files(path, TRAIN))


def read(path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
    """Read a folder of Parquet files, batch by batch.

    The images are in the column img or image, the labels in label, fine_label or labels. Without labels the
    images have no classes. The names of classes come from the schema, or are numbers. Files validation-*
    beside test-* are the dev split, and test-* the test split. One of them alone is both. Test files without
    labels (all -1) are left out.

    Args:
        path: Path of the folder.
        image_size: side of the images, in pixels.
        limits: maximum numbers of images, (train, each held-out split), about equally many of each class.
        seed: of the choice under a limit.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images.

    Raises:
        InputError: files, columns or pyarrow are missing, or more than half of the images of a split cannot
            be read.
    """
    files = {names[0]: _files(path, names) for names in (TRAIN, DEV, TEST)}
    labels = {part: _labels(of_part) for part, of_part in files.items() if of_part}
    skipped = []
    if "validation" in labels and "test" in labels and (labels["test"] == -1).all():
        del labels["test"]
        skipped.append(f"The test files of {printable(path)} have no labels and are left out.")
    if len(labels) < 2:
        raise InputError(
            f"{printable(path)} has no test-*.parquet or validation-*.parquet with labels. Add one."
        )
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
        raise InputError(
            f"{printable(file)} needs pyarrow. Run `pip install 'keras-colorization[parquet]'`."
        ) from None
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
                raise InputError(f"The column {column} of {printable(file)} does not contain whole numbers.")
            found.append(values.astype(np.int64))
    return np.concatenate(found)


def _classes(file: Path, labels: dict[str, np.ndarray]) -> tuple[str, ...]:
    """The names of the classes: of the schema's metadata, or else numbers; UNLABELED without labels."""
    with _open(file) as opened:
        column = _column(opened, LABELS)
        metadata = opened.schema_arrow.metadata or {}
    if column is None:
        return UNLABELED
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        names = tuple(printable(str(name)) for name in features[column]["names"])
    except (KeyError, TypeError, ValueError):
        names = ()
    highest = max(int(part.max(initial=0)) for part in labels.values())
    return names or numbered_classes(highest, printable(file))


def _refuse_labels(labels: np.ndarray, classes: int, where: str) -> None:
    if not len(labels):
        raise InputError(f"There are no images in {where}.")
    if labels.min() < 0 or labels.max() >= classes:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise InputError(f"The label {wrong} is in {where}, but there are {classes} classes.")


def _images(files: list[Path], rows: np.ndarray) -> Iterator[np.ndarray | None]:
    """The images of rows in ascending order, uint8 (H, W, 3) RGB; None for one that cannot be read."""
    start = 0  # of a row group, among the rows of all files
    for file in files:
        with _open(file) as opened:
            column = _bytes_column(opened, file)
            for group in range(opened.metadata.num_row_groups):
                end = start + opened.metadata.row_group(group).num_rows
                wanted = rows[np.searchsorted(rows, start) : np.searchsorted(rows, end)] - start
                if len(wanted):
                    yield from _images_of_group(opened, file, column, group, set(wanted.tolist()))
                start = end


def _images_of_group(
    opened: Any, file: Path, column: str, group: int, wanted: set[int]
) -> Iterator[np.ndarray | None]:
    row = 0
    try:
        for batch in opened.iter_batches(BATCH, row_groups=[group], columns=[column]):
            values = batch.column(0)
            for value in values.field("bytes") if "." in column else values:
                if row in wanted:
                    yield decoded(value.as_py() or b"")
                row += 1
    except (OSError, ValueError) as error:  # a damaged page
        raise InputError(f"{printable(file)} cannot be read as Parquet: {_first_line(error)}.") from None


def _bytes_column(opened: Any, file: Path) -> str:
    """The column of encoded images, with a dot if they are a field of a struct."""
    name = _column(opened, IMAGES)
    if name is None:
        raise InputError(
            f"{printable(file)} has no column {' or '.join(IMAGES)}. Its columns are "
            f"{', '.join(opened.schema_arrow.names)}."
        )
    kind = opened.schema_arrow.field(name).type
    fields = {field.name: field.type for field in kind} if str(kind).startswith("struct") else {}
    if "binary" in str(fields.get("bytes", kind)) and (fields or "binary" in str(kind)):
        return f"{name}.bytes" if fields else name
    raise InputError(f"The column {name} of {printable(file)} contains {kind}, not the bytes of image files.")


def _read_rows(opened: Any, file: Path, column: str) -> Any:
    try:
        return opened.read([column]).column(0)
    except (OSError, ValueError) as error:
        raise InputError(f"{printable(file)} cannot be read as Parquet: {_first_line(error)}.") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0].rstrip(".") if str(error).strip() else type(error).__name__
