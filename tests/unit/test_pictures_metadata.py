"""Metadata of all pages of TIFF files, comments of unknown encoding, and the extended XMP of JPEG files."""

import hashlib
import io
import struct
import tracemalloc
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image, TiffImagePlugin
from support.picture_files import GRAY, IPTC, RGB, XMP, read, read_one, saved, tiff

from colorization.core.pictures import xmp
from colorization.core.pictures.writing import write_picture

UPRIGHT_XMP = XMP.replace(b'Orientation="6"', b'Orientation="1"')
DAMAGED_METADATA = "Its metadata are damaged; only the readable part is kept."


def converted(file, pages, format):
    """(bytes of the pages in another file, warnings)."""
    buffer = io.BytesIO()
    told = write_picture(buffer, format, pages, file.metadata)
    return buffer.getvalue(), told


# --- TIFF --------------------------------------------------------------------


LETTERS = "back of the card, Zürich"


def tiff_of_pages(*pages):
    """The bytes of a TIFF file of (RGB, tags) pages. Directories inside a page, such as EXIF, are dictionaries."""
    content, link = bytearray(b"II*\0" + bytes(4)), 4
    for array, tags in pages:
        height, width, _ = array.shape
        strip = {273: 0, 278: height, 279: array.nbytes}  # counts from the end of the directory
        directory = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0" + bytes(4))
        directory.tagtype |= {700: 1, 33723: 7}
        for tag, value in {256: width, 257: height, 258: (8, 8, 8), 262: 2, 277: 3, **strip, **tags}.items():
            directory[tag] = value
        struct.pack_into("<I", content, link, len(content))
        link = len(content) + 2 + 12 * len(directory)
        content += directory.tobytes(len(content))
        content += array.tobytes() + bytes(array.nbytes % 2)
    return bytes(content)


def card():
    """A postcard of three pages: 300 dpi and a caption; 600 dpi, texts, EXIF, XMP and IPTC; nothing at all."""
    place = "x" * len(LETTERS.encode())  # Pillow writes ASCII alone
    texts = {270: place, 285: "2", 306: "1931:05:18 09:30:00"}
    exif = {0x9003: "1931:05:17 12:00:00", 0x927C: b"private note"}
    content = tiff_of_pages(
        (RGB, {270: "front of the card", 282: 300.0, 283: 300.0, 296: 2}),
        (
            RGB[:20],
            {**texts, 274: 6, 282: 600.0, 283: 600.0, 296: 2, 700: XMP, 33723: IPTC}
            | {0x8769: exif, 0x8825: {1: "N", 2: (52.0, 31.0, 0.0)}},
        ),
        (RGB[:, :9], {}),
    )
    return content.replace(place.encode(), LETTERS.encode())


@pytest.mark.parametrize("is_big", [False, True])
def test_every_page_of_a_tiff_keeps_its_own_metadata(is_big):
    """Oracles: Pillow's reading of each page; tifffile finds the samples."""
    file, pages = read(card())
    if is_big:
        file.metadata.pixel_count = 2**32 // 8
    content, told = converted(file, pages, "TIFF")
    assert (told, file.warnings) == ([], [])
    assert (content[:4] == b"II+\0") == is_big
    image, tags = Image.open(io.BytesIO(content)), []
    for number in range(3):
        image.seek(number)
        tags.append(dict(image.tag_v2))
    captions = [page[270].encode("latin-1").decode() if 270 in page else None for page in tags]
    assert captions == ["front of the card", LETTERS, None]
    assert [page.get(282) for page in tags] == [300, 600, 1]
    assert [page[296] for page in tags] == [2, 2, 1]
    assert [page.get(285) for page in tags] == [None, "2", None]
    assert [page.get(306) for page in tags] == [None, "1931:05:18 09:30:00", None]
    assert [page.get(700) for page in tags] == [None, UPRIGHT_XMP, None]
    assert [page.get(33723) for page in tags] == [None, IPTC, None]
    image.seek(1)
    exif = image.getexif()
    assert exif.get_ifd(0x8769)[0x9003] == "1931:05:17 12:00:00"
    assert exif.get_ifd(0x8769)[0x927C] == b"private note"
    assert exif.get_ifd(0x8825)[2] == (52.0, 31.0, 0.0)
    for page in (0, 2):
        image.seek(page)
        assert not {0x8769, 0x8825}.intersection(image.getexif())
    upright = np.rot90(RGB[:20], -1)
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(content), key=1), upright)


