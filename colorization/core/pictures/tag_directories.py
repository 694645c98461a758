"""The size of the values in directories of TIFF and EXIF, which Pillow would copy without a limit."""

from typing import BinaryIO

import numpy as np

_LINKS = 34665, 34853
"""Tags that point to the directories of EXIF and GPS."""

_SIZES = np.array([0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8, 0], np.float64)
"""Bytes of one value of each type; the last one stands for unknown types."""

_MOST = 2**16  # entries: one for each tag
_MOST_LINKS = 8  # some writers repeat an entry


def is_plausible(stream: BinaryIO, offset: int, order: str, is_big: bool, limit: int) -> bool:
    """Whether the values of a directory, with EXIF and GPS, can have the size that its entries tell.

    Several entries may name the same bytes. All of them together can therefore be much greater than the file.

    Args:
        stream: binary stream of the file.
        offset: position of the directory, in bytes.
        order: byte order, "<" or ">".
        is_big: whether the entries are those of a BigTIFF.
        limit: bytes that the values can have.

    Returns:
        False if they are larger. Values that a damaged entry makes larger than the limit do not count: Pillow
        ends there.

    Raises:
        Exception: a directory has more entries than there are tags, or a position that no file has.
    """
    entries = _entries(stream, offset, order, is_big)
    links = entries["value"][np.isin(entries["tag"], _LINKS)]
    every = [entries, *(_entries(stream, int(position), order, is_big) for position in links[:_MOST_LINKS])]
    sizes = [_SIZES[np.minimum(part["type"], len(_SIZES) - 1)] * part["count"] for part in every]
    return len(links) <= _MOST_LINKS and sum(float(size[size <= limit].sum()) for size in sizes) <= limit


def _entries(stream: BinaryIO, offset: int, order: str, is_big: bool) -> np.ndarray:
    """The entries of a directory up to the end of the file."""
    word, number = order + ("u8" if is_big else "u4"), np.dtype(order + ("u8" if is_big else "u2"))
    entry = np.dtype([("tag", order + "u2"), ("type", order + "u2"), ("count", word), ("value", word)])
    stream.seek(offset)
    head = stream.read(number.itemsize)
    count = int(np.frombuffer(head, number)[0]) if len(head) == number.itemsize else 0
    if count > _MOST:
        raise ValueError("more entries than tags")
    data = stream.read(count * entry.itemsize)
    return np.frombuffer(data, entry, len(data) // entry.itemsize)
