"""JudgeConfig -> a trained judge in a run folder."""

from pathlib import Path

import keras

from colorization.training import trainer, train
from colorization.datasets import pipeline
from colorization.core.errors import InputError

from vgg_eval import model
from vgg_eval.config import CONFIGS
from vgg_eval.columns import gray


def train(settings, run_dir, *, resume=False):
    """Train a judge, and leave in `run_dir` all that judging and resuming need.

    Frozen blocks run once, if no image is mirrored: the head then trains on their stored features.

    Args:
        settings: a JudgeConfig; None takes that of the run to resume.
        run_dir: the run folder; new or empty unless `resume`.
        resume: go on after the last finished epoch, exactly (see fitting.fit).

    Returns:
        The JudgeConfig as trained with ("auto" precision resolved).

    Raises:
        InputError: data, weights, folder or settings are not usable, or the loss is no longer a number.
    """
    run_dir = Path(run_dir)
    settings = trainer.open_run(settings, run_dir, resume, CONFIGS)
    if train.finished(settings, run_dir, CONFIGS):
        return settings
    data, chosen = train.prepare(settings, run_dir)
    if len(data.classes) < 2:
        raise InputError(f"{data.name} has no classes to tell apart: give a folder train/<class>/ of images.")
    network = trainer.compiled(
        settings,
        run_dir,
        lambda: model.build(settings, len(data.classes)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        len(chosen.train),
        metrics=["accuracy"],
    )
    train.begin(settings, run_dir, data, chosen)
    train_rgb, dev_rgb = train.training_images(settings, data, chosen), data.test.images[chosen.dev]
    if settings.gray:
        train_rgb, dev_rgb = gray(train_rgb), gray(dev_rgb)
    train_arrays, dev_arrays = (
        (train_rgb, data.train.labels[chosen.train]),
        (dev_rgb, data.test.labels[chosen.dev]),
    )

    def transform(rgb, labels, flips):
        return model.enlarged(pipeline.mirrored(rgb, flips), settings.vgg_size), labels

    trainer.fit(settings, network, run_dir, train_arrays, dev_arrays, transform)
    return settings
