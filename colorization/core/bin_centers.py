"""The lattice of the 313 ab bins, in NumPy alone.

Source: Zhang, Isola, Efros, "Colorful Image Colorization" (ECCV 2016), section 2.
"""

import numpy as np

STEP = 10  # ab units between two centers

# For each a, the first and the last b: the quantized ab plane without holes.
_RUNS = {
    -90: (50, 90), -80: (20, 90), -70: (0, 90), -60: (-20, 90), -50: (-30, 100), -40: (-40, 100),
    -30: (-50, 100), -20: (-50, 100), -10: (-60, 100), 0: (-70, 100), 10: (-80, 90), 20: (-80, 90),
    30: (-90, 90), 40: (-100, 90), 50: (-100, 80), 60: (-110, 80), 70: (-110, 80), 80: (-110, 70),
    90: (-110, 70), 100: (-90, 0),
}  # fmt: skip

CENTERS = np.array(
    [(a, b) for a, (low, high) in _RUNS.items() for b in range(low, high + STEP, STEP)], "float32"
)
"""The bins' centers in ab, (313, 2) float32, ordered by a, then b."""

COUNT = len(CENTERS)
