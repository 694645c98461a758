"""Color hints: the user gives the colors of single pixels. They spread over similar neighbors."""

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
from colorization.inference.canvas import Canvas
from colorization.inference.propagation import Propagation, grid_shape

_REACH = 0.2  # distance to which a hint spreads, relative to the picture
_CROWDED = 0.05  # smallest relative singular value; hints in one cell fall below it and are averaged
_LEAST_SHARE = 0.5  # least effect of a hint on its own pixel; a lone bright pixel gets less from its cell
_RIDGE = 1e-5  # added to the covariances: different hints in one cell are averaged


class Hint(NamedTuple):
    """A color for a pixel of the upright picture.

    Attributes:
        x: column, from the left; the first is 0.
        y: row, from the top; the first is 0.
        color: sRGB, 0..255 each.
    """

    x: int
    y: int
    color: tuple[int, int, int]


def parse(text: str) -> Hint:
    """Parse a hint such as 120,80,#a03030 or 120,80,brown.

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

    It keeps the prediction, the factorized system and the effect of each hinted place. Further hints are
    therefore fast. See `propagation` for the method.

    Args:
        canvas: the Canvas of the picture.
        guide: (h, w) float32, its lightness at the size of the prediction, 0..100.
        ab: (h, w, 2) float32, the prediction.
    """

    def __init__(self, canvas: Canvas, guide: np.ndarray, ab: np.ndarray):
        self._canvas = canvas
        self._predicted = canvas.coefficients(guide, ab * np.float32(canvas.rendering.saturation))
        self._grid = grid_shape(*canvas.pixels.shape[:2])
        self._effect = functools.cache(self._effect_of)

    def colorize(self, hints: Sequence[Hint] = ()) -> np.ndarray:
        """The picture in color.

        Args:
            hints: all hints, in any order.

        Returns:
            (H, W, 3) RGB of the picture's dtype.

        Raises:
            InputError: a hint is outside the picture, or on a border that stays neutral.
        """
        places = [self._place(hint) for hint in hints]
        if not places:
            return self._canvas.compose(*self._predicted)
        wanted = np.array([_ab_of(hint.color) for hint in hints])
        predicted = [
            None if each is None else composition.resize(each, self._grid) for each in self._predicted
        ]
        correction = self._correction(places, wanted - [self._at(predicted, place) for place in places])
        added = self._canvas.coefficients(self._lightness, correction)
        offset, slope = (_sum(*each) for each in zip(predicted, added, strict=True))
        self._finish(offset, places, wanted - [self._at((offset, slope), place) for place in places])
        return self._canvas.compose(offset, slope)

    @functools.cached_property
    def _lightness(self):
        return self._canvas.lightness(self._grid)

    @functools.cached_property
    def _propagation(self):
        return Propagation(self._lightness, _REACH)

    def _finish(self, offset, places, missing):
        """Add the remaining error at some places to the cells around them. It is small for distant hints."""
        found = [_cells(place, self._canvas.pixels.shape, self._grid) for place in places]
        touched, number = np.unique(
            np.concatenate([np.ravel_multi_index(cells, self._grid) for cells, _ in found]),
            return_inverse=True,
        )
        weights = np.zeros((len(places), len(touched)))
        np.add.at(
            weights, (np.repeat(np.arange(len(places)), 4), number), np.concatenate([w for _, w in found])
        )
        offset.reshape(-1, 2)[touched] += np.linalg.lstsq(weights, missing, rcond=_CROWDED)[0]

    def _correction(self, places, missing):
        """(h, w, 2) float32, on the grid: the errors at some places, spread over their surroundings.

        Between hints of opposite colors, the smoothest surface can rise far above both. It is clipped to the
        range of the corrections by each hint alone.
        """
        effects = [self._effect(place) for place in places]
        shares = np.array([[self._at(enlarged, place)[0] for _, enlarged in effects] for place in places])
        own = np.maximum(np.diag(shares), _LEAST_SHARE)
        np.fill_diagonal(shares, own * (1 + _RIDGE))
        alone = missing / own[:, None]
        strengths = np.linalg.solve(shares, missing)
        correction = np.tensordot(np.stack([effect for effect, _ in effects]), strengths, axes=(0, 0))
        lowest, highest = np.minimum(alone.min(axis=0), 0), np.maximum(alone.max(axis=0), 0)
        return np.clip(correction, lowest, highest).astype(np.float32)

    def _effect_of(self, place):
        """(h, w) float64, the shape of the correction by a hint, and the coefficients that enlarge it."""
        weights = np.zeros(self._grid)
        np.add.at(weights, *_cells(place, self._canvas.pixels.shape, self._grid))
        effect = self._propagation.spread(weights)
        effect /= effect.max()
        return effect, self._canvas.coefficients(self._lightness, np.stack([effect] * 2, -1).astype("f4"))

    def _at(self, coefficients, place):
        """(2,) ab at a pixel, from coefficients on the grid."""
        (row, column), pixels = place, self._canvas.pixels
        cells, weights = _cells(place, pixels.shape, self._grid)
        lightness = composition.shrink(pixels[row : row + 1, column : column + 1], (1, 1))[0, 0]
        offset, slope = (0 if each is None else weights @ each[cells] for each in coefficients)
        return offset + slope * lightness

    def _place(self, hint):
        """(row, column) of a hint inside the borders."""
        sides = self._canvas.whole.shape[:2]
        if not (0 <= hint.x < sides[1] and 0 <= hint.y < sides[0]):
            raise InputError(
                f"The color hint at {hint.x},{hint.y} is outside the picture, whose last pixel is at "
                f"{sides[1] - 1},{sides[0] - 1}."
            )
        rows, columns = (
            range(*part.indices(side)) for part, side in zip(self._canvas.inner, sides, strict=True)
        )
        if hint.y not in rows or hint.x not in columns:
            raise InputError(
                f"The color hint at {hint.x},{hint.y} is on a uniform border, which stays neutral: pass "
                "--no-borders to color it."
            )
        return hint.y - rows.start, hint.x - columns.start


def _sum(first, second):
    """The sum of two arrays, either of which may be None."""
    return second if first is None else first if second is None else first + second


def _cells(place, shape, grid):
    """((4,) rows, (4,) columns) of cells around a pixel of a picture, and their (4,) weights."""
    (rows, down), (columns, right) = (
        _neighbors(at, cells, pixels) for at, cells, pixels in zip(place, grid, shape, strict=False)
    )
    return (np.repeat(rows, 2), np.tile(columns, 2)), np.outer(down, right).ravel()


def _neighbors(position, cells, pixels):
    """(2,) indices of cells beside a pixel, and (2,) weights, as cv2.resize has them."""
    center = np.clip((position + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    first = min(int(center), max(0, cells - 2))
    share = center - first
    return np.array([first, min(first + 1, cells - 1)]), np.array([1 - share, share])


def _ab_of(color):
    """(2,) ab of (red, green, blue). Raises InputError for values outside 0..255."""
    if not all(0 <= value <= 255 for value in color):
        raise InputError(f"The color {tuple(color)} of a hint has values outside 0 to 255.")
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
    digits = text.strip().removeprefix("-")
    return digits.isdecimal() and len(digits) < 12  # Python refuses to convert thousands of digits
