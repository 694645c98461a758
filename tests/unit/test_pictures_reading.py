"""Reading of every common kind of picture: pixels, depth, alpha and pages, without a word on the terminal."""

import concurrent.futures
import io
import struct
import warnings

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageCms
from support import picture_files
from support.picture_files import (
    ALPHA,
    ALPHA16,
    BILEVEL,
    GRAY,
    GRAY16,
    HEIGHT,
    RGB,
    RGB16,
    WIDTH,
    png,
    read,
    read_one,
    saved,
    tiff,
)

from colorization.core.errors import InputError
from colorization.core.pictures import open_picture

CMYK = np.dstack([RGB, GRAY])
CMYK_AS_RGB = np.asarray(Image.fromarray(CMYK, "CMYK").convert("RGB"))
PALETTE = Image.fromarray(RGB).quantize(16)
GRAY_PALETTE = Image.fromarray(GRAY).convert("P")
BLACK_WHITE = np.where(BILEVEL, 255, 0).astype(np.uint8)
NIBBLES = np.pad(GRAY >> 4, ((0, 0), (0, 1)))  # an even number of columns
SHALLOW_ROWS = b"".join(b"\0" + row.tobytes() for row in np.packbits(BILEVEL, axis=1))
KEYED = np.where(RGB16[3, 4] == RGB16, 0, 65535).astype(np.uint16).min(axis=2)
RGBA, RGBA16 = np.dstack([RGB, ALPHA]), np.dstack([RGB16, ALPHA16])
TILES = {"tile": (16, 16), "compression": "zlib"}


def multiplied(array):
    return np.rint(array.astype(float) * ALPHA16[..., None] / 65535).astype(np.uint16)


def deep_png_with_key():
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in RGB16)
    return png(WIDTH, HEIGHT, 16, 2, rows, (b"tRNS", struct.pack(">3H", *RGB16[3, 4])))


