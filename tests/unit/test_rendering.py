"""Rendering: colors stop at edges, borders stay neutral, and each option does what it says."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import data
from skimage.color import rgb2lab

import colorization
from colorization.core.errors import InputError
from colorization.inference import composition, guided_upsampling
from colorization.inference.picture_colorizer import PictureColorizer
from colorization.inference.rendering import PLAIN, Rendering, inner_part, stretched

GRAY = data.camera()[::4, ::4]


class Known(PictureColorizer):
    """Predicts a known function of lightness and place, and keeps what it was shown."""

    def __init__(self, function, working_size=32):
        super().__init__("known", working_size, None, {"mean": False})
        self.function, self.shown = function, []

    def predict(self, lightness, decoding, temperature):
        self.shown += list(lightness)
        return np.stack([self.function(each) for each in lightness]).astype(np.float32)


def by_side(lightness):
    """Red on the left half, blue on the right one."""
    ab = np.zeros((*lightness.shape, 2))
    ab[:, : lightness.shape[1] // 2] = (40, 30)
    ab[:, lightness.shape[1] // 2 :] = (10, -40)
    return ab


def chroma(rgb):
    return rgb2lab(rgb)[..., 1:]


def test_colors_stop_at_an_edge():
    """A step of lightness and, two pixels of the working size beside it, a blurred step of color. Oracle: the
    color of each side, farther away. Bilinear colors bleed over the edge; those that follow it do not."""
    picture = np.full((256, 256), 90, np.uint8)
    picture[:, 128:] = 200
    width = np.arange(32)
    share = np.clip((width - 12) / 8, 0, 1)[None, :, None]  # a ramp of 8 pixels across the edge at 16
    blurred = (1 - share) * [40, 30] + share * [10, -40]
    colorizer = Known(lambda lightness: np.broadcast_to(blurred, (32, 32, 2)))
    left, right = (chroma(colorizer.colorize(picture)[:, x])[128] for x in (20, 236))
    bled = {}
    for upsampling in ("bilinear", "edges"):
        ab = chroma(colorizer.colorize(picture, rendering=Rendering(upsampling=upsampling)))[128]
        bled[upsampling] = max(np.abs(ab[110:126] - left).max(), np.abs(ab[130:146] - right).max())
    assert bled["edges"] < 0.6 * bled["bilinear"]


@settings(deadline=None, max_examples=20)
@given(st.floats(-1, 1), st.floats(-1, 1), st.integers(0, 2**16))
def test_the_guide_reproduces_colors_that_are_a_function_of_lightness(slope, offset, seed):
    """Oracle: the closed form: ab = slope * L + offset has this slope and offset everywhere, but for the noise."""
    lightness = np.random.default_rng(seed).uniform(0, 100, (20, 30)).astype("float32")
    ab = np.stack([slope * lightness + offset, -slope * lightness], -1).astype("float32")
    found = guided_upsampling.coefficients(lightness, ab)
    np.testing.assert_allclose(found[0][..., 0], slope, atol=0.02)
    again = found[0] * lightness[..., None] + found[1]
    np.testing.assert_allclose(again, ab, atol=2)


def test_a_prediction_of_the_pictures_size_is_not_filtered():
    picture = GRAY[:32, :32]
    colorizer = Known(by_side)
    plain = colorizer.colorize(picture)
    np.testing.assert_array_equal(colorizer.colorize(picture, rendering=Rendering(borders=False)), plain)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_borders_are_found_left_out_and_neutral(level):
    """Oracle: the picture without its borders, colored alone. JPEG decoders fill missing parts with 128."""
    inside = GRAY[:96, :120]
    framed = np.pad(inside, ((20, 33), (14, 0)), constant_values=level)
    assert inner_part(framed) == (slice(20, 116), slice(14, 134))
    colorizer = Known(by_side)
    colored = colorizer.colorize(framed, rendering=Rendering())
    alone = colorizer.colorize(inside, rendering=Rendering())
    np.testing.assert_array_equal(colored[20:116, 14:], alone)
    np.testing.assert_array_equal(colored[:20], np.full((20, 134, 3), level))
    np.testing.assert_array_equal(colored[:, :14], np.full((149, 14, 3), level))
    left_in = colorizer.colorize(framed, rendering=Rendering(borders=False))
    assert (left_in[20:116, 14:] != alone).any()


@pytest.mark.parametrize(
    "picture",
    [np.zeros((40, 50), np.uint8), np.pad(GRAY, 20, constant_values=100), np.full((40, 50), 255, np.uint8), GRAY, np.pad(GRAY[:9, :9], 60), GRAY[:1, :1]],
)  # fmt: skip
def test_pictures_without_borders_are_whole(picture):
    """Also such as are all border, or hardly anything else."""
    assert inner_part(picture) == (slice(0, picture.shape[0]), slice(0, picture.shape[1]))


def test_best_is_the_mean_over_mirror_images_and_sizes():
    """Oracle: the mean is symmetric where the prediction depends on the side alone; the shown sizes."""
    colorizer = Known(by_side, working_size=64)
    colored = colorizer.colorize(GRAY, rendering=PLAIN._replace(quality="best"))
    assert [each.shape for each in colorizer.shown] == [(s, s) for s in (48, 48, 64, 64, 80, 80)]
    np.testing.assert_allclose(colorizer.shown[1], colorizer.shown[0][:, ::-1])
    ab = chroma(colored)[40:90, 10:118]
    assert np.abs(np.median(ab, axis=(0, 1)) - [25, -5]).max() < 3


def test_contrast_is_restored_for_the_network_only():
    """Oracle: the percentiles of what it is shown; the lightness of the result is the faded one."""
    faded = (100 + GRAY // 8).astype(np.uint8)
    colorizer = Known(lambda lightness: np.full((*lightness.shape, 2), 10.0))
    colored = colorizer.colorize(faded, rendering=Rendering(restore_contrast=True))
    assert np.allclose(np.percentile(colorizer.shown[0], (1, 99)), (2, 98), atol=0.5)
    assert np.abs(rgb2lab(colored)[..., 0] - rgb2lab(np.stack([faded] * 3, -1))[..., 0]).max() < 0.5
    flat = np.full((4, 4), 30, np.float32)
    np.testing.assert_array_equal(stretched(flat), flat)


@pytest.mark.parametrize("saturation", [0, 0.5, 2])
def test_saturation_scales_the_chroma(saturation):
    colorizer = Known(lambda lightness: np.full((*lightness.shape, 2), 10.0))
    picture = np.full((40, 40), 128, np.uint8)
    colored = colorizer.colorize(picture, rendering=Rendering(saturation=saturation))
    np.testing.assert_allclose(chroma(colored), 10 * saturation, atol=0.8)
    for wrong, sentence in (
        (Rendering(saturation=2.5), r"The saturation is 0 to 2, not 2\.5"),
        (Rendering(quality="bset"), "The quality is fast or best, not 'bset'"),
        (Rendering(upsampling="edge"), "The upsampling is edges or bilinear, not 'edge'"),
    ):
        with pytest.raises(InputError, match=sentence):
            colorizer.colorize(picture, rendering=wrong)


def test_the_default_follows_edges_and_plain_is_the_colorizer():
    """Oracle: PictureColorizer with the same rendering."""
    picture = data.chelsea()[:, :, 0]
    small = Rendering(upsampling="bilinear", borders=False)
    plain = colorization.load("cifar10-classification", rendering=small).colorize(picture)
    edges = colorization.load("cifar10-classification").colorize(picture)
    assert (plain != edges).any()
    ab = colorization.load("cifar10-classification").predict_ab(
        composition.color_numpy.lightness(picture)[None]
    )
    np.testing.assert_array_equal(composition.compose(picture, ab[0]), plain)
