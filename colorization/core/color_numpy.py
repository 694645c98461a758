"""sRGB <-> CIE Lab of NumPy arrays, by OpenCV: for films and data sets, which do not import Keras.

core.color has the same functions in keras.ops.
"""

import cv2
import numpy as np


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


def _convert(image, conversion):
    """cv2.cvtColor of a picture, or of a batch as one tall picture."""
    tall = image.reshape(-1, *image.shape[-2:])
    return cv2.cvtColor(tall, conversion).reshape(image.shape)
