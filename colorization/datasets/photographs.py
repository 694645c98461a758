"""Prepare photographs in folders, nested or flat, for the training of a colorizer."""

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from colorization.core import image_files
from colorization.core.atomic_io import refuse_unwritable
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath
from colorization.datasets import decoder, prepared
from colorization.datasets.base import Dataset, Images, Limits, data_root
from colorization.datasets.decoder import is_gray
from colorization.datasets.equal_files import first_equals, tell_copies

HELD_OUT = 0.05  # of all photographs, for the dev and the test split
CLASSES = ("photograph",)
"""Of a prepared set, whose photographs have no classes."""

VERSION = 3  # of `prepare`; sets of another version are prepared again

GRAY_SAMPLE = 500  # images


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
    names the file that lists them. Several processes decode the files (datasets.decoder). After an
    interruption, the next call decodes only the remaining files.

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
    with decoder.workplace(target) as place:
        if not prepared.recognizes(target):  # another process may have made it meanwhile
            pictures, codes = decoder.decode_all(list(files), side, place)
            dataset = _dataset(files, pictures, codes, skipped, target, held_out, seed)
            prepared.write(dataset, target, source=", ".join(map(printable, paths)))
    return target


def _dataset(files, pictures, codes, skipped, target, held_out, seed):
    """The Dataset of decoded files, see prepare."""
    decoded = np.flatnonzero(codes == decoder.KEPT)
    paths = list(files)
    kept = [paths[row] for row in decoded]
    left_out = {
        path: decoder.REASONS[code] for path, code in zip(paths, codes.tolist(), strict=True) if code > 1
    }
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
        Images(Rows(pictures, decoded[rows]), np.zeros(len(rows), np.int64))
        for rows in (np.sort(order[held:]), order[:held])
    )
    place = data_root() / f"{target.name}-{image_files.SKIPPED_FILES}"
    told = (*image_files.tell_skipped(skipped | left_out, place), *tell_copies(firsts, "photographs"))
    return Dataset("photographs", train, test, CLASSES, told, dev)


class Rows:
    """Some rows of an array on the disk, as an array that is read in slices."""

    def __init__(self, array: np.ndarray, rows: np.ndarray):
        self.array, self.rows = array, rows
        self.dtype, self.ndim, self.shape = array.dtype, array.ndim, (len(rows), *array.shape[1:])

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, part: slice) -> np.ndarray:
        return self.array[self.rows[part]]


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