LOSSLESS = {  # kind: (file, pixels, alpha or None)
    "png-1": (lambda: saved(BILEVEL, "PNG"), BLACK_WHITE, None),
    "png-1-raw": (lambda: png(WIDTH, HEIGHT, 1, 0, SHALLOW_ROWS), BLACK_WHITE, None),
    "png-4-raw": (
        lambda: png(WIDTH, HEIGHT, 4, 0, b"".join(b"\0" + row.tobytes() for row in 16 * NIBBLES[:, ::2] + NIBBLES[:, 1::2])),
        (GRAY >> 4) * 17, None,
    ),
    "png-gray": (lambda: saved(GRAY, "PNG"), GRAY, None),
    "png-gray-alpha": (lambda: saved(np.dstack([GRAY, ALPHA]), "PNG"), GRAY, ALPHA),
    "png-rgb": (lambda: saved(RGB, "PNG"), RGB, None),
    "png-rgba": (lambda: saved(RGBA, "PNG"), RGB, ALPHA),
    "png-palette": (lambda: saved(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB")), None),
    "png-gray-palette": (lambda: saved(GRAY_PALETTE, "PNG"), GRAY, None),
    "png-key-gray": (lambda: saved(GRAY, "PNG", transparency=int(GRAY[3, 4])), GRAY, np.where(GRAY[3, 4] == GRAY, 0, 255)),
    "png-palette-alpha": (
        lambda: saved(PALETTE, "PNG", transparency=bytes([0, 128])),
        np.asarray(PALETTE.convert("RGB")),
        np.array([0, 128] + 254 * [255])[np.asarray(PALETTE)],
    ),
    "png-16-gray": (lambda: imagecodecs.png_encode(GRAY16), GRAY16, None),
    "png-16-gray-alpha": (lambda: imagecodecs.png_encode(np.dstack([GRAY16, ALPHA16])), GRAY16, ALPHA16),
    "png-16-rgb": (lambda: imagecodecs.png_encode(RGB16), RGB16, None),
    "png-16-rgba": (lambda: imagecodecs.png_encode(RGBA16), RGB16, ALPHA16),
    "png-16-key": (deep_png_with_key, RGB16, KEYED),
    "webp": (lambda: saved(RGB, "WEBP", lossless=True), RGB, None),
    "webp-alpha": (lambda: saved(RGBA, "WEBP", lossless=True, exact=True), RGB, ALPHA),
    "bmp-1": (lambda: saved(BILEVEL, "BMP"), BLACK_WHITE, None),
    "bmp-8": (lambda: saved(GRAY, "BMP"), GRAY, None),
    "bmp-24": (lambda: saved(RGB, "BMP"), RGB, None),
    "gif": (lambda: saved(PALETTE, "GIF"), np.asarray(PALETTE.convert("RGB")), None),
    "gif-alpha": (
        lambda: saved(PALETTE, "GIF", transparency=3, optimize=False),
        np.asarray(PALETTE.convert("RGB")), np.where(np.asarray(PALETTE) == 3, 0, 255),
    ),
    "gif-gray": (lambda: saved(GRAY, "GIF"), GRAY, None),
    "jp2": (lambda: saved(RGB, "JPEG2000"), RGB, None),
    "jp2-alpha": (lambda: saved(RGBA, "JPEG2000"), RGB, ALPHA),
    "jp2-16": (lambda: imagecodecs.jpeg2k_encode(RGB16, level=0), RGB16, None),
    "jp2-16-gray": (lambda: imagecodecs.jpeg2k_encode(GRAY16, level=0), GRAY16, None),
    "jp2-codestream": (lambda: imagecodecs.jpeg2k_encode(RGB, level=0, codecformat="j2k"), RGB, None),
    "tiff-1": (lambda: tiff(BILEVEL), BLACK_WHITE, None),
    "tiff-g3": (lambda: saved(BILEVEL, "TIFF", compression="group3"), BLACK_WHITE, None),
    "tiff-g4": (lambda: saved(BILEVEL, "TIFF", compression="group4"), BLACK_WHITE, None),
    "tiff-2": (lambda: tiff(GRAY >> 6, bitspersample=2), (GRAY >> 6) * 85, None),
    "tiff-4": (lambda: tiff(GRAY >> 4, bitspersample=4), (GRAY >> 4) * 17, None),
    "tiff-12": (lambda: tiff(GRAY16 >> 4, bitspersample=12), np.rint((GRAY16 >> 4) * (65535 / 4095)).astype(np.uint16), None),
    "tiff-8": (lambda: tiff(GRAY), GRAY, None),
    "tiff-min-is-white": (lambda: tiff(255 - GRAY, photometric="miniswhite"), GRAY, None),
    "tiff-min-is-white-16": (lambda: tiff(65535 - GRAY16, photometric="miniswhite", compression="lzw"), GRAY16, None),
    "tiff-palette": (lambda: saved(PALETTE, "TIFF"), np.asarray(PALETTE.convert("RGB")), None),
    "tiff-gray-palette": (lambda: saved(GRAY_PALETTE, "TIFF"), GRAY, None),
    "tiff-rgb": (lambda: tiff(RGB), RGB, None),
    "tiff-lzw": (lambda: saved(RGB, "TIFF", compression="tiff_lzw"), RGB, None),
    "tiff-deflate": (lambda: saved(RGB, "TIFF", compression="tiff_adobe_deflate"), RGB, None),
    "tiff-packbits": (lambda: saved(RGB, "TIFF", compression="packbits"), RGB, None),
    "tiff-zstd": (lambda: tiff(RGB, compression="zstd"), RGB, None),
    "tiff-tiled": (lambda: tiff(RGB, **TILES), RGB, None),
    "tiff-planar": (lambda: tiff(np.moveaxis(RGB, -1, 0), photometric="rgb", planarconfig="separate"), RGB, None),
    "tiff-alpha": (lambda: tiff(RGBA, extrasamples=["unassalpha"]), RGB, ALPHA),
    "tiff-cmyk": (lambda: tiff(CMYK, photometric="separated"), CMYK_AS_RGB, None),
    "tiff-big": (lambda: tiff(RGB, bigtiff=True), RGB, None),
    "tiff-16-gray": (lambda: tiff(GRAY16), GRAY16, None),
    "tiff-16-big-endian": (lambda: tiff(RGB16, byteorder=">"), RGB16, None),
    "tiff-16-lzw": (lambda: tiff(RGB16, compression="lzw", predictor=True), RGB16, None),
    "tiff-16-tiled": (lambda: tiff(RGB16, bigtiff=True, **TILES), RGB16, None),
    "tiff-16-alpha": (lambda: tiff(RGBA16, extrasamples=["unassalpha"]), RGB16, ALPHA16),
    "tiff-float": (lambda: tiff((GRAY16 / 65535).astype(np.float32)), GRAY16, None),
    "tiff-float-rgb": (lambda: tiff((RGB16 / 65535).astype(np.float32), compression="zlib", predictor=3), RGB16, None),
    "tiff-float-64": (lambda: tiff(GRAY16 / 65535), GRAY16, None),
    "tiff-32": (lambda: tiff(GRAY16.astype(np.uint32) * 65537), GRAY16, None),
    "heic-10": (lambda: picture_files.heic10(RGB16 & 0xFFC0), None, None),
}  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in LOSSLESS if kind != "heic-10"])
def test_lossless_kinds_are_read_exactly(kind, capfd):
    """Oracle: the samples that were encoded, by libraries other than the reader's where there are two."""
    make, pixels, alpha = LOSSLESS[kind]
    file, picture = read_one(make())
    assert (picture.pixels.dtype, picture.pixels.shape) == (pixels.dtype, pixels.shape)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.alpha is None) == (alpha is None)
    if alpha is not None:
        assert picture.alpha.dtype == pixels.dtype
        np.testing.assert_array_equal(picture.alpha, alpha)
    assert file.warnings == []
    assert capfd.readouterr() == ("", "")


