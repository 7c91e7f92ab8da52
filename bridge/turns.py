"""Calls in their turn, beside whoever took them in: one after the other, so many may wait, and none holds up the end of the program."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from queue import Full, Queue
from threading import Event, Lock, Thread, current_thread

PATIENCE_S = 2.0
"""Seconds for which the end waits for the call that is being done: one that hangs on a disk that is gone never comes back."""


class Turns:
    """One thread that does what it is given, in order; ``most`` calls may wait. A call must not raise."""

    def __init__(self, name: str, most: int) -> None:
        self._waiting: Queue[Callable[[], None] | None] = Queue(most)
        self._ending, self._left, self._count = Event(), 0, Lock()
        self._thread = Thread(target=self._run, name=f"hitpoint {name}", daemon=True)
        self._thread.start()

    def take(self, call: Callable[[], None]) -> bool:
        """Has a call done in its turn; False where too many wait already."""
        try:
            self._waiting.put_nowait(call)
        except Full:
            return False
        with self._count:
            self._left += 1
        return True

    @property
    def busy(self) -> bool:
        """Whether a call is being done, or waits."""
        with self._count:
            return self._left > 0

    def close(self) -> None:
        """Does nothing more but end the call it is at, and waits for that a while; a second time does nothing."""
        self._ending.set()
        with suppress(Full):  # then it is awake anyway, or hangs
            self._waiting.put_nowait(None)
        if self._thread is not current_thread():
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while (call := self._waiting.get()) is not None and not self._ending.is_set():
            call()
            with self._count:
                self._left -= 1
