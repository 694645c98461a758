"""The command `colorize`: parse, and call the module of the command."""

import pkgutil
import sys

from colorization.cli import arguments
from colorization.cli.console import run_command, start_keras


def main(argv: list[str] | None = None) -> int:
    """Run `colorize`.

    Args:
        argv: arguments; None is the command line.

    Returns:
        Exit code, see run_command.
    """
    return run_command(_run, arguments.parse(sys.argv[1:] if argv is None else argv))


def _run(parsed):
    if parsed.keras:
        start_keras()
    pkgutil.resolve_name(parsed.function)(parsed)
