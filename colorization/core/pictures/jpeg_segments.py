"""The segments at the head of a JPEG file, which hold the metadata."""

import hashlib
import io
import itertools
import struct
from collections.abc import Iterable
from typing import Any

from PIL import Image

from colorization.core.pictures import xmp
from colorization.core.pictures.file_metadata import IPTC_RESOURCE, Metadata

_LONGEST = 65533  # bytes in one segment
_DENSEST = 65535  # pixels per inch
_LIMITED = {  # Pillow's option: (name of the metadata, bytes that Pillow adds)
    "exif": ("EXIF", b""),
    "xmp": ("XMP", b"http://ns.adobe.com/xap/1.0/\0"),
    "extra": ("IPTC", b""),
}
_EXTENSION = b"http://ns.adobe.com/xmp/extension/\0"  # the first bytes of a segment of extended XMP
_PART = struct.Struct(">32sII")  # follows: name of the whole, its length, position of this part
_PART_SIZE = 65400  # bytes of extended XMP in one segment, as others write it


def head(metadata: Metadata, profile: bytes) -> tuple[bytes, list[str]]:
    """The first bytes of a JPEG file, up to the tables for decoding, as Pillow writes them.

    Args:
        metadata: Metadata to write.
        profile: an ICC profile.

    Returns:
        (bytes, sentences about metadata that are too long for JPEG).
    """
    told = []
    options: dict[str, Any] = {"icc_profile": profile}
    extended = metadata.extended_xmp or b""
    digest = hashlib.md5(extended, usedforsecurity=False).hexdigest().upper().encode()
    if metadata.dpi and max(metadata.dpi) > _DENSEST:
        told.append(f"JPEG holds no resolution of more than {_DENSEST} pixels per inch: left out.")
    elif metadata.dpi:
        options["dpi"] = metadata.dpi
    if metadata.comment:
        options["comment"] = metadata.comment[:_LONGEST]
    if metadata.exif:
        options["exif"] = metadata.exif
    if metadata.xmp:
        options["xmp"] = xmp.with_pointer(metadata.xmp, digest) if extended else metadata.xmp
    if metadata.iptc:
        options["extra"] = _iptc_resource(metadata.iptc)
    for key, (name, prefix) in _LIMITED.items():
        if len(prefix) + len(options.get(key, b"")) > _LONGEST:
            del options[key]
            told.append(f"JPEG holds no {name} of more than 64 KB: left out.")
    if "extra" in options:
        options["extra"] = b"\xff\xed" + struct.pack(">H", len(options["extra"]) + 2) + options["extra"]
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "JPEG", **options)
    encoded = buffer.getvalue()
    further = _extended_segments(extended, digest) if "xmp" in options else b""
    return encoded[: head_size(encoded)] + further, told


def extended_xmp(
    segments: Iterable[tuple[str, bytes]], packet: bytes | None, told: list[str]
) -> bytes | None:
    """The extended XMP of a JPEG file, which several segments hold.

    Args:
        segments: (name, data) of the segments, as in Pillow's `applist`.
        packet: the XMP that points to it, or None.
        told: list of warnings; one about missing parts is added here.

    Returns:
        XML; None if there is none, or if it is incomplete.
    """
    name = xmp.pointer(packet)
    start, found = len(_EXTENSION) + _PART.size, {}
    for kind, data in segments:
        if kind == "APP1" and data.startswith(_EXTENSION) and len(data) > start:
            owner, length, position = _PART.unpack_from(data, len(_EXTENSION))
            if owner == name:
                found[position] = (length, data[start:])
    parts = [part for _, (_, part) in sorted(found.items())]
    ends = list(itertools.accumulate(map(len, parts), initial=0))
    if ends[:-1] != sorted(found) or any(length != ends[-1] for length, _ in found.values()):
        told.append("Its extended XMP is incomplete: left out.")
        return None
    return b"".join(parts) or None


def _extended_segments(extended: bytes, name: bytes) -> bytes:
    """The segments that hold extended XMP; no bytes if there is none."""
    segments = []
    for start in range(0, len(extended), _PART_SIZE):
        part = extended[start : start + _PART_SIZE]
        data = _EXTENSION + _PART.pack(name, len(extended), start) + part
        segments.append(b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data)
    return b"".join(segments)


def head_size(jpeg: bytes | bytearray) -> int:
    """The size of the head, which is not needed for decoding.

    Args:
        jpeg: all bytes of a JPEG file.

    Returns:
        Number of bytes before the first segment that is needed for decoding.
    """
    place = 2
    while jpeg[place + 1] == 0xFE or 0xE0 <= jpeg[place + 1] <= 0xEF:  # comment, application data
        place += 2 + struct.unpack_from(">H", jpeg, place + 2)[0]
    return place


def _iptc_resource(iptc: bytes) -> bytes:
    """IPTC records in the form in which Photoshop stores them."""
    header = b"Photoshop 3.0\0" + b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(iptc))
    return header + iptc + b"\0" * (len(iptc) % 2)
