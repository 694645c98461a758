"""Writing of pictures: exact pixels, metadata, several pages, and one sentence for each thing that is lost."""

import io
import os
import struct
import tracemalloc

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms, JpegImagePlugin
from support import picture_files
from support.picture_files import ALPHA, ALPHA16, GRAY, IPTC, RGB, RGB16, XMP, read, read_one, saved, tiff

from colorization.core.errors import InputError
from colorization.core.image_formats import default_suffix, output_format
from colorization.core.pictures import Picture, file_metadata, open_picture, tiff_writing, xmp
from colorization.core.pictures.file_metadata import Metadata
from colorization.core.pictures.writing import write_picture

FORMATS = ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"]
SIXTEEN = "holds 8 bits per channel: the 16 bits of the picture are reduced."


def written(format, *pictures, metadata=None):
    """(bytes, warnings)."""
    buffer = io.BytesIO()
    told = write_picture(buffer, format, list(pictures), metadata or Metadata())
    return buffer.getvalue(), told


@pytest.mark.parametrize(("pixels", "alpha"), [(RGB, None), (RGB, ALPHA), (RGB16, None), (RGB16, ALPHA16)])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_png_and_tiff_hold_the_samples_exactly(format, pixels, alpha):
    """Oracles: imagecodecs and OpenCV for PNG, OpenCV and tifffile for TIFF."""
    content, told = written(format, Picture(pixels, alpha))
    stacked = pixels if alpha is None else np.dstack([pixels, alpha])
    if format == "PNG" or alpha is None:  # OpenCV multiplies the colors of TIFF files by alpha
        by_cv2 = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(by_cv2[..., [2, 1, 0, 3][: by_cv2.shape[2]]], stacked)
    other = imagecodecs.png_decode(content) if format == "PNG" else tifffile.imread(io.BytesIO(content))
    np.testing.assert_array_equal(other, stacked)
    assert told == []


@pytest.mark.parametrize("compression", [1, 5, 8, 7, 50000])
def test_tiff_keeps_lossless_compression_of_the_source(compression):
    """Oracle: the tag; LZW and none stay, others become deflate. Pillow and tifffile read the samples."""
    content, _ = written("TIFF", Picture(RGB), metadata=Metadata(tiff_compression=compression))
    with tifffile.TiffFile(io.BytesIO(content)) as file:
        assert int(file.pages[0].compression) == {1: 1, 5: 5}.get(compression, 8)
        np.testing.assert_array_equal(file.asarray(), RGB)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), RGB)


def test_jpeg_has_quality_95_and_full_color_resolution():
    """Oracle: the tables and the sampling of Pillow's own file, and its pixels."""
    content, _ = written("JPEG", Picture(RGB))
    own, pillow = (
        Image.open(io.BytesIO(data)) for data in (content, saved(RGB, "JPEG", quality=95, subsampling=0))
    )
    assert own.quantization == pillow.quantization
    assert JpegImagePlugin.get_sampling(own) == 0
    np.testing.assert_array_equal(np.asarray(own), np.asarray(pillow))


@pytest.mark.parametrize("format", FORMATS)
def test_every_file_says_srgb_and_reads_back(format):
    """Oracle: the name in the profile; the same file twice has the same bytes."""
    content, told = written(format, Picture(RGB))
    profile = Image.open(io.BytesIO(content)).info["icc_profile"]
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
    file, picture = read_one(content)
    assert file.format == format
    assert np.abs(picture.pixels.astype(int) - RGB).mean() < (0.01 if format in ("PNG", "TIFF") else 8)
    assert told == file.warnings == []
    assert written(format, Picture(RGB))[0] == content


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP", "AVIF"])
def test_alpha_is_kept(format):
    content, told = written(format, Picture(RGB, ALPHA))
    _, picture = read_one(content)
    assert np.abs(picture.alpha.astype(int) - ALPHA).max() <= (0 if format != "AVIF" else 6)
    assert told == []


def test_jpeg_puts_transparent_pictures_on_white():
    """Oracle: the closed form of "over". Alpha without a hidden pixel is no reason for a message."""
    content, told = written("JPEG", Picture(np.repeat(GRAY[..., None], 3, 2), ALPHA))
    expected = GRAY * (ALPHA / 255) + 255 - ALPHA
    found = np.asarray(Image.open(io.BytesIO(content)))[..., 0]
    assert np.abs(found - expected).mean() < 1
    assert told == ["JPEG holds no transparency: the picture is put on white."]
    assert written("JPEG", Picture(RGB, np.full_like(ALPHA, 255)))[1] == []


