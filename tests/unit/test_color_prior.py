"""The colors of a training set: the prior, its smoothing and its weights, by loops and closed forms."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.color import rgb2lab

from colorization.core.bin_centers import CENTERS, COUNT
from colorization.core.color_prior import ColorPrior, rebalancing_weights, smooth_prior
from colorization.datasets import pipeline

RGB = np.random.default_rng(0).integers(0, 256, (5, 16, 12, 3)).astype("uint8")


@pytest.fixture(scope="module")
def prior():
    return pipeline.measure_color_prior(RGB)


def test_a_prior_is_measured(prior, monkeypatch):
    """Oracle: brute force over all distances, and the mean, of scikit-image's Lab; any chunks will do."""
    ab = rgb2lab(RGB)[..., 1:].reshape(-1, 2)
    nearest = np.square(ab[:, None] - CENTERS).sum(-1).argmin(-1)
    np.testing.assert_array_equal(prior.bin_counts, np.bincount(nearest, minlength=COUNT))
    assert (prior.bin_counts.dtype, prior.mean_ab.dtype) == ("int64", "float64")
    np.testing.assert_allclose(prior.mean_ab, ab.mean(0), rtol=0, atol=1e-3)
    monkeypatch.setattr(pipeline, "_PRIOR_IMAGES", 2)
    monkeypatch.setattr(pipeline, "_PRIOR_CHUNK", 7)
    in_chunks = pipeline.measure_color_prior(RGB)
    np.testing.assert_array_equal(in_chunks.bin_counts, prior.bin_counts)
    np.testing.assert_allclose(in_chunks.mean_ab, prior.mean_ab, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("pixels", "step"), [(5 * 192, 1), (5 * 192 - 1, 2), (400, 3), (1, 960)])
def test_a_prior_of_many_images_is_that_of_every_nth(pixels, step, monkeypatch):
    """Oracle: the prior of these images alone."""
    monkeypatch.setattr(pipeline, "_PRIOR_PIXELS", pixels)
    sample = pipeline.measure_color_prior(RGB)
    monkeypatch.setattr(pipeline, "_PRIOR_PIXELS", 10**9)
    np.testing.assert_array_equal(sample.bin_counts, pipeline.measure_color_prior(RGB[::step]).bin_counts)


def test_a_prior_comes_back_from_json(prior):
    """Oracle: equality."""
    back = ColorPrior.from_dict(json.loads(json.dumps(prior.to_dict())))
    np.testing.assert_array_equal(back.bin_counts, prior.bin_counts)
    np.testing.assert_array_equal(back.mean_ab, prior.mean_ab)
    assert (back.bin_counts.dtype, back.mean_ab.dtype) == ("int64", "float64")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"bin_counts": [1] * 312}, ValueError),
        ({"bin_counts": [0] * 313}, ValueError),
        ({"bin_counts": [-1] * 313}, ValueError),
        ({"bin_counts": [1e400] * 313}, OverflowError),
        ({"bin_counts": None}, TypeError),
        ({"mean_ab": [0.0]}, ValueError),
        ({"mean_ab": [0.0, float("nan")]}, ValueError),
        ({"mean_ab": ["a", "b"]}, ValueError),
    ],
)
def test_other_values_are_refused(prior, change, error):
    with pytest.raises(error):
        ColorPrior.from_dict({**prior.to_dict(), **change})


def test_a_prior_lacks_nothing(prior):
    for name in ("bin_counts", "mean_ab"):
        with pytest.raises(KeyError, match=name):
            ColorPrior.from_dict({key: value for key, value in prior.to_dict().items() if key != name})


def test_a_smoothed_prior_is_each_bins_mass_spread_by_a_gaussian():
    """Oracle: a double loop over the bins."""
    counts = np.random.default_rng(3).integers(0, 1000, 313) * (np.arange(313) % 3 == 0)
    expected = np.zeros(313)
    for center, count in zip(CENTERS.astype("float64"), counts, strict=True):
        spread = [
            np.exp(-((center - other) @ (center - other)) / (2 * 7.0**2))
            for other in CENTERS.astype("float64")
        ]
        expected += count / counts.sum() * np.array(spread) / sum(spread)
    prior = smooth_prior(counts, sigma=7.0)
    np.testing.assert_allclose(prior, expected, rtol=1e-10)
    np.testing.assert_allclose(smooth_prior(counts, sigma=0), counts / counts.sum(), rtol=1e-12)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    hnp.arrays("int64", 313, elements=st.integers(0, 10**9), fill=st.just(0)).filter(np.any),
    st.floats(0, 1),
    st.sampled_from([0, 2.0, 5.0, 30.0]),
)
def test_rebalancing_is_the_closed_form(counts, mix, sigma):
    """Oracle: ((1 - mix) p + mix / 313)^-1, scaled to sum(p w) = 1, in float64; finite for empty bins."""
    prior = smooth_prior(counts, sigma)
    assert prior.sum() == pytest.approx(1, abs=1e-9)
    weights = rebalancing_weights(counts, mix, sigma)
    assert weights.dtype == "float32"
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
    assert (prior * weights).sum() == pytest.approx(1, rel=1e-5)
    seen = np.maximum(prior, 1 / counts.sum())  # no bin is rarer than one pixel
    unscaled = 1 / ((1 - mix) * seen + mix / 313)
    np.testing.assert_allclose(weights, unscaled / (prior * unscaled).sum(), rtol=1e-5)


def test_rebalancing_with_the_uniform_distribution_alone_weighs_all_bins_alike():
    """Oracle: mix = 1 gives ones; the paper's mix = 1/2 is the default."""
    counts = np.arange(313) ** 2
    np.testing.assert_allclose(rebalancing_weights(counts, mix=1.0), np.ones(313), rtol=1e-6)
    np.testing.assert_array_equal(rebalancing_weights(counts), rebalancing_weights(counts, 0.5, 5.0))
