"""The 313 ab bins: centers, nearest bin, soft encoding, and decodings from logits to ab.

Source: Zhang, Isola, Efros, "Colorful Image Colorization" (ECCV 2016), section 2; the paper, sections
4.1.2 and 4.1.3.
"""

import functools
import numbers

import numpy as np
from keras import ops

from colorization.core.bin_centers import CENTERS, COUNT, STEP
from colorization.core.config import TEMPERATURE
from colorization.core.typing import Tensor

__all__ = [
    "CENTERS",
    "COUNT",
    "STEP",
    "annealed_mean",
    "decode_mean",
    "decode_mode",
    "entropy",
    "nearest",
    "soft_encode",
]

_LIMIT = 128.0  # the range of 8-bit Lab; larger values are clipped
_CELL = 2.5  # side of the search cells, small enough for short lists of candidates
_EDGE = 130.0  # start of the cells: a multiple of their side, outside the limit


def nearest(ab: Tensor) -> Tensor:
    """Index of the nearest center.

    Args:
        ab: (..., 2) float, in ab units; clipped to -128..128.

    Returns:
        (...) int32, 0..312. Among equally near centers any one is returned.

    Example:
        >>> import numpy as np
        >>> index = int(nearest(np.array([11.0, -9.0])))
        >>> CENTERS[index].tolist()
        [10.0, -10.0]
    """
    return soft_encode(ab, neighbors=1)[0][..., 0]


def soft_encode(ab: Tensor, neighbors: int = 5, sigma: float = 5.0) -> tuple[Tensor, Tensor]:
    """The nearest bins of each color, weighted by a Gaussian of their distance (Zhang et al., section 2.2).

    The result is sparse and exact. The plane is divided into cells. Each cell has a list of all bins that can
    be among the nearest bins of a point inside the cell.

    Args:
        ab: (..., 2) float, in ab units; clipped to -128..128.
        neighbors: number of bins, K; 1 is hard encoding.
        sigma: standard deviation of the Gaussian, in ab units.

    Returns:
        Indices, (..., neighbors) int32, nearest first, and weights, (..., neighbors) float32, summing to 1.

    Example:
        >>> import numpy as np
        >>> indices, weights = soft_encode(np.array([0.0, 0.0]), neighbors=3)
        >>> CENTERS[int(indices[0])].tolist(), round(float(np.sum(weights)), 3)
        ([0.0, 0.0], 1.0)
    """
    table = _candidates(neighbors)
    ab = ops.clip(ops.cast(ab, "float32"), -_LIMIT, _LIMIT)
    cell = ops.cast((ab + _EDGE) / _CELL, "int32")
    cell = cell[..., 0] * table.shape[1] + cell[..., 1]

    def look_up(values):  # one row per pixel is faster than one element per candidate
        return ops.take(ops.convert_to_tensor(values.reshape(-1, table.shape[-1])), cell, axis=0)

    candidates = look_up(table)
    distance = sum(ops.square(look_up(_PADDED_CENTERS[table][..., i]) - ab[..., i : i + 1]) for i in range(2))
    order = ops.argsort(distance, axis=-1)[..., :neighbors]  # for short rows faster than top_k
    indices = ops.take_along_axis(candidates, order, axis=-1)
    distance = ops.take_along_axis(distance, order, axis=-1)
    weights = ops.exp((distance[..., :1] - distance) / (2 * sigma**2))
    return indices, weights / ops.sum(weights, axis=-1, keepdims=True)


def decode_mode(logits: Tensor) -> Tensor:
    """The center of the most likely bin (paper, section 4.1.2).

    Args:
        logits: (..., 313) float.

    Returns:
        (..., 2) float32 ab.

    Example:
        >>> import numpy as np
        >>> logits = np.zeros(COUNT)
        >>> logits[42] = 9
        >>> np.asarray(decode_mode(logits)).tolist() == CENTERS[42].tolist()
        True
    """
    # Keras's argmax needs bitcast, which ONNX does not have
    likeliest = ops.top_k(ops.cast(logits, "float32"), 1)[1][..., 0]
    return ops.take(ops.convert_to_tensor(CENTERS), likeliest, axis=0)


