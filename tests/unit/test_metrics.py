"""colorization.metrics against scikit-image, numerical integration and transcribed formulas.

test_jax runs some of these tests on JAX.
"""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from colorization.core import metrics
from colorization.core.color_difference import ciede2000


def image_pairs(count=4, shape=(24, 40), seed=0):
    """Smooth images and noisy copies of them: two (N, H, W, 3) uint8 arrays."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]] / 7
    waves = [np.sin(np.add.outer(rng.uniform(0, 6, 3), x * i + y)) for i in range(1, count + 1)]
    truth = 127 + 90 * np.moveaxis(np.array(waves), 1, -1)
    noisy = truth + rng.normal(scale=rng.uniform(3, 40, (count, 1, 1, 1)), size=truth.shape)
    return truth.astype("uint8"), np.clip(noisy, 0, 255).astype("uint8")


def test_psnr_is_that_of_scikit_image():
    """Oracle: skimage.metrics.peak_signal_noise_ratio, of each image, and of all in one for the set."""
    truth, noisy = image_pairs()
    errors = metrics.squared_rgb_errors(truth, noisy)
    assert errors.shape == (4,)
    for i in range(4):
        expected = peak_signal_noise_ratio(truth[i], noisy[i], data_range=255)
        assert metrics.psnr(errors[i : i + 1]) == pytest.approx(expected, rel=1e-9)
    expected = peak_signal_noise_ratio(truth, noisy, data_range=255)
    assert metrics.psnr(errors) == pytest.approx(expected, rel=1e-9)
    assert metrics.psnr(metrics.squared_rgb_errors(truth, truth)) is None


def test_errors_of_uint8_do_not_wrap_around():
    """Oracle: closed form: black against white is 255**2, which is 0 dB, in both directions."""
    black, white = np.zeros((1, 4, 4, 3), "uint8"), np.full((1, 4, 4, 3), 255, "uint8")
    for pair in ((black, white), (white, black)):
        assert metrics.psnr(metrics.squared_rgb_errors(*pair)) == 0


def test_ssim_is_that_of_scikit_image():
    """Oracle: structural_similarity's map with Wang's Gaussian window, less the border of half a window."""
    truth, noisy = image_pairs()
    values = metrics.ssim(truth, noisy)
    for i in range(4):
        _, similarity = structural_similarity(
            truth[i],
            noisy[i],
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=255,
            full=True,
        )
        assert values[i] == pytest.approx(similarity[5:-5, 5:-5].mean(), abs=1e-4)
    assert values.shape == (4,)
    assert values.min() < 0.8
    np.testing.assert_allclose(metrics.ssim(truth, truth), 1, rtol=1e-5)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(hnp.arrays("float64", (20, 2, 3), elements=st.floats(-120, 120)))
def test_ciede2000_is_that_of_scikit_image(pairs):
    """Oracle: skimage.color.deltaE_ciede2000, also for grays, equal colors and nearly opposite hues."""
    pairs[..., 0] = np.abs(pairs[..., 0]) / 1.2
    pairs[0, 1] = pairs[0, 0]
    pairs[1, 0, 1:] = 0
    pairs[2, :, 1:] = 0
    for row, degrees in ((3, 179), (4, 181)):
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        pairs[row, 1, 1:] = pairs[row, 0, 1:] @ [[cosine, sine], [-sine, cosine]]
    lab, other = np.moveaxis(pairs, 1, 0)
    found = ciede2000(lab, other)
    cross = lab[:, 1] * other[:, 2] - lab[:, 2] * other[:, 1]
    dot = (lab[:, 1:] * other[:, 1:]).sum(axis=1)
    opposite = (dot < 0) & (np.abs(cross) <= 1e-9 * np.abs(dot))  # where the formula jumps
    assert not opposite[:3].any()
    expected = deltaE_ciede2000(lab, other)
    np.testing.assert_allclose(found[~opposite], expected[~opposite], rtol=1e-7, atol=1e-6)
    assert found[0] == 0


def test_ciede2000_of_images_is_the_mean_over_their_pixels():
    """Oracle: scikit-image's Lab and color difference."""
    truth, noisy = image_pairs()
    expected = deltaE_ciede2000(rgb2lab(truth), rgb2lab(noisy)).mean(axis=(1, 2))
    np.testing.assert_allclose(metrics.ciede2000(truth, noisy), expected, rtol=2e-3)
    assert expected.min() > 1


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@given(
    hnp.arrays("float64", 50, elements=st.floats(0, 300)),
    hnp.arrays("float64", 50, elements=st.floats(0.01, 10)) | st.none(),
)
def test_auc_is_the_integral_of_its_definition(errors, weights):
    """Oracle: the share of pixels within t, integrated by the trapezoid rule over a fine grid of t."""
    thresholds = np.linspace(0, 150, 6001)
    share = np.average(errors[:, None] <= thresholds, axis=0, weights=weights)
    expected = 100 * np.trapezoid(share, thresholds) / 150
    assert metrics.auc(errors**2, weights) == pytest.approx(expected, abs=0.02)


