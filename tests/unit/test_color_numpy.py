"""The NumPy form of Lab against the keras.ops form and scikit-image."""

import numpy as np
from skimage.color import rgb2lab

from colorization.core import color, color_numpy

RGB = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 3)).astype("uint8")


def test_lab_is_that_of_keras_ops():
    """Oracle: core.color; OpenCV's tables are coarse: off by up to 0.5, by 0.1 in the mean."""
    found = color_numpy.rgb_to_lab(RGB)
    assert (found.dtype, found.shape) == ("float32", RGB.shape)
    difference = np.abs(found - np.asarray(color.rgb_to_lab(RGB)))
    assert difference.mean() < 0.1
    assert difference.max() < 0.5
    assert np.abs(found - rgb2lab(RGB)).max() < 0.5
    np.testing.assert_array_equal(color_numpy.rgb_to_lab(RGB[0]), found[0])


def test_rgb_is_that_of_keras_ops():
    """Oracle: core.color, where no XYZ is negative (OpenCV treats those differently): nearly everywhere to one
    8-bit level, clipped as there beyond sRGB; and the round trip."""
    lab = np.random.default_rng(1).uniform((0, -90, -90), (100, 90, 90), (60, 80, 3))
    f = (lab[..., :1] + 16) / 116 + lab[..., 1:] * (1 / 500, -1 / 200)
    lab[(f < 16 / 116).any(-1)] = (50, 0, 0)
    lab = lab.astype("float32")
    found = color_numpy.lab_to_rgb(lab)
    assert (found.dtype, found.shape) == ("uint8", lab.shape)
    expected = np.asarray(color.to_uint8(color.lab_to_rgb(lab))).astype(int)
    assert ((expected == 0) | (expected == 255)).any(-1).mean() > 0.2
    assert (np.abs(found - expected) > 1).mean() < 0.01
    assert np.abs(found - expected).mean() < 0.1
    assert np.abs(color_numpy.lab_to_rgb(color_numpy.rgb_to_lab(RGB)).astype(int) - RGB).max() <= 1
