"""Intensity: what moves in the picture, what it asks of each bar, and over both the composer's own curve, drawn by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QPainter

from desktop.lanes.lane import Floats, Grip, Ink, Lane, in_view, thinned
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
        ink.lines(painter, [(0, self.height - 0.5, scale.width, self.height - 0.5)], ink.pen("line"))
        if not len(sheet.suggested):
            return
        shown = in_view(sheet.bars[:-1], scale)
        own = sheet.own
        if self.drawn:  # as it would be if the pen were lifted now
            own = own.copy()
            for bar, value in self.drawn.items():
                own[bar] = np.nan if value is None else value
        edges = (sheet.bars[shown.start : shown.stop + 1] - scale.left) / scale.step
        ink.lines(painter, self._steps(edges, sheet.suggested[shown], 0), ink.pen("dim", 1))
        ink.lines(painter, self._steps(edges, own[shown], 1), ink.pen("accent", 2))

    def _steps(self, edges: Floats, values: Floats, gap: float) -> Floats:
        """A level line a bar between its two bar lines; of many bars on one pixel, one; none where nothing is said."""
        keep = thinned(edges[:-1])
        keep = keep[~np.isnan(values[keep])]
        ys = self._y(values[keep])
        return np.stack([edges[:-1][keep] + gap, ys, np.maximum(edges[1:][keep], edges[:-1][keep] + 1) - gap, ys], axis=1)

    def _picture(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        """What moves, as an area: a line a pixel, as high as the strongest sample there."""
        shown = in_view(sheet.curve_at, scale, 2)
        times, values = sheet.curve_at[shown], sheet.curve[shown]
        if len(times) < 2:
            return
        xs = np.floor((times - scale.left) / scale.step)
        starts = np.flatnonzero(np.diff(xs, prepend=xs[0] - 1))
        peaks = np.maximum.reduceat(values, starts)
        places = np.arange(max(0, xs[0]), min(scale.width, xs[-1]) + 1)
        tops = self._y(np.interp(places, xs[starts], peaks))
        ink.uprights(painter, places + 0.5, np.floor(tops), self.height - 1.0, ink.pen("faint", 1, alpha=80))

    def _y(self, values: Floats) -> Floats:
        return EDGE + (1 - values) * (self.height - 2 * EDGE)

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
