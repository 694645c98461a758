"""How sure one can be that a judge sees a difference: intervals, paired tests, confusions."""

import warnings

import numpy as np
from scipy import stats

_RESAMPLES = 2000
_SIGNIFICANT = 0.05


def accuracy(correct, seed=0):
    """{"accuracy", "interval"}: share of (N,) bool, and its bootstrap 95 % interval, by percentiles."""
    return {"accuracy": float(np.mean(correct)), "interval": _interval([correct], np.mean, seed)}


def gap_closed(correct, gray, truth, seed=0):
    """{"gap_closed", "gap_interval"}: (accuracy - gray's) / (truth's - gray's), of (N,) bool arrays.

    The interval is that of a bootstrap over images. Both are None where the truth is not surely better than
    gray (McNemar's p below 0.05): the share of a gap that may be none means nothing.
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


def mcnemar(correct, other):
    """p of McNemar's exact test that two (N,) bool arrays, image by image, are equally often true."""
    better, worse = int(np.sum(correct & ~other)), int(np.sum(other & ~correct))
    return float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0


def confusion(labels, chosen, classes):
    """(classes, classes) int64: images of the row's class that were taken for the column's."""
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
