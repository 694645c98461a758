"""A lock of one process, held by a file."""

import errno
import warnings
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock

_WITHOUT_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Errors of file systems that have no locks, such as some network folders."""


def acquire(path: Path) -> BaseFileLock:
    """Acquire a lock without waiting.

    The operating system releases the lock when the process ends, also if the process is killed. On a file
    system without locks, a file with the number of the process is the lock.

    Args:
        path: path of the file, in an existing folder.

    Returns:
        The lock, held by this process.

    Raises:
        filelock.Timeout: another process holds it.
        OSError: the file cannot be written.
    """
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
