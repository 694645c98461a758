"""From a name to a model that colors pictures: a preset, a run folder or an exported file.

A run's own ONNX file is preferred, since it starts ten times as fast as Keras. Keras is imported if a model
needs it.
"""

import functools
from pathlib import Path

import numpy as np

from colorization import inference  # a lazy package: Colorizer imports Keras
from colorization.core import image_files
from colorization.core.atomic_io import fingerprint_of
from colorization.core.config import ClassificationConfig
from colorization.core.errors import InputError
from colorization.core.quiet_start import start_keras
from colorization.core.typing import StrPath
from colorization.inference import runtimes
from colorization.runs import resolve
from colorization.runs.folder import RunFolder

_LARGE = 2**24  # pixels: above, the run colors in strips, since its ONNX would take all at once


def load(
    model: StrPath | None = None,
    *,
    decoding: str | None = None,
    temperature: float | None = None,
    working_size: int | None = None,
) -> "ChosenModel":
    """A model that colors pictures.

    Args:
        model: a preset's name, or path of a run folder, SavedModel, .onnx or .tflite file; None chooses the
            preset for the size of each picture.
        decoding: one of the task's; None is its default.
        temperature: of the annealed mean; None takes the model's own.
        working_size: shorter side at which color is predicted, in pixels; None takes the model's own.

    Returns:
        ChosenModel; its `colorize` takes and returns uint8 arrays.

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
    )


class ChosenModel:
    """The Runtime of a model, or of the preset for the size of each picture; each is loaded once.

    Args:
        path: Path of a run folder or an exported model; None chooses a preset.
        decoding, temperature, working_size: see load.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        decoding: str | None = None,
        temperature: float | None = None,
        working_size: int | None = None,
    ):
        self._given, self._temperature = path, temperature
        self._preset = functools.cache(resolve.preset_folder)  # it reads all files of a preset
        self._loaded = functools.cache(functools.partial(_load, decoding=decoding, working_size=working_size))
        first = path or self._preset(resolve.PHOTOGRAPHS)
        self._loaded(first, large=False, tempered=temperature is not None)  # refused before any work

    def colorize(self, image: np.ndarray, *, temperature: float | None = None) -> np.ndarray:
        """Color a picture or a batch.

        Args:
            image: uint8, (H, W), (H, W, 1 or 3), or (N, H, W, 1 or 3).
            temperature: of the annealed mean; None takes that of `load`.

        Returns:
            uint8 RGB, (H, W, 3), or (N, H, W, 3) for a batch.

        Raises:
            TypeError: not uint8.
            ValueError: no such shape, an empty image, or a negative temperature.
            InputError: the model takes no such picture or temperature.
        """
        temperature = self._temperature if temperature is None else temperature
        height, width = image_files.as_batch(image).shape[1:3]
        path = self._path(height, width)
        large = height * width > _LARGE and not runtimes.recognizes(path)
        colorize = self._loaded(path, large=large, tempered=temperature is not None)
        return colorize(image, temperature=temperature)

    def fingerprint(self, height: int, width: int) -> str:
        """SHA-256, in hex, of the files of the model for pictures of a size."""
        return fingerprint_of(self._path(height, width))

    def _path(self, height, width):
        return self._given or self._preset(resolve.default_preset(height, width))


def _load(path, *, large, tempered, decoding, working_size):
    """The colorize method of a Runtime.

    Args:
        path: Path of a run folder or an exported model.
        large: whether the pictures are too large for the run's ONNX.
        tempered: whether a temperature will be given.
        decoding, working_size: see load.
    """
    given = [
        name for name, value in (("decoding", decoding), ("working-size", working_size)) if value is not None
    ]
    if runtimes.recognizes(path):
        if given:
            raise InputError(f"{path} has its {given[0]} built in: leave --{given[0]} out.")
        if path.is_dir():
            start_keras()  # TensorFlow runs a SavedModel
        return runtimes.load(path).colorize
    # The ONNX of a run without a temperature says less well what is wrong with a given one
    if not (given or large or (tempered and not _has_temperature(path))):
        found = runtimes.of_run(path)
        if found is not None:
            return found.colorize
    return _load_run(path, tempered, decoding, working_size)


def _load_run(path, tempered, decoding, working_size):
    """The colorize method of a run folder's Colorizer."""
    start_keras()
    colorizer = inference.Colorizer.load(path, working_size)
    colorizer.check(decoding, tempered)
    return functools.partial(colorizer.colorize, decoding=decoding)


def _has_temperature(path):
    """Whether the config of a run folder has a temperature; False if it cannot be read."""
    try:
        return isinstance(RunFolder(path).config, ClassificationConfig)
    except InputError:
        return False
