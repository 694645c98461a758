"""Damaged picture files: completed for their decoders, the missing share, and the sentences about damage."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from colorization.core.errors import InputError
from colorization.core.pictures import png_chunks
from colorization.core.pictures.source import Source

ERRORS = Exception
"""The errors of decoders for damaged files. They have a dozen types."""

DAMAGED = "The file is damaged"
"""The first words of each warning about damage."""

END_OF_JPEG = b"\xff\xd9"

_SCAN = b"\xff\xda"  # marker of a scan; inside a scan, a zero follows each 255
_TRIED = 2  # bytes, which code a few gray blocks
_FILLED = 128  # the gray of blocks without data
_BLOCK, _LAST = 8, 16  # least and greatest height of a row of blocks


def mended(data: bytes, format: str) -> tuple[bytes, float]:
    """Complete the bytes of a damaged file, so that its decoder accepts them.

    Args:
        data: all bytes of the file.
        format: Pillow's name.

    Returns:
        (bytes, share of the picture that is missing; 0 if it is unknown). Formats that cannot be completed
        are unchanged.
    """
    if format == "JPEG":
        return data + END_OF_JPEG, 0.0
    if format == "PNG":
        return png_chunks.mended(data)
    if format == "WEBP":
        size = 8 + int.from_bytes(data[4:8], "little")
        return data.ljust(size, b"\0"), max(0.0, 1 - len(data) / size)
    return data, 0.0


def empty_share(image: Any) -> float:
    """The share of rows that a decoder did not reach before it failed. These rows are zero.

    Args:
        image: Pillow's image, whose decoding failed.

    Returns:
        0 to 1.
    """
    if image._im is None:
        return 1.0
    image.tile = []  # so that Pillow does not decode it again
    rows = np.asarray(image)
    return 1 - np.count_nonzero(rows.reshape(len(rows), -1).any(axis=1)) / len(rows)


def plain_share(rows: np.ndarray) -> float:
    """The share of rows at the bottom that have one color, as libjpeg fills missing ones.

    Args:
        rows: (H, W) or (H, W, C) samples.

    Returns:
        0 to 1.
    """
    rows = rows.reshape(len(rows), -1, rows.shape[2] if rows.ndim == 3 else 1)
    different = np.flatnonzero((rows != rows[-1, -1]).any(axis=(1, 2)))
    return 1.0 if not len(different) else 1 - (different[-1] + 1) / len(rows)


def early_end(rows: np.ndarray, data: bytes) -> float | None:
    """The missing share of a JPEG file whose decoding ended early.

    libjpeg does not report errors. It fills the rest with a gray that few photographs have.

    Args:
        rows: (H, W) or (H, W, C) uint8, the decoded picture.
        data: all bytes of the file.

    Returns:
        0 to 1; None if the picture is complete.
    """
    if not (rows[-1] == _FILLED).all():
        return None
    share = plain_share(rows)
    if share * len(rows) < _BLOCK or ((share == 1 or share * len(rows) >= _LAST) and _codes_its_end(data)):
        return None
    return share


def _codes_its_end(data: bytes) -> bool:
    """Whether the last bytes of a JPEG file code its last rows. An incomplete file ends earlier.

    Without these bytes, a decoder changes the part that they code. A second scan follows a complete one.
    """
    import imagecodecs

    start = _first_scan(data)
    end = data.find(END_OF_JPEG, start)
    if end < 0:
        return False
    if data.count(_SCAN, start, end) > 1:
        return True
    versions = (data[:place] + END_OF_JPEG for place in (end, end - _TRIED))
    with contextlib.suppress(ERRORS):
        before, after = (imagecodecs.jpeg8_decode(version)[:-_LAST] for version in versions)
        return np.array_equal(before, after)
    return False


def _first_scan(data: bytes) -> int:
    """The place of the first scan of a JPEG file, after segments that may contain a thumbnail."""
    place = 2
    while data[place : place + 2] not in (_SCAN, b""):
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return place


def tell_damage(told: list[str], share: float) -> None:
    """Add the warning that a share of the picture is missing.

    Args:
        told: the warnings of the file.
        share: 0 to 1.
    """
    if share < 0.005:
        told.append(f"{DAMAGED}, but nearly all of the picture can be read.")
    else:
        told.append(f"{DAMAGED}: about {share:.0%} of the picture is missing.")


@contextlib.contextmanager
def decoding(source: Source) -> Iterator[None]:
    """Turn any error of a decoder in the block into the InputError for a damaged file.

    Args:
        source: the file.

    Yields:
        Nothing.

    Raises:
        InputError: the block raised any error.
    """
    try:
        yield
    except InputError:
        raise
    except MemoryError:
        raise source.refused("needs more memory than there is: reduce its size") from None
    except ERRORS as error:
        raise undecodable(source) from error


def undecodable(source: Source) -> InputError:
    """The InputError for a file of a known format if no pixel can be decoded.

    Args:
        source: the file.

    Returns:
        The error, to be raised.
    """
    return source.refused(
        "cannot be read as an image: the file is damaged, or of a rare kind. "
        "Save it anew with another program"
    )


def camera_raw(source: Source) -> InputError:
    """The InputError for a raw file, of which only a thumbnail could be decoded.

    Args:
        source: the file.

    Returns:
        The error, to be raised.
    """
    return source.refused("is a camera raw file, which is not read: convert it to TIFF or JPEG")
