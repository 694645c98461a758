"""Small picture files of every kind, made from code."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pillow_heif
import tifffile
from PIL import Image, PngImagePlugin

from colorization.core.pictures import open_picture

pillow_heif.register_heif_opener()

HEIGHT, WIDTH = 37, 53  # odd, and no multiple of a block
_ROWS, _COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
GRAY16 = np.rint(np.linspace(0, 65535, HEIGHT * WIDTH)).astype(np.uint16).reshape(HEIGHT, WIDTH)
GRAY = (GRAY16 // 257).astype(np.uint8)
RGB = np.dstack([GRAY, 255 - GRAY, (4 * _COLUMNS + _ROWS).astype(np.uint8)])
RGB16 = np.dstack([GRAY16, 65535 - GRAY16, (1200 * _COLUMNS + 7 * _ROWS).astype(np.uint16)])
ALPHA = (_COLUMNS * 255 // (WIDTH - 1)).astype(np.uint8)
ALPHA16 = ALPHA.astype(np.uint16) * 257
BILEVEL = np.random.default_rng(0).random((HEIGHT, WIDTH)) < 0.3

GRAY_GAMMA_18 = imagecodecs.cms_profile("gray", gamma=1.8)
ADOBE_RGB = imagecodecs.cms_profile("adobergb")


def saved(picture, format, **options):
    """The bytes of a picture, an array or a Pillow image, that Pillow saves."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def tiff(*arrays, **options):
    """The bytes of a TIFF file with one page for each array, by tifffile."""
    buffer = io.BytesIO()
    big, order = options.pop("bigtiff", False), options.pop("byteorder", "<")
    with tifffile.TiffWriter(buffer, bigtiff=big, byteorder=order) as writer:
        for array in arrays:
            color = "rgb" if array.ndim == 3 and "planarconfig" not in options else "minisblack"
            writer.write(array, metadata=None, **{"photometric": color, **options})
    return buffer.getvalue()


def png(width, height, depth, color, rows, *others):
    """The bytes of a PNG file of raw rows, with other chunks (kind, data) before its pixels."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    parts = [(b"IHDR", header), *others, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def heic10(rgb16):
    """The bytes of a lossless 10-bit HEIC file."""
    image = pillow_heif.from_bytes(
        "RGB;16", (rgb16.shape[1], rgb16.shape[0]), np.ascontiguousarray(rgb16).tobytes()
    )
    buffer = io.BytesIO()
    image.save(buffer, quality=-1, chroma=444, matrix_coefficients=0)
    return buffer.getvalue()


def exif(orientation=1, **texts):
    """EXIF with an orientation, a caption, a camera's private note, a place and a thumbnail."""
    data = Image.Exif()
    data[0x010E], data[0x0132], data[0x013B] = "The caption", "1931:05:17 12:00:00", "The author"
    data[0x0112] = orientation
    data.get_ifd(0x8769).update({0x9003: "1931:05:17 12:00:00", 0x829A: 0.01, 0x927C: b"private note"})
    data.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 0.0)})
    return data


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6" tiff:Make="M\xc3\xbcller"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
IPTC = b"\x1c\x02\x00\x00\x02\x00\x04\x1c\x02\x78\x00\x0bThe caption"


def read(content):
    """(PictureFile, its pages)."""
    file = open_picture(content)
    return file, list(file.pages())


def read_one(content):
    """(PictureFile, its only page)."""
    file, pages = read(content)
    (page,) = pages
    return file, page


def png_texts(**texts):
    """Text fields as Pillow's PNG writer takes them."""
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    return info