LOSSY = {  # kind: (file, reference, mean difference)
    "jpeg-gray": (lambda: saved(GRAY, "JPEG", quality=95), GRAY, 1),
    "jpeg": (lambda: saved(RGB, "JPEG", quality=95, subsampling=0), RGB, 2),
    "jpeg-progressive": (lambda: saved(RGB, "JPEG", quality=95, subsampling=0, progressive=True), RGB, 2),
    "jpeg-cmyk": (lambda: saved(Image.fromarray(CMYK, "CMYK"), "JPEG", quality=95), CMYK_AS_RGB, 4),
    "jpeg-ycck": (lambda: imagecodecs.jpeg8_encode(255 - CMYK, 95, colorspace="cmyk", outcolorspace="ycck"), CMYK_AS_RGB, 4),
    "jpeg-rgb": (lambda: imagecodecs.jpeg8_encode(RGB, 95, colorspace="rgb", outcolorspace="rgb"), RGB, 2),
    "mpo": (lambda: saved(RGB, "MPO", save_all=True, append_images=[Image.fromarray(RGB[::-1])], quality=95, subsampling=0), RGB, 2),
    "tiff-jpeg": (lambda: saved(RGB, "TIFF", compression="jpeg", quality=95), RGB, 8),
    "tiff-lab": (lambda: saved(ImageCms.profileToProfile(Image.fromarray(RGB), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"), "TIFF"), RGB, 3),
    "webp": (lambda: saved(RGB, "WEBP", quality=95), RGB, 8),
    "heic": (lambda: saved(RGB, "HEIF", quality=95, chroma=444), RGB, 3),
    "heic-gray": (lambda: saved(GRAY, "HEIF", quality=95), GRAY, 3),
    "heic-alpha": (lambda: saved(RGBA, "HEIF", quality=95, chroma=444), RGB, 3),
    "avif": (lambda: saved(RGB, "AVIF", quality=95, subsampling="4:4:4"), RGB, 3),
    "avif-gray": (lambda: saved(GRAY, "AVIF", quality=95), GRAY, 3),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOSSY)
def test_lossy_kinds_are_read_closely(kind, capfd):
    """Oracle: the samples that were encoded, within the loss of the format."""
    make, pixels, most = LOSSY[kind]
    file, picture = read_one(make())
    assert (picture.pixels.dtype, picture.pixels.shape) == (np.uint8, pixels.shape)
    assert np.abs(picture.pixels.astype(int) - pixels).mean() < most
    assert (picture.alpha is None) == ("alpha" not in kind)
    assert file.warnings == (["Only the main one of its 2 pictures is read."] if kind == "mpo" else [])
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("make", "bits"),
    [
        (lambda: picture_files.heic10(RGB16), 10),
        (lambda: imagecodecs.avif_encode(RGB16 >> 6, 100, bitspersample=10), 10),
        (lambda: imagecodecs.avif_encode(RGB16 >> 4, 100, bitspersample=12), 12),
        (lambda: imagecodecs.jpeg2k_encode(RGB16 >> 4, level=0, bitspersample=12), 12),
    ],
    ids=["heic-10", "avif-10", "avif-12", "jp2-12"],
)
def test_10_and_12_bits_fill_the_range_of_16(make, bits):
    """Oracle: white is 65535, and no sample is off by more than a step of the depth."""
    _, picture = read_one(make())
    assert picture.pixels.dtype == np.uint16
    assert picture.pixels.max() == 65535
    assert np.abs(picture.pixels.astype(int) - RGB16).max() <= 3 * 65535 / 2**bits


def test_premultiplied_alpha_is_divided_out():
    """Oracle: the colors before the multiplication, where alpha leaves enough of them."""
    content = tiff(np.dstack([multiplied(RGB16), ALPHA16]), extrasamples=["assocalpha"])
    _, picture = read_one(content)
    error = np.abs(picture.pixels.astype(int) - RGB16)[ALPHA > 100]
    assert error.max() <= 2


@pytest.mark.parametrize(
    ("values", "white", "told"),
    [
        (GRAY.astype(np.float32), 255, "255 is taken as white"),
        (np.where(GRAY > 250, 1.5, GRAY / 255).astype(np.float32), 1, "outside 0 to 1 are clipped"),
        (np.where(GRAY > 250, np.inf, GRAY / 255).astype(np.float32), 1, "outside 0 to 1 are clipped"),
        (np.where(GRAY > 250, np.nan, GRAY / 255).astype(np.float32), 1, None),
    ],
)
def test_floats_beyond_0_to_1_are_told(values, white, told):
    """Oracle: the values over the white that the message names."""
    file, picture = read_one(tiff(values))
    expected = 65535 * np.clip(np.nan_to_num(values) / white, 0, 1)
    assert np.abs(picture.pixels - expected).max() <= 0.51
    assert [told in sentence for sentence in file.warnings] == ([True] if told else [])


def test_all_pages_of_a_tiff_are_read_without_thumbnails():
    """Oracle: the arrays of the pages, of four kinds."""
    arrays = [GRAY, RGB16[:20], BILEVEL[:, :9], (GRAY / 255).astype(np.float32)]
    buffer = io.BytesIO(tiff(GRAY, RGB16[:20]))
    with picture_files.tifffile.TiffWriter(buffer, append=True) as writer:
        writer.write(GRAY[::4, ::4], subfiletype=1, photometric="minisblack", metadata=None)
        writer.write(BILEVEL[:, :9], photometric="minisblack", metadata=None)
        writer.write(arrays[3], photometric="minisblack", metadata=None)
    file, pages = read(buffer.getvalue())
    assert (file.page_count, file.metadata.page_count) == (4, 4)
    wanted = [GRAY, RGB16[:20], BLACK_WHITE[:, :9], GRAY.astype(np.uint16) * 257]
    for page, pixels in zip(pages, wanted, strict=True):
        np.testing.assert_array_equal(page.pixels, pixels)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "AVIF", "PNG"])
