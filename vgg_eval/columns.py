"""The columns of the report's Figure 7: each way to color a gray image, beside the gray and the true one."""

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from colorization.datasets import pipeline
from colorization.inference import graph
from colorization.runs import folder
from colorization.models import tasks

_BATCH = 64  # images colored at once


class Method(NamedTuple):
    """A column.

    Attributes:
        name: its heading.
        reported: the accuracy that the report gives.
        task: of the colorizer; None where nothing is predicted.
        decoding: one of the task's, or None.
    """

    name: str
    reported: float
    task: str | None = None
    decoding: str | None = None


GRAYSCALE = Method("grayscale", 0.22)
ANNEALED = Method("annealed", 0.65, "classification", "annealed")
TRUTH = Method("ground truth", 0.80)
METHODS = (
    GRAYSCALE,
    Method("regression", 0.46, "regression", "regression"),
    Method("classification", 0.57, "classification", "mode"),
    ANNEALED,
    Method("transfer", 0.63, "transfer", "mode"),
    TRUTH,
)
"""Figure 7 of the report, from left to right."""


def colorize(method, run_dirs, rgb, temperature):
    """What a method makes of images' lightness.

    Args:
        method: a Method.
        run_dirs: {task: run folder}.
        rgb: (N, H, W, 3) uint8.
        temperature: of the annealed mean.

    Returns:
        (N, H, W, 3) uint8.

    Raises:
        InputError: the run is not usable.
    """
    if method is TRUTH:
        return rgb
    if method is GRAYSCALE:
        return gray(rgb)
    settings, model = folder.load_model(run_dirs[method.task])
    decodings = {method.decoding: tasks.of(settings).decodings[method.decoding]}
    decoded = graph.predictor(model, decodings, temperature)
    batches = tqdm(
        batches_with_lab(rgb), total=-(-len(rgb) // _BATCH), desc=f"coloring: {method.name}", leave=False
    )
    return np.concatenate(
        [
            graph.compose(lightness, decoded.predict_on_batch(lightness)[method.decoding])
            for lightness, _ in batches
        ]
    )


def gray(rgb):
    """(N, H, W, 3) uint8 images without their color: the lightness stays."""
    return np.concatenate([graph.gray(lightness) for lightness, _ in batches_with_lab(rgb)])


def batches_with_lab(rgb):
    """Of (N, H, W, 3) uint8 images batch after batch L, (B, H, W, 1), and ab, (B, H, W, 2), float32."""
    for start in range(0, len(rgb), _BATCH):
        batch = rgb[start : start + _BATCH]
        yield pipeline.to_lightness_and_ab(batch, np.zeros(len(batch), bool))
