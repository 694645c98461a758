"""The colors of a training set: the prior over bins, and the mean. NumPy alone."""

import dataclasses

import numpy as np

from colorization.core.bin_centers import CENTERS, COUNT


@dataclasses.dataclass(frozen=True)
class ColorPrior:
    """The colors of a training set.

    Attributes:
        bin_counts: (313,) int64, the number of pixels nearest to each center.
        mean_ab: (2,) float64, in ab units.
    """

    bin_counts: np.ndarray
    mean_ab: np.ndarray

    def to_dict(self) -> dict[str, list]:
        """The values as lists, for JSON."""
        return {"bin_counts": self.bin_counts.tolist(), "mean_ab": self.mean_ab.tolist()}

    @classmethod
    def from_dict(cls, values: dict) -> "ColorPrior":
        """Make a ColorPrior from the lists of to_dict.

        Args:
            values: {"bin_counts": 313 integers, "mean_ab": 2 numbers}.

        Returns:
            ColorPrior.

        Raises:
            ValueError: a list has another length, or a value is negative or not finite.
            KeyError: a list is missing.
            TypeError: a value is not a number.
            OverflowError: a value is too large.
        """
        counts = np.array(values["bin_counts"], "int64")
        mean = np.array(values["mean_ab"], "float64")
        if counts.shape != (COUNT,) or mean.shape != (2,) or counts.min() < 0 or not counts.sum():
            raise ValueError("wrong sizes")
        if not np.isfinite(mean).all():
            raise ValueError("not finite")
        return cls(counts, mean)


def smooth_prior(counts: np.ndarray, sigma: float = 5.0) -> np.ndarray:
    """Relative frequency of the bins, smoothed by a Gaussian in ab (Zhang et al., section 2.2).

    Args:
        counts: (313,) number of pixels of each bin.
        sigma: in ab units; 0 leaves the frequencies unchanged.

    Returns:
        (313,) float64, summing to 1.
    """
    prior = np.asarray(counts, "float64") / np.sum(counts)
    if sigma:
        squared = ((CENTERS[:, None].astype("float64") - CENTERS[None]) ** 2).sum(-1)
        kernel = np.exp(-squared / (2 * sigma**2))
        prior = (kernel / kernel.sum(axis=0)) @ prior  # each bin's mass is spread, none is lost
    return prior / prior.sum()


def rebalancing_weights(counts: np.ndarray, mix: float = 0.5, sigma: float = 5.0) -> np.ndarray:
    """Weight of each bin's pixels: ((1 - mix) p + mix / Q)^-1, with sum(p w) = 1 (Zhang et al., Eq. 4).

    p is the smoothed prior, and at least that of one pixel: a bin that the training set lacks must not
    outweigh all others.

    Args:
        counts: (313,) number of pixels of each bin.
        mix: lambda of Eq. 4, 0..1. The value 0 gives the weights of the rebalanced AuC.
        sigma: standard deviation of the smoothing, in ab units.

    Returns:
        (313,) float32.

    Example:
        >>> counts = np.ones(COUNT, "int64")
        >>> counts[0] = 10_000
        >>> weights = rebalancing_weights(counts)
        >>> bool(weights[0] < weights[-1])  # the frequent color has less weight
        True
    """
    prior = smooth_prior(counts, sigma)
    weights = 1 / ((1 - mix) * np.maximum(prior, 1 / np.sum(counts)) + mix / COUNT)
    return (weights / (prior * weights).sum()).astype("float32")
