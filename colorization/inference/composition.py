"""From a picture to lightness at the working size, and from ab at the working size to the colored picture.

NumPy and OpenCV, without Keras. Large pictures are worked on in strips, by all cores. Memory beyond the
picture and its result is that of a few strips.
"""

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

from colorization.core import color_numpy

STRIDE = 8
"""The networks' sides are multiples of this."""

_LONGEST = 16  # times the working size: limit of the longer side of a network's input
_CHANNELS = 4  # number of channels that OpenCV resizes at once
_VISIBLE = 1e-3  # least opacity of a visible pixel at the working size
_STRIP = 2**18  # pixels in a strip: their float32 planes fit into the processor's cache


def working_shape(height: int, width: int, working_size: int) -> tuple[int, int]:
    """The size at which a network sees a picture.

    Args:
        height, width: of the picture.
        working_size: shorter side in pixels, before rounding; a smaller picture is not enlarged.

    Returns:
        (height, width), multiples of STRIDE. `graph.working_shape` is the same for tensors.
    """
    sides = np.array([height, width], np.float32)
    scale = min(np.float32(1), np.float32(working_size) / sides.min(), _LONGEST * working_size / sides.max())
    rows, columns = np.maximum(1, np.round(sides * np.float32(scale) / np.float32(STRIDE)))
    return STRIDE * int(rows), STRIDE * int(columns)


def shrink(pixels: np.ndarray, shape: tuple[int, int], alpha: np.ndarray | None = None) -> np.ndarray:
    """The lightness of a picture at another size.

    Args:
        pixels: (H, W) gray or (H, W, 3) RGB, uint8 or uint16; or (H, W) float32 lightness, 0..100.
        shape: (height, width).
        alpha: (H, W) opacity. It is the weight of each pixel. Where nothing is visible, the result is the
            mean of the visible lightness.

    Returns:
        (height, width) float32, 0..100.
    """
    if alpha is None or not alpha.any():
        return _shrink(lambda rows: _lightness(pixels[rows]), pixels.shape[:2], shape)
    opacity = _shrink(lambda rows: _opacity(alpha[rows]), alpha.shape, shape)
    weighted = _shrink(lambda rows: _lightness(pixels[rows]) * _opacity(alpha[rows]), alpha.shape, shape)
    visible = weighted.sum() / opacity.sum()
    return np.where(opacity > _VISIBLE, weighted / np.maximum(opacity, _VISIBLE), visible)


def resize(planes: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resize planes. A side that shrinks is averaged by area; a side that grows is interpolated linearly.

    Args:
        planes: (H, W) or (H, W, C) float32.
        shape: (height, width).

    Returns:
        (height, width) or (height, width, C) float32. `graph.resize` is the same for tensors.
    """
    if planes.ndim == 3 and planes.shape[2] > _CHANNELS:
        return _turned(_one_plane(_turned(_one_plane(planes, shape[0])), shape[1]))
    return _resize_rows(_resize_columns(planes, shape[1]), shape[0])


def compose(pixels: np.ndarray, ab: np.ndarray, slope: np.ndarray | None = None) -> np.ndarray:
    """A picture in color, with its own lightness.

    Args:
        pixels: (H, W) gray or (H, W, 3) RGB, uint8 or uint16; or (H, W) float32 lightness, 0..100.
        ab: (h, w, 2) float32, of any size; it is enlarged linearly.
        slope: (h, w, 2) float32, enlarged too: slope * lightness is added to ab.

    Returns:
        (H, W, 3) RGB of the picture's dtype; uint8 for lightness. Colors outside sRGB lose chroma.
    """
    height, width = pixels.shape[:2]
    dtype = np.uint8 if pixels.dtype == np.float32 else pixels.dtype
    rgb = np.empty((height, width, 3), dtype)
    offsets, slopes = _enlarged(ab, height, width), _enlarged(slope, height, width)

    def fill(rows):
        lightness = _lightness(pixels[rows])
        planes = [plane(rows) for plane in offsets]
        if slopes:
            planes = [plane + factor(rows) * lightness for plane, factor in zip(planes, slopes, strict=True)]
        rgb[rows] = color_numpy.compose(lightness, *planes, dtype)

    _in_strips(fill, height, width)
    return rgb


def _lightness(pixels):
    return pixels if pixels.dtype == np.float32 else color_numpy.lightness(pixels)


def _opacity(alpha):
    return alpha.astype(np.float32) / np.iinfo(alpha.dtype).max


def _shrink(plane_of, old, new):
    """Resize a plane from the size `old` to `new`. plane_of returns a slice of its rows."""
    narrow = np.empty((old[0], new[1]), np.float32)

    def fill(rows):
        narrow[rows] = _resize_columns(plane_of(rows), new[1])

    _in_strips(fill, *old)
    return _resize_rows(narrow, new[0])


def _resize_columns(planes, width):
    how = cv2.INTER_AREA if width < planes.shape[1] else cv2.INTER_LINEAR
    resized = cv2.resize(planes, (width, len(planes)), interpolation=how)
    return resized.reshape(len(planes), width, *planes.shape[2:])


def _one_plane(planes, height):
    """Planes of another height: side by side they are one plane, for any number of them."""
    flat = _resize_rows(np.ascontiguousarray(planes).reshape(len(planes), -1), height)
    return flat.reshape(height, *planes.shape[1:])


def _turned(planes):
    return planes.transpose(1, 0, 2)


def _resize_rows(planes, height):
    how = cv2.INTER_AREA if height < len(planes) else cv2.INTER_LINEAR
    resized = cv2.resize(planes, (planes.shape[1], height), interpolation=how)
    return resized.reshape(height, *planes.shape[1:])


def _enlarged(planes, height, width):
    """For each of (h, w, C) planes: a function of a slice of the enlarged rows. [] for None."""
    split = () if planes is None else cv2.split(planes)
    return [_enlarged_rows(_resize_columns(plane, width), height) for plane in split]


def _enlarged_rows(plane, height):
    """A function that returns a slice of the rows of a plane, (h, W), at another height."""
    if height <= len(plane):
        whole = _resize_rows(plane, height)
        return lambda rows: whole[rows]
    center = np.clip((np.arange(height) + 0.5) * (len(plane) / height) - 0.5, 0, len(plane) - 1)

    def rows_of(rows):
        first, last = int(center[rows][0]), int(np.ceil(center[rows][-1]))
        weights = 1 - np.abs(center[rows, None] - np.arange(first, last + 1))
        weights = np.maximum(weights, 0).astype(np.float32)
        return cv2.gemm(
            weights, plane[first : last + 1], 1, None, 0
        )  # NumPy's would start threads in threads

    return rows_of


def _in_strips(function: Callable[[slice], None], height: int, width: int) -> None:
    """Call a function for slices that cover all rows; several slices run at once."""
    count = max(1, _STRIP // width)
    strips = [slice(start, min(start + count, height)) for start in range(0, height, count)]
    if len(strips) == 1:
        function(strips[0])
    else:
        list(_threads().map(function, strips))


@functools.cache
def _threads():
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="strips")
