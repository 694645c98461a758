"""Confidence: entropy in closed form and by keras.ops, a readable scale at any size, and the refusal."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from colorization import Colorizer
from colorization.core import bins
from colorization.core.bin_centers import CENTERS, COUNT
from colorization.core.errors import InputError
from colorization.core.quiet_start import start_keras
from colorization.inference import confidence, runtimes
from colorization.runs import resolve

ALL = np.log(COUNT)


def one_bin(index):
    logits = np.full(COUNT, -100, np.float32)
    logits[index] = 100
    return logits


def test_entropy_of_known_distributions():
    """Closed form: log n of n equally likely bins; and log 313 for any distribution at a high temperature."""
    two = np.maximum(one_bin(3), one_bin(9))
    found = confidence.entropy(np.stack([one_bin(3), two, np.zeros(COUNT, np.float32)]))
    np.testing.assert_allclose(found, [0, np.log(2), ALL], atol=1e-5)
    assert confidence.entropy(one_bin(3), 1e6) == pytest.approx(ALL, abs=1e-5)
    spread = np.linspace(0, 3, COUNT)
    cold, own = (confidence.entropy(spread, temperature) for temperature in (0, 1))
    assert cold == 0 < own < ALL


def test_entropy_is_that_of_keras_ops():
    logits = np.random.default_rng(0).normal(0, 3, (5, 7, COUNT)).astype(np.float32)
    np.testing.assert_allclose(confidence.entropy(logits), bins.entropy(logits)[..., 0], atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6000), st.integers(1, 6000))
def test_the_picture_is_readable_at_any_size(height, width):
    """The map has the photograph's proportions, and certain and uncertain halves have the scale's ends."""
    halves = np.repeat([0, ALL], [4, 4])[None].repeat(8, axis=0).astype(np.float32)
    picture = confidence.draw(halves, (height, width))
    scale = confidence.draw(halves[:1, :1], (1, 1))
    longest = max(height, width)
    factor = min(max(longest, 480), 2048) / longest
    rows, columns = (max(1, round(side * factor)) for side in (height, width))
    assert picture.shape[1] == max(columns, 480)
    assert 80 <= picture.shape[0] - rows <= 300
    if columns > 1:
        np.testing.assert_array_equal(picture[0, 0], scale[0, 0])
        assert picture[0, 0].sum() > picture[0, columns - 1].sum() + 150  # yellow, violet
    assert (picture[rows:] < 60).all(axis=-1).sum() > 200  # letters


@pytest.mark.parametrize("keras", [False, True])
def test_logits_are_those_of_the_pictures(keras):
    """Oracle: the model's own decoding. A regression has none."""
    folder = resolve.preset_folder("cifar10-classification")
    if keras:
        start_keras()
    colorizer = Colorizer.load(folder) if keras else runtimes.of_run(folder)
    lightness = np.random.default_rng(0).uniform(0, 100, (3, 32, 40)).astype(np.float32)
    logits = colorizer.predict_logits(lightness)
    mean = confidence.probabilities(logits) @ CENTERS
    np.testing.assert_allclose(mean, colorizer.predict(lightness, "mean", None), atol=1e-3)
    regression = Colorizer.from_preset("cifar10-regression")
    with pytest.raises(InputError, match=r"cifar10-regression predicts one color for each pixel"):
        regression.predict_logits(lightness)
