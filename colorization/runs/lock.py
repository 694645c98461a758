"""The lock of a run folder: one process writes into it at a time."""

import contextlib
import os
import platform
from collections.abc import Iterator

from filelock import FileLock, Timeout

from colorization.core.errors import InputError
from colorization.runs.folder import RunFolder


@contextlib.contextmanager
def locked(run: RunFolder) -> Iterator[None]:
    """Lock a run folder while the block writes into it. The folder is made if it does not exist.

    The operating system releases the lock when the process ends, also if the process is killed.

    Args:
        run: the RunFolder.

    Yields:
        None.

    Raises:
        InputError: another process uses the folder, or it cannot be written.
    """
    owner = run.lock_path.with_suffix(".owner")
    existed = run.path.exists()
    lock = FileLock(run.lock_path)
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
        owner.write_text(f"process {os.getpid()} on {platform.node()}")
    except Timeout:
        held = owner.read_text() if owner.exists() else "another process"
        raise InputError(
            f"{run} is in use by {held}. Wait until it ends, or choose another --run-dir."
        ) from None
    except OSError as error:
        raise InputError(f"{run} cannot be written: {error.strerror or error}.") from None
    try:
        yield
    finally:
        owner.unlink(missing_ok=True)
        run.lock_path.unlink(missing_ok=True)
        lock.release()
        if not existed and not any(run.path.iterdir()):
            run.path.rmdir()
