"""PictureColorizer: pictures of any size in, the same pictures in color out, with their own lightness."""

import abc
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from colorization.core import decodings
from colorization.core.errors import InputError
from colorization.inference import composition

_BATCH = 2**16  # pixels through the network at once: each has 313 logits


class PictureColorizer(abc.ABC):
    """Colors pictures with a network that sees their lightness at a working size.

    A subclass runs the network. Everything else is NumPy and OpenCV, see composition.

    Args:
        name: of the model, in messages.
        working_size: pixels of the shorter side at which ab is predicted. Both sides are rounded to multiples
            of 8. A smaller picture is not enlarged.
        fixed_size: (height, width) of a network that sees every picture at one size; else None.
        takes_temperature: {name of a decoding: whether it takes a temperature}; the first is the default.

    Raises:
        InputError: the working size is less than 1 pixel.
    """

    def __init__(
        self,
        name: str,
        working_size: int,
        fixed_size: tuple[int, int] | None,
        takes_temperature: Mapping[str, bool],
    ):
        if working_size < 1:
            raise InputError(f"The working size is at least 1 pixel, not {working_size}.")
        self.name, self.working_size, self.fixed_size = name, working_size, fixed_size
        self._takes_temperature = takes_temperature

    def check(self, decoding: str | None, tempered: bool) -> None:
        """Raise InputError for an unknown decoding, or for a temperature that the decoding does not take."""
        decoding = decodings.chosen(self._takes_temperature, decoding)
        if tempered and not self._takes_temperature[decoding]:
            raise decodings.refuse_temperature(decoding)

    def working_shape(self, height: int, width: int) -> tuple[int, int]:
        """The size, (height, width), at which the network sees a picture of a size."""
        return self.fixed_size or composition.working_shape(height, width, self.working_size)

    @abc.abstractmethod
    def predict(self, lightness: np.ndarray, decoding: str | None, temperature: float | None) -> np.ndarray:
        """Run the network.

        Args:
            lightness: (N, h, w) float32, 0..100, of a working shape.
            decoding: one of the model's; None is its default.
            temperature: of the annealed mean; None takes the model's own.

        Returns:
            (N, h, w, 2) float32 ab.

        Raises:
            InputError: the model has no such decoding.
            ValueError: the temperature is negative.
        """

    @abc.abstractmethod
    def _logits(self, lightness):
        """The network's logits over the bins, for lightness as of predict."""

    def predict_logits(self, lightness: np.ndarray) -> np.ndarray:
        """The predicted distribution over the 313 bins, before the softmax.

        Args:
            lightness: (N, h, w) float32, 0..100, of a working shape.

        Returns:
            (N, h, w, 313) float32.

        Raises:
            InputError: the model predicts single colors.
        """
        self.check_distribution()
        return self._in_batches(self._logits, lightness)

    def check_distribution(self) -> None:
        """Raise InputError if the model predicts single colors, without a distribution over the bins."""
        if not any(self._takes_temperature.values()):
            raise refuse_distribution(self.name)

    def colorize(
        self,
        image: np.ndarray,
        *,
        alpha: np.ndarray | None = None,
        decoding: str | None = None,
        temperature: float | None = None,
    ) -> np.ndarray:
        """Color one picture or a batch of equal size.

        Args:
            image: uint8 or uint16 sRGB, (H, W), (H, W, 1) or (H, W, 3), or (N, H, W, 1) or (N, H, W, 3). Only
                the lightness of a colored picture is used.
            alpha: (H, W) opacity of one picture, uint8 or uint16. Hidden pixels do not influence the colors.
            decoding: one of the model's; None is its default.
            temperature: of the annealed mean; None takes the model's own.

        Returns:
            RGB of the same dtype, (H, W, 3), or (N, H, W, 3) for a batch.

        Raises:
            TypeError: neither uint8 nor uint16.
            ValueError: no such shape, an empty image, or a negative temperature.
            InputError: the model has no such decoding.
        """
        pictures = as_pictures(image)
        shape = self.working_shape(*pictures.shape)
        small = np.stack([composition.shrink(picture, shape, alpha) for picture in pictures.pictures])
        ab = self._in_batches(self.predict, small, decoding, temperature)
        colored = [composition.compose(*pair) for pair in zip(pictures.pictures, ab, strict=True)]
        return np.stack(colored) if pictures.is_batch else colored[0]

    def predict_ab(
        self, lightness: np.ndarray, *, decoding: str | None = None, temperature: float | None = None
    ) -> np.ndarray:
        """ab at the working size.

        Args:
            lightness: (N, H, W) float32, 0..100, of any size.
            decoding, temperature: as of colorize.

        Returns:
            (N, h, w, 2) float32. `composition.compose` enlarges it.
        """
        shape = self.working_shape(*lightness.shape[1:3])
        small = np.stack([composition.shrink(picture, shape) for picture in lightness])
        return self._in_batches(self.predict, small, decoding, temperature)

    def _in_batches(self, function, small, *options):
        count = max(1, _BATCH // (small.shape[1] * small.shape[2]))
        return np.concatenate([function(small[i : i + count], *options) for i in range(0, len(small), count)])


def refuse_distribution(name: str) -> InputError:
    """The InputError for a model from which alternatives or their confidence are asked, without having them.

    Args:
        name: of the model.

    Returns:
        InputError.
    """
    return InputError(
        f"{name} predicts one color for each pixel, without alternatives: --confidence and --samples need a "
        "classification, such as the model photos."
    )


def refuse_working_size(name: str, size: tuple[int, int]) -> InputError:
    """The InputError for a working size that is given to a network of one size."""
    return InputError(f"{name} sees every picture at {size[0]} x {size[1]}: it takes no other working size.")


def fixed_size(shape: Any) -> tuple[int, int] | None:
    """(height, width) of an input's shape, (N, H, W, C); None if they are open."""
    sides = tuple(shape[1:3])
    return (
        (int(sides[0]), int(sides[1])) if all(isinstance(side, int | np.integer) for side in sides) else None
    )


class Pictures(NamedTuple):
    """Pictures of one size.

    Attributes:
        pictures: (H, W) gray or (H, W, 3) RGB each, uint8 or uint16.
        shape: (H, W).
        is_batch: whether the array had a batch axis.
    """

    pictures: list[np.ndarray]
    shape: tuple[int, int]
    is_batch: bool


def as_pictures(image: np.ndarray) -> Pictures:
    """The pictures of an array.

    Args:
        image: uint8 or uint16, (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3).

    Raises:
        TypeError: the dtype is another one.
        ValueError: the shape is another one, or the image is empty.
    """
    image = np.asarray(image)
    if image.dtype not in (np.uint8, np.uint16):
        raise TypeError(
            f"expected an image of dtype uint8 or uint16, received {image.dtype}: scale it to 0..255 first"
        )
    given = image if image.ndim != 2 else image[..., None]
    if given.ndim not in (3, 4) or given.shape[-1] not in (1, 3) or image.size == 0:
        raise ValueError(
            f"expected an image of shape (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3), received {image.shape}"
        )
    batch = given if given.ndim == 4 else given[None]
    pictures = [picture[..., 0] if picture.shape[-1] == 1 else picture for picture in batch]
    return Pictures(
        [np.ascontiguousarray(picture) for picture in pictures], batch.shape[1:3], given.ndim == 4
    )
