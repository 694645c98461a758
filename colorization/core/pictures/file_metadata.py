"""Metadata of pictures: EXIF, XMP, IPTC, resolution and texts, without the orientation and thumbnails."""

import io
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from PIL import Image

from colorization.core.pictures import tag_directories, xmp
from colorization.core.pictures.library_warnings import python_warnings

EXIF_HEADER = b"Exif\0\0"
_BASE = len(EXIF_HEADER)  # positions in EXIF count from its end
_THUMBNAIL_TAGS = 0x0201, 0x0202  # position and length
ORIENTATION = 0x0112
IPTC_RESOURCE = 0x0404  # of Photoshop
XMP_TAG, IPTC_TAG, EXIF_TAG, GPS_TAG = 700, 33723, 34665, 34853
INTEROPERABILITY_TAG = 40965  # a position in the file, which changes in the result
_RESOLUTION_TAGS, _RESOLUTION_UNIT = (282, 283), 296
_DENSEST = 1e8  # pixels per inch that PNG and TIFF hold
DESCRIPTIVE_TAGS = {
    *(269, 270, 271, 272, 285, 305, 306, 315, 316, 33432),  # name, description, camera, date, author, rights
    *(18246, 18249, 40091, 40092, 40093, 40094, 40095),  # rating, and texts of Windows
}
"""Tags of a TIFF page that describe the picture, not the storage of its pixels."""

_OTHER_TEXT = re.compile("Raw profile type |XML:com.adobe.xmp")


@dataclass
class Metadata:
    """The information of a file about its picture, apart from pixels and color profile.

    Attributes:
        exif: with the prefix Exif\\0\\0; its orientation is 1, and it has no thumbnail.
        xmp: an XML packet; its orientation is 1, and it has no thumbnail.
        extended_xmp: XML that the packet of a JPEG file has no room for and points to; no thumbnail.
        iptc: IPTC-IIM records.
        dpi: (horizontal, vertical) pixels per inch.
        comment: of JPEG and GIF files, which do not tell its encoding.
        texts: {keyword: text} of PNG files.
        tiff_compression: the compression of a TIFF file, by its number.
        page_count: pages of the file.
        pixel_count: pixels of all pages.
        of_pages: the metadata of each page of a TIFF file that has been read; grows with each page.
    """

    exif: bytes | None = None
    xmp: bytes | None = None
    extended_xmp: bytes | None = None
    iptc: bytes | None = None
    dpi: tuple[float, float] | None = None
    comment: bytes | None = None
    texts: dict[str, str] = field(default_factory=dict)
    tiff_compression: int | None = None
    page_count: int = 1
    pixel_count: int = 0
    of_pages: list["Metadata"] = field(default_factory=list)

    def of_page(self, number: int) -> "Metadata":
        """The metadata of one page.

        Args:
            number: of the page among those that were read, from 0.

        Returns:
            Its own metadata. If they are not known, the first page has those of the file, and later ones its
            resolution and compression.
        """
        if number < len(self.of_pages):
            return self.of_pages[number]
        return self if number == 0 else Metadata(dpi=self.dpi, tiff_compression=self.tiff_compression)


def of_info(
    info: dict[Any, Any], told: list[str], texts: Mapping[str, str] | None = None
) -> tuple[Metadata, int]:
    """Metadata of a file that Pillow or pillow-heif opened, and its orientation.

    Args:
        info: the dictionary `info` of the image. A JPEG file may add "extended_xmp".
        told: list of warnings; one about damaged metadata is added here.
        texts: {keyword: text} of a PNG file. Texts that hold EXIF, XMP or IPTC are left out.

    Returns:
        (Metadata, orientation 1 to 8).
    """
    exif = _as_bytes(info.get("exif")) or _raw_profile(info, "exif") or _raw_profile(info, "APP1")
    packet, comment = _as_bytes(info.get("xmp")), _as_bytes(info.get("comment"))
    extended = xmp.upright(info.get("extended_xmp"))
    metadata = Metadata(
        exif=upright_exif(_sound(exif, told)) if exif else None,
        xmp=xmp.upright(packet if extended else xmp.without_pointer(packet)),
        extended_xmp=extended,
        iptc=_iptc(info),
        dpi=_resolution(info.get("dpi")),
        comment=comment if comment and as_text(comment) else None,
        texts={key: str(text) for key, text in (texts or {}).items() if not _OTHER_TEXT.match(key)},
    )
    return metadata, _orientation(exif, packet)


