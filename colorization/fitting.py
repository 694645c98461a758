"""model.fit in a run folder, whatever the model: settings kept, progress shown, exact resume."""

import contextlib
import csv
import dataclasses
import io
import json
import math
import sys
import time
from typing import NamedTuple

import keras
from tqdm import tqdm

from . import config, features, hardware, pipelines, presets, pretrained, runs, weights
from .errors import InputError
from .files import remove_unfinished, write_text

# What may change in a resumed run
_FREE = {
    "data",
    "jit",
    "distribute",
    "samples_every",
    "tensorboard",
    "working_size",
    "temperature",
}


def open_run(settings, run_dir, resume, configs):
    """The Config that counts for a run folder; nothing is written yet, see begin.

    Args:
        settings: a Config; None takes that of the run to resume.
        run_dir: Path.
        resume: whether the folder may hold a run.
        configs: {task name: Config class} that the folder's config may be of.

    Returns:
        The folder's own Config, with what may change of `settings`; of a new run `settings`, with the
        precision resolved.

    Raises:
        InputError: there is a run and resume is false, or it has other settings, or files in the way.
    """
    if (run_dir / config.FILE).exists():
        if not resume:
            raise InputError(f"{run_dir} holds a run already: pass --resume to go on, or another --run-dir.")
        kept = runs.read_config(run_dir, configs)
        return _merged(kept, settings, run_dir) if settings else kept
    if settings is None:
        raise InputError(f"{run_dir} holds no run to resume.")
    if run_dir.exists() and (not run_dir.is_dir() or _leftovers(run_dir)):
        raise InputError(f"{run_dir} is no empty folder and holds no run: give another --run-dir.")
    return dataclasses.replace(settings, precision=hardware.precision(settings.precision))


def finished(settings, run_dir):
    """Whether a run folder that open_run opened has all its epochs; then there is nothing to begin or to fit.

    So it is with a preset and with what tune.py makes, which hold the best weights alone.

    Raises:
        InputError: its weights are damaged.
    """
    path = run_dir / runs.LAST
    if not path.exists():
        if not any((run_dir / name).exists() for name in (runs.TUNED, presets.CHECKSUMS)):
            return False
        print(
            f"{run_dir} stays as it is, a preset or tuned after its training: go on by start={run_dir}, in "
            "another run folder.",
            file=sys.stderr,
        )
        return True
    try:
        done = len(json.loads(weights.attributes(path)["history"]))
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} is damaged: it holds no history ({error}).") from None
    if done < settings.epochs:
        return False
    print(f"{run_dir} is finished: {settings.epochs} epochs.", file=sys.stderr)
    return True


def begin(settings, run_dir):
    """Write the config into the run folder, made if need be, and add this start to its environment.json.

    Those of the run whose weights it begins with stand before it there, with that run's name. What was
    measured of earlier weights goes. Called when the data are known to be good: a start that failed before
    leaves no run behind.
    """
    starts = _starts(run_dir)
    if settings.start != "none" and not starts:
        origin = presets.run_folder(settings.start)
        starts = [{"run": origin.name, **start} for start in _starts(origin)]
    starts.append({**hardware.environment(), "seed": settings.seed})
    run_dir.mkdir(parents=True, exist_ok=True)
    remove_unfinished(run_dir)
    runs.write_config(run_dir, settings)
    (run_dir / runs.METRICS).unlink(missing_ok=True)
    _write_starts(run_dir, starts)


def _starts(run_dir):
    try:
        return list(json.loads((run_dir / runs.ENVIRONMENT).read_text())["starts"])
    except (OSError, ValueError, KeyError, TypeError):
        return []  # none yet, or damaged: no reason not to train


def _write_starts(run_dir, starts):
    write_text(run_dir / runs.ENVIRONMENT, json.dumps({"starts": starts}, indent=2) + "\n")


def _merged(kept, settings, run_dir):
    """The stored Config with what may change; InputError if anything else differs."""
    if settings.task != kept.task:
        raise InputError(f"{run_dir} holds a {kept.task} run, not one of {settings.task}.")
    differing = {
        field.name
        for field in dataclasses.fields(kept)
        if getattr(settings, field.name) != getattr(kept, field.name)
    }
    if settings.precision == "auto":
        differing.discard("precision")
    if (run_dir / runs.LAST).exists():
        differing -= {"vgg_weights", "start"}  # what they gave is in the run folder, wherever they lay
    if settings.schedule == "constant":
        differing.discard("epochs")  # a schedule's steps depend on it, a constant rate's do not
    if fixed := sorted(differing - _FREE):
        was = ", ".join(f"{name}={getattr(kept, name)}" for name in fixed)
        raise InputError(f"{run_dir} was begun with {was}; a resumed run keeps its settings.")
    names = {field.name for field in dataclasses.fields(kept)}
    changed = {name: getattr(settings, name) for name in names & {*_FREE, "epochs"}}
    return dataclasses.replace(kept, **changed)


