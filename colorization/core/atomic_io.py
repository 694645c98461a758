"""Files that are either whole or not there, and how they are found."""

import contextlib
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from colorization.core.errors import InputError

TEMPORARY = ".unfinished-"
PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}
"""Suffixes of image files, in lower case."""


def pictures_below(folder):
    """The image files at any depth of a Path, in no order; what begins with a dot is hidden."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in PICTURES and not hidden and path.is_file():
            yield path


@contextlib.contextmanager
def replacing(path):
    """Yield a temporary path beside `path`; on success it takes `path`'s place, on failure it goes.

    The rename is atomic and comes after the data have reached the disk, so that a process killed at any
    moment leaves the old file or the new one. The temporary name keeps the suffix, which image and HDF5
    writers look at. Raises InputError, naming `path`, if the system refuses.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=TEMPORARY, suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path, text):
    """Write a str to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256(path):
    """The SHA-256 of a file, in hex. Raises OSError."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(paths):
    """SHA-256, in hex, of the contents of files; missing ones are left out."""
    return hashlib.sha256(
        b"".join(bytes.fromhex(sha256(path)) for path in paths if path.exists())
    ).hexdigest()


def fingerprint_of(path):
    """fingerprint of a file, or of all files below a folder."""
    path = Path(path)
    return fingerprint(sorted(found for found in path.rglob("*") if found.is_file()) or [path])


def remove_unfinished(folder):
    """Delete what killed processes left half-written below `folder`."""
    for leftover in list(Path(folder).rglob(TEMPORARY + "*")):
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