@pytest.mark.parametrize("format", ["JPEG", "WEBP", "AVIF"])
def test_16_bits_are_rounded_to_8_where_they_must(format):
    content, told = written(format, Picture(RGB16, ALPHA16))
    shown = {"WEBP": "WebP"}.get(format, format)
    assert told[0] == f"{shown} {SIXTEEN}"
    assert len(told) == (2 if format == "JPEG" else 1)
    same, _ = written(format, Picture(np.rint(RGB16 / 257).astype(np.uint8), ALPHA))
    assert content == same


def test_gray_becomes_rgb():
    content, _ = written("PNG", Picture(GRAY))
    np.testing.assert_array_equal(imagecodecs.png_decode(content), np.dstack([GRAY] * 3))


def test_tiff_holds_all_pages_and_other_formats_the_first():
    """Oracle: the pages, of several sizes and depths; one sentence counts those left out."""
    pages = [Picture(RGB), Picture(RGB16[:20], ALPHA16[:20]), Picture(RGB[:, :9])]
    content, told = written("TIFF", *pages)
    _, found = read(content)
    for page, wanted in zip(found, pages, strict=True):
        np.testing.assert_array_equal(page.pixels, wanted.pixels)
    assert told == []
    content, told = written("PNG", *pages)
    np.testing.assert_array_equal(read_one(content)[1].pixels, RGB)
    assert told == ["PNG holds one page: 2 of 3 pages are left out."]
    pulled = (
        pages[0] for _ in range(1)
    )  # a generator: the count comes from the source, no page is made in vain
    assert write_picture(io.BytesIO(), "PNG", pulled, Metadata(page_count=3)) == told


def test_pages_are_written_one_by_one():
    """Oracle: the peak of memory beyond the file, with 12 pages of 1.5 MB each."""
    noise = np.random.default_rng(0).integers(0, 256, (500, 1000, 3), dtype=np.uint8)
    tracemalloc.start()
    try:
        buffer = io.BytesIO()
        buffer.truncate(64 * 2**20)
        buffer.seek(0)
        tracemalloc.reset_peak()
        start = tracemalloc.get_traced_memory()[0]
        tiff_writing.write(
            buffer, ((noise + np.uint8(i), None) for i in range(12)), Metadata(tiff_compression=1)
        )
        grown = tracemalloc.get_traced_memory()[1] - start - len(buffer.getvalue())
    finally:
        tracemalloc.stop()
    assert grown < 8 * noise.nbytes


