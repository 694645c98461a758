"""From arrays in memory to training batches: for the colorizers uint8 RGB -> lightness and ab.

The order, and why:

1. cache: the arrays are in memory, or mapped from the disk, decoded once (CIFAR-10: 154 MB as uint8;
   Lab would need four times as much).
2. shuffle: each epoch has its own permutation, drawn from (seed, epoch) only. With a shuffle buffer the
   order would depend on the start of the run. This order is the same after a resume and on every backend.
3. batch: by these indices, so that the arrays are read by one gather.
4. shift, crop and flip: drawn like the permutation, for the same reason. They come before Lab, which has
   four times the bytes.
5. Lab, or another input of the model: on whole batches, vectorized, in parallel with the training step.
6. prefetch: last, so that a batch is ready for the device.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from colorization.core import bins, color
from colorization.core.color_prior import ColorPrior
from colorization.core.typing import Tensor


def epoch_order(seed: int, epoch: int, count: int, flip: bool) -> tuple[np.ndarray, np.ndarray]:
    """The order of the items in an epoch, and which of them are mirrored.

    Args:
        seed: of the training.
        epoch: number of the epoch, from 0.
        count: number of items.
        flip: whether a random half is mirrored.

    Returns:
        (count,) int64 permutation and (count,) bool. They depend on the arguments only.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(count)
    return order, generator.random(count) < 0.5 if flip else np.zeros(count, bool)


def crop_corners(seed: int, epoch: int, count: int, room: int) -> np.ndarray:
    """The position of each item's crop in an epoch.

    Args:
        seed: of the training.
        epoch: number of the epoch, from 0.
        count: number of items.
        room: greatest position, in pixels.

    Returns:
        (count, 2) int64 in 0..room: row and column.
    """
    return np.random.default_rng([seed, epoch, 1]).integers(0, room + 1, (count, 2))


def training_batches(
    arrays: Sequence[Any],
    transform: Callable,
    *,
    batch_size: int,
    seed: int,
    epochs: int,
    first_epoch: int = 0,
    flip: bool = False,
    crop: int | None = None,
    shift: int = 0,
) -> Any:
    """The training batches of the epochs from `first_epoch` to `epochs` - 1, one epoch after the other.

    Args:
        arrays: NumPy arrays of equal length, one row for each item.
        transform: function of a batch of each array and of flips, (B,) bool, written in keras.ops. It returns
            the input of model.fit.
        batch_size: items in a batch; the last batch of an epoch may be smaller.
        seed: of the orders, crops and flips.
        epochs: number of epochs of the whole training.
        first_epoch: number of the first epoch here.
        flip: whether a random half of the images is mirrored in each epoch.
        crop: side of random square crops of the first array, (N, H, W, C) images; None uses whole images.
        shift: greatest random shift of the images of the first array, in pixels, with reflection at the
            border.

    Returns:
        On TensorFlow a tf.data.Dataset; on other Keras backends a generator of the same batches in the same
        order.
    """
    first, *rest = arrays
    side = crop or first.shape[1]
    room = first.shape[1] + 2 * shift - side

    def rows():
        count = len(first)
        for epoch in range(first_epoch, epochs):
            order, flips = epoch_order(seed, epoch, count, flip)
            corners = crop_corners(seed, epoch, count, room) if room else None
            for start in range(0, count, batch_size):
                part = slice(start, start + batch_size)
                images = first[order[part]]
                if room:
                    images = cropped(reflected(images, shift), corners[part], side)
                yield images, *(array[order[part]] for array in rest), flips[part]

    shapes = [array.shape[1:] for array in arrays]
    if room:
        shapes[0] = (side, side, *shapes[0][2:])
    return _feed(arrays, transform, rows, shapes)


def reflected(images: np.ndarray, margin: int) -> np.ndarray:
    """Enlarge images by reflection at their borders.

    Args:
        images: (B, H, W, C).
        margin: number of pixels on each side.

    Returns:
        (B, H + 2 margin, W + 2 margin, C).
    """
    return (
        np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), "reflect") if margin else images
    )