def test_pages_keep_their_metadata_while_they_pass_one_by_one():
    """Oracle: Pillow's reading. A generator reads the next page only after the last one is written, twice."""
    file, _ = read(card())
    for _ in range(2):
        image = Image.open(io.BytesIO(converted(file, file.pages(), "TIFF")[0]))
        image.seek(1)
        assert image.tag_v2[285] == "2"
        assert image.info["dpi"] == (600, 600)
        assert len(file.metadata.of_pages) == 3


@pytest.mark.parametrize("format", ["TIFF", "PNG"])
def test_a_page_that_is_left_out_takes_its_metadata_along(format):
    """Oracle: Pillow's reading; the first of two pages cannot be decoded."""
    captions = [[(270, 2, 9, f"caption {number}", True)] for number in (1, 2)]
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for caption in captions:
            writer.write(GRAY, metadata=None, photometric="minisblack", compression="zlib", extratags=caption)
    content = buffer.getvalue()
    image = Image.open(io.BytesIO(content))
    (start,), (count,) = image.tag_v2[273], image.tag_v2[279]
    file, pages = read(content[:start] + bytes(count) + content[start + count :])
    assert file.warnings == ["The file is damaged: page 1 of 2 cannot be decoded and is left out."]
    result = Image.open(io.BytesIO(converted(file, pages, format)[0]))
    assert result.getexif()[270] == "caption 2"


def test_damaged_metadata_of_a_later_page_spoil_no_other_page():
    """Oracle: Pillow's reading of the other pages. The caption of page 2 lies beyond the end of the file."""
    content = bytearray(card())
    with tifffile.TiffFile(io.BytesIO(content)) as tags:
        place = tags.pages[1].tags[270].offset
    struct.pack_into("<I", content, place + 8, 2**31)
    file, pages = read(bytes(content))
    assert file.warnings == [DAMAGED_METADATA]
    image = Image.open(io.BytesIO(converted(file, pages, "TIFF")[0]))
    assert image.n_frames == 3
    assert image.tag_v2[270] == "front of the card"


def test_pages_that_share_their_metadata_do_not_fill_the_memory():
    """Oracle: the peak of memory, for 100 pages that point to the same megabyte of XMP."""
    packet = XMP.replace(b"</rdf:RDF>", b"</rdf:RDF>" + b" " * 2**20)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as writer:
        for number in range(100):
            data = bytes(8) if number else packet
            writer.write(GRAY[:2, :2], metadata=None, contiguous=False, extratags=[(700, 1, len(data), data)])
    with tifffile.TiffFile(io.BytesIO(buffer.getvalue())) as tags:
        first, *others = [page.tags[700] for page in tags.pages]
        for tag in others:
            buffer.seek(tag.offset + 4)
            buffer.write(struct.pack("<II", first.count, first.valueoffset))
    content = buffer.getvalue()
    tracemalloc.start()
    try:
        file, pages = read(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(pages) == 100
    assert peak < 12 * 2**20
    assert file.warnings == [DAMAGED_METADATA]
    assert file.metadata.of_pages[0].xmp.startswith(UPRIGHT_XMP[:100])


def directory(entries):
    """A directory of (tag, type, count, value) entries, little-endian."""
    return (
        struct.pack("<H", len(entries))
        + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        + bytes(4)
    )


def repeated(place, size=2**18):
    """A TIFF file of one pixel, in which 400 tags of the page, or of its EXIF, name the same bytes."""
    named = [(50000 + number, 7, size, 8) for number in range(400)]
    page = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8), (262, 3, 1, 1), (273, 4, 1, 8), (279, 4, 1, 1)]
    page.append((271, 2, 4, int.from_bytes(b"Box\0", "little")))
    body = b"II*\0" + struct.pack("<I", 8 + size) + bytes(size)
    if place == "page":
        return body + directory(page + named)
    page.append((0x8769, 4, 1, len(body) + 2 + 12 * len(page) + 12 + 4))
    return body + directory(page) + directory(named)


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
@pytest.mark.parametrize("place", ["page", "exif"])
def test_tags_that_name_the_same_bytes_do_not_fill_the_memory(place, kind):
    """Oracle: the peak of memory; 400 copies of 256 KB would be 100 MB."""
    content = repeated(place)
    if kind == "PNG":
        content = saved(GRAY, "PNG", exif=b"Exif\0\0" + content)
    tracemalloc.start()
    try:
        file, pages = read(content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * 2**20
    assert len(pages) == 1
    assert [sentence.split(";")[0][-12:] for sentence in file.warnings] == [" are damaged"]


def test_one_entry_that_is_too_long_does_not_spoil_those_before():
    """Oracle: the caption. EXIF comes after it."""
    content = bytearray(card())
    with tifffile.TiffFile(io.BytesIO(content)) as tags:
        place = tags.pages[1].tags[0x8825].offset
    struct.pack_into("<HHII", content, place, 0x8825, 7, 2**31, 8)
    file, pages = read(bytes(content))
    assert file.warnings == [DAMAGED_METADATA]
    image = Image.open(io.BytesIO(converted(file, pages, "TIFF")[0]))
    image.seek(1)
    assert image.tag_v2[285] == "2"
    assert image.info["dpi"] == (600, 600)


# --- comments ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("Sommer in München".encode("latin-1"), "Sommer in München"),
        ("Sommer in München, 東京".encode(), "Sommer in München, 東京"),
        (b"Summer\0", "Summer"),
        (bytes(range(128, 256)), bytes(range(128, 256)).decode("latin-1")),
    ],
    ids=["latin-1", "utf-8", "ascii", "any bytes"],
)
def test_comments_keep_their_letters(comment, text):
    """Oracle: Pillow's reading: the same bytes in JPEG, the same letters in PNG."""
    file, picture = read_one(saved(RGB, "JPEG", comment=comment))
    content, told = converted(file, [picture], "JPEG")
    assert Image.open(io.BytesIO(content)).info["comment"] == comment
    content, told_of_png = converted(file, [picture], "PNG")
    assert Image.open(io.BytesIO(content)).text["Comment"] == text
    assert told == told_of_png == file.warnings == []


