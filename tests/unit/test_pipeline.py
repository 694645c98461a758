"""The feeds: order, flips, crops, shifts and values, by NumPy and scikit-image. Across backends: test_jax."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab

from colorization.datasets import pipeline, tf_feed


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


@given(st.integers(1, 9), st.integers(1, 6), st.integers(0, 5), st.integers(0, 99))
def test_crops_are_windows_of_their_images(count, side, room, seed):
    """Oracle: plain slices."""
    batch = np.arange(count * (side + room) ** 2 * 3).reshape(count, side + room, side + room, 3)
    corners = pipeline.crop_corners(seed, 0, count, room)
    assert corners.min() >= 0
    assert corners.max() <= room
    expected = [
        image[row : row + side, column : column + side]
        for image, (row, column) in zip(batch, corners, strict=True)
    ]
    np.testing.assert_array_equal(pipeline.cropped(batch, corners, side), expected)


def test_crops_change_with_the_epoch_and_reach_every_place():
    first, second = (pipeline.crop_corners(0, epoch, 2000, 4) for epoch in (0, 1))
    assert (first != second).any()
    assert (np.bincount(first[:, 0] * 5 + first[:, 1], minlength=25) > 40).all()


@given(st.integers(1, 6), st.integers(2, 9), st.data())
def test_reflection_is_numpys_mirror_at_the_border(count, side, data):
    """Oracle: indices that turn round at the first and the last pixel, which are not doubled."""
    margin = data.draw(st.integers(0, side - 1))
    images = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    indices = [min(abs(i), 2 * (side - 1) - abs(i)) for i in range(-margin, side + margin)]
    np.testing.assert_array_equal(pipeline.reflected(images, margin), images[:, indices][:, :, indices])


def test_shifted_images_are_windows_of_their_reflection(rgb):
    """Oracle: OpenCV's border of kind reflect 101, sliced; every shift up to 2 occurs, the side stays."""
    batches = pipeline.training_batches(
        (rgb,), lambda images, flips: images, batch_size=5, seed=3, epochs=8, shift=2
    )
    bordered = [cv2.copyMakeBorder(image, 2, 2, 2, 2, cv2.BORDER_REFLECT_101) for image in rgb]
    windows = {
        image[row : row + 8, column : column + 8].tobytes(): (number, row - 2, column - 2)
        for number, image in enumerate(bordered)
        for row in range(5)
        for column in range(5)
    }
    found = [windows[image.numpy().tobytes()] for batch in batches for image in batch]
    assert sorted(number for number, _, _ in found) == sorted(list(range(len(rgb))) * 8)
    for axis in (1, 2):
        assert {place[axis] for place in found} == {-2, -1, 0, 1, 2}


def test_shift_and_crop_go_together(rgb):
    """Oracle: the shape; a crop of 6 from images of 8 that are shifted by up to 1 has 5 places a side."""
    feed = pipeline.training_batches(
        (rgb,), lambda images, flips: images, batch_size=23, seed=0, epochs=30, crop=6, shift=1
    )
    assert {tuple(batch.shape) for batch in feed} == {(23, 6, 6, 3)}
    corners = pipeline.crop_corners(0, 0, 1000, 8 + 2 - 6)
    assert set(np.unique(corners)) == set(range(5))


def test_python_runs_once_in_an_epoch(rgb, monkeypatch):
    """Oracle: the calls of epoch_order, and of a transform, which TensorFlow traces once."""
    calls = {"order": 0, "transform": 0}
    order = pipeline.epoch_order

    def counted(*arguments):
        calls["order"] += 1
        return order(*arguments)

    def transform(images, flips):
        calls["transform"] += 1
        return images, flips

    monkeypatch.setattr(pipeline, "epoch_order", counted)
    feed = pipeline.training_batches((rgb,), transform, batch_size=2, seed=0, epochs=3, shift=1)
    assert len(list(feed)) == 3 * 12
    assert calls == {"order": 3, "transform": 1}


@pytest.mark.parametrize("offset", range(3))
@pytest.mark.parametrize("mode", ["c", "r", None])
def test_arrays_anywhere_in_memory_make_the_same_batches(rgb, tmp_path, offset, mode):
    """Mapped or not, writable or not, aligned or not. Oracle: NumPy; half precision comes out as single."""
    np.save(tmp_path / "rgb.npy", rgb)
    images = np.load(tmp_path / "rgb.npy", mmap_mode=mode)[offset:]
    features = np.linspace(-70000, 70000, len(images) * 5).clip(-65504, 65504).astype("float16")
    features = features.reshape(-1, 5)
    options = {"batch_size": 4, "seed": 1, "epochs": 1}
    feed = pipeline.training_batches((images, features), lambda *batch: batch, **options)
    order, _ = pipeline.epoch_order(1, 0, len(images), False)
    made, made_features, _ = (np.concatenate(part) for part in zip(*feed, strict=True))
    np.testing.assert_array_equal(made, rgb[offset:][order])
    np.testing.assert_array_equal(made_features, features[order].astype("float32"))
    assert made_features.dtype == "float32"


@given(st.integers(1, 9), st.integers(0, 8), st.integers(1, 25), st.integers(0, 99))
def test_windows_of_the_graph_are_those_of_numpy(side, shift, crop, seed):
    """Oracle: cropped and reflected."""
    shift = min(shift, side - 1)
    crop = min(crop, side + 2 * shift)
    images = np.random.default_rng(seed).integers(0, 256, (4, side, side, 3), dtype=np.uint8)
    corners = pipeline.crop_corners(seed, 0, 4, side + 2 * shift - crop)
    expected = pipeline.cropped(pipeline.reflected(images, shift), corners, crop)
    made = tf_feed._windows(tf.constant(images), tf.constant(corners - shift), crop)
    np.testing.assert_array_equal(made, expected)
