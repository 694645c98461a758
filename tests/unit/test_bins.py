"""colorization.bins against brute force in float64 and the reference table of bins.

test_jax runs some of these tests on JAX.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import ops

from colorization.core import bins, color

CENTERS = bins.CENTERS.astype("float64")

# Eighths are exact in float32 and so are their squared distances: a tie is a tie, and no rounding decides.
EIGHTHS = hnp.arrays("float64", (64, 2), elements=st.integers(-128 * 8, 128 * 8).map(lambda i: i / 8))
# Half-way between lattice points, along one axis or both.
MIDPOINTS = hnp.arrays("float64", (64, 2), elements=st.integers(-25, 25).map(lambda i: i * 5))


def sorted_distances(ab):
    """Brute force: squared distances of all bins to each (N, 2) color, the least first."""
    return np.sort(np.square(ab[:, None] - CENTERS).sum(-1), axis=-1)


def distances_to(indices, ab):
    """Squared distances of the (N, K) chosen bins to each (N, 2) color."""
    return np.square(ab[:, None] - CENTERS[indices]).sum(-1)


def random_logits(*shape, scale=4.0, seed=0):
    return np.random.default_rng(seed).normal(scale=scale, size=(*shape, 313)).astype("float32")


def test_centers_are_the_reference(shared_data):
    """Oracle: shared/data/reference/bins_313.npy."""
    np.testing.assert_array_equal(bins.CENTERS, np.load(shared_data / "reference" / "bins_313.npy"))


def test_centers_are_an_ordered_lattice_without_holes():
    """Oracle: the numbers of facts known of Zhang's table: 313 points of step 10, by a, then by b."""
    assert bins.CENTERS.shape == (bins.COUNT, 2) == (313, 2)
    assert (bins.CENTERS % bins.STEP == 0).all()
    assert bins.STEP == 10
    rows = [tuple(row) for row in bins.CENTERS.tolist()]
    assert rows == sorted(set(rows))
    for a in range(-90, 101, 10):
        b = [row[1] for row in rows if row[0] == a]
        assert b == list(range(int(b[0]), int(b[-1]) + 1, 10))


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_srgb_reaches_261_bins(step):
    """Oracle: the count of 261 over all colors, measured with scikit-image and brute force."""
    reached = set()
    for codes in np.array_split(np.arange(0, 2**24, step), max(1, 64 // step)):
        rgb = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=-1).astype("uint8")
        reached |= set(np.unique(bins.nearest(color.rgb_to_lab(rgb)[..., 1:])).tolist())
    assert len(reached) == 261 if step == 1 else 250 < len(reached) <= 261


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(EIGHTHS | MIDPOINTS)
def test_nearest_is_exact(ab):
    """Oracle: brute force over all 313 distances in float64; of several equally near, any will do."""
    indices = np.asarray(bins.nearest(ab))
    assert indices.dtype == "int32"
    np.testing.assert_array_equal(distances_to(indices[:, None], ab)[:, 0], sorted_distances(ab)[:, 0])


@pytest.mark.parametrize("neighbors", [1, 5, 10, 32])
@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(ab=EIGHTHS | MIDPOINTS, sigma=st.sampled_from([0.5, 5.0, 40.0]))
def test_soft_encoding_is_exact(neighbors, ab, sigma):
    """Oracle: brute force over all 313 distances in float64, the Gaussian of the K nearest normalized."""
    indices, weights = (np.asarray(part) for part in bins.soft_encode(ab, neighbors, sigma))
    distance = sorted_distances(ab)[:, :neighbors]
    np.testing.assert_array_equal(distances_to(indices, ab), distance)
    assert all(len(set(row)) == neighbors for row in indices.tolist())
    gaussian = np.exp(-(distance - distance[:, :1]) / (2 * sigma**2))
    np.testing.assert_allclose(weights, gaussian / gaussian.sum(-1, keepdims=True), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-6)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(hnp.arrays("float32", (64, 2), elements=st.floats(-128, 128, width=32)))
def test_any_color_gets_nearest_bins(ab):
    """Oracle: brute force; where rounding may decide between bins, their distances are equal to 1e-3."""
    ab = ab.astype("float64")
    indices = np.asarray(bins.soft_encode(ab)[0])
    chosen = np.linalg.norm(CENTERS[indices] - ab[:, None], axis=-1)
    np.testing.assert_allclose(chosen, np.sqrt(sorted_distances(ab)[:, :5]), rtol=0, atol=1e-3)
    assert all(len(set(row)) == 5 for row in indices.tolist())


def test_soft_encoding_clips_and_keeps_the_shape():
    """Oracle: the encoding of the clipped values; the defaults are five bins and a sigma of 5."""
    ab = np.random.default_rng(0).uniform(-400, 400, (2, 3, 4, 2)).astype("float32")
    ab[0, 0, 0] = 1e9
    indices, weights = bins.soft_encode(ab)
    clipped_indices, clipped_weights = bins.soft_encode(np.clip(ab, -128, 128), neighbors=5, sigma=5.0)
    assert tuple(indices.shape) == tuple(weights.shape) == (2, 3, 4, 5)
    assert tuple(bins.nearest(ab).shape) == (2, 3, 4)
    np.testing.assert_array_equal(indices, clipped_indices)
    np.testing.assert_array_equal(weights, clipped_weights)


def test_every_bin_decodes_to_its_center():
    """Oracle: the centers; an encoding that decodes to a corner of the bin would be 5 units off."""
    logits = np.eye(313, dtype="float32") * 1e4
    for decode in (bins.decode_mode, bins.decode_mean, bins.annealed_mean):
        np.testing.assert_allclose(decode(logits), bins.CENTERS, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(bins.nearest(bins.CENTERS), np.arange(313))


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.floats(0.05, 3), st.floats(0.1, 8), st.integers(0, 99))
def test_annealed_mean_is_the_formula(temperature, scale, seed):
    """Oracle: exp(log(z) / T) / sum of the same, and its mean over the centers, in float64 (report 4.1.3)."""
    logits = random_logits(4, 2, scale=scale, seed=seed)
    z = np.exp(logits.astype("float64"))
    z /= z.sum(-1, keepdims=True)
    annealed = np.exp(np.log(z) / temperature)
    expected = annealed / annealed.sum(-1, keepdims=True) @ CENTERS
    np.testing.assert_allclose(bins.annealed_mean(logits, temperature), expected, rtol=0, atol=2e-3)


def test_temperature_runs_from_the_mode_to_the_mean():
    """Oracle: T = 1 is the float64 mean, T = 0 or near it the mode, 0.89 the default."""
    logits = random_logits(50)
    logits[np.arange(50), np.arange(50) * 6] = logits.max() + 1.0  # one clear winner each
    mode = CENTERS[np.arange(50) * 6]
    np.testing.assert_array_equal(bins.decode_mode(logits), mode)
    for temperature in (0, 0.0, 1e-9, 1e-3):
        np.testing.assert_allclose(bins.annealed_mean(logits, temperature), mode, rtol=0, atol=1e-4)
    z = np.exp(logits.astype("float64"))
    mean = z / z.sum(-1, keepdims=True) @ CENTERS
    np.testing.assert_allclose(bins.decode_mean(logits), mean, rtol=0, atol=1e-3)
    np.testing.assert_array_equal(bins.annealed_mean(logits, 1.0), bins.decode_mean(logits))
    np.testing.assert_array_equal(bins.annealed_mean(logits), bins.annealed_mean(logits, 0.89))


@pytest.mark.parametrize("temperature", [0.89, 0.38])
def test_temperature_may_be_a_tensor(temperature):
    """Oracle: the same number."""
    logits = random_logits(7)
    tensor = ops.convert_to_tensor(temperature, "float32")
    expected = bins.annealed_mean(logits, temperature)
    np.testing.assert_allclose(bins.annealed_mean(logits, tensor), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("temperature", [-0.1, -1, float("nan"), float("-inf")])
def test_an_impossible_temperature_is_refused(temperature):
    with pytest.raises(ValueError, match="temperature"):
        bins.annealed_mean(random_logits(1), temperature)


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_decoding_knows_only_differences_of_logits(shift):
    """Oracle: the same logits unshifted; float32 holds +-1e4 to 1e-3, so the logits are in eighths."""
    logits = np.round(random_logits(20) * 8) / 8
    for decode in (bins.decode_mode, bins.decode_mean, bins.annealed_mean):
        np.testing.assert_allclose(decode(logits + np.float32(shift)), decode(logits), rtol=0, atol=1e-3)


def test_decoding_is_stable_for_huge_logits():
    """Oracle: closed forms: of bins at -1e4, one at +1e4 is that bin, and two at +1e4 are their middle."""
    logits = np.full((2, 313), -1e4, "float32")
    logits[0, 7] = logits[1, 7] = logits[1, 300] = 1e4
    expected = [CENTERS[7], (CENTERS[7] + CENTERS[300]) / 2]
    for temperature in (1.0, 0.38, 1e-3):
        np.testing.assert_allclose(bins.annealed_mean(logits, temperature), expected, rtol=0, atol=1e-4)
