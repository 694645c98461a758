"""The judge: a VGG16 with a new 10-way head, whose accuracy on colorized images measures the colorizers.

It imports colorization, never the reverse. The modules, from the top down: plugin (the commands for
`colorize`); commands, export, grayscale; gray_scales, judge_export, architectures; chain, plan; figure7,
figure7_table, figures, temperatures, significance; features; judge, training; columns, model; options,
variants, config.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from vgg_eval import architectures, chain, figure7, gray_scales, judge, judge_export, training

__all__ = ["architectures", "chain", "figure7", "gray_scales", "judge", "judge_export", "training"]

__getattr__, __dir__, _ = lazy_loader.attach(__name__, submodules=__all__)  # they import Keras
