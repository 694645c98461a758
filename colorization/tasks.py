"""The table of tasks: colorizers differ in how they are built, in their loss and in their decoding."""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

from . import bins, color, config, losses, models
from .errors import InputError


class Task(NamedTuple):
    """One way to colorize.

    Attributes:
        config: the class of its settings.
        build: config -> keras.Model from L (B, H, W, 1), 0..100.
        loss: config, statistics of the training set -> function of true ab and the model's output -> (B,).
        decodings: name -> function of the model's output and a temperature -> ab (B, H, W, 2); the first is
            the default.
        entropy: the model's output and a temperature, which it leaves alone -> entropy of its distribution
            over bins, (B, H, W, 1) in nats; None if it has none.
    """

    config: type[config.ColorizerConfig]
    build: Callable
    loss: Callable
    decodings: Mapping[str, Callable]
    entropy: Callable | None = None


def of(settings):
    """The task that a config belongs to."""
    return TASKS[settings.task]


def decoding(task, name=None):
    """(name, function) of a task's decoding; None is its default. Raises InputError for an unknown name."""
    name = name or next(iter(task.decodings))
    if name not in task.decodings:
        raise InputError(f"This model decodes by {', '.join(task.decodings)}, not by {name!r}.")
    return name, task.decodings[name]


def refuse_temperature(task, name=None):
    """Raise InputError if a task's decoding, None being its default, takes no temperature."""
    if not takes_temperature(task, name):
        raise InputError(f"The decoding {decoding(task, name)[0]} takes no temperature: leave it out.")


def takes_temperature(task, name=None):
    """Whether a task's decoding does, None being its default. Raises InputError for an unknown name."""
    return decoding(task, name)[1] is bins.annealed_mean


def _nine_blocks(model, settings):
    return model(width=settings.width, l2=settings.l2)


def _regression_loss(settings, statistics):
    return losses.squared_error


def _classification_loss(settings, statistics):
    weights = None
    if settings.rebalance:
        weights = bins.rebalancing_weights(
            statistics.bin_counts, settings.rebalance_mix, settings.rebalance_sigma
        )
    return functools.partial(
        losses.soft_cross_entropy, neighbors=settings.neighbors, sigma=settings.sigma, bin_weights=weights
    )


def _transfer(settings):
    return models.transfer(
        image_size=settings.image_size,
        width=settings.width,
        vgg_size=settings.vgg_size,
        vgg_blocks=settings.vgg_blocks,
        vgg_width=settings.vgg_width,
        batch_norm=settings.batch_norm,
        frozen_blocks=settings.frozen_blocks,
        l2=settings.l2,
    )


_CLASSIFICATION = Task(
    config=config.ClassificationConfig,
    build=functools.partial(_nine_blocks, models.classification),
    loss=_classification_loss,
    decodings={
        "annealed": bins.annealed_mean,
        "mean": lambda logits, temperature: bins.decode_mean(logits),
        "mode": lambda logits, temperature: bins.decode_mode(logits),
    },
    entropy=lambda logits, temperature: bins.entropy(logits),
)

TASKS = {
    "regression": Task(
        config=config.RegressionConfig,
        build=functools.partial(_nine_blocks, models.regression),
        loss=_regression_loss,
        decodings={"regression": lambda output, temperature: color.unscale_ab(output)},
    ),
    "classification": _CLASSIFICATION,
    "transfer": _CLASSIFICATION._replace(config=config.TransferConfig, build=_transfer),
}

CONFIGS = {name: task.config for name, task in TASKS.items()}
"""Task's name -> class of its settings."""
