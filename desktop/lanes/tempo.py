"""The tempo: bar lines and beats under the hits, and the curve of the tempo with its bends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QLineF, QPointF
from PyQt6.QtGui import QPainter, QPolygonF

from desktop.lanes.lane import Ink, Lane, in_view, thinned
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import Sheet

tr = words("timeline")
MARGIN = 9
"""Pixels above the highest and below the lowest tempo."""
NARROWEST = 4.0
"""Beats a minute between the upper and the lower edge at least: a bend of a tenth shall not look like a cliff."""


class Tempo(Lane):
    """Bars, beats and beats a minute."""

    height = 46

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        if not len(sheet.bars):
            return
        self._lines(painter, scale, sheet.beats, 7, 34, ink)
        self._lines(painter, scale, sheet.bars, 3, 90, ink)
        self._curve(painter, scale, sheet, ink)

    def _lines(self, painter: QPainter, scale: Scale, times: NDArray[Any], least: float, alpha: int, ink: Ink) -> None:
        shown = in_view(times, scale)
        xs = (times[shown] - scale.left) / scale.step
        if len(xs) < 2 or (xs[-1] - xs[0]) / (len(xs) - 1) < least:
            return
        painter.setPen(ink.pen("dim", alpha=alpha))
        ink.lines(painter, [QLineF(x, 0, x, self.height) for x in np.floor(xs[thinned(xs)]) + 0.5])

    def _curve(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        shown = in_view(sheet.tempo_at, scale)
        times, tempi = sheet.tempo_at[shown], sheet.tempo[shown]
        whole = float(sheet.tempo.min()), float(sheet.tempo.max())
        spread = max(NARROWEST, whole[1] - whole[0])
        middle = sum(whole) / 2
        ys = self.height / 2 - (tempi - middle) / spread * (self.height - 2 * MARGIN)
        xs = (times - scale.left) / scale.step
        keep = thinned(xs, 1.0)
        ends = [*xs[keep][1:], max(scale.width, scale.x(sheet.duration))]
        line = QPolygonF()
        for x, y, end in zip(xs[keep], ys[keep], ends, strict=True):
            line.append(QPointF(x, y))
            line.append(QPointF(min(end, scale.width + 2), y))
        painter.setPen(ink.pen("accent", 1.5))
        painter.drawPolyline(line)
        right = -80.0
        for k in keep:
            x = max(float(xs[k]), 0.0)
            if x > right + 56 and (k == keep[-1] or xs[min(k + 1, len(xs) - 1)] > x):
                above = ys[k] > self.height / 2
                text = f"{tempi[k]:.2f}".rstrip("0").rstrip(".")
                right = x + 4 + ink.write(painter, x + 4, ys[k] - 14 if above else ys[k] + 1, text, "text", figures=True)

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        at = scale.seconds(x)
        bar = sheet.bar_at(at)
        if bar < 0:
            return ""
        k = max(0, int(np.searchsorted(sheet.tempo_at, at, side="right")) - 1)
        return tr("Bar {}, {}, {} beats a minute").format(bar + 1, sheet.metres[bar], f"{sheet.tempo[k]:.2f}")
