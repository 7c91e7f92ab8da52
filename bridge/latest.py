"""Work that follows a value as it changes: in a thread of its own, for the newest state, never twice where once will do."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread

from bridge.events import LOG
from bridge.jobs import fault
from engines.errors import HitpointError


class Latest:
    """Does ``work`` whenever it was touched; touched many times while it works, it works once more.

    What ``work`` raises is handed to ``failed`` and tried again with the next touch. Its thread begins with the first touch.
    """

    def __init__(self, work: Callable[[], object], failed: Callable[[HitpointError], None], name: str) -> None:
        self._work, self._failed, self._name = work, failed, name
        self._changed = Condition()
        self._touched = self._managed = self._tried = 0
        self._ending = False
        self._thread: Thread | None = None

    def touch(self) -> None:
        """There is something new."""
        with self._changed:
            self._touched += 1
            if self._thread is None:
                self._thread = Thread(target=self._run, name=f"hitpoint {self._name}", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Waits until all that was touched was done, or tried."""
        with self._changed:
            wanted = self._touched
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
                wanted = self._touched
                if self._tried >= wanted:
                    return
            managed = self._try()
            with self._changed:
                self._tried = wanted
                self._managed = wanted if managed else self._managed
                self._changed.notify_all()

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
