"""The settings of a judge's training. The defaults are those of the paper (sections 3.2, 4.2 and 5.2)."""

import dataclasses
from typing import ClassVar

from colorization.core.config import VggConfig
from colorization.core.config_fields import option
from colorization.core.errors import InputError


@dataclasses.dataclass(frozen=True)
class JudgeConfig(VggConfig):
    """A VGG16 with a new head."""

    task: ClassVar[str] = "judge"

    train_size: int = option(10_000, "maximum number of training images", low=1)
    dev_size: int = option(1_000, "maximum number of dev images", low=1)
    test_size: int = option(1_000, "maximum number of test images", low=1)
    stratified: bool = option(True, "select the same number of images of each class")
    epochs: int = option(20, "passes over the training images", low=1)
    best_by: str = option("loss", "dev value that decides the best epoch", choices=("loss", "accuracy"))

    vgg_size: int = option(224, "side of the enlarged images, in pixels", low=32, high=1024)
    head_width: int = option(4096, "units of each of the two hidden layers of block 6", low=1)
    frozen_blocks: int = option(
        5, "number of leading blocks that are not trained; 6: all layers but the last", low=0, high=6
    )
    pretrained_head: bool = option(False, "load fc6 and fc7, the hidden layers of block 6, from vgg_weights")
    gray: bool = option(False, "train on gray images: the control")

    def refuse_frozen_noise(self) -> None:
        """Refuse frozen or pretrained layers whose weights are random.

        Raises:
            InputError: frozen or pretrained layers, but no weights to load into them.
        """
        super().refuse_frozen_noise()
        if self.pretrained_head and self.vgg_weights == self.init_from == "none":
            raise InputError("pretrained_head=true needs weights: set vgg_weights.")
        if self.frozen_blocks > 5 and not self.pretrained_head and self.init_from == "none":
            raise InputError("frozen_blocks=6 needs pretrained hidden layers: set pretrained_head=true.")
