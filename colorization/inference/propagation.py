"""Values that are smooth where the lightness is smooth, and that may jump where it jumps.

Levin, Lischinski and Weiss color a picture from a few hints. They minimize the sum of squared differences
between the color of each pixel and the weighted mean of its neighbors. Neighbors of similar lightness weigh
more. This cost is also the logarithm of a probability, that of a Gaussian Markov random field. The field with
the least cost under some constraints is its conditional mean, and random fields can be drawn from it.

Sources: Levin, Lischinski, Weiss, "Colorization using Optimization" (SIGGRAPH 2004), Eq. 1 and 2; Lindgren,
Rue, Lindstroem, "An explicit link between Gaussian fields and Gaussian Markov random fields" (JRSS B 2011).
"""

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

_CELLS = 2**16  # at most, on the grid: the sparse factorization takes about a second
_SIGMA = 2.0  # in units of lightness: neighbors that differ by three times this are nearly independent
_LEAST = 1e-9  # least weight of a neighbor, so that no pixel is isolated
_NEIGHBORS = ((0, 1), (1, 0), (1, 1), (1, -1))  # and the opposite ones
_PER_STEP = 3 / 8  # 1 minus the mean of eight neighbors is this times the negative second derivative
_DRAWS = 32  # random fields from which the variance at each pixel is estimated


def grid_shape(height: int, width: int) -> tuple[int, int]:
    """The size of the grid on which a picture's values are propagated.

    Args:
        height, width: of the picture.

    Returns:
        (height, width): at most those of the picture, and at most 2**16 cells together.
    """
    scale = min(1.0, (_CELLS / (height * width)) ** 0.5)
    rows = min(max(1, int(height * scale)), _CELLS)
    return rows, max(1, min(int(width * scale), _CELLS // rows))


class Propagation:
    """Smooth fields on a grid of lightness.

    Args:
        lightness: (h, w) float32, 0..100.
        reach: distance at which a pull to zero takes over, relative to the square root of the grid's area.
    """

    def __init__(self, lightness: np.ndarray, reach: float):
        self.shape = lightness.shape
        pull = _PER_STEP / (reach**2 * lightness.size)
        cost = _differences(lightness) + pull * sparse.eye_array(lightness.size)
        self._solver = splu(  # for matrices of symmetric structure with a strong diagonal
            cost.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )

    def spread(self, weights: np.ndarray) -> np.ndarray:
        """The covariances of a weighted sum of cells with all cells.

        Args:
            weights: (h, w) float64.

        Returns:
            (h, w) float64. Linear combinations of such fields have the least cost under constraints on
            these sums.
        """
        return self._solver.solve(self._solver.solve(weights.ravel(), trans="T")).reshape(self.shape)

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Random fields: standard normal at each cell, correlated where the lightness is similar.

        Args:
            count: number of fields.
            seed: of the random numbers. The first fields do not depend on `count`.

        Returns:
            (count, h, w) float64.
        """
        scale = np.sqrt(np.square(self._solve_noise(_DRAWS, 0)).mean(axis=0))
        return self._solve_noise(count, seed + 1) / scale

    def _solve_noise(self, count, seed):
        noise = np.random.default_rng(seed).standard_normal((count, *self.shape))
        return self._solver.solve(noise.reshape(count, -1).T).T.reshape(noise.shape)


def _differences(lightness):
    """Matrix from values at all cells to their differences to the weighted mean of the neighbors."""
    height, width = lightness.shape
    cells = np.arange(lightness.size).reshape(height, width)
    first, second, weights = [np.empty(0, int)], [np.empty(0, int)], [np.empty(0)]
    for down, right in _NEIGHBORS:
        here = slice(0, height - down), slice(max(0, -right), width - max(0, right))
        there = slice(down, height), slice(max(0, right), width + min(0, right))
        difference = (lightness[here] - lightness[there]).ravel().astype(np.float64)
        first.append(cells[here].ravel())
        second.append(cells[there].ravel())
        weights.append(np.maximum(np.exp(-np.square(difference / _SIGMA) / 2), _LEAST))
    pairs = np.concatenate([*first, *second]), np.concatenate([*second, *first])
    weight = sparse.csr_array((np.concatenate(weights * 2), pairs), shape=(lightness.size,) * 2)
    total = weight.sum(axis=1)
    lone = total == 0  # a picture of one pixel
    return sparse.diags_array(np.where(lone, 0.0, 1.0)) - sparse.diags_array(1 / (total + lone)) @ weight
