"""The start of Keras without noise. This module does not import Keras until it is asked to."""

import contextlib
import json
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from colorization.core import interrupts
from colorization.core.errors import InputError

BACKENDS = ("tensorflow", "jax")
"""The backends of Keras that work here."""

_SETTINGS = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}
"""The defaults of Keras, which keras.json may have changed for other programs."""


def start_keras() -> None:
    """Import Keras with the settings that this package needs, and find the devices.

    The notes of TensorFlow's libraries on standard error (no CUDA driver, oneDNN is on) are held back. They
    come from C++, and no setting turns off all of them. If the import fails, they are shown.

    Raises:
        InputError: Keras or its backend is not installed, or Keras rejects its settings.
    """
    _refuse_other_backends()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if platform.machine() in ("x86_64", "AMD64"):
        # TensorFlow leaves oneDNN out on processors without AVX-512, where training is twice as fast with it
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of each new model in one process
    if sys.stderr is not None:
        sys.stderr.flush()
    with _held_back() as standard_error, interrupts.at_once(standard_error):
        try:
            is_first = "keras" not in sys.modules
            import keras

            for setting, value in _SETTINGS.items() if is_first else ():  # else it is another program's Keras
                getattr(keras.config, f"set_{setting}")(value)
            keras.distribution.list_devices()
            if keras.backend.backend() == "tensorflow":  # in a notebook its logger begins at INFO
                sys.modules["tensorflow"].get_logger().setLevel(logging.ERROR)
        except ModuleNotFoundError as error:
            raise InputError(
                f"{str(error.name).split('.')[0]} is not installed. "
                "Run `pip install 'keras-colorization[train]'`."
            ) from error
        except ValueError as error:
            raise InputError(
                f"Keras rejects {_settings_path()} ({error}). Correct or delete this file."
            ) from error


@contextlib.contextmanager
def _held_back() -> Iterator[int]:
    """Hold back the output to the descriptor 2, and yield another descriptor of standard error.

    The output is shown after an unexpected error.
    """
    try:
        standard_error = os.dup(2)
    except OSError:  # it is closed
        standard_error = os.open(os.devnull, os.O_WRONLY)
    with tempfile.TemporaryFile() as output:
        os.dup2(output.fileno(), 2)
        try:
            yield standard_error
        except InputError:
            raise
        except BaseException:
            output.seek(0)
            os.write(standard_error, output.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


def _refuse_other_backends() -> None:
    """Raise InputError if the environment or the file keras.json names a backend that does not work here."""
    place, backend = "The environment variable KERAS_BACKEND", os.environ.get("KERAS_BACKEND")
    if not backend:
        place, backend = str(_settings_path()), _settings(_settings_path()).get("backend")
    if backend and backend not in BACKENDS:
        raise InputError(
            f"{place} selects the backend {backend!r}, which is not supported. "
            f"Set it to {' or '.join(BACKENDS)}."
        )


def _settings_path() -> Path:
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"


def _settings(path: Path) -> dict[str, Any]:
    """The settings in a file keras.json. Raises InputError if it is not a JSON object."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # Keras ignores such a file too
    if not isinstance(settings, dict):
        raise InputError(f"{path} is not a JSON object. Correct or delete this file.")
    return settings
