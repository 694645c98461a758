"""Damaged pictures: what can be decoded is read, and a warning tells how much is missing."""

import io
import re
import struct

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from skimage import data
from support.picture_files import png, read, read_one, saved, tiff

from colorization.core import image_files
from colorization.core.errors import InputError
from colorization.core.pictures import open_picture, png_chunks

PHOTOGRAPH = np.ascontiguousarray(data.coffee()[:240, :320])
DEEP = PHOTOGRAPH.astype(np.uint16) * 257
STRIPS = {"rowsperstrip": 16, "compression": "lzw"}


def half(content):
    return content[: len(content) // 2]


CUT = {  # kind: (half a file, largest difference of rows that are there)
    "jpeg": (lambda: half(saved(PHOTOGRAPH, "JPEG", quality=90, subsampling=0)), 3),
    "png": (lambda: half(saved(PHOTOGRAPH, "PNG")), 0),
    "png-16": (lambda: half(imagecodecs.png_encode(DEEP)), 0),
    "webp": (lambda: half(saved(PHOTOGRAPH, "WEBP", quality=90)), 5),
    "tiff": (lambda: half(tiff(PHOTOGRAPH)), 0),
    "tiff-16": (lambda: half(tiff(DEEP)), 0),
    "tiff-lzw": (lambda: half(tiff(PHOTOGRAPH, **STRIPS)), 0),
    "tiff-16-lzw": (lambda: half(tiff(DEEP, **STRIPS)), 0),
    "tiff-tiled": (lambda: half(tiff(PHOTOGRAPH, tile=(32, 32), compression="zlib")), 0),
}


@pytest.mark.parametrize("kind", CUT)
def test_half_a_file_shows_its_upper_part(kind, capfd):
    """Oracle: the upper quarter of the picture; the share that the warning names is about a half."""
    make, most = CUT[kind]
    file, picture = read_one(make())
    upper = PHOTOGRAPH[:32] if picture.pixels.dtype == np.uint8 else DEEP[:32]
    assert picture.pixels.shape == PHOTOGRAPH.shape
    assert np.abs(picture.pixels[:32].astype(int) - upper).mean() <= most
    (told,) = file.warnings
    assert file.is_damaged
    assert 30 <= int(re.search(r"about (\d+)% of the picture is missing", told)[1]) <= 60
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("format", ["BMP", "GIF"])
def test_half_a_file_of_another_order_shows_what_it_has(format):
    """Oracle: rows that are equal to those of the whole file. BMP begins below, GIF comes in four passes."""
    content = saved(PHOTOGRAPH, format)
    _, whole = read_one(content)
    file, picture = read_one(half(content))
    equal = (picture.pixels == whole.pixels).all(axis=(1, 2)).mean()
    assert 0.4 < equal < 0.6
    assert re.search("about [45][0-9]% of the picture is missing", file.warnings[0])


def test_a_progressive_jpeg_that_is_cut_is_coarse():
    file, picture = read_one(half(saved(PHOTOGRAPH, "JPEG", progressive=True)))
    assert np.abs(picture.pixels.astype(int) - PHOTOGRAPH).mean() < 10
    assert file.warnings == ["The file is damaged: fine detail of the picture may be missing."]


def test_a_jpeg_without_its_last_two_bytes_is_whole():
    """Oracle: the pixels of the whole file."""
    content = saved(PHOTOGRAPH, "JPEG")
    _, whole = read_one(content)
    file, picture = read_one(content[:-2])
    np.testing.assert_array_equal(picture.pixels, whole.pixels)
    assert file.warnings == ["The file is damaged, but nearly all of the picture can be read."]


@pytest.mark.parametrize("array", [PHOTOGRAPH, PHOTOGRAPH[..., 0]], ids=["rgb", "gray"])
@pytest.mark.parametrize("end", [b"", b"something else"])
def test_a_jpeg_that_ends_in_its_middle_is_told(array, end):
    """Oracle: an end of image between the others, of which libjpeg does not tell."""
    content = saved(array, "JPEG", quality=90, subsampling=0)
    middle = len(content) // 2
    file, picture = read_one(content[:middle] + b"\xff\xd9" + content[middle + 2 :] + end)
    assert np.abs(picture.pixels[:32].astype(int) - array[:32]).mean() < 3
    assert re.search("about [45][0-9]% of the picture is missing", file.warnings[0])


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("end", [b"", b"\0\0\0\x18ftypmp42"])
def test_a_gray_end_of_a_jpeg_is_no_damage(progressive, end):
    """Oracle: whole files whose lower part, or all of it, has the gray by which libjpeg fills missing parts."""
    for first in (180, 0):
        picture = np.concatenate([PHOTOGRAPH[:first], np.full((240 - first, 320, 3), 128, np.uint8)])
        for array in (picture, picture[..., 0]):
            content = saved(array, "JPEG", quality=90, progressive=progressive)
            assert read_one(content + end)[0].warnings == []


def test_what_follows_a_jpeg_is_no_damage():
    """Oracle: the pixels; phones append films."""
    content = saved(PHOTOGRAPH, "JPEG")
    file, picture = read_one(content + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 20)
    np.testing.assert_array_equal(picture.pixels, read_one(content)[1].pixels)
    assert file.warnings == []


@pytest.mark.parametrize("kind", [b"IHDR", b"pHYs", b"IDAT"])
@pytest.mark.parametrize("array", [PHOTOGRAPH, DEEP], ids=["8", "16"])
def test_a_png_with_a_wrong_checksum_is_read(array, kind):
    """Oracle: the pixels."""
    content = png_chunks.with_metadata_of(imagecodecs.png_encode(array), png_chunks.one_pixel(dpi=(300, 300)))
    place = content.index(kind)
    end = place + 4 + struct.unpack_from(">I", content, place - 4)[0]
    broken = content[:end] + bytes(4) + content[end + 4 :]
    file, picture = read_one(broken)
    np.testing.assert_array_equal(picture.pixels, array)
    assert file.warnings == ["The file is damaged, but nearly all of the picture can be read."]
    assert file.metadata.dpi == (None if kind == b"pHYs" else (300, 300))


def test_an_error_in_the_middle_of_a_png_keeps_the_rows_before():
    content = bytearray(saved(PHOTOGRAPH, "PNG"))
    content[len(content) // 2] ^= 0x55
    file, picture = read_one(bytes(content))
    np.testing.assert_array_equal(picture.pixels[:80], PHOTOGRAPH[:80])
    assert file.is_damaged


def test_one_damaged_strip_of_a_tiff_spoils_only_its_rows():
    """Oracle: all other rows."""
    content = bytearray(tiff(PHOTOGRAPH, rowsperstrip=16, compression="zlib"))
    image = Image.open(io.BytesIO(content))
    start, count = image.tag_v2[273][5], image.tag_v2[279][5]
    content[start : start + count] = bytes(count)
    file, picture = read_one(bytes(content))
    rows = np.r_[:80, 96:240]
    np.testing.assert_array_equal(picture.pixels[rows], PHOTOGRAPH[rows])
    assert not picture.pixels[80:96].any()
    assert file.warnings == ["The file is damaged: about 7% of the picture is missing."]


def test_a_cut_tiff_keeps_the_pages_before_the_cut():
    content = tiff(PHOTOGRAPH, PHOTOGRAPH[::-1], PHOTOGRAPH)
    file = open_picture(content[: len(content) // 2])
    pages = list(file.pages())
    np.testing.assert_array_equal(pages[0].pixels, PHOTOGRAPH)
    assert len(pages) == 2
    assert "about 50% of the picture is missing" in file.warnings[0]


def test_one_damaged_page_does_not_stop_the_others():
    """Oracle: the other two pages; a file of damaged pages alone is refused."""
    content = tiff(PHOTOGRAPH, PHOTOGRAPH[::-1], PHOTOGRAPH[:50], compression="zlib", rowsperstrip=240)
    image = Image.open(io.BytesIO(content))
    image.seek(1)
    (start,), (count,) = image.tag_v2[273], image.tag_v2[279]
    file, pages = read(content[:start] + bytes(count) + content[start + count :])
    np.testing.assert_array_equal(pages[0].pixels, PHOTOGRAPH)
    np.testing.assert_array_equal(pages[1].pixels, PHOTOGRAPH[:50])
    assert file.warnings == ["The file is damaged: page 2 of 3 cannot be decoded and is left out."]
    with pytest.raises(InputError, match="damaged"):
        read(tiff(PHOTOGRAPH, compression="zlib")[:600])


def test_any_cut_ends_in_a_picture_or_in_one_sentence(capfd):
    """Oracle: no other exception at any length of any format, and silence."""
    small = PHOTOGRAPH[:40, :60]
    contents = [
        saved(small, format) for format in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "JPEG2000", "AVIF", "HEIF")
    ]
    contents += [
        saved(small, "TIFF", compression="tiff_lzw"),
        tiff(small, **STRIPS),
        tiff(small.astype(np.uint16)),
    ]
    contents += [saved(small[..., 0] > 99, "TIFF", compression="group4")]
    for content in contents:
        for end in np.linspace(1, len(content) - 1, 40).astype(int):
            try:
                file, picture = read_one(content[:end])
            except InputError:
                pass
            else:
                assert picture.pixels.shape[:2] == (40, 60)
                assert file.is_damaged or end > 0.9 * len(content) or content[:4] == b"\0\0\0\x0c"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("seed", range(2))
def test_random_errors_end_in_a_picture_or_in_one_sentence(seed, capfd):
    """Oracle: no other exception, and silence."""
    small, rng = PHOTOGRAPH[:40, :60], np.random.default_rng(seed)
    contents = [
        saved(small, format)
        for format in ("JPEG", "PNG", "WEBP", "BMP", "GIF", "JPEG2000", "AVIF", "HEIF", "TIFF")
    ]
    contents += [
        tiff(small, **STRIPS),
        saved(small[..., 0] > 99, "TIFF", compression="group4"),
        png(9, 9, 16, 2, bytes(9 * 55)),
    ]
    for content in contents:
        for _ in range(15):
            broken = np.frombuffer(content, np.uint8).copy()
            broken[rng.integers(0, len(broken), 1 + len(broken) // 400)] = rng.integers(0, 256)
            try:
                file = open_picture(broken.tobytes(), max_pixels=10**6)
                for _ in zip(file.pages(), range(3), strict=False):
                    pass
            except InputError:
                pass
    assert capfd.readouterr() == ("", "")


def test_data_sets_leave_out_what_only_the_reader_of_damaged_files_can_read(tmp_path):
    """Oracle: a set for training holds no half pictures; sound HEIC is in it."""
    with pytest.raises(InputError, match="is damaged"):
        image_files.decode(half(saved(PHOTOGRAPH, "WEBP")), "a.webp")
    sound = image_files.decode(saved(PHOTOGRAPH, "HEIF", quality=95), "a.heic")
    assert np.abs(sound.astype(int) - PHOTOGRAPH).mean() < 4


def test_a_file_without_permission_is_one_sentence(tmp_path, monkeypatch):
    """The system's refusal is simulated, since root may read everything."""
    (tmp_path / "a.png").write_bytes(b"x")

    def refuse(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "open", refuse)
    with pytest.raises(InputError) as error:
        open_picture(tmp_path / "a.png")
    assert str(error.value) == f"{tmp_path / 'a.png'} cannot be read: Permission denied."
