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
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; a run goes on with --resume.", file=sys.stderr)
        return 130
    return 0
