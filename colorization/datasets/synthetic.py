"""A generated data set: ten kinds of scenes with known colors.

Each scene is composed in CIE Lab. Its class can be recognized from the lightness. Five classes have one color
scheme. In the other five the object has one of several equally likely colors at the same lightness: an apple
is red or green. The mean of these colors is nearly gray. A regression on ab learns this mean. A
classification over colors can choose one of them.
"""

from collections.abc import Callable

import numpy as np

from colorization.core.color_numpy import lab_to_rgb
from colorization.datasets.base import Dataset, Images

CHUNK = 500  # images drawn together; a multiple of the number of classes
FULL_TRAIN, FULL_TEST = 50_000, 10_000

Color = tuple[float, float]  # ab

# The equally likely colors of the object of each class. All are inside sRGB for a lightness of 50 to 65.
PALETTES: dict[str, tuple[Color, ...]] = {
    "lawn": ((-30, 34),),
    "sea": ((-2, -32),),
    "wall": ((30, 26),),
    "sunset": ((24, 44),),
    "tree": ((-30, 30),),
    "apple": ((50, 14), (-42, 16), (-2, 46)),
    "balloon": ((52, 22), (0, 50), (36, -40), (-42, 16)),
    "car": ((52, 26), (8, -44), (-40, 30), (2, 50)),
    "flower": ((46, -6), (-4, 50), (8, -44)),
    "house": ((44, 28), (2, -38), (-36, 22)),
}
SYNTHETIC_CLASSES = tuple(PALETTES)

SKY, GRASS, WOOD, GRAY = (-6, -22), (-28, 30), (10, 22), (0, 0)


class _Canvas:
    """``count`` images of side ``size`` in Lab, painted together, shape by shape.

    ``x`` and ``y`` run from 0 to 1, to the right and down; parameters are drawn as (count, 1, 1) so that
    every image has its own.
    """

    def __init__(self, rng: np.random.Generator, count: int, size: int):
        self.rng, self.count, self.size = rng, count, size
        line = (np.arange(size, dtype=np.float32) + 0.5) / size
        self.x, self.y = line[None, None, :], line[None, :, None]
        self.lab = np.zeros((count, size, size, 3), np.float32)

    def uniform(self, low: float, high: float) -> np.ndarray:
        """One number for each image, (count, 1, 1)."""
        return self.rng.uniform(low, high, (self.count, 1, 1)).astype(np.float32)

    def noise(self) -> np.ndarray:
        """Independent standard normal values, (count, size, size)."""
        return self.rng.standard_normal((self.count, self.size, self.size), dtype=np.float32)

    def palette(self, name: str) -> np.ndarray:
        """A random color of the class for each image, (count, 1, 1, 2)."""
        colors = np.array(PALETTES[name], np.float32)
        return colors[self.rng.integers(len(colors), size=self.count), None, None]

    def paint(self, depth, lightness, ab) -> None:
        """Paint where ``depth``, the distance inside the edge, is positive. The edge is one pixel soft."""
        cover = np.clip(depth * self.size + 0.5, 0, 1)[..., None]
        self.lab[..., :1] += cover * (np.asarray(lightness, np.float32)[..., None] - self.lab[..., :1])
        self.lab[..., 1:] += cover * (np.asarray(ab, np.float32) - self.lab[..., 1:])

    def fill(self, lightness, ab) -> None:
        self.paint(np.ones((1, 1, 1), np.float32), lightness, ab)

    def disc(self, x, y, radius) -> np.ndarray:
        """The depth inside a disc, for `paint`."""
        return radius - np.hypot(self.x - x, self.y - y)

    def box(self, left, top, right, bottom) -> np.ndarray:
        """The depth inside a rectangle, for `paint`."""
        across = np.minimum(self.x - left, right - self.x)
        return np.minimum(across, np.minimum(self.y - top, bottom - self.y))

    def sky(self) -> None:
        """Paint a sky over the whole canvas, brighter towards the horizon."""
        self.fill(self.uniform(66, 74) + 8 * self.y, SKY)

    def rgb(self) -> np.ndarray:
        """uint8 (count, size, size, 3) RGB, after a little noise on lightness and color."""
        self.lab[..., 0] += 1.5 * self.noise()
        self.lab[..., 1:] += self.rng.standard_normal(self.lab[..., 1:].shape, dtype=np.float32)
        np.clip(self.lab[..., 0], 3, 97, out=self.lab[..., 0])
        return lab_to_rgb(self.lab)


