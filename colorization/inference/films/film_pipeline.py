"""Stages of a long computation that run at the same time, each in its own thread."""

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


class _Failure:
    def __init__(self, error: BaseException):
        self.error = error


@contextlib.contextmanager
def ahead(items: Iterable[Item], size: int = 2) -> Iterator[Iterator[Item]]:
    """Compute items in a thread, while the block uses earlier ones.

    The thread ends with the block, also after an error. An error in the thread is raised in the block, when
    the block asks for the item.

    Args:
        items: to compute.
        size: number of finished items that wait in memory at most.

    Yields:
        Iterator of the items in the same order.
    """
    finished: queue.Queue = queue.Queue(size)
    stop = threading.Event()

    def put(item):
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                finished.put(item, timeout=0.1)
                return

    def work():
        try:
            for item in items:
                put(item)
                if stop.is_set():
                    return
            put(_END)
        except BaseException as error:  # a thread cannot raise it elsewhere
            put(_Failure(error))

    thread = threading.Thread(target=work, name="film", daemon=True)
    thread.start()
    try:
        yield _taken(finished)
    finally:
        stop.set()
        thread.join()


def _taken(finished):
    while (item := finished.get()) is not _END:
        if isinstance(item, _Failure):
            raise item.error
        yield item
