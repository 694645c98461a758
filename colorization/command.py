"""How every command ends: one sentence and an exit code, never a traceback for what the user can mend."""

import sys

from .errors import InputError


def run_command(function, *arguments):
    """Call a command's function; its exit code: 0, 2 for bad input, 130 for Ctrl-C."""
    try:
        function(*arguments)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; a run goes on with --resume.", file=sys.stderr)
        return 130
    return 0