def test_the_first_frame_of_an_animation_is_read_and_told(format):
    """Oracle: the first of two frames."""
    frames = [Image.fromarray(GRAY), Image.fromarray(GRAY[::-1].copy())]
    options = {"lossless": True} if format == "WEBP" else {"quality": 100} if format == "AVIF" else {}
    file, picture = read_one(saved(frames[0], format, save_all=True, append_images=frames[1:], **options))
    gray = picture.pixels if picture.pixels.ndim == 2 else picture.pixels[..., 0]
    assert np.abs(gray.astype(int) - GRAY).max() <= 3
    (told,) = file.warnings
    assert "colorize film" in told


@pytest.mark.parametrize("name", ["a.JPG", "b.png", "c"])
def test_the_content_decides_and_not_the_suffix(tmp_path, name):
    (tmp_path / name).write_bytes(saved(RGB, "TIFF"))
    file = open_picture(tmp_path / name)
    assert file.format == "TIFF"
    np.testing.assert_array_equal(next(file.pages()).pixels, RGB)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"This is a text.", "cannot be read as an image"),
        (b"%PDF-1.4", "cannot be read as an image"),
        (b"\xff\x0a" + bytes(64), "is a JPEG XL file, which is not read"),
        (b"8BPS" + bytes(64), "is a Photoshop file, which is not read"),
        (saved(RGB, "PNG")[:40], "damaged, or of a rare kind"),
        (saved(RGB, "JPEG")[:30], "damaged, or of a rare kind"),
        (saved(RGB, "WEBP")[:20], "damaged, or of a rare kind"),
        (saved(RGB, "AVIF")[:400], "damaged, or of a rare kind"),
        (saved(RGB, "HEIF")[:400], "damaged, or of a rare kind"),
        (saved(RGB, "TIFF", compression="tiff_lzw")[:400], "damaged, or of a rare kind"),
        (tiff(GRAY, extratags=[(50706, 1, 4, (1, 4, 0, 0), True)]), "is a camera raw file"),
        (png(0, 0, 8, 0, b""), "damaged, or of a rare kind"),
        (
            tiff(GRAY).replace(b"\x06\x01\x03\0\x01\0\0\0\x01\0", b"\x06\x01\x03\0\x01\0\0\0\x02\0"),
            "damaged, or of a rare kind",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(content, told, capfd):
    """Oracle: the name and the reason; nothing else is printed."""
    with pytest.raises(InputError, match=told) as caught:
        read_one_named(content)
    assert str(caught.value).startswith("no picture.jpg ")
    assert str(caught.value).count("\n") == 0
    assert capfd.readouterr() == ("", "")


def read_one_named(content):
    file = open_picture(content, "no picture.jpg")
    return next(file.pages())


def test_paths_that_cannot_be_opened_are_refused_in_one_sentence(tmp_path):
    """Oracle: the words of the operating system; a link to itself is no endless loop."""
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    (tmp_path / "photo.nef").write_bytes(saved(GRAY, "TIFF"))
    reasons = {
        "self.png": "Too many levels of symbolic links",
        "none.png": "No such file or directory",
        ".": "Is a directory",
        "photo.nef": "camera raw",
        "\0": "null byte",
    }
    for name, reason in reasons.items():
        with pytest.raises(InputError, match=reason):
            open_picture(tmp_path / name)


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    """Oracle: 3.6 gigapixels, which no memory here would hold; the message names the option."""
    bomb = png(60000, 60000, 8, 0, bytes(1000))
    with pytest.raises(
        InputError, match=r"60000 x 60000 pixels, more than the limit of 500,000,000.*--max-pixels"
    ):
        open_picture(bomb)
    with pytest.raises(InputError, match="limit of 1,000:"):
        open_picture(saved(RGB, "PNG"), max_pixels=1000)
    with pytest.raises(InputError, match="limit"):  # any page counts
        open_picture(tiff(GRAY[:2], GRAY), max_pixels=1000)


@pytest.mark.parametrize("kind", LOSSLESS)
def test_limits_and_switches_of_pillow_do_not_matter(kind, monkeypatch):
    """Oracle: no exception, though Pillow's own limit is one pixel and warnings are errors."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1)
    content = LOSSLESS[kind][0]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_one(content)
    assert Image.MAX_IMAGE_PIXELS == 1


def test_threads_read_sound_and_damaged_files_at_once():
    """Oracle: the same files, one after the other."""
    contents = [LOSSLESS[kind][0]() for kind in LOSSLESS]
    contents += [saved(RGB, format)[:-60] for format in ("PNG", "JPEG", "BMP", "GIF")] * 3

    def result(content):
        file, picture = read_one(content)
        return file.warnings, picture.pixels.tobytes()

    alone = [result(content) for content in contents]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert list(pool.map(result, contents)) == alone
