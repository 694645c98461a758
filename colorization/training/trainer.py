"""Training in a run folder, the same for colorizers and judges: open, data, build, fit."""

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras

from colorization.core import devices
from colorization.core.color_prior import ColorPrior
from colorization.core.config import Config, VggConfig
from colorization.core.errors import InputError
from colorization.core.typing import StrPath
from colorization.datasets import check_colors, pipeline
from colorization.datasets.loading import RunData
from colorization.models import tasks
from colorization.models.tasks import Task
from colorization.runs import checkpoint_io, resolve, session, vgg16_weights
from colorization.runs.folder import RunFolder
from colorization.runs.lock import locked
from colorization.training import callbacks, frozen_features, on_device


class Network(NamedTuple):
    """A model and its trained part. build() makes it, and fit() trains it.

    Attributes:
        task: its Task.
        model: the complete keras.Model.
        trained: the compiled keras.Model to fit: `model`, or its layers after the encoder.
        encoder: the keras.Model of the leading frozen layers, whose outputs are computed once; or None.
        color_prior: the ColorPrior of the training set of a colorizer; None for a judge.
    """

    task: Task
    model: keras.Model
    trained: keras.Model
    encoder: keras.Model | None
    color_prior: ColorPrior | None


def train(
    config: Config | None, run_dir: StrPath, *, resume: bool = False, task: Task | None = None
) -> RunFolder:
    """Train a config. The run folder then has all files to evaluate, color and resume.

    Args:
        config: a Config; None is the config of the run to resume.
        run_dir: path of the run folder; new or empty unless `resume`.
        resume: continue exactly after the last epoch that was written (see fit). A run without a written
            epoch starts again.
        task: the Task; None is the colorizer of the config.

    Returns:
        The RunFolder. Its config is the one of the training: the precision "auto" is resolved.

    Raises:
        InputError: data, folder or settings are not usable, or the loss is NaN.
    """
    run = session.open_run(config, run_dir, resume)
    if session.is_finished(run):
        return run
    with locked(run):
        run = session.open_run(config, run_dir, resume)  # another process may have changed the folder
        if isinstance(run.config, VggConfig) and run.config.frozen_blocks and not run.config.augmented:
            frozen_features.refuse_unwritable_place()  # before the data are read
        data = run.data()
        task = task or tasks.of(run.config)
        if task.decodings:  # a colorizer
            check_colors(data.train.images, data.dataset.name)
        network = build(task, data, run)
        fit(network, data, run)
    return run


def build(task: Task, data: RunData, run: RunFolder) -> Network:
    """Build and compile a Network with its initial weights, on all devices of the config. Writes nothing.

    Args:
        task: a Task.
        data: the RunData to train on.
        run: an opened RunFolder. If it has weights, `fit` loads them.

    Returns:
        Network.

    Raises:
        InputError: jit=on with several TensorFlow devices, or the initial weights are not available.
    """
    config = run.config
    strategy = devices.strategy(config.distribute)
    jit = devices.jit(config.jit, strategy)
    prior = _color_prior(task, data, run)
    loss = devices.compiled(task.loss(config, prior), config.jit)
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(config.precision)
    scope = strategy.scope if strategy else contextlib.nullcontext
    try:
        with scope():
            model = task.build(config, data.classes)
        place = (
            None if config.augmented else frozen_features.cut(model)
        )  # else features change with the epoch
        encoder = None if place is None else frozen_features.encoder(model, place)
        with scope():
            trained = model if place is None else frozen_features.head(model, place)
            trained.compile(
                optimizer=_optimizer(config, len(data.train)),
                loss=loss,
                metrics=list(task.metrics(config)),
                jit_compile=jit,
            )
            trained.optimizer.build(trained.trainable_variables)
    finally:
        keras.config.set_dtype_policy("float32")
    if not run.has_state():
        _initialize(task, model, run)
    return Network(task, model, trained, encoder, prior)


def fit(
    network: Network, data: RunData, run: RunFolder, more: Sequence[keras.callbacks.Callback] = ()
) -> None:
    """Train a Network, starting after the last epoch that was written.

    A run that was killed at any moment and resumed ends with the same weights as a run without a stop. They
    are equal bit for bit on one CPU; sums on a GPU may differ in their last bits. The reason: the whole state
    of an epoch is written in one file, and the order of an epoch depends on its number only.

    Args:
        network: a Network of build().
        data: the RunData to train on.
        run: the opened RunFolder.
        more: Keras callbacks that come last. At each step they get the loss unread.

    Raises:
        InputError: the loss is NaN. The last good weights are kept.
    """
    session.begin(run, data)
    if network.color_prior is not None and not run.has_color_prior():
        run.write_color_prior(network.color_prior)
    config, task = run.config, network.task
    checkpoint = callbacks.Checkpoint(run)
    first_epoch = checkpoint.restore(network)
    _check_shares(network.trained, len(data.train), config.batch_size)
    _check_shares(network.trained, len(data.dev), config.dev_batch_size)
    train, dev, transform = training_arrays(network, data, config)
    progress = callbacks.Progress(config, len(data.train), first_epoch)
    samples = [callbacks.Samples(run, network.model, data.dev.images)] if task.decodings else []
    logs = [callbacks.tensorboard(run.logs_path)] if config.tensorboard else []
    fit_model = on_device.train_epochs if on_device.is_possible() else _fit_by_keras
    try:
        fit_model(
            network.trained,
            train,
            dev,
            transform,
            config,
            first_epoch,
            [*samples, checkpoint, progress, *logs, *more],
        )
    finally:
        progress.close()  # first, so that an error message starts on a new line
        checkpoint.close()


