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

from colorization.core import interrupts
from colorization.core.errors import InputError

BACKENDS = ("tensorflow", "jax")
"""The backends of Keras that work here."""


def start_keras() -> None:
    """Import Keras and find the devices, holding back the notes of TensorFlow's libraries on standard error.

    Their notes on every start (no CUDA driver, oneDNN is on) come from C++, where no setting reaches all of
    them. If the import fails, they are shown.

    Raises:
        InputError: Keras or its backend is not installed.
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
            import keras

            keras.distribution.list_devices()
            if keras.backend.backend() == "tensorflow":  # in a notebook its logger begins at INFO
                sys.modules["tensorflow"].get_logger().setLevel(logging.ERROR)
        except ModuleNotFoundError as error:
            raise InputError(
                f"{str(error.name).split('.')[0]} is not installed. "
                "Run `pip install 'keras-colorization[train]'`."
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


@contextlib.contextmanager
def c_libraries_held_back() -> Iterator[None]:
    """Hold back the notes of C libraries (libpng, libtiff) on standard error; Python still writes to it.

    The relevant ones are in our own messages.
    """
    python_stream = sys.stderr
    try:
        standard_error = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        with open(standard_error, "w", buffering=1, errors="backslashreplace", closefd=False) as sys.stderr:
            yield
    finally:
        sys.stderr = python_stream
        os.dup2(standard_error, 2)
        os.close(standard_error)


def _refuse_other_backends() -> None:
    """Raise InputError if the environment or the file keras.json names a backend that does not work here."""
    place, backend = "The environment variable KERAS_BACKEND", os.environ.get("KERAS_BACKEND")
    if not backend:
        path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
        place, backend = str(path), _backend_in(path)
    if backend and backend not in BACKENDS:
        raise InputError(
            f"{place} selects the backend {backend!r}, which is not supported. "
            f"Set it to {' or '.join(BACKENDS)}."
        )


def _backend_in(path: Path) -> str | None:
    try:
        return json.loads(path.read_text(encoding="utf-8")).get("backend")
    except (OSError, ValueError, AttributeError):
        return None  # Keras ignores such a file too