def _lawn(c: _Canvas) -> None:
    c.sky()
    horizon = c.uniform(0.25, 0.5)
    blades = c.noise() + np.roll(c.noise(), 1, axis=1)
    blades = blades + np.roll(blades, 1, axis=1) + np.roll(blades, 2, axis=1)  # smeared upright
    c.paint(c.y - horizon, 55 + 2.2 * blades - 6 * (c.y - horizon), PALETTES["lawn"][0])


def _sea(c: _Canvas) -> None:
    c.fill(82 + 6 * c.y, (-3, -10))
    horizon, ship = c.uniform(0.3, 0.5), c.uniform(0.2, 0.8)
    down = np.maximum(c.y - horizon, 0)
    sway = 0.6 * np.sin(2 * np.pi * (c.uniform(1, 2) * c.x + c.uniform(0, 1)))
    waves = np.sin(2 * np.pi * (c.uniform(5, 6.5) * down**0.8 + c.uniform(0, 1)) + sway)
    c.paint(c.y - horizon, 50 + 7 * waves, PALETTES["sea"][0])
    top, width = horizon - c.uniform(0.2, 0.26), c.uniform(0.45, 0.6)
    sail = np.minimum(np.minimum(c.x - ship, horizon - 0.02 - c.y), width * (c.y - top) - (c.x - ship))
    c.paint(sail, 94, (0, 3))
    c.paint(c.box(ship - 0.06, horizon - 0.02, ship + 0.16, horizon + 0.04), 28, WOOD)


def _wall(c: _Canvas) -> None:
    c.fill(76, (2, 6))
    height, width = c.uniform(0.12, 0.16), c.uniform(0.28, 0.38)
    down = (c.y + c.uniform(0, 1)) / height
    row = np.floor(down)
    across = (c.x + c.uniform(0, 1)) / width + 0.5 * (row % 2)
    column = np.floor(across)
    edge_y, edge_x = (0.5 - np.abs(down - row - 0.5)) * height, (0.5 - np.abs(across - column - 0.5)) * width
    shade = np.sin(12.9898 * row + 78.233 * column + c.uniform(0, 6))  # each brick its own
    c.paint(np.minimum(edge_y, edge_x) - 0.02, c.uniform(44, 50) + 4 * shade, PALETTES["wall"][0])


def _sunset(c: _Canvas) -> None:
    horizon, x, radius = c.uniform(0.65, 0.8), c.uniform(0.25, 0.75), c.uniform(0.12, 0.18)
    c.fill(44 + 30 * np.minimum(c.y / horizon, 1), PALETTES["sunset"][0])
    c.paint(c.disc(x, horizon - radius * c.uniform(0, 1), radius), 90, (0, 40))
    hills = 0.03 * np.sin(2 * np.pi * (c.uniform(1, 2.5) * c.x + c.uniform(0, 1)))
    c.paint(c.y - horizon - hills, 20, (8, 4))


def _tree(c: _Canvas) -> None:
    c.sky()
    c.paint(c.y - c.uniform(0.8, 0.88), 60, GRASS)
    x, top = c.uniform(0.38, 0.62), c.uniform(0.3, 0.38)
    c.paint(c.box(x - 0.05, top, x + 0.05, c.uniform(0.88, 0.94)), 34, WOOD)
    leaves = c.uniform(42, 48) + 3.5 * (c.noise() + np.roll(c.noise(), 1, axis=2))
    for dx, dy in ((-0.16, 0.06), (0.16, 0.06), (-0.08, -0.1), (0.09, -0.08), (0, 0.04)):
        c.paint(c.disc(x + dx, top + dy, c.uniform(0.13, 0.2)), leaves, PALETTES["tree"][0])


