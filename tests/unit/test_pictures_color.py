"""Color profiles and orientation of pictures: closed forms of tone curves, and Pillow's ImageCms."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps
from support import picture_files
from support.picture_files import (
    ADOBE_RGB,
    ALPHA,
    GRAY,
    GRAY16,
    GRAY_GAMMA_18,
    RGB,
    RGB16,
    read_one,
    saved,
    tiff,
)

from colorization.core.pictures import profiles, sample_arrays
from colorization.core.pictures.profiles import srgb_profile, to_srgb

ICC_TAG = 34675


def srgb_encoded(linear):
    """IEC 61966-2-1."""
    return np.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * np.power(np.maximum(linear, 0), 1 / 2.4) - 0.055
    )


def with_profile(array, format, profile):
    if format == "TIFF":
        return tiff(array, iccprofile=profile)
    if array.dtype == np.uint8:
        return saved(array, format, icc_profile=profile, **({"quality": 100} if format == "JPEG" else {}))
    tagged = saved(array.astype(np.uint8), "PNG", icc_profile=profile)
    start = tagged.index(b"iCCP") - 4
    length = 12 + struct.unpack_from(">I", tagged, start)[0]
    plain = imagecodecs.png_encode(array)
    return plain[:33] + tagged[start : start + length] + plain[33:]


@pytest.mark.parametrize("format", ["PNG", "TIFF", "JPEG"])
@pytest.mark.parametrize("array", [GRAY, GRAY16], ids=["8", "16"])
def test_a_gray_ramp_of_gamma_18_gets_the_lightness_that_its_profile_says(array, format):
    """Oracle: the closed form; luminance is the value to the power 1.8. Without the profile L is off by 4.8."""
    if (array.dtype, format) == (np.uint16, "JPEG"):
        pytest.skip("JPEG has 8 bits")
    most = np.iinfo(array.dtype).max
    file, picture = read_one(with_profile(array, format, GRAY_GAMMA_18))
    exact = most * srgb_encoded((array / most) ** 1.8)
    assert picture.pixels.dtype == array.dtype
    assert picture.pixels.ndim == 2
    assert np.abs(picture.pixels - exact).max() <= (3 if format == "JPEG" else 1.2)
    assert np.abs(array - exact).max() > 0.04 * most
    assert file.warnings == []


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bits_of_adobe_rgb_keep_their_depth(format):
    """Oracle: Adobe RGB (1998), gamma 563/256 and its matrix, in double precision."""
    to_xyz = [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    from_xyz = [[3.24097, -1.53738, -0.49861], [-0.96924, 1.87597, 0.04156], [0.05563, -0.20398, 1.05697]]
    array = (20000 + RGB16.astype(np.uint32) // 4).astype(np.uint16)
    linear = (array / 65535) ** (563 / 256) @ np.transpose(to_xyz) @ np.transpose(from_xyz)
    _, picture = read_one(with_profile(array, format, ADOBE_RGB))
    error = np.abs(picture.pixels / 65535 - srgb_encoded(np.maximum(linear, 0)))
    assert error.max() < 3e-4
    assert error.mean() < 2e-5
    assert len(np.unique(picture.pixels)) > 1000


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_rgb_of_8_bits_is_converted_as_imagecms_does(format):
    """Oracle: ImageCms, on the samples as another read returns them."""
    options = (
        {"lossless": True} if format == "WEBP" else {"quality": 95} if format in ("AVIF", "HEIF") else {}
    )
    content = saved(RGB, format, icc_profile=ADOBE_RGB, **options)
    plain = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    expected = ImageCms.profileToProfile(
        Image.fromarray(plain),
        ImageCms.ImageCmsProfile(io.BytesIO(ADOBE_RGB)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    _, picture = read_one(content)
    assert np.abs(picture.pixels.astype(int) - np.asarray(expected)).max() <= 1
    assert np.abs(picture.pixels.astype(int) - plain).max() > 20


def cmyk_profile():
    """An ICC profile of CMYK whose table has two steps an ink: Lab is 100 (1 - K), and 40 a, b for M and Y."""
    corners = np.array(np.meshgrid(*4 * [[0, 1]], indexing="ij")).reshape(4, -1).T
    lightness = 255 * (1 - corners[:, 3]) * (1 - 0.1 * corners[:, 0])
    table = (
        np.stack([lightness, 128 + 40 * corners[:, 1], 128 + 40 * corners[:, 2]], 1).round().astype(np.uint8)
    )
    line = bytes(range(256))
    lut = (
        b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", *(np.eye(3, dtype=int) * 65536).ravel())
    )
    lut += 4 * line + table.tobytes() + 3 * line
    lut += bytes(-len(lut) % 4)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    text = b"text" + bytes(4) + b"CC0\0"
    description = b"desc" + bytes(4) + struct.pack(">I", 5) + b"CMYK\0" + bytes(78) + bytes(1)
    description += bytes(-len(description) % 4)
    tags = {b"desc": description, b"cprt": text, b"wtpt": white, b"A2B0": lut}
    place, directory, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        directory += name + struct.pack(">II", place + len(body), len(data))
        body += data
    header = (
        struct.pack(">I4sI", place + len(body), bytes(4), 0x02400000) + b"prtrCMYKLab " + bytes(12) + b"acsp"
    )
    header += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + directory + body


@pytest.mark.parametrize("kind", ["JPEG", "TIFF", "TIFF16"])
def test_cmyk_is_converted_by_its_profile(kind):
    """Oracle: ImageCms on the same inks, and the colors without the profile, which differ."""
    profile, inks = cmyk_profile(), np.dstack([RGB, GRAY])
    if kind == "JPEG":
        content = saved(Image.fromarray(inks, "CMYK"), "JPEG", quality=100, icc_profile=profile)
        inks = np.asarray(Image.open(io.BytesIO(content)))
    else:
        deep = inks.astype(np.uint16) * 257
        content = tiff(deep if kind == "TIFF16" else inks, photometric="separated", iccprofile=profile)
    expected = np.asarray(
        ImageCms.profileToProfile(
            Image.fromarray(inks, "CMYK"),
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    )
    file, picture = read_one(content)
    found = picture.pixels / (257 if kind == "TIFF16" else 1)
    assert np.abs(found - expected).mean() < 0.7
    assert np.abs(found - expected).max() <= 8  # both interpolate a table
    assert np.abs(profiles.cmyk_to_rgb(inks) - expected.astype(int)).mean() > 20
    assert file.warnings == []


@pytest.mark.parametrize("array", [RGB, RGB16, GRAY, GRAY16])
def test_srgb_itself_changes_nothing(array):
    """Oracle: the samples; Pillow's sRGB profile and our own."""
    for profile in (srgb_profile(), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        found = to_srgb(array, profile)
        most = 0 if array.ndim == 3 else 1
        assert np.abs(found.astype(int) - array).max() <= most


@pytest.mark.parametrize(
    ("array", "profile"),
    [(RGB, b"no profile at all" * 20), (RGB, GRAY_GAMMA_18), (RGB, ADOBE_RGB[:200]), (GRAY, cmyk_profile())],
    ids=["nonsense", "gray", "cut", "cmyk"],
)
def test_a_profile_that_cannot_be_used_is_told(array, profile, capfd):
    """Oracle: the samples as sRGB."""
    for content in (tiff(array, iccprofile=profile), saved(array, "PNG", icc_profile=profile)):
        file, picture = read_one(content)
        np.testing.assert_array_equal(picture.pixels, array)
        (told,) = file.warnings
        assert told == "Its color profile cannot be used; its colors are taken as sRGB."
    assert capfd.readouterr() == ("", "")


def with_orientation(format, orientation):
    """A file whose EXIF, or whose TIFF tag, says the orientation."""
    exif = picture_files.exif(orientation).tobytes()
    if format == "TIFF16":
        return tiff(RGB16, extratags=[(274, 3, 1, orientation, True)])
    if format == "TIFF":
        return tiff(RGB, extratags=[(274, 3, 1, orientation, True)])
    if format == "G4":
        return saved(GRAY > 99, "TIFF", compression="group4", tiffinfo={274: orientation})
    if format == "XMP":
        xmp = picture_files.XMP.replace(b'Orientation="6"', b'Orientation="%d"' % orientation)
        return saved(RGB, "JPEG", quality=95, xmp=xmp)
    return saved(RGB, format, exif=exif, **({"lossless": True} if format == "WEBP" else {"quality": 95}))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "TIFF16", "G4", "XMP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_come_upright_once(format, orientation):
    """Oracle: ImageOps.exif_transpose on the samples of the encoder."""
    source = {"TIFF16": RGB16, "G4": np.where(GRAY > 99, 255, 0).astype(np.uint8)}.get(format, RGB)
    axes = {1: source, 2: source[:, ::-1], 3: source[::-1, ::-1], 4: source[::-1], 5: source.swapaxes(0, 1)}
    turned = source.swapaxes(0, 1)
    axes |= {6: turned[:, ::-1], 7: turned[::-1, ::-1], 8: turned[::-1]}
    file, picture = read_one(with_orientation(format, orientation))
    assert picture.pixels.shape == axes[orientation].shape
    error = np.abs(picture.pixels.astype(int) - axes[orientation])
    assert error.mean() < 6
    assert picture.pixels.flags.c_contiguous
    if file.metadata.exif:
        image = Image.new("L", (1, 1))
        image.info["exif"] = file.metadata.exif
        assert image.getexif().get(0x0112, 1) == 1
    assert b'Orientation="%d"' % orientation not in (file.metadata.xmp or b"") or orientation == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 8), st.integers(1, 9), st.integers(1, 9), st.sampled_from([np.uint8, np.uint16]))
