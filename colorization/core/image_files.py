"""Image files: found below folders, and read for data sets as uint8 RGB arrays. See also core.pictures."""

import collections
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from colorization.core import image_formats
from colorization.core.atomic_io import write_text
from colorization.core.errors import InputError, printable
from colorization.core.image_formats import image_format
from colorization.core.pictures import Picture, open_picture
from colorization.core.pictures.file_metadata import Metadata
from colorization.core.pictures.sample_arrays import reduced
from colorization.core.pictures.writing import write_picture
from colorization.core.typing import StrPath

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # InputError carries the message

HIDDEN = "hidden"
NOT_AN_IMAGE = "not an image"
NOT_SUPPORTED = "format not supported"
UNREADABLE = "cannot be read"
FOLDER_UNREADABLE = "folder cannot be read"
BROKEN_LINK = "broken link"
LISTED_BEFORE = "link to a folder listed before"
"""Reasons for which an entry of a folder is left out."""

SKIPPED_FILES = "skipped-files.txt"
PICTURES = {
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".heic", ".heif", ".avif", ".jp2", ".j2k"),
}
"""Suffixes that promise an image, in lower case. Other content under such a name is damaged."""


class Listing(NamedTuple):
    """The images below a folder, and the entries that are left out.

    Attributes:
        images: paths, in order of their names below the folder.
        skipped: {path: reason} of the other files and folders, in order of path.
    """

    images: list[Path]
    skipped: dict[Path, str]


def list_images(folder: StrPath) -> Listing:
    """Find the images at any depth of a folder, by their content. See `walk`.

    Args:
        folder: path of the folder.

    Returns:
        Listing.
    """
    folder = Path(folder)
    found = list(walk(folder))
    images = [path for path, reason in found if reason is None]
    return Listing(
        sorted(images, key=lambda path: path.relative_to(folder).as_posix()),
        dict(sorted((path, reason) for path, reason in found if reason is not None)),
    )


def walk(folder: StrPath) -> Iterator[tuple[Path, str | None]]:
    """Find the files below a folder, one after the other.

    Links are followed. Each folder is listed once, so that loops of links end. A folder below `folder` is
    listed under its own name, not under that of a link. Names that begin with a dot are yielded as hidden.
    Folders with such names are not searched.

    Args:
        folder: path of the folder.

    Yields:
        (path, None) of an image, (path, reason) of another file, or of a folder that is not listed.
    """
    seen: set[tuple[int, int]] = set()
    places = [Path(folder)]
    links: collections.deque[Path] = collections.deque()
    while places or links:
        place = places.pop() if places else links.popleft()  # links come last
        try:
            status = place.stat()
            entries = sorted(place.iterdir())
        except OSError:
            yield place, FOLDER_UNREADABLE
            continue
        if (status.st_dev, status.st_ino) in seen:
            yield place, LISTED_BEFORE
            continue
        seen.add((status.st_dev, status.st_ino))
        for path in entries:
            if path.name.startswith("."):
                yield path, HIDDEN
            elif _is_folder(path):
                (links if path.is_symlink() else places).append(path)
            else:
                yield path, reason_to_skip(path)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:  # without permission too, which Path.is_dir raises
        return False


