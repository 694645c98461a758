"""Suppress the messages of the libraries that read pictures. This package reports damage itself."""

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
    """Catch the warnings of Python in the block.

    The warning filters belong to the whole process, so only one thread at a time runs such a block. Use it to
    read headers, not pixels.

    Yields:
        List of the caught warnings.
    """
    with _FILTERS, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


@contextlib.contextmanager
def no_standard_error() -> Iterator[None]:
    """Discard the output of C code to descriptor 2 in the block, from all threads. For rare files only."""
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
