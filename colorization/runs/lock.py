"""The lock of a run folder: one process writes into it at a time."""

import contextlib
import errno
import os
import platform
import warnings
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from colorization.core.errors import InputError, printable
from colorization.runs.folder import RunFolder

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Errors of file systems that have no locks, such as some network folders."""


@contextlib.contextmanager
def locked(run: RunFolder) -> Iterator[None]:
    """Lock a run folder while the block writes into it. The folder is made if it does not exist.

    The operating system releases the lock when the process ends, also if the process is killed. On a file
    system without locks, a file with the number of the process is the lock.

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
        lock = _acquired(run.lock_path)
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


def _acquired(path: Path) -> BaseFileLock:
    """A lock that this process holds. Raises Timeout if another one holds it, or OSError."""
    with warnings.catch_warnings(action="ignore"):  # filelock warns of a missing flock
        lock: BaseFileLock = FileLock(path)
        try:
            lock.acquire(blocking=False)
        except OSError as error:
            if error.errno not in _WITHOUT_LOCKS:
                raise
            lock = SoftFileLock(path.with_suffix(".process"))
            lock.acquire(blocking=False)
    return lock


def _told(owner: Path) -> str:
    """The content of the file that names the process, as far as it can be read."""
    try:
        return printable(owner.read_bytes().decode("utf-8", errors="replace"))
    except OSError:
        return "another process"
