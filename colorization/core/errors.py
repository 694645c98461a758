"""The exception for bad input, and names as its sentences show them."""

import os

from colorization.core.typing import StrPath


class InputError(ValueError):
    """Bad input. The message says what is wrong, names the file, and says what to do.

    Commands print the message and exit with its exit code. In Python it is a ValueError.
    """

    exit_code = 2


class PartialError(InputError):
    """Some of several inputs failed; the results of the others are complete."""

    exit_code = 1


def printable(path: StrPath) -> str:
    r"""A name as text that every file and terminal accepts.

    Args:
        path: a path, or a part of one.

    Returns:
        The path with escapes such as \xe9 for bytes that are not UTF-8, and for control characters.
    """
    text = os.fsencode(path).decode("utf-8", errors="backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def lacks_memory(error: Exception) -> bool:
    """Whether an error means too little memory.

    Args:
        error: of any type.

    Returns:
        True for Python's MemoryError and for TensorFlow's ResourceExhaustedError.
    """
    return isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"
