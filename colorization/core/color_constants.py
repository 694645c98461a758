"""The constants of sRGB (IEC 61966-2-1) and CIE Lab (CIE 15; D65, 2 degrees).

They have the values of scikit-image's colorconv. Inverses are derived. `core.color` and
`core.color_numpy` use them.
"""

import numpy as np

XYZ_FROM_RGB = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
WHITE_FROM_RGB = XYZ_FROM_RGB / WHITE[:, None]
"""XYZ relative to the white point, as Lab needs it."""
RGB_FROM_WHITE = np.linalg.inv(WHITE_FROM_RGB)
LAB_FROM_F = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]])
LAB_OFFSET = np.array([-16.0, 0, 0])
F_FROM_LAB = np.linalg.inv(LAB_FROM_F)

XYZ_KNEE, XYZ_SLOPE, XYZ_OFFSET = 0.008856, 7.787, 16 / 116  # CIE 15
F_KNEE = XYZ_SLOPE * XYZ_KNEE + XYZ_OFFSET
SRGB_KNEE, SRGB_SLOPE, SRGB_OFFSET, SRGB_GAMMA = 0.0031308, 12.92, 0.055, 2.4  # IEC 61966-2-1

GAMUT_SLACK = 1e-4
"""Linear light outside 0..1 that still counts as inside: half an 8-bit level of the darkest colors."""


def linear_levels(count: int) -> np.ndarray:
    """Linear light of all levels of an sRGB channel.

    Args:
        count: number of levels: 256 for uint8, 65536 for uint16.

    Returns:
        (count,) float32 in 0..1.
    """
    srgb = np.arange(count) / (count - 1)
    curve = ((srgb + SRGB_OFFSET) / (1 + SRGB_OFFSET)) ** SRGB_GAMMA
    return np.where(srgb > SRGB_SLOPE * SRGB_KNEE, curve, srgb / SRGB_SLOPE).astype("float32")
