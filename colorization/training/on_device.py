"""Training on JAX with the data on the device: the training step makes its own batch from row numbers.

The host only sends the order of an epoch. It neither converts batches nor waits for the loss of a step.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from colorization.core.config import Config
from colorization.core.typing import Tensor
from colorization.datasets import pipeline

_SHARE = 0.25  # of the device's memory for the data
_UNKNOWN = 2**30  # bytes for the data on a device that does not state its memory, such as a CPU


def fits(*tables: Sequence[Any]) -> bool:
    """Whether arrays fit on the device, and the backend is JAX on one device.

    Args:
        tables: tuples of arrays.

    Returns:
        True if train_epochs can be used.
    """
    if keras.backend.backend() != "jax" or keras.distribution.distribution() is not None:
        return False
    import jax

    memory = jax.local_devices()[0].memory_stats() or {}
    room = _SHARE * memory["bytes_limit"] if "bytes_limit" in memory else _UNKNOWN
    return sum(_plain(array).nbytes for table in tables for array in table) <= room


def train_epochs(
    model: keras.Model,
    train: Sequence[Any],
    dev: Sequence[Any],
    transform: Callable,
    config: Config,
    first_epoch: int,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Train like model.fit on pipeline.training_batches and dev_batches: the same batches in the same order.

    Args:
        model: a compiled keras.Model.
        train, dev: tuples of arrays of equal length.
        transform: as in pipeline.training_batches; here it is compiled.
        config: a Config.
        first_epoch: number of the first epoch to train.
        callbacks: Keras callbacks. At each step they receive the loss as an array that may not be computed
            yet.
    """
    import jax

    batch = Batches(train, transform, config)
    dev_data = _dev_batches(dev, transform, config.dev_batch_size)
    model._symbolic_build(data_batch=dev_data[0])  # as in Keras's own fit, for the metrics

    train_step = compiled_step(model, batch)

    @jax.jit
    def dev_step(weights, metrics, data):
        return model.test_step((*weights, metrics), data)[1][2]

    hooks = keras.callbacks.CallbackList(callbacks, model=model, epochs=config.epochs)
    model.stop_training = False
    hooks.on_train_begin()
    for epoch in range(first_epoch, config.epochs):
        hooks.on_epoch_begin(epoch)
        model.reset_metrics()
        groups = _groups(model)
        state, plan = _values(groups), batch.plan(epoch)
        try:
            for i, start in enumerate(range(0, batch.count, config.batch_size)):
                size = min(config.batch_size, batch.count - start)
                loss, state = train_step(state, batch.arrays, plan, start, size)
                for callback in callbacks:
                    callback.on_train_batch_end(i, {"loss": loss})
        finally:  # the earlier values of the variables were donated
            _set(groups, state)
        logs = dict(model.get_metrics_result())

        model.reset_metrics()
        trained, kept, _, metrics = _values(groups)
        for data in dev_data:
            metrics = dev_step((trained, kept), metrics, data)
        _set(groups[3:], [metrics])
        logs.update({f"val_{name}": value for name, value in model.get_metrics_result().items()})
        hooks.on_epoch_end(epoch, {name: float(value) for name, value in logs.items()})
        if model.stop_training:
            break
    hooks.on_train_end()


def compiled_step(model: keras.Model, batches: "Batches") -> Callable:
    """The compiled training step. The memory of the state is donated.

    Args:
        model: a compiled keras.Model.
        batches: the Batches.

    Returns:
        Function of state, arrays, plan, start and size (see Batches.make) that returns running loss and
        state.
    """
    import jax

    @functools.partial(jax.jit, static_argnames="size", donate_argnums=0)
    def step(state, arrays, plan, start, size):
        logs, state = model.train_step(state, batches.make(arrays, plan, start, size))
        return logs["loss"], state

    return step


class Batches:
    """Training arrays on the device, and the batches of an epoch.

    Attributes:
        arrays: tuple of arrays on the device. They are arguments of make, since captured arrays would be
            compiled into a function as constants.
        count: items.
    """

    def __init__(self, arrays: Sequence[Any], transform: Callable, config: Config):
        import jax

        self.arrays, self.count = tuple(jax.device_put(_plain(array)) for array in arrays), len(arrays[0])
        self.transform, self.config = transform, config
        side = config.image_size if config.crop_from else arrays[0].shape[1]
        self.side = side if config.crop_from or config.shift else 0

    def plan(self, epoch: int) -> dict[str, Tensor]:
        """The random choices of an epoch, on the device.

        Args:
            epoch: number of the epoch, from 0.

        Returns:
            {"order": (N,) int32, "flips": (N,) bool} and, for cropped images, "corners": (N, 2) int32.
        """
        import jax

        seed = self.config.seed
        order, flips = pipeline.epoch_order(seed, epoch, self.count, self.config.flip)
        plan = {"order": order.astype("int32"), "flips": flips}
        if self.side:
            room = self.arrays[0].shape[1] + 2 * self.config.shift - self.side
            plan["corners"] = pipeline.crop_corners(seed, epoch, self.count, room).astype("int32")
        return jax.device_put(plan)

    def make(self, arrays: Sequence[Tensor], plan: dict[str, Tensor], start: int, size: int) -> Any:
        """Make a batch from consecutive positions of an epoch.

        Args:
            arrays: the arrays on the device.
            plan: result of `plan`.
            start: first position.
            size: number of items.

        Returns:
            The result of the transform.
        """
        import jax

        part = {name: jax.lax.dynamic_slice_in_dim(array, start, size) for name, array in plan.items()}
        first, *rest = (_widened(array[part["order"]]) for array in arrays)
        if self.side:
            first = _cropped(first, part["corners"], self.side, self.config.shift)
        return self.transform(first, *rest, part["flips"])


def _cropped(images: Tensor, corners: Tensor, side: int, shift: int) -> Tensor:
    """pipeline.cropped of pipeline.reflected images."""
    import jax

    images = ops.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)), "reflect") if shift else images

    def crop(image, corner):
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), (side, side, image.shape[2]))

    return jax.vmap(crop)(images, corners)


def _dev_batches(arrays: Sequence[Any], transform: Callable, batch_size: int) -> list[Any]:
    """The transformed batches of the dev items, on the device."""
    import jax

    made = jax.jit(lambda *batch: transform(*map(_widened, batch[:-1]), batch[-1]))
    return [
        made(*(_plain(array)[start : start + batch_size] for array in arrays), np.zeros(count, bool))
        for start in range(0, len(arrays[0]), batch_size)
        for count in [min(batch_size, len(arrays[0]) - start)]
    ]


def _groups(model):
    """The lists of variables of Keras's training step, in its order."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def _values(groups):
    return tuple([variable.value for variable in group] for group in groups)  # a tuple, as the step returns


def _set(groups, state):
    for variables, values in zip(groups, state, strict=True):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _plain(array):
    """The NumPy array itself; of frozen_features.Stored its float16 values."""
    return getattr(array, "values", array)


def _widened(array):
    return ops.cast(array, "float32") if array.dtype == "float16" else array
