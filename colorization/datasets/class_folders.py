"""Folders of images that are split already, ``train|val|test/<class>/...``, with classes or without."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from colorization.core import image_files
from colorization.core.errors import InputError, printable
from colorization.datasets.base import UNLABELED, Dataset, Images, Limits, data_root
from colorization.datasets.equal_files import first_equals, tell_copies
from colorization.datasets.image_reading import choose, file_or_none, gather, refuse_mostly_unreadable

TRAIN, TEST = "train", "test"
DEV = ("val", "valid", "validation")
HELD_OUT = 0.1  # of each class, where there is no folder for dev or test
OUTSIDE = "outside the class folders"

Files = list[list[Path]]  # the images of each class
Skipped = dict[Path, str]  # the reason for which a file is left out


def recognizes(path: Path) -> bool:
    """Whether a folder contains `train` with class folders, or `train` beside `val` or `test`.

    Args:
        path: Path of the folder.

    Returns:
        True if `read` accepts the path.
    """
    train = path / TRAIN
    return train.is_dir() and bool(_held_out_folders(path) or len(_class_names(train)) > 1)


def read(path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
    """Read a folder of images that is split already. Classes are in order of name.

    With fewer than two class folders in `train` the images have no classes (UNLABELED). `val` beside `test`
    is the dev split, and `test` is the test split. One of them alone is both. Without them a tenth of each
    class is held out of `train`. Equal files are then in the same split: the first one in order of class and
    name decides.

    Args:
        path: Path of the folder.
        image_size: side of the images, in pixels.
        limits: maximum numbers of images, (train, each held-out folder), about equally many of each class.
            Other files are not read.
        seed: of the held-out images and of the choice under a limit.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images.

    Raises:
        InputError: a class is empty, the splits have different classes, there are too few images to hold some
            out, or more than half of the images of a split cannot be read.
    """
    names = _class_names(path / TRAIN)
    names = names if len(names) > 1 else ()
    folders = _held_out_folders(path)
    _refuse_other_classes(path, names, folders)
    rng = np.random.default_rng(seed)
    skipped: dict[str, Skipped] = {folder.name: {} for folder in (path / TRAIN, *folders)}
    parts = {part: _files(path / part, names, skipped[part]) for part in skipped}
    copies: tuple[str, ...] = ()
    if not folders:
        firsts = first_equals([file for files in parts[TRAIN] for file in files])
        copies = tell_copies(firsts, "images")
        parts[TRAIN], parts[TEST] = _hold_out(parts[TRAIN], firsts, rng)
        skipped[TEST] = {}
        if not any(parts[TEST]):
            raise InputError(f"{printable(path)} has too few images for a test split. Add images.")
    train, *held_out = [
        _read_part(files, image_size, limits[part != TRAIN], rng, part, skipped[part])
        for part, files in parts.items()
    ]
    test = Images(
        np.concatenate([part.images for part in held_out]), np.concatenate([part.labels for part in held_out])
    )
    name = path.resolve().name
    told = image_files.tell_skipped(
        {file: reason for of_part in skipped.values() for file, reason in of_part.items()},
        data_root() / f"{name}-{image_files.SKIPPED_FILES}",
    )
    dev = len(held_out[0]) if len(held_out) > 1 else None
    classes = tuple(map(printable, names)) or UNLABELED
    return Dataset(printable(name), train, test, classes, (*told, *copies), dev)


def _held_out_folders(path: Path) -> list[Path]:
    """The folder of the dev split and that of the test split, or one of them, or none."""
    dev = [path / name for name in DEV if (path / name).is_dir()]
    if len(dev) > 1:
        raise InputError(
            f"{printable(path)} contains {dev[0].name} and {dev[1].name}. Keep only one of them."
        )
    return [*dev, *(folder for folder in (path / TEST,) if folder.is_dir())]


def _refuse_other_classes(path: Path, names: tuple[str, ...], folders: list[Path]) -> None:
    for folder in folders if names else []:
        if differing := sorted(set(names) ^ set(_class_names(folder))):
            raise InputError(
                f"{printable(path)} has the class {printable(differing[0])} in only one of {TRAIN} and "
                f"{folder.name}. Both must have the same classes."
            )


def _class_names(split: Path) -> tuple[str, ...]:
    return tuple(
        sorted(entry.name for entry in split.iterdir() if not entry.name.startswith(".") and entry.is_dir())
    )


def _files(split: Path, names: tuple[str, ...], skipped: Skipped) -> Files:
    """The images of each class, or of the folder if there are no classes. Adds to `skipped`."""
    if names:
        skipped.update(_outside(split))
    found = []
    for folder in [split / name for name in names] or [split]:
        listing = image_files.list_images(folder)
        skipped.update(listing.skipped)
        if not listing.images:
            raise image_files.no_images(folder, listing.skipped)
        found.append(listing.images)
    return found


def _outside(split: Path) -> Iterable[tuple[Path, str]]:
    """The entries of a split that are not below a class folder, with the reasons for leaving them out."""
    for path in split.iterdir():
        if path.name.startswith("."):
            yield path, image_files.HIDDEN
        elif not path.is_dir():
            yield path, image_files.reason_to_skip(path) or OUTSIDE


def _hold_out(files: Files, firsts: np.ndarray, rng: np.random.Generator) -> tuple[Files, Files]:
    """Divide the images of each class into training images and a tenth that is held out.

    Equal images are in the same part as the first one. Only the first one is held out, because dev and test
    split these images later. If a class then had no training images, all its images and their copies are for
    training.
    """
    drawn = []
    for of_class in files:
        number = max(1, round(HELD_OUT * len(of_class))) if len(of_class) > 1 else 0
        held_out = np.zeros(len(of_class), bool)
        held_out[rng.permutation(len(of_class))[:number]] = True
        drawn.append(held_out)
    chosen = np.concatenate(drawn)[firsts]
    labels = np.repeat(np.arange(len(files)), [len(of_class) for of_class in files])
    for label in range(len(files)):
        if chosen[labels == label].all():
            chosen[np.isin(firsts, firsts[labels == label])] = False
    flat = [file for of_class in files for file in of_class]
    is_first = firsts == np.arange(len(firsts))

    def part(held_out: bool) -> Files:
        return [
            [
                flat[row]
                for row in np.flatnonzero((labels == label) & (chosen == held_out))
                if is_first[row] or not held_out
            ]
            for label in range(len(files))
        ]

    return part(False), part(True)


def _read_part(
    files: Files, size: int, limit: int | None, rng: np.random.Generator, part: str, skipped: dict[Path, str]
) -> Images:
    """Read the images of a split, at most `limit`. Adds unreadable ones to `skipped`."""
    flat = [file for of_class in files for file in of_class]
    labels = np.repeat(np.arange(len(files)), [len(of_class) for of_class in files])
    rows = choose(labels, len(files), limit, rng)
    chosen = [flat[row] for row in rows]
    images, unreadable = gather(map(file_or_none, chosen), labels[rows], size, part)
    listed = [path for path, reason in skipped.items() if reason == image_files.UNREADABLE]
    refuse_mostly_unreadable(listed, len(flat) + len(listed), part)
    refuse_mostly_unreadable([chosen[row] for row in unreadable], len(chosen), part)
    skipped.update((chosen[row], image_files.UNREADABLE) for row in unreadable)
    return images
