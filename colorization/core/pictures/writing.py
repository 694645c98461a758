"""Write pictures with their metadata: JPEG, PNG, WebP and AVIF. See tiff_writing for TIFF."""

import dataclasses
import io
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, PngImagePlugin

from colorization.core.atomic_io import replacing, system_message
from colorization.core.errors import InputError, printable
from colorization.core.pictures import jpeg_segments, png_chunks, tiff_writing, xmp
from colorization.core.pictures.file_metadata import Metadata, as_text, without_orientation
from colorization.core.pictures.opening import Picture
from colorization.core.pictures.profiles import srgb_profile
from colorization.core.pictures.sample_arrays import reduced

JPEG_QUALITY = 95  # with colors at full resolution
_OPTIONS: dict[str, dict[str, Any]] = {
    "WEBP": {"quality": 95, "method": 4},
    "AVIF": {"quality": 90, "subsampling": "4:4:4", "speed": 8},  # the usual speed takes five times as long
}
_PNG_LEVEL = 4  # a third of the time of 6, for files 8 % larger

_SIDES = {"JPEG": 65500, "WEBP": 16383, "AVIF": 65535}
"""The longest side that a format, or its library, can hold."""

_NAMES = {"WEBP": "WebP"}
_DEEP = {"PNG", "TIFF"}  # hold 16 bits per sample
_WITHOUT_ALPHA = {"JPEG"}
_HELD = {
    "JPEG": {"exif", "xmp", "extended_xmp", "iptc", "dpi", "comment"},
    "PNG": {"exif", "xmp", "dpi", "comment", "texts"},
    "TIFF": {"exif", "xmp", "iptc", "dpi"},
    "WEBP": {"exif", "xmp"},
    "AVIF": {"exif", "xmp"},
}
"""{format: the fields of Metadata that it holds}."""

_SHOWN = {
    "exif": "EXIF",
    "xmp": "XMP",
    "extended_xmp": "extended XMP",
    "iptc": "IPTC",
    "dpi": "resolution",
    "comment": "comment",
    "texts": "text fields",
}


def write_picture(
    target: Path | BinaryIO, format: str, pages: Iterable[Picture], metadata: Metadata
) -> list[str]:
    """Write a picture completely or not at all.

    Args:
        target: a path, or a binary stream.
        format: JPEG, PNG, TIFF, WEBP or AVIF, see image_formats.output_format.
        pages: at least one. Only TIFF holds more than the first.
        metadata: of the source; its profile is not in it, because the pixels are sRGB.

    Returns:
        Sentences for the user about data that the format cannot hold.

    Raises:
        InputError: the file cannot be written, or the format cannot hold so large a picture.
    """
    name = printable(target) if isinstance(target, Path) else "The output"
    told: list[str] = []
    fitting = (_fitted(picture, format, told, name) for picture in _held_pages(format, pages, metadata, told))
    if isinstance(target, Path):
        with replacing(target) as temporary, temporary.open("wb+") as stream:
            _encode(stream, format, fitting, metadata, told)
    else:
        buffer = io.BytesIO()  # TIFF needs to seek, which a pipe cannot
        _encode(buffer, format, fitting, metadata, told)
        try:
            target.write(buffer.getbuffer())
        except BrokenPipeError:  # its reader, such as `head`, has enough
            raise
        except OSError as error:
            raise InputError(f"{name} cannot be written: {system_message(error)}.") from None
    return told


def _held_pages(
    format: str, pages: Iterable[Picture], metadata: Metadata, told: list[str]
) -> Iterator[Picture]:
    """The pages that the format holds."""
    count = len(pages) if isinstance(pages, Sized) else metadata.page_count
    for picture in pages:
        yield picture
        if format != "TIFF":
            if count > 1:
                told.append(f"{_shown(format)} holds one page: {count - 1} of {count} pages are left out.")
            return


