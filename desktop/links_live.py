"""What is heard of the DAWs right now: the player's words, looked at a few times a second, and ten seconds of every source."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from bridge.chase import Standing
from bridge.doctor import Finding, source
from bridge.project import Project
from desktop.jitter import LONG_S, Point

if TYPE_CHECKING:
    from bridge.player import Status
    from desktop.document import Document

EVERY_MS = 100
"""Between two looks: the player says something new that often."""


class Live(QObject):
    """Looks at the player of a document while somebody looks at it."""

    looked = pyqtSignal(object)  # the Status, None where there is no player

    def __init__(self, document: Document, clock: Callable[[], float] = time.monotonic, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._clock = document, clock
        self.status: Status | None = None
        self.points: dict[str, deque[Point]] = {}
        self._came = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.look)

    def watch(self, on: bool) -> None:
        """Begins or ends looking."""
        if on:
            self._timer.start()
            self.look()
        else:
            self._timer.stop()

    def look(self) -> None:
        """Looks once."""
        self._fresh()
        self.looked.emit(self.status)

    def _fresh(self) -> None:
        status = self._document.studio.playback.status
        if status is self.status:
            return
        self.status, self._came = status, self._clock()
        for standing in () if status is None else status.standings:
            fix = standing.fix
            row = self.points.setdefault(standing.source, deque())
            row.append(Point(self._came, fix.offset_ms, fix.jitter_ms, fix.state == "locked"))
            while row and row[0].at < self._came - LONG_S:
                row.popleft()

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Every source that was ever heard, the leader first."""
        return () if self.status is None else self.status.standings

    def findings(self, project: Project) -> list[Finding]:
        """The doctor's word on every source, for a film that lies in this ``project`` of the DAW's."""
        now = self._document.now
        if now is None:
            return [source(standing, None) for standing in self.standings]
        drop = project.counting(now.session.start).drop
        return [source(standing, now.session.film.rate, drop) for standing in self.standings]
