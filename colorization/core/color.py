"""sRGB <-> CIE Lab (D65, 2 degrees), and every scaling of colors.

The functions use keras.ops. They serve eager calls, tf.data, SavedModels and every Keras backend.
`core.color_numpy` has the same functions for NumPy arrays.
"""

import keras
import numpy as np
from keras import ops

from colorization.core.color_constants import (
    F_FROM_LAB,
    F_KNEE,
    GAMUT_SLACK,
    LAB_FROM_F,
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
from colorization.core.typing import Tensor


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """sRGB to CIE Lab (IEC 61966-2-1, CIE 15).

    Args:
        rgb: (..., 3), uint8 in 0..255 or float in 0..1.

    Returns:
        (..., 3) float32: L in 0..100, a and b in about -110..110.

    Raises:
        ValueError: the last axis is not 3, or the dtype is an integer other than uint8.

    Example:
        >>> import numpy as np
        >>> lab = rgb_to_lab(np.array([[255, 0, 0]], "uint8"))
        >>> print(np.asarray(lab).round(1))
        [[53.2 80.1 67.2]]
    """
    rgb = _with_three_channels(rgb)
    dtype = keras.backend.standardize_dtype(rgb.dtype)
    if "int" in dtype and dtype != "uint8":
        raise ValueError(f"expected RGB as uint8 in 0..255 or float in 0..1, received {dtype}")
    if dtype == "uint8":
        linear = ops.take(ops.convert_to_tensor(_LINEAR_FROM_UINT8), ops.cast(rgb, "int32"), axis=0)
    else:
        linear = _linear_from_srgb(ops.cast(rgb, "float32"))
    xyz = _mix(WHITE_FROM_RGB, linear)
    f = ops.where(xyz > XYZ_KNEE, _power(xyz, 1 / 3, XYZ_KNEE), XYZ_SLOPE * xyz + XYZ_OFFSET)
    return _mix(LAB_FROM_F, f, LAB_OFFSET)


def lab_to_rgb(lab: Tensor) -> Tensor:
    """CIE Lab to sRGB. Colors outside the sRGB gamut are clipped.

    Args:
        lab: (..., 3) float: L in 0..100, a and b.

    Returns:
        (..., 3) float32 in 0..1; to_uint8 converts it to 8 bits.

    Raises:
        ValueError: the last axis is not 3.

    Example:
        >>> import numpy as np
        >>> np.asarray(lab_to_rgb(np.array([[100.0, 0.0, 0.0]]))).round(3).tolist()
        [[1.0, 1.0, 1.0]]
    """
    linear = ops.clip(_linear_from_lab(_with_three_channels(lab)), 0, 1)
    curve = (1 + SRGB_OFFSET) * _power(linear, 1 / SRGB_GAMMA, SRGB_KNEE) - SRGB_OFFSET
    return ops.clip(ops.where(linear > SRGB_KNEE, curve, SRGB_SLOPE * linear), 0, 1)


def fit_gamut(lab: Tensor, steps: int = 8) -> Tensor:
    """Reduce the chroma of colors outside the sRGB gamut; lightness and hue stay.

    Clipping in RGB would change the lightness of the photograph.

    Args:
        lab: (..., 3) float.
        steps: bisections of the chroma; the result is within 2**-steps of the largest possible chroma.

    Returns:
        (..., 3) float32 Lab.

    Example:
        >>> import numpy as np
        >>> lightness, a, b = np.asarray(fit_gamut(np.array([50.0, 200.0, 0.0])))
        >>> bool(lightness == 50), bool(0 < a < 200), bool(b == 0)
        (True, True, True)
    """
    lab = ops.cast(lab, "float32")
    lightness, ab = lab[..., :1], lab[..., 1:]

    def shown(scale):
        linear = _linear_from_lab(ops.concatenate([lightness, ab * scale], axis=-1))
        inside = ops.logical_and(linear >= -GAMUT_SLACK, linear <= 1 + GAMUT_SLACK)
        return ops.all(inside, axis=-1, keepdims=True)

    everywhere = ops.ones_like(lightness)
    low, high = ops.zeros_like(lightness), everywhere
    for _ in range(steps):
        middle = (low + high) / 2
        fits = shown(middle)
        low, high = ops.where(fits, middle, low), ops.where(fits, high, middle)
    return ops.concatenate([lightness, ab * ops.where(shown(everywhere), everywhere, low)], axis=-1)


def to_uint8(rgb: Tensor) -> Tensor:
    """Round float RGB to 8 bits.

    Args:
        rgb: (...) float in 0..1; other values are clipped.

    Returns:
        (...) uint8 in 0..255, rounded to the nearest integer.
    """
    return ops.cast(ops.round(ops.clip(rgb, 0, 1) * 255), "uint8")


def scale_ab(ab: Tensor) -> Tensor:
    """Scale ab to the target of the regression: (ab + 128) / 255 (paper, section 3.1).

    Args:
        ab: (...) float, in ab units.

    Returns:
        (...) float in 0..1.
    """
    return (ab + 128.0) / 255.0


def unscale_ab(scaled: Tensor) -> Tensor:
    """Scale the output of the regression to ab units; the inverse of scale_ab.

    Args:
        scaled: (...) float in 0..1.

    Returns:
        (...) float, in ab units.
    """
    return scaled * 255.0 - 128.0


def _with_three_channels(image):
    image = image if hasattr(image, "dtype") else np.asarray(image)
    if not image.shape or image.shape[-1] != 3:
        raise ValueError(f"expected 3 channels in the last axis, received shape {tuple(image.shape)}")
    return image


def _linear_from_lab(lab):
    f = _mix(F_FROM_LAB, ops.cast(lab, "float32"), F_FROM_LAB @ -LAB_OFFSET)
    xyz = ops.where(f > F_KNEE, f * f * f, (f - XYZ_OFFSET) / XYZ_SLOPE)
    return _mix(RGB_FROM_WHITE, ops.maximum(xyz, 0.0))


def _linear_from_srgb(rgb):
    curve = _power((rgb + SRGB_OFFSET) / (1 + SRGB_OFFSET), SRGB_GAMMA, SRGB_OFFSET)
    return ops.where(rgb > SRGB_SLOPE * SRGB_KNEE, curve, rgb / SRGB_SLOPE)


def _power(base, exponent, least):
    """max(base, least) ** exponent by logarithm, four times as fast as TensorFlow's power on a CPU."""
    return ops.exp(ops.log(ops.maximum(base, least)) * exponent)


def _mix(matrix, image, offset=(0.0, 0.0, 0.0)):
    """matrix @ channel vector + offset, written as sums: GPUs would round a matrix product to TF32."""
    channels = [image[..., i] for i in range(3)]
    rows = [
        sum(float(m) * channel for m, channel in zip(row, channels, strict=True) if m) + float(shift)
        for row, shift in zip(matrix, offset, strict=True)
    ]
    return ops.stack(rows, axis=-1)


_LINEAR_FROM_UINT8 = linear_levels(256)
