"""Figures 3 to 6 of the paper: the networks of a variant, drawn from their Keras models."""

from pathlib import Path
from typing import Any

import keras
from matplotlib.figure import Figure

from colorization.core.image_grid import save_figure
from colorization.evaluation.architectures import diagram, table
from colorization.models import tasks
from vgg_eval import model
from vgg_eval.variants import FIGURES

_CLASSES = [str(i) for i in range(10)]  # as many as CIFAR-10 has


def write(number: int, variant: str, path: Path) -> Path:
    """Draw one of Figures 3 to 6 into a PNG file.

    Args:
        number: of the figure.
        variant: of the network.
        path: of the file.

    Returns:
        The path.
    """
    return save_figure(_drawn(number, variant), path)


def _drawn(number: int, variant: str) -> Figure:
    title = f"Figure {number}, variant {variant}"
    side = FIGURES["regression"][variant].image_size
    if number == 3:
        return diagram(_colorizer("regression", variant), side, f"{title}. Regression", "ab")
    if number == 4:
        models = {task: _colorizer(task, variant) for task in ("regression", "classification")}
        return table(models, side, f"{title}. Layers of the blocks")
    if number == 5:
        return diagram(_colorizer("classification", variant), side, f"{title}. Classification", "bin → ab")
    judge: Any = FIGURES["judge"][variant]
    return diagram(model.build_judge(judge, _CLASSES), judge.vgg_size, f"{title}. VGG16", "class")


def _colorizer(task: str, variant: str) -> keras.Model:
    config: Any = FIGURES[task][variant]
    return tasks.of(config).build(config)
