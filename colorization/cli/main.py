"""The command `colorize`: parse, and call the module of the command."""

import pkgutil
import sys

from colorization.cli import arguments
from colorization.cli.console import run_command, start_keras


def main(argv: list[str] | None = None) -> int:
    """Run `colorize`.

    Args:
        argv: arguments; None takes the command line's.

    Returns:
        Exit code: 0, or 2 for bad input, or 130 for Ctrl-C.
    """
    return run_command(_run, arguments.parse(sys.argv[1:] if argv is None else argv))


def _run(parsed):
    if parsed.keras:
        start_keras()
    pkgutil.resolve_name(parsed.function)(parsed)
