"""Photographs of any kind, in folders nested or flat -> a prepared set to train a colorizer on."""

import concurrent.futures
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from colorization.core import image_files
from colorization.core.atomic_io import PICTURES, pictures_below
from colorization.core.color_numpy import rgb_to_lab
from colorization.core.errors import InputError
from colorization.datasets import prepared
from colorization.datasets.base import Dataset, Images, data_root, fit

HELD_OUT = 0.05  # of all photographs, for the dev and the test split
CLASSES = ("photograph",)
"""Of a prepared set, whose photographs have no classes."""

VERSION = 2  # of what prepare does with the files; sets of another one are made anew

# A picture is gray if fewer of its pixels than this share have more than this chroma, in ab units. Tints are
# not told apart: a picture of one color is a sepia print, or a bird in the sky.
COLORED_SHARE = 0.02
COLORED_CHROMA = 8.0
GRAY_SIDE = 64  # pixels, at which that is looked at, so that every side keeps the same pictures


def recognizes(path: Path) -> bool:
    """Whether ``path`` is a folder with photographs somewhere in it."""
    return any(True for _ in pictures_below(path))


def prepare(folders: Iterable[str | Path], side: int, *, held_out: float = HELD_OUT, seed: int = 0) -> Path:
    """Read all photographs below ``folders`` and keep them as a prepared set; a second call finds it.

    Each is cropped to its central square and resized to (side, side). Gray and nearly gray ones, which
    would teach a colorizer to do nothing, and unreadable ones are left out; the set's ``skipped`` says how
    many. The share ``held_out``, about, becomes its test part, whose first half is for the dev split: of each
    file its name below its folder and ``seed`` alone decide, so that it is held out, and for the same split,
    at every side and beside whatever other folders.

    Returns the set's folder, under data_root(), named by a hash of the files' names, sizes and times and of
    the other arguments. Raises InputError for a folder that is missing, and where fewer than three colored
    photographs are found, one for each split.
    """
    files = _files([Path(folder) for folder in folders])
    target = data_root() / f"photos-{_key(files, side, held_out, seed)}"
    if prepared.recognizes(target):
        return target
    images, kept, unreadable, gray = _read(files, side)
    if len(images) < 3:
        raise InputError(
            f"Of {len(files)} image files {unreadable} cannot be read and {gray} are gray, which leaves "
            f"{len(images)} to learn from: give folders of colored photographs."
        )
    draws = np.array([_draw(name, seed) for name in kept])
    order = np.argsort(draws)  # the held-out ones come first
    least = draws[order]
    # Of few photographs at least one for each split
    held = int(np.clip(np.searchsorted(least, held_out, "right"), 2, len(images) - 1))
    dev = int(np.clip(np.searchsorted(least, held_out / 2, "right"), 1, held - 1))
    test, train = images[order[:held]], images[np.sort(order[held:])]
    skipped = [f"{gray} of {len(files)} photographs are gray, or nearly."] if gray else []
    skipped += [f"{unreadable} of {len(files)} image files cannot be read."] if unreadable else []
    labeled = (Images(part, np.zeros(len(part), np.int64)) for part in (train, test))
    dataset = Dataset("photographs", *labeled, CLASSES, tuple(skipped), dev)
    prepared.write(dataset, target, source=", ".join(map(str, folders)))
    return target


def is_gray(rgb: np.ndarray) -> bool:
    """Whether a uint8 (H, W, 3) picture is gray, or nearly."""
    ab = rgb_to_lab(rgb)[..., 1:]
    return bool(np.mean(np.linalg.norm(ab, axis=-1) > COLORED_CHROMA) < COLORED_SHARE)


def _draw(name: str, seed: int) -> float:
    """A number of 0 to 1 that looks random."""
    digest = hashlib.sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _files(folders: list[Path]) -> dict[Path, str]:
    """All image files below the folders, hidden ones apart, each with its name below its folder.

    In an order that is the same on every machine.
    """
    files = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder: give folders of photographs.")
        names = {path: path.relative_to(folder).as_posix() for path in pictures_below(folder)}
        if not names:
            raise InputError(f"{folder} holds no photographs ({', '.join(sorted(PICTURES))}).")
        files |= dict(sorted(names.items(), key=lambda item: item[1]))
    return files


def _key(files: dict[Path, str], *rest) -> str:
    digest = hashlib.sha256(repr((VERSION, *rest)).encode())
    for path, name in files.items():
        stamp = path.stat()
        line = f"{name}\0{path.resolve()}\0{stamp.st_size}\0{stamp.st_mtime_ns}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _read(files: dict[Path, str], side: int) -> tuple[np.ndarray, list[str], int, int]:
    """The colored pictures, uint8 (N, side, side, 3), their names, and how many are unreadable or gray."""
    images, kept, unreadable, gray = np.empty((len(files), side, side, 3), np.uint8), [], 0, 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:  # OpenCV decodes beside Python
        pictures = pool.map(lambda path: _square(path, side), files)
        shown = tqdm(pictures, total=len(files), desc="photographs", mininterval=1.0)
        for name, found in zip(files.values(), shown, strict=True):
            if found is None:
                unreadable += 1
            elif found[1]:
                gray += 1
            else:
                images[len(kept)] = found[0]
                kept.append(name)
    return images[: len(kept)], kept, unreadable, gray


def _square(path: Path, side: int) -> tuple[np.ndarray, bool] | None:
    """A picture of that side, and whether it is gray; None where the file cannot be read."""
    try:
        picture = image_files.read(path)
    except InputError:
        return None
    return fit(picture, side), is_gray(fit(picture, GRAY_SIDE))
