"""Decoder of TIFF files: by tifffile, and by Pillow for rare kinds of color."""

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin

from colorization.core.pictures import file_metadata, sample_arrays, tag_directories
from colorization.core.pictures.damage import DAMAGED, ERRORS, camera_raw, tell_damage, undecodable
from colorization.core.pictures.library_warnings import no_standard_error, python_warnings
from colorization.core.pictures.sample_arrays import Samples
from colorization.core.pictures.source import Source

_RAW_TAG = 50706  # the version of DNG
_REDUCED, _MASK = 1, 4  # bits of NewSubfileType: a thumbnail, a mask of another page
_PROFILE_TAG = 34675
_MINISWHITE, _MINISBLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6  # photometric interpretations
_COLORS = {_MINISWHITE: 1, _MINISBLACK: 1, _RGB: 3, _PALETTE: 1, _CMYK: 4, _YCBCR: 3}
"""Samples of a pixel, apart from extra ones."""

_JPEG = 7  # compression; its decoder converts YCbCr to RGB
_PREMULTIPLIED, _ALPHA = 1, 2  # kinds of extra samples
_UNSIGNED = 1  # a format of samples
_DAMAGED_METADATA = "Its metadata are damaged; only the readable part is kept."


class TiffReader:
    """The pages of a TIFF file, apart from thumbnails and masks. See reading.Reader."""

    def __init__(self, source: Source, format: str, told: list[str]) -> None:
        self._source, self._told = source, told
        self._room = source.size()  # bytes for metadata: pages that share them could fill the memory
        with self._opened() as (stream, file, pages):
            self.sizes = [(int(page.imagewidth), int(page.imagelength)) for page in pages]
            self.metadata = self._describe(stream, file, pages[0])

    def pages(self) -> Iterator[Samples]:
        """Decode one page after the other."""
        with self._opened() as (stream, file, pages):
            left_out = []
            self._room = self._source.size()
            self.metadata.of_pages.clear()
            for number, page in enumerate(pages, 1):
                try:
                    samples = self._by_tifffile(stream, page) or self._by_pillow(stream, page)
                except ERRORS as error:
                    left_out.append(error)
                    self._told.append(
                        f"{DAMAGED}: page {number} of {len(pages)} cannot be decoded and is left out."
                    )
                else:
                    self.metadata.of_pages.append(self._describe(stream, file, page))
                    yield samples
            if len(left_out) == len(pages):
                raise left_out[0]

    @contextlib.contextmanager
    def _opened(self) -> Iterator[tuple[BinaryIO, Any, list[Any]]]:
        import tifffile

        with self._source.open() as stream:
            file = tifffile.TiffFile(stream)
            pages = _pictures(file)
            if not pages:
                raise undecodable(self._source)
            if _RAW_TAG in pages[0].tags:
                raise camera_raw(self._source)
            yield stream, file, pages

    def _describe(self, stream: BinaryIO, file: Any, page: Any) -> file_metadata.Metadata:
        found: file_metadata.Metadata | None = None
        place = (stream, page.offset, file.byteorder, file.is_bigtiff)
        with python_warnings() as caught, contextlib.suppress(ERRORS):
            if tag_directories.is_plausible(*place, self._room):
                found = file_metadata.of_tiff(*place)
        if (found is None or caught) and _DAMAGED_METADATA not in self._told:
            self._told.append(_DAMAGED_METADATA)
        metadata = found or file_metadata.Metadata()
        self._room -= sum(len(part or b"") for part in (metadata.exif, metadata.xmp, metadata.iptc))
        metadata.tiff_compression = int(page.compression)
        return metadata

    def _by_tifffile(self, stream: BinaryIO, page: Any) -> Samples | None:
        """The samples of a page; None if tifffile cannot convert its colors, or cannot decode anything."""
        kind = int(page.photometric)
        if kind not in _COLORS or (kind == _YCBCR and int(page.compression) != _JPEG):
            return None
        array, share = _decoded(stream, page)
        if array is None:
            return None
        if share:
            tell_damage(self._told, share)
        if kind == _PALETTE:
            array = _looked_up(array, page.colormap)
        else:
            bits = page.bitspersample if page.sampleformat == _UNSIGNED else None
            array, told = sample_arrays.scaled(array, bits)
            self._told += [told] if told else []
        samples = _split(array, kind, page.extrasamples)
        samples.profile, samples.orientation = page.tags.valueof(_PROFILE_TAG), _orientation(page)
        return samples

    def _by_pillow(self, stream: BinaryIO, page: Any) -> Samples:
        """A page of 8 bits. Pillow turns it upright."""
        if page.bitspersample > 8:
            raise undecodable(self._source)
        stream.seek(0)
        with python_warnings(), no_standard_error():  # libtiff prints a line for each damaged row
            image: Any = TiffImagePlugin.TiffImageFile(stream)
            image.seek(page.index)
            image.im = Image.core.new(image.mode, image._tile_size)  # else Pillow's own limit holds
            image.load()
        samples = sample_arrays.of_image(image)
        if image.mode != "LAB":  # whose profile is for Lab
            samples.profile = image.info.get("icc_profile")
        return samples


