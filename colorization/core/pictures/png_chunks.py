"""PNG as a sequence of chunks: to mend damaged files, and to add metadata to encoded pixels."""

import contextlib
import io
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # of the signature and IHDR
_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}  # for decoding
_WITH_ALPHA = {4, 6}  # kinds of color in IHDR
_STEP = 256  # bytes that are lost at an error in compressed data
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of the kinds of color in IHDR
_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"bKGD", b"hIST", b"sBIT"}
"""Chunks about pixels; the others are about the picture as a whole."""


class Chunk(NamedTuple):
    """A chunk of a PNG file.

    Attributes:
        kind: its name; a lower-case first letter marks an optional chunk.
        data: its content; shorter than declared at the end of a cut file.
        whole: whether its length and its checksum are correct.
    """

    kind: bytes
    data: bytes
    whole: bool


def chunks(png: bytes) -> Iterator[Chunk]:
    """The chunks of a PNG file, up to its end or to the first invalid one.

    Args:
        png: all bytes of the file.

    Yields:
        Chunk.
    """
    place = len(SIGNATURE)
    while place + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        data = png[place + 8 : place + 8 + length]
        checksum = png[place + 8 + length : place + 12 + length]
        yield Chunk(kind, data, checksum == _checksum(kind, data))
        if kind == b"IEND":
            return
        place += 12 + length


def join(parts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG file of given chunks, with correct checksums.

    Args:
        parts: (kind, data) of each chunk.

    Returns:
        All bytes of the file.
    """
    encoded = (
        piece
        for kind, data in parts
        for piece in (struct.pack(">I", len(data)), kind, data, _checksum(kind, data))
    )
    return SIGNATURE + b"".join(encoded)


def pixels_only(png: bytes) -> tuple[bytes, float | None]:
    """Remove metadata from a PNG file, because libpng prints warnings about them. A damaged file is mended.

    Args:
        png: all bytes of the file.

    Returns:
        (PNG file, share of the pixels that are missing, or None if the file is not damaged).
    """
    found = list(chunks(png))
    if _is_whole(found):
        share = None
    else:
        png, share = mended(png)
        found = list(chunks(png))
    has_alpha = found[0].data[9] in _WITH_ALPHA  # where libpng prints a warning of tRNS
    needed = _NEEDED - {b"tRNS"} if has_alpha else _NEEDED
    return join((chunk.kind, chunk.data) for chunk in found if chunk.kind in needed), share


def mended(png: bytes) -> tuple[bytes, float]:
    """Complete a damaged file: missing pixels become zero, and damaged optional chunks are removed.

    Args:
        png: all bytes of the file.

    Returns:
        (PNG file, share of the pixels that are missing).
    """
    found = list(chunks(png))
    before = [(chunk.kind, chunk.data) for chunk in found if _is_needed(chunk)]
    stored = _inflated(b"".join(chunk.data for chunk in found if chunk.kind == b"IDAT"))
    missing = max(0, _raw_size(before[0][1]) - len(stored)) if before else 0
    pixels = zlib.compress(stored + bytes(missing), 1)
    share = missing / (len(stored) + missing) if missing else 0.0
    return join([*before, (b"IDAT", pixels), (b"IEND", b"")]), share


def _is_needed(chunk: Chunk) -> bool:
    is_optional = bool(chunk.kind[0] & 0x20)
    return chunk.kind not in (b"IDAT", b"IEND") and (chunk.whole or not is_optional)


def _inflated(data: bytes) -> bytes:
    """The content of a zlib stream up to its end or its first error."""
    stream, parts = zlib.decompressobj(), []
    with contextlib.suppress(zlib.error):
        for start in range(0, len(data), _STEP):
            parts.append(stream.decompress(data[start : start + _STEP]))
    return b"".join(parts)


def _raw_size(header: bytes) -> int:
    """Bytes of all rows before compression; 0 for interlaced files, whose rows have several sizes."""
    width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", header[:13])
    row = (width * depth * _CHANNELS.get(color, 1) + 7) // 8
    return 0 if interlaced else height * (1 + row)


def is_damaged(png: bytes) -> bool:
    """Whether a checksum is wrong, or the end is missing.

    Args:
        png: all bytes of the file.

    Returns:
        True if the file is damaged.
    """
    return not _is_whole(list(chunks(png)))


def _is_whole(found: list[Chunk]) -> bool:
    return all(chunk.whole for chunk in found) and bool(found) and found[-1].kind == b"IEND"


def bits(png: bytes) -> int:
    """The depth of a PNG file.

    Args:
        png: all bytes of the file.

    Returns:
        Bits per sample; 0 for a file that is too short.
    """
    return png[24] if len(png) > 24 else 0


def with_metadata_of(png: bytes | bytearray, other: bytes) -> bytes:
    """Add the metadata of one PNG file to another one, before its pixels.

    Args:
        png: the file with the pixels.
        other: the file with the metadata.

    Returns:
        All bytes of the new file.
    """
    added = join((kind, data) for kind, data, _ in chunks(other) if kind not in _PIXELS)
    return b"".join([png[:_HEADER_END], added[len(SIGNATURE) :], png[_HEADER_END:]])


def metadata_only(png: bytes) -> bytes:
    """A PNG of one pixel with the metadata of a file, including those after its pixels.

    Args:
        png: all bytes of the file.

    Returns:
        All bytes of the new file.
    """
    sound = join(
        (chunk.kind, chunk.data) for chunk in chunks(png) if chunk.whole and chunk.kind not in _PIXELS
    )
    return with_metadata_of(one_pixel(), sound)


def one_pixel(**options: Any) -> bytes:
    """A PNG file of one pixel.

    Args:
        options: keyword arguments for Pillow's Image.save.

    Returns:
        All bytes of the file.
    """
    buffer = io.BytesIO()
    Image.new("L", (1, 1)).save(buffer, "PNG", **options)
    return buffer.getvalue()


def _checksum(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data, zlib.crc32(kind)))
