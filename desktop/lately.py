"""The newest session to every panel, one panel a turn of the window's loop, so that an act never holds the window up for all of them at
once; a panel that nobody sees waits until it is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import QEvent, QObject, QTimer
from PyQt6.QtWidgets import QWidget

TURN_MS = 1
"""Between two panels: whatever else is due has its turn first."""

_QUEUE: list[Lately] = []


class Lately(QObject):
    """One panel's place in the queue. ``always`` shows what is new to a hidden panel as well."""

    def __init__(self, panel: QWidget, show: Callable[[Any], object], always: bool = False) -> None:
        super().__init__(panel)
        self._panel, self._show, self._always = panel, show, always
        self._news: list[Any] = []
        panel.installEventFilter(self)
        panel.destroyed.connect(self._gone)

    def tell(self, news: Any) -> None:
        """Something newer to be shown; what was waiting is forgotten."""
        self._news = [news]
        if self._always or self._panel.isVisible():
            self._queue()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  Qt's name
        if event is not None and event.type() == QEvent.Type.Show and self._news:
            self._queue()
        return super().eventFilter(watched, event)

    def _queue(self) -> None:
        if self not in _QUEUE:
            _QUEUE.append(self)
            if len(_QUEUE) == 1:
                QTimer.singleShot(TURN_MS, _next)

    def turn(self) -> None:
        """Shows the newest."""
        news, self._news = self._news, []
        if news:
            self._show(news[0])

    def _gone(self) -> None:
        self._news = []
        if self in _QUEUE:
            _QUEUE.remove(self)


def waiting() -> bool:
    """Whether a panel has not shown the newest yet."""
    return bool(_QUEUE)


def _next() -> None:
    if not _QUEUE:
        return
    panel = _QUEUE[0]
    try:
        panel.turn()
    finally:
        if panel in _QUEUE:
            _QUEUE.remove(panel)
        if _QUEUE:
            QTimer.singleShot(TURN_MS, _next)
