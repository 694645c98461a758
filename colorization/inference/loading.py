"""From a name to a model that colors pictures: a preset, a run folder or an exported file.

A run's own ONNX file is preferred, since it starts ten times as fast as Keras. Keras is imported if a model
needs it.
"""

import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from colorization import inference  # a lazy package: Colorizer imports Keras
from colorization.core import pictures
from colorization.core.atomic_io import fingerprint_of
from colorization.core.errors import InputError, printable
from colorization.core.quiet_start import start_keras
from colorization.core.typing import StrPath
from colorization.inference import picture_files, runtimes
from colorization.inference.extras import NO_EXTRAS, Extras
from colorization.inference.picture_arrays import as_pictures
from colorization.inference.picture_colorizer import PictureColorizer
from colorization.inference.rendering import Rendering, check
from colorization.runs import resolve

if TYPE_CHECKING:
    from colorization.inference.hints import Hint, HintedPicture

DEFAULT = Rendering()


def load(
    model: StrPath | None = None,
    *,
    decoding: str | None = None,
    temperature: float | None = None,
    working_size: int | None = None,
    rendering: Rendering = DEFAULT,
) -> "ChosenModel":
    """A model that colors pictures.

    Args:
        model: a preset's name, or path of a run folder, SavedModel, .onnx or .tflite file; None chooses the
            preset for the size of each picture.
        decoding: one of the task's; None is its default.
        temperature: of the annealed mean; None takes the model's own.
        working_size: shorter side at which color is predicted, in pixels; None takes the model's own.
        rendering: how the prediction becomes a picture, see Rendering. Exported models have their own.

    Returns:
        ChosenModel; its `colorize` takes and returns uint8 or uint16 arrays.

    Raises:
        InputError: the model is not found or damaged, or does not take one of the options.

    Example:
        >>> import numpy as np
        >>> gray = np.full((40, 60), 128, "uint8")
        >>> load("photos").colorize(gray).shape
        (40, 60, 3)
    """
    return ChosenModel(
        resolve.run_folder(model) if model else None,
        decoding=decoding,
        temperature=temperature,
        working_size=working_size,
        rendering=rendering,
    )


