"""Write TIFF files with metadata, page by page, by tifffile."""

import io
import struct
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin

from colorization.core.pictures.file_metadata import (
    DESCRIPTIVE_TAGS,
    EXIF_TAG,
    GPS_TAG,
    INTEROPERABILITY_TAG,
    IPTC_TAG,
    XMP_TAG,
    Metadata,
    keep_letters,
)
from colorization.core.pictures.profiles import srgb_profile

_NONE, _LZW, _DEFLATE = 1, 5, 8  # compressions
_KEPT = {_NONE, _LZW}  # compressions of the source that are kept; others become deflate
_LEVEL = {_DEFLATE: {"level": 6}}
_PIXEL = 8  # bytes at most; the depth of later pages is unknown
_TOO_MUCH = 2**32 - 2**26  # limit in bytes of 32-bit positions, minus a reserve for tags
_BYTE, _ASCII, _SHORT, _LONG, _UNDEFINED, _LONG8 = 1, 2, 3, 4, 7, 16  # types of tags
_DIRECTORIES = (EXIF_TAG, GPS_TAG)
"""Tags that point to a directory. tifffile cannot write them, so they are written as the number one less."""


def write(
    stream: BinaryIO, pages: Iterable[tuple[np.ndarray, np.ndarray | None]], metadata: Metadata
) -> None:
    """Write pages, one in memory at a time.

    Args:
        stream: seekable binary stream.
        pages: (RGB, alpha) of each page: (H, W, 3) and (H, W), uint8 or uint16. The alpha may be None.
        metadata: of the file, with those of each page.
    """
    import tifffile

    writer: Any = None
    try:
        for number, (pixels, alpha) in enumerate(pages):
            if writer is None:
                is_big = max(metadata.pixel_count, pixels.size // 3) * _PIXEL > _TOO_MUCH
                writer = tifffile.TiffWriter(stream, bigtiff=is_big, byteorder="<")
            writer.write(
                pixels if alpha is None else np.dstack([pixels, alpha]),
                photometric="rgb",
                extrasamples=None if alpha is None else ["unassalpha"],
                rowsperstrip=max(1, 2**20 // (pixels.shape[1] * 4 * pixels.itemsize)),
                iccprofile=srgb_profile(),
                metadata=None,
                software=False,
                contiguous=False,
                **_options(metadata.of_page(number), is_big),
            )
    finally:
        if writer is not None:
            writer.close()
    _append_directories(stream, metadata)


def _options(metadata: Metadata, is_big: bool) -> dict[str, Any]:
    """The compression and the metadata of a page, as tifffile takes them."""
    compression = metadata.tiff_compression if metadata.tiff_compression in _KEPT else _DEFLATE
    return {
        "compression": None if compression == _NONE else compression,
        "compressionargs": _LEVEL.get(compression),
        "predictor": compression != _NONE,
        "resolution": metadata.dpi or (1, 1),
        "resolutionunit": "INCH" if metadata.dpi else "NONE",
        "extratags": _tags(metadata, is_big),
    }


def _exif(metadata: Metadata) -> Image.Exif:
    exif = Image.Exif()
    exif.load(metadata.exif or b"")
    return exif


def _tags(metadata: Metadata, is_big: bool) -> list[tuple[int, int, int, Any]]:
    """Tags of a page, as tifffile takes them. Directories get their positions later."""
    exif, tags = _exif(metadata), list[tuple[int, int, int, Any]]()
    for tag in DESCRIPTIVE_TAGS.intersection(exif):
        value = exif[tag]
        if isinstance(value, str):
            data = value.encode("latin-1") + b"\0"  # the bytes of the source: Pillow reads them so
            tags.append((tag, _ASCII, len(data), data))
        elif isinstance(value, bytes):
            tags.append((tag, _BYTE, len(value), value))
        elif isinstance(value, int):
            tags.append((tag, _SHORT, 1, value))
    for tag, kind, packet in ((XMP_TAG, _BYTE, metadata.xmp), (IPTC_TAG, _UNDEFINED, metadata.iptc)):
        if packet:
            tags.append((tag, kind, len(packet), packet))
    return tags + [(tag - 1, _LONG8 if is_big else _LONG, 1, 0) for tag in _DIRECTORIES if tag in exif]


def _append_directories(stream: BinaryIO, metadata: Metadata) -> None:
    """Write the directories of EXIF and GPS at the end of a file, and let its pages point to them."""
    import tifffile

    stream.seek(0)
    with tifffile.TiffFile(stream) as file:
        big = b"+\0\x08\0\0\0" + bytes(8) if file.is_bigtiff else b"*\0" + bytes(4)
        pages: Any = file.pages
        for number, page in enumerate(pages):
            links = {tag: link for tag in _DIRECTORIES if (link := page.tags.get(tag - 1)) is not None}
            if links:
                exif = _exif(metadata.of_page(number))
                keep_letters(exif)
            for tag, link in links.items():
                position = _append(stream, exif.get_ifd(tag), b"II" + big, tag)
                link.overwrite(position)
                stream.seek(link.offset)
                stream.write(struct.pack("<H", tag))


def _append(stream: BinaryIO, values: dict[int, Any], header: bytes, tag: int) -> int:
    """Write a directory at the end of a file; returns its position."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(header, group=tag)
    for key, value in values.items():
        if key != INTEROPERABILITY_TAG:
            directory[key] = value
    position = stream.seek(0, io.SEEK_END)
    position += stream.write(bytes(-position % 8))
    stream.write(directory.tobytes(position))
    return position
