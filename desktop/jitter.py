"""Ten seconds of one source as a small plot: how far it is off, within the band of its jitter."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from desktop import theme
from desktop.language import words

tr = words("links")

LONG_S = 10.0
LEFT, TOP, FOOT = 44, 6, 16
"""Pixels for the figures on the left, above the plot, and under it."""
SCALES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
"""Milliseconds from the middle to the edge."""


@dataclass(frozen=True)
class Point:
    """One look at a source: the second of the clock, its offset and the 99th percentile of its jitter in milliseconds, and whether it was
    locked."""

    at: float
    offset_ms: float
    jitter_ms: float
    locked: bool


class Jitter(QWidget):
    """The plot. Newest at the right; grey where the source was not locked."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points: deque[Point] = deque()
        self.setMinimumHeight(96)
        self.setAccessibleName(tr("Offset and jitter of the last ten seconds"))

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        return QSize(320, 120)

    def show_points(self, points: Iterable[Point]) -> None:
        """Other points, rising in time."""
        self._points = deque(points)
        if self._points:
            newest = self._points[-1]
            said = tr("offset {} ms, jitter {} ms").format(f"{newest.offset_ms:+.1f}", f"{newest.jitter_ms:.1f}")
            self.setAccessibleDescription(said if newest.locked else tr("not locked"))
        else:
            self.setAccessibleDescription(tr("nothing heard"))
        self.update()

    @property
    def scale(self) -> float:
        """Milliseconds from the middle to the edge: the smallest step that holds everything that was locked."""
        most = max((abs(p.offset_ms) + p.jitter_ms for p in self._points if p.locked), default=0.0)
        return next((step for step in SCALES if most <= step), SCALES[-1])

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(LEFT, TOP, self.width() - LEFT - 8, self.height() - TOP - FOOT)
        painter.fillRect(area, look.colour("ground"))
        self._grid(painter, area, look)
        painter.setClipRect(area)
        for stretch in self._stretches():
            self._stretch(painter, area, stretch, look)
        painter.end()

    def _grid(self, painter: QPainter, area: QRectF, look: theme.Theme) -> None:
        painter.setFont(theme.figures(7.5))
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for part in (1.0, 0.0, -1.0):
            y = area.center().y() - part * (area.height() / 2 - 1)
            painter.setPen(QPen(look.colour("line"), 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(look.colour("dim"))
            text = f"{part * self.scale:+g}" if part else "0 ms"
            painter.drawText(QRectF(0, min(max(y - 7, 0), self.height() - 15), LEFT - 5, 14), flags, text)
        for second in range(0, int(LONG_S) + 1, 2):
            x = area.right() - second / LONG_S * area.width()
            painter.setPen(QPen(look.colour("line", 120), 1))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            painter.setPen(look.colour("faint"))
            text = tr("now") if not second else f"-{second} s"
            painter.drawText(
                QRectF(x - 30, area.bottom() + 2, 30 + (8 if not second else 30), 13),
                Qt.AlignmentFlag.AlignHCenter if second else Qt.AlignmentFlag.AlignRight,
                text,
            )

    def _stretches(self) -> Iterable[list[Point]]:
        """Points in a row of one state."""
        row: list[Point] = []
        for point in self._points:
            if row and row[-1].locked != point.locked:
                yield row
                row = [row[-1]] if point.locked else []
            row.append(point)
        if row:
            yield row

    def _stretch(self, painter: QPainter, area: QRectF, points: list[Point], look: theme.Theme) -> None:
        newest = self._points[-1].at

        def x(point: Point) -> float:
            return area.right() - (newest - point.at) / LONG_S * area.width()

        def y(ms: float) -> float:
            return area.center().y() - ms / self.scale * (area.height() / 2 - 1)

        if not points[-1].locked:
            left, right = x(points[0]), x(points[-1])
            painter.fillRect(QRectF(left, area.top(), max(2.0, right - left), area.height()), look.colour("shade", 160))
            return
        band = QPolygonF([QPointF(x(p), y(p.offset_ms + p.jitter_ms)) for p in points])
        for p in reversed(points):
            band.append(QPointF(x(p), y(p.offset_ms - p.jitter_ms)))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour("accent", 46))
        painter.drawPolygon(band)
        painter.setPen(QPen(look.colour("accent"), 1.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(x(p), y(p.offset_ms)) for p in points]))
