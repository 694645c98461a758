"""sRGB <-> CIE Lab of NumPy arrays, by OpenCV and NumPy.

Pictures, films and data sets use it, since they do not import Keras. `core.color` has the same
functions in keras.ops.
"""

import functools
from typing import Any

import cv2
import numpy as np

from colorization.core.color_constants import (
    F_FROM_LAB,
    F_KNEE,
    GAMUT_SLACK,
    LAB_OFFSET,
    RGB_FROM_WHITE,
    SRGB_GAMMA,
    SRGB_KNEE,
    SRGB_OFFSET,
    SRGB_SLOPE,
    WHITE_FROM_RGB,
    XYZ_KNEE,
    XYZ_OFFSET,
    XYZ_SLOPE,
    linear_levels,
)

_SLACK_16_BIT = 2e-7
_BISECTIONS = 8  # of the chroma, as in core.color.fit_gamut
_INSIDE = (
    float(np.nextafter(np.float32(0), np.float32(1))),
    float(np.nextafter(np.float32(1), np.float32(0))),
)


def rgb_to_lab(rgb: np.ndarray) -> np.ndarray:
    """sRGB to CIE Lab.

    Args:
        rgb: (..., H, W, 3) uint8.

    Returns:
        (..., H, W, 3) float32: L in 0..100, a and b in about -110..110.
    """
    return _convert(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """CIE Lab to sRGB. Colors outside the sRGB gamut are clipped.

    Args:
        lab: (..., H, W, 3) float32.

    Returns:
        (..., H, W, 3) uint8, rounded to the nearest integer.
    """
    return np.rint(255 * np.clip(_convert(lab, cv2.COLOR_LAB2RGB), 0, 1)).astype(np.uint8)


def lightness(pixels: np.ndarray) -> np.ndarray:
    """L of CIE Lab.

    Args:
        pixels: (H, W) gray or (H, W, 3) RGB, uint8 or uint16, sRGB.

    Returns:
        (H, W) float32, 0..100. Gray values have the same L in both shapes.
    """
    if pixels.ndim == 3:
        red, green, blue = (pixels[..., channel] for channel in range(3))
        if not (np.array_equal(red, green) and np.array_equal(green, blue)):
            return _lightness_of_luminance(_luminance(pixels))
        pixels = np.ascontiguousarray(red)
    return _look_up(pixels, _lightness_of_gray(pixels.dtype))


def compose(lightness: np.ndarray, a: np.ndarray, b: np.ndarray, dtype: Any = np.uint8) -> np.ndarray:
    """RGB with the given lightness. The chroma of colors outside the sRGB gamut is reduced.

    `inference.graph.rgb_of` is the same in keras.ops.

    Args:
        lightness: (H, W) float32, 0..100.
        a, b: (H, W) float32 each.
        dtype: uint8 or uint16. The lightness is exact to one level of it.

    Returns:
        (H, W, 3) sRGB of this dtype, rounded to the nearest level.
    """
    lab = cv2.merge([lightness, a, b])
    if np.dtype(dtype) == np.uint8:
        rgb = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)  # clipped to 0..1
        inside = cv2.inRange(rgb, (_INSIDE[0],) * 3, (_INSIDE[1],) * 3)
        unsure = np.flatnonzero(inside.reshape(-1) == 0)
        rgb.reshape(-1, 3)[unsure] = _exact_rgb(lab.reshape(-1, 3)[unsure])
    else:  # OpenCV is wrong by up to 6 of 65535 levels, float32 by 2
        rgb = _exact_rgb(lab.reshape(-1, 3).astype(np.float64), _SLACK_16_BIT).reshape(lab.shape)
    levels = np.iinfo(dtype).max
    return cv2.convertScaleAbs(rgb, alpha=levels) if levels == 255 else np.rint(rgb * levels).astype(dtype)


