"""Prepare photographs in folders, nested or flat, for the training of a colorizer."""

import concurrent.futures
import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from colorization.core import image_files
from colorization.core.atomic_io import refuse_unwritable
from colorization.core.color_numpy import rgb_to_lab
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath
from colorization.datasets import prepared
from colorization.datasets.base import Dataset, Images, Limits, data_root, to_square
from colorization.datasets.equal_files import first_equals, tell_copies

HELD_OUT = 0.05  # of all photographs, for the dev and the test split
CLASSES = ("photograph",)
"""Of a prepared set, whose photographs have no classes."""

VERSION = 3  # of `prepare`; sets of another version are prepared again

# A picture is gray if fewer of its pixels than this share have more than this chroma, in ab units. A picture
# of one hue counts as colored: a sepia print cannot be distinguished from a bird in the sky.
COLORED_SHARE = 0.02
COLORED_CHROMA = 8.0
GRAY_SIDE = 64  # pixels, of the measured picture, so that the same pictures are gray at every side
GRAY_SAMPLE = 500  # images
GRAY = "gray or nearly gray"


def recognizes(path: Path) -> bool:
    """Whether a path is a folder with an image at any depth.

    Args:
        path: Path of a file or folder.

    Returns:
        True if `read` accepts the path.
    """
    return path.is_dir() and any(reason is None for _, reason in image_files.walk(path))