def _apple(c: _Canvas) -> None:
    c.fill(c.uniform(78, 88), (1, 5))
    c.paint(c.y - c.uniform(0.6, 0.72), 44, WOOD)
    x, y, r = c.uniform(0.4, 0.6), c.uniform(0.52, 0.6), c.uniform(0.22, 0.28)
    halves = np.maximum(c.disc(x - 0.3 * r, y, r), c.disc(x + 0.3 * r, y, r))
    shading = 58 - 22 * np.hypot(c.x - x + 0.4 * r, c.y - y + 0.4 * r)
    c.paint(halves, shading + c.uniform(0, 6), c.palette("apple"))
    c.paint(c.disc(x - 0.55 * r, y - 0.45 * r, 0.2 * r), 86, (2, 6))
    lean = x + 0.3 * (y - r - c.y)
    c.paint(c.box(lean - 0.025, y - 1.45 * r, lean + 0.025, y - 0.7 * r), 20, WOOD)


def _balloon(c: _Canvas) -> None:
    c.sky()
    x, y, r = c.uniform(0.35, 0.65), c.uniform(0.34, 0.42), c.uniform(0.2, 0.26)
    sway = x + 0.03 * np.sin(2 * np.pi * (2 * c.y + c.uniform(0, 1))) * (c.y - y - r > 0)
    c.paint(c.box(sway - 0.015, y + 1.2 * r, sway + 0.015, 1.1), 25, GRAY)
    color, base = c.palette("balloon"), c.uniform(56, 62)
    c.paint(
        np.minimum(c.y - y - 1.1 * r, 0.12 * r + 0.6 * (c.y - y - 1.1 * r) - abs(c.x - x))
        - np.maximum(c.y - y - 1.45 * r, 0) * 9,
        base - 8,
        color,
    )
    oval = r - np.hypot(c.x - x, (c.y - y) / 1.25)
    c.paint(oval, base + 4 - 26 * np.hypot(c.x - x + 0.35 * r, c.y - y + 0.4 * r), color)
    c.paint(c.disc(x - 0.4 * r, y - 0.5 * r, 0.18 * r), 90, (0, 0))


def _car(c: _Canvas) -> None:
    c.fill(c.uniform(72, 80), SKY)
    road = c.uniform(0.66, 0.74)
    c.paint(c.y - road, 42 + 2 * c.noise(), GRAY)
    x, half, top = c.uniform(0.45, 0.55), c.uniform(0.34, 0.4), road - c.uniform(0.16, 0.2)
    color, base = c.palette("car"), c.uniform(52, 60)
    slope = 0.5 * (c.y - top)  # the cabin narrows upwards
    c.paint(c.box(x - 0.2 - slope, top - 0.17, x + 0.16 + slope, top + 0.02), base + 3, color)
    for left, right in ((-0.17, -0.04), (0.01, 0.13)):
        c.paint(
            c.box(x + left - slope * (left < -0.1), top - 0.13, x + right + slope * (right > 0.1), top),
            84,
            SKY,
        )
    c.paint(c.box(x - half, top, x + half, road + 0.05), base - 20 * (c.y - top), color)
    for side in (-0.55, 0.55):
        c.paint(c.disc(x + side * half, road + 0.05, 0.095), 14, GRAY)
        c.paint(c.disc(x + side * half, road + 0.05, 0.04), 70, GRAY)


