"""CIEDE2000, the color difference of the CIE, of NumPy arrays.

Symbols and equation numbers are those of Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula"
(2005). The parametric factors are 1.
"""

import numpy as np

_25_7 = 25.0**7


def ciede2000(lab: np.ndarray, other: np.ndarray) -> np.ndarray:
    """CIEDE2000 of each pair of colors. The formula jumps where two hues are exactly opposite.

    Args:
        lab, other: (..., 3) float CIE Lab.

    Returns:
        (...) of their dtype, 0 or more; a difference of 1 is barely visible.

    Example:
        >>> import numpy as np
        >>> float(ciede2000(np.array([50.0, 2.5, 0.0]), np.array([73.0, 25.0, -18.0])).round(4))
        27.1492
    """
    lightness, other_lightness = lab[..., 0], other[..., 0]
    chroma, hue, other_chroma, other_hue = _chroma_and_hue(lab, other)

    gray = chroma * other_chroma == 0
    turn = np.where(gray, 0, other_hue - hue)
    turn = np.where(np.abs(turn) > 180, turn - 360 * np.sign(turn), turn)  # Equation 10
    d_lightness = other_lightness - lightness
    d_chroma = other_chroma - chroma
    d_hue = 2 * np.sqrt(chroma * other_chroma) * np.sin(np.radians(turn / 2))  # Equation 11

    mean_lightness = (lightness + other_lightness) / 2
    mean_chroma = (chroma + other_chroma) / 2
    mean_hue = np.where(gray, hue + other_hue, hue + turn / 2)  # Equation 14
    from_50 = np.square(mean_lightness - 50)
    s_lightness = 1 + 0.015 * from_50 / np.sqrt(20 + from_50)  # Equation 17
    s_chroma = 1 + 0.045 * mean_chroma
    s_hue = 1 + 0.015 * mean_chroma * _hue_weight(mean_hue)
    by_lightness, by_chroma, by_hue = d_lightness / s_lightness, d_chroma / s_chroma, d_hue / s_hue
    rotation = _rotation(mean_chroma, mean_hue)
    squared = by_lightness**2 + by_chroma**2 + by_hue**2 + rotation * by_chroma * by_hue  # Equation 22
    return np.sqrt(np.maximum(squared, 0))


def _chroma_and_hue(lab, other):
    """C', h' in degrees, of both colors: a is stretched where the mean chroma is small (Equations 2 to 7)."""
    mean_chroma = (np.hypot(lab[..., 1], lab[..., 2]) + np.hypot(other[..., 1], other[..., 2])) / 2
    stretch = 1 + 0.5 * (1 - _saturation(mean_chroma))
    found = []
    for color in (lab, other):
        a, b = stretch * color[..., 1], color[..., 2]
        found += [np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360]
    return found


def _saturation(chroma):
    """sqrt(C^7 / (C^7 + 25^7)), of Equations 4 and 20."""
    power = chroma**7
    return np.sqrt(power / (power + _25_7))


def _hue_weight(hue):
    """T, Equation 15."""
    return (
        1
        - 0.17 * np.cos(np.radians(hue - 30))
        + 0.24 * np.cos(np.radians(2 * hue))
        + 0.32 * np.cos(np.radians(3 * hue + 6))
        - 0.20 * np.cos(np.radians(4 * hue - 63))
    )


def _rotation(chroma, hue):
    """R_T, Equations 16, 19 to 21: blue is turned."""
    angle = 30 * np.exp(-np.square(((hue % 360) - 275) / 25))
    return -2 * _saturation(chroma) * np.sin(np.radians(2 * angle))
