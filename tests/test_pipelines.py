"""The feeds: order, flips and values, by plain NumPy and scikit-image. Across backends: test_training."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab

from colorization.datasets import pipeline


@pytest.fixture(scope="module")
def rgb():
    return np.random.default_rng(0).integers(0, 256, (23, 8, 8, 3), dtype=np.uint8)


def recover(lightness, ab, rgb):
    """Which image each of a batch is, and whether it is mirrored, by comparing with scikit-image's Lab."""
    lab = np.concatenate([lightness, ab], axis=-1)
    originals = rgb2lab(rgb)
    plain = np.abs(lab[:, None] - originals[None]).max(axis=(2, 3, 4))
    mirrored = np.abs(lab[:, None] - originals[None, :, :, ::-1]).max(axis=(2, 3, 4))
    nearest = np.minimum(plain, mirrored)
    assert nearest.min(axis=1).max() < 0.01
    chosen = nearest.argmin(axis=1)
    return chosen, mirrored[range(len(chosen)), chosen] < plain[range(len(chosen)), chosen]


def epochs_of(rgb, **options):
    batches = list(pipeline.training_batches((rgb,), pipeline.to_lightness_and_ab, batch_size=5, **options))
    chosen, flips = zip(
        *(recover(lightness.numpy(), ab.numpy(), rgb) for lightness, ab in batches), strict=True
    )
    assert [len(batch) for batch in chosen[:5]] == [5, 5, 5, 5, 3]
    return np.concatenate(chosen).reshape(-1, len(rgb)), np.concatenate(flips).reshape(-1, len(rgb))


def test_every_epoch_is_another_permutation_and_a_resume_goes_on_with_it(rgb):
    orders, flips = epochs_of(rgb, seed=3, epochs=4, flip=True)
    assert (np.sort(orders) == np.arange(len(rgb))).all()
    assert len({tuple(order) for order in orders}) == 4
    assert 0.3 < flips.mean() < 0.7
    later_orders, later_flips = epochs_of(rgb, seed=3, epochs=4, first_epoch=2, flip=True)
    np.testing.assert_array_equal(later_orders, orders[2:])
    np.testing.assert_array_equal(later_flips, flips[2:])
    assert (epochs_of(rgb, seed=4, epochs=1)[0] != orders[0]).any()


def test_without_flip_nothing_is_mirrored(rgb):
    assert not epochs_of(rgb, seed=3, epochs=2)[1].any()


@given(st.integers(0, 2**32), st.integers(0, 1000), st.integers(1, 60))
def test_epoch_order_is_a_permutation_that_only_its_arguments_decide(seed, epoch, count):
    order, flips = pipeline.epoch_order(seed, epoch, count, True)
    assert sorted(order) == list(range(count))
    again, flips_again = pipeline.epoch_order(seed, epoch, count, True)
    assert (order == again).all()
    assert (flips == flips_again).all()


def test_dev_batches_come_once_in_order(rgb):
    feed = pipeline.dev_batches((rgb,), pipeline.to_lightness_and_ab, 10)
    assert tf.data.experimental.cardinality(feed) == 3
    chosen = [recover(lightness.numpy(), ab.numpy(), rgb) for lightness, ab in feed]
    np.testing.assert_array_equal(np.concatenate([order for order, _ in chosen]), np.arange(len(rgb)))
    assert not np.concatenate([flips for _, flips in chosen]).any()