def _flower(c: _Canvas) -> None:
    c.fill(34 + 2.5 * (c.noise() + np.roll(c.noise(), 1, axis=1)), (-20, 22))
    x, y, r = c.uniform(0.42, 0.58), c.uniform(0.38, 0.48), c.uniform(0.3, 0.38)
    c.paint(c.box(x - 0.025, y, x + 0.025, 1.1), 48, GRASS)
    petals = np.floor(c.uniform(5, 8))
    angle = np.arctan2(c.y - y, c.x - x)
    distance = np.hypot(c.x - x, c.y - y)
    wave = np.abs(np.cos(petals / 2 * angle + c.uniform(0, np.pi)))
    c.paint(r * (0.45 + 0.55 * wave) - distance, c.uniform(58, 62) + 4 - 16 * (1 - wave), c.palette("flower"))
    c.paint(c.disc(x, y, 0.28 * r), 28, WOOD)


def _house(c: _Canvas) -> None:
    c.sky()
    ground = c.uniform(0.8, 0.88)
    c.paint(c.y - ground, 55, GRASS)
    x, half, eaves = c.uniform(0.45, 0.55), c.uniform(0.26, 0.32), c.uniform(0.46, 0.52)
    c.paint(c.box(x - half, eaves, x + half, ground + 0.02), c.uniform(86, 92), (1, 10))
    c.paint(c.box(x - 0.06, ground - 0.2, x + 0.06, ground + 0.02), 32, WOOD)
    for side in (-0.6, 0.6):
        c.paint(c.box(x + side * half - 0.06, eaves + 0.08, x + side * half + 0.06, eaves + 0.2), 36, GRAY)
    peak = eaves - c.uniform(0.26, 0.32)
    slope = (half + 0.08) / (eaves - peak)
    tiles = 3 * np.sin(2 * np.pi * c.y / 0.09)
    roof = np.minimum(eaves + 0.02 - c.y, (slope * (c.y - peak) - abs(c.x - x)) / np.hypot(1, slope))
    c.paint(roof, c.uniform(50, 58) + tiles, c.palette("house"))


_SCENES: dict[str, Callable[[_Canvas], None]] = {
    "lawn": _lawn,
    "sea": _sea,
    "wall": _wall,
    "sunset": _sunset,
    "tree": _tree,
    "apple": _apple,
    "balloon": _balloon,
    "car": _car,
    "flower": _flower,
    "house": _house,
}


def _chunk(seed: int, split: int, number: int, size: int) -> Images:
    """Generate a chunk, with every class equally often, shuffled. It does not depend on other chunks."""
    rng = np.random.default_rng([seed, split, number])
    labels = rng.permutation(np.arange(CHUNK) % len(SYNTHETIC_CLASSES))
    images = np.empty((CHUNK, size, size, 3), np.uint8)
    for label, name in enumerate(SYNTHETIC_CLASSES):
        rows = np.flatnonzero(labels == label)
        canvas = _Canvas(rng, len(rows), size)
        _SCENES[name](canvas)
        images[rows] = canvas.rgb()
    return Images(images, labels)


def _split(seed: int, split: int, count: int, size: int) -> Images:
    images, labels = np.empty((count, size, size, 3), np.uint8), np.empty(count, np.int64)
    for start in range(0, count, CHUNK):
        chunk = _chunk(seed, split, start // CHUNK, size)
        rows = slice(start, min(start + CHUNK, count))
        images[rows] = chunk.images[: rows.stop - start]
        labels[rows] = chunk.labels[: rows.stop - start]
    return Images(images, labels)


def generate(
    train_limit: int | None = None, test_limit: int | None = None, *, size: int = 32, seed: int = 0
) -> Dataset:
    """Generate the synthetic set.

    The first images of a longer set are those of a shorter set with the same seed and size.

    Args:
        train_limit: maximum number of training images; None is 50,000.
        test_limit: maximum number of test images; None is 10,000.
        size: side of the images, in pixels.
        seed: of the scenes.

    Returns:
        Dataset of uint8 (N, size, size, 3) RGB images.
    """
    train = FULL_TRAIN if train_limit is None else min(train_limit, FULL_TRAIN)
    test = FULL_TEST if test_limit is None else min(test_limit, FULL_TEST)
    return Dataset("synthetic", _split(seed, 0, train, size), _split(seed, 1, test, size), SYNTHETIC_CLASSES)
