"""colorization.losses: values and gradients against dense references in float64.

test_jax runs some of these tests on JAX. The penalty on the kernels is the models', and in test_models.
"""

import keras
import numpy as np
import pytest
from keras import ops

from colorization.core import bins, losses

RNG = np.random.default_rng(0)
SHAPE = (3, 4, 5)
# No color is near a tie between bins, so that the reference picks the same ones for sure.
AB = RNG.integers(-100 * 8, 100 * 8, (*SHAPE, 2)) / 8 + (1 / 64, 1 / 8192)
BIN_WEIGHTS = RNG.uniform(0, 3, 313).astype("float32")


def dense_targets(ab, neighbors, sigma):
    """(..., 313) float64: brute force over all distances."""
    distance = np.square(ab[..., None, :] - bins.CENTERS).sum(-1)
    rank = np.argsort(np.argsort(distance, axis=-1, kind="stable"), axis=-1, kind="stable")
    nearest = distance.min(-1, keepdims=True)
    gaussian = np.where(rank < neighbors, np.exp(-(distance - nearest) / (2 * sigma**2)), 0)
    return gaussian / gaussian.sum(-1, keepdims=True)


def dense_cross_entropy(ab, logits, neighbors, sigma, pixel_weights):
    """-sum z log softmax(logits) over bins and pixels, and its gradient, in float64."""
    logits = logits.astype("float64")
    targets = dense_targets(ab, neighbors, sigma)
    shifted = logits - logits.max(-1, keepdims=True)
    log_probability = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    values = -(targets * log_probability).sum(-1) * pixel_weights
    gradient = (np.exp(log_probability) - targets) * pixel_weights[..., None]
    return values.sum((1, 2)), gradient


def gradient(function, x):
    """The backend's own gradient of the sum of function(x)."""
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda x: function(x).sum())(x))
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(function(x))
    return tape.gradient(total, x).numpy()


@pytest.mark.parametrize("scale", [3, 1e4])
@pytest.mark.parametrize(
    ("neighbors", "sigma", "weighted"), [(5, 5.0, True), (1, 5.0, False), (10, 20.0, True)]
)
def test_cross_entropy_and_its_gradient_are_the_dense_ones(neighbors, sigma, weighted, scale):
    """Oracle: dense targets and softmax in float64, for moderate logits and for +-1e4."""
    logits = RNG.uniform(-scale, scale, (*SHAPE, 313)).astype("float32")
    nearest = dense_targets(AB, 1, sigma).argmax(-1)
    pixel_weights = BIN_WEIGHTS[nearest] if weighted else np.ones(SHAPE)
    expected, slope = dense_cross_entropy(AB, logits, neighbors, sigma, pixel_weights)

    def loss(logits):
        return losses.soft_cross_entropy(AB, logits, neighbors, sigma, BIN_WEIGHTS if weighted else None)

    values = np.asarray(loss(logits))
    assert values.dtype == "float32"
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient(loss, logits), slope, rtol=2e-3 if scale > 3 else 1e-4, atol=1e-6)


def test_cross_entropy_takes_five_bins_and_sigma_5_unless_told():
    """Oracle: the dense reference at the paper's values."""
    logits = RNG.normal(size=(*SHAPE, 313)).astype("float32")
    expected, _ = dense_cross_entropy(AB, logits, 5, 5.0, np.ones(SHAPE))
    np.testing.assert_allclose(losses.soft_cross_entropy(AB, logits), expected, rtol=1e-5)


def test_cross_entropy_takes_bfloat16_logits():
    """Oracle: the dense reference of the rounded logits: only the input is rounded, not the sum."""
    rounded = ops.cast(RNG.normal(scale=5, size=(*SHAPE, 313)), "bfloat16")
    expected, _ = dense_cross_entropy(
        AB, ops.convert_to_numpy(ops.cast(rounded, "float32")), 5, 5.0, np.ones(SHAPE)
    )
    values = ops.convert_to_numpy(losses.soft_cross_entropy(AB, rounded))
    assert values.dtype == "float32"
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_uniform_logits_cost_the_logarithm_of_the_number_of_bins():
    """Oracle: closed form, log 313 nats for each of the 20 pixels."""
    values = losses.soft_cross_entropy(AB, np.zeros((*SHAPE, 313), "float32"))
    np.testing.assert_allclose(values, np.full(3, 20 * np.log(313)), rtol=1e-6)


def test_squared_error_and_its_gradient_are_the_closed_form():
    """Oracle: 1/2 sum ||(ab + 128) / 255 - prediction||^2 over an image's pixels; prediction - target."""
    prediction = RNG.uniform(0, 1, (*SHAPE, 2)).astype("float32")
    difference = prediction.astype("float64") - (AB + 128) / 255
    expected = (0.5 * difference**2).sum((1, 2, 3))

    def loss(prediction):
        return losses.squared_error(AB, prediction)

    values = np.asarray(loss(prediction))
    assert values.dtype == "float32"
    np.testing.assert_allclose(values, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient(loss, prediction), difference, rtol=1e-4, atol=1e-6)
