"""The training and dev batches as graphs of tf.data, in the order of datasets.pipeline.

This module works with the TensorFlow backend only.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from colorization.core.typing import Tensor

_ALIGNMENT = 64  # bytes, of a tensor's memory; some operations of TensorFlow crash without this alignment


def training_dataset(
    arrays: Sequence[np.ndarray],
    transform: Callable,
    plan: Callable[[int], dict[str, np.ndarray]],
    epochs: range,
    batch_size: int,
    shift: int,
    side: int,
    device: str | None,
) -> Any:
    """The training batches as a tf.data.Dataset, see pipeline.training_batches.

    Args:
        arrays: NumPy arrays of equal length, one row for each item.
        transform: function of a batch of each array and of flips, (B,) bool, written in keras.ops.
        plan: function of the number of an epoch that returns pipeline.epoch_plan. It is the only Python code
            that runs during the training, once in each epoch.
        epochs: numbers of the epochs.
        batch_size: items in a batch; the last batch of an epoch may be smaller.
        shift: greatest random shift of the images of the first array, in pixels.
        side: side of the crops of the first array, in pixels. 0 uses whole images; the plan then has no
            corners.
        device: name of a TensorFlow device to send the batches to in advance; None leaves them in memory.

    Returns:
        tf.data.Dataset of the results of `transform`, one epoch after the other.
    """
    import tensorflow as tf

    tables, count = [_tensor(array) for array in arrays], len(arrays[0])
    columns = {"order": tf.TensorSpec([count], tf.int64), "flips": tf.TensorSpec([count], tf.bool)}
    if side:
        columns["corners"] = tf.TensorSpec([count, 2], tf.int64)

    def draw(epoch):
        def drawn(number):
            columns_of_epoch = plan(int(number))
            return [columns_of_epoch[name] for name in columns]

        parts = tf.numpy_function(drawn, [epoch], [spec.dtype for spec in columns.values()])
        return {
            name: tf.ensure_shape(part, columns[name].shape)
            for name, part in zip(columns, parts, strict=True)
        }

    def parts(drawn):
        starts = tf.data.Dataset.range(0, count, batch_size)
        return starts.map(
            lambda start: {name: part[start : start + batch_size] for name, part in drawn.items()}
        )

    def make(part):
        first, *rest = (_rows(table, part["order"]) for table in tables)
        if side:
            first = _windows(first, part["corners"] - shift, side)
        return transform(first, *rest, part["flips"])

    plans = tf.data.Dataset.range(epochs.start, epochs.stop).map(draw).prefetch(1)
    return _in_parallel(plans.flat_map(parts), make, device)


def dev_dataset(
    arrays: Sequence[np.ndarray], transform: Callable, batch_size: int, device: str | None
) -> Any:
    """The validation batches as a tf.data.Dataset, see pipeline.dev_batches.

    Args:
        arrays: NumPy arrays of equal length, one row for each item.
        transform: as in training_dataset.
        batch_size: items in a batch; the last batch may be smaller.
        device: as in training_dataset.

    Returns:
        tf.data.Dataset of the results of `transform`: each item once, in order.
    """
    import tensorflow as tf

    tables, count = [_tensor(array) for array in arrays], len(arrays[0])

    def make(start):
        rows = tf.range(start, tf.minimum(start + batch_size, count))
        return transform(*(_rows(table, rows) for table in tables), tf.zeros_like(rows, tf.bool))

    return _in_parallel(tf.data.Dataset.range(0, count, batch_size), make, device)


def _tensor(array: np.ndarray) -> Any:
    """A tensor on the CPU. It shares the memory of the array if the alignment suits TensorFlow."""
    import tensorflow as tf

    array = np.ascontiguousarray(array).view()
    with contextlib.suppress(ValueError):
        array.flags.writeable = True  # DLPack rejects read-only arrays. Nothing writes here.
    if array.flags.writeable and array.ctypes.data % _ALIGNMENT == 0:
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    with tf.device("CPU:0"):
        return tf.constant(array)


def _rows(table: Tensor, indices: Tensor) -> Tensor:
    import tensorflow as tf

    rows = tf.gather(table, indices)
    return tf.cast(rows, tf.float32) if rows.dtype == tf.float16 else rows


def _windows(images: Tensor, corners: Tensor, side: int) -> Tensor:
    """Crop each reflected image, as pipeline.cropped does; (B, 2) corners may lie outside of the images."""
    import tensorflow as tf

    for axis in (1, 2):
        size = images.shape[axis]
        period = max(2 * (size - 1), 1)
        places = (corners[:, axis - 1, None] + tf.range(side, dtype=corners.dtype)) % period
        images = tf.gather(images, tf.minimum(places, period - places), axis=axis, batch_dims=1)
    return images


def _in_parallel(dataset, make, device):
    """Map a function over a dataset, in parallel and in order. A device, if given, gets them in advance."""
    import tensorflow as tf

    # AUTOTUNE sometimes chose a single thread, at half the speed
    made = dataset.map(make, num_parallel_calls=os.cpu_count(), deterministic=True).prefetch(tf.data.AUTOTUNE)
    return made if device is None else made.apply(tf.data.experimental.prefetch_to_device(device, 2))
