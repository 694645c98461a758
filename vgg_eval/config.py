"""The settings of a judge's training. The defaults are those of the paper (sections 3.2, 4.2 and 5.2)."""

import dataclasses
from typing import ClassVar

from colorization.core.config import VggConfig, option


@dataclasses.dataclass(frozen=True)
class JudgeConfig(VggConfig):
    """A VGG16 with a new head."""

    task: ClassVar[str] = "judge"

    train_size: int = option(10_000, "maximum number of training images", low=1)
    dev_size: int = option(1_000, "maximum number of dev images", low=1)
    test_size: int = option(1_000, "maximum number of test images", low=1)
    stratified: bool = option(True, "select the same number of images of each class")
    epochs: int = option(20, "passes over the training images", low=1)

    vgg_size: int = option(224, "side of the enlarged images, in pixels", low=32, high=1024)
    head_width: int = option(4096, "units of each of the two hidden layers of block 6", low=1)
    gray: bool = option(False, "train on gray images: the control")
