"""How every command ends: one sentence and an exit code, never a traceback for what the user can mend."""

import os
import sys

from .errors import InputError


def run_command(function, *arguments):
    """Call a command's function; its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up notes are no news to users
    try:
        function(*arguments)
    except InputError as error:
        return _refuse(error)
    except OSError as error:  # no permission, no space: the system's own words, without the traceback
        return _refuse(f"{error.filename or 'a file'}: {error.strerror or error}.")
    except KeyboardInterrupt:
        print(
            "interrupted; nothing half-written is left, and a training run goes on with --resume.",
            file=sys.stderr,
        )
        return 130
    return 0


def _refuse(sentence):
    print(f"error: {sentence}", file=sys.stderr)
    return 2