def _leftovers(run_dir):
    return [path for path in run_dir.iterdir() if not path.name.startswith(".")]


class Network(NamedTuple):
    """What compiled() makes and fit() trains.

    Attributes:
        model: the whole keras.Model.
        trained: the compiled keras.Model to fit: `model`, or of its layers those after the encoder.
        encoder: None, or the keras.Model of its leading frozen layers, whose outputs are computed once.
    """

    model: keras.Model
    trained: keras.Model
    encoder: keras.Model | None


def compiled(settings, run_dir, build, loss, count, metrics=()):
    """A Network built, with its initial weights, and compiled as the settings say, on all their devices.

    Args:
        settings: a Config.
        run_dir: Path of the run folder, begun or not; where it has weights, they come from there.
        build: function of no arguments that returns the keras.Model.
        loss: what model.compile takes.
        count: training items, from which the learning rate's schedule is reckoned.
        metrics: what model.compile takes.

    Raises:
        InputError: jit=on with several TensorFlow devices, or pretrained weights that cannot be had.
    """
    strategy = hardware.strategy(settings.distribute)
    jit = hardware.jit(settings.jit, strategy)
    keras.utils.set_random_seed(settings.seed)
    keras.config.set_dtype_policy(settings.precision)
    try:
        scope = strategy.scope if strategy else contextlib.nullcontext
        with scope():
            model = build()
        place = None if settings.augmented else features.cut(model)  # else features change with the epoch
        encoder = None if place is None else features.encoder(model, place)
        with scope():
            trained = model if place is None else features.head(model, place)
            trained.compile(
                optimizer=_optimizer(settings, count), loss=loss, metrics=list(metrics), jit_compile=jit
            )
            trained.optimizer.build(trained.trainable_variables)
    finally:
        keras.config.set_dtype_policy("float32")
    if not (run_dir / runs.LAST).exists():
        if settings.start == "none":
            pretrained.load(settings.vgg_weights, model.variables)
        else:  # it has all that pretrained weights would give
            weights.assign(
                model.variables, runs.read_weights(presets.run_folder(settings.start)), settings.start
            )
    return Network(model, trained, encoder)


def _optimizer(settings, count):
    """Adam; named, since a resumed run would not find again the names that Keras counts up by itself."""
    adam = keras.optimizers.Adam(_learning_rate(settings, count), name="adam")
    if settings.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(adam, name="loss_scale")
    return adam


def _learning_rate(settings, count):
    if settings.schedule == "constant":
        return settings.learning_rate
    steps = settings.epochs * pipelines.steps_per_epoch(count, settings.batch_size)
    return keras.optimizers.schedules.CosineDecay(settings.learning_rate, steps)


def fit(settings, network, run_dir, train, dev, transform, callbacks=()):
    """Train a Network from the last finished epoch on.

    A run that was killed at any moment and resumed ends with the weights of the run never stopped (bit for
    bit on one CPU; a GPU's own sums may differ in their last bits): the whole state is written in one piece
    after each epoch, and an epoch's order depends on its number alone.

    Args:
        settings: a Config.
        network: what compiled() returned.
        run_dir: Path of a run folder that open_run opened.
        train, dev: tuples of arrays of equal length.
        transform: as in pipelines.training_batches; gives the model's input and the target.
            Where the settings have crop_from, the first array of `train` holds images of that side.
        callbacks: Keras callbacks; they come before the epoch's state is written, so that none is left out.

    Raises:
        InputError: the loss is no longer a number; the last good weights stay.
    """
    checkpoint = _Checkpoint(run_dir)
    first_epoch = checkpoint.restore(network)
    model, count = network.trained, len(train[0])
    _check_shares(model, count, settings.batch_size)
    _check_shares(model, len(dev[0]), settings.dev_batch_size)
    if network.encoder is not None:
        train, dev = (
            (features.compute(network.encoder, arrays, transform, settings.dev_batch_size), *arrays)
            for arrays in (train, dev)
        )
        transform = features.in_place_of_input(transform)
    progress = _Progress(settings, count, first_epoch)
    callbacks = [*callbacks, checkpoint, progress]
    if settings.tensorboard:
        callbacks.append(_tensorboard(run_dir / runs.LOGS))
    feed = pipelines.training_batches(
        train,
        transform,
        batch_size=settings.batch_size,
        seed=settings.seed,
        epochs=settings.epochs,
        first_epoch=first_epoch,
        flip=settings.flip,
        crop=settings.image_size if settings.crop_from else None,
    )
    in_batches = keras.backend.backend() == "tensorflow"  # as TensorFlow's dev feed comes already
    try:
        model.fit(
            feed,
            steps_per_epoch=pipelines.steps_per_epoch(count, settings.batch_size),
            validation_data=pipelines.dev_batches(dev, transform, settings.dev_batch_size),
            validation_batch_size=None if in_batches else settings.dev_batch_size,
            initial_epoch=first_epoch,
            epochs=settings.epochs,
            callbacks=callbacks,
            shuffle=False,  # the feed has done it
            verbose=0,
        )
    finally:
        progress.close()  # so that an error's sentence has a line of its own


