"""Composition: lightness kept to one level by scikit-image, strips, depths, opacity, and equality with keras.ops."""

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2lab

from colorization.core import color, color_numpy
from colorization.inference import composition, graph

GRAY = data.camera()[::3, ::3][:101, :67]
RGB = data.astronaut()[:101, :67]
DEEP = (GRAY.astype(np.uint16) << 8) | GRAY[::-1]


@pytest.fixture(scope="module")
def ab():
    """(13, 9, 2) of colors, some of them outside sRGB."""
    return np.random.default_rng(0).uniform(-70, 70, (13, 9, 2)).astype("float32")


def lab(pixels):
    """scikit-image's Lab of gray or RGB pixels of any depth."""
    rgb = pixels if pixels.ndim == 3 else np.stack([pixels] * 3, -1)
    return rgb2lab(rgb / np.iinfo(pixels.dtype).max)


@pytest.mark.parametrize("pixels", [GRAY, RGB, DEEP, np.stack([DEEP, DEEP[::-1], DEEP], -1)])
def test_lightness(pixels):
    np.testing.assert_allclose(color_numpy.lightness(pixels), lab(pixels)[..., 0], atol=1e-4)


@pytest.mark.parametrize(("pixels", "level"), [(GRAY, 0.4), (RGB, 0.4), (DEEP, 100 / 65535)])
def test_the_lightness_is_kept_to_one_level_and_the_depth_too(pixels, level, ab):
    colored = composition.compose(pixels, ab)
    assert (colored.shape, colored.dtype) == ((*pixels.shape[:2], 3), pixels.dtype)
    assert np.abs(lab(colored)[..., 0] - lab(pixels)[..., 0]).max() < level
    assert lab(colored)[..., 1:].std() > 10


def test_pictures_are_those_of_keras_ops(ab):
    """Oracle: graph.compose and graph.resize, which the exported graphs consist of."""
    enlarged = np.asarray(graph.resize(ab[None], RGB.shape[:2]))[0]
    expected = graph.compose(color_numpy.lightness(RGB)[..., None], enlarged)
    found = composition.compose(RGB, ab)
    assert np.abs(found.astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(composition.compose(color_numpy.lightness(RGB), ab), found)
    colors = np.random.default_rng(1).uniform((0, -120, -120), (100, 120, 120), (2000, 3)).astype("float32")
    np.testing.assert_allclose(color_numpy.fit_gamut(colors), color.fit_gamut(colors), atol=1e-3)


@pytest.mark.parametrize("shape", [(16, 8), (104, 72), (3, 80)])
def test_strips_make_no_difference(monkeypatch, ab, shape):
    whole = composition.compose(RGB, ab), composition.shrink(RGB, shape), composition.shrink(RGB, shape, GRAY)
    monkeypatch.setattr(composition, "_STRIP", 7 * 67)
    parts = composition.compose(RGB, ab), composition.shrink(RGB, shape), composition.shrink(RGB, shape, GRAY)
    for found, expected in zip(parts, whole, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(9, 30), (40, 7), (13, 17)])
def test_many_planes_are_resized_like_single_ones(shape):
    planes = np.random.default_rng(0).normal(size=(20, 17, 313)).astype("float32")
    found = composition.resize(planes, shape)
    for channel in (0, 63, 64, 312):
        expected = composition.resize(np.ascontiguousarray(planes[..., channel]), shape)
        np.testing.assert_allclose(found[..., channel], expected, atol=1e-6)


def test_hidden_pixels_have_no_influence():
    """Oracle: the picture with other content where it is hidden; and the mean of what is visible, in between."""
    alpha = np.full(RGB.shape[:2], 255, np.uint8)
    alpha[20:90, 10:50] = 0
    changed = np.where(alpha[..., None] == 0, 255 - RGB, RGB)
    assert (changed != RGB).any()
    small = composition.shrink(RGB, (24, 16), alpha)
    np.testing.assert_array_equal(composition.shrink(changed, (24, 16), alpha), small)
    visible = color_numpy.lightness(RGB)[alpha > 0].mean()
    np.testing.assert_allclose(small[10, 7], visible, rtol=0.02)
    opaque = np.full(RGB.shape[:2], 65535, np.uint16)
    plain = composition.shrink(RGB, (24, 16))
    np.testing.assert_allclose(composition.shrink(RGB, (24, 16), opaque), plain, atol=1e-3)
    np.testing.assert_array_equal(composition.shrink(RGB, (24, 16), np.zeros_like(alpha)), plain)