def fit_gamut(lab: np.ndarray, slack: float = GAMUT_SLACK) -> np.ndarray:
    """Reduce the chroma of colors outside the sRGB gamut; lightness and hue stay.

    Args:
        lab: (N, 3) float.
        slack: of linear light outside 0..1, which still counts as inside.

    Returns:
        (N, 3) of the same dtype, within 2**-8 of the largest possible chroma. Colors inside are unchanged.
    """
    f = np.stack(_f_from_lab(lab))
    outside = np.flatnonzero(~_shown(f, slack))
    neutral = f[1, outside]
    toward = f[:, outside] - neutral  # by the whole chroma
    scale = np.zeros(len(outside), lab.dtype)
    for step in 0.5 ** np.arange(1, _BISECTIONS + 1):
        scale += np.where(_shown(neutral + toward * (scale + float(step)), slack), scale.dtype.type(step), 0)
    lab = lab.copy()
    lab[outside, 1:] *= scale[:, None]
    return lab


def _luminance(pixels):
    """(H, W) float32 in 0..1 of (H, W, 3) uint8 or uint16 RGB."""
    linear = _look_up(pixels, _linear_levels(pixels.dtype))
    return cv2.transform(linear, WHITE_FROM_RGB[1:2].astype(np.float32))


def _lightness_of_luminance(luminance):
    """L, float32, of luminance in 0..1."""
    curve = 116 * np.cbrt(luminance) - 16
    return np.where(luminance > XYZ_KNEE, curve, 116 * (XYZ_SLOPE * luminance + XYZ_OFFSET) - 16).astype(
        np.float32
    )


@functools.cache
def _linear_levels(dtype):
    """Linear light, float32 in 0..1, of all levels of uint8 or uint16."""
    return linear_levels(np.iinfo(dtype).max + 1)


@functools.cache
def _lightness_of_gray(dtype):
    """L, float32, of all gray levels of uint8 or uint16."""
    return _lightness_of_luminance(_linear_levels(dtype))


def _look_up(levels, table):
    """table[levels]; OpenCV is faster, for uint8 only."""
    return cv2.LUT(levels, table) if levels.dtype == np.uint8 else table[levels]


def _exact_rgb(lab, slack=GAMUT_SLACK):
    """(N, 3) sRGB in 0..1 of (N, 3) Lab of the same dtype, whose chroma is reduced where necessary."""
    linear = np.clip(np.stack(_linear_from_f(_f_from_lab(fit_gamut(lab, slack))), axis=-1), 0, 1)
    curve = (1 + SRGB_OFFSET) * np.power(linear, 1 / SRGB_GAMMA) - SRGB_OFFSET
    return np.where(linear > SRGB_KNEE, curve, SRGB_SLOPE * linear)


def _f_from_lab(lab):
    """f(X), f(Y) and f(Z) of CIE Lab, each (N,), of (N, 3) Lab."""
    lightness, a, b = lab.T
    return _mix(F_FROM_LAB, (lightness - float(LAB_OFFSET[0]), a, b))


def _shown(f, slack):
    """(N,) bool: whether sRGB has the color with these f(X), f(Y), f(Z) of CIE Lab, (3, N)."""
    red, green, blue = _linear_from_f(f)
    least, greatest = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    return (least >= -slack) & (greatest <= 1 + slack)


def _linear_from_f(f):
    """Linear red, green and blue, each (N,); outside 0..1 where sRGB lacks the color."""
    xyz = [
        np.maximum(np.where(part > F_KNEE, part * part * part, (part - XYZ_OFFSET) / XYZ_SLOPE), 0)
        for part in f
    ]
    return _mix(RGB_FROM_WHITE, xyz)


def _mix(matrix, channels):
    """matrix @ channels, for a tuple of arrays."""
    return [
        sum(float(weight) * channel for weight, channel in zip(row, channels, strict=True) if weight)
        for row in matrix
    ]


def _convert(image, conversion):
    """cv2.cvtColor of a picture, or of a batch as one tall picture."""
    tall = image.reshape(-1, *image.shape[-2:])
    return cv2.cvtColor(tall, conversion).reshape(image.shape)
