"""Files that are either complete or absent."""

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from colorization.core import interrupts
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath

TEMPORARY = ".unfinished-"


@contextlib.contextmanager
def replacing(path: StrPath) -> Iterator[Path]:
    """Yield a temporary path beside `path`. On success it replaces `path`, on failure it is deleted.

    The rename is atomic and happens after the data have reached the disk. A process that is killed at any
    moment leaves the old file or the new one. The temporary name keeps the suffix, which image and HDF5
    writers need.

    Args:
        path: path of the file to write. Its folder is made if it does not exist.

    Yields:
        Path of the temporary file, which exists and is empty.

    Raises:
        InputError: the file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.parent / f"{TEMPORARY}{secrets.token_hex(8)}{path.suffix}"
        temporary.touch(exist_ok=False)
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be written: {system_message(error)}.") from None
    try:
        with interrupts.unfinished(temporary):
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be written: {system_message(error)}.") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """Yield a new folder, which is deleted at the end.

    Args:
        parent: Path of the folder above it.

    Yields:
        Path of the folder.

    Raises:
        OSError: the folder cannot be made.
    """
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=parent) as name, interrupts.unfinished(Path(name)):
        yield Path(name)


def replace_folder(folder: Path, new: Path) -> None:
    """Rename a new folder to the name of another one. A failure changes nothing.

    Args:
        folder: Path of the folder to replace, which may be absent. It is moved beside `new`.
        new: Path of the new folder, in a scratch folder.

    Raises:
        OSError: a folder cannot be renamed.
    """
    if not folder.exists():
        new.rename(folder)
        return
    old = new.with_name(f"{new.name}-before")
    folder.rename(old)
    try:
        new.rename(folder)
    except BaseException:
        old.rename(folder)
        raise


def reserve(file: IO[bytes], size: int) -> None:
    """Allocate disk space for a file before it is written, so that a full disk is noticed at once.

    HDF5 and mapped arrays end the process if the disk becomes full while they write.

    Args:
        file: the file, opened for writing.
        size: number of bytes.

    Raises:
        OSError: the disk does not have this space.
    """
    if hasattr(os, "posix_fallocate") and size:
        os.posix_fallocate(file.fileno(), 0, size)


def refuse_unwritable(folder: StrPath) -> None:
    """Refuse a folder in which no file can be written. Nothing is left behind.

    Args:
        folder: path of the folder, which need not exist.

    Raises:
        InputError: the folder, or the nearest folder above it that exists, cannot be written.
    """
    folder = Path(folder)
    try:
        existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise InputError(f"{printable(folder)} cannot be written: {system_message(error)}.") from None


def system_message(error: OSError) -> str:
    """The message of the operating system for an error, without the text of a library such as HDF5.

    Args:
        error: an OSError.

    Returns:
        The message, for example "No space left on device".
    """
    if re.search(
        r"\d+ requested and \d+ written|Not enough free space", str(error)
    ):  # the message of NumPy has no error number
        return os.strerror(errno.ENOSPC)
    number = re.search(r"errno = (\d+)", str(error))
    code = int(number[1]) if number else error.errno
    return os.strerror(code) if code else str(error)


def write_text(path: StrPath, text: str) -> None:
    """Write a text file in UTF-8. An interrupted call leaves the old file.

    Args:
        path: path of the file.
        text: its new content.

    Raises:
        InputError: the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")


def sha256(path: StrPath) -> str:
    """The SHA-256 of a file.

    Args:
        path: path of the file.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: the file cannot be read.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(paths: Iterable[Path]) -> str:
    """The SHA-256 of the contents of several files.

    Args:
        paths: paths of files. Missing files are left out.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: a file cannot be read.
    """
    return hashlib.sha256(
        b"".join(bytes.fromhex(sha256(path)) for path in paths if path.exists())
    ).hexdigest()


def fingerprint_of(path: StrPath) -> str:
    """The fingerprint of a file, or of all files below a folder.

    Args:
        path: path of the file or folder.

    Returns:
        64 hexadecimal digits.

    Raises:
        OSError: a file cannot be read.
    """
    path = Path(path)
    return fingerprint(sorted(found for found in path.rglob("*") if found.is_file()) or [path])


def remove_unfinished(folder: StrPath) -> None:
    """Delete the incomplete files of killed processes below a folder.

    Args:
        folder: path of the folder.
    """
    for leftover in list(Path(folder).rglob(TEMPORARY + "*")):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
