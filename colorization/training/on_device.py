"""Training on JAX with the data on the device: the training step makes its own batch from row numbers.

The host only sends the order of an epoch. It neither converts batches nor waits for the loss of a step.
Arrays that do not fit into a share of the device's memory come in large pieces. Each piece is sent while the
one before trains.
"""

import concurrent.futures
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from colorization.core.config import Config
from colorization.core.typing import Tensor
from colorization.datasets import pipeline
from colorization.training.callbacks import Hooks

_SHARE = 0.25  # of the device's memory for the data
_UNKNOWN = 2**30  # bytes for the data on a device that does not state its memory, such as a CPU
_PIECES = 4  # pieces in that share: one in use, one waiting, one on its way, one to be freed


def is_possible() -> bool:
    """Whether this module can train: on JAX, on one device."""
    return keras.backend.backend() == "jax" and keras.distribution.distribution() is None


def room() -> int:
    """Bytes of the device's memory that data may take."""
    import jax

    memory = jax.local_devices()[0].memory_stats() or {}
    return int(_SHARE * memory["bytes_limit"]) if "bytes_limit" in memory else _UNKNOWN


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
    held_out = DevBatches(dev, transform, config.dev_batch_size, room())
    batches = Batches(train, transform, config, max(room() - held_out.size, 0))
    model._symbolic_build(data_batch=held_out.shapes())  # as in Keras's own fit, for the metrics
    train_step, dev_step = compiled_step(model, batches), _compiled_dev_step(model, held_out)

    hooks = Hooks(callbacks, model=model, epochs=config.epochs)
    model.stop_training = False
    hooks.on_train_begin()
    for epoch in range(first_epoch, config.epochs):
        hooks.on_epoch_begin(epoch)
        logs = _train_epoch(model, train_step, batches, epoch, hooks)
        logs |= {f"val_{name}": value for name, value in _evaluate(model, dev_step, held_out).items()}
        hooks.on_epoch_end(epoch, {name: float(value) for name, value in logs.items()})
        if model.stop_training:
            break
    hooks.on_train_end()


def _train_epoch(model, train_step, batches, epoch, hooks):
    """{name: value} of the metrics after an epoch."""
    model.reset_metrics()
    groups = variable_groups(model)
    state, number, waiting = values_of(groups), 0, None
    try:
        for piece in batches.pieces(epoch):
            for start, size in piece.parts:
                loss, state = train_step(state, piece.arrays, piece.plan, start, size)
                hooks.on_train_batch_end(number, {"loss": loss})
                number += 1
            if waiting is not None:
                waiting.block_until_ready()  # else all pieces would soon be on the device
            waiting = loss
    finally:  # the earlier values of the variables were donated
        _set(groups, state)
    return dict(model.get_metrics_result())


def _evaluate(model, dev_step, held_out):
    """{name: value} of the metrics of the dev items."""
    model.reset_metrics()
    trained, kept, _, metrics = values_of(variable_groups(model))
    for piece in held_out.pieces(0):
        for start, size in piece.parts:
            metrics = dev_step((trained, kept), metrics, piece.arrays, piece.plan, start, size)
    _set(variable_groups(model)[3:], [metrics])
    return dict(model.get_metrics_result())


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


def _compiled_dev_step(model, held_out):
    import jax

    @functools.partial(jax.jit, static_argnames="size")
    def step(weights, metrics, arrays, plan, start, size):
        return model.test_step((*weights, metrics), held_out.make(arrays, plan, start, size))[1][2]

    return step


class Piece(NamedTuple):
    """Items on the device, and the batches among them.

    Attributes:
        arrays: tuple of arrays.
        plan: {name: array}, as of Batches.plan; its order counts rows of `arrays`.
        parts: (start, size) of each batch in the plan.
    """

    arrays: tuple[Tensor, ...]
    plan: dict[str, Tensor]
    parts: list[tuple[int, int]]


