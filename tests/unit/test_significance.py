"""Intervals and tests against closed forms, and figure7.compare on answers made by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vgg_eval import figure7, significance
from vgg_eval.columns import COLUMNS


@pytest.mark.parametrize(("right", "count"), [(700, 1000), (31, 50), (4990, 5000)])
def test_the_bootstrap_interval_is_the_binomials(right, count):
    """Oracle: a resampled accuracy is a binomial share, whose quantiles SciPy knows."""
    correct = np.arange(count) < right
    found = significance.accuracy(np.random.default_rng(0).permutation(correct))
    assert found["accuracy"] == right / count
    expected = stats.binom(count, right / count).ppf([0.025, 0.975]) / count
    atol = 1.01 / count + 0.1 * math.sqrt(0.25 / count)
    np.testing.assert_allclose(found["interval"], expected, atol=atol)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_the_sign_test_of_the_discordant(pairs):
    """Oracle: the sum of binomial coefficients, by integers."""
    ours, theirs = np.array(pairs).T
    b, c = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    tail = sum(math.comb(b + c, k) for k in range(min(b, c) + 1))
    assert math.isclose(significance.mcnemar(ours, theirs), min(1, 2 * tail / 2 ** (b + c)), rel_tol=1e-9)
    assert significance.mcnemar(theirs, ours) == significance.mcnemar(ours, theirs)


@given(st.integers(2, 5), st.integers(0, 50), st.randoms(use_true_random=False))
def test_confusion_counts_pairs(classes, count, random):
    """Oracle: a loop."""
    pairs = [(random.randrange(classes), random.randrange(classes)) for _ in range(count)]
    expected = np.zeros((classes, classes), int)
    for truth, chosen in pairs:
        expected[truth, chosen] += 1
    labels, chosen = np.array(pairs, int).reshape(-1, 2).T
    np.testing.assert_array_equal(significance.confusion(labels, chosen, classes), expected)


def test_the_gap_closed():
    """Oracle: half of what gray loses is won back; with all images alike there is nothing to be unsure of."""
    gray = np.tile([True, False, False, False], 500)
    truth = np.tile([True, True, True, False], 500)
    half = np.tile([True, True, False, False], 500)
    found = significance.gap_closed(half, gray, truth)
    assert found["gap_closed"] == pytest.approx(0.5)
    low, high = found["gap_interval"]
    assert 0.44 < low < 0.5 < high < 0.56
    assert significance.gap_closed(truth, gray, truth)["gap_interval"] == pytest.approx([1, 1])
    unknown = {"gap_closed": None, "gap_interval": None}
    assert significance.gap_closed(half, truth, gray) == unknown
    barely = gray | (np.arange(2000) == 1)  # one image of 2,000 more: no gap to speak of
    assert significance.gap_closed(half, gray, barely) == unknown


def test_every_number_of_a_table():
    """Oracle: a judge of two classes whose answers are written down; counted by hand."""
    labels = np.array([0, 0, 0, 1, 1, 1, 1, 1])
    said = {  # probability of class 1
        "grayscale": [0.9, 0.9, 0.1, 0.2, 0.2, 0.2, 0.8, 0.8],
        "regression": [0.9, 0.9, 0.1, 0.2, 0.2, 0.8, 0.8, 0.8],
        "classification": [0.1, 0.9, 0.1, 0.2, 0.8, 0.8, 0.8, 0.2],
        "annealed": [0.1, 0.1, 0.1, 0.2, 0.8, 0.8, 0.8, 0.8],
        "transfer": [0.1, 0.1, 0.1, 0.2, 0.8, 0.8, 0.8, 0.8],
        "ground truth": [0.1, 0.1, 0.1, 0.8, 0.8, 0.8, 0.8, 0.8],
    }
    assert list(said) == [method.name for method in COLUMNS]
    probabilities = {name: np.stack([1 - np.array(p), p], 1).astype("float32") for name, p in said.items()}
    results = figure7.compare(probabilities, labels)
    assert [results[name]["accuracy"] for name in said] == [3 / 8, 4 / 8, 5 / 8, 7 / 8, 7 / 8, 1]
    assert results["classification"]["confusion"] == [[2, 1], [2, 3]]
    assert results["classification"]["per_class"] == pytest.approx([2 / 3, 3 / 5])
    assert results["regression"]["confidence"] == pytest.approx((0.1 + 0.1 + 0.9 + 0.2 + 0.2 + 3 * 0.8) / 8)
    assert results["grayscale"]["p_grayscale"] is None
    assert results["classification"]["p_before"] == pytest.approx(1)  # two won, one lost
    assert results["ground truth"]["p_grayscale"] == pytest.approx(2 / 2**5)
    assert results["annealed"]["gap_closed"] is None  # with p = 1/16 there may be no gap
