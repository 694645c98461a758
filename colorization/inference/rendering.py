"""Rendering: options for the way from the network's prediction to the colored picture."""

from typing import Literal, NamedTuple, get_args

import numpy as np

from colorization.core.errors import InputError
from colorization.inference import composition

Upsampling = Literal["edges", "bilinear"]
Quality = Literal["fast", "best"]

BEST_SCALES = (0.75, 1.0, 1.25)
"""Working sizes of the quality best, as multiples of the model's own."""

_SIDE = 512  # pixels of the longer side at which borders are looked for
_BORDER_RANGE = 6.0  # of L, 0..100: greatest distance of a border from black or white
_BORDER_SPREAD = 2.0  # greatest standard deviation of L along a row or column of a border
_FILLED, _FILLED_SPREAD = 53.585, 0.05  # L of the gray 128, with which JPEG decoders fill missing parts
_INNER = 0.1  # least share of each side inside the borders
_PERCENTILES = (1, 99)
_STRETCHED = (2.0, 98.0)  # of L, for these percentiles


class Rendering(NamedTuple):
    """How a prediction becomes a picture.

    Attributes:
        upsampling: edges lets colors follow the edges of lightness; bilinear does not.
        quality: best averages the predictions of the picture and of its mirror image at three working sizes.
            It takes about six times as long.
        borders: whether uniform white or black borders are found, and the gray part that is missing in a
            damaged JPEG file. They stay neutral, and are not shown to the network.
        restore_contrast: whether the lightness is stretched for the network, for faded prints. The result
            keeps the original lightness.
        saturation: factor of the chroma, 0 to 2.
    """

    upsampling: Upsampling = "edges"
    quality: Quality = "fast"
    borders: bool = True
    restore_contrast: bool = False
    saturation: float = 1.0


PLAIN = Rendering(upsampling="bilinear", borders=False)
"""The network runs once, and ab is resized bilinearly: the pictures of exported models and of evaluations."""


WHOLE = (slice(None), slice(None))
"""The rows and columns of a picture without borders."""


def check(rendering: Rendering) -> Rendering:
    """Refuse a Rendering with an invalid value.

    Args:
        rendering: a Rendering.

    Returns:
        The same Rendering.

    Raises:
        InputError: the saturation is not 0 to 2, or there is no such upsampling or quality.
    """
    for name, choices in (("upsampling", get_args(Upsampling)), ("quality", get_args(Quality))):
        if (value := getattr(rendering, name)) not in choices:
            raise InputError(f"The {name} is {' or '.join(choices)}, not {value!r}.")
    if not 0 <= rendering.saturation <= 2:
        raise InputError(f"The saturation is 0 to 2, not {rendering.saturation:g}.")
    return rendering


def inner_part(picture: np.ndarray, alpha: np.ndarray | None = None) -> tuple[slice, slice]:
    """The part of a picture inside uniform borders: white, black, or the gray of missing parts.

    Args:
        picture: (H, W) or (H, W, 3), uint8 or uint16.
        alpha: (H, W) opacity, uint8 or uint16. Hidden pixels are no borders.

    Returns:
        Slices of rows and columns. They are those of the whole picture if there are no borders, or if
        little else would be left.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, _SIDE / max(height, width))
    small = composition.shrink(picture, (max(1, round(height * scale)), max(1, round(width * scale))), alpha)
    rows = _inner(small)
    columns = _inner(small[rows].T)
    inner = tuple(
        _enlarged(*pair) for pair in ((rows, small.shape[0], height), (columns, small.shape[1], width))
    )
    large_enough = all(
        part.stop - part.start >= max(composition.STRIDE, _INNER * side)
        for part, side in zip(inner, (height, width), strict=True)
    )
    return inner if large_enough else (slice(0, height), slice(0, width))


def stretched(lightness: np.ndarray) -> np.ndarray:
    """Lightness whose percentiles 1 and 99 become 2 and 98.

    Args:
        lightness: (h, w) float32, 0..100.

    Returns:
        (h, w) float32, 0..100. A picture of one lightness is unchanged.
    """
    low, high = np.percentile(lightness, _PERCENTILES)
    if high - low < 1:
        return lightness
    least, greatest = _STRETCHED
    return np.clip(least + (lightness - low) * ((greatest - least) / (high - low)), 0, 100).astype(np.float32)


def with_neutral_borders(picture: np.ndarray, inner: tuple[slice, slice], colored: np.ndarray) -> np.ndarray:
    """The whole picture, colored inside and neutral outside.

    Args:
        picture: (H, W) or (H, W, 3), uint8 or uint16.
        inner: slices of inner_part.
        colored: RGB of this part.

    Returns:
        (H, W, 3) of the same dtype.
    """
    if colored.shape[:2] == picture.shape[:2]:
        return colored
    rgb = composition.compose(picture, np.zeros((1, 1, 2), np.float32))
    rgb[inner] = colored
    return rgb


def _inner(small):
    """The rows between borders, as a slice."""
    mean, spread = small.mean(axis=1), small.std(axis=1)
    border = (spread < _BORDER_SPREAD) & ((mean < _BORDER_RANGE) | (mean > 100 - _BORDER_RANGE))
    filled = (spread < _FILLED_SPREAD) & (np.abs(mean - _FILLED) < 1)
    content = np.flatnonzero(~(border | filled))
    return slice(content[0], content[-1] + 1) if len(content) else slice(0, len(small))


def _enlarged(part, small, large):
    """A slice of a side of a small picture, at the size of the large one, with partly covered rows."""
    start, stop = part.start * large / small, part.stop * large / small
    return slice(int(np.floor(start)), int(np.ceil(stop)))


def mirrored(planes: np.ndarray) -> np.ndarray:
    """Mirror planes from left to right.

    Args:
        planes: (h, w) or (h, w, C).

    Returns:
        (h, w) or (h, w, C), contiguous.
    """
    return np.ascontiguousarray(planes[:, ::-1])