class _Feed:
    """Arrays and their batches. Subclasses define plan.

    Attributes:
        arrays: tuple of arrays on the device, or of NumPy arrays if they do not fit. They are arguments of
            make, since captured arrays would be compiled into a function as constants.
        count: items.
        size: bytes on the device.
    """

    def __init__(self, arrays: Sequence[Any], transform: Callable, batch_size: int, room: int):
        import jax

        self.count, self.transform, self.batch_size = len(arrays[0]), transform, batch_size
        nbytes = sum(array.nbytes for array in arrays)
        self.is_resident, self.size = nbytes <= room, min(nbytes, room)
        steps = max(1, room * self.count // max(nbytes, 1) // _PIECES // batch_size)
        self.piece = self.count if self.is_resident else min(self.count, steps * batch_size)
        self.arrays = tuple(map(jax.device_put, arrays)) if self.is_resident else tuple(arrays)
        self.side = self.shift = 0

    def plan(self, epoch: int) -> Mapping[str, np.ndarray]:
        """{name: array of `count` rows} of an epoch: order, flips and, for cropped images, corners."""
        raise NotImplementedError

    def pieces(self, epoch: int) -> Iterator[Piece]:
        """The Pieces of an epoch, in order. The next one is sent while one is in use."""
        plan = {name: _narrow(part) for name, part in self.plan(epoch).items()}
        with concurrent.futures.ThreadPoolExecutor(1) as thread:
            coming = thread.submit(self._piece, plan, 0)
            for begin in range(0, self.count, self.piece):
                piece = coming.result()
                if begin + self.piece < self.count:
                    coming = thread.submit(self._piece, plan, begin + self.piece)
                yield piece

    def make(self, arrays: Sequence[Tensor], plan: Mapping[str, Tensor], start: int, size: int) -> Any:
        """The `size` items from position `start` of a plan, as the transform returns them."""
        import jax

        part = {name: jax.lax.dynamic_slice_in_dim(array, start, size) for name, array in plan.items()}
        first, *rest = (pipeline.widened(array[part["order"]]) for array in arrays)
        if self.side:
            first = _cropped(first, part["corners"], self.side, self.shift)
        return self.transform(first, *rest, part["flips"])

    def _piece(self, plan, begin):
        """The Piece from position `begin` of an epoch. The last one begins earlier: all have one shape."""
        import jax

        first = min(begin, self.count - self.piece)
        part = {name: array[first : first + self.piece] for name, array in plan.items()}
        arrays = self.arrays
        if not self.is_resident:
            rows, order = np.unique(part["order"], return_inverse=True)  # in the order of the disk
            part["order"] = order.astype("int32")
            arrays = tuple(jax.device_put(array[rows]) for array in arrays)
        starts = range(begin - first, self.piece, self.batch_size)
        parts = [(start, min(self.batch_size, self.piece - start)) for start in starts]
        return Piece(arrays, jax.device_put(part), parts)


class Batches(_Feed):
    """The training batches of a config.

    Args:
        arrays: tuple of arrays of equal length.
        transform: as in pipeline.training_batches.
        config: a Config.
        room: bytes on the device for the arrays.
    """

    def __init__(self, arrays: Sequence[Any], transform: Callable, config: Config, room: int = _UNKNOWN):
        super().__init__(arrays, transform, config.batch_size, room)
        self.config = config
        if config.crop_from or config.shift:
            self.side = config.image_size if config.crop_from else arrays[0].shape[1]
            self.shift = config.shift

    def plan(self, epoch: int) -> dict[str, np.ndarray]:
        """The pipeline.epoch_plan of the config.

        Args:
            epoch: number of the epoch, from 0.

        Returns:
            {name: array of `count` rows}.
        """
        room = self.arrays[0].shape[1] + 2 * self.shift - self.side if self.side else None
        return pipeline.epoch_plan(self.config.seed, epoch, self.count, self.config.flip, room)


class DevBatches(_Feed):
    """Each item once, in order, unchanged."""

    def plan(self, epoch: int) -> dict[str, np.ndarray]:
        """The plan of the dev items, the same for all epochs.

        Args:
            epoch: number of the epoch; it has no effect.

        Returns:
            {"order": (count,) int64 in 0..count - 1, "flips": (count,) bool, all False}.
        """
        return {"order": np.arange(self.count), "flips": np.zeros(self.count, bool)}

    def shapes(self) -> Any:
        """The shapes and dtypes of a batch."""
        import jax

        piece = next(self.pieces(0))
        return jax.eval_shape(lambda: self.make(piece.arrays, piece.plan, *piece.parts[0]))


def _cropped(images: Tensor, corners: Tensor, side: int, shift: int) -> Tensor:
    """pipeline.cropped of pipeline.reflected images."""
    import jax

    images = ops.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)), "reflect") if shift else images

    def crop(image, corner):
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), (side, side, image.shape[2]))

    return jax.vmap(crop)(images, corners)


def variable_groups(model: keras.Model) -> tuple[list[Any], ...]:
    """The variables that Keras's training step takes and returns.

    Args:
        model: a compiled keras.Model.

    Returns:
        Lists of Keras variables, in this order: trainable, non-trainable, of the optimizer, of the metrics.
    """
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def values_of(groups: Sequence[Sequence[Any]]) -> tuple[list[Tensor], ...]:
    """The values of lists of variables, as the compiled step takes and returns them.

    Args:
        groups: lists of Keras variables, see variable_groups.

    Returns:
        Lists of tensors, in the same order.
    """
    return tuple([variable.value for variable in group] for group in groups)


def _set(groups, state):
    for variables, values in zip(groups, state, strict=True):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def _narrow(array):
    return array.astype("int32") if array.dtype == "int64" else array
