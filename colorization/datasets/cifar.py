"""CIFAR-10 and CIFAR-100 in the layouts that Krizhevsky published, and where to download them.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
"""

import io
import lzma
import pickle
import re
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from colorization.core.atomic_io import sha256 as sha256_of
from colorization.core.errors import InputError
from colorization.datasets.base import Dataset, Images, data_root, fit_all

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

PIXELS = 3 * 32 * 32
LARGEST_FILE = (
    1 << 30
)  # bytes; the largest published file has 155 MB, and a small tar can unpack to terabytes
AGAIN = "get the published file again"


# --- the published pickles, read without trusting them --------------------------------------------------
#
# A pickle is a program. These stand in for the few numpy names that a pickled array refers to, so that the
# program can build numbers out of bytes and nothing else. numpy itself is never called with its arguments.


def _text(value) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else value


class _Dtype:
    """Stands for numpy.dtype; only plain numbers."""

    def __init__(self, code, *_):
        self.code, self.order = _text(code), "|"

    def __setstate__(self, state):
        self.order = _text(state[1])

    def numpy(self) -> np.dtype:
        code = self.order + self.code
        if not re.fullmatch(r"[<>|=][biuf][1248]", code):
            raise pickle.UnpicklingError(f"an array of type {code}")
        return np.dtype(code)


class _Array:
    """Stands for numpy.ndarray; np.asarray gives its values."""

    values = np.empty(0)

    def __setstate__(self, state):
        _, shape, dtype, fortran, raw = state
        self.values = np.frombuffer(raw, dtype.numpy()).reshape(shape, order="F" if fortran else "C")

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.values, dtype=dtype)


def _reconstruct(*_) -> _Array:
    return _Array()


def _scalar(dtype, raw):
    return np.frombuffer(raw, dtype.numpy())[0]


def _encode(text, codec) -> bytes:
    """Stands for _codecs.encode, which Python 3 writes for bytes in the older pickle protocols."""
    if _text(codec) != "latin1":
        raise pickle.UnpicklingError(f"the codec {codec}")
    return text.encode("latin-1")


_ADMITTED = {
    "numpy.dtype": _Dtype,
    "numpy.ndarray": _Array,
    "_codecs.encode": _encode,
    **{
        f"numpy.{core}.multiarray.{name}": stand_in
        for core in ("core", "_core")
        for name, stand_in in (("_reconstruct", _reconstruct), ("scalar", _scalar))
    },
}


class _ArrayUnpickler(pickle.Unpickler):
    """Admits plain containers and numeric arrays; refuses any other name before anything of it runs."""

    def __init__(self, content: bytes, where: str):
        super().__init__(io.BytesIO(content), encoding="bytes")
        self.where = where

    def find_class(self, module, name):
        dotted = f"{module}.{name}"
        if dotted not in _ADMITTED:
            raise InputError(
                f"{self.where} asks for {dotted!r}, which no CIFAR file needs, so it was not run: {AGAIN}."
            )
        return _ADMITTED[dotted]

    def persistent_load(self, pid):
        raise InputError(
            f"{self.where} asks for a persistent id, which no CIFAR file needs, so it was refused: {AGAIN}."
        )


def _unpickle(content: bytes, where: str) -> dict:
    try:
        value = _ArrayUnpickler(content, where).load()
    except InputError:
        raise
    except Exception as error:  # bytes that are no pickle can raise nearly anything
        raise InputError(f"{where} is not a readable pickle (cut short or damaged): {AGAIN}.") from error
    if not isinstance(value, dict):
        raise InputError(f"{where} must hold a dict, but holds a {type(value).__name__}: {AGAIN}.")
    return value


def _entry(content: dict, key: bytes, where: str) -> np.ndarray:
    try:
        return np.asarray(content[key])
    except KeyError:
        raise InputError(f"{where} has no entry {key.decode()!r}: {AGAIN}.") from None
    except ValueError as error:
        raise InputError(f"{where} has an entry {key.decode()!r} that is no array: {AGAIN}.") from error


# --- one function for each kind of file: the content and the name to complain about ---------------------


def _pickled_rows(content: bytes, where: str, label_key: bytes) -> tuple[np.ndarray, np.ndarray]:
    batch = _unpickle(content, where)
    data, labels = _entry(batch, b"data", where), _entry(batch, label_key, where)
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS:
        raise InputError(
            f"{where} must hold uint8 rows of {PIXELS} values, but holds {data.dtype} {data.shape}: {AGAIN}."
        )
    if labels.ndim != 1 or (labels.dtype.kind not in "iu" and labels.size):
        raise InputError(f"{where} has labels that are no list of whole numbers: {AGAIN}.")
    if len(labels) != len(data):
        raise InputError(f"{where} holds {len(data)} images but {len(labels)} labels: {AGAIN}.")
    return data, labels


def _pickled_names(content: bytes, where: str, key: bytes) -> list[str]:
    names = _entry(_unpickle(content, where), key, where)
    if names.ndim != 1 or names.dtype.kind not in "SU":
        raise InputError(f"{where} has an entry {key.decode()!r} that is no list of names: {AGAIN}.")
    return [_text(name) for name in names.tolist()]


