"""Folders of images, ``train|test/<class>/*.png|jpg|jpeg``, read through OpenCV."""

import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from colorization.core.errors import InputError
from colorization.datasets.base import Dataset, Images, fit

SUFFIXES = {".png", ".jpg", ".jpeg"}
HELD_OUT = 0.1  # of each class, where there is no test folder
MANY = 2000  # images from which progress is shown even to a log file

Listing = list[tuple[Path, int]]  # image files with their labels


def recognizes(path: Path) -> bool:
    """Whether ``path`` is a folder with a folder ``train`` in it."""
    return (path / "train").is_dir()


def _visible(entries) -> list[Path]:
    return sorted(entry for entry in entries if not entry.name.startswith("."))


def _classes(split: Path) -> tuple[str, ...]:
    return tuple(entry.name for entry in _visible(split.iterdir()) if entry.is_dir())


def _files(class_folder: Path) -> list[Path]:
    """The images at any depth of a class folder, in an order that is the same on every machine."""
    files = [path for path in _visible(class_folder.rglob("*")) if path.suffix.lower() in SUFFIXES]
    if not files:
        raise InputError(f"{class_folder} holds no PNG or JPEG image: add some or remove the folder.")
    return sorted(files, key=lambda path: path.relative_to(class_folder).as_posix())


def _limited(listing: list[list[Path]], limit: int | None, rng: np.random.Generator) -> Listing:
    """At most ``limit`` of the files of all classes, about equally many of each, class by class."""
    orders = [rng.permutation(len(files)) for files in listing]
    ranks = np.concatenate([np.argsort(order) for order in orders])
    labels = np.repeat(np.arange(len(listing)), [len(files) for files in listing])
    files = [file for of_class in listing for file in of_class]
    chosen = np.sort(np.lexsort((labels, ranks))[:limit])
    return [(files[index], int(labels[index])) for index in chosen]


def _read_split(listing: Listing, size: int, name: str) -> tuple[Images, list[str]]:
    from colorization.core.image_files import read as read_image

    images = np.empty((len(listing), size, size, 3), np.uint8)
    labels, unreadable = [], []
    hidden = not sys.stderr.isatty() and len(listing) <= MANY
    for path, label in tqdm(listing, desc=f"{name} images", disable=hidden, mininterval=1.0):
        try:
            images[len(labels)] = fit(read_image(path), size)
            labels.append(label)
        except InputError:
            unreadable.append(path)
    if 2 * len(unreadable) > len(listing):
        raise InputError(
            f"{unreadable[0]} is no readable image, nor are {len(unreadable) - 1} others of the "
            f"{len(listing)} {name} images: replace them."
        )
    skipped = [f"{path} is no readable image and was left out." for path in unreadable]
    return Images(images[: len(labels)], np.array(labels, np.int64)), skipped


def read(path: Path, image_size: int, limits: tuple[int | None, int | None], seed: int) -> Dataset:
    """Read an image folder; images are uint8 (N, image_size, image_size, 3) RGB, classes in order of name.

    Without a folder ``test`` a tenth of each class, chosen by ``seed``, is held out of ``train`` for it.
    ``limits`` (train, test) are kept to before any file is read, with the classes as equal as may be.
    Raises InputError for classes that are empty, too few or not the same in both splits, and where more
    than half of the images of a split are unreadable.
    """
    classes = _classes(path / "train")
    if len(classes) < 2:
        raise InputError(
            f"{path / 'train'} holds {len(classes)} class folder(s), but at least two are needed: "
            "put the images of each class into a folder of its own."
        )
    rng = np.random.default_rng(seed)
    train = [_files(path / "train" / name) for name in classes]
    if (path / "test").is_dir():
        if differing := sorted(set(classes) ^ set(_classes(path / "test"))):
            raise InputError(
                f"{path} has the class {differing[0]!r} in only one of train and test: make them agree."
            )
        test = [_files(path / "test" / name) for name in classes]
    else:
        test = [[] for _ in classes]
        for label, files in enumerate(train):
            number = max(1, round(HELD_OUT * len(files))) if len(files) > 1 else 0
            held_out = set(rng.permutation(len(files))[:number].tolist())
            test[label] = [file for index, file in enumerate(files) if index in held_out]
            train[label] = [file for index, file in enumerate(files) if index not in held_out]
        if not any(test):
            raise InputError(f"{path} has no folder test, and too few images to hold some out: add some.")
    train_images, train_skipped = _read_split(_limited(train, limits[0], rng), image_size, "train")
    test_images, test_skipped = _read_split(_limited(test, limits[1], rng), image_size, "test")
    skipped = (*train_skipped, *test_skipped)
    return Dataset(path.resolve().name, train_images, test_images, classes, skipped)
