"""Photographs that no preset has seen."""

import numpy as np
from skimage import data

PHOTOGRAPHS = (data.astronaut(), data.chelsea(), data.coffee(), data.rocket())


def crops(side=32, step=4):
    """(24, side, side, 3) uint8: squares of photographs, of which every step-th pixel is taken."""
    places = [(row, column) for row in (0, 64, 128) for column in (0, 128)]
    return np.stack(
        [
            rgb[row : row + side * step : step, column : column + side * step : step]
            for rgb in PHOTOGRAPHS
            for row, column in places
        ]
    )