def _binary_rows(content: bytes, where: str, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    record = label_bytes + PIXELS
    if len(content) % record:
        raise InputError(
            f"{where} has {len(content)} bytes, which is no multiple of the {record} of one image: {AGAIN}."
        )
    rows = np.frombuffer(content, np.uint8).reshape(-1, record)
    return rows[:, label_bytes:], rows[:, label_bytes - 1]


def _text_names(content: bytes, where: str) -> list[str]:
    try:
        return content.decode("ascii").split()
    except UnicodeDecodeError as error:
        raise InputError(f"{where} is no plain text: {AGAIN}.") from error


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
        partial(_pickled_rows, label_key=b"labels"),
        partial(_pickled_names, key=b"label_names"),
    ),
    _Layout(
        "cifar100",
        ("train",),
        "test",
        "meta",
        partial(_pickled_rows, label_key=b"fine_labels"),
        partial(_pickled_names, key=b"fine_label_names"),
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
_FILES = {file for layout in _LAYOUTS for file in layout.files}


# --- the files, from a folder or a tar ------------------------------------------------------------------


def _folder_contents(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir() if file.name in _FILES and file.is_file()}


def _tar_contents(path: Path) -> dict[str, bytes]:
    """The wanted files of the tar's one data folder; read in memory, so no path of the tar is ever used."""
    folders: dict[PurePosixPath, dict[str, bytes]] = {}
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                place = PurePosixPath(member.name)
                if not member.isreg() or place.name not in _FILES:
                    continue
                if member.size > LARGEST_FILE:
                    raise InputError(f"{place.name} in {path} claims {member.size} bytes: {AGAIN}.")
                folders.setdefault(place.parent, {})[place.name] = tar.extractfile(member).read()
            while tar.fileobj.read(1 << 20):  # to the end, where the compressed stream keeps its checksum
                pass
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{path} is no readable tar archive (cut short or damaged): {AGAIN}.") from error
    if len(folders) > 1:
        raise InputError(f"{path} holds CIFAR files in {len(folders)} folders: leave only one of them.")
    return folders.popitem()[1] if folders else {}


def read(path: Path, image_size: int = 32) -> Dataset:
    """Read CIFAR-10 or CIFAR-100 (its fine labels) in a published layout, from a folder or a tar.

    Images are uint8 (N, image_size, image_size, 3) RGB in the published order. Raises InputError naming
    the file that is missing, damaged or not what it should be.
    """
    contents = _folder_contents(path) if path.is_dir() else _tar_contents(path)
    layout = max(_LAYOUTS, key=lambda layout: sum(file in contents for file in layout.files))
    if contents.keys().isdisjoint(layout.files):
        raise InputError(
            f"{path} holds no known data set: give CIFAR in a published layout, a prepared folder, "
            "a folder train/<class>/ of PNG or JPEG images, or any folder of photographs."
        )
    for file in layout.files:
        if file not in contents:
            raise InputError(f"{path} has no file {file}: {AGAIN}.")
    names_file = f"{layout.names} in {path}"
    classes = tuple(layout.read_names(contents[layout.names], names_file))
    if len(set(classes)) != len(classes) or len(classes) < 2:
        raise InputError(f"{names_file} must hold at least two different class names: {AGAIN}.")

    def rows(file: str) -> Images:
        where = f"{file} in {path}"
        data, labels = layout.read_rows(contents.pop(file), where)  # pop: its memory is wanted back
        if not len(data):
            raise InputError(f"{where} holds no images: {AGAIN}.")
        if labels.min() < 0 or labels.max() >= len(classes):
            wrong = labels.min() if labels.min() < 0 else labels.max()
            raise InputError(f"{where} has the label {wrong}, but there are {len(classes)} classes: {AGAIN}.")
        planes = data.reshape(-1, 3, 32, 32)  # the red plane first
        return Images(np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels.astype(np.int64))

    batches = [rows(file) for file in layout.train]
    train = Images(
        np.concatenate([batch.images for batch in batches]),
        np.concatenate([batch.labels for batch in batches]),
    )
    test = rows(layout.test)
    return Dataset(layout.dataset, fit_all(train, image_size), fit_all(test, image_size), classes)


def download(name: str, origin: str | None = None, sha256: str | None = None) -> Dataset:
    """Download "cifar10" or "cifar100", check its SHA-256 and read it; the archive is not kept.

    ``origin`` and ``sha256`` stand in for the published address and sum. Raises InputError where the
    download fails or is not the published file.
    """
    import keras  # slow to import, and needed for this alone

    published_origin, published_sha256 = SOURCES[name]
    origin, sha256 = origin or published_origin, sha256 or published_sha256
    by_hand = f"download it by hand and run `python data/prepare.py {name} --from PATH`"
    data_root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data_root(), prefix=f".{name}-download-") as scratch:
        try:
            archive = Path(keras.utils.get_file(origin=origin, cache_dir=scratch, cache_subdir=""))
        except Exception as error:  # what keras raises for a failed download is a bare Exception
            raise InputError(f"{origin} cannot be downloaded: {by_hand}.") from error
        if (found := sha256_of(archive)) != sha256:
            raise InputError(f"{origin} has the SHA-256 {found[:12]}…, not {sha256[:12]}…: {by_hand}.")
        return read(archive)
