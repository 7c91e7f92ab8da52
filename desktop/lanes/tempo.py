"""The tempo: bar lines and beats under the hits, and the curve of the tempo with its bends."""

from __future__ import annotations

import numpy as np
from PyQt6.QtGui import QPainter

from desktop.lanes.lane import Floats, Ink, Lane, in_view, thinned
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import Sheet

tr = words("timeline")
MARGIN = 15
"""Pixels above the highest and below the lowest tempo."""
NARROWEST = 4.0
"""Beats a minute between the upper and the lower edge at least: a bend of a tenth shall not look like a cliff."""


LINE = 14
"""Pixels of a line of figures."""
LABEL = 96.0
"""Pixels between two figures at least."""


class Tempo(Lane):
    """Bars, beats and beats a minute."""

    height = 46

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        if not len(sheet.bars):
            return
        self._lines(painter, scale, sheet.beats, 7, 34, ink)
        self._lines(painter, scale, sheet.bars, 3, 90, ink)
        self._curve(painter, scale, sheet, ink)

    def _lines(self, painter: QPainter, scale: Scale, times: Floats, least: float, alpha: int, ink: Ink) -> None:
        shown = in_view(times, scale)
        xs = (times[shown] - scale.left) / scale.step
        if len(xs) < 2 or (xs[-1] - xs[0]) / (len(xs) - 1) < least:
            return
        ink.uprights(painter, np.floor(xs[thinned(xs)]) + 0.5, 0.0, self.height, ink.pen("dim", alpha=alpha))

    def _curve(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        shown = in_view(sheet.tempo_at, scale)
        times, tempi = sheet.tempo_at[shown], sheet.tempo[shown]
        whole = float(sheet.tempo.min()), float(sheet.tempo.max())
        spread = max(NARROWEST, whole[1] - whole[0])
        middle = sum(whole) / 2
        ys = self.height / 2 - (tempi - middle) / spread * (self.height - 2 * MARGIN)
        xs = (times - scale.left) / scale.step
        keep = thinned(xs)
        left, height = xs[keep], ys[keep]
        right = np.append(left[1:], max(float(scale.width), scale.x(sheet.duration))).clip(max=scale.width + 2)
        level = np.stack([left, height, right, height], axis=1)
        steps = np.stack([left[1:], height[:-1], left[1:], height[1:]], axis=1)
        ink.lines(painter, np.concatenate((level, steps)), ink.pen("accent", 1))
        self._write(painter, xs, ys, tempi, ink)

    def _write(self, painter: QPainter, xs: Floats, ys: Floats, tempi: Floats, ink: Ink) -> None:
        """A figure at a change where there is room, clear of the curve: above what lies under it, or below."""
        right = -LABEL
        places = xs.clip(min=0.0)
        for k in thinned(places, LABEL).tolist():
            x = float(places[k]) + 3
            if x < right + 12 or (k + 1 < len(xs) and xs[k + 1] <= x):
                continue
            text = f"{tempi[k]:.2f}".rstrip("0").rstrip(".")
            under = ys[k : int(np.searchsorted(xs, x + ink.width(text, figures=True))) + 1]
            above, below = float(under.min()) - LINE, float(under.max()) + 1
            y = above if above >= 0 else min(below, self.height - LINE)
            right = x + ink.write(painter, x, y, text, "text", figures=True)

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        at = scale.seconds(x)
        bar = sheet.bar_at(at)
        if bar < 0:
            return ""
        k = max(0, int(np.searchsorted(sheet.tempo_at, at, side="right")) - 1)
        return tr("Bar {}, {}, {} beats a minute").format(bar + 1, sheet.metres[bar], f"{sheet.tempo[k]:.2f}")