def _fit_by_keras(model, train, dev, transform, config, first_epoch, chosen):
    """model.fit on pipeline.training_batches; arguments as of on_device.train_epochs, `chosen` callbacks."""
    in_batches = keras.backend.backend() == "tensorflow"  # TensorFlow's dev feed has batches already
    device = devices.feed_device(model)
    model.fit(
        _training_batches(train, transform, config, first_epoch, device),
        steps_per_epoch=pipeline.steps_per_epoch(len(train[0]), config.batch_size),
        validation_data=pipeline.dev_batches(dev, transform, config.dev_batch_size, device),
        validation_batch_size=None if in_batches else config.dev_batch_size,
        initial_epoch=first_epoch,
        epochs=config.epochs,
        callbacks=callbacks.Hooks(chosen, add_history=True, model=model, epochs=config.epochs),
        shuffle=False,  # the feed has shuffled
        verbose=0,
    )


def _color_prior(task: Task, data: RunData, run: RunFolder) -> ColorPrior | None:
    """The ColorPrior of a colorizer's training set, measured unless the run has it; None for a judge."""
    if not task.decodings:
        return None
    return run.color_prior() if run.has_state() else pipeline.measure_color_prior(data.train.images)


def _optimizer(config: Config, count: int) -> keras.optimizers.Optimizer:
    """Adam with a fixed name: Keras numbers its own names, so a resumed run would have other ones."""
    settings = {
        "learning_rate": _learning_rate(config, count),
        "epsilon": config.adam_epsilon,
        "name": "adam",
    }
    if config.weight_decay:
        adam = keras.optimizers.AdamW(weight_decay=config.weight_decay, **settings)
        adam.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    else:
        adam = keras.optimizers.Adam(**settings)
    if config.precision == "mixed_float16":
        return keras.optimizers.LossScaleOptimizer(adam, name="loss_scale")
    return adam


def _learning_rate(config: Config, count: int) -> Any:
    if config.schedule == "constant":
        return config.learning_rate
    steps = config.epochs * pipeline.steps_per_epoch(count, config.batch_size)
    return keras.optimizers.schedules.CosineDecay(config.learning_rate, steps)


def _initialize(task: Task, model: keras.Model, run: RunFolder) -> None:
    """Set the initial weights: of another run, or pretrained ones."""
    source = run.config.init_from
    if source == "none":
        weights, with_head = task.pretrained(run.config)
        vgg16_weights.load(weights, model.variables, with_head)
        return
    origin = RunFolder(resolve.run_folder(source))  # it includes the pretrained weights
    checkpoint_io.initialize(model, origin.weights(), source, partly=origin.config.task != run.config.task)


def training_arrays(network: Network, data: RunData, config: Config) -> tuple[Any, Any, Any]:
    """The arrays and the transform for the training of a Network.

    Args:
        network: a Network.
        data: the RunData to train on.
        config: a Config.

    Returns:
        (training arrays, dev arrays, transform), as in pipeline.training_batches. If the network has an
        encoder, its features come first among the arrays. The transform then returns them as the input.
    """
    task = network.task
    train, dev = (task.arrays(config, images) for images in (data.train, data.dev))
    transform = task.transform(config)
    compiled = devices.compiled(transform, config.jit)
    if network.encoder is None:
        return train, dev, compiled
    train, dev = (
        (frozen_features.compute(network.encoder, arrays, compiled, config.dev_batch_size), *arrays)
        for arrays in (train, dev)
    )
    # Compiled as a whole: the compiler drops the network's input, which the features replace
    return train, dev, devices.compiled(frozen_features.in_place_of_input(transform), config.jit)


def _training_batches(arrays, transform, config, first_epoch, device):
    return pipeline.training_batches(
        arrays,
        transform,
        batch_size=config.batch_size,
        seed=config.seed,
        epochs=config.epochs,
        first_epoch=first_epoch,
        flip=config.flip,
        crop=config.image_size if config.crop_from else None,
        shift=config.shift,
        device=device,
    )


def _check_shares(model, count, batch_size):
    """Check that the replicas of TensorFlow can share the first batch equally, and each other batch.

    Raises InputError. (Keras 3.15 computes the mean of the first batch's shares, to learn their shape.)
    """
    replicas = getattr(getattr(model, "distribute_strategy", None), "num_replicas_in_sync", 1)
    first, last = min(batch_size, count), count % batch_size
    if first % replicas:
        raise InputError(
            f"{replicas} devices cannot share a first batch of {first} images equally. Change a size."
        )
    if 0 < last < replicas:
        raise InputError(
            f"{count} images in batches of {batch_size} leave {last} for the last batch, too few for "
            f"{replicas} devices. Change a size."
        )
