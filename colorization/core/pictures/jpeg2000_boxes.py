"""The boxes of a JPEG 2000 file that hold its color profile and its metadata, which Pillow does not read."""

import struct
from collections.abc import Iterator
from typing import Any

from colorization.core.pictures.file_metadata import IPTC_RESOURCE

_SIZE, _LONG_SIZE = 8, 16  # bytes before the content of a box
_HEADER, _COLOR, _UUID = b"jp2h", b"colr", b"uuid"  # kinds of boxes
_PROFILES = {2, 3}  # methods of a color box: a restricted ICC profile, any ICC profile
_UNKNOWN = 4  # a method that decoders ignore
_ENUMERATED = 1  # the method of a color box that names a standard space
_FIELDS = 3  # bytes before the profile in a color box
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")


def info(jp2: bytes) -> dict[str, Any]:
    """The color profile and the metadata of a file.

    Args:
        jp2: all bytes of the file.

    Returns:
        The keys of Pillow's `info` that the file has: icc_profile, exif, xmp, photoshop.
    """
    profile: memoryview | None = None
    found: dict[bytes, memoryview] = {}
    for kind, content in boxes(memoryview(jp2)):
        if kind == _HEADER and profile is None:
            profile = _profile(content)
        elif kind == _UUID and content[:16] in (_XMP, _EXIF, _IPTC):
            found.setdefault(bytes(content[:16]), content[16:])
    parts = {"icc_profile": profile, "exif": found.get(_EXIF), "xmp": found.get(_XMP)}
    result: dict[str, Any] = {key: bytes(content) for key, content in parts.items() if content}
    if iptc := found.get(_IPTC):
        result["photoshop"] = {IPTC_RESOURCE: bytes(iptc)}
    return result


def without_profile(jp2: bytes) -> bytearray:
    """Hide the color profile of a file, because imagecodecs would apply some kinds, and turn gray into RGB.

    Args:
        jp2: all bytes of the file.

    Returns:
        All bytes of the new file, of the same length.
    """
    result = bytearray(jp2)
    for kind, content in boxes(memoryview(result)):
        if kind == _HEADER:
            for part, color in boxes(content):
                if part == _COLOR and len(color) and color[0] in _PROFILES:
                    color[0] = _UNKNOWN
    return result


def boxes(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """The boxes of a file, or of the content of a box, up to its end or to the first invalid one.

    Args:
        data: the bytes.

    Yields:
        (kind, content), not copied.
    """
    place = 0
    while place + _SIZE <= len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        start = place + _SIZE
        if size == 1 and place + _LONG_SIZE <= len(data):
            (size,) = struct.unpack_from(">Q", data, start)
            start = place + _LONG_SIZE
        end = place + size if size else len(data)  # 0: to the end
        if not start <= end <= len(data):
            return
        yield kind, data[start:end]
        place = end


def _profile(header: memoryview) -> memoryview | None:
    """The ICC profile of a header; None if it names a standard space, or nothing that is known."""
    for kind, content in boxes(header):
        if kind == _COLOR and len(content) > _FIELDS:
            if content[0] == _ENUMERATED:
                return None
            if content[0] in _PROFILES:
                return content[_FIELDS:]
    return None
