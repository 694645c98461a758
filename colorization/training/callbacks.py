"""Keras callbacks of a training: its state, its progress, and sample pictures."""

import concurrent.futures
import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tqdm import tqdm

from colorization.core import image_grid
from colorization.core.config import Config
from colorization.core.errors import InputError
from colorization.datasets import pipeline
from colorization.inference import graph
from colorization.models import tasks
from colorization.runs import checkpoint_io, session
from colorization.runs.folder import RunFolder
from colorization.runs.history import best_row
from colorization.training import frozen_features

_SAMPLES = 8  # images in a sample picture
_CHECKED = 100  # steps between two checks of the loss
_SHARE = 0.1  # of the time since the start, for writing


class Hooks(keras.callbacks.CallbackList):
    """Keras's list of callbacks. They get the loss of a step unread: to read it waits for the device."""

    def on_train_batch_end(self, batch, logs=None):
        """Tell all callbacks."""
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)


class Checkpoint(keras.callbacks.Callback):
    """Write the best weights, the history and, last and in one file, the state to resume from. Stop at NaN.

    A thread writes copies while the next epoch trains. If writing has taken more than a tenth of the time so
    far, or still goes on, an epoch is skipped. The best weights stay in memory until the next write.

    Args:
        run: a RunFolder.
    """

    def __init__(self, run: RunFolder):
        super().__init__()
        self.run = run
        self.history: list[dict[str, float]] = []
        self.begun = time.monotonic()
        self.unwritten_best: tuple[dict[str, np.ndarray], int] | None = None
        self.written = 0  # epochs in the state on the disk
        self.spent = 0.0  # seconds of writing
        self.writer = concurrent.futures.ThreadPoolExecutor(1)
        self.writing: concurrent.futures.Future | None = None

    def restore(self, network: Any) -> int:
        """Set model and optimizer to the end of the last epoch that was written.

        Frozen weights are in a separate file, which is written once, before the first epoch.

        Args:
            network: the Network.

        Returns:
            The number of finished epochs.

        Raises:
            InputError: the state is damaged, or does not fit.
        """
        frozen = frozen_features.frozen_variables(network.model)
        if not self.run.has_state():
            if frozen:
                self.run.write_frozen(checkpoint_io.to_arrays(frozen))
            return 0
        if frozen:
            checkpoint_io.assign(frozen, self.run.read_frozen(), self.run)
        groups, self.history = self.run.read_state()
        checkpoint_io.assign(frozen_features.learned_variables(network.trained), groups["model"], self.run)
        checkpoint_io.assign(network.trained.optimizer.variables, groups["optimizer"], self.run)
        for name, variable in _random_states(network.trained).items():
            variable.assign(groups["random"][name])
        self.written = len(self.history)
        self.run.write_history(self.history)
        return len(self.history)

    def on_train_batch_end(self, batch, logs=None):
        """Check the loss of some steps only, as each check waits for the device."""
        if batch % _CHECKED == 0:
            self._check(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        """Check everything, and write it unless writing takes too much of the time."""
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}}
        row["learning_rate"] = float(self.model.optimizer.learning_rate)
        arrays = checkpoint_io.to_arrays(frozen_features.learned_variables(self.model))
        # A sum is finite only if all its terms are finite
        self._check(row["loss"], row["val_loss"], *(array.sum(dtype="float64") for array in arrays.values()))
        self.history.append(row)
        if best_row(self.history, self.run.config.best_by) is row:
            self.unwritten_best = (arrays, epoch + 1)
        if self.may_write():
            self._write(arrays)

    def may_write(self) -> bool:
        """Whether the last write has ended, and writing has not taken too much of the time."""
        is_idle = self.writing is None or self.writing.done()
        return is_idle and self.spent <= _SHARE * (time.monotonic() - self.begun)

    def on_train_end(self, logs=None):
        """Write the last epoch."""
        if self.written < len(self.history):
            self._write(checkpoint_io.to_arrays(frozen_features.learned_variables(self.model)))

    def close(self) -> None:
        """Wait for the last write. Write the best weights, with the history, if they are still in memory."""
        self.writer.shutdown()
        if self.writing is not None:
            self.writing.result()  # raises the writer's error
        if self.unwritten_best is not None:
            self.run.write_best(*self.unwritten_best)
            self.run.write_history(self.history)

    def _write(self, arrays: dict[str, np.ndarray]) -> None:
        """Start to write copies of everything, after the earlier write has ended."""
        if self.writing is not None:
            self.writing.result()
        groups = {
            "model": arrays,
            "optimizer": checkpoint_io.to_arrays(self.model.optimizer.variables),
            "random": {name: state.numpy() for name, state in _random_states(self.model).items()},
        }
        best, self.unwritten_best = self.unwritten_best, None
        self.written = len(self.history)
        self.writing = self.writer.submit(self._write_copies, groups, best, list(self.history))

    def _write_copies(self, groups, best, history):
        begun = time.monotonic()
        if not self.run.exists():
            raise InputError(f"{self.run} was removed or renamed during the training. Train the run again.")
        if best is not None:
            self.run.write_best(*best)
        self.run.write_history(history)
        self.run.write_state(groups, history)
        session.record(self.run, len(history), time.monotonic() - self.begun)
        self.spent += time.monotonic() - begun

    def _check(self, *values):
        if not all(map(math.isfinite, values)):
            kept = "No weights are kept"
            if self.history:
                best = best_row(self.history, self.run.config.best_by)
                kept = f"{self.run} keeps the weights of epoch {best['epoch']}"
            raise InputError(
                f"The loss became NaN in epoch {len(self.history) + 1}. {kept}. Try a lower learning_rate."
            )


