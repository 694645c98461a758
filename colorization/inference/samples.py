"""Several plausible colors for one picture, drawn from the predicted distribution.

The distribution of one pixel does not depend on the color of another. Colors that are drawn pixel by pixel
are therefore noise. Here a Gaussian copula joins the pixels. Two random fields, which are smooth where the
lightness is smooth (see `propagation`), become quantiles by the normal distribution function. The first one
selects b, from blue to yellow. The second one selects a, from green to red, given b. Each pixel
follows its own predicted distribution, and neighbors of similar lightness select similar quantiles.

Sources: Sklar, "Fonctions de repartition a n dimensions et leurs marges" (1959) for the copula; Rosenblatt,
"Remarks on a multivariate transformation" (Annals of Mathematical Statistics, 1952) for b and then a given b;
Sheppard (Proceedings of the London Mathematical Society, 1898) for the correction of the variance by 1/12.
"""

from statistics import NormalDist

import numpy as np

from colorization.core.bin_centers import CENTERS, STEP
from colorization.inference.confidence import probabilities
from colorization.inference.propagation import Propagation

_REACH = 2.0  # of a random field, relative to the picture; large, so that an object has one color
_LOW = CENTERS.min(axis=0)
_GRID = tuple(((CENTERS - _LOW) / STEP).astype(int).T)  # places of the bins in a rectangle, by a and b
_SIDES = tuple(int(side.max()) + 1 for side in _GRID)
_DEVIATES = np.linspace(-5, 5, 2001)
_LEVELS = np.array([NormalDist().cdf(each) for each in _DEVIATES])
_ALMOST_NONE = 1e-12  # probability, against a division by zero


def sample(
    logits: np.ndarray, lightness: np.ndarray, count: int, *, temperature: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Plausible colors of one picture.

    Args:
        logits: (h, w, 313) float.
        lightness: (h, w) float32, 0..100.
        count: number of samples.
        temperature: by which logits are divided, at least 0.
        seed: of the random numbers.

    Returns:
        (count, h, w, 2) float32 ab. The samples differ where the distribution is wide.
    """
    rectangle = np.zeros((*lightness.shape, *_SIDES), np.float32)
    rectangle[..., _GRID[0], _GRID[1]] = probabilities(logits, temperature)
    fields = random_fields(lightness, count, seed)
    return np.stack([_colors(rectangle, *np.interp(pair, _DEVIATES, _LEVELS)) for pair in fields])


def random_fields(lightness: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Random fields that select the quantiles of samples.

    Args:
        lightness: (h, w) float32, 0..100.
        count: number of samples.
        seed: of the random numbers.

    Returns:
        (count, 2, h, w) float64, standard normal at each pixel. The sum of several samples is 0, so that they
        differ more than independent ones.
    """
    fields = Propagation(lightness, _REACH).draw(2 * count, seed).reshape(count, 2, *lightness.shape)
    if count > 1:
        fields = (fields - fields.mean(axis=0)) * np.sqrt(count / (count - 1))
    return fields


def _colors(rectangle, first, second):
    """(h, w, 2) ab at the quantiles `first` of b, and `second` of a given b."""
    b = _quantile(rectangle.sum(axis=2), first)
    a = _quantile(_between(rectangle, b), second)
    return (_LOW + STEP * np.stack([a, b], axis=-1)).astype(np.float32)


def _quantile(probability, level):
    """(h, w) positions, in bins, at which the cumulative probability along the last axis reaches a level.

    A bin's probability is spread evenly over its width, which adds 1/12 to the variance. The result is then
    moved toward the mean, so that its variance is that of the bins. A single bin results in its center.
    """
    probability = probability.astype(np.float64) + _ALMOST_NONE
    probability /= probability.sum(axis=-1, keepdims=True)
    cumulative = np.cumsum(probability, axis=-1)
    bin = (cumulative[..., :-1] < level[..., None]).sum(axis=-1, keepdims=True)
    inside, upper = (np.take_along_axis(each, bin, axis=-1)[..., 0] for each in (probability, cumulative))
    place = bin[..., 0] + 0.5 - (upper - level) / inside
    bins = np.arange(probability.shape[-1])
    mean = probability @ bins
    variance = np.maximum(probability @ np.square(bins) - np.square(mean), 0)
    return mean + (place - mean) * np.sqrt(variance / (variance + 1 / 12))


def _between(rectangle, b):
    """(h, w, A) probability of a at places between two bins of b."""
    below = np.clip(b.astype(int), 0, _SIDES[1] - 2)
    share = (b - below).astype(np.float32)[..., None]
    lower, upper = (
        np.take_along_axis(rectangle, index[..., None, None], axis=-1)[..., 0] for index in (below, below + 1)
    )
    return (1 - share) * lower + share * upper