def _sound(data: bytes, told: list[str]) -> bytes | None:
    """The EXIF data, if they can be parsed; else their readable part."""
    exif, sound = Image.Exif(), None
    with python_warnings() as caught:
        try:
            _check(data.removeprefix(EXIF_HEADER))
            exif.load(data)
            for tag in (EXIF_TAG, GPS_TAG):
                exif.get_ifd(tag)
            keep_letters(exif)
            sound = exif.tobytes() if len(exif) else b""
        except Exception:  # Pillow raises a dozen types for damaged data
            pass
    if sound is not None and not caught:
        return data if sound else None
    told.append("Its EXIF data are damaged; only the readable part is kept.")
    return sound or None


def _check(exif: bytes) -> None:
    """Refuse EXIF, without prefix, whose entries name several times as many bytes as there are."""
    order, limit = _order(EXIF_HEADER + exif), 4 * len(exif)  # lenient: entries may overlap
    (start,) = struct.unpack(order + "I", exif[4:8].ljust(4, b"\0"))
    if not tag_directories.is_plausible(io.BytesIO(exif), start, order, False, limit):
        raise ValueError("its values are larger than the data")


def of_tiff(stream: BinaryIO, offset: int, order: str, is_big: bool) -> Metadata:
    """The metadata of a page of a TIFF file.

    Args:
        stream: binary stream of the file.
        offset: position of the directory of the page, in bytes.
        order: byte order, "<" or ">".
        is_big: whether the file is a BigTIFF.

    Returns:
        Metadata.
    """
    tags = Image.Exif()
    tags.endian, tags.bigtiff = order, is_big
    tags.load_from_fp(stream, offset)
    exif = Image.Exif()
    for tag in DESCRIPTIVE_TAGS.intersection(tags):
        exif[tag] = tags[tag]
    for tag in (EXIF_TAG, GPS_TAG):
        if values := {key: value for key, value in tags.get_ifd(tag).items() if key != INTEROPERABILITY_TAG}:
            exif[tag] = values
    keep_letters(exif)
    return Metadata(
        exif=exif.tobytes() if len(exif) else None,
        xmp=xmp.upright(xmp.without_pointer(_as_bytes(tags.get(XMP_TAG)))),
        iptc=_longs_as_bytes(tags.get(IPTC_TAG), order),
        dpi=_tiff_resolution(tags),
    )


class _Letters(str):
    """A text as Pillow reads it, each byte as a letter of Latin-1, which Pillow writes as the same bytes."""

    def encode(self, encoding: str = "latin-1", errors: str = "strict") -> bytes:
        """The bytes of the file. Pillow asks for ASCII, which would turn other letters into "?"."""
        return super().encode("latin-1")


def keep_letters(exif: Image.Exif) -> None:
    """Let Pillow write the texts of EXIF as the bytes of the source.

    Args:
        exif: EXIF to change.
    """
    directories = [values for tag in (EXIF_TAG, GPS_TAG) if isinstance(values := exif.get(tag), dict)]
    directories += [exif.get_ifd(tag) for tag in (EXIF_TAG, GPS_TAG) if isinstance(exif.get(tag), int)]
    for texts in (exif, *directories):
        for tag, value in list(texts.items()):
            if isinstance(value, str):
                texts[tag] = _Letters(value)


def without_orientation(exif: bytes) -> bytes:
    """Remove the orientation from EXIF. Everything outside of the first directory keeps its position.

    Args:
        exif: EXIF with the prefix Exif\\0\\0.

    Returns:
        EXIF of the same length.
    """
    first = _directory(exif, _number(exif, 4))
    if first is None or ORIENTATION not in first.entries:
        return exif
    entry = first.entries[ORIENTATION] - 8
    start, end = _BASE + _number(exif, 4), _BASE + first.end + 4  # to the position of the next directory
    form = _order(exif) + "H"
    count = struct.pack(form, struct.unpack_from(form, exif, start)[0] - 1)
    return exif[:start] + count + exif[start + 2 : entry] + exif[entry + 12 : end] + bytes(12) + exif[end:]


def _orientation(exif: bytes | None, packet: bytes | None) -> int:
    """The orientation, 1 to 8, in EXIF as a file holds it; else that in XMP; else 1."""
    if exif:
        exif = exif if exif.startswith(EXIF_HEADER) else EXIF_HEADER + exif
        directory = _directory(exif, _number(exif, 4))
        if directory and (place := directory.entries.get(ORIENTATION)):
            value = struct.unpack_from(_order(exif) + "H", exif, place)[0]
            return value if 1 <= value <= 8 else 1
    return xmp.orientation(packet)


