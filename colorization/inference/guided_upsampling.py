"""Colors that follow the edges of lightness: the guided filter, with its coefficients enlarged."""

import cv2
import numpy as np

_RADIUS = 4  # pixels of the working size
_NOISE = 3.0  # in units of L: weaker edges do not separate colors


def coefficients(lightness: np.ndarray, ab: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slope and offset of ab as a local linear function of lightness (He, Sun: Fast Guided Filter, 2015).

    With enlarged coefficients, ab follows the edges of the lightness at full size.

    Args:
        lightness: (h, w) float32, 0..100.
        ab: (h, w, 2) float32.

    Returns:
        Slope and offset, each (h, w, 2) float32.
    """
    mean = _box(lightness)
    variance = np.maximum(_box(lightness * lightness) - mean * mean, 0)
    ab_mean = _box(ab)
    covariance = _box(lightness[..., None] * ab) - mean[..., None] * ab_mean
    slope = covariance / (variance + _NOISE**2)[..., None]
    return _box(slope), _box(ab_mean - slope * mean[..., None])


def _box(planes):
    side = 2 * _RADIUS + 1
    return cv2.boxFilter(planes, -1, (side, side), borderType=cv2.BORDER_REFLECT)
