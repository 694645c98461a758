"""The batches of a training, on each backend."""

import keras

from colorization.datasets import pipeline
from colorization.training import on_device


def epoch_of_batches(arrays, transform, config, epoch=0):
    """The batches of an epoch of training, as tensors of Keras's backend.

    Args:
        arrays: tuple of NumPy arrays.
        transform: as in pipeline.training_batches.
        config: a Config.
        epoch: its number.
    """
    if keras.backend.backend() != "jax":
        yield from pipeline.training_batches(
            arrays,
            transform,
            batch_size=config.batch_size,
            seed=config.seed,
            epochs=epoch + 1,
            first_epoch=epoch,
            flip=config.flip,
            crop=config.image_size if config.crop_from else None,
            shift=config.shift,
        )
        return
    batches, make = _compiled_feed(arrays, transform, config)
    for piece in batches.pieces(epoch):
        for start, size in piece.parts:
            yield make(piece.arrays, piece.plan, start, size)


_FEEDS = {}


def _compiled_feed(arrays, transform, config):
    """on_device.Batches and its compiled make, the same for a second epoch."""
    import jax

    key = (arrays[0].ctypes.data, transform, config)
    if key not in _FEEDS:
        batches = on_device.Batches(arrays, transform, config)
        _FEEDS[key] = batches, jax.jit(batches.make, static_argnums=3)
    return _FEEDS[key]
