"""CIFAR-10 and CIFAR-100 in the layouts that Krizhevsky published, and where to download them.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

import bz2
import errno
import gzip
import hashlib
import http.client
import lzma
import tarfile
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from tqdm import tqdm

from colorization.core.atomic_io import scratch_folder, system_message
from colorization.core.atomic_io import sha256 as sha256_of
from colorization.core.errors import InputError, printable
from colorization.datasets import cifar_pickles
from colorization.datasets.base import Dataset, Images, Limits, data_root, to_squares
from colorization.datasets.cifar_pickles import AGAIN, PIXELS

SOURCES = {  # name: (origin, SHA-256)
    "cifar10": (
        "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",
        "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    ),
    "cifar100": (
        "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",
        "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    ),
}

# {published file: (algorithm, its sum in hex)}; the MD5 sums are those of the author's page
PUBLISHED = {
    **{origin.rpartition("/")[2]: ("sha256", digest) for origin, digest in SOURCES.values()},
    "cifar-10-binary.tar.gz": ("md5", "c32a1d4ab5d03f1284b67883e8d87530"),
    "cifar-100-binary.tar.gz": ("md5", "03b5dce01913d631647c71ecec9e9cb8"),
}

# bytes; the largest published file has 155 MB, but a small tar can unpack to terabytes
LARGEST_FILE = 1 << 30


# --- one function for each kind of file; the second argument is its name in error messages -------------


def _binary_rows(content: bytes, where: str, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    record = label_bytes + PIXELS
    if len(content) % record:
        raise InputError(
            f"{where} has {len(content)} bytes, which is not a multiple of {record}, the size of an image. "
            f"{AGAIN}."
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, record)
    return rows[:, label_bytes:], rows[:, label_bytes - 1]


def _text_names(content: bytes, where: str) -> list[str]:
    try:
        return content.decode("ascii").split()
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is not a text file. {AGAIN}.") from error


@dataclass(frozen=True)
class _Layout:
    dataset: str
    train: tuple[str, ...]
    test: str
    names: str
    read_rows: Callable[[bytes, str], tuple[np.ndarray, np.ndarray]]
    read_names: Callable[[bytes, str], list[str]]

    @property
    def files(self) -> tuple[str, ...]:
        return (*self.train, self.test, self.names)


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))

_LAYOUTS = (
    _Layout(
        "cifar10",
        _BATCHES,
        "test_batch",
        "batches.meta",
        partial(cifar_pickles.rows, label_key="labels"),
        partial(cifar_pickles.names, key="label_names"),
    ),
    _Layout(
        "cifar100",
        ("train",),
        "test",
        "meta",
        partial(cifar_pickles.rows, label_key="fine_labels"),
        partial(cifar_pickles.names, key="fine_label_names"),
    ),
    _Layout(
        "cifar10",
        tuple(f"{batch}.bin" for batch in _BATCHES),
        "test_batch.bin",
        "batches.meta.txt",
        partial(_binary_rows, label_bytes=1),
        _text_names,
    ),
    _Layout(  # a coarse label, then the fine one
        "cifar100",
        ("train.bin",),
        "test.bin",
        "fine_label_names.txt",
        partial(_binary_rows, label_bytes=2),
        _text_names,
    ),
)
FILES = {file for layout in _LAYOUTS for file in layout.files}


# --- the files, from a folder or a tar ------------------------------------------------------------------


_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
_COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ\0": lzma.open,
    b"BZh": bz2.open,
}  # by the first bytes


def is_tar(path: Path) -> bool:
    """Whether a file is a tar archive by its name or content. It may be damaged.

    Args:
        path: Path of the file.

    Returns:
        True for a tar archive, compressed or not.

    Raises:
        OSError: the file cannot be read.
    """
    if path.name.lower().endswith(_TAR_SUFFIXES):
        return True
    with path.open("rb") as file:
        head = file.read(512)
    opener = next((opener for magic, opener in _COMPRESSED.items() if head.startswith(magic)), None)
    if opener:
        try:
            with opener(path) as file:
                head = file.read(512)
        except (OSError, EOFError, zlib.error, lzma.LZMAError):
            return False
    return head[257:262] == b"ustar"


def recognizes(path: Path) -> bool:
    """Whether a path is a tar archive, or a folder with files of CIFAR.

    Args:
        path: Path of a file or folder.

    Returns:
        True if `read` accepts the path.
    """
    if path.is_file():
        return is_tar(path)
    return path.is_dir() and any(
        sum((path / file).is_file() for file in layout.files) > 1 for layout in _LAYOUTS
    )


def differs_from_published(path: Path) -> bool:
    """Whether a file has the name of a published file, but another checksum.

    Args:
        path: Path of the file.

    Returns:
        False also for other names, and for folders.

    Raises:
        OSError: the file cannot be read.
    """
    if path.name not in PUBLISHED or not path.is_file():
        return False
    algorithm, digest = PUBLISHED[path.name]
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest() != digest


def _folder_contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.name in FILES and file.is_file()}


def _tar_contents(path: Path) -> dict[str, bytes]:
    """The files of CIFAR in a tar. They are read in memory, so no path of the tar is used."""
    folders: dict[PurePosixPath, dict[str, bytes]] = {}
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                place = PurePosixPath(member.name)
                if not member.isreg() or place.name not in FILES:
                    continue
                if member.size > LARGEST_FILE:
                    raise InputError(f"{place.name} in {path} is too large ({member.size} bytes). {AGAIN}.")
                content = tar.extractfile(member)
                folders.setdefault(place.parent, {})[place.name] = content.read() if content else b""
            while tar.fileobj and tar.fileobj.read(
                1 << 20
            ):  # to the end, where a compressed stream has its checksum
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(
            f"{path} cannot be read as a tar archive. It is incomplete or damaged. {AGAIN}."
        ) from error
    if len(folders) > 1:
        raise InputError(f"{path} contains CIFAR files in {len(folders)} folders. Keep only one of them.")
    return folders.popitem()[1] if folders else {}


def read(path: Path, image_size: int = 32, limits: Limits = (None, None), seed: int = 0) -> Dataset:
    """Read CIFAR-10 or CIFAR-100 (its fine labels) in a published layout.

    Args:
        path: Path of the folder or tar.
        image_size: side of the images, in pixels.
        limits: not used; the set is read completely.
        seed: not used.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images, in the published order.

    Raises:
        InputError: a file is missing or damaged.
    """
    contents = _folder_contents(path) if path.is_dir() else _tar_contents(path)
    layout = max(_LAYOUTS, key=lambda layout: sum(file in contents for file in layout.files))
    if contents.keys().isdisjoint(layout.files):
        raise InputError(
            f"{printable(path)} does not contain the files of CIFAR. Unpack it, and name a folder of images."
        )
    for file in layout.files:
        if file not in contents:
            raise InputError(f"{path} does not contain the file {file}. {AGAIN}.")
    names_file = f"{layout.names} in {path}"
    classes = tuple(layout.read_names(contents[layout.names], names_file))
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise InputError(f"{names_file} must contain at least two different class names. {AGAIN}.")

    def rows(file: str) -> Images:
        where = f"{file} in {path}"
        data, labels = layout.read_rows(contents.pop(file), where)  # pop frees the memory
        if not len(data):
            raise InputError(f"{where} does not contain images. {AGAIN}.")
        if labels.min() < 0 or labels.max() >= len(classes):
            wrong = labels.min() if labels.min() < 0 else labels.max()
            raise InputError(f"{where} has the label {wrong}, but there are {len(classes)} classes. {AGAIN}.")
        planes = data.reshape(-1, 3, 32, 32)  # the red plane first
        return Images(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels.astype(np.int64))

    batches = [rows(file) for file in layout.train]
    train = Images(
        np.concatenate([batch.images for batch in batches]),
        np.concatenate([batch.labels for batch in batches]),
    )
    test = rows(layout.test)
    return Dataset(layout.dataset, to_squares(train, image_size), to_squares(test, image_size), classes)


def download(
    name: str, origin: str | None = None, sha256: str | None = None, folder: Path | None = None
) -> Dataset:
    """Download CIFAR-10 or CIFAR-100, check its SHA-256 and read it. The archive is deleted.

    Args:
        name: "cifar10" or "cifar100".
        origin: address; None is the published one.
        sha256: expected SHA-256 in hex; None is the published one.
        folder: Path of the folder that holds the archive; None is the data folder.

    Returns:
        Dataset of uint8 (N, 32, 32, 3) RGB images.

    Raises:
        InputError: the download fails, the file has another SHA-256, or it cannot be written.
    """
    published_origin, published_sha256 = SOURCES[name]
    origin, sha256 = origin or published_origin, sha256 or published_sha256
    by_hand = f"Download it by hand, and run `colorize prepare {name} --from PATH`"
    folder = folder or data_root()
    folder.mkdir(parents=True, exist_ok=True)
    with scratch_folder(folder) as scratch:
        archive = scratch / PurePosixPath(urllib.parse.urlsplit(origin).path).name
        try:
            _fetch(origin, archive)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise InputError(f"{printable(folder)} cannot be written: {system_message(error)}.") from None
            raise InputError(f"{origin} cannot be downloaded. {by_hand}.") from error
        if (found := sha256_of(archive)) != sha256:
            raise InputError(
                f"{origin} has the SHA-256 {found[:12]}…, but {sha256[:12]}… is expected. {by_hand}."
            )
        return read(archive)


def _fetch(origin: str, path: Path) -> None:
    """Download a file, with a progress bar. Raises OSError, HTTPException or ValueError."""
    with urllib.request.urlopen(origin) as source, path.open("wb") as target:
        length = source.headers.get("Content-Length")
        total = int(length) if length else None
        with tqdm(total=total, unit="B", unit_scale=True, desc="downloading", disable=None) as bar:
            while part := source.read(2**16):
                target.write(part)
                bar.update(len(part))
