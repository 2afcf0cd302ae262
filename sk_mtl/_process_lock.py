"""A lock of one process, which a forked child has anew."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ProcessLock:
    """A re-entrant lock, free again in the child of a fork.

    A child has one thread, the one that forked. A lock that another thread held at
    that moment would stay held for ever.

    Parameters
    ----------
    forks_wait : bool, default=False
        Whether a fork waits until no other thread is in the block. For short blocks
        that change for a moment what the child reads, too: the child would find it in
        the middle of the change, for ever.

    Examples
    --------
    >>> from sk_mtl._process_lock import ProcessLock
    >>> lock = ProcessLock()
    >>> with lock.held():
    ...     print("one thread at a time")
    one thread at a time
    """

    def __init__(self, *, forks_wait: bool = False) -> None:
        self._renew()
        if not hasattr(os, "register_at_fork"):
            return
        os.register_at_fork(after_in_child=self._renew)
        if forks_wait:
            os.register_at_fork(
                before=lambda: self._lock.acquire(),
                after_in_parent=lambda: self._lock.release(),
            )

    def _renew(self) -> None:
        self._lock = threading.RLock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let one thread at a time into the block."""
        # A fork inside the block leaves it, in the child, by the lock that it entered.
        lock = self._lock
        with lock:
            yield