def _check_shares(model, count, batch_size):
    """TensorFlow's replicas share each batch: the first one equally, and of none may any go empty.

    Raises InputError. (From the first batch's shares Keras 3.15 takes the mean, to learn its shape.)
    """
    replicas = getattr(getattr(model, "distribute_strategy", None), "num_replicas_in_sync", 1)
    first, last = min(batch_size, count), count % batch_size
    if first % replicas:
        raise InputError(f"{replicas} devices cannot share a first batch of {first} images: change a size.")
    if 0 < last < replicas:
        raise InputError(
            f"{count} images in batches of {batch_size} leave {last} for the last one, too few for "
            f"{replicas} devices: change a size."
        )


def _tensorboard(folder):
    try:
        import tensorboard  # noqa: F401
        import tensorflow  # noqa: F401
    except ImportError:
        raise InputError(
            "tensorboard=true needs TensorFlow and TensorBoard: pip install 'colorization[tensorboard]'."
        ) from None
    return keras.callbacks.TensorBoard(folder)


class _Checkpoint(keras.callbacks.Callback):
    """Writes best weights, history and, last and in one piece, the state to resume from; stops at a NaN."""

    def __init__(self, run_dir):
        super().__init__()
        self.run_dir = run_dir
        self.best = math.inf
        self.history = []
        self.begun = time.monotonic()

    def restore(self, network):
        """Set model and optimizer to the last finished epoch's end; returns the number of finished epochs.

        Frozen weights lie in a file of their own, written once, before the first epoch.
        """
        path, frozen_path = self.run_dir / runs.LAST, self.run_dir / runs.FROZEN
        frozen = features.frozen_variables(network.model)
        if not path.exists():
            if frozen:
                weights.save(frozen_path, {"model": weights.read(frozen)})
            return 0
        if frozen:
            weights.assign(frozen, weights.load(frozen_path, "model")[0], frozen_path)
        arrays, attributes = weights.load(path, "model")
        weights.assign(features.learned_variables(network.trained), arrays, path)
        optimizer = network.trained.optimizer
        weights.assign(optimizer.variables, weights.load(path, "optimizer")[0], path)
        self.history = json.loads(attributes["history"])
        self.best = min(row["val_loss"] for row in self.history)
        self._write_history()
        return len(self.history)

    def on_train_batch_end(self, batch, logs=None):
        self._check(logs["loss"])

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in logs.items()}}
        row["learning_rate"] = float(self.model.optimizer.learning_rate)
        model = weights.read(features.learned_variables(self.model))
        # A sum is finite only if each of its terms is.
        self._check(row["loss"], row["val_loss"], *(array.sum(dtype="float64") for array in model.values()))
        self.history.append(row)
        if row["val_loss"] < self.best:
            self.best = row["val_loss"]
            weights.save(self.run_dir / runs.BEST, {"model": model}, {"epoch": epoch + 1})
        self._write_history()
        weights.save(
            self.run_dir / runs.LAST,
            {"model": model, "optimizer": weights.read(self.model.optimizer.variables)},
            {"history": json.dumps(self.history)},
        )
        *earlier, this = _starts(self.run_dir)
        seconds = round(time.monotonic() - self.begun)
        _write_starts(self.run_dir, [*earlier, {**this, "finished_epochs": epoch + 1, "seconds": seconds}])

    def _write_history(self):
        text = io.StringIO()
        writer = csv.DictWriter(text, self.history[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.history)
        write_text(self.run_dir / runs.HISTORY, text.getvalue())

    def _check(self, *values):
        if not all(map(math.isfinite, values)):
            kept = f"those of epoch {len(self.history)} stay" if self.history else "none were finished"
            raise InputError(
                f"The loss stopped being a number in epoch {len(self.history) + 1}; of the weights {kept} "
                f"in {self.run_dir}: try a lower learning_rate."
            )


class _Progress(keras.callbacks.Callback):
    """One bar for the whole run: images, rate, time left, losses."""

    def __init__(self, settings, count, first_epoch):
        super().__init__()
        self.settings, self.count, self.first_epoch, self.bar = settings, count, first_epoch, None

    def on_train_begin(self, logs=None):
        total = self.count * self.settings.epochs
        done = self.count * self.first_epoch
        self.bar = tqdm(
            total=total, initial=done, unit=" images", smoothing=0.05, dynamic_ncols=True, mininterval=1
        )

    def on_epoch_begin(self, epoch, logs=None):
        self.done = epoch * self.count
        self.bar.set_description(f"epoch {epoch + 1}/{self.settings.epochs}", refresh=False)

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(min(self.settings.batch_size, self.done + self.count - self.bar.n))

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix_str(f"loss {logs['loss']:.4g}, dev {logs['val_loss']:.4g}")

    def close(self):
        """End the bar, if it was begun."""
        if self.bar is not None:
            self.bar.close()
