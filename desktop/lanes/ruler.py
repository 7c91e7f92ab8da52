"""The ruler: timecode above, bars below, one line for both; bars that are locked lie under a band with a lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter

from desktop.lanes.lane import Grip, Ink, Lane, in_view
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import Sheet
from engines.picture.timecode import Timecode, drops, nominal

tr = words("timeline")
FRAMES = (1, 2, 4, 6, 12)
"""Frames between labels, closest."""
SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200)
"""Seconds of timecode between labels."""
BAR, ROOMY = 44, 70
"""Pixels from one bar number to the next at least, and those from which a metre stands beside it."""
ROOM = 1.35
"""Widths of a label from one to the next."""
LOCK = 16
"""Pixels of a lock and the room around it; a narrower band has none."""
EDGE = 1e-6
"""Seconds before a bar line that still count to the bar that ends there."""


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
    """Timecode and bars. Wherever it is pressed the playhead goes; a lock that is pressed opens."""

    height = 40

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.on_free: Callable[[int, int], object] = lambda first, last: None  # bars from 1

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
        self._locked(painter, scale, sheet, ink, half)
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

    def _bands(self, scale: Scale, sheet: Sheet) -> Iterator[tuple[QRectF, tuple[float, float]]]:
        """Of every locked run in view its band, and the run."""
        half = self.height / 2
        for start, end in sheet.locked:
            left, right = max(0.0, scale.x(start)), min(float(scale.width), scale.x(end))
            if left < right:
                yield QRectF(left, half + 1, right - left, half - 2), (start, end)

    def _locked(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink, top: float) -> None:
        for band, _ in self._bands(scale, sheet):
            painter.fillRect(band, ink.colour("accent", 46))
            painter.fillRect(QRectF(band.left(), band.bottom() - 1, band.width(), 2), ink.colour("accent", 170))
            if band.width() >= LOCK:
                padlock(painter, QPointF(band.right() - LOCK / 2, band.center().y()), ink)

    def _lock_at(self, x: float, y: float, scale: Scale, sheet: Sheet) -> tuple[float, float] | None:
        """The locked run whose lock is there."""
        for band, run in self._bands(scale, sheet):
            if band.width() >= LOCK and band.contains(QPointF(x, y)) and x >= band.right() - LOCK:
                return run
        return None

    def press(self, x: float, y: float, scale: Scale, sheet: Sheet) -> Grip | None:
        run = self._lock_at(x, y, scale, sheet)
        if run is None:
            return None

        def drop() -> None:
            self.on_free(*bars_of(run, sheet))

        return Grip(lambda x, y: None, drop, Qt.CursorShape.PointingHandCursor)

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        run = next((run for band, run in self._bands(scale, sheet) if band.contains(QPointF(x, y))), None)
        if run is None:
            return ""
        return (
            f"{say_locked(run, sheet)} {tr('Spotting again leaves their beats where they are; the lock, or Ctrl+L, frees them.')}"
        )


def bars_of(run: tuple[float, float], sheet: Sheet) -> tuple[int, int]:
    """First and last bar, from 1, of a locked run."""
    return sheet.bar_at(run[0] + EDGE) + 1, sheet.bar_at(run[1] - EDGE) + 1


def say_locked(run: tuple[float, float], sheet: Sheet) -> str:
    """A locked run in words."""
    first, last = bars_of(run, sheet)
    return tr("Bar {} is locked.").format(first) if first == last else tr("Bars {} to {} are locked.").format(first, last)


def padlock(painter: QPainter, at: QPointF, ink: Ink) -> None:
    """A small lock, shut, around a point."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(ink.pen("text", 1.3))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(at.x() - 2.5, at.y() - 5.5, 5, 7), 0, 180 * 16)  # Qt counts sixteenths of a degree
    painter.fillRect(QRectF(at.x() - 4, at.y() - 1.5, 8, 6), ink.colour("text"))
    painter.restore()
