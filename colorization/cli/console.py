"""How every command starts and ends: no noise, one sentence for what the user can mend, an exit code."""

import argparse
import logging
import os
import platform
import sys
import tempfile

from colorization.core.errors import InputError


def run_command(function, *arguments):
    """Call a command's function; its exit code: 0, 2 for bad input or too little memory, 130 for Ctrl-C."""
    try:
        function(*arguments)
    except InputError as error:
        return _refuse(error)
    except OSError as error:  # no permission, no space: the system's own words, without the traceback
        return _refuse(f"{error.filename or 'a file'}: {error.strerror or error}.")
    except KeyboardInterrupt:
        print(
            "interrupted; nothing half-written is left. Call it again, with --resume if it has that.",
            file=sys.stderr,
        )
        return 130
    except Exception as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":  # TensorFlow's
            return _refuse(
                "there is not enough memory: take smaller batches, pictures or a smaller working size."
            )
        raise
    return 0


def start_keras():
    """Import Keras and find the devices, holding back what TensorFlow's libraries write to standard error.

    Their notes on every start (no CUDA driver, oneDNN is on) come from C++, where no setting reaches all of
    them. If the import fails, they are shown.
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
            from colorization.core import devices

            devices.devices()
        except BaseException:
            held_back.seek(0)
            os.write(standard_error, held_back.read())
            raise
        finally:
            os.dup2(standard_error, 2)
            os.close(standard_error)


def whole_number(text):
    """For argparse: an int of 0 or more."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is no whole number of 0 or more")
    return value


def size(text):
    """For argparse: (height, width) of HEIGHTxWIDTH."""
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"{text} is no size such as 480x640")
    return int(height), int(width)


def _refuse(sentence):
    print(f"error: {sentence}", file=sys.stderr)
    return 2