def reason_to_skip(path: Path) -> str | None:
    """The reason for which a file is not read as an image. The first bytes of the file decide.

    Args:
        path: path of the file.

    Returns:
        One of the reasons of this module; None for an image.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return NOT_AN_IMAGE  # a pipe, say, which would block
        with path.open("rb") as file:
            header = file.read(image_formats.HEADER)
    except OSError:
        return BROKEN_LINK if path.is_symlink() and not path.exists() else UNREADABLE
    suffix, name = path.suffix.lower(), image_format(header)
    if suffix in image_formats.RAW_SUFFIXES and name in (None, "TIFF"):
        return NOT_SUPPORTED
    if name is None:
        return UNREADABLE if suffix in PICTURES else NOT_AN_IMAGE
    return None if name in image_formats.READABLE else NOT_SUPPORTED


def reasons(skipped: Mapping[Path, str]) -> str:
    """Count skipped files by their reasons.

    Args:
        skipped: {path: reason}.

    Returns:
        Text such as "2 hidden, 1 not an image".
    """
    counts = collections.Counter(skipped.values())
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())


def no_images(folder: StrPath, skipped: Mapping[Path, str]) -> InputError:
    """The InputError for a folder in which no images were found.

    Args:
        folder: path of the folder.
        skipped: {path: reason} of the files in it.

    Returns:
        InputError.
    """
    if skipped.get(Path(folder)) == FOLDER_UNREADABLE:
        return InputError(f"{printable(folder)} cannot be read: change its permissions.")
    others = f" ({reasons(skipped)})" if skipped else ""
    return InputError(f"{printable(folder)} holds no images{others}. Add some, or name another folder.")


def tell_skipped(skipped: Mapping[Path, str], place: Path) -> tuple[str, ...]:
    """Write the names of skipped files to a file, and count them by reason.

    Args:
        skipped: {path: reason}.
        place: of the text file. An older list is replaced, another file is not. Nothing is written if
            `skipped` is empty.

    Returns:
        Sentences for the user; none if `skipped` is empty.
    """
    if not skipped:
        return ()
    text = "".join(sorted(f"{reason}\t{printable(path)}\n" for path, reason in skipped.items()))
    where = f"The names are in {printable(place)}."
    if not _is_list(place):
        where = f"{printable(place)} is another file, so their names are not stored."
    elif not _holds(place, text):
        try:
            write_text(place, text)
        except InputError as error:
            where = f"The list of names {error}"
    return (f"Left out: {reasons(skipped)}. {where}",)


def _is_list(path: Path) -> bool:
    """Whether a file is absent, unreadable, or a list by tell_skipped: each line has a tab."""
    try:
        return all(b"\t" in line for line in path.read_bytes().splitlines())
    except OSError:
        return True


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_bytes() == text.encode()
    except OSError:
        return False


def read(path: StrPath) -> np.ndarray:
    """Read an image file.

    Args:
        path: path of the file.

    Returns:
        (H, W, 3) uint8 RGB; gray images have three equal channels.

    Raises:
        InputError: the file is not found, or cannot be read as an image.
    """
    try:
        data = Path(path).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise InputError(f"{printable(path)} cannot be read: {getattr(error, 'strerror', error)}.") from None
    return decode(data, path)


def decode(data: bytes, path: StrPath) -> np.ndarray:
    """Decode the content of an image file, as `read` does.

    Args:
        data: all bytes of the file.
        path: the name in error messages.

    Returns:
        (H, W, 3) uint8 RGB; gray images have three equal channels.

    Raises:
        InputError: the bytes cannot be read as an image.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB) if data else None
    except cv2.error:
        image = None
    return _by_reader(data, path) if image is None else image


def _by_reader(data: bytes, path: StrPath) -> np.ndarray:
    """uint8 RGB of a picture that OpenCV cannot read. Raises InputError, also for damaged files."""
    file = open_picture(data, str(path))
    pixels = next(file.pages()).pixels
    if file.is_damaged:
        raise InputError(f"{printable(path)} is damaged: get an undamaged copy.")
    pixels = reduced(pixels) if pixels.dtype == np.uint16 else pixels
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


def write(path: StrPath, rgb: np.ndarray) -> None:
    """Write an image file as a whole or not at all, in the format of the suffix.

    Args:
        path: of the file.
        rgb: (H, W, 3) uint8 RGB.

    Raises:
        InputError: the suffix is not that of an image format, or the file cannot be written.
    """
    format = image_formats.output_format(Path(path).suffix)
    write_picture(Path(path), format, [Picture(rgb)], Metadata())
