"""From uint8 RGB images to training batches of lightness and ab.

The order, and why:
1. cache: the uint8 images stand in memory, decoded once (CIFAR-10: 154 MB; Lab would take four times as
   much).
2. shuffle: each epoch has its own permutation, drawn from (seed, epoch) alone. A shuffle buffer would make the
   order depend on where the run was started; this one is the same after a resume and on every backend.
3. flip: drawn with the permutation, for the same reason; before Lab, on a quarter of the bytes.
4. batch: by indices, so that only one gather touches the images.
5. Lab: on whole batches, vectorised, in parallel with the training step.
6. prefetch: the last, so that a batch waits ready for the device.
"""

import keras
import numpy as np
from keras import ops

from . import color


def epoch_order(seed, epoch, count, flip):
    """Which image comes when in an epoch, and which are mirrored.

    Returns:
        (count,) int64 permutation and (count,) bool, functions of the arguments alone.
    """
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(count)
    return order, generator.random(count) < 0.5 if flip else np.zeros(count, bool)


def training_batches(images, *, batch_size, seed, epochs, first_epoch=0, flip=False):
    """The training batches of every epoch from `first_epoch` on, one epoch after the other, `epochs` in all.

    On TensorFlow a tf.data.Dataset; on other Keras backends a generator of the same batches in that order.

    Args:
        images: (N, H, W, 3) uint8 RGB.
        batch_size: images a batch; the last of an epoch may be smaller.

    Yields:
        (B, H, W, 1) float32 L in 0..100 and (B, H, W, 2) float32 ab.
    """

    def choices():
        for epoch in range(first_epoch, epochs):
            order, flips = epoch_order(seed, epoch, len(images), flip)
            for start in range(0, len(images), batch_size):
                yield order[start : start + batch_size], flips[start : start + batch_size]

    return _feed(images, choices)


def steps_per_epoch(count, batch_size):
    """Batches in an epoch of `count` images."""
    return -(-count // batch_size)


def dev_batches(images, batch_size):
    """What model.fit takes as validation data: each image once, in order, in batches.

    Returns:
        A tf.data.Dataset on TensorFlow; on other backends all (L, ab) as one pair of arrays.
    """

    def choices():
        for start in range(0, len(images), batch_size):
            stop = min(start + batch_size, len(images))
            yield np.arange(start, stop), np.zeros(stop - start, bool)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return _feed(images, choices).apply(
            tf.data.experimental.assert_cardinality(steps_per_epoch(len(images), batch_size))
        )
    pairs = list(_feed(images, choices))
    return tuple(np.concatenate([ops.convert_to_numpy(pair[i]) for pair in pairs]) for i in range(2))


def to_lightness_and_ab(rgb, flips):
    """L (B, H, W, 1) and ab (B, H, W, 2) of (B, H, W, 3) uint8 RGB, mirrored where flips (B,) is true."""
    rgb = ops.where(ops.reshape(flips, (-1, 1, 1, 1)), ops.flip(rgb, axis=2), rgb)
    lab = color.rgb_to_lab(rgb)
    return lab[..., :1], lab[..., 1:]


def _feed(images, choices):
    if keras.backend.backend() == "tensorflow":
        return _dataset(images, choices)
    return (to_lightness_and_ab(images[order], flips) for order, flips in choices())


def _dataset(images, choices):
    import tensorflow as tf

    with tf.device("CPU"):  # where tf.data runs: the images must not be copied to and from a GPU
        images = tf.constant(images)
    signature = (tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.bool))
    return (
        tf.data.Dataset.from_generator(choices, output_signature=signature)
        .map(
            lambda order, flips: to_lightness_and_ab(tf.gather(images, order), flips),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .prefetch(tf.data.AUTOTUNE)
    )