def test_auc_of_known_errors():
    """Oracle: closed forms: exact is 100, 150 or beyond is 0, half the way is 50, and weights count."""
    assert metrics.auc(np.zeros((3, 4))) == 100
    assert metrics.auc(np.array([150.0, 151.0, 1e6]) ** 2) == 0
    assert metrics.auc(np.full(5, 75.0**2, "float32")) == 50
    assert metrics.auc(np.array([[0.0, 150.0**2]]), np.array([[3.0, 1.0]])) == 75


def test_ab_rmse_is_numpys():
    """Oracle: the root of the mean over pixels of the squared length of the ab difference."""
    difference = np.random.default_rng(0).normal(scale=20, size=(3, 8, 8, 2))
    expected = np.sqrt(np.mean(np.linalg.norm(difference, axis=-1) ** 2))
    assert metrics.ab_rmse((difference**2).sum(-1)) == pytest.approx(expected, rel=1e-12)
    assert metrics.ab_rmse(np.full((2, 3), 25.0)) == 5


def transcribed_colorfulness(image):
    """Hasler and Suesstrunk (2003), section 7, pixel by pixel."""
    rg, yb = [], []
    for red, green, blue in image.reshape(-1, 3).tolist():
        rg.append(red - green)
        yb.append((red + green) / 2 - blue)
    mean_rg, mean_yb = sum(rg) / len(rg), sum(yb) / len(yb)
    variance_rg = sum((value - mean_rg) ** 2 for value in rg) / len(rg)
    variance_yb = sum((value - mean_yb) ** 2 for value in yb) / len(yb)
    return math.sqrt(variance_rg + variance_yb) + 0.3 * math.sqrt(mean_rg**2 + mean_yb**2)


def test_colorfulness_is_the_formula():
    """Oracle: the formula transcribed per image and pixel."""
    images = np.random.default_rng(0).integers(0, 256, (5, 6, 9, 3)).astype("uint8")
    images[1] //= 3
    images[2] = images[2][..., :1]
    expected = [transcribed_colorfulness(image) for image in images]
    np.testing.assert_allclose(metrics.colorfulness(images), expected, rtol=1e-12, atol=1e-12)
    assert metrics.colorfulness(images)[2] == 0


def test_colorfulness_is_signed():
    """Oracle: closed form: red beside green spreads by 255 in rg; with absolute values it would be 86."""
    image = np.zeros((1, 2, 8, 3), "uint8")
    image[:, :, :4, 0] = image[:, :, 4:, 1] = 255
    assert metrics.colorfulness(image)[0] == pytest.approx(255 + 0.3 * 127.5)


@pytest.mark.parametrize("structural", [True, False])
def test_an_accumulator_measures_batches_as_a_whole(structural):
    """Oracle: the functions above, on all images at once."""
    rng = np.random.default_rng(0)
    truth, rgb = image_pairs()
    ab, predicted = rng.normal(scale=20, size=(2, 4, 24, 40, 2))
    weights = rng.uniform(0.1, 3, (4, 24, 40))
    accumulator = metrics.Accumulator(structural)
    for part in (slice(0, 3), slice(3, 4)):
        accumulator.add(ab[part], predicted[part], weights[part], truth[part], rgb[part])
    squared = ((ab - predicted) ** 2).sum(-1)
    expected = {
        "ab_rmse": metrics.ab_rmse(squared),
        "auc": metrics.auc(squared),
        "rebalanced_auc": metrics.auc(squared, weights),
        "colorfulness": metrics.colorfulness(rgb).mean(),
    }
    if structural:
        expected["psnr"] = metrics.psnr(metrics.squared_rgb_errors(truth, rgb))
        expected["ssim"] = metrics.ssim(truth, rgb).mean()
        expected["ciede2000"] = metrics.ciede2000(truth, rgb).mean()
    assert accumulator.result() == pytest.approx(expected, rel=1e-6)