class Progress(keras.callbacks.Callback):
    """One bar for the whole run: images, rate, time left, losses.

    Args:
        config: a Config.
        count: training images.
        first_epoch: finished epochs.
    """

    def __init__(self, config: Config, count: int, first_epoch: int):
        super().__init__()
        self.config, self.count, self.first_epoch, self.bar = config, count, first_epoch, None

    def on_train_begin(self, logs=None):
        """Open the bar."""
        total = self.count * self.config.epochs
        done = self.count * self.first_epoch
        self.bar = tqdm(
            total=total, initial=done, unit=" images", smoothing=0.05, dynamic_ncols=True, mininterval=1
        )

    def on_epoch_begin(self, epoch, logs=None):
        """Show the number of the epoch."""
        self.done = epoch * self.count
        self.bar.set_description(f"epoch {epoch + 1}/{self.config.epochs}", refresh=False)

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar."""
        self.bar.update(min(self.config.batch_size, self.done + self.count - self.bar.n))

    def on_epoch_end(self, epoch, logs=None):
        """Show the losses."""
        self.bar.set_postfix_str(f"loss {logs['loss']:.4g}, dev {logs['val_loss']:.4g}")

    def close(self) -> None:
        """Close the bar, if it was opened."""
        if self.bar is not None:
            self.bar.close()


class Samples(keras.callbacks.Callback):
    """A picture every few epochs: columns of dev images; rows of gray, each decoding, truth.

    Args:
        run: a colorizer's RunFolder.
        colorizer: its keras.Model.
        images: (N, H, W, 3) uint8 dev images; the first eight are shown.
    """

    def __init__(self, run: RunFolder, colorizer: keras.Model, images: np.ndarray):
        super().__init__()
        self.run, self.colorizer, self.rgb = run, colorizer, images[:_SAMPLES]

    def on_epoch_end(self, epoch, logs=None):
        """Write the picture every `samples_every` epochs, and after the last one."""
        number, config = epoch + 1, self.run.config
        if number % config.samples_every and number != config.epochs:
            return
        task = tasks.of(config)
        lightness, _ = pipeline.to_lightness_and_ab(self.rgb)
        predictor = graph.predictor(self.colorizer, task.decodings, task.temperature(config))
        ab = predictor.predict_on_batch(lightness)
        rows = {
            "gray": graph.gray(lightness),
            **{name: graph.compose(lightness, ab[name]) for name in task.decodings},
            "truth": self.rgb,
        }
        image_grid.save_figure(image_grid.labeled(rows.values(), rows), self.run.sample_path(number))


def _random_states(model: keras.Model) -> dict[str, Any]:
    """{name of the layer: Keras variable} of the random generators. Their own names depend on the process."""
    return {
        layer.name: layer.seed_generator.state
        for layer in model.layers
        if isinstance(layer, keras.layers.Dropout)
    }


def tensorboard(folder: Path) -> keras.callbacks.Callback:
    """The callback that writes TensorBoard logs.

    Args:
        folder: Path of the logs.

    Returns:
        keras.callbacks.TensorBoard.

    Raises:
        InputError: TensorBoard or TensorFlow is not installed.
    """
    try:
        import tensorboard  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError:
        raise InputError(
            "tensorboard=true needs TensorBoard and TensorFlow. Run "
            "`pip install 'keras-colorization[tensorboard,train]'`."
        ) from None
    return keras.callbacks.TensorBoard(folder)
