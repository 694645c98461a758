"""The significance of a judge's results: intervals, paired tests, confusion matrices."""

import warnings
from typing import Any

import numpy as np
from scipy import stats

_RESAMPLES = 2000
_SIGNIFICANT = 0.05


def accuracy(correct: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Accuracy and its bootstrap 95 % interval, by percentiles.

    Args:
        correct: (N,) bool.
        seed: of the bootstrap.

    Returns:
        {"accuracy": 0..1, "interval": [low, high]}.
    """
    return {"accuracy": float(np.mean(correct)), "interval": _interval([correct], np.mean, seed)}


def gap_closed(correct: np.ndarray, gray: np.ndarray, truth: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """The share of the gap between gray and truth that a method closes: (accuracy - gray) / (truth - gray).

    The interval is that of a bootstrap over images. Both are None if the truth is not significantly better
    than gray (McNemar's p of 0.05 or more), as the gap may then be zero.

    Args:
        correct: (N,) bool of the method.
        gray: (N,) bool of the gray images.
        truth: (N,) bool of the true images.
        seed: of the bootstrap.

    Returns:
        {"gap_closed": share, "gap_interval": [low, high]}.
    """
    if np.mean(gray) >= np.mean(truth) or mcnemar(truth, gray) >= _SIGNIFICANT:
        return {"gap_closed": None, "gap_interval": None}

    def share(correct, gray, truth, axis=-1):
        with np.errstate(divide="ignore", invalid="ignore"):
            floor = np.mean(gray, axis=axis)
            return (np.mean(correct, axis=axis) - floor) / (np.mean(truth, axis=axis) - floor)

    value = float(share(correct, gray, truth))
    interval = _interval([correct, gray, truth], share, seed)
    return {"gap_closed": value, "gap_interval": interval if np.isfinite(interval).all() else None}


def mcnemar(correct: np.ndarray, other: np.ndarray) -> float:
    """McNemar's exact test of two methods on the same images.

    Args:
        correct: (N,) bool of one method.
        other: (N,) bool of the other method.

    Returns:
        p, 0..1, of the hypothesis that both have the same accuracy.
    """
    better, worse = int(np.sum(correct & ~other)), int(np.sum(other & ~correct))
    return float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0


def confusion(labels: np.ndarray, chosen: np.ndarray, classes: int) -> np.ndarray:
    """The confusion matrix.

    Args:
        labels: (N,) int, the true classes.
        chosen: (N,) int, the predicted classes.
        classes: number of classes.

    Returns:
        (classes, classes) int64: images of the row's class that were classified as the column's class.
    """
    return np.bincount(labels * classes + chosen, minlength=classes**2).reshape(classes, classes)


def _interval(arrays, statistic, seed):
    """[low, high] of a bootstrap over images, the same images in every array."""
    if len(arrays[0]) < 2:
        value = float(statistic(*(np.asarray(array, float) for array in arrays)))
        return [value, value]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of resamples in which all images are alike
        result = _bootstrap(arrays, statistic, seed)
    return [float(result.confidence_interval.low), float(result.confidence_interval.high)]


def _bootstrap(arrays, statistic, seed):
    return stats.bootstrap(
        [np.asarray(array, "float32") for array in arrays],
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=100,  # of 5,000 images: 2 MB an array at once
        method="percentile",
        rng=np.random.default_rng(seed),
    )
