"""Ctrl-C, SIGTERM and a closed terminal, from the first line of a command: one sentence, exit code 130.

The first one raises KeyboardInterrupt, so that the work ends in order. This can take seconds. A second one
deletes the unfinished files, and ends the process at once.

A KeyboardInterrupt can be lost inside a callback of a foreign library, where Python ignores exceptions. JAX
has such a callback at every garbage collection. While packages are imported, nothing is written yet, so an
interrupt ends the process at once. Later a lost KeyboardInterrupt is raised again.

Nothing changes in a process that does not call arm(), such as a notebook or a test.
"""

import atexit
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

SENTENCE = (
    "interrupted; no incomplete file is left. Run the command again, with --resume if it has that option."
)
EXIT_CODE = 130
_AGAIN = 0.05  # seconds after which a lost interrupt is raised again, outside of the callback

_armed = False
_interrupted = False
_standard_error = 2
_unfinished: set[Path] = set()


def arm() -> None:
    """End this process at once at Ctrl-C; for the first line of a command."""
    global _armed
    _armed = True
    signal.signal(signal.SIGINT, _end)


def as_exceptions() -> None:
    """Raise KeyboardInterrupt at the first signal from now on, so that unfinished files are removed.

    A signal that the caller of the command ignores, as `nohup` does, stays ignored.
    """
    if _armed:
        sys.unraisablehook = _repeat_lost_interrupt
        atexit.register(_forget_lost_interrupt)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _interrupt)


@contextlib.contextmanager
def unfinished(path: Path) -> Iterator[None]:
    """Delete a file or folder if a second signal ends the process inside the block.

    Args:
        path: Path of the file or folder, which may be absent.

    Yields:
        None.
    """
    _unfinished.add(path)
    try:
        yield
    finally:
        _unfinished.discard(path)


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


def _interrupt(*_: object) -> None:
    global _interrupted
    if _interrupted:
        for path in list(_unfinished):
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):
                path.unlink()
        _end()
    _interrupted = True
    raise KeyboardInterrupt


def _end(*_: object) -> None:
    with contextlib.suppress(OSError):  # standard error may be closed
        os.write(_standard_error, f"{SENTENCE}\n".encode())
    os._exit(EXIT_CODE)


def _repeat_lost_interrupt(unraisable: "sys.UnraisableHookArgs") -> None:
    if issubclass(unraisable.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)
    else:
        sys.__unraisablehook__(unraisable)


def _forget_lost_interrupt() -> None:
    """Python restores the default action of SIGALRM when it ends: a timer would then kill the process."""
    sys.unraisablehook = sys.__unraisablehook__
    signal.setitimer(signal.ITIMER_REAL, 0)
