"""Whether a panel is seen. A dock under another tab is visible to Qt all the same, so the dock itself is asked."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtWidgets import QDockWidget, QWidget


class Seen(QObject):
    """Tells a panel when it begins and ceases to be seen: shown or hidden, or its dock brought up or covered."""

    def __init__(self, panel: QWidget, call: Callable[[bool], object]) -> None:
        super().__init__(panel)
        self.on = False
        self._panel, self._call = panel, call
        self._dock: QDockWidget | None = None
        panel.installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  Qt's name
        if event is not None and event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self._find()
            self._turn(event.type() == QEvent.Type.Show)
        return False

    def _find(self) -> None:
        above = self._panel.parentWidget()
        while self._dock is None and above is not None:
            if isinstance(above, QDockWidget):
                self._dock = above
                above.visibilityChanged.connect(self._turn)
            above = above.parentWidget()

    def _turn(self, on: bool) -> None:
        if on != self.on:
            self.on = on
            self._call(on)
