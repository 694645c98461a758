"""Decoder of TIFF files: by Pillow up to 8 bits per sample, by tifffile above."""

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin, TiffTags

from colorization.core import picture_metadata, picture_samples
from colorization.core.picture_reading import ERRORS, missing_share, python_warnings, tell_damage, undecodable
from colorization.core.picture_samples import Samples
from colorization.core.picture_source import Source

_REDUCED, _MASK = 1, 4  # bits of NewSubfileType: a thumbnail, a mask of another page
_ICC_TAG = 34675
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _CMYK = 0, 1, 2, 3, 5  # photometric interpretations
_COLORS = {_MINISWHITE: 1, _MINISBLACK: 1, _RGB: 3, _CMYK: 4}  # samples apart from extra ones
_PREMULTIPLIED, _ALPHA = 1, 2  # kinds of extra samples


class TiffReader:
    """The pages of a TIFF file, apart from thumbnails and masks. See picture_reading.Reader."""

    def __init__(self, source: Source, format: str, told: list[str]) -> None:
        self._source, self._told = source, told
        with self._opened() as (stream, file, pages):
            self.sizes = [(page.imagewidth, page.imagelength) for page in pages]
            with python_warnings():
                try:
                    self.metadata = picture_metadata.of_tiff(
                        stream, pages[0].offset, file.byteorder, file.is_bigtiff
                    )
                except ERRORS:
                    self.metadata = picture_metadata.Metadata()
                    told.append("Its metadata are damaged and are not kept.")
            self.metadata.tiff_compression = int(pages[0].compression)

    def pages(self) -> Iterator[Samples]:
        """Decode one page after the other. Raises InputError."""
        with self._opened() as (stream, _, pages), self._source.open() as other:
            try:
                image = self._pillow(other)
            except ERRORS:
                image = None
            for page in pages:
                samples = self._by_pillow(image, page) if image is not None and _is_plain(page) else None
                yield samples or self._by_tifffile(stream, page)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, Any, list[Any]]]:
        import tifffile

        with self._source.open() as stream:
            try:
                file = tifffile.TiffFile(stream)
                pages = _pictures(file)
            except ERRORS:
                raise undecodable(self._source) from None
            if not pages:
                raise undecodable(self._source)
            yield stream, file, pages

    def _pillow(self, stream: BinaryIO) -> Any:
        with python_warnings():
            return TiffImagePlugin.TiffImageFile(stream)

    def _by_pillow(self, image: Any, page: Any) -> Samples | None:
        """Samples of a page of 8 bits; None if Pillow does not know its kind."""
        try:
            with python_warnings():
                image.seek(page.index)
                exif = image.getexif()  # here, because load() would do so outside of python_warnings
                for tag in TiffTags.TAGS_V2_GROUPS:
                    if tag in exif:
                        exif.get_ifd(tag)
            image.im = Image.core.new(image.mode, image._tile_size)  # load() would check Pillow's own limit
        except ERRORS:
            return None
        try:
            image.load()
        except ERRORS:
            share = missing_share(image)
            if share == 1:
                return None
            image.load_end()  # turns it upright
            tell_damage(self._told, share)
        samples = picture_samples.of_image(image)
        samples.profile = image.info.get("icc_profile")
        return samples

    def _by_tifffile(self, stream: BinaryIO, page: Any) -> Samples:
        kind = int(page.photometric)
        if kind not in _COLORS:
            raise self._source.refused(
                f"cannot be read: its colors are stored as {page.photometric.name} with "
                f"{page.bitspersample} bits. Convert it to RGB"
            )
        array, share = _decoded(stream, page)
        if array is None:
            raise undecodable(self._source)
        if share:
            tell_damage(self._told, share)
        array, told = picture_samples.scaled(array, page.bitspersample if page.sampleformat == 1 else None)
        if told:
            self._told.append(told)
        samples = _split(array, kind, page.extrasamples)
        samples.profile = page.tags.valueof(_ICC_TAG)
        samples.orientation = _orientation(page)
        return samples


def _pictures(file: Any) -> list[Any]:
    """The pages that are pictures of their own; the first page if there are none."""
    import tifffile

    pages: list[Any] = []
    with contextlib.suppress(*ERRORS):  # a cut file has the pages before the cut
        for page in file.pages:
            pages.append(page if isinstance(page, tifffile.TiffPage) else page.aspage())
    pages = [page for page in pages if page.imagewidth and page.imagelength]
    return [page for page in pages if not page.subfiletype & (_REDUCED | _MASK)] or pages[:1]


def _is_plain(page: Any) -> bool:
    """Whether Pillow keeps the depth of the samples."""
    return page.bitspersample <= 8 and page.sampleformat == 1


def _decoded(stream: BinaryIO, page: Any) -> tuple[np.ndarray | None, float]:
    """(samples as (H, W) or (H, W, C), share of rows that are missing); None if nothing can be decoded."""
    try:
        return _in_order(page.asarray(), page), 0.0
    except ERRORS:
        pass
    array = np.zeros(page.shape, page.dtype)
    if page.is_contiguous:
        stream.seek(page.dataoffsets[0])
        data = stream.read(array.nbytes)
        values = np.frombuffer(
            data.ljust(array.nbytes, b"\0"), page.dtype.newbyteorder(page.parent.byteorder)
        )
        array = values.reshape(page.shape)
    else:
        with contextlib.suppress(*ERRORS):
            page.asarray(out=array)  # keeps the strips before the first that fails
    array = _in_order(array, page)
    rows = np.flatnonzero(array.reshape(len(array), -1).any(axis=1))
    return (array, 1 - (rows[-1] + 1) / len(array)) if len(rows) else (None, 1.0)


def _in_order(array: np.ndarray, page: Any) -> np.ndarray:
    array = array.reshape(page.shaped[2:] if array.ndim > 3 else array.shape)
    return np.moveaxis(array, 0, -1) if page.axes.startswith("S") else array


def _split(array: np.ndarray, kind: int, extra: tuple[int, ...]) -> Samples:
    """Samples of an array whose extra samples come last."""
    count = _COLORS[kind]
    array = array[..., None] if array.ndim == 2 else array
    pixels = array[..., 0] if count == 1 else array[..., :count]
    if kind == _MINISWHITE:
        pixels = np.iinfo(pixels.dtype).max - pixels
    alpha = None
    for position, meaning in enumerate(extra, count):
        if meaning in (_PREMULTIPLIED, _ALPHA) and position < array.shape[2]:
            alpha = np.ascontiguousarray(array[..., position])
            if meaning == _PREMULTIPLIED:
                pixels = _unmultiplied(pixels, alpha)
            break
    return Samples(np.ascontiguousarray(pixels), alpha)


def _unmultiplied(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colors that were stored times alpha."""
    most = np.iinfo(pixels.dtype).max
    factor = most / np.maximum(alpha, 1).astype(np.float32)
    factor = factor[..., None] if pixels.ndim == 3 else factor
    return np.rint(np.minimum(pixels * factor, most)).astype(pixels.dtype)


def _orientation(page: Any) -> int:
    value = page.tags.valueof(picture_metadata.ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
