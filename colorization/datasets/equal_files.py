"""Files with equal contents under different names. A split must keep them together."""

import collections
import concurrent.futures
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from colorization.core.atomic_io import sha256


def first_equals(files: Sequence[Path]) -> np.ndarray:
    """Find for each file the first one with the same content.

    Only files of equal sizes are read. A file that cannot be read equals no other.

    Args:
        files: paths.

    Returns:
        (N,) int64 positions in `files`; the position of a file itself where no earlier file equals it.
    """
    by_size = collections.defaultdict(list)
    for position, path in enumerate(files):
        by_size[_size(path)].append(position)
    candidates = [position for group in by_size.values() if len(group) > 1 for position in group]
    firsts = np.arange(len(files))
    seen: dict[str, int] = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        digests = pool.map(_digest, (files[position] for position in sorted(candidates)))
        for position, digest in zip(sorted(candidates), digests, strict=True):
            if digest is not None:
                firsts[position] = seen.setdefault(digest, position)
    return firsts


def tell_copies(firsts: np.ndarray, things: str) -> tuple[str, ...]:
    """A sentence that counts the copies among files, or none.

    Args:
        firsts: (N,) of `first_equals`.
        things: a plural noun for the files.

    Returns:
        A tuple of one sentence; empty if there are no copies.
    """
    copies = int(np.sum(firsts != np.arange(len(firsts))))
    if not copies:
        return ()
    are = "is a copy" if copies == 1 else "are copies"
    return (f"{copies} of {len(firsts)} {things} {are} of others. Equal files are in the same split.",)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _digest(path: Path) -> str | None:
    try:
        return sha256(path)
    except OSError:
        return None