def test_comments_of_gif_keep_their_letters():
    """Oracle: Pillow's reading of the PNG."""
    file, picture = read_one(saved(GRAY, "GIF", comment=b"M\xfcnchen"))
    assert Image.open(io.BytesIO(converted(file, [picture], "PNG")[0])).text["Comment"] == "München"


# --- extended XMP ------------------------------------------------------------

NAMESPACE = b"http://ns.adobe.com/xmp/extension/\0"
REST = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><rdf:RDF xmlns:rdf="http:'
    b'//www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description x:history="%s"/></rdf:RDF></x:xmpmeta>'
) % (b"cropped, " * 20000)
THUMBNAILS = b"<xmp:Thumbnails><rdf:Alt><rdf:li>/9j/4AAQ</rdf:li></rdf:Alt></xmp:Thumbnails>"
ATTRIBUTE = b' xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%s"/></rdf:RDF>'
ELEMENT = (
    b' xmlns:xmpNote="http://ns.adobe.com/xmp/note/"><xmpNote:HasExtendedXMP>%s</xmpNote:HasExtendedXMP>'
    b"</rdf:Description></rdf:RDF>"
)


def md5(data):
    return hashlib.md5(data).hexdigest().upper().encode()


def segments_of(rest, size=65400):
    """The data of the segments that hold extended XMP."""
    head = NAMESPACE + md5(rest) + struct.pack(">I", len(rest))
    places = range(0, len(rest), size)
    return [head + struct.pack(">I", place) + rest[place : place + size] for place in places]


DIGEST = md5(REST)


def extended(segments, name=DIGEST, form=ATTRIBUTE):
    """A JPEG file whose XMP points to segments of extended XMP."""
    packet = XMP.replace(b"/></rdf:RDF>", form % name)
    jpeg = saved(RGB, "JPEG", xmp=packet)
    added = [b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data for data in segments]
    end = jpeg.index(packet) + len(packet)
    return jpeg[:end] + b"".join(added) + jpeg[end:]


def extension_of(jpeg):
    """(packet, extended XMP) of a JPEG file, put together as the XMP specification, part 3, says."""
    image = Image.open(io.BytesIO(jpeg))
    rest, length = bytearray(), None
    found = [data[len(NAMESPACE) :] for _, data in image.applist if data.startswith(NAMESPACE)]
    for data in sorted(found, key=lambda data: data[36:40]):
        length, place = struct.unpack(">II", data[32:40])
        assert place == len(rest)
        rest += data[40:]
        assert data[:32] == md5(b"".join(part[40:] for part in sorted(found, key=lambda part: part[36:40])))
    assert length in (None, len(rest))
    return image.info["xmp"], bytes(rest)


