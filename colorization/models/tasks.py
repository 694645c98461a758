"""The table of tasks: colorizers differ in how they are built, in their loss and in their decodings."""

import functools
from collections.abc import Callable, Mapping
from typing import NamedTuple

from colorization import models
from colorization.core import bins, color, decodings, losses
from colorization.core.color_prior import rebalancing_weights
from colorization.core.config import (
    ClassificationConfig,
    ColorizerConfig,
    Config,
    RegressionConfig,
    TransferConfig,
)
from colorization.core.typing import Tensor
from colorization.datasets.pipeline import to_lightness_and_ab


class Decoding(NamedTuple):
    """A function from a model's output to ab.

    Attributes:
        function: of the output, and of a temperature if it takes one; returns (B, H, W, 2) ab.
        takes_temperature: whether it does.
    """

    function: Callable
    takes_temperature: bool = False

    def __call__(self, output: Tensor, temperature: float | Tensor | None = None) -> Tensor:
        """Decode a model's output.

        Args:
            output: (B, H, W, C) float, the model's output.
            temperature: a number or a scalar tensor; ignored by decodings without one.

        Returns:
            (B, H, W, 2) float32 ab.
        """
        return self.function(output, temperature) if self.takes_temperature else self.function(output)


class Task(NamedTuple):
    """Something that a network learns. A colorizer has decodings; the judge of vgg_eval has none.

    Attributes:
        config: the class of its settings.
        build: config, class names -> keras.Model; a colorizer's takes L (B, H, W, 1), 0..100.
        loss: config, ColorPrior of the training set -> function of target and output -> (B,).
        decodings: name -> Decoding; the first is the default.
        entropy: the model's output -> entropy of its distribution over bins, (B, H, W, 1) in nats; None if
            it has none.
        temperature: config -> temperature of the decoding; None where there is none.
        pretrained: config -> (source of VGG16's weights, whether its hidden layers fc6 and fc7 are loaded
            too), see vgg16_weights.load.
        arrays: config, Images -> tuple of arrays that a batch is made of.
        transform: config -> function of a batch of each array and of flips, (B,) bool, that returns
            the model's input and the target.
        metrics: config -> metrics that model.compile takes.
    """

    config: type[Config]
    build: Callable
    loss: Callable
    decodings: Mapping[str, Decoding] = {}
    entropy: Callable | None = None
    temperature: Callable = lambda config: None
    pretrained: Callable = lambda config: ("none", False)
    arrays: Callable = lambda config, images: (images.images,)
    transform: Callable = lambda config: to_lightness_and_ab
    metrics: Callable = lambda config: ()


def of(config: ColorizerConfig) -> Task:
    """The task of a colorizer.

    Args:
        config: the config of the colorizer.

    Returns:
        Task.
    """
    return TASKS[config.task]


def decoding(task: Task, name: str | None = None) -> tuple[str, Decoding]:
    """Find a decoding of a task.

    Args:
        task: a Task.
        name: name of the decoding; None is the default.

    Returns:
        Name and Decoding.

    Raises:
        InputError: the task has no such decoding.
    """
    name = decodings.chosen(task.decodings, name)
    return name, task.decodings[name]


def refuse_temperature(task: Task, name: str | None = None) -> None:
    """Refuse a decoding without a temperature.

    Args:
        task: a Task.
        name: name of one of its decodings; None is the default.

    Raises:
        InputError: the decoding does not use a temperature, or is unknown.
    """
    name, found = decoding(task, name)
    if not found.takes_temperature:
        raise decodings.refuse_temperature(name)


def _nine_blocks(model, config, classes=()):
    return model(width=config.width, l2=config.penalty, dropout=config.dropout)


def _transfer(config, classes=()):
    return models.transfer(
        image_size=config.image_size,
        width=config.width,
        vgg_size=config.vgg_size,
        vgg_blocks=config.vgg_blocks,
        vgg_width=config.vgg_width,
        batch_norm=config.batch_norm,
        frozen_blocks=config.frozen_blocks,
        l2=config.penalty,
        dropout=config.dropout,
        rgb_range=config.rgb_range,
        subtract_mean=config.subtract_mean,
        bn_after_relu=config.bn_after_relu,
    )


def _reduced(config, loss):
    return losses.mean_over_pixels(loss) if config.pixel_reduction == "mean" else loss


def _regression_loss(config, prior):
    return _reduced(config, losses.squared_error)


def _classification_loss(config, prior):
    weights = None
    if config.rebalance:
        weights = rebalancing_weights(prior.bin_counts, config.rebalance_mix, config.rebalance_sigma)
    loss = functools.partial(
        losses.soft_cross_entropy, neighbors=config.neighbors, sigma=config.sigma, bin_weights=weights
    )
    return _reduced(config, loss)


def _classification_metrics(config):
    return (losses.pixel_accuracy,) if config.best_by == "pixel_accuracy" else ()


_CLASSIFICATION = Task(
    config=ClassificationConfig,
    build=functools.partial(_nine_blocks, models.classification),
    loss=_classification_loss,
    decodings={
        "annealed": Decoding(bins.annealed_mean, takes_temperature=True),
        "mean": Decoding(bins.decode_mean),
        "mode": Decoding(bins.decode_mode),
    },
    entropy=bins.entropy,
    temperature=lambda config: config.temperature,
    metrics=_classification_metrics,
)

TASKS = {
    "regression": Task(
        config=RegressionConfig,
        build=functools.partial(_nine_blocks, models.regression),
        loss=_regression_loss,
        decodings={"regression": Decoding(color.unscale_ab)},
    ),
    "classification": _CLASSIFICATION,
    "transfer": _CLASSIFICATION._replace(
        config=TransferConfig, build=_transfer, pretrained=lambda config: (config.vgg_weights, False)
    ),
}
"""Name -> Task of every colorizer."""