def upright_exif(exif: bytes | None) -> bytes | None:
    """Set the orientation of EXIF to 1, and remove the thumbnail, which shows the source.

    Everything else keeps its position, because the notes of camera makers hold absolute positions.

    Args:
        exif: EXIF, with or without the prefix Exif\\0\\0; or None.

    Returns:
        EXIF with the prefix; None for no EXIF.
    """
    if not exif:
        return None
    exif = exif if exif.startswith(EXIF_HEADER) else EXIF_HEADER + exif
    result = bytearray(exif)
    first = _directory(exif, _number(exif, 4))
    if first is None:
        return exif
    if (place := first.entries.get(ORIENTATION)) is not None:
        struct.pack_into(_order(exif) + "H", result, place, 1)
    if second := _directory(exif, _number(exif, first.end)):
        struct.pack_into(_order(exif) + "I", result, _BASE + first.end, 0)
        return _without_thumbnail(result, second)
    return bytes(result)


class _Directory(NamedTuple):
    """One directory of EXIF: {tag: place of its value in the data}, and its end after the prefix."""

    entries: dict[int, int]
    end: int


def _order(exif: bytes | bytearray) -> str:
    return ">" if exif[_BASE : _BASE + 2] == b"MM" else "<"


def _number(exif: bytes | bytearray, place: int) -> int:
    """A number of 32 bits at a place after the prefix; 0 beyond the end."""
    inside = place > 0 and _BASE + place + 4 <= len(exif)
    return struct.unpack_from(_order(exif) + "I", exif, _BASE + place)[0] if inside else 0


def _directory(exif: bytes, position: int) -> _Directory | None:
    start = _BASE + position
    if position <= 0 or start + 2 > len(exif) or exif[_BASE : _BASE + 2] not in (b"II", b"MM"):
        return None
    count = struct.unpack_from(_order(exif) + "H", exif, start)[0]
    if start + 2 + 12 * count > len(exif):
        return None
    places = range(start + 2, start + 2 + 12 * count, 12)
    entries = {struct.unpack_from(_order(exif) + "H", exif, place)[0]: place + 8 for place in places}
    return _Directory(entries, position + 2 + 12 * count)


def _without_thumbnail(exif: bytearray, directory: _Directory) -> bytes:
    """EXIF without the JPEG data that its second directory names."""
    places = [directory.entries.get(tag) for tag in _THUMBNAIL_TAGS]
    offset, length = (_number(exif, place - _BASE) if place else 0 for place in places)
    start, end = _BASE + offset, _BASE + offset + length
    if offset and end <= len(exif):
        exif[start:end] = bytes(length)
        if not any(exif[start:]):
            del exif[start:]
    return bytes(exif)


def _iptc(info: dict[Any, Any]) -> bytes | None:
    resources = info.get("photoshop")
    if isinstance(resources, dict) and resources.get(IPTC_RESOURCE):
        return bytes(resources[IPTC_RESOURCE])
    data = _raw_profile(info, "iptc") or b""
    return data[data.find(b"\x1c") :] or None


def _raw_profile(info: dict[Any, Any], name: str) -> bytes | None:
    """Metadata in a text of a PNG file, as ImageMagick writes them: name, length, hexadecimal digits."""
    try:
        return bytes.fromhex("".join(info[f"Raw profile type {name}"].split()[2:]))
    except (KeyError, AttributeError, ValueError):
        return None


def _longs_as_bytes(value: Any, order: str) -> bytes | None:
    """The bytes of a tag, which some programs store as 32-bit numbers."""
    if isinstance(value, int):
        value = (value,)
    if isinstance(value, tuple) and value and all(isinstance(number, int) for number in value):
        return struct.pack(f"{order}{len(value)}I", *value)
    return _as_bytes(value)


def _tiff_resolution(tags: Image.Exif) -> tuple[float, float] | None:
    to_inch = {2: 1.0, 3: 2.54}.get(tags.get(_RESOLUTION_UNIT, 2), 0)  # 1: no unit
    try:
        return _resolution([to_inch * float(tags[tag]) for tag in _RESOLUTION_TAGS])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _resolution(dpi: Any) -> tuple[float, float] | None:
    try:
        x, y = (round(float(value), 2) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if all(1 < value < _DENSEST for value in (x, y)) else None  # 1 or 0: it is not known


def as_text(data: bytes) -> str:
    """The text of a comment of unknown encoding: UTF-8, or Latin-1, which every sequence of bytes can be.

    Args:
        data: the bytes of the comment.

    Returns:
        The text without blanks around it; may be empty.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.strip("\0 \r\n")


def _as_bytes(value: Any) -> bytes | None:
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return value.encode()
    return value if isinstance(value, bytes) and value else None
