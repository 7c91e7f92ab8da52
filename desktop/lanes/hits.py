"""The hits: a stem as high as the hit is heavy, and a head that tells by colour and by shape how the music meets it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QPainter, QPolygonF

from desktop.lanes.lane import Grip, Ink, Lane, in_view, thinned
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import HitMark, Sheet, Verdict
from engines.picture.timing import Timing

tr = words("timeline")

COLOURS: dict[Verdict, str] = {"on": "on", "early": "near", "late": "near", "missed": "missed", "silent": "silent"}
REACH = 7
"""Pixels around a hit within which it is taken hold of."""
HEAD = 4.5
"""Half the size of a head, in pixels."""
CROWD = 5
"""Pixels between hits below which they have no heads."""
LOCK = 4
"""Pixels of a drag that decide between moving (across) and weighing (up and down)."""


def head(verdict: Verdict, hard: bool, x: float, y: float) -> QPolygonF:
    """Its shape: a diamond is on, triangles point early (left) or late (right), a cross is missed; nothing composed is a square."""
    r = HEAD if hard else HEAD * 0.8
    shapes = {
        "on": ((0, -r), (r, 0), (0, r), (-r, 0)),
        "early": ((-r, 0), (r * 0.8, -r), (r * 0.8, r)),
        "late": ((r, 0), (-r * 0.8, -r), (-r * 0.8, r)),
        "silent": ((-r * 0.8, -r * 0.8), (r * 0.8, -r * 0.8), (r * 0.8, r * 0.8), (-r * 0.8, r * 0.8)),
    }
    return QPolygonF([QPointF(x + a, y + b) for a, b in shapes.get(verdict, ())])


class Hits(Lane):
    """Drag a hit across to move it, up or down to weigh it; double-click where there is none to mark one."""

    height = 46

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.selected: int | None = None
        self.ghost: tuple[int, int, float] | None = None
        """A hit that is being dragged: its frame, where it would go, and its weight there."""
        self.on_select: Callable[[int | None], object] = lambda frame: None
        self.on_move: Callable[[int, int], object] = lambda frame, to: None
        self.on_weigh: Callable[[int, float], object] = lambda frame, weight: None

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        painter.setPen(ink.pen("line"))
        painter.drawLine(QLineF(0, self.height - 0.5, scale.width, self.height - 0.5))
        shown = in_view(sheet.hit_at, scale, HEAD)
        xs = (sheet.hit_at[shown] - scale.left) / scale.step
        apart = float(np.median(np.diff(xs))) if len(xs) > 1 else scale.width
        marks = sheet.marks[shown]
        for k in thinned(xs, 1.0 if apart >= CROWD else 2.0):
            self._mark(painter, float(xs[k]), marks[k], marks[k].hit.weight, ink, apart, faded=False)
        if self.ghost is not None:
            frame, to, weight = self.ghost
            mark = next((m for m in marks if m.hit.frame == frame), None)
            if mark is not None:
                self._mark(painter, scale.x(self.time(to, sheet)), mark, weight, ink, CROWD, faded=True)

    def _mark(self, painter: QPainter, x: float, mark: HitMark, weight: float, ink: Ink, apart: float, faded: bool) -> None:
        colour = COLOURS[mark.verdict]
        foot, top = self.height - 1.0, self._top(weight)
        chosen = mark.hit.frame == self.selected and not faded
        pen = ink.pen("accent" if faded or chosen else colour, 2.0 if mark.hit.hard else 1.0)
        if not mark.hit.hard:
            pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen)
        painter.drawLine(QLineF(x, foot, x, top))
        if apart < CROWD and not chosen:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(ink.pen("accent" if chosen or faded else colour, 1.5))
        if mark.verdict == "missed":
            for way in (-HEAD, HEAD):
                painter.drawLine(QLineF(x - HEAD, top - way, x + HEAD, top + way))
        else:
            solid = mark.hit.hard and mark.verdict != "silent"
            painter.setBrush(ink.colour(colour) if solid else ink.colour("panel"))
            painter.drawPolygon(head(mark.verdict, mark.hit.hard, x, top))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        if mark.frames is not None and mark.verdict in ("early", "late", "missed") and apart > 34:
            ink.write(painter, x + HEAD + 3, top - 7, f"{mark.frames:+.1f}", colour, figures=True)

    def _top(self, weight: float) -> float:
        return self.height - 8 - weight * (self.height - 16)

    def at(self, x: float, scale: Scale, sheet: Sheet) -> HitMark | None:
        """The hit under a pixel."""
        shown = in_view(sheet.hit_at, scale, REACH)
        xs = (sheet.hit_at[shown] - scale.left) / scale.step
        if not len(xs) or abs(xs[k := int(np.argmin(np.abs(xs - x)))] - x) > REACH:
            return None
        return sheet.marks[shown][k]

    def press(self, x: float, y: float, scale: Scale, sheet: Sheet) -> Grip | None:
        mark = self.at(x, scale, sheet)
        self.selected = None if mark is None else mark.hit.frame
        self.on_select(self.selected)
        if mark is None:
            return None
        hit, way = mark.hit, ""

        def move(to_x: float, to_y: float) -> None:
            nonlocal way
            if not way and max(abs(to_x - x), abs(to_y - y)) > LOCK:
                way = "move" if abs(to_x - x) > abs(to_y - y) else "weigh"
            if way == "move":
                frame = self._frame(scale.seconds(scale.x(float(hit.time)) + to_x - x), sheet)
                self.ghost = hit.frame, frame, hit.weight
            elif way == "weigh":
                weight = hit.weight + (y - to_y) / (self.height - 16)
                self.ghost = hit.frame, hit.frame, round(min(1.0, max(0.0, weight)), 2)

        def drop() -> None:
            ghost, self.ghost = self.ghost, None
            if ghost is not None and way == "move" and ghost[1] != hit.frame:
                self.on_move(hit.frame, ghost[1])
            elif ghost is not None and way == "weigh" and ghost[2] != hit.weight:
                self.on_weigh(hit.frame, ghost[2])

        return Grip(move, drop, Qt.CursorShape.SizeAllCursor)

    def _frame(self, seconds: float, sheet: Sheet) -> int:
        return nearest_frame(self.timing, seconds, sheet)

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        mark = self.at(x, scale, sheet)
        return "" if mark is None else say(mark, sheet)


def say(mark: HitMark, sheet: Sheet) -> str:
    """A hit in words."""
    hit = mark.hit
    kind = tr("hard hit") if hit.hard else tr("soft hit")
    meets = {
        "on": tr("on"),
        "early": tr("{} frames early").format(_size(mark)),
        "late": tr("{} frames late").format(_size(mark)),
        "missed": tr("missed"),
        "silent": tr("nothing composed here yet"),
    }[mark.verdict]
    name = f" “{hit.label}”" if hit.label else ""
    return tr("{}: {}{}, weight {}: {}").format(sheet.start + hit.frame, kind, name, f"{hit.weight:.2f}", meets)


def nearest_frame(timing: Timing | None, seconds: float, sheet: Sheet) -> int:
    """The frame whose beginning is nearest to a moment."""
    moment = Fraction(max(0.0, seconds))
    if timing is None:
        return min(sheet.frames - 1, round(moment * sheet.rate))
    here = timing.at(moment)
    after = min(here + 1, timing.frames - 1)
    return after if abs(timing.time(after) - moment) < abs(moment - timing.time(here)) else here


def _size(mark: HitMark) -> str:
    return "?" if mark.frames is None else f"{abs(mark.frames):.1f}"


def rect_of(x: float, height: float) -> QRectF:
    """What of the lane a hit at a pixel covers."""
    return QRectF(x - 2 * HEAD, 0, 4 * HEAD, height)
