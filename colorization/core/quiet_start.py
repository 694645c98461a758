"""The start of Keras without noise. This module does not import Keras until it is asked to."""

import logging
import os
import platform
import sys
import tempfile

from colorization.core.errors import InputError


def start_keras() -> None:
    """Import Keras and find the devices, holding back the notes of TensorFlow's libraries on standard error.

    Their notes on every start (no CUDA driver, oneDNN is on) come from C++, where no setting reaches all of
    them. If the import fails, they are shown.

    Raises:
        InputError: Keras or its backend is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if platform.machine() in ("x86_64", "AMD64"):
        # TensorFlow leaves oneDNN out on processors without AVX-512, where training is twice as fast with it
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of each new model in one process
    sys.stderr.flush()
    standard_error = os.dup(2)
    with tempfile.TemporaryFile() as held_back:
        os.dup2(held_back.fileno(), 2)
        try:
            import keras

            keras.distribution.list_devices()
        except ModuleNotFoundError as error:
            raise InputError(
                f"{error.name} is not installed: pip install 'keras-colorization[train]'."
            ) from error
        except BaseException:
            held_back.seek(0)
            os.write(standard_error, held_back.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)