def test_upright_equals_pillow(orientation, height, width, dtype):
    """Oracle: ImageOps.exif_transpose."""
    array = np.arange(height * width, dtype=dtype).reshape(height, width)
    image = Image.fromarray(array.astype(np.uint8))
    exif = image.getexif()
    exif[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_array_equal(sample_arrays.upright(array, orientation), expected)


def test_alpha_turns_with_its_picture():
    content = tiff(np.dstack([RGB, ALPHA]), extrasamples=["unassalpha"], extratags=[(274, 3, 1, 6, True)])
    _, picture = read_one(content)
    np.testing.assert_array_equal(picture.alpha, np.rot90(ALPHA, -1))


def test_the_rotation_of_heic_is_not_applied_twice():
    """Oracle: libheif turns the picture; a camera's EXIF still says 6."""
    heif = pillow_heif.from_pillow(Image.fromarray(RGB))
    buffer = io.BytesIO()
    heif.save(buffer, quality=95, exif=picture_files.exif(6).tobytes())
    _, picture = read_one(buffer.getvalue())
    assert picture.pixels.shape == RGB.swapaxes(0, 1).shape


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 65535))
def test_depths_round_trip(value):
    """Oracle: 8 bits in 16 and back are the same; 16 to 8 is the nearest."""
    deep = np.full((1, 1), value, np.uint16)
    assert sample_arrays.reduced(deep)[0, 0] == int(value / 257 + 0.5)
    shallow = np.full((1, 1), value % 256, np.uint8)
    assert sample_arrays.reduced(shallow.astype(np.uint16) * 257)[0, 0] == value % 256