def _pictures(file: Any) -> list[Any]:
    """The pages without thumbnails and masks; the first page if there are no others."""
    import tifffile

    pages: list[Any] = []
    with contextlib.suppress(ERRORS):  # a cut file has the pages before the cut
        for page in file.pages:
            pages.append(page if isinstance(page, tifffile.TiffPage) else page.aspage())
    pages = [page for page in pages if page.imagewidth and page.imagelength]
    return [page for page in pages if not page.subfiletype & (_REDUCED | _MASK)] or pages[:1]


def _decoded(stream: BinaryIO, page: Any) -> tuple[np.ndarray | None, float]:
    """((H, W) or (H, W, C) samples, share of missing ones); the samples are None if none can be decoded."""
    try:
        return _in_order(page.asarray(), page), 0.0
    except ERRORS:
        array = np.zeros(page.shaped, page.dtype)
    decoded = _copy_rows(stream, page, array) if page.is_contiguous else _copy_segments(stream, page, array)
    return (_in_order(array.reshape(page.shape), page), 1 - decoded) if decoded else (None, 1.0)


def _copy_rows(stream: BinaryIO, page: Any, array: np.ndarray) -> float:
    """Fill an array with uncompressed samples up to the end of the file; returns their share."""
    stream.seek(page.dataoffsets[0])
    data = stream.read(array.nbytes)
    values = np.frombuffer(
        data[: len(data) // array.itemsize * array.itemsize], page.dtype.newbyteorder(page.parent.byteorder)
    )
    array.reshape(-1)[: len(values)] = values
    return len(values) / array.size


def _copy_segments(stream: BinaryIO, page: Any, array: np.ndarray) -> float:
    """Fill an array with the strips or tiles that can be decoded; returns their share."""
    decoded = 0
    places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    for number, (offset, count) in enumerate(places):
        with contextlib.suppress(ERRORS):
            stream.seek(offset)
            options = {} if page.jpegtables is None else {"jpegtables": page.jpegtables}
            segment, (plane, depth, top, left, _), shape = page.decode(stream.read(count), number, **options)
            bottom, right = top + shape[1], left + shape[2]
            place = array[plane, depth : depth + shape[0], top:bottom, left:right]
            place[...] = segment[: place.shape[0], : place.shape[1], : place.shape[2]]
            decoded += 1
    return decoded / len(places) if places else 0.0


def _in_order(array: np.ndarray, page: Any) -> np.ndarray:
    """The first image of a volume, with its samples in the last axis."""
    axes = page.axes
    if axes.startswith("S"):
        array, axes = np.moveaxis(array, 0, -1), axes[1:] + "S"
    return array[0] if axes.startswith("Z") else array


def _looked_up(array: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Convert indices into a palette, (3, N) uint16, to uint8 gray or RGB."""
    table = (colors // 256 if colors.max() > 255 else colors).astype(np.uint8).T
    is_gray = bool((table == table[:, :1]).all())
    return (table[:, 0] if is_gray else table)[np.minimum(array, len(table) - 1)]


def _split(array: np.ndarray, kind: int, extra: tuple[int, ...]) -> Samples:
    """Samples of an array whose extra samples come last."""
    if kind == _PALETTE:
        return Samples(array)
    count = _COLORS[kind]
    array = array[..., None] if array.ndim == 2 else array
    if array.shape[2] < count:
        raise ValueError("too few samples for the kind of color")
    pixels = array[..., 0] if count == 1 else array[..., :count]
    if kind == _MINISWHITE:
        pixels = np.iinfo(pixels.dtype).max - pixels
    alpha = None
    for position, meaning in enumerate(extra, count):
        if meaning in (_PREMULTIPLIED, _ALPHA) and position < array.shape[2]:
            alpha = np.ascontiguousarray(array[..., position])
            pixels = _unmultiplied(pixels, alpha) if meaning == _PREMULTIPLIED else pixels
            break
    return Samples(np.ascontiguousarray(pixels), alpha)


def _unmultiplied(pixels: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divide premultiplied colors by alpha."""
    most = np.iinfo(pixels.dtype).max
    factor = most / np.maximum(alpha, 1).astype(np.float32)
    factor = factor[..., None] if pixels.ndim == 3 else factor
    return np.rint(np.minimum(pixels * factor, most)).astype(pixels.dtype)


def _orientation(page: Any) -> int:
    value = page.tags.valueof(file_metadata.ORIENTATION, 1)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