@pytest.mark.parametrize("form", [ATTRIBUTE, ELEMENT], ids=["attribute", "element"])
@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_extended_xmp_stays_in_jpeg(order, form):
    """Oracles: the bytes of the segments, and the digest by which the packet names them."""
    file, picture = read_one(extended(segments_of(REST)[::order], form=form))
    content, told = converted(file, [picture], "JPEG")
    packet, rest = extension_of(content)
    assert rest == REST
    assert packet == XMP.replace(b'"6"', b'"1"').replace(b"/></rdf:RDF>", form % md5(REST))
    assert all(data in content for data in segments_of(REST))
    assert told == file.warnings == []
    np.testing.assert_array_equal(read_one(content)[1].pixels.shape, picture.pixels.shape)


def test_extended_xmp_has_no_thumbnail():
    """Oracles: the XML around it, and the digest of the shorter XML."""
    with_thumbnails = REST.replace(b"</rdf:RDF>", THUMBNAILS + b"</rdf:RDF>")
    file, picture = read_one(extended(segments_of(with_thumbnails), md5(with_thumbnails)))
    packet, rest = extension_of(converted(file, [picture], "JPEG")[0])
    assert rest == REST
    assert b'"' + md5(REST) + b'"' in packet


@pytest.mark.parametrize("form", [ATTRIBUTE, ELEMENT], ids=["attribute", "element"])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_other_formats_tell_that_extended_xmp_is_lost(format, form):
    """Oracle: Pillow's reading; nothing points to what is not there, and the packet stays XML."""
    file, picture = read_one(extended(segments_of(REST), form=form))
    content, told = converted(file, [picture], format)
    found = read_one(content)[0].metadata.xmp
    assert b"HasExtendedXMP" not in content
    assert b"M\xc3\xbcller" in found
    ElementTree.fromstring(found)
    shown = {"WEBP": "WebP"}.get(format, format)
    assert told == [f"{shown} holds no extended XMP: left out."]


FIRST, *OTHERS = segments_of(REST)
INCOMPLETE = "Its extended XMP is incomplete: left out."


@pytest.mark.parametrize(
    ("segments", "told"),
    [
        ([], []),
        ([FIRST], [INCOMPLETE]),
        (OTHERS, [INCOMPLETE]),
        ([FIRST, FIRST[:-9], *OTHERS[1:]], [INCOMPLETE]),
        ([FIRST[:67] + b"\xff" * 4 + FIRST[71:], *OTHERS], [INCOMPLETE]),
        ([FIRST[:71] + b"\xff" * 4 + FIRST[75:], *OTHERS], [INCOMPLETE]),
        ([FIRST[:40], NAMESPACE, FIRST[:75]], []),
        (segments_of(b"of another packet"), []),
    ],
    ids=["none", "first", "others", "short", "long", "far", "cut", "another"],
)
def test_incomplete_extended_xmp_is_told_and_not_pointed_to(segments, told):
    """Oracle: Pillow's reading of the result."""
    file, picture = read_one(extended(segments))
    assert file.warnings == told
    content, told_of_result = converted(file, [picture], "JPEG")
    packet, rest = extension_of(content)
    ElementTree.fromstring(packet)
    assert (rest, told_of_result) == (b"", [])
    assert b"HasExtendedXMP" not in content
    assert b"M\xc3\xbcller" in packet


def test_a_packet_too_long_for_jpeg_takes_its_extension_along():
    """Oracle: no segment without an owner."""
    file, picture = read_one(extended(segments_of(REST)))
    file.metadata.xmp += b" " * 65536
    content, told = converted(file, [picture], "JPEG")
    assert told == ["JPEG holds no XMP of more than 64 KB: left out."]
    assert NAMESPACE not in content


@pytest.mark.parametrize(
    "packet", [b"<xmp:Thumbnails>", b"<", b" ", b" xmpNote:HasExtendedXMP", b"tiff:Orientation "]
)
def test_hostile_xmp_takes_linear_time(packet):
    """Oracle: the bytes; a megabyte of repeated parts would take hours in quadratic time."""
    whole = b"<xmp:Thumbnails>" + packet * (2**20 // len(packet))
    assert xmp.upright(whole) == whole
    assert xmp.without_pointer(whole) == whole
    assert (xmp.pointer(whole), xmp.orientation(whole)) == (None, 1)


def test_a_tiff_of_one_page_points_to_no_extended_xmp():
    """Oracle: the bytes. Other programs copy packets of JPEG files with their pointer."""
    packet = XMP.replace(b"/></rdf:RDF>", ATTRIBUTE % md5(REST))
    file, picture = read_one(tiff(RGB, extratags=[(700, 1, len(packet), packet)]))
    assert b"HasExtendedXMP" not in converted(file, [picture], "JPEG")[0]
