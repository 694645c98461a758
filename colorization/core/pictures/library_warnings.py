"""Silence of the libraries that read pictures; the facts of their messages become our own warnings."""

import contextlib
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

for _library in ("PIL", "tifffile"):  # without a handler, Python prints their messages
    logging.getLogger(_library).addHandler(logging.NullHandler())

_FILTERS, _DESCRIPTOR = threading.Lock(), threading.Lock()


@contextlib.contextmanager
def python_warnings() -> Iterator[list[warnings.WarningMessage]]:
    """Catch the warnings of Python in the block, and yield the list of them.

    The filters belong to the whole process, so one thread at a time is here: with headers, not with pixels.
    """
    with _FILTERS, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


@contextlib.contextmanager
def no_standard_error() -> Iterator[None]:
    """Drop what C code writes to the descriptor 2 in the block, by any thread. For rare kinds of files."""
    with _DESCRIPTOR, contextlib.ExitStack() as stack:
        try:
            kept = os.dup(2)
        except OSError:  # it is closed
            yield
            return
        stack.callback(os.close, kept)
        stack.callback(os.dup2, kept, 2)
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
