"""Decoders of one-page pictures: JPEG, PNG, WebP, BMP, GIF, HEIC, AVIF and JPEG 2000. See tiff_reading."""

import contextlib
import dataclasses
import io
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from colorization.core.pictures import (
    file_metadata,
    jpeg2000_boxes,
    jpeg_segments,
    png_chunks,
    profiles,
    sample_arrays,
)
from colorization.core.pictures.damage import (
    DAMAGED,
    END_OF_JPEG,
    ERRORS,
    early_end,
    empty_share,
    mended,
    plain_share,
    tell_damage,
    undecodable,
)
from colorization.core.pictures.library_warnings import python_warnings
from colorization.core.pictures.sample_arrays import Samples
from colorization.core.pictures.source import Source

_PLUGINS: dict[str, Callable[[BinaryIO], Any]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
    "JPEG2000": Jpeg2KImagePlugin.Jpeg2KImageFile,
}
"""Classes instead of Image.open, which would try sixty formats and has a limit of its own."""

_NOTHING = 0.98  # share of missing rows above which a picture is refused
_MP_COUNT = 45057  # the tag for the number of pictures in an MPO file


class Reader:
    """One page of a file that Pillow opens.

    Args:
        source: the file.
        format: Pillow's name.
        told: warnings are added here.

    Raises:
        Exception: of any type; see `decoding`.

    Attributes:
        sizes: (width, height) of each page.
        metadata: of the file.
    """

    def __init__(self, source: Source, format: str, told: list[str]) -> None:
        self._source, self._format, self._told = source, format, told
        with self._opened() as (image, _):
            self.sizes = [image.size]
            if format == "JPEG2000":
                image.info |= jpeg2000_boxes.info(source.read())
            self._mode = image.mode
            self._profile = image.info.get("icc_profile") or self._of_gamma(image.info)
            self.metadata, self._orientation = self._describe(image)
            self._tell_other_pictures(image)

    def pages(self) -> Iterator[Samples]:
        """Decode."""
        samples = self._direct() or self._with_pillow()
        samples.profile, samples.orientation = self._profile, self._orientation
        if self._format == "JPEG2000" and (self._profile or b"")[16:20] == profiles.SPACES["CMYK"]:
            samples = _with_black(samples)
        yield samples

    def _of_gamma(self, info: dict[Any, Any]) -> bytes | None:
        """The profile of a PNG file that tells its gamma instead of one."""
        if "gamma" not in info or "srgb" in info:
            return None
        try:
            return profiles.of_gamma(info["gamma"], info.get("chromaticity"))
        except profiles.ProfileError:
            self._told.append(profiles.UNUSABLE)
            return None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple[Any, float | None]]:
        """(image whose pixels are not decoded, None); if its header is damaged, see _opened_mended."""
        with self._source.open() as stream:
            try:
                image, share = self._open(stream), None
            except ERRORS:
                image, share = self._opened_mended()
            yield image, share

    def _open(self, stream: BinaryIO) -> Any:
        with python_warnings():
            return _PLUGINS[self._format](stream)

    def _opened_mended(self) -> tuple[Any, float]:
        """(image of the completed file, share that is missing)."""
        data, share = mended(self._source.read(), self._format)
        return self._open(io.BytesIO(data)), share

    def _describe(self, image: Any) -> tuple[file_metadata.Metadata, int]:
        """(metadata, orientation)."""
        info, texts = image.info, None
        if self._format == "PNG":
            info, texts = _png_metadata(self._source.read()) or (info, None)
        if self._format == "JPEG":
            extended = jpeg_segments.extended_xmp(image.applist, info.get("xmp"), self._told)
            info = {**info, "extended_xmp": extended}
        if self._format == "JPEG2000":
            info = {key: value for key, value in info.items() if key != "comment"}  # the name of the encoder
        return file_metadata.of_info(info, self._told, texts)

    def _tell_other_pictures(self, image: Any) -> None:
        if getattr(image, "is_animated", False):
            save = "save it as GIF, and " if self._format == "WEBP" else ""  # FFmpeg reads no animated WebP
            self._told.append(
                f"It is animated, and only its first frame is read: {save}color it with `colorize film`."
            )
        if self._format == "JPEG" and "mp" in image.info:
            with contextlib.suppress(ERRORS):
                others = image._getmp()[_MP_COUNT] - 1
                if others > 0:
                    self._told.append(f"Only the main one of its {others + 1} pictures is read.")

    def _direct(self) -> Samples | None:
        """Samples by imagecodecs; None for kinds that Pillow reads as well, and if imagecodecs fails.

        Pillow would reduce more than 8 bits, and copies the samples of plain files twice.
        """
        decode = _DIRECT.get(self._format)
        if decode is None or self._mode in ("P", "CMYK"):
            return None
        try:
            found = decode(self._source.read())
        except ERRORS:
            return None
        if found is None:
            return None
        samples, share = found
        if share is not None:
            self._tell_damage(share)
        return samples

    def _with_pillow(self) -> Samples:
        with self._opened() as (image, share):
            try:
                image.load()
            except ERRORS:
                return self._partly(image)
            samples = sample_arrays.of_image(image)
            if share is None and self._format == "JPEG":
                share = early_end(samples.pixels, self._source.read())
            if share is None and self._format == "PNG" and png_chunks.is_damaged(self._source.read()):
                share = 0.0
            if share is not None:
                self._tell_damage(share)
            return samples

    def _partly(self, image: Any) -> Samples:
        """The samples of a file whose decoding failed after some rows."""
        with contextlib.suppress(ERRORS):
            whole, share = self._opened_mended()
            whole.load()
            share = max(share, min(empty_share(image), plain_share(np.asarray(whole))))
            self._tell_damage(share, is_blurred="progressive" in whole.info)
            return sample_arrays.of_image(whole)
        share = empty_share(image)
        self._tell_damage(share)
        return sample_arrays.of_image(image)

    def _tell_damage(self, share: float, is_blurred: bool = False) -> None:
        """Warn. Raises InputError if there is nothing to show."""
        if share > _NOTHING:
            raise undecodable(self._source)
        if is_blurred and not share:
            self._told.append(f"{DAMAGED}: fine detail of the picture may be missing.")
        else:
            tell_damage(self._told, share)