def decode_mean(logits: Tensor) -> Tensor:
    """The expected center (paper, section 4.1.3).

    Args:
        logits: (..., 313) float.

    Returns:
        (..., 2) float32 ab.
    """
    return annealed_mean(logits, temperature=1.0)


def annealed_mean(logits: Tensor, temperature: float | Tensor = TEMPERATURE) -> Tensor:
    """The expected center of the distribution at a temperature (paper, section 4.1.3; Zhang et al., Eq. 5).

    Args:
        logits: (..., 313) float.
        temperature: T >= 0, a number or a scalar tensor. 1 gives the mean. Values towards 0 give the mode, or
            the mean of several equally likely bins.

    Returns:
        (..., 2) float32 ab.

    Raises:
        ValueError: the temperature is negative or NaN.

    Example:
        >>> import numpy as np
        >>> logits = np.full(COUNT, -99.0)
        >>> logits[:2] = 0  # two equally likely bins: (-90, 50) and (-90, 60)
        >>> np.asarray(annealed_mean(logits, temperature=0.5)).round(2).tolist()
        [-90.0, 55.0]
    """
    if isinstance(temperature, numbers.Real) and not float(temperature) >= 0:
        raise ValueError(f"temperature must be at least 0, received {temperature}")
    logits = ops.cast(logits, "float32")
    sharpened = (logits - ops.max(logits, axis=-1, keepdims=True)) / ops.maximum(temperature, 1e-6)
    return ops.matmul(ops.softmax(sharpened, axis=-1), ops.convert_to_tensor(CENTERS))


def entropy(logits: Tensor) -> Tensor:
    """Entropy of the distribution over bins.

    Args:
        logits: (..., 313) float.

    Returns:
        (..., 1) float32, 0 to log 313 nats.
    """
    log_probability = ops.log_softmax(ops.cast(logits, "float32"), axis=-1)
    return -ops.sum(ops.exp(log_probability) * log_probability, axis=-1, keepdims=True)


@functools.cache
def _candidates(neighbors):
    """(cells, cells, C) int32: the bins that can be among the `neighbors` nearest bins of a point in a cell.

    The difference of the squared distances to two bins is linear in the point. If one bin is at least as far
    as another at the four corners of a cell, it is at least as far everywhere inside. A bin with `neighbors`
    such others is left out. Shorter lists are filled with bin 313, which is far away.
    """
    edges = np.arange(-_EDGE, _EDGE, _CELL)
    low = np.stack(np.meshgrid(edges, edges, indexing="ij"), -1)[:, :, None]
    nearby = _nearby(CENTERS - low, neighbors)
    corners = low + _CELL * np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    squared = np.square(CENTERS[nearby][:, :, :, None] - corners[:, :, None]).sum(-1)
    no_nearer = (squared[:, :, :, None] <= squared[:, :, None]).all(-1)  # first than second, or as near
    kept = no_nearer.sum(axis=2) - 1 < neighbors  # minus 1: each bin is as near as itself
    first = np.argsort(~kept, axis=-1, kind="stable")[..., : kept.sum(-1).max()]
    chosen = np.take_along_axis(np.where(kept, nearby, COUNT), first, axis=-1)
    return chosen.astype("int32")


def _nearby(offset, neighbors):
    """(cells, cells, P): a first, larger choice by the least and the greatest distance to each cell.

    offset: (cells, cells, 313, 2), of each center from each cell's lower corner.
    """
    least = np.linalg.norm(np.maximum(np.maximum(-offset, offset - _CELL), 0), axis=-1)
    greatest = np.linalg.norm(np.maximum(np.abs(offset), np.abs(offset - _CELL)), axis=-1)
    enough = np.partition(greatest, neighbors - 1, axis=-1)[..., neighbors - 1 : neighbors]
    return np.argsort(least, axis=-1)[..., : (least <= enough).sum(-1).max()]


_PADDED_CENTERS = np.concatenate([CENTERS, [[1e6, 1e6]]]).astype("float32")
