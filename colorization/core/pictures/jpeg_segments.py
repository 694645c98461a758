"""The segments at the head of a JPEG file, which hold the metadata."""

import io
import struct
from typing import Any

from PIL import Image

from colorization.core.pictures.file_metadata import IPTC_RESOURCE, Metadata

_LONGEST = 65533  # bytes in one segment
_LIMITED = {  # Pillow's option: (name of the metadata, bytes that Pillow adds)
    "exif": ("EXIF", b""),
    "xmp": ("XMP", b"http://ns.adobe.com/xap/1.0/\0"),
    "extra": ("IPTC", b""),
}


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
    if metadata.dpi:
        options["dpi"] = metadata.dpi
    if metadata.comment:
        options["comment"] = metadata.comment.encode()[:_LONGEST]
    if metadata.exif:
        options["exif"] = metadata.exif
    if metadata.xmp:
        options["xmp"] = metadata.xmp
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
    return encoded[: head_size(encoded)], told


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
