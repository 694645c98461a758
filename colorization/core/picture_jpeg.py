"""The segments at the head of a JPEG file: metadata for pixels that were encoded without."""

import io
import struct
from typing import Any

from PIL import Image

from colorization.core.picture_metadata import EXIF_HEADER, IPTC_RESOURCE, Metadata

_LONGEST = 65533  # bytes in one segment
_XMP_HEADER = b"http://ns.adobe.com/xap/1.0/\0"
_PHOTOSHOP_HEADER = b"Photoshop 3.0\0"


def head(metadata: Metadata, profile: bytes) -> tuple[bytes, list[str]]:
    """The first bytes of a JPEG file, up to the tables for decoding, as Pillow writes them.

    Returns:
        (bytes, sentences about metadata that are too long for JPEG).
    """
    told = []
    options: dict[str, Any] = {"icc_profile": profile}
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if metadata.comment:
        options["comment"] = metadata.comment.encode()[:_LONGEST]
    if metadata.exif:
        options["exif"] = metadata.exif
    if metadata.xmp:
        options["xmp"] = metadata.xmp
    if metadata.iptc:
        options["extra"] = _iptc_segment(metadata.iptc)
    headers = {"exif": EXIF_HEADER, "xmp": _XMP_HEADER, "extra": b""}
    names = {"exif": "EXIF", "xmp": "XMP", "extra": "IPTC"}
    for key, prefix in headers.items():
        if len(prefix) + len(options.get(key, b"")) > _LONGEST:
            del options[key]
            told.append(f"JPEG holds no {names[key]} of more than 64 KB: left out.")
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1)).save(buffer, "JPEG", **options)
    encoded = buffer.getvalue()
    return encoded[: head_size(encoded)], told


def head_size(jpeg: bytes | bytearray) -> int:
    """Bytes before the first segment that is needed for decoding."""
    place = 2
    while jpeg[place + 1] == 0xFE or 0xE0 <= jpeg[place + 1] <= 0xEF:  # comment, application data
        place += 2 + struct.unpack_from(">H", jpeg, place + 2)[0]
    return place


def _iptc_segment(iptc: bytes) -> bytes:
    resource = b"8BIM" + struct.pack(">HHI", IPTC_RESOURCE, 0, len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    data = _PHOTOSHOP_HEADER + resource
    return b"\xff\xed" + struct.pack(">H", len(data) + 2) + data
