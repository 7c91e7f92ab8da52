"""Work that follows a value as it changes: in a thread of its own, for the newest state, never twice where once will do."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition, Thread

from bridge.events import LOG
from bridge.jobs import fault
from engines.errors import HitpointError

PATIENCE_S = 2.0
"""Seconds after which it is done even though newer comes all the time."""


class Latest:
    """Does ``work`` whenever it was touched; touched many times while it works, it works once more.

    What ``work`` raises is handed to ``failed`` and tried again with the next touch. Its thread begins with the first touch.
    """

    def __init__(self, work: Callable[[], object], failed: Callable[[HitpointError], None], name: str) -> None:
        self._work, self._failed, self._name = work, failed, name
        self._changed = Condition()
        self._touched = self._managed = self._tried = 0
        self._rest_s = 0.0
        self._ending = False
        self._thread: Thread | None = None

    def touch(self, rest_s: float = 0.0) -> None:
        """There is something new. It may wait for ``rest_s`` seconds in which nothing newer comes, but no longer than `PATIENCE_S`."""
        with self._changed:
            self._touched += 1
            self._rest_s = rest_s
            if self._thread is None:
                self._thread = Thread(target=self._run, name=f"hitpoint {self._name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Waits until all that was touched was done, or tried."""
        with self._changed:
            wanted, self._rest_s = self._touched, 0.0
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._tried >= wanted)

    @property
    def behind(self) -> bool:
        """Whether what was touched last is not done: it failed, or is still to come."""
        with self._changed:
            return self._managed < self._touched

    def close(self) -> None:
        """Ends the thread when it has tried all."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tried < self._touched or self._ending)
                self._settle()
                wanted = self._touched
                if self._tried >= wanted:
                    return
            managed = self._try()
            with self._changed:
                self._tried = wanted
                self._managed = wanted if managed else self._managed
                self._changed.notify_all()

    def _settle(self) -> None:
        """Waits until what comes one after the other has come, where that may be waited for."""
        last = time.monotonic() + PATIENCE_S
        while (rest := min(self._rest_s, last - time.monotonic())) > 0 and not self._ending:
            seen = self._touched
            if not self._changed.wait_for(lambda seen=seen: self._touched != seen or not self._rest_s or self._ending, rest):  # type: ignore[misc]
                return

    def _try(self) -> bool:
        try:
            self._work()
        except HitpointError as refused:
            self._failed(refused)
            return False
        except Exception as unforeseen:  # noqa: BLE001  told and logged; the next touch tries again
            LOG.exception("%s failed", self._name)
            self._failed(fault(unforeseen))
            return False
        return True
