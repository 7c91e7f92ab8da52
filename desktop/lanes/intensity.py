"""Intensity: what moves in the picture, what it asks of each bar, and over both the composer's own curve, drawn by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, Qt
from PyQt6.QtGui import QPainter, QPolygonF

from desktop.lanes.lane import Grip, Ink, Lane, in_view
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import Sheet

tr = words("timeline")
EDGE = 4


class Intensity(Lane):
    """Draw over it to say how strong the music shall be, bar by bar; with Ctrl held, bars go back to the picture."""

    height = 58

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.drawn: dict[int, float | None] = {}
        """Bars (from 0) under the pen just now, and how strong; None for those that go back to the picture."""
        self.back = False
        self.on_shape: Callable[[Mapping[int, float | None]], object] = lambda drawn: None

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        self._picture(painter, scale, sheet, ink)
        painter.setPen(ink.pen("line"))
        painter.drawLine(QLineF(0, self.height - 0.5, scale.width, self.height - 0.5))
        if not len(sheet.suggested):
            return
        shown = in_view(sheet.bars[:-1], scale)
        for k in range(shown.start, shown.stop):
            left, right = scale.x(sheet.bars[k]), scale.x(sheet.bars[k + 1])
            own = self.drawn.get(k, sheet.own[k]) if k in self.drawn else sheet.own[k]
            if not np.isnan(sheet.suggested[k]):
                painter.setPen(ink.pen("dim", 1))
                y = self._y(sheet.suggested[k])
                painter.drawLine(QLineF(left, y, right, y))
            if own is not None and not np.isnan(own):
                y = self._y(own)
                painter.setPen(ink.pen("accent", 2))
                painter.drawLine(QLineF(left + 1, y, right - 1, y))

    def _picture(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        shown = in_view(sheet.curve_at, scale, 2)
        times, values = sheet.curve_at[shown], sheet.curve[shown]
        if len(times) < 2:
            return
        xs = np.floor((times - scale.left) / scale.step)
        starts = np.flatnonzero(np.diff(xs, prepend=xs[0] - 1))
        peaks = np.maximum.reduceat(values, starts)  # of all samples on one pixel, the strongest
        floor = self.height - 1
        area = QPolygonF([QPointF(xs[starts[0]], floor)])
        for x, value in zip(xs[starts], peaks, strict=True):
            area.append(QPointF(x, self._y(value)))
        area.append(QPointF(xs[starts[-1]], floor))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink.colour("faint", 80))
        painter.drawPolygon(area)

    def _y(self, value: float) -> float:
        return EDGE + (1 - value) * (self.height - 2 * EDGE)

    def press(self, x: float, y: float, scale: Scale, sheet: Sheet) -> Grip | None:
        if not len(sheet.suggested):
            return None
        self.drawn = {}
        before: list[int] = []

        def move(to_x: float, to_y: float) -> None:
            bar = min(len(sheet.suggested) - 1, max(0, sheet.bar_at(scale.seconds(to_x))))
            value = round(min(1.0, max(0.0, 1 - (to_y - EDGE) / (self.height - 2 * EDGE))), 2)
            for between in range(min([bar, *before[-1:]]), max([bar, *before[-1:]]) + 1):
                self.drawn[between] = None if self.back else value
            before.append(bar)

        def drop() -> None:
            drawn, self.drawn = self.drawn, {}
            if drawn:
                self.on_shape(drawn)

        move(x, y)
        return Grip(move, drop, Qt.CursorShape.CrossCursor)

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        bar = sheet.bar_at(scale.seconds(x))
        if not 0 <= bar < len(sheet.suggested):
            return ""
        seen = "" if np.isnan(sheet.suggested[bar]) else tr("the picture asks for {}").format(f"{sheet.suggested[bar]:.2f}")
        own = "" if np.isnan(sheet.own[bar]) else tr("you say {}").format(f"{sheet.own[bar]:.2f}")
        return tr("Bar {}: {}").format(bar + 1, ", ".join(part for part in (seen, own) if part) or tr("nothing said"))
