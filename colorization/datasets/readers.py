"""The readers of all layouts, tried in turn, and the message about files that none of them reads."""

from pathlib import Path

from colorization.core import image_files
from colorization.core.errors import InputError, printable
from colorization.datasets import cifar, class_folders, keras_arrays, parquet, photographs, prepared
from colorization.datasets.base import Dataset, Limits, Reader

READERS: tuple[Reader, ...] = (prepared, parquet, class_folders, cifar, keras_arrays)
"""They are tried in this order. `photographs`, which accepts any folder with images, is the last one."""

ACCEPTED = (
    "Use CIFAR as published, a folder of Parquet files, arrays in .npz, a prepared set, "
    "or a folder of images."
)

_KINDS = {  # first bytes of a file: its kind
    b"PAR1": "Parquet",
    b"PK\x03\x04": "ZIP",
    b"\x89HDF\r\n\x1a\n": "HDF5",
    b"\x93NUMPY": "NumPy",
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
    b"ARROW1": "Arrow",
    b"MATLAB": "MATLAB",
    b"SQLite": "SQLite",
    b"%PDF": "PDF",
}
_SUFFIXES = {
    ".tfrecord": "TFRecord",
    ".tfrecords": "TFRecord",
    ".arrow": "Arrow",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".pt": "PyTorch",
    ".pth": "PyTorch",
    ".csv": "CSV",
    ".json": "JSON",
    ".jsonl": "JSON",
    ".lmdb": "LMDB",
}
_UNPACK = {"ZIP", "RAR", "7z", "gzip"}


def read(path: Path, image_size: int, limits: Limits, seed: int) -> Dataset:
    """Read a data set with the first reader that recognizes a path, or the only data set in that folder.

    Args:
        path: Path of a file or folder.
        image_size: side of the images, in pixels.
        limits: maximum numbers of images, (train, each held-out split); None is no limit.
        seed: of the choice under a limit, and of held-out images where the layout has no split.

    Returns:
        Dataset of uint8 (N, image_size, image_size, 3) RGB images.

    Raises:
        InputError: no reader recognizes the path, the folder contains several data sets, or the data are
            damaged.
    """
    if not path.exists():
        raise InputError(f"{printable(path)} is not found. {ACCEPTED}")
    if reader := _reader_of(path):
        return reader.read(path, image_size, limits, seed)
    if not path.is_dir():
        raise InputError(_unsupported(path))
    below = _below(path)
    if below and (reader := _reader_of(below)):
        return reader.read(below, image_size, limits, seed)
    if photographs.recognizes(path):
        return photographs.read(path, image_size, limits, seed)
    if any(path.glob("*.parquet")):
        raise InputError(f"{printable(path)} contains Parquet files, but no train-*.parquet. Rename them.")
    raise InputError(f"{printable(path)} does not contain a known data set. {ACCEPTED}")


def _reader_of(path: Path) -> Reader | None:
    return next((reader for reader in READERS if reader.recognizes(path)), None)


def _below(path: Path) -> Path | None:
    """The only data set in a folder, or None. Raises InputError if there are several.

    A folder that also contains other images is a folder of photographs.
    """
    folders = sorted(entry for entry in path.iterdir() if not entry.name.startswith(".") and entry.is_dir())
    found = [folder for folder in folders if _reader_of(folder)]
    if not found:
        return None
    loose = (entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith("."))
    if any(image_files.reason_to_skip(entry) is None for entry in loose) or any(
        photographs.recognizes(folder) for folder in folders if folder not in found
    ):
        return None
    if len(found) > 1:
        names = ", ".join(printable(folder.name) for folder in found)
        raise InputError(f"{printable(path)} contains {len(found)} data sets: {names}. Name one of them.")
    return found[0]


def _unsupported(path: Path) -> str:
    """The message about a file that no reader accepts."""
    name = printable(path)
    if not path.is_file():
        return f"{name} is neither a file nor a directory. {ACCEPTED}"
    with path.open("rb") as file:
        head = file.read(64)
    kind = next((kind for magic, kind in _KINDS.items() if head.startswith(magic)), None)
    kind = _SUFFIXES.get(path.suffix.lower(), kind)
    if kind == "Parquet" or path.name in cifar.FILES or path.name in (prepared.META, *prepared.ARRAYS):
        return f"{name} is one file of a data set. Name its folder, {printable(path.parent)}."
    if image := image_files.image_format(head):
        return f"{name} is one {image} image. Name a folder of images."
    if kind in _UNPACK:
        return f"{name} is a {kind} file, which cannot be read as a data set. Unpack it, and name its folder."
    kind = kind or _text_or_unknown(head)
    article = "an" if kind in ("Arrow", "HDF5", "LMDB", "empty") else "a"
    return f"{name} is {article} {kind} file, which cannot be read as a data set. {ACCEPTED}"


def _text_or_unknown(head: bytes) -> str:
    if not head:
        return "empty"
    try:
        head[:-4].decode("utf-8")
    except UnicodeDecodeError:
        return "binary"
    return "text" if b"\0" not in head else "binary"
