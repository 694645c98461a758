"""From arrays in memory to training batches: for the colorizers uint8 RGB -> lightness and ab.

The order, and why:

1. cache: the arrays are in memory, or mapped from the disk, decoded once (CIFAR-10: 154 MB as uint8;
   Lab would take four times as much).
2. shuffle: each epoch has its own permutation, drawn from (seed, epoch) alone. A shuffle buffer would make
   the order depend on where the run was started; this one is the same after a resume and on every backend.
3. batch: by those indices, so that one gather is all that touches the arrays.
4. shift, crop and flip: drawn like the permutation, for the same reason; before Lab, which has four times
   the bytes.
5. Lab, or what else the model wants: on whole batches, vectorised, in parallel with the training step.
6. prefetch: last, so that a batch waits ready for the device.

On TensorFlow all of this is a graph of tf.data. Python draws the plan of an epoch, once, while the epoch
before is trained. On JAX the training makes its batches on the device (training.on_device).
"""

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
    """Which item comes when in an epoch, and which are mirrored.

    Returns:
        (count,) int64 permutation and (count,) bool, functions of the arguments alone.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(count)
    return order, generator.random(count) < 0.5 if flip else np.zeros(count, bool)


def crop_corners(seed: int, epoch: int, count: int, room: int) -> np.ndarray:
    """(count, 2) int64 in 0..room: where in an epoch each item's crop begins, down and to the right."""
    return np.random.default_rng([seed, epoch, 1]).integers(0, room + 1, (count, 2))


def epoch_plan(seed: int, epoch: int, count: int, flip: bool, room: int | None) -> dict[str, np.ndarray]:
    """{name: array of `count` rows}: order and flips of an epoch; corners of crops unless room is None."""
    order, flips = epoch_order(seed, epoch, count, flip)
    plan = {"order": order, "flips": flips}
    return plan if room is None else {**plan, "corners": crop_corners(seed, epoch, count, room)}


def training_batches(
    arrays,
    transform,
    *,
    batch_size,
    seed,
    epochs,
    first_epoch=0,
    flip=False,
    crop=None,
    shift=0,
    device=None,
):
    """The training batches of every epoch from `first_epoch` on, one epoch after the other, `epochs` in all.

    On TensorFlow a tf.data.Dataset; on other Keras backends a generator of the same batches in that order.

    Args:
        arrays: NumPy arrays of equal length, one row an item. float16 comes out as float32.
        transform: function of a batch of each array and of flips, (B,) bool, written in keras.ops; what it
            returns is what model.fit takes.
        batch_size: items a batch; the last of an epoch may be smaller.
        crop: side of random square crops of the first array, (N, H, W, C) images; None takes them whole.
        shift: pixels by which the first array's images are moved at most, with reflection at the border.
        device: name of a TensorFlow device to send the batches to in advance; None leaves them in memory.
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
    """(B, H + 2 margin, W + 2 margin, C) of (B, H, W, C) images, reflected at their borders."""
    return (
        np.pad(images, ((0, 0), (margin, margin), (margin, margin), (0, 0)), "reflect") if margin else images
    )


def cropped(images: np.ndarray, corners: np.ndarray, side: int) -> np.ndarray:
    """(B, side, side, C) of (B, H, W, C) images, each from its own corner, (B, 2) row and column."""
    windows = np.lib.stride_tricks.sliding_window_view(images, (side, side), axis=(1, 2))
    return np.moveaxis(windows[np.arange(len(images)), corners[:, 0], corners[:, 1]], 1, -1)


def steps_per_epoch(count: int, batch_size: int) -> int:
    """Batches in an epoch of `count` items."""
    return -(-count // batch_size)


def dev_batches(arrays, transform, batch_size, device=None):
    """What model.fit takes as validation data: each item once, in order, in batches.

    Returns:
        A tf.data.Dataset on TensorFlow; on other backends all that transform returns, as NumPy arrays.
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
    """float16 values, as frozen features are stored, as float32; other arrays unchanged."""
    return ops.cast(array, "float32") if array.dtype == "float16" else array


def to_lightness_and_ab(rgb: Tensor, flips: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """L (B, H, W, 1) and ab (B, H, W, 2) of (B, H, W, 3) uint8 RGB, mirrored where flips (B,) is true."""
    lab = color.rgb_to_lab(rgb if flips is None else mirrored(rgb, flips))
    return lab[..., :1], lab[..., 1:]


def mirrored(images: Tensor, flips: Tensor) -> Tensor:
    """(B, H, W, C) images, from left to right where flips (B,) is true."""
    return ops.where(ops.reshape(flips, (-1, 1, 1, 1)), ops.flip(images, axis=2), images)


def measure_color_prior(images: np.ndarray) -> ColorPrior:
    """The ColorPrior of (N, H, W, 3) uint8 images, or of a sample of them.

    The sample is every n-th image, with the least n that leaves at most about 2**26 pixels (65,536 images of
    32 x 32): of smaller sets all. Each different color is converted once.
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
