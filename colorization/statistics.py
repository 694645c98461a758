"""What is known of the training set's colours: the prior over bins, and the mean."""

import dataclasses
import json

import numpy as np
from keras import ops

from . import bins, color
from .errors import InputError
from .files import write_text


@dataclasses.dataclass(frozen=True)
class Statistics:
    """Colours of a training set.

    Attributes:
        bin_counts: (313,) int64, pixels nearest to each centre.
        mean_ab: (2,) float64.
    """

    bin_counts: np.ndarray
    mean_ab: np.ndarray

    def save(self, path):
        """Write as JSON."""
        values = {"bin_counts": self.bin_counts.tolist(), "mean_ab": self.mean_ab.tolist()}
        write_text(path, json.dumps(values) + "\n")

    @classmethod
    def load(cls, path):
        """Read what save wrote. Raises InputError for a file that is missing or damaged."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            counts = np.array(values["bin_counts"], "int64")
            mean = np.array(values["mean_ab"], "float64")
            if counts.shape != (bins.COUNT,) or mean.shape != (2,) or counts.min() < 0 or not counts.sum():
                raise ValueError("wrong sizes")
            if not np.isfinite(mean).all():
                raise ValueError("not finite")
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise InputError(f"{path} holds no statistics of a training set ({error}).") from None
        return cls(counts, mean)


def measure(images, chunk=256):
    """Statistics of (N, H, W, 3) uint8 images."""
    counts, total = np.zeros(bins.COUNT, "int64"), np.zeros(2)
    for start in range(0, len(images), chunk):
        ab = color.rgb_to_lab(images[start : start + chunk])[..., 1:]
        nearest = ops.convert_to_numpy(bins.nearest(ab))
        counts += np.bincount(nearest.ravel(), minlength=bins.COUNT)
        total += ops.convert_to_numpy(ab).sum(axis=(0, 1, 2), dtype="float64")
    return Statistics(counts, total / counts.sum())
