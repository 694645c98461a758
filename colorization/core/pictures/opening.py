"""Open pictures of any common format: upright, in sRGB, with their metadata."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from colorization.core import image_formats
from colorization.core.pictures import profiles, sample_arrays
from colorization.core.pictures.damage import DAMAGED, camera_raw, decoding
from colorization.core.pictures.file_metadata import Metadata
from colorization.core.pictures.reading import HeicReader, Reader
from colorization.core.pictures.sample_arrays import Samples
from colorization.core.pictures.source import Source
from colorization.core.pictures.tiff_reading import TiffReader
from colorization.core.typing import StrPath

MAX_PIXELS = 500_000_000
"""Greatest number of pixels of a page: a scan of A3 at 1200 dpi has fewer. Decoded, they take 1.5 GB."""

_READERS: dict[str, tuple[str, Any]] = {
    "JPEG": ("JPEG", Reader),
    "PNG": ("PNG", Reader),
    "WebP": ("WEBP", Reader),
    "BMP": ("BMP", Reader),
    "GIF": ("GIF", Reader),
    "AVIF": ("AVIF", Reader),
    "JPEG 2000": ("JPEG2000", Reader),
    "HEIC": ("HEIF", HeicReader),
    "TIFF": ("TIFF", TiffReader),
}
"""{name of image_format: (Pillow's name, reader)}."""


@dataclass
class Picture:
    """One page, upright and in sRGB.

    Attributes:
        pixels: (H, W) gray or (H, W, 3) RGB; uint8 or uint16, sRGB-encoded.
        alpha: (H, W) of the same dtype, or None. 0 hides a pixel.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None


@dataclass
class PictureFile:
    """An opened picture. `pages` decodes its pixels.

    Attributes:
        format: Pillow's name: JPEG (MPO too), PNG, TIFF, WEBP, BMP, GIF, HEIF, AVIF or JPEG2000.
        page_count: of a TIFF file, without thumbnails and masks; else 1.
        metadata: without the color profile, which is applied to the pixels.
        warnings: sentences for the user. Some are added while pages are read, such as those about damage.
    """

    format: str
    page_count: int
    metadata: Metadata
    warnings: list[str]
    _source: Source = field(repr=False)
    _reader: Any = field(repr=False)

    @property
    def is_damaged(self) -> bool:
        """Whether the pages read so far are damaged."""
        return any(sentence.startswith(DAMAGED) for sentence in self.warnings)

    def pages(self) -> Iterator[Picture]:
        """Decode one page after the other.

        Yields:
            Picture.

        Raises:
            InputError: nothing of a page can be decoded.
        """
        found = self._reader.pages()
        while True:
            with decoding(self._source):
                samples = next(found, None)
            if samples is None:
                return
            yield self._finished(samples)

    def _finished(self, samples: Samples) -> Picture:
        pixels = samples.pixels
        if samples.profile:
            try:
                pixels = profiles.to_srgb(pixels, samples.profile)
            except profiles.ProfileError:
                self._tell(profiles.UNUSABLE)
        if pixels.ndim == 3 and pixels.shape[2] == 4:
            pixels = profiles.cmyk_to_rgb(pixels)
        alpha = samples.alpha
        return Picture(
            sample_arrays.upright(pixels, samples.orientation),
            None if alpha is None else sample_arrays.upright(alpha, samples.orientation),
        )

    def _tell(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)


def open_picture(
    source: StrPath | bytes, name: str | None = None, *, max_pixels: int = MAX_PIXELS
) -> PictureFile:
    """Open a picture of any common format. Its content decides the format. Only headers are read.

    Args:
        source: path of a file, or all of its bytes.
        name: for messages; None takes the path.
        max_pixels: greatest number of pixels of a page. Larger pages are not decoded.

    Returns:
        PictureFile.

    Raises:
        InputError: the file is not found, cannot be read, is no image, or is too large.
    """
    place = Source(source, name)
    header = place.start(image_formats.HEADER)
    if not header:
        raise place.refused("is empty: give an image file")
    found = image_formats.image_format(header)
    if found not in _READERS:
        formats = "JPEG, PNG, TIFF, WebP, HEIC, AVIF, JPEG 2000, GIF or BMP"
        what = f"is a {found} file, which is not read" if found else "cannot be read as an image"
        raise place.refused(f"{what}: give a {formats} file")
    suffix = "" if isinstance(source, bytes) else Path(source).suffix.lower()
    if suffix in image_formats.RAW_SUFFIXES and found == "TIFF":
        raise camera_raw(place)
    format, reader_of = _READERS[found]
    told: list[str] = []
    with decoding(place):
        reader = reader_of(place, format, told)
    for width, height in reader.sizes:
        if width * height > max_pixels:
            raise place.refused(
                f"has {width} x {height} pixels, more than the limit of {max_pixels:,}: raise it with "
                "--max-pixels"
            )
    metadata: Metadata = reader.metadata
    metadata.page_count = len(reader.sizes)
    metadata.pixel_count = sum(width * height for width, height in reader.sizes)
    return PictureFile(format, len(reader.sizes), metadata, told, place, reader)
