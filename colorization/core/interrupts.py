"""Ctrl-C, from the first line of a command: one sentence and the exit code 130.

A KeyboardInterrupt can be lost inside a callback of a foreign library, where Python ignores exceptions. JAX
has such a callback at every garbage collection. While packages are imported, nothing is written yet, so an
interrupt ends the process at once. Later a lost KeyboardInterrupt is raised again.

Nothing changes in a process that does not call arm(), such as a notebook or a test.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

SENTENCE = (
    "interrupted; no incomplete file is left. Run the command again, with --resume if it has that option."
)
EXIT_CODE = 130
_AGAIN = 0.05  # seconds after which a lost interrupt is raised again, outside of the callback

_armed = False
_standard_error = 2


def arm() -> None:
    """End this process at once at Ctrl-C; for the first line of a command."""
    global _armed
    _armed = True
    signal.signal(signal.SIGINT, _end)


def as_exceptions() -> None:
    """Raise KeyboardInterrupt at Ctrl-C from now on, so that unfinished files are removed."""
    if _armed:
        sys.unraisablehook = _repeat_lost_interrupt
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def at_once(standard_error: int) -> Iterator[None]:
    """End the process at once at Ctrl-C inside the block, which only imports packages.

    Args:
        standard_error: file descriptor for the sentence.

    Yields:
        None.
    """
    global _standard_error
    if not _armed:
        yield
        return
    _standard_error = standard_error
    before = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _standard_error = 2


def _end(*_: object) -> None:
    with contextlib.suppress(OSError):  # standard error may be closed
        os.write(_standard_error, f"{SENTENCE}\n".encode())
    os._exit(EXIT_CODE)


def _repeat_lost_interrupt(unraisable: "sys.UnraisableHookArgs") -> None:
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    else:
        sys.__unraisablehook__(unraisable)