def cropped(images: np.ndarray, corners: np.ndarray, side: int) -> np.ndarray:
    """Crop each image at its own position.

    Args:
        images: (B, H, W, C).
        corners: (B, 2) int, row and column.
        side: side of the crops, in pixels.

    Returns:
        (B, side, side, C).
    """
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), axis=(1, 2))
    return np.moveaxis(windows[np.arange(len(images)), corners[:, 0], corners[:, 1]], 1, -1)


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Number of batches in an epoch.

    Args:
        count: number of items.
        batch_size: items in a batch.

    Returns:
        count / batch_size, rounded up.
    """
    return -(-count // batch_size)


def dev_batches(arrays: Sequence[Any], transform: Callable, batch_size: int) -> Any:
    """The validation data of model.fit: each item once, in order.

    Args:
        arrays: NumPy arrays of equal length, one row for each item.
        transform: as in training_batches.
        batch_size: items in a batch; the last batch may be smaller.

    Returns:
        On TensorFlow a tf.data.Dataset of batches; on other backends the transformed items as NumPy arrays.
    """

    def rows():
        for start in range(0, len(arrays[0]), batch_size):
            chosen = tuple(array[start : start + batch_size] for array in arrays)
            yield *chosen, np.zeros(len(chosen[0]), bool)

    feed = _feed(arrays, transform, rows, [array.shape[1:] for array in arrays])
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        steps = steps_per_epoch(len(arrays[0]), batch_size)
        return feed.apply(tf.data.experimental.assert_cardinality(steps))
    return tuple(np.concatenate(list(map(ops.convert_to_numpy, parts))) for parts in zip(*feed, strict=True))


def to_lightness_and_ab(rgb: Tensor, flips: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Split images into lightness and color.

    Args:
        rgb: (B, H, W, 3) uint8.
        flips: (B,) bool, the images to mirror from left to right; None mirrors no image.

    Returns:
        L, (B, H, W, 1) float32 in 0..100, and ab, (B, H, W, 2) float32.
    """
    lab = color.rgb_to_lab(rgb if flips is None else mirrored(rgb, flips))
    return lab[..., :1], lab[..., 1:]


def mirrored(images: Tensor, flips: Tensor) -> Tensor:
    """Mirror some images from left to right.

    Args:
        images: (B, H, W, C).
        flips: (B,) bool, the images to mirror.

    Returns:
        (B, H, W, C).
    """
    return ops.where(ops.reshape(flips, (-1, 1, 1, 1)), ops.flip(images, axis=2), images)


def measure_color_prior(images: np.ndarray, chunk: int = 256) -> ColorPrior:
    """Measure the ColorPrior of images.

    Args:
        images: (N, H, W, 3) uint8.
        chunk: images converted at once.

    Returns:
        ColorPrior.
    """
    counts, total = np.zeros(bins.COUNT, "int64"), np.zeros(2)
    for start in range(0, len(images), chunk):
        ab = color.rgb_to_lab(images[start : start + chunk])[..., 1:]
        nearest = ops.convert_to_numpy(bins.nearest(ab))
        counts += np.bincount(nearest.ravel(), minlength=bins.COUNT)
        total += ops.convert_to_numpy(ab).sum(axis=(0, 1, 2), dtype="float64")
    return ColorPrior(counts, total / counts.sum())


def _feed(arrays, transform, rows, shapes):
    if keras.backend.backend() == "tensorflow":
        return _dataset(arrays, transform, rows, shapes)
    return (transform(*parts) for parts in rows())


def _dataset(arrays, transform, rows, shapes):
    import tensorflow as tf

    signature = [
        tf.TensorSpec([None, *shape], array.dtype) for array, shape in zip(arrays, shapes, strict=True)
    ]
    return (
        tf.data.Dataset.from_generator(rows, output_signature=(*signature, tf.TensorSpec([None], tf.bool)))
        # AUTOTUNE was seen to settle on a single thread, at half the rate
        .map(transform, num_parallel_calls=os.cpu_count(), deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )
