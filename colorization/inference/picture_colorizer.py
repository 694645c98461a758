"""PictureColorizer: it colors pictures of any size. Their lightness stays."""

import abc
import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from colorization import inference  # a lazy package: hints and samples import SciPy
from colorization.core import decodings
from colorization.core.errors import InputError
from colorization.inference import composition
from colorization.inference.canvas import Canvas
from colorization.inference.picture_arrays import as_pictures, single
from colorization.inference.rendering import BEST_SCALES, PLAIN, Rendering, check, mirrored, stretched

if TYPE_CHECKING:
    from colorization.inference.hints import HintedPicture

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
        temperature: of the annealed mean, by default; None for a model of single colors.

    Raises:
        InputError: the working size is less than 1 pixel.
    """

    def __init__(
        self,
        name: str,
        working_size: int,
        fixed_size: tuple[int, int] | None,
        takes_temperature: Mapping[str, bool],
        temperature: float | None = None,
    ):
        if working_size < 1:
            raise InputError(f"The working size is at least 1 pixel, not {working_size}.")
        self.name, self.working_size, self.fixed_size = name, working_size, fixed_size
        self._takes_temperature, self.temperature = takes_temperature, temperature

    def check(self, decoding: str | None, tempered: bool) -> None:
        """Refuse a decoding or a temperature that the model does not have.

        Args:
            decoding: name of a decoding; None is the default.
            tempered: whether the user gives a temperature.

        Raises:
            InputError: the decoding is unknown, or takes no temperature.
        """
        decoding = decodings.chosen(self._takes_temperature, decoding)
        if tempered and not self._takes_temperature[decoding]:
            raise decodings.refuse_temperature(decoding)

    def working_shape(self, height: int, width: int) -> tuple[int, int]:
        """The size at which the network sees a picture.

        Args:
            height, width: of the picture.

        Returns:
            (height, width), multiples of 8 unless the network has a fixed size.
        """
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

    def predict_logits(self, lightness: np.ndarray) -> np.ndarray:
        """The predicted distribution over the 313 bins, before the softmax.

        Args:
            lightness: (N, h, w) float32, 0..100, of a working shape.

        Returns:
            (N, h, w, 313) float32.

        Raises:
            InputError: the model predicts single colors.
        """
        raise refuse_distribution(self.name)

    def check_distribution(self) -> None:
        """Refuse a model without a distribution over the bins.

        Raises:
            InputError: the model predicts single colors.
        """
        if self.temperature is None:
            raise refuse_distribution(self.name)

    def colorize(
        self,
        image: np.ndarray,
        *,
        alpha: np.ndarray | None = None,
        decoding: str | None = None,
        temperature: float | None = None,
        rendering: Rendering = PLAIN,
    ) -> np.ndarray:
        """Color one picture or a batch of equal size.

        Args:
            image: uint8 or uint16 sRGB, (H, W), (H, W, 1) or (H, W, 3), or (N, H, W, 1) or (N, H, W, 3). Only
                the lightness of a colored picture is used.
            alpha: (H, W) opacity of one picture, uint8 or uint16. Hidden pixels do not influence the colors.
            decoding: one of the model's; None is its default.
            temperature: of the annealed mean; None takes the model's own.
            rendering: how the prediction becomes a picture.

        Returns:
            RGB of the same dtype, (H, W, 3), or (N, H, W, 3) for a batch.

        Raises:
            TypeError: neither uint8 nor uint16.
            ValueError: no such shape, an empty image, or a negative temperature.
            InputError: the model has no such decoding, or the saturation is not 0 to 2.
        """
        given = as_pictures(image)
        canvases = [Canvas(each, check(rendering), alpha) for each in given.pictures]
        predict = functools.partial(self.predict, decoding=decoding, temperature=temperature)
        guides, ab = self._predicted(canvases, predict)
        colored = [each.render(*pair) for each, *pair in zip(canvases, guides, ab, strict=True)]
        return np.stack(colored) if given.is_batch else colored[0]

    def _predicted(self, canvases, predict):
        """Lists of lightness, (h, w), and prediction, (h, w, C), of canvases at their working size."""
        rendering = canvases[0].rendering

        def at(scale):
            return [canvas.lightness(self._shape(canvas.pixels, scale)) for canvas in canvases]

        def predicted(lightness):
            shown = [stretched(each) for each in lightness] if rendering.restore_contrast else lightness
            if len({each.shape for each in shown}) == 1:
                return list(_in_batches(predict, np.stack(shown)))
            return [_in_batches(predict, each[None])[0] for each in shown]

        guides = at(1.0)
        if rendering.quality == "fast":
            return guides, predicted(guides)
        found = []
        for scale in BEST_SCALES if self.fixed_size is None else (1.0,):
            lightness = at(scale)
            found.append(predicted(lightness))
            found.append([mirrored(each) for each in predicted([mirrored(each) for each in lightness])])
        return guides, [
            np.mean([composition.resize(each, guide.shape) for each in planes], axis=0)
            for guide, *planes in zip(guides, *found, strict=True)
        ]

    def _shape(self, picture, scale):
        size = max(1, round(self.working_size * scale))
        return self.fixed_size or composition.working_shape(*picture.shape[:2], size)

    def predict_ab(
        self, lightness: np.ndarray, *, decoding: str | None = None, temperature: float | None = None
    ) -> np.ndarray:
        """ab at the working size.

        Args:
            lightness: (N, H, W) float32, 0..100, of any size.
            decoding, temperature: as in colorize.

        Returns:
            (N, h, w, 2) float32. `composition.compose` enlarges it.
        """
        shape = self.working_shape(*lightness.shape[1:3])
        small = np.stack([composition.shrink(picture, shape) for picture in lightness])
        return _in_batches(functools.partial(self.predict, decoding=decoding, temperature=temperature), small)

    def samples(
        self,
        image: np.ndarray,
        count: int,
        *,
        alpha: np.ndarray | None = None,
        temperature: float | None = None,
        rendering: Rendering = PLAIN,
        seed: int = 0,
    ) -> Iterator[np.ndarray]:
        """Plausible results for one picture, see `inference.samples`.

        Args:
            image: as in colorize, without a batch axis.
            count: number of results.
            alpha: as in colorize.
            temperature: of the distribution; None takes the model's own.
            rendering: as in colorize.
            seed: of the random numbers.

        Returns:
            Iterator of RGB of the same dtype, (H, W, 3).

        Raises:
            InputError: the model predicts single colors.
        """
        canvas, guide, logits = self._distribution(image, alpha, rendering)
        temperature = self._tempered(temperature)
        drawn = inference.samples.sample(logits, guide, count, temperature=temperature, seed=seed)
        return (canvas.render(guide, ab) for ab in drawn)

    def confidence(
        self,
        image: np.ndarray,
        *,
        alpha: np.ndarray | None = None,
        temperature: float | None = None,
        rendering: Rendering = PLAIN,
    ) -> np.ndarray:
        """The entropy of the distribution as a picture with a scale, see `inference.confidence`.

        Args:
            image: as in colorize, without a batch axis.
            alpha: as in colorize.
            temperature: of the distribution; None takes the model's own.
            rendering: as in colorize.

        Returns:
            (H, W, 3) uint8 RGB, whose longer side has about 480 to 2048 pixels.

        Raises:
            InputError: the model predicts single colors.
        """
        canvas, _, logits = self._distribution(image, alpha, rendering)
        entropy = inference.confidence.entropy(logits, self._tempered(temperature))
        return inference.confidence.draw(entropy, canvas.whole.shape[:2], canvas.inner)

    def hinted(
        self,
        image: np.ndarray,
        *,
        alpha: np.ndarray | None = None,
        decoding: str | None = None,
        temperature: float | None = None,
        rendering: Rendering = PLAIN,
    ) -> "HintedPicture":
        """One picture with its prediction, which takes color hints.

        Args:
            image: as in colorize, without a batch axis.
            alpha, decoding, temperature, rendering: as in colorize.

        Returns:
            HintedPicture. Its `colorize` takes a list of hints.

        Raises:
            InputError: the model has no such decoding.
        """
        canvas = Canvas(single(image), check(rendering), alpha)
        predict = functools.partial(self.predict, decoding=decoding, temperature=temperature)
        (guide,), (ab,) = self._predicted([canvas], predict)
        return inference.hints.HintedPicture(canvas, guide, ab)

    def _tempered(self, temperature):
        return self.temperature if temperature is None else temperature

    def _distribution(self, image, alpha, rendering):
        """The Canvas of a picture, its lightness and logits at the working size."""
        self.check_distribution()
        canvas = Canvas(single(image), check(rendering), alpha)
        (guide,), (logits,) = self._predicted([canvas], self.predict_logits)
        return canvas, guide, logits


def _in_batches(predict, lightness):
    """predict(lightness), (N, h, w, C), for (N, h, w) lightness."""
    count = max(1, _BATCH // (lightness.shape[1] * lightness.shape[2]))
    return np.concatenate([predict(lightness[i : i + count]) for i in range(0, len(lightness), count)])


def refuse_distribution(name: str) -> InputError:
    """The InputError for a model without alternatives and their confidence.

    Args:
        name: of the model.

    Returns:
        InputError.
    """
    return InputError(
        f"{name} predicts one color for each pixel and no alternatives: --confidence and --samples need a "
        "classification, such as the model photos."
    )


def refuse_working_size(name: str, size: tuple[int, int]) -> InputError:
    """The InputError for a working size of a network with a fixed size.

    Args:
        name: of the model.
        size: (height, width) of the network.

    Returns:
        InputError.
    """
    return InputError(f"{name} sees every picture at {size[0]} x {size[1]}: it takes no other working size.")


def fixed_size(shape: Any) -> tuple[int, int] | None:
    """The fixed size in the shape of an input.

    Args:
        shape: (N, H, W, C), where an open side is no int.

    Returns:
        (height, width); None if a side is open.
    """
    sides = tuple(shape[1:3])
    return (
        (int(sides[0]), int(sides[1])) if all(isinstance(side, int | np.integer) for side in sides) else None
    )
