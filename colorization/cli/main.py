"""The command `colorize`: parse, and call the module of the command."""

import importlib

from colorization.cli import arguments
from colorization.cli.console import run_command, start_keras

_WITH_KERAS = ("evaluate", "export", "figures")  # commands whose modules import Keras


def main(argv: list[str] | None = None) -> int:
    """Run `colorize`.

    Args:
        argv: arguments; None takes the command line's.

    Returns:
        Exit code: 0, or 2 for bad input, or 130 for Ctrl-C.
    """
    return run_command(_run, arguments.parser().parse_args(argv))


def _run(parsed):
    if parsed.command in _WITH_KERAS:
        start_keras()
    importlib.import_module(f"colorization.cli.{parsed.command}").run(parsed)
