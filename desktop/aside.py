"""Small work beside the window: a file written for a drag, a card read, a suggestion drawn up. What comes of it is handed to the window's
thread; the newest question of a kind is the one that is answered."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar

from PyQt6.QtCore import QObject, pyqtSignal, pyqtSlot

from bridge.events import LOG
from bridge.jobs import fault
from engines.errors import HitpointError

T = TypeVar("T")


class Aside(QObject):
    """One thread for short questions of one widget; it ends with the widget."""

    refused = pyqtSignal(object)  # HitpointError: why a question has no answer
    _answered = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(1, "hitpoint aside")
        self._newest: dict[str, int] = {}
        self._count = 0
        self._living, self._ended = Lock(), False
        self._answered.connect(self._hand_over)
        if parent is not None:
            parent.destroyed.connect(self.end)

    def ask(self, kind: str, question: Callable[[], T], then: Callable[[T], object]) -> Future[T]:
        """Has ``question`` answered in the thread, and ``then`` called with the answer in the window's, unless another of this ``kind``
        was asked since."""
        self._count += 1
        mine = self._newest[kind] = self._count

        def work() -> T:
            try:
                answer = question()
            except Exception as error:
                if not isinstance(error, HitpointError):
                    LOG.exception("a question of the window failed")
                told = error if isinstance(error, HitpointError) else fault(error)
                self._hand(lambda: self.refused.emit(told))
                raise
            self._hand(lambda: self._newest.get(kind) == mine and then(answer))
            return answer

        return self._pool.submit(work)

    def forget(self, kind: str) -> None:
        """Whatever was asked of a kind is no longer wanted."""
        self._newest.pop(kind, None)

    def end(self, *_: Any) -> None:
        """Takes no more questions; those that wait are dropped, and no answer comes."""
        with self._living:
            self._ended = True
        self._newest.clear()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _hand(self, call: Callable[[], object]) -> None:
        """Has the window's thread call something, unless the window has gone."""
        with self._living:
            if not self._ended:
                self._answered.emit(call)

    @pyqtSlot(object)
    def _hand_over(self, call: Callable[[], object]) -> None:
        call()
