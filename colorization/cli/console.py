"""The common parts of all commands: arguments, error messages and exit codes."""

import argparse
import io
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from colorization.core import interrupts
from colorization.core.atomic_io import system_message
from colorization.core.errors import InputError, lacks_memory, printable
from colorization.core.quiet_start import start_keras

__all__ = [
    "RUN",
    "add_command",
    "numbers",
    "path",
    "positive_number",
    "run_command",
    "run_script",
    "size",
    "start_keras",
    "temperature",
    "whole_number",
]

_NO_READER = 141  # as of a program that a broken pipe ends

RUN = "a run folder, or a preset's name"
"""Help of an argument RUN."""


def run_command(function: Callable, *arguments: Any) -> int:
    """Call the function of a command. Errors are printed in one sentence.

    Args:
        function: the function.
        arguments: its arguments.

    Returns:
        Exit code: 0; 1 if some of several inputs failed; 2 for bad input or too little memory; 130 for
        Ctrl-C; 141 if the reader of standard output, such as `head`, ended before.
    """
    _prepare_streams()
    interrupts.as_exceptions()
    try:
        function(*arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
    except InputError as error:
        return _refuse(error, error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for the flush when Python ends
        return _NO_READER
    except OSError as error:  # no permission or no space: the message of the system, without a traceback
        place = printable(error.filename) if error.filename else "a file or standard output"
        return _refuse(f"{place}: {system_message(error)}.")
    except KeyboardInterrupt:
        print(interrupts.SENTENCE, file=sys.stderr)
        return interrupts.EXIT_CODE
    except Exception as error:
        if lacks_memory(error):
            return _refuse(
                "there is not enough memory. Use smaller batches, smaller pictures or a smaller working size."
            )
        raise
    return 0


def add_command(
    commands: Any, name: str, help: str, description: str, function: str, *, keras: bool = False
) -> argparse.ArgumentParser:
    """Add a command to `colorize`.

    Args:
        commands: the result of argparse's add_subparsers.
        name: name of the command.
        help: a line for the list of commands.
        description: text of the command's own --help.
        function: "module:function", of the parsed arguments. It is imported when the command is called.
        keras: whether that module imports Keras.

    Returns:
        The parser of the command.
    """
    command = commands.add_parser(
        name, help=help, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.set_defaults(function=function, keras=keras)
    return command


def whole_number(text: str) -> int:
    """Parse a whole number of 0 or more, for argparse.

    Args:
        text: the argument.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: the text is no such number.
    """
    return _checked(text, int, lambda value: value >= 0, "a whole number of 0 or more")


def positive_number(text: str) -> int:
    """Parse a whole number of 1 or more, for argparse.

    Args:
        text: the argument.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: the text is no such number.
    """
    return _checked(text, int, lambda value: value >= 1, "a whole number of 1 or more")


def temperature(text: str) -> float:
    """Parse a number of 0 or more, for argparse.

    Args:
        text: the argument.

    Returns:
        The number.

    Raises:
        argparse.ArgumentTypeError: the text is no such number.
    """
    return _checked(text, float, lambda value: 0 <= value < math.inf, "a temperature of 0 or more")


def size(text: str) -> tuple[int, int]:
    """Parse HEIGHTxWIDTH, for argparse.

    Args:
        text: the argument.

    Returns:
        Height and width, in pixels.

    Raises:
        argparse.ArgumentTypeError: the text has another form.
    """
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise argparse.ArgumentTypeError(f"{text} is not a size such as 480x640")
    return int(height), int(width)


def numbers(kind: Callable[[str], Any], least: float) -> Callable[[str], list]:
    """A parser of lists such as 0.1,0.5, for argparse.

    Args:
        kind: int or float.
        least: the least allowed number.

    Returns:
        Function from a text to a list of numbers. It raises argparse.ArgumentTypeError for other texts.

    Raises:
        argparse.ArgumentTypeError: raised by the returned function.
    """

    def parse(text: str) -> list:
        what = f"a list of numbers of at least {least}"
        parts = text.split(",")
        return [_checked(part, kind, lambda value: least <= value < math.inf, what, text) for part in parts]

    return parse


def path(text: str) -> Path:
    """Parse a path, for argparse. An empty one would be the current folder.

    Args:
        text: the argument.

    Returns:
        Path.

    Raises:
        argparse.ArgumentTypeError: the text is empty.
    """
    if not text:
        raise argparse.ArgumentTypeError("the name is empty: give a path")
    return Path(text)


def run_script(main: Callable[[], int]) -> None:
    """Run the main function of a script, and exit with its code. Ctrl-C is handled as in `colorize`.

    Args:
        main: function that returns an exit code.
    """
    interrupts.arm()
    sys.exit(main())


def _prepare_streams() -> None:
    """Make every name printable in every encoding, and replace a closed standard error."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _refuse(sentence, exit_code=InputError.exit_code):
    print(f"error: {sentence}", file=sys.stderr)
    return exit_code


def _checked(text, kind, is_accepted, what, shown=None):
    """A number in a text. Raises argparse.ArgumentTypeError for other texts and numbers."""
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not is_accepted(value):
        raise argparse.ArgumentTypeError(f"{shown or text} is not {what}")
    return value