def _fitted(picture: Picture, format: str, told: list[str], name: str) -> Picture:
    """RGB and alpha of a depth that the format holds."""
    pixels, alpha = picture.pixels, picture.alpha
    limit = _SIDES.get(format)
    if limit and max(pixels.shape[:2]) > limit:
        raise InputError(
            f"{name} cannot be written: {_shown(format)} holds at most {limit} pixels "
            "a side. Choose PNG or TIFF."
        )
    if format not in _DEEP and pixels.dtype == np.uint16:
        _tell(told, f"{_shown(format)} holds 8 bits per channel: the 16 bits of the picture are reduced.")
        pixels = reduced(pixels)
        alpha = None if alpha is None else reduced(alpha)
    if alpha is not None and format in _WITHOUT_ALPHA:
        if alpha.min() < np.iinfo(alpha.dtype).max:
            _tell(told, f"{_shown(format)} holds no transparency: the picture is put on white.")
            pixels = _on_white(pixels, alpha)
        alpha = None
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    return Picture(np.ascontiguousarray(pixels), alpha)


def _on_white(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    alpha = alpha[..., None] if pixels.ndim == 3 else alpha
    light = pixels.astype(np.uint16) * alpha + 255 * (255 - alpha.astype(np.uint16))
    return ((light + 127) // 255).astype(np.uint8)


def _encode(stream: Any, format: str, pages: Iterator[Picture], metadata: Metadata, told: list[str]) -> None:
    """Encode pages, and report lost metadata."""
    if format == "TIFF":
        held = _held(metadata, format, told)
        tiff_writing.write(stream, ((page.pixels, page.alpha) for page in pages), held)
    else:
        picture = next(pages)
        encode = {"JPEG": _jpeg, "PNG": _png}.get(format, _with_pillow)
        lost: list[str] = []
        told += encode(stream, picture, _held(metadata.of_page(0), format, lost), format)
        for _ in pages:  # runs the generator to its end, which reports left-out pages
            pass
        told += lost


def _held(metadata: Metadata, format: str, told: list[str]) -> Metadata:
    """The metadata that a format holds; the others are reported."""
    lost = [field for field in _SHOWN if getattr(metadata, field) and field not in _HELD[format]]
    if lost:
        names = " and no ".join(_SHOWN[field] for field in lost)
        told.append(f"{_shown(format)} holds no {names}: left out.")
    if "extended_xmp" in lost:
        return dataclasses.replace(metadata, xmp=xmp.without_pointer(metadata.xmp))
    return metadata


def _jpeg(stream: BinaryIO, picture: Picture, metadata: Metadata, format: str) -> list[str]:
    import imagecodecs

    encoded = imagecodecs.jpeg8_encode(picture.pixels, JPEG_QUALITY, subsampling="444")
    head, told = jpeg_segments.head(metadata, srgb_profile())
    stream.write(head)
    stream.write(memoryview(encoded)[jpeg_segments.head_size(encoded) :])
    return told


def _png(stream: BinaryIO, picture: Picture, metadata: Metadata, format: str) -> list[str]:
    import imagecodecs

    texts = PngImagePlugin.PngInfo()
    if metadata.xmp:
        texts.add_itxt("XML:com.adobe.xmp", metadata.xmp.decode("utf-8", errors="replace"))
    comment = {"Comment": as_text(metadata.comment)} if metadata.comment else {}
    for key, text in (comment | metadata.texts).items():
        texts.add_itxt(key[:79], text)
    options = {"dpi": metadata.dpi} if metadata.dpi else {}
    one_pixel = png_chunks.one_pixel(
        pnginfo=texts, exif=metadata.exif or b"", icc_profile=srgb_profile(), **options
    )
    encoded = imagecodecs.png_encode(_stacked(picture), _PNG_LEVEL)
    stream.write(png_chunks.with_metadata_of(encoded, one_pixel))
    return []


def _with_pillow(stream: BinaryIO, picture: Picture, metadata: Metadata, format: str) -> list[str]:
    image = Image.fromarray(_stacked(picture))
    exif = metadata.exif or b""
    image.save(
        stream,
        format,
        exif=without_orientation(exif) if format == "AVIF" else exif,  # Pillow would make it anew
        xmp=metadata.xmp or b"",
        icc_profile=srgb_profile(),
        **_OPTIONS[format],
    )
    return []


def _stacked(picture: Picture) -> np.ndarray:
    """(H, W, 3), or (H, W, 4) with alpha."""
    return picture.pixels if picture.alpha is None else np.dstack([picture.pixels, picture.alpha])


def _shown(format: str) -> str:
    return _NAMES.get(format, format)


def _tell(told: list[str], sentence: str) -> None:
    if sentence not in told:
        told.append(sentence)
