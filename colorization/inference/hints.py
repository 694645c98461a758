"""Color hints: colors that the user gives for single pixels, and that spread over similar neighbors."""

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import ImageColor

from colorization.core import color_numpy
from colorization.core.errors import InputError, printable
from colorization.core.typing import StrPath
from colorization.inference import composition
from colorization.inference.propagation import Propagation, grid_shape

_REACH = 0.2  # of a hint, relative to the picture
_RIDGE = 1e-6  # of the covariances: hints that contradict each other within one cell are averaged


class Hint(NamedTuple):
    """A color for a pixel of the upright picture.

    Attributes:
        x, y: column and row, from the upper left corner, which is 0, 0.
        color: sRGB, 0..255 each.
    """

    x: int
    y: int
    color: tuple[int, int, int]


def parse(text: str) -> Hint:
    """The hint that a text such as 120,80,#a03030 or 120,80,brown stands for.

    Args:
        text: column, row and color; the color is hexadecimal or has a CSS name.

    Returns:
        Hint.

    Raises:
        InputError: the text has another form, or the color is unknown.
    """
    column, _, rest = text.partition(",")
    row, comma, color = rest.partition(",")
    if not comma or not (_is_whole(column) and _is_whole(row)):
        raise InputError(f"{text!r} is not a color hint: write X,Y,COLOR, such as 120,80,#a03030.")
    return Hint(int(column), int(row), _color(color))


def read(path: StrPath) -> list[Hint]:
    """The hints in a file.

    Args:
        path: a JSON file with a list such as [{"x": 120, "y": 80, "color": "#a03030"}].

    Returns:
        List of Hint.

    Raises:
        InputError: the file cannot be read, has another form, or a color is unknown.
    """
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{printable(path)} is not a JSON file ({error}).") from None
    if not isinstance(entries, list):
        raise InputError(f"{printable(path)} is not a list of hints such as {_EXAMPLE}.")
    return [_entry(entry, path) for entry in entries]


_EXAMPLE = '[{"x": 120, "y": 80, "color": "#a03030"}]'


class HintedPicture:
    """A picture with its predicted color, which takes color hints.

    It keeps the prediction, the factorized system and the effect of each place. A further hint is therefore
    fast. See `propagation` for the method.

    Args:
        pixels: (H, W) gray or (H, W, 3) RGB, uint8 or uint16.
        ab: (h, w, 2) float32, the prediction, of any size.
        alpha: (H, W) opacity, uint8 or uint16. Hidden pixels do not influence the colors.
    """

    def __init__(self, pixels: np.ndarray, ab: np.ndarray, alpha: np.ndarray | None = None):
        self._pixels, self._ab = pixels, ab
        self._lightness = functools.cache(
            lambda: composition.shrink(pixels, grid_shape(*pixels.shape[:2]), alpha)
        )
        self._propagation = functools.cache(lambda: Propagation(self._lightness(), _REACH))
        self._effect = functools.cache(self._effect_of)

    def colorize(self, hints: Sequence[Hint] = ()) -> np.ndarray:
        """The picture in color.

        Args:
            hints: all hints that are to apply, in any order.

        Returns:
            (H, W, 3) RGB of the picture's dtype.

        Raises:
            InputError: a hint is outside the picture.
        """
        return composition.compose(self._pixels, self.ab(hints))

    def ab(self, hints: Sequence[Hint] = ()) -> np.ndarray:
        """The predicted color, corrected by hints.

        Args:
            hints: as of colorize.

        Returns:
            (h, w, 2) float32: of the grid of `propagation`, or as predicted if there is no hint.

        Raises:
            InputError: a hint is outside the picture.
        """
        for hint in hints:
            self._refuse_outside(hint)
        if not hints:
            return self._ab
        predicted = composition.resize(self._ab, grid_shape(*self._pixels.shape[:2]))
        places = [(hint.x, hint.y) for hint in hints]
        wanted = np.array([_ab_of(hint.color) for hint in hints])
        missing = wanted - [self._at(predicted, place) for place in places]
        effects = [self._effect(place) for place in places]
        covariances = np.array([[self._at(effect, place) for effect in effects] for place in places])
        covariances += np.diag(_RIDGE * np.diag(covariances))
        strengths = np.linalg.solve(covariances, missing)
        correction = np.einsum("nhw,nc->hwc", np.stack(effects), strengths)
        return predicted + correction.astype(np.float32)

    def _refuse_outside(self, hint):
        height, width = self._pixels.shape[:2]
        if not (0 <= hint.x < width and 0 <= hint.y < height):
            raise InputError(
                f"The color hint at {hint.x},{hint.y} is outside the picture, whose last pixel is at "
                f"{width - 1},{height - 1}."
            )

    def _effect_of(self, place):
        """(h, w) float64: the shape of the correction by a hint at a place."""
        weights = np.zeros(grid_shape(*self._pixels.shape[:2]))
        np.add.at(weights, *self._cells(place))
        return self._propagation().spread(weights)

    def _at(self, plane, place):
        """The value of a plane of the grid at a pixel of the picture, as the enlarged plane has it."""
        cells, weights = self._cells(place)
        return np.tensordot(weights, plane[cells], 1)

    def _cells(self, place):
        """((4,) rows, (4,) columns) of the grid, and (4,) weights, of a pixel in linear interpolation."""
        sides = self._pixels.shape[:2]
        grid = grid_shape(*sides)
        found = [_neighbors(at, new, old) for at, old, new in zip(reversed(place), sides, grid, strict=True)]
        (rows, down), (columns, right) = found
        return (np.repeat(rows, 2), np.tile(columns, 2)), np.outer(down, right).ravel()


def _neighbors(position, cells, pixels):
    """(2,) indices of cells beside a pixel, and (2,) weights, as cv2.resize has them."""
    center = np.clip((position + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    first = min(int(center), max(0, cells - 2))
    share = center - first
    return np.array([first, min(first + 1, cells - 1)]), np.array([1 - share, share])


def _ab_of(color):
    return color_numpy.rgb_to_lab(np.array(color, np.uint8).reshape(1, 1, 3))[0, 0, 1:]


def _entry(entry: Any, path) -> Hint:
    """The Hint of an entry of a JSON file."""
    match entry:
        case {"x": int(x), "y": int(y), "color": str(color)} if bool not in (type(x), type(y)):
            return Hint(x, y, _color(color))
    raise InputError(f"{printable(path)} has the entry {entry!r}, which is not a hint as in {_EXAMPLE}.")


def _color(name):
    """(red, green, blue) of a CSS color."""
    try:
        red, green, blue, *_ = ImageColor.getrgb(name.strip())
    except ValueError:
        raise InputError(
            f"{name!r} is not a known color: write one such as #a03030, or a CSS name such as brown."
        ) from None
    return red, green, blue


def _is_whole(text):
    return text.strip().removeprefix("-").isdecimal()
