"""How sure a colorizer is of its colors: the entropy of its distribution, as a picture with a scale."""

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from colorization.core.bin_centers import COUNT
from colorization.inference import composition

_COLDEST = 1e-6  # temperature that replaces 0
_LEAST = np.float32(1e-37)  # smallest probability before the logarithm
_SHORTEST, _LONGEST = 480, 2048  # pixels of the longer side of the map
_TICKS = (1, 3, 10, 30, 100, COUNT)  # equally likely colors
_TITLE = "equally likely colors (the exponential of the entropy)"
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
_COLORS = cv2.applyColorMap(np.arange(255, -1, -1, dtype=np.uint8)[:, None], cv2.COLORMAP_VIRIDIS)[:, 0, ::-1]
"""(256, 3) RGB: yellow for one color, violet for all."""


def probabilities(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """The distribution over bins at a temperature.

    Args:
        logits: (..., 313) float.
        temperature: by which logits are divided, at least 0.

    Returns:
        (..., 313) float32.

    Raises:
        ValueError: the temperature is negative.
    """
    if not temperature >= 0:
        raise ValueError(f"the temperature is at least 0, not {temperature}")
    difference = logits - logits.max(axis=-1, keepdims=True)
    relative = np.exp((difference / max(temperature, _COLDEST)).astype(np.float32))
    return relative / relative.sum(axis=-1, keepdims=True)


def entropy(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Entropy of the distribution over bins.

    Args:
        logits: (..., 313) float.
        temperature: by which logits are divided, at least 0.

    Returns:
        (...) float32, 0 to log 313 nats.
    """
    probability = probabilities(logits, temperature)
    return -(probability * np.log(np.maximum(probability, _LEAST))).sum(axis=-1)


def draw(
    entropies: np.ndarray, shape: tuple[int, int], inner: tuple[slice, slice] = (slice(None), slice(None))
) -> np.ndarray:
    """A picture of entropies, above a scale.

    Args:
        entropies: (h, w) float32 in nats.
        shape: (height, width) of the photograph. The map has its proportions.
        inner: rows and columns of the photograph that the entropies cover. The rest is white.

    Returns:
        (H, W, 3) uint8. The longer side of the map has 480 to 2048 pixels.
    """
    longest = max(shape)
    factor = min(max(longest, _SHORTEST), _LONGEST) / longest
    height, width = (max(1, round(side * factor)) for side in shape)
    drawn = np.full((height, width, 3), 255, np.uint8)
    rows, columns = (
        _scaled(part, *sides)
        for part, sides in zip(inner, ((shape[0], height), (shape[1], width)), strict=True)
    )
    place = drawn[rows, columns]
    enlarged = composition.resize(np.ascontiguousarray(entropies, np.float32), place.shape[:2])
    place[:] = _COLORS[np.rint(np.clip(enlarged / np.log(COUNT), 0, 1) * 255).astype(np.uint8)]
    pictures = [drawn, _scale(max(width, _SHORTEST))]
    wide = max(picture.shape[1] for picture in pictures)
    return np.concatenate(
        [np.pad(each, ((0, 0), (0, wide - each.shape[1]), (0, 0)), constant_values=255) for each in pictures]
    )


def _scaled(part, old, new):
    """A slice of a side of `old` pixels, at a size of `new` pixels; at least one."""
    start, stop, _ = part.indices(old)
    first = min(int(start * new / old), new - 1)
    return slice(first, max(first + 1, round(stop * new / old)))


def _scale(width):
    """(H, width, 3) uint8: the colors of the map, with labels."""
    size = max(13, width // 50)  # of the letters
    font, small = ImageFont.load_default(size), ImageFont.load_default(size * 0.9)
    picture = Image.new("RGB", (width, round(6.4 * size)), _WHITE)
    draw, margin, top = ImageDraw.Draw(picture), 2 * size, round(2.3 * size)
    bar = cv2.resize(
        np.ascontiguousarray(_COLORS[None]),
        (width - 2 * margin, round(1.3 * size)),
        interpolation=cv2.INTER_LINEAR,
    )
    picture.paste(Image.fromarray(bar), (margin, top))
    draw.text((margin, size), "sure", _BLACK, font, anchor="lm")
    draw.text((width - margin, size), "unsure", _BLACK, font, anchor="rm")
    for count in _TICKS:
        x = margin + round((bar.shape[1] - 1) * np.log(count) / np.log(COUNT))
        bottom = top + bar.shape[0]
        draw.line((x, top, x, bottom + size // 3), _BLACK)
        draw.text((x, bottom + size // 2), str(count), _BLACK, small, anchor="mt")
    draw.text((width / 2, picture.height - size // 2), _TITLE, _BLACK, small, anchor="mb")
    return np.asarray(picture)