class ChosenModel:
    """A model, or the preset for the size of each picture. Each model is loaded once.

    Args:
        path: Path of a run folder or an exported model; None chooses a preset.
        decoding, temperature, working_size, rendering: see load.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        decoding: str | None = None,
        temperature: float | None = None,
        working_size: int | None = None,
        rendering: Rendering = DEFAULT,
    ):
        check(rendering)
        self._given, self._decoding, self._temperature = path, decoding, temperature
        self._rendering = rendering
        self._preset = functools.cache(resolve.preset_folder)  # it reads all files of a preset
        self._loaded = functools.cache(functools.partial(_load, working_size=working_size))
        self._first = first = self._loaded(path or self._preset(resolve.PHOTOGRAPHS))
        first.check(decoding, temperature is not None)  # refused before any work
        if isinstance(first, runtimes.Exported) and rendering != DEFAULT:
            raise InputError(f"{path} is a complete colorizer: it does not accept options of rendering.")

    def colorize(
        self,
        image: np.ndarray | StrPath,
        *,
        alpha: np.ndarray | None = None,
        temperature: float | None = None,
        hints: "Sequence[Hint]" = (),
    ) -> np.ndarray:
        """Color a picture or a batch.

        Args:
            image: uint8 or uint16 sRGB, (H, W), (H, W, 1 or 3), or (N, H, W, 1 or 3). Or a path of a picture,
                whose first page is taken.
            alpha: (H, W) opacity of one picture, uint8 or uint16. Hidden pixels do not influence the colors.
            temperature: of the annealed mean; None takes that of `load`.
            hints: colors of single pixels of one picture; `hinted` is faster where they change.

        Returns:
            RGB of the same dtype, (H, W, 3), or (N, H, W, 3) for a batch.

        Raises:
            TypeError: neither uint8 nor uint16.
            ValueError: no such shape, an empty image, or a negative temperature.
            InputError: the model takes no such picture, temperature or hint.
        """
        if hints:
            return self.hinted(image, alpha=alpha, temperature=temperature).colorize(hints)
        image, alpha = _read(image, alpha)
        model = self._model(*as_pictures(image).shape)
        options = {} if isinstance(model, runtimes.Exported) else {"rendering": self._rendering}
        return model.colorize(
            image,
            alpha=alpha,
            decoding=self._decoding,
            temperature=self._tempered(temperature, model),
            **options,
        )

    def samples(
        self,
        image: np.ndarray | StrPath,
        count: int,
        *,
        alpha: np.ndarray | None = None,
        temperature: float | None = None,
        seed: int = 0,
    ) -> Iterator[np.ndarray]:
        """Plausible results for one picture. They differ where the model is not sure.

        Args:
            image: as in colorize, without a batch axis.
            count: number of results.
            alpha: as in colorize.
            temperature: of the distribution; None takes that of `load`.
            seed: of the random numbers.

        Returns:
            Iterator of RGB of the same dtype, (H, W, 3).

        Raises:
            InputError: the model predicts single colors, or the count is less than 1.
        """
        if count < 1:
            raise InputError(f"The number of samples is at least 1, not {count}.")
        image, alpha = _read(image, alpha)
        return self._network(image).samples(image, count, seed=seed, **self._options(alpha, temperature))

    def confidence(
        self,
        image: np.ndarray | StrPath,
        *,
        alpha: np.ndarray | None = None,
        temperature: float | None = None,
    ) -> np.ndarray:
        """How sure the model is of its colors: a map of the entropy with a scale.

        Args:
            image, alpha, temperature: as in samples.

        Returns:
            (H, W, 3) uint8 RGB, whose longer side has about 480 to 2048 pixels.

        Raises:
            InputError: the model predicts single colors.
        """
        image, alpha = _read(image, alpha)
        return self._network(image).confidence(image, **self._options(alpha, temperature))

    def hinted(
        self,
        image: np.ndarray | StrPath,
        *,
        alpha: np.ndarray | None = None,
        temperature: float | None = None,
    ) -> "HintedPicture":
        """One picture with its prediction, whose `colorize` takes a list of color hints.

        Args:
            image, alpha, temperature: as in colorize, without a batch axis.

        Returns:
            HintedPicture.

        Raises:
            InputError: the model is an exported one.
        """
        image, alpha = _read(image, alpha)
        options = self._options(alpha, temperature)
        return self._network(image).hinted(image, decoding=self._decoding, **options)

    def check_distribution(self) -> None:
        """Raise InputError if the model has no samples and no confidence."""
        self._of(self._first).check_distribution()

    def check_upsampling(self) -> None:
        """Refuse a choice of the upsampling for a model that has its own.

        Raises:
            InputError: the model is a complete colorizer.
        """
        if isinstance(self._first, runtimes.Exported):
            raise InputError(f"{self._given} has its own upsampling: leave --upsampling out.")

    def check_hints(self) -> None:
        """Raise InputError if the model takes no color hints."""
        self._of(self._first)

    def colorize_file(
        self,
        source: StrPath,
        target: StrPath,
        *,
        hints: "Sequence[Hint]" = (),
        extras: Extras = NO_EXTRAS,
    ) -> list[str]:
        """Color a picture file, page by page, and keep its metadata, depth and opacity.

        Args:
            source: path of a picture of any common format.
            target: path of the new one: .jpg, .png, .tif, .webp or .avif. An older file is replaced.
            hints: colors of single pixels, for each page.
            extras: further pictures, which are written beside the target.

        Returns:
            Sentences about damage, and about data that the target cannot hold.

        Raises:
            InputError: the source cannot be read, the target cannot be written, or both are the same file.
        """
        source, target = Path(source), Path(target)
        for path in (target, *extras.paths(target)):
            if path.exists() and source.exists() and path.samefile(source):
                raise InputError(f"{printable(path)} is the picture to color: choose another name.")
        colorize = functools.partial(self.colorize, hints=hints)
        return picture_files.colorize_file(
            colorize, source, target, further=functools.partial(extras.draw, self, target)
        )

    def predict_ab(self, lightness: np.ndarray) -> np.ndarray:
        """ab at the model's working size.

        Args:
            lightness: (N, H, W) float32, 0..100, of any size.

        Returns:
            (N, h, w, 2) float32. `composition.compose` enlarges it.
        """
        model = self._model(*lightness.shape[1:3])
        return model.predict_ab(lightness, decoding=self._decoding, temperature=self._temperature)

    def fingerprint(self, height: int, width: int) -> str:
        """The checksum of the model for pictures of a size.

        Args:
            height, width: of the pictures.

        Returns:
            SHA-256 of the files of the model, in hex.
        """
        return fingerprint_of(self._path(height, width))

    def _tempered(self, temperature, model):
        if temperature is not None:
            model.check(self._decoding, True)
        return self._temperature if temperature is None else temperature

    def _options(self, alpha, temperature):
        tempered = self._temperature if temperature is None else temperature
        return {"alpha": alpha, "temperature": tempered, "rendering": self._rendering}

    def _network(self, image) -> PictureColorizer:
        return self._of(self._model(*as_pictures(image).shape))

    def _of(self, model: runtimes.Runtime) -> PictureColorizer:
        if isinstance(model, PictureColorizer):
            return model
        raise InputError(
            f"{self._given} is a complete colorizer: --hint, --confidence and --samples need its run folder."
        )

    def _model(self, height, width):
        return self._loaded(self._path(height, width))

    def _path(self, height, width):
        return self._given or self._preset(resolve.default_preset(height, width))


def _read(image: np.ndarray | StrPath, alpha: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """The given pixels and opacity, or those of the first page of a file."""
    if not isinstance(image, str | os.PathLike):
        return image, alpha
    page = next(pictures.open_picture(Path(image)).pages())
    return page.pixels, page.alpha


def _load(path: Path, working_size: int | None) -> runtimes.Runtime:
    """The Runtime of a run folder or an exported model."""
    if runtimes.recognizes(path):
        if path.is_dir():
            start_keras()  # TensorFlow runs a SavedModel
        return runtimes.load(path, working_size)
    if (found := runtimes.of_run(path, working_size)) is not None:
        return found
    start_keras()
    return inference.Colorizer.load(path, working_size)
