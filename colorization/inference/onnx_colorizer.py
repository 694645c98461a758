"""OnnxColorizer: a run's network in ONNX, which colors pictures without Keras."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from colorization.core import decodings
from colorization.core.bin_centers import CENTERS
from colorization.core.errors import InputError
from colorization.inference.picture_colorizer import PictureColorizer, fixed_size, refuse_working_size

# Names in the file: inputs, outputs and properties
LIGHTNESS, TEMPERATURE = "lightness", "temperature"
AB, OUTPUT = "ab", "output"
ORIGIN = "origin"
"""Fingerprint of the run that the file stands for."""
SETTINGS = "settings"
"""JSON: working_size, temperature (null if there is none), takes_temperature (see PictureColorizer)."""


class OnnxColorizer(PictureColorizer):
    """The network of a run in ONNX Runtime, ready to color pictures.

    Args:
        session: onnxruntime.InferenceSession of a file that `export.writers.export_network` wrote.
        name: of the model, in messages.
        working_size: None takes the run's own.

    Raises:
        InputError: the network has a fixed size and does not take a working size, or it is less than 1 pixel.
    """

    def __init__(self, session: Any, name: str, working_size: int | None = None):
        settings = json.loads(session.get_modelmeta().custom_metadata_map[SETTINGS])
        fixed = fixed_size(next(each for each in session.get_inputs() if each.name == LIGHTNESS).shape)
        if working_size is not None and fixed:
            raise refuse_working_size(name, fixed)
        size = settings["working_size"] if working_size is None else working_size
        super().__init__(name, size, fixed, settings["takes_temperature"], settings["temperature"])
        self._session = session

    def predict(self, lightness: np.ndarray, decoding: str | None, temperature: float | None) -> np.ndarray:
        """Run the network; see PictureColorizer.predict.

        Args:
            lightness: (N, h, w) float32, 0..100, of a working shape.
            decoding: one of the model's; None is its default.
            temperature: of the annealed mean; None takes the model's own.

        Returns:
            (N, h, w, 2) float32 ab.

        Raises:
            InputError: the model has no such decoding, or the memory is not enough.
            ValueError: the temperature is negative.
        """
        temperature = self.temperature if temperature is None else temperature
        if temperature is not None and not temperature >= 0:
            raise ValueError(f"the temperature is at least 0, not {temperature}")
        decoding = decodings.chosen(self._takes_temperature, decoding)
        if decoding == "mode":
            return CENTERS[self._run(OUTPUT, lightness, 1.0).argmax(-1)].astype(np.float32)
        return self._run(AB, lightness, 1.0 if decoding == "mean" else temperature)

    def predict_logits(self, lightness: np.ndarray) -> np.ndarray:
        """Run the network; see PictureColorizer.predict_logits.

        Args:
            lightness: (N, h, w) float32, 0..100, of a working shape.

        Returns:
            (N, h, w, 313) float32.

        Raises:
            InputError: the model predicts single colors, or the memory is not enough.
        """
        self.check_distribution()
        return self._run(OUTPUT, lightness, 1.0)

    def _run(self, output, lightness, temperature):
        given = {LIGHTNESS: lightness[..., None]}
        if self.temperature is not None:
            given[TEMPERATURE] = np.array(temperature, np.float32)
        try:
            return self._session.run([output], given)[0]
        except Exception as error:  # onnxruntime's own, out of memory as a rule
            height, width = lightness.shape[1:]
            raise InputError(
                f"onnxruntime cannot predict colors of {width} x {height} ({first_line(error)}): use a "
                "smaller --working-size."
            ) from None


def first_line(error: Exception) -> str:
    """The message of an error, for a sentence.

    Args:
        error: of any type.

    Returns:
        The first line, shortened; the name of the type if there is no message.
    """
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def open_session(path: Path) -> Any:
    """Open an ONNX file.

    Args:
        path: Path of the file.

    Returns:
        onnxruntime.InferenceSession.

    Raises:
        Exception: of any type of onnxruntime; the file is missing or damaged.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # no usage reports; it is read at the import
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # it warns of the temperature's default in files of version 0.1
    return onnxruntime.InferenceSession(path.read_bytes(), options)


def is_network(session: Any) -> bool:
    """Whether a session's file holds a run's network, not a complete colorizer.

    Args:
        session: onnxruntime.InferenceSession.

    Returns:
        True for a file that `export.writers.export_network` wrote.
    """
    return SETTINGS in session.get_modelmeta().custom_metadata_map
