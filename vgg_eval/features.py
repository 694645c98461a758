"""The distance of two pictures in the features of a judge. It needs no downloaded weights."""

from collections.abc import Callable

import keras
import numpy as np

from colorization.core.typing import StrPath
from colorization.models.vgg16 import BLOCKS
from vgg_eval import judge, model


def measure(run_dir: StrPath) -> dict[str, Callable]:
    """The measure of `colorize evaluate --judge`.

    Args:
        run_dir: a judge's run folder.

    Returns:
        {heading: function of true and predicted (B, H, W, 3) uint8 RGB that returns (B,) distances}.

    Raises:
        InputError: not a judge's run folder, or its weights are not usable.
    """
    asked = judge.load(run_dir)
    return {f"feature distance by {asked.run.name} ↓": FeatureDistance(asked)}


class FeatureDistance:
    """The squared distance of the VGG16 features of two pictures, averaged over its five blocks.

    The features of each position are scaled to length 1 (Zhang et al. 2018, "The Unreasonable Effectiveness
    of Deep Features as a Perceptual Metric", Eq. 1, without learned weights). The distance is 0 for equal
    pictures. It is at most 2, since no feature is negative.

    Args:
        asked: the Judge.
    """

    def __init__(self, asked: judge.Judge):
        self.size = asked.run.config.vgg_size
        outputs = [asked.model.get_layer(f"block{b}_pool").output for b in range(1, len(BLOCKS) + 1)]
        self.network = keras.Model(asked.model.input, outputs)
        self.truth: np.ndarray | None = None  # the images of the stored features
        self.known: list[np.ndarray] = []

    def __call__(self, truth: np.ndarray, rgb: np.ndarray) -> np.ndarray:
        """(B,) float32, the distances of (B, H, W, 3) uint8 images."""
        if truth is not self.truth:  # several methods are compared with the same images
            self.truth, self.known = truth, self._features(truth)
        found = zip(self.known, self._features(rgb), strict=True)
        return np.mean([np.square(one - other).sum(-1).mean((1, 2)) for one, other in found], axis=0)

    def _features(self, rgb):
        found = self.network.predict_on_batch(model.enlarged(rgb, self.size))
        return [each / np.maximum(np.linalg.norm(each, axis=-1, keepdims=True), 1e-10) for each in found]
