"""The loop that decodes, composes and measures. Evaluation, tuning and the judge share it."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops
from tqdm import tqdm

from colorization.core import bins
from colorization.core.color_prior import ColorPrior, rebalancing_weights
from colorization.core.metrics import Accumulator
from colorization.datasets import pipeline
from colorization.inference import graph


def measure(
    rgb: np.ndarray,
    predict: Callable,
    prior: ColorPrior,
    *,
    batch_size: int,
    structural: bool = True,
    measures: Mapping[str, Callable] = {},
    watch: Callable | None = None,
    description: str = "evaluating",
) -> dict[str, dict[str, Any]]:
    """Measure several predictions of the same images.

    Args:
        rgb: (N, H, W, 3) uint8, the true images.
        predict: function of L, (B, H, W, 1) float32, and true ab, (B, H, W, 2). It returns {name: (B, H, W,
            2) ab}, with the same names for every batch.
        prior: ColorPrior. Its inverse weighs the pixels of the rebalanced AuC.
        batch_size: images in a batch.
        structural: whether PSNR, SSIM and CIEDE2000 are measured too.
        measures: other measures, see Accumulator.
        watch: function of a name and its composed (B, H, W, 3) uint8 batch, called for each batch; or None.
        description: text of the progress bar.

    Returns:
        {name: {metric: value}}, see Accumulator.result.
    """
    rarity = rebalancing_weights(prior.bin_counts, mix=0.0)
    found: dict[str, Accumulator] = {}
    for start in tqdm(range(0, len(rgb), batch_size), desc=description, unit=" batches", leave=False):
        truth_rgb = rgb[start : start + batch_size]
        lightness, ab = map(ops.convert_to_numpy, pipeline.to_lightness_and_ab(truth_rgb))
        weights = rarity[ops.convert_to_numpy(bins.nearest(ab))]
        for name, predicted in predict(lightness, ab).items():
            predicted = np.asarray(predicted)
            composed = graph.compose(lightness, predicted)
            accumulator = found.setdefault(name, Accumulator(structural, measures))
            accumulator.add(ab, predicted, weights, truth_rgb, composed)
            if watch is not None:
                watch(name, composed)
    return {name: accumulator.result() for name, accumulator in found.items()}