def png_of_gamma(array, *chunks):
    """A PNG file with other chunks before its pixels."""
    rows = array.astype(array.dtype.newbyteorder(">"))
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    color = 0 if array.ndim == 2 else 2
    return picture_files.png(array.shape[1], array.shape[0], 8 * array.dtype.itemsize, color, data, *chunks)


def gamma_chunk(gamma):
    return b"gAMA", struct.pack(">I", round(gamma * 100000))


def colors_chunk(*colors):
    return b"cHRM", struct.pack(f">{len(colors)}I", *(round(100000 * value) for value in colors))


ADOBE_COLORS = 0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06


@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 1 / 2.6])
@pytest.mark.parametrize("array", [GRAY, GRAY16, RGB, RGB16], ids=["gray", "gray16", "rgb", "rgb16"])
def test_the_gamma_of_a_png_is_applied(array, gamma):
    """Oracle: the closed form; the value is the power `gamma` of the light."""
    most = np.iinfo(array.dtype).max
    file, picture = read_one(png_of_gamma(array, gamma_chunk(gamma)))
    told = round(gamma * 100000) / 100000
    exact = most * srgb_encoded((array / most) ** (1 / told))
    assert picture.pixels.dtype == array.dtype
    assert picture.pixels.ndim == array.ndim
    assert np.abs(picture.pixels - exact).max() <= (1.2 if most == 255 or array.ndim == 2 else 20)
    assert np.abs(array - exact).max() > 0.04 * most
    assert file.warnings == []


def test_the_chromaticities_of_a_png_are_applied():
    """Oracle: ImageCms with the profile of the same colors."""
    _, picture = read_one(png_of_gamma(RGB, gamma_chunk(256 / 563), colors_chunk(*ADOBE_COLORS)))
    expected = ImageCms.profileToProfile(
        Image.fromarray(RGB),
        ImageCms.ImageCmsProfile(io.BytesIO(ADOBE_RGB)),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    assert np.abs(picture.pixels.astype(int) - np.asarray(expected)).max() <= 2
    assert np.abs(picture.pixels.astype(int) - RGB).max() > 20


@pytest.mark.parametrize(
    "chunks",
    [
        [gamma_chunk(1 / 2.2)],
        [gamma_chunk(1 / 2.2), colors_chunk(*profiles._SRGB_COLORS)],
        [gamma_chunk(0.45)],
        [gamma_chunk(1 / 1.8), (b"sRGB", b"\0")],
        [colors_chunk(*ADOBE_COLORS)],
        [gamma_chunk(0)],
        [(b"gAMA", b"\xff" * 4)],
    ],
    ids=["2.2", "2.2 and colors", "0.45", "sRGB", "colors alone", "0", "huge"],
)
def test_a_gamma_of_srgb_and_one_that_cannot_be_change_nothing(chunks):
    """Oracle: the samples."""
    file, picture = read_one(png_of_gamma(RGB, *chunks))
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert file.warnings == []


def test_a_profile_comes_before_gamma():
    """Oracle: the closed form of the profile, which says 1.8."""
    content = with_profile(GRAY, "PNG", GRAY_GAMMA_18)
    data = b"gAMA" + struct.pack(">I", 100000)
    chunk = struct.pack(">I", 4) + data + struct.pack(">I", zlib.crc32(data))
    _, picture = read_one(content[:33] + chunk + content[33:])
    assert np.abs(picture.pixels - 255 * srgb_encoded((GRAY / 255) ** 1.8)).max() <= 1.2


@pytest.mark.parametrize("colors", [[0] * 8, [0.3] * 8, [40000.0] * 8, [0.3, 0.3], ADOBE_COLORS[:6]])
def test_chromaticities_that_cannot_be_are_told(colors, capfd):
    """Oracle: the samples as sRGB."""
    file, picture = read_one(png_of_gamma(RGB, gamma_chunk(1), colors_chunk(*colors)))
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert file.warnings == ["Its color profile cannot be used; its colors are taken as sRGB."]
    assert capfd.readouterr() == ("", "")
