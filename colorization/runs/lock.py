"""The lock of a run folder: one process writes into it at a time."""

import contextlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout

from colorization.core import file_lock
from colorization.core.errors import InputError, printable
from colorization.runs.folder import RunFolder


@contextlib.contextmanager
def locked(run: RunFolder) -> Iterator[None]:
    """Lock a run folder while the block writes into it. The folder is made if it does not exist.

    Args:
        run: the RunFolder.

    Yields:
        None.

    Raises:
        InputError: another process uses the folder, or it cannot be written.
    """
    owner = run.lock_path.with_suffix(".owner")
    existed = run.path.exists()
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        lock = file_lock.acquire(run.lock_path)
        owner.write_text(f"process {os.getpid()} on {platform.node()}")
    except Timeout:
        raise InputError(
            f"{run} is in use by {_told(owner)}. Wait until it ends, or choose another --run-dir."
        ) from None
    except OSError as error:
        raise InputError(f"{run} cannot be written: {error.strerror or error}.") from None
    try:
        yield
    finally:
        owner.unlink(missing_ok=True)
        run.lock_path.unlink(missing_ok=True)
        lock.release()
        if not existed and run.path.exists() and not any(run.path.iterdir()):
            run.path.rmdir()


def _told(owner: Path) -> str:
    """The content of the file that names the process, as far as it can be read."""
    try:
        return printable(owner.read_bytes().decode("utf-8", errors="replace"))
    except OSError:
        return "another process"