@pytest.mark.parametrize("exif", [None, picture_files.exif().tobytes()])
def test_more_than_4_gigabytes_become_a_bigtiff(monkeypatch, exif):
    """Oracle: the signature, with a lower limit; EXIF is found there too."""
    assert written("TIFF", Picture(RGB))[0][:4] == b"II*\0"
    huge = Metadata(pixel_count=2**32 // 8, exif=exif)
    content, _ = written("TIFF", Picture(RGB), metadata=huge)
    assert content[:4] == b"II+\0"
    _, picture = read_one(content)
    np.testing.assert_array_equal(picture.pixels, RGB)
    if exif:
        assert Image.open(io.BytesIO(content)).getexif().get_ifd(0x8769)[0x9003] == "1931:05:17 12:00:00"


def photograph(format, **options):
    """A file with all metadata that the format holds, whose orientation is 6."""
    exif = picture_files.exif(6).tobytes()
    if format == "TIFF":
        tags = Image.Exif()
        tags.load(exif)
        tags[700], tags[33723], tags[0x0112] = XMP, IPTC, 6
        return saved(RGB, "TIFF", exif=tags, dpi=(600, 300))
    if format == "JPEG":
        resource = b"8BIM\x04\x04\0\0" + len(IPTC).to_bytes(4, "big") + IPTC + b"\0" * (len(IPTC) % 2)
        data = b"Photoshop 3.0\0" + resource
        app13 = b"\xff\xed" + (len(data) + 2).to_bytes(2, "big") + data
        options |= {"extra": app13, "xmp": XMP, "dpi": (600, 300), "comment": b"A comment"}
    elif format == "PNG":
        options["pnginfo"] = info = picture_files.png_texts(Title="The title")
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options["dpi"] = (600, 300)
    else:
        options["xmp"] = XMP
    return saved(RGB, format, exif=exif, **options)


HELD = {
    "JPEG": {"exif", "xmp", "iptc", "dpi", "comment"},
    "PNG": {"exif", "xmp", "dpi", "texts"},
    "TIFF": {"exif", "xmp", "iptc", "dpi"},
    "WEBP": {"exif", "xmp"},
    "AVIF": {"exif", "xmp"},
    "HEIF": {"exif", "xmp"},
}
NAMES = {"iptc": "IPTC", "dpi": "resolution", "comment": "comment", "texts": "text fields"}


@pytest.mark.parametrize("source", HELD)
@pytest.mark.parametrize("target", FORMATS)
def test_metadata_pass_from_every_format_to_every_format(source, target):
    """Oracles: Pillow's reading of the result. What the target cannot hold is named."""
    file, picture = read_one(photograph(source))
    content, told = written(target, picture, metadata=file.metadata)
    image = Image.open(io.BytesIO(content))
    exif = image.getexif()
    assert image.size == (RGB.shape[0], RGB.shape[1])  # turned upright
    assert exif.get(0x0112, 1) == 1
    assert (exif[0x010E], exif[0x013B]) == ("The caption", "The author")
    assert exif.get_ifd(0x8769)[0x9003] == "1931:05:17 12:00:00"
    assert float(exif.get_ifd(0x8769)[0x829A]) == pytest.approx(0.01)
    assert exif.get_ifd(0x8769)[0x927C] == b"private note"
    assert exif.get_ifd(0x8825)[1] == "N"
    result, _ = read_one(content)
    assert result.metadata.xmp == XMP.replace(b'Orientation="6"', b'Orientation="1"')
    can_hold = HELD[target] | ({"texts", "comment"} if target == "PNG" else set())
    kept = HELD[source] & can_hold
    assert (result.metadata.iptc == IPTC) == ("iptc" in kept)
    assert (result.metadata.dpi == pytest.approx((600, 300), abs=0.05)) == ("dpi" in kept)
    if "comment" in kept:
        assert b"A comment" in (
            result.metadata.comment,
            *(text.encode() for text in result.metadata.texts.values()),
        )
    if "texts" in kept:
        assert result.metadata.texts["Title"] == "The title"
    lost = [NAMES[name] for name in ("iptc", "dpi", "comment", "texts") if name in HELD[source] - can_hold]
    shown = {"WEBP": "WebP"}.get(target, target)
    assert told == ([f"{shown} holds no {' and no '.join(lost)}: left out."] if lost else [])


@pytest.mark.parametrize("source", ["JPEG", "TIFF"])
@pytest.mark.parametrize("target", FORMATS)
def test_letters_of_all_languages_stay(source, target):
    """Oracle: Pillow's reading, which takes each byte for a letter. The texts are UTF-8, as cameras write it."""
    author, owner = "Zoë Müller".encode(), "Łukasz 東".encode()
    exif = picture_files.exif()
    exif[0x013B], exif.get_ifd(0x8769)[0xA430] = "A" * len(author), "O" * len(owner)
    tags = Image.Exif()
    tags.load(exif.tobytes())  # Pillow writes directories to TIFF only if it has read them
    given = saved(RGB, source, exif=tags)
    file, picture = read_one(given.replace(b"A" * len(author), author).replace(b"O" * len(owner), owner))
    content, _ = written(target, picture, metadata=file.metadata)
    found = Image.open(io.BytesIO(content)).getexif()
    assert found[0x013B].encode("latin-1") == author
    assert found.get_ifd(0x8769)[0xA430].encode("latin-1") == owner
    assert found.get_ifd(0x8769)[0x927C] == b"private note"
    if target != "TIFF":  # which has its directories at the end
        kept = read_one(content)[0].metadata.exif
        assert kept.index(b"private note") == file.metadata.exif.index(b"private note")


def test_the_thumbnail_of_the_source_is_gone_and_private_notes_keep_their_place():
    """Oracle: the bytes; ExifTool and others find the notes of camera makers by absolute positions."""
    thumbnail = saved(GRAY, "JPEG")
    exif = picture_files.exif(8)
    plain = exif.tobytes()
    order = "big"  # Pillow's
    body = bytearray(plain[6:])
    first = int.from_bytes(body[4:8], order)
    link = first + 2 + 12 * int.from_bytes(body[first : first + 2], order)
    body[link : link + 4] = len(body).to_bytes(4, order)

    def number(value, size=4):
        return value.to_bytes(size, order)

    place = len(body) + 2 + 24 + 4
    entries = number(0x0201, 2) + number(4, 2) + number(1) + number(place)
    entries += number(0x0202, 2) + number(4, 2) + number(1) + number(len(thumbnail))
    whole = b"Exif\0\0" + bytes(body) + number(2, 2) + entries + bytes(4) + thumbnail
    check = Image.Exif()
    check.load(whole)
    assert check.get_ifd(ExifTags.IFD.IFD1)[0x0201] == place  # the input has a thumbnail, as Pillow sees it
    result = file_metadata.upright_exif(whole)
    assert thumbnail[:20] not in result
    assert b"\xff\xd8\xff" not in result
    assert result.index(b"private note") == whole.index(b"private note")
    found = Image.Exif()
    found.load(result)
    assert found[0x0112] == 1
    assert found.get_ifd(ExifTags.IFD.IFD1) == {}


def test_only_the_orientation_leaves_the_first_directory():
    """Oracle: Pillow's reading, and the position of the next directory behind the last entry."""
    exif = picture_files.exif(6).tobytes()
    start = 6 + int.from_bytes(exif[10:14], "big")  # Pillow's byte order
    count = int.from_bytes(exif[start : start + 2], "big")
    link = start + 2 + 12 * count
    exif = exif[:link] + (999).to_bytes(4, "big") + exif[link + 4 :]
    result = file_metadata.without_orientation(exif)
    assert int.from_bytes(result[start : start + 2], "big") == count - 1
    assert int.from_bytes(result[link - 12 : link - 8], "big") == 999
    assert (len(result), result[link + 4 :]) == (len(exif), exif[link + 4 :])
    before, after = Image.Exif(), Image.Exif()
    before.load(exif)
    after.load(result)
    assert dict(after) == {tag: value for tag, value in before.items() if tag != 0x0112}


def test_thumbnails_in_xmp_are_gone():
    """Oracle: the packet around them. They show the picture before."""
    thumbnails = b"<xmp:Thumbnails><rdf:Alt><rdf:li><xmpGImg:image>/9j/4AAQ</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails>"
    start, end = XMP.split(b"</rdf:RDF>")
    found = xmp.upright(start + thumbnails + b"</rdf:RDF>" + end)
    assert found == XMP.replace(b'Orientation="6"', b'Orientation="1"')


def test_damaged_exif_keeps_its_readable_part(capfd):
    """Oracle: the caption; the broken tag is gone, and told. Nothing is printed when the result is written."""
    broken = picture_files.exif(1).tobytes().replace(b"1931:05:17 12:00:00\0", b"", 1)
    file, picture = read_one(saved(RGB, "JPEG", exif=broken))
    assert file.warnings == ["Its EXIF data are damaged; only the readable part is kept."]
    for format in FORMATS:
        content, _ = written(format, picture, metadata=file.metadata)
        assert read_one(content)[0].warnings == []
    assert capfd.readouterr() == ("", "")


def test_metadata_that_imagemagick_hid_in_texts_of_a_png_are_found():
    """Oracle: EXIF and IPTC as hexadecimal digits, with the orientation 6."""

    def digits(data):
        return f"\nname\n{len(data):8}\n{data.hex()}\n"

    info = picture_files.png_texts(
        **{
            "Raw profile type exif": digits(picture_files.exif(6).tobytes()),
            "Raw profile type iptc": digits(IPTC),
        }
    )
    file, picture = read_one(saved(RGB, "PNG", pnginfo=info))
    assert picture.pixels.shape == RGB.swapaxes(0, 1).shape
    assert file.metadata.iptc == IPTC
    assert b"The caption" in file.metadata.exif
    assert file.metadata.texts == {}


def test_empty_exif_is_no_damage():
    file, _ = read_one(saved(RGB, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"))
    assert (file.metadata.exif, file.warnings) == (None, [])


def test_metadata_too_long_for_jpeg_are_named():
    metadata = Metadata(
        xmp=b"x" * 70000, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0" + bytes(70000), iptc=b"\x1c" * 70000
    )
    content, told = written("JPEG", Picture(RGB), metadata=metadata)
    assert told == [f"JPEG holds no {name} of more than 64 KB: left out." for name in ("EXIF", "XMP", "IPTC")]
    assert read_one(content)[1].pixels.shape == RGB.shape


@pytest.mark.parametrize(
    ("dpi", "kept", "told"),
    [
        (65535, {"TIFF", "PNG", "JPEG"}, []),
        (254000, {"TIFF", "PNG"}, ["JPEG holds no resolution of more than 65535 pixels per inch: left out."]),
        (2e9, set(), []),
        (float("nan"), set(), []),
    ],
)
def test_a_resolution_is_exact_or_left_out(dpi, kept, told):
    """Oracle: Pillow's reading; a microscope has 10 pixels per micrometer. A damaged number stops no format."""
    exif = Image.Exif()
    exif[282], exif[283], exif[296] = (300, 300, 2) if np.isnan(dpi) else (dpi, dpi, 2)
    content = saved(RGB, "TIFF", exif=exif)
    if np.isnan(dpi):
        ratio = struct.pack("<2I", 300, 1)
        assert content.count(ratio) == 2
        content = bytes(8).join(content.rsplit(ratio, 1))
    file, picture = read_one(content)
    for format in ("TIFF", "PNG", "JPEG"):
        content, told_of_result = written(format, picture, metadata=file.metadata)
        found = Image.open(io.BytesIO(content)).info.get("dpi", (1, 1))
        assert found == (pytest.approx((dpi, dpi)) if format in kept else (1, 1))
        assert told_of_result == (told if format == "JPEG" else [])


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_half_written_remains(tmp_path, format):
    """Oracle: the folder; an old file stays until the new one is whole."""
    target = tmp_path / "new" / f"result.{format.lower()}"

    def pages():
        yield Picture(RGB)
        raise InputError("the second page is damaged")

    write_picture(target, format, [Picture(RGB)], Metadata())
    before = target.read_bytes()
    broken = pages() if format == "TIFF" else iter(())
    with pytest.raises((InputError, StopIteration, RuntimeError)):
        write_picture(target, format, broken, Metadata())
    assert target.read_bytes() == before
    assert list(target.parent.iterdir()) == [target]


def test_a_place_that_cannot_be_written_is_told_in_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"result\.png cannot be written: File exists\."):
        write_picture(tmp_path / "file" / "result.png", "PNG", [Picture(RGB)], Metadata())


@pytest.mark.parametrize("format", FORMATS)
def test_a_pipe_takes_every_format(format):
    """Oracle: the same bytes as in a file; a pipe cannot go back."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source:
        with os.fdopen(writing, "wb") as target:
            write_picture(target, format, [Picture(RGB[:9, :9])], Metadata())
        assert source.read() == written(format, Picture(RGB[:9, :9]))[0]


@pytest.mark.parametrize(("format", "side"), [("JPEG", 65501), ("WEBP", 16384)])
def test_a_picture_too_long_for_its_format_is_refused(format, side):
    with pytest.raises(InputError, match=r"pixels a side\. Choose PNG or TIFF"):
        written(format, Picture(np.zeros((1, side, 3), np.uint8)))


def test_suffixes_and_formats():
    """Oracle: the list of the guide."""
    names = {
        "JPEG": ".jpg .JPEG",
        "PNG": ".PNG",
        "TIFF": ".tif .tiff .TIFF",
        "WEBP": ".webp",
        "AVIF": ".avif",
    }
    for format, suffixes in names.items():
        assert {output_format(suffix) for suffix in suffixes.split()} == {format}
    for suffix in (".bmp", ".jpe", "", ".heic", ".gif\n"):
        with pytest.raises(InputError, match=r"use one of \.jpg"):
            output_format(suffix)
    assert [default_suffix(name) for name in (*FORMATS, "GIF", "BMP", "JPEG2000", "HEIF")] == [
        *(".jpg", ".png", ".tif", ".webp", ".avif"),
        *(".png", ".png", ".png", ".jpg"),
    ]


def test_the_source_and_the_metadata_are_read_only_once_per_use(tmp_path):
    """A file that is replaced by its own result afterwards: pages are read before the target is moved."""
    place = tmp_path / "a.tif"
    place.write_bytes(tiff(GRAY, GRAY[::-1]))
    file = open_picture(place)
    write_picture(tmp_path / "b.tif", "TIFF", file.pages(), file.metadata)
    _, pages = read((tmp_path / "b.tif").read_bytes())
    np.testing.assert_array_equal(pages[1].pixels[..., 0], GRAY[::-1])
