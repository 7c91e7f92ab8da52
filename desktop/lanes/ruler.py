"""The ruler: timecode above, bars below, one line for both."""

from __future__ import annotations

from fractions import Fraction

from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QPainter

from desktop.lanes.lane import Ink, Lane, in_view
from desktop.scale import Scale
from desktop.sheet import Sheet
from engines.picture.timecode import Timecode, drops, nominal

FRAMES = (1, 2, 4, 6, 12)
"""Frames between labels, closest."""
SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)
"""Seconds of timecode between labels."""
BAR, ROOMY = 44, 70
"""Pixels from one bar number to the next at least, and those from which a metre stands beside it."""
ROOM = 1.35
"""Widths of a label from one to the next."""


def labels(start: Timecode, first: int, last: int, most: float) -> list[int]:
    """Frames of the film (from 0) whose timecode is round, between two frames, no more than about ``most`` of them."""
    rate, base = start.rate, nominal(start.rate)
    span = max(1, last - first)
    for step in FRAMES:
        if step < base and span / step <= most:
            begin = -(-(start.frame + first) // step) * step
            return [at - start.frame for at in range(begin, start.frame + last + 1, step)]
    step = next((s for s in SECONDS if span / (s * base) <= most), SECONDS[-1])
    skipped = drops(rate) if start.drop else 0
    found: list[int] = []
    at = max(0, int(Fraction(start.frame + first, base)) // step - 1) * step
    while True:
        minute = at // 60
        frame = at * base - skipped * (minute - minute // 10)
        if skipped and at % 60 == 0 and minute % 10:
            frame += skipped  # the labels that drop-frame skips
        if frame - start.frame > last:
            return found
        if frame - start.frame >= first:
            found.append(frame - start.frame)
        at += step


class Ruler(Lane):
    """Timecode and bars. Wherever it is pressed the playhead goes."""

    height = 40

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        half = self.height / 2
        painter.fillRect(QRectF(0, 0, scale.width, self.height), ink.colour("panel"))
        wide = ink.width(str(sheet.start), figures=True) * ROOM
        first, last = (int(max(0.0, at) * sheet.rate) for at in (scale.left - scale.step * wide, scale.right))
        ticks = []
        for frame in labels(sheet.start, first, min(last + 1, sheet.frames), scale.width / wide):
            x = round(scale.x(self.time(frame, sheet))) + 0.5
            ticks.append((x, 0.0, x, half))
            ink.write(painter, x + 4, 3, str(sheet.start + frame), "text", figures=True)
        ink.lines(painter, ticks, ink.pen("faint"))
        self._bars(painter, scale, sheet, ink, half)
        ink.lines(painter, [(0, self.height - 0.5, scale.width, self.height - 0.5)], ink.pen("line"))

    def _bars(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink, top: float) -> None:
        lines = sheet.bars[:-1]
        if not len(lines):
            return
        usual = float(sheet.bars[-1] - sheet.bars[0]) / len(lines) / scale.step
        step = 1
        while step * usual < BAR and step < len(lines):
            step *= 2
        ticks = []
        shown = in_view(lines, scale, BAR)
        numbered = set(range(-(-shown.start // step) * step, shown.stop, step))
        if usual >= BAR:
            numbered |= {k for k in range(shown.start, shown.stop) if k and sheet.metres[k] != sheet.metres[k - 1]}
        for k in sorted(numbered):
            x = round(scale.x(lines[k])) + 0.5
            ticks.append((x, top + 4, x, self.height))
            wide = ink.write(painter, x + 4, top + 2, str(k + 1), "accent", figures=True)
            changes = k == 0 or sheet.metres[k] != sheet.metres[k - 1]
            if changes and step * usual > ROOMY:
                ink.write(painter, x + 9 + wide, top + 2, sheet.metres[k], "dim", figures=True)
        ink.lines(painter, ticks, ink.pen("accent", alpha=140))
