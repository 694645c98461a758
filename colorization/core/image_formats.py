"""Image formats: recognized by the first bytes of a file, and their suffixes."""

import contextlib
from pathlib import Path

from colorization.core.errors import InputError, printable

HEADER = 64  # bytes, which hold every signature

RAW_SUFFIXES = {
    *(".3fr", ".arw", ".cr2", ".cr3", ".dng", ".erf", ".iiq", ".kdc", ".mef"),
    *(".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".sr2", ".srw"),
}
"""Suffixes of camera raw files. Readers of TIFF would read their thumbnails, because most look like TIFF."""

READABLE = {"AVIF", "BMP", "GIF", "HEIC", "JPEG", "JPEG 2000", "PNG", "TIFF", "WebP"}
"""Names of image_format that `pictures.open_picture` reads."""

_SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "Photoshop": (b"8BPS",),
}
_BMP_HEADERS = {12, 40, 52, 56, 64, 108, 124}  # sizes; "BM" alone also begins some texts
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

OUTPUTS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".avif": "AVIF",
}
"""{suffix in lower case: Pillow's name} of the pictures that are written."""

_PILLOW_NAMES = {"WebP": "WEBP", "HEIC": "HEIF", "JPEG 2000": "JPEG2000"}  # where they differ from ours
_DEFAULT_SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "AVIF": ".avif",
    "HEIF": ".jpg",  # few programs of other people read it
    "GIF": ".png",
    "BMP": ".png",
    "JPEG2000": ".png",
}


def image_format(header: bytes) -> str | None:
    """Recognize the image format of a file.

    Args:
        header: the first HEADER bytes of the file.

    Returns:
        Name of the format, such as "JPEG"; None for an unknown format.
    """
    for name, signatures in _SIGNATURES.items():
        if header.startswith(signatures):
            return name
    if header[:4] == b"RIFF" and header[8:12] == b"WEBP":
        return "WebP"
    if header[:2] == b"BM" and int.from_bytes(header[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if header[4:8] == b"ftyp":
        brands = {header[start : start + 4] for start in (8, *range(16, _box_end(header), 4))}
        return "AVIF" if brands & _AVIF_BRANDS else "HEIC" if brands & _HEIC_BRANDS else None
    return None


def _box_end(header: bytes) -> int:
    return min(len(header), int.from_bytes(header[:4], "big"))


def default_suffix(format: str) -> str:
    """The suffix of the result for an input of a format.

    Args:
        format: Pillow's name, as in PictureFile.format.

    Returns:
        The suffix of the same format, or of PNG or JPEG for formats that are not written.
    """
    return _DEFAULT_SUFFIXES[format]


def result_format(path: Path) -> str:
    """The format of the result for a picture, by the first bytes of the file.

    A file that is not a picture, or cannot be read, counts as PNG; it is refused when it is opened. So does a
    pipe, whose bytes can be read only once.

    Args:
        path: path of the picture.

    Returns:
        Pillow's name of the format.
    """
    name = None
    with contextlib.suppress(OSError, ValueError):  # ValueError: a NUL in the path
        if path.is_file():
            with path.open("rb") as file:
                name = image_format(file.read(HEADER))
    own = _PILLOW_NAMES.get(name or "PNG", name or "PNG")
    return OUTPUTS[_DEFAULT_SUFFIXES.get(own, ".png")]


def output_format(suffix: str) -> str:
    """Pillow's name of the format that a suffix of a result asks for.

    Args:
        suffix: with the dot, in any case.

    Returns:
        Pillow's name of the format.

    Raises:
        InputError: no pictures are written under this suffix.
    """
    try:
        return OUTPUTS[suffix.lower()]
    except KeyError:
        raise InputError(
            f"{printable(suffix) or 'A name without a suffix'} is not the suffix of a picture to write: "
            f"use one of {', '.join(OUTPUTS)}."
        ) from None
