"""Further pictures beside a result: before and after, confidence, samples."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from colorization.core.pictures import Picture

_COMPARE, _CONFIDENCE = "compare", "confidence"


class Extras(NamedTuple):
    """The further pictures to write for the first page.

    Attributes:
        compare: NAME-compare, the picture before and after.
        confidence: NAME-confidence.png, a map of the entropy. It needs a model with a distribution.
        samples: number of plausible results, NAME-1 and so on. They need a model with a distribution.
    """

    compare: bool = False
    confidence: bool = False
    samples: int = 0

    def paths(self, target: Path) -> list[Path]:
        """The paths of all further pictures of a result.

        Args:
            target: path of the result.

        Returns:
            Paths beside it.
        """
        found = [_beside(target, _COMPARE)] * self.compare
        if self.confidence:
            found.append(_beside(target, _CONFIDENCE).with_suffix(".png"))
        return found + [_beside(target, str(number + 1)) for number in range(self.samples)]

    def draw(
        self, model: Any, target: Path, page: Picture, rgb: np.ndarray, *, keep: bool = False
    ) -> Iterator[tuple[Path, Picture]]:
        """The further pictures.

        Args:
            model: a ChosenModel.
            target: path of the result.
            page: the picture before.
            rgb: (H, W, 3), the result.
            keep: whether pictures that exist are left out.

        Returns:
            Iterator of paths and pictures.
        """
        drawn = zip(self.paths(target), self._pictures(model, page, rgb), strict=True)
        return (each for each in drawn if not (keep and each[0].exists()))

    def _pictures(self, model, page, rgb):
        if self.compare:
            yield before_and_after(page, rgb)
        if self.confidence:
            yield Picture(model.confidence(page.pixels, alpha=page.alpha))
        if self.samples:
            for sample in model.samples(page.pixels, self.samples, alpha=page.alpha):
                yield Picture(sample, page.alpha)


NO_EXTRAS = Extras()


def before_and_after(page: Picture, rgb: np.ndarray) -> Picture:
    """The pictures before and after, side by side; wide ones stand one above the other.

    Args:
        page: the picture before.
        rgb: (H, W, 3), the picture after.

    Returns:
        Picture.
    """
    pixels, alpha = page.pixels, page.alpha
    before = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)
    axis = 1 if rgb.shape[1] <= 1.5 * rgb.shape[0] else 0
    both = None if alpha is None else np.concatenate([alpha, alpha], axis)
    return Picture(np.concatenate([before, rgb], axis), both)


def _beside(target, addition):
    """NAME-ADDITION.SUFFIX."""
    return target.with_name(f"{target.stem}-{addition}{target.suffix}")
