"""The settings of a judge's training; the defaults are the report's (sections 3.2, 4.2 and 5.2)."""

import dataclasses
from typing import ClassVar

from colorization.core.config import Config, VggConfig, option


@dataclasses.dataclass(frozen=True)
class JudgeConfig(VggConfig, Config):
    """A VGG16 with a new head."""

    task: ClassVar[str] = "vgg"
    stratified: ClassVar[bool] = True

    train_size: int = option(10_000, "at most so many training images, equally many of each class", low=1)
    dev_size: int = option(1_000, "at most so many dev images, equally many of each class", low=1)
    test_size: int = option(1_000, "at most so many test images, equally many of each class", low=1)
    epochs: int = option(20, "passes over the training images", low=1)

    vgg_size: int = option(224, "side to which images are enlarged, in pixels", low=32, high=1024)
    head_width: int = option(4096, "units of each of the two hidden layers of block 6", low=1)
    gray: bool = option(False, "train on gray images: the control")


CONFIGS = {JudgeConfig.task: JudgeConfig}
"""Task's name -> class of its settings."""