class HeicReader:
    """The main picture of a HEIC file, by pillow-heif. See Reader."""

    def __init__(self, source: Source, format: str, told: list[str]) -> None:
        self._source = source
        with source.open() as stream:
            file = self._open(stream)
        self.sizes = [file.size]
        info = file.info
        self.metadata, _ = file_metadata.of_info(info, told)
        self._profile = info.get("icc_profile")
        self._bits = info.get("bit_depth", 8)
        if len(file) > 1:
            told.append(f"Only the main one of its {len(file)} pictures is read.")

    def pages(self) -> Iterator[Samples]:
        """Decode."""
        with self._source.open() as stream:
            array = np.asarray(self._open(stream))
        array, _ = sample_arrays.scaled(array, self._bits)
        samples = sample_arrays.split(array)
        samples.profile = self._profile  # libheif has turned the picture upright
        yield samples

    def _open(self, stream: BinaryIO) -> Any:
        import pillow_heif

        with python_warnings():
            return pillow_heif.open_heif(stream, convert_hdr_to_8bit=False, hdr_to_16bit=False)


def _png_metadata(png: bytes) -> tuple[dict[Any, Any], dict[str, str]] | None:
    """(Pillow's info, texts), including metadata after the pixels."""
    try:
        image = PngImagePlugin.PngImageFile(io.BytesIO(png_chunks.metadata_only(png)))
        image.load()
        return image.info, image.text
    except ERRORS:
        return None


def _with_black(samples: Samples) -> Samples:
    """CMYK of a file whose fourth channel was taken for alpha."""
    if samples.alpha is None or samples.pixels.ndim == 2:
        return samples
    return dataclasses.replace(samples, pixels=np.dstack([samples.pixels, samples.alpha]), alpha=None)


def _jpeg(data: bytes) -> tuple[Samples, float | None] | None:
    import imagecodecs

    if not data.rstrip(b"\0").endswith(END_OF_JPEG):  # it is cut, or data follow: Pillow decides
        return None
    array = imagecodecs.jpeg8_decode(data)
    return sample_arrays.split(array), early_end(array, data)


def _png(png: bytes) -> tuple[Samples, float | None] | None:
    import imagecodecs

    if png_chunks.bits(png) < 8:
        return None
    pixels, share = png_chunks.pixels_only(png)
    return sample_arrays.split(imagecodecs.png_decode(pixels)), share


def _jpeg2000(data: bytes) -> tuple[Samples, None] | None:
    import imagecodecs

    start = data.find(b"\xff\x4f\xff\x51")  # the codestream, whose first segment tells the bits
    bits = (data[start + 42] & 0x7F) + 1 if 0 <= start < len(data) - 42 else 8
    if bits <= 8:
        return None
    array, _ = sample_arrays.scaled(imagecodecs.jpeg2k_decode(jpeg2000_boxes.without_profile(data)), bits)
    return sample_arrays.split(array), None


def _avif(data: bytes) -> tuple[Samples, None] | None:
    import imagecodecs

    place = data.find(b"av1C")  # the configuration box tells the bits
    flags = data[place + 6] if 0 <= place < len(data) - 6 else 0
    if not flags & 0x40:
        return None
    array = imagecodecs.avif_decode(data)
    array, _ = sample_arrays.scaled(array[0] if array.ndim == 4 else array, 12 if flags & 0x20 else 10)
    return sample_arrays.split(array), None


_DIRECT: dict[str, Callable[[bytes], tuple[Samples, float | None] | None]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "JPEG2000": _jpeg2000,
    "AVIF": _avif,
}
"""{format: function that returns samples and the share that is missing, None if the file is whole}."""
