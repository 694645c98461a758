"""colorization.color against scikit-image and OpenCV, in every place where it runs.

test_jax runs some of these tests on JAX, and with --slow all but those with tensorflow in their name.
"""

import itertools
import warnings

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import ops
from skimage.color import lab2rgb, lab2xyz, rgb2lab
from skimage.color.colorconv import rgb_from_xyz

from colorization.core import color


def colors(step):
    """Every step-th of the 2**24 colors of sRGB: (N, 3) uint8."""
    codes = np.arange(0, 2**24, step)
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype("uint8")


def random_lab(count, seed=0):
    """(N, 3) float32 over the whole box of L and ab, most of it out of gamut; its corners included."""
    corners = np.array(list(itertools.product((0, 50, 100), (-128, 0, 128), (-128, 0, 128))), "float64")
    inner = np.random.default_rng(seed).uniform((0, -128, -128), (100, 128, 128), (count, 3))
    return np.concatenate([corners, inner]).astype("float32")


def linear_rgb(lab):
    """scikit-image's linear-light RGB, not clipped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where z is negative
        return lab2xyz(lab.astype("float64")) @ rgb_from_xyz.T


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_lab_is_that_of_scikit_image_and_gives_the_color_back(step):
    """Oracle: skimage.color.rgb2lab in float64; the round trip is exact in uint8."""
    for rgb in np.array_split(colors(step), max(1, 32 // step)):
        lab = np.asarray(color.rgb_to_lab(rgb))
        assert lab.dtype == "float32"
        np.testing.assert_allclose(lab, rgb2lab(rgb), rtol=0, atol=5e-4)
        np.testing.assert_array_equal(color.to_uint8(color.lab_to_rgb(lab)), rgb)


def test_lab_is_that_of_opencv():
    """Oracle: cv2.cvtColor of float32, whose tables are coarse: off by up to 0.46, by 0.08 in the mean."""
    rgb = colors(101)
    expected = cv2.cvtColor(rgb[None].astype("float32") / 255, cv2.COLOR_RGB2LAB)[0]
    difference = np.abs(np.asarray(color.rgb_to_lab(rgb)) - expected)
    assert difference.mean() < 0.1
    assert difference.max() < 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_float_input_agrees_with_uint8(dtype):
    """Oracle: the table of 256 values that uint8 takes."""
    rgb = colors(997)
    lab = np.asarray(color.rgb_to_lab((rgb / 255).astype(dtype)))
    assert lab.dtype == "float32"
    np.testing.assert_allclose(lab, color.rgb_to_lab(rgb), rtol=0, atol=1e-3)


def test_shape_is_kept():
    """Oracle: the same colors in one row."""
    rgb = colors(2**24 // 24)[:24]
    flat = np.asarray(color.rgb_to_lab(rgb))
    for image, expected in ((rgb.reshape(2, 3, 4, 3), flat.reshape(2, 3, 4, 3)), (rgb[5], flat[5])):
        np.testing.assert_allclose(color.rgb_to_lab(image), expected, rtol=0, atol=1e-4)


def test_out_of_gamut_lab_is_clipped_in_rgb():
    """Oracle: skimage.color.lab2rgb, where no XYZ is negative (it treats those differently)."""
    lab = random_lab(20_000).astype("float64")
    f = (lab[:, :1] + 16) / 116 + lab[:, 1:] * (1 / 500, -1 / 200)
    lab = lab[(f >= 16 / 116).all(axis=-1)].astype("float32")
    rgb = np.asarray(color.lab_to_rgb(lab))
    assert len(lab) > 10_000
    assert (rgb == 0).any()
    assert (rgb > 0.999999).any()
    np.testing.assert_allclose(rgb, lab2rgb(lab.astype("float64")), rtol=0, atol=2e-4)


def test_no_lab_leaves_the_range_of_rgb():
    """Oracle: 0..1, without a warning, far outside of any gamut too."""
    far = itertools.product(
        (-1e4, -20, 0, 100, 150, 1e4), (-1e4, -300, 0, 300, 1e4), (-1e4, -300, 0, 300, 1e4)
    )
    lab = np.concatenate([np.array(list(far), "float32"), random_lab(1000)])
    for image in (color.lab_to_rgb(lab), color.lab_to_rgb(color.fit_gamut(lab))):
        rgb = np.asarray(image)
        assert np.isfinite(rgb).all()
        assert rgb.min() >= 0
        assert rgb.max() <= 1


def test_fit_gamut_lowers_the_chroma_just_so_far_that_srgb_shows_the_color():
    """Oracle: scikit-image's linear RGB is inside at the chroma found, and outside one bisection further.

    Below a lightness of 1, XYZ may be negative, which lab_to_rgb clips first: there the next test holds.
    """
    lab = random_lab(20_000)
    lab = lab[(lab[:, 0] >= 1) & lab[:, 1:].any(axis=-1)]
    fitted = np.asarray(color.fit_gamut(lab))
    np.testing.assert_array_equal(fitted[:, 0], lab[:, 0])

    chroma = np.linalg.norm(lab[:, 1:], axis=-1)
    scale = np.linalg.norm(fitted[:, 1:], axis=-1) / chroma
    assert scale.max() <= 1 + 1e-6
    np.testing.assert_allclose(fitted[:, 1:], lab[:, 1:] * scale[:, None], rtol=0, atol=1e-4)  # same hue

    inside = linear_rgb(fitted)
    assert inside.min() > -3e-4
    assert inside.max() < 1 + 3e-4

    lowered = scale < 1 - 1e-6
    assert lowered.mean() > 0.5
    further = linear_rgb(lab[lowered] * (np.array([0, 1, 1]) * (scale[lowered, None] + 2**-8) + (1, 0, 0)))
    assert ((further.min(axis=-1) < 0) | (further.max(axis=-1) > 1)).all()


def test_fit_gamut_keeps_the_lightness_of_the_8_bit_image():
    """Oracle: skimage.color.rgb2lab of the uint8 image against the lightness asked for."""
    lab = random_lab(20_000)
    rgb = np.asarray(color.to_uint8(color.lab_to_rgb(color.fit_gamut(lab))))
    assert np.abs(rgb2lab(rgb)[:, 0] - lab[:, 0]).max() < 0.6


def test_fit_gamut_leaves_the_colors_of_srgb_as_they_are():
    """Oracle: the input, bit for bit."""
    lab = np.asarray(color.rgb_to_lab(colors(211)))
    np.testing.assert_array_equal(color.fit_gamut(lab), lab)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(-128, 127), st.floats(-128, 127))
def test_scale_ab_has_an_inverse(a, b):
    """Oracle: (ab + 128) / 255 of the report, and identity."""
    ab = np.array([a, b])
    scaled = color.scale_ab(ab)
    assert ((scaled >= 0) & (scaled <= 1)).all()
    np.testing.assert_allclose(color.unscale_ab(scaled), ab, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(color.scale_ab(np.array([-128.0, 127.0])), [0, 1])


def test_to_uint8_rounds_to_nearest_and_clips():
    """Oracle: NumPy."""
    rgb = np.array([-1, 0, 0.49 / 255, 0.51 / 255, 254.4 / 255, 254.6 / 255, 1, 2], "float32")
    np.testing.assert_array_equal(color.to_uint8(rgb), np.uint8([0, 0, 0, 1, 254, 255, 255, 255]))


@pytest.mark.parametrize("function", [color.rgb_to_lab, color.lab_to_rgb])
@pytest.mark.parametrize("shape", [(4, 4, 1), (3, 4), (2,)])
def test_other_than_three_channels_are_refused(function, shape):
    with pytest.raises(ValueError, match=rf"3 channels .* shape \({shape[0]},"):
        function(np.zeros(shape, "float32"))


def test_tensorflow_graphs_give_the_eager_result(tmp_path):
    """Oracle: the eager calls, for tf.data and for a SavedModel that was written and read back."""
    import tensorflow as tf

    rgb = colors(2**24 // 480)[:480].reshape(5, 8, 12, 3)
    eager = np.asarray(color.rgb_to_lab(rgb))
    back = np.asarray(color.lab_to_rgb(color.fit_gamut(eager * (1, 1.5, 1.5))))

    dataset = tf.data.Dataset.from_tensor_slices(rgb).map(color.rgb_to_lab).batch(5)
    np.testing.assert_allclose(next(iter(dataset)), eager, rtol=0, atol=1e-4)

    module = tf.Module()
    module.lab = tf.function(color.rgb_to_lab, [tf.TensorSpec((None, None, None, 3), tf.uint8)])
    module.rgb = tf.function(
        lambda lab: color.lab_to_rgb(color.fit_gamut(lab)),
        [tf.TensorSpec((None, None, None, 3), tf.float32)],
    )
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    np.testing.assert_allclose(loaded.lab(rgb), eager, rtol=0, atol=1e-4)
    saved_back = loaded.rgb(ops.cast(eager * (1, 1.5, 1.5), "float32"))
    np.testing.assert_allclose(saved_back, back, rtol=0, atol=1e-5)
