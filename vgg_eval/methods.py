"""The columns of the report's Figure 7: each way to colour a grey image, beside the grey and the true one."""

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from colorization import pipelines, prediction, runs, tasks

_BATCH = 64  # images coloured at once


class Method(NamedTuple):
    """A column.

    reported: the accuracy that the report gives.
    task, decoding: of the colorizer; None where nothing is predicted.
    """

    name: str
    reported: float
    task: str | None = None
    decoding: str | None = None


GRAYSCALE = Method("grayscale", 0.22)
TRUTH = Method("ground truth", 0.80)
METHODS = (
    GRAYSCALE,
    Method("regression", 0.46, "regression", "regression"),
    Method("classification", 0.57, "classification", "mode"),
    Method("annealed", 0.65, "classification", "annealed"),
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
        return grey(rgb)
    settings, model = runs.load_model(run_dirs[method.task])
    decodings = {method.decoding: tasks.of(settings).decodings[method.decoding]}
    decoded = prediction.predictor(model, decodings, temperature)
    batches = tqdm(list(lightness_batches(rgb)), desc=f"colouring: {method.name}", leave=False)
    return np.concatenate(
        [prediction.compose(batch, decoded.predict_on_batch(batch)[method.decoding]) for batch in batches]
    )


def grey(rgb):
    """(N, H, W, 3) uint8 images without their colour: the lightness stays."""
    return np.concatenate(
        [prediction.compose(batch, np.zeros((*batch.shape[:3], 2))) for batch in lightness_batches(rgb)]
    )


def lightness_batches(rgb):
    """L, (B, H, W, 1) float32, of a batch of uint8 images after the other."""
    for start in range(0, len(rgb), _BATCH):
        batch = rgb[start : start + _BATCH]
        yield pipelines.to_lightness_and_ab(batch, np.zeros(len(batch), bool))[0]
