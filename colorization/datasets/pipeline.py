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

On TensorFlow all of this is a graph of tf.data. Python draws the plan of an epoch, once, while the epoch
before is trained. On JAX the training makes its batches on the device (training.on_device).
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from colorization.core import bins, color
from colorization.core.color_prior import ColorPrior
from colorization.core.typing import Tensor
from colorization.datasets import tf_feed

_PRIOR_PIXELS = 2**26  # at most, in the sample of a color prior
_PRIOR_IMAGES = 256  # counted at once
_PRIOR_CHUNK = 2**18  # colors converted at once


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


def epoch_plan(seed: int, epoch: int, count: int, flip: bool, room: int | None) -> dict[str, np.ndarray]:
    """The order, the flips and the crops of an epoch.

    Args:
        seed: of the training.
        epoch: number of the epoch, from 0.
        count: number of items.
        flip: whether a random half is mirrored.
        room: greatest position of a crop, in pixels; None for whole images.

    Returns:
        {"order": (count,) int64, "flips": (count,) bool, "corners": (count, 2) int64}. There are no corners
        if `room` is None.
    """
    order, flips = epoch_order(seed, epoch, count, flip)
    plan = {"order": order, "flips": flips}
    return plan if room is None else {**plan, "corners": crop_corners(seed, epoch, count, room)}


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
    device: str | None = None,
) -> Any:
    """The training batches of the epochs from `first_epoch` to `epochs` - 1, one epoch after the other.

    Args:
        arrays: NumPy arrays of equal length, one row for each item. float16 is converted to
            float32.
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
        device: name of a TensorFlow device to send the batches to in advance; None leaves them in memory.

    Returns:
        On TensorFlow a tf.data.Dataset; on other Keras backends a generator of the same batches in the same
        order.
    """
    count, side = len(arrays[0]), (crop or arrays[0].shape[1]) if crop or shift else 0
    room = arrays[0].shape[1] + 2 * shift - side if side else None

    def plan(epoch):
        return epoch_plan(seed, int(epoch), count, flip, room)

    if keras.backend.backend() == "tensorflow":
        chosen = range(first_epoch, epochs)
        return tf_feed.training_dataset(arrays, transform, plan, chosen, batch_size, shift, side, device)

    def batches():
        for epoch in range(first_epoch, epochs):
            columns = plan(epoch)
            for start in range(0, count, batch_size):
                yield transform(*_chosen(arrays, columns, slice(start, start + batch_size), shift, side))

    return batches()


def _chosen(arrays, plan, part, shift, side):
    """The rows of a part of an epoch's plan, cropped, and their flips."""
    images, *rest = (widened(array[plan["order"][part]]) for array in arrays)
    if "corners" in plan:
        images = cropped(reflected(images, shift), plan["corners"][part], side)
    return images, *rest, plan["flips"][part]


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


def dev_batches(
    arrays: Sequence[Any], transform: Callable, batch_size: int, device: str | None = None
) -> Any:
    """The validation data of model.fit: each item once, in order.

    Args:
        arrays: NumPy arrays of equal length, one row for each item.
        transform: as in training_batches.
        batch_size: items in a batch; the last batch may be smaller.
        device: as in training_batches.

    Returns:
        On TensorFlow a tf.data.Dataset of batches; on other backends the transformed items as NumPy arrays.
    """
    if keras.backend.backend() == "tensorflow":
        return tf_feed.dev_dataset(arrays, transform, batch_size, device)
    batches = []
    for start in range(0, len(arrays[0]), batch_size):
        chosen = [widened(array[start : start + batch_size]) for array in arrays]
        batches.append(transform(*chosen, np.zeros(len(chosen[0]), bool)))
    return tuple(
        np.concatenate(list(map(ops.convert_to_numpy, parts))) for parts in zip(*batches, strict=True)
    )


def widened(array: Tensor) -> Tensor:
    """Convert float16 to float32. Stored features of frozen layers have the dtype float16.

    Args:
        array: (...) of any dtype.

    Returns:
        (...) float32 of float16; other arrays unchanged.
    """
    return ops.cast(array, "float32") if array.dtype == "float16" else array


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


def measure_color_prior(images: np.ndarray) -> ColorPrior:
    """Measure the ColorPrior of images, or of a sample of them.

    The sample is every n-th image, with the least n that leaves at most about 2**26 pixels (65,536 images of
    32 x 32): of smaller sets all. Each different color is converted once.

    Args:
        images: (N, H, W, 3) uint8.

    Returns:
        ColorPrior.
    """
    step = -(-images[..., 0].size // _PRIOR_PIXELS)
    pixels = _colors(images[::step])
    counts, total = np.zeros(bins.COUNT, "int64"), np.zeros(2)
    different = np.flatnonzero(pixels)
    for start in range(0, len(different), _PRIOR_CHUNK):
        colors = different[start : start + _PRIOR_CHUNK]
        rgb = np.stack([colors >> 16, colors >> 8 & 255, colors & 255], axis=-1).astype("uint8")
        ab = color.rgb_to_lab(rgb)[..., 1:]
        nearest = ops.convert_to_numpy(bins.nearest(ab))
        np.add.at(counts, nearest, pixels[colors])
        total += pixels[colors] @ ops.convert_to_numpy(ab).astype("float64")
    return ColorPrior(counts, total / counts.sum())


def _colors(images):
    """(2**24,) int32, the number of pixels of each 24-bit color."""
    pixels = np.zeros(2**24, "int32")
    for start in range(0, len(images), _PRIOR_IMAGES):
        red, green, blue = np.moveaxis(images[start : start + _PRIOR_IMAGES].astype("int32"), -1, 0)
        np.add.at(pixels, (red << 16 | green << 8 | blue).ravel(), 1)
    return pixels
