"""JPEG 2000: color profiles and metadata in boxes, which Pillow does not read."""

import contextlib
import io
import struct
import tracemalloc

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms
from support import picture_files
from support.picture_files import (
    ADOBE_RGB,
    ALPHA,
    GRAY,
    GRAY16,
    GRAY_GAMMA_18,
    IPTC,
    RGB,
    RGB16,
    XMP,
    read_one,
    saved,
    tiff,
)

from colorization.core.errors import InputError
from colorization.core.pictures import jpeg2000_boxes, open_picture
from colorization.core.pictures.writing import write_picture

XMP_ID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF_ID = b"JpgTiffExif->JP2"
IPTC_ID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
SRGB_NAMED = b"\1\0\0" + (16).to_bytes(4, "big")


def box(kind, content, is_long=False):
    if is_long:
        return struct.pack(">I4sQ", 1, kind, len(content) + 16) + content
    return struct.pack(">I4s", len(content) + 8, kind) + content


def jp2(array, colors=None, uuids=(), is_long=False):
    """A lossless file with other color boxes, and with uuid boxes before its pixels."""
    if array.dtype == np.uint8:
        content = saved(array, "JPEG2000", irreversible=False)
    else:
        content = imagecodecs.jpeg2k_encode(array, level=0)
    start = content.index(b"jp2h") - 4
    end = start + int.from_bytes(content[start : start + 4], "big")
    header = content[start + 8 : end]
    if colors is not None:
        place = header.index(b"colr") - 4
        own = place + int.from_bytes(header[place : place + 4], "big")
        header = header[:place] + b"".join(box(b"colr", color, is_long) for color in colors) + header[own:]
    added = b"".join(box(b"uuid", name + data, is_long) for name, data in uuids)
    return content[:start] + box(b"jp2h", header, is_long) + added + content[end:]


def icc(profile, method=2):
    return bytes([method, 0, 0]) + profile


def in_srgb(array, profile):
    """The picture as ImageCms converts it."""
    return np.asarray(
        ImageCms.profileToProfile(
            Image.fromarray(array) if array.shape[2] == 3 else Image.fromarray(array, "CMYK"),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    )


@pytest.mark.parametrize("is_long", [False, True], ids=["4 bytes", "8 bytes"])
@pytest.mark.parametrize("method", [2, 3])
@pytest.mark.parametrize("alpha", [None, ALPHA], ids=["rgb", "rgba"])
def test_rgb_is_converted_as_imagecms_does(alpha, method, is_long):
    """Oracle: ImageCms on the same samples, with lengths of boxes in both forms."""
    array = RGB if alpha is None else np.dstack([RGB, alpha])
    file, picture = read_one(jp2(array, [icc(ADOBE_RGB, method)], is_long=is_long))
    assert np.abs(picture.pixels.astype(int) - in_srgb(RGB, ADOBE_RGB)).max() <= 1
    assert np.abs(picture.pixels.astype(int) - RGB).max() > 20
    assert alpha is None or np.array_equal(picture.alpha, alpha)
    assert file.warnings == []


def test_16_bits_keep_their_depth():
    """Oracles: ImageCms, which has 8 bits; a TIFF file of the same samples."""
    array = (20000 + RGB16.astype(np.uint32) // 4).astype(np.uint16)
    _, picture = read_one(jp2(array, [icc(ADOBE_RGB)]))
    shallow = np.rint(array / 257).astype(np.uint8)
    assert np.abs(picture.pixels / 257 - in_srgb(shallow, ADOBE_RGB)).mean() < 0.5
    np.testing.assert_array_equal(picture.pixels, read_one(tiff(array, iccprofile=ADOBE_RGB))[1].pixels)


@pytest.mark.parametrize("array", [GRAY, GRAY16], ids=["8", "16"])
def test_gray_of_gamma_18(array):
    """Oracle: the closed form; luminance is the value to the power 1.8."""
    most = np.iinfo(array.dtype).max
    file, picture = read_one(jp2(array, [icc(GRAY_GAMMA_18)]))
    light = (array / most) ** 1.8
    exact = most * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(picture.pixels - exact).max() <= 1.2
    assert file.warnings == []


def cmyk_profile():
    """An ICC profile of CMYK without a table of colors: Lab is 100 (1 - K), and 60 a, b for M and Y."""
    corners = np.array(np.meshgrid(*4 * [[0, 1]], indexing="ij")).reshape(4, -1).T
    table = np.stack([255 * (1 - corners[:, 3]), 128 + 60 * corners[:, 1], 128 + 60 * corners[:, 2]], 1)
    line = bytes(range(256))
    lut = (
        b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(np.eye(3, dtype=int) * 65536).ravel())
    )
    lut += 4 * line + table.astype(np.uint8).tobytes() + 3 * line
    header = struct.pack(">I4sI", 128 + 16 + len(lut), bytes(4), 0x02400000) + b"prtrCMYKLab " + bytes(12)
    header += b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"A2B0", 144, len(lut)) + lut


@pytest.mark.parametrize(("dtype", "scale"), [(np.uint8, 1), (np.uint16, 257)])
def test_cmyk_has_no_alpha(dtype, scale):
    """Oracle: ImageCms on the same inks."""
    inks = np.dstack([RGB, GRAY])
    file, picture = read_one(jp2(inks.astype(dtype) * dtype(scale), [icc(cmyk_profile(), 3)]))
    expected = in_srgb(inks, cmyk_profile())
    assert picture.alpha is None
    assert np.abs(picture.pixels / scale - expected).mean() < 1
    assert file.warnings == []


@pytest.mark.parametrize(
    "colors",
    [
        [SRGB_NAMED, icc(ADOBE_RGB)],
        [icc(ADOBE_RGB, 4), SRGB_NAMED],
        [SRGB_NAMED, b"\2\0\0" * 3],
        [b"\2\0\0" * 3],
    ],
    ids=["named first", "unknown method", "short second", "short"],
)
def test_other_color_boxes_change_nothing(colors):
    """Oracle: the samples. The first box that is known decides."""
    _, picture = read_one(jp2(RGB, colors))
    np.testing.assert_array_equal(picture.pixels, RGB)


@pytest.mark.parametrize("profile", [b"no profile at all" * 20, ADOBE_RGB[:200], GRAY_GAMMA_18])
def test_a_profile_that_cannot_be_used_is_told(profile, capfd):
    """Oracle: the samples as sRGB."""
    file, picture = read_one(jp2(RGB, [icc(profile)]))
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert file.warnings == ["Its color profile cannot be used; its colors are taken as sRGB."]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("is_long", [False, True], ids=["4 bytes", "8 bytes"])
@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG"])
def test_metadata_in_boxes_are_kept(format, is_long):
    """Oracle: Pillow's reading of the result, which is upright; EXIF with and without its prefix."""
    for exif in (picture_files.exif(6).tobytes(), picture_files.exif(6).tobytes()[6:]):
        uuids = [(bytes(16), b"something else"), (XMP_ID, XMP), (EXIF_ID, exif), (IPTC_ID, IPTC)]
        file, picture = read_one(jp2(RGB, uuids=uuids, is_long=is_long))
        np.testing.assert_array_equal(picture.pixels, np.rot90(RGB, -1))
        assert file.metadata.iptc == IPTC
        buffer = io.BytesIO()
        told = write_picture(buffer, format, [picture], file.metadata)
        assert told == (["PNG holds no IPTC: left out."] if format == "PNG" else [])
        image = Image.open(buffer)
        assert image.getexif()[0x010E] == "The caption"
        assert image.getexif().get_ifd(0x8769)[0x9003] == "1931:05:17 12:00:00"
        assert read_one(buffer.getvalue())[0].metadata.xmp == XMP.replace(b'"6"', b'"1"')


def test_the_last_box_reaches_to_the_end():
    """Oracle: the packet. A length of 0 says so."""
    content = jp2(RGB) + struct.pack(">I4s", 0, b"uuid") + XMP_ID + XMP
    start = content.index(b"jp2c") - 4
    size = content.index(XMP_ID) - 8 - start
    content = content[:start] + struct.pack(">I", size) + content[start + 4 :]
    assert jpeg2000_boxes.info(content) == {"xmp": XMP}
    assert read_one(content)[0].metadata.xmp == XMP.replace(b'"6"', b'"1"')


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 23, 24, 25, 2**31, 2**32 - 1])
@pytest.mark.parametrize("long_size", [0, 15, 16, 17, 2**63, 2**64 - 1])
def test_false_lengths_end_the_search(size, long_size):
    """Oracle: no exception, no endless loop and no memory, for boxes before, in and after the header."""
    uuid = struct.pack(">I4sQ", size, b"uuid", long_size) + XMP_ID + XMP
    color = struct.pack(">I4sQ", size, b"colr", long_size) + icc(ADOBE_RGB)
    content = jp2(RGB)
    start = content.index(b"jp2h") - 4
    tracemalloc.start()
    try:
        for damaged in (uuid, content + uuid, content[:start] + uuid + content[start:], box(b"jp2h", color)):
            for end in (len(damaged), -1, -len(XMP) - 9):
                found = jpeg2000_boxes.info(damaged[:end])
                assert set(found) <= {"xmp", "icc_profile"}
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_cut_box_is_left_out():
    """Oracle: the keys; half a packet is no XML."""
    whole = box(b"uuid", XMP_ID + XMP)
    assert jpeg2000_boxes.info(whole) == {"xmp": XMP}
    assert jpeg2000_boxes.info(whole[:-9]) == {}


def test_random_errors_end_in_a_picture_or_in_one_sentence(capfd):
    """Oracle: no other exception, and silence."""
    rng = np.random.default_rng(0)
    uuids = [(XMP_ID, XMP), (EXIF_ID, picture_files.exif(6).tobytes()[6:]), (IPTC_ID, IPTC)]
    content = jp2(RGB[:8, :9], [icc(ADOBE_RGB)], uuids)
    for _ in range(200):
        broken = np.frombuffer(content, np.uint8).copy()
        broken[rng.integers(0, len(broken), 5)] = rng.integers(0, 256, 5)
        with contextlib.suppress(InputError):
            list(open_picture(broken.tobytes(), max_pixels=10**5).pages())
    assert capfd.readouterr() == ("", "")