def read(path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
    """Prepare the photographs of a folder, or find them prepared, and read the set.

    Args:
        path: Path of the folder.
        image_size: side of the images, in pixels.
        limits: not used; the set is read completely.
        seed: not used; the names of the files decide which ones are held out.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images.

    Raises:
        InputError: as in prepare.
    """
    return prepared.read(prepare([path], image_size), image_size)


def prepare(folders: Iterable[StrPath], side: int, *, held_out: float = HELD_OUT, seed: int = 0) -> Path:
    """Read all photographs below some folders, and write them as a prepared set. A second call finds it.

    Each photograph is cropped to its central square and resized. Gray, nearly gray and unreadable ones are
    left out. Gray ones would teach a colorizer to leave pictures gray. The set's `skipped` counts them, and
    names the file that lists them.

    About the share `held_out` is the test part. Its first half is the dev split. The name of a file below its
    folder and the seed decide this alone. So it is the same at every side, and beside any other folders.
    Among files with equal contents the name that sorts first decides.

    Args:
        folders: paths of folders, nested or flat.
        side: side of the images, in pixels.
        held_out: share of the photographs for the dev and the test split, 0..1.
        seed: of the draw of held-out photographs.

    Returns:
        Path of the set, in data_root(). Its name is a hash of the names, sizes and times of the files and of
        the other arguments.

    Raises:
        InputError: a folder is not found, data_root() cannot be written, or there are fewer than three
            different color photographs, one for each split.
    """
    paths = [Path(folder) for folder in folders]
    files, skipped = _files(paths)
    target = data_root() / f"photos-{_key(files, side, held_out, seed)}"
    if prepared.recognizes(target):
        return target
    refuse_unwritable(target)
    images, kept, left_out = _read(list(files), side)
    names = [files[path] for path in kept]
    firsts = _first_equals(names, kept)
    if (different := len(np.unique(firsts))) < 3:
        others = f" ({image_files.reasons(left_out)})" if left_out else ""
        raise InputError(
            f"Only {different} of {len(files)} image files are different color photographs{others}, but at "
            "least 3 are needed. Name more folders."
        )
    order, dev, held = _split(names, firsts, held_out, seed)
    train, test = (
        Images(images[rows], np.zeros(len(rows), np.int64)) for rows in (np.sort(order[held:]), order[:held])
    )
    place = data_root() / f"{target.name}-{image_files.SKIPPED_FILES}"
    told = (*image_files.tell_skipped(skipped | left_out, place), *tell_copies(firsts, "photographs"))
    dataset = Dataset("photographs", train, test, CLASSES, told, dev)
    prepared.write(dataset, target, source=", ".join(map(printable, paths)))
    return target


def is_gray(rgb: np.ndarray) -> bool:
    """Whether a picture is gray, or nearly gray.

    Args:
        rgb: (H, W, 3) uint8.

    Returns:
        True if fewer than COLORED_SHARE of its pixels have a chroma above COLORED_CHROMA.
    """
    ab = rgb_to_lab(rgb)[..., 1:]
    return bool(np.mean(np.linalg.norm(ab, axis=-1) > COLORED_CHROMA) < COLORED_SHARE)


def check_colors(images: np.ndarray, name: str) -> None:
    """Refuse training images that are all gray or nearly gray. Warn if most of them are.

    Args:
        images: (N, H, W, 3) uint8. A sample of them is measured first.
        name: name of the data set in messages.

    Raises:
        InputError: all images are gray.
    """
    sample = images[:: max(1, len(images) // GRAY_SAMPLE)]
    gray = sum(map(is_gray, sample))
    if gray == len(sample) and all(map(is_gray, images)):
        raise InputError(
            f"All {len(images)} training images of {name} are gray. A colorizer needs color images."
        )
    if 2 * gray > len(sample):
        print(
            f"warning: {gray / len(sample):.0%} of the training images of {name} are gray. "
            "They teach the network to leave pictures gray.",
            file=sys.stderr,
        )


def _draw(name: str, seed: int) -> float:
    """A pseudo-random number in 0..1 from a name."""
    digest = hashlib.sha256(f"{seed}/{name}".encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _files(folders: list[Path]) -> tuple[dict[Path, str], dict[Path, str]]:
    """({image file: name below its folder}, {skipped file: reason}), in the same order on all machines."""
    files: dict[Path, str] = {}
    skipped: dict[Path, str] = {}
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{printable(folder)} is not a directory. Name folders of photographs.")
        listing = image_files.list_images(folder)
        if not listing.images:
            raise image_files.no_images(folder, listing.skipped)
        files |= {path: path.relative_to(folder).as_posix() for path in listing.images}
        skipped |= listing.skipped
    return files, skipped


def _key(files: dict[Path, str], *rest) -> str:
    digest = hashlib.sha256(repr((VERSION, *rest)).encode())
    for path, name in files.items():
        stamp = path.stat()
        line = f"{name}\0{path.resolve()}\0{stamp.st_size}\0{stamp.st_mtime_ns}\n"
        digest.update(line.encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _read(files: list[Path], side: int) -> tuple[np.ndarray, list[Path], dict[Path, str]]:
    """The colored pictures, uint8 (N, side, side, 3), their files, and {other file: reason}."""
    images = np.empty((len(files), side, side, 3), np.uint8)
    kept: list[Path] = []
    left_out: dict[Path, str] = {}
    with concurrent.futures.ThreadPoolExecutor(
        os.cpu_count()
    ) as pool:  # OpenCV decodes in parallel with Python
        pictures = pool.map(lambda path: _square(path, side), files)
        shown = tqdm(pictures, total=len(files), desc="photographs", mininterval=1.0)
        for path, found in zip(files, shown, strict=True):
            if isinstance(found, str):
                left_out[path] = found
            else:
                images[len(kept)] = found
                kept.append(path)
    return images[: len(kept)], kept, left_out


def _square(path: Path, side: int) -> np.ndarray | str:
    """A picture of this side, or the reason for leaving it out."""
    try:
        picture = image_files.read(path)
    except InputError:
        return image_files.UNREADABLE
    return GRAY if is_gray(to_square(picture, GRAY_SIDE)) else to_square(picture, side)


def _first_equals(names: list[str], files: list[Path]) -> np.ndarray:
    """For each file the position of the equal one whose name sorts first, (N,) int64."""
    order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    firsts = np.empty(len(names), np.int64)
    firsts[order] = order[first_equals([files[position] for position in order])]
    return firsts


def _split(names: list[str], firsts: np.ndarray, held_out: float, seed: int) -> tuple[np.ndarray, int, int]:
    """(order of the pictures: dev, test, training; end of dev; end of test)."""
    draws = np.array([_draw(names[first], seed) for first in firsts])
    order = np.lexsort((firsts, draws))
    least = draws[order]
    ends = np.flatnonzero(np.append(np.diff(firsts[order]) != 0, True)) + 1  # of equal pictures in a row
    # At least one photograph for each split
    held = int(np.clip(np.searchsorted(least, held_out, "right"), ends[1], ends[-2]))
    last = ends[np.searchsorted(ends, held) - 1]
    dev = int(np.clip(np.searchsorted(least, held_out / 2, "right"), ends[0], last))
    return order, dev, held
