"""The hits: a stem as high as the hit is heavy, and a head that tells by colour and by shape how the music meets it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import TypeVar

import numpy as np
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtGui import QPainter, QPen, QPixmap, QPolygonF

from desktop.lanes.lane import Floats, Grip, Ink, Lane, in_view, thinned
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import HitMark, Sheet, Verdict
from desktop.theme import Theme
from engines.picture.timing import Timing

tr = words("timeline")

COLOURS: dict[Verdict, str] = {"on": "on", "early": "near", "late": "near", "missed": "missed", "silent": "silent"}
PENS = tuple((colour, hard) for colour in ("silent", "on", "near", "missed") for hard in (False, True))
"""Colour of a stem, and whether its hit is hard; what matters more is painted later."""
Number = TypeVar("Number", float, Floats)
REACH = 7
"""Pixels around a hit within which it is taken hold of."""
HEAD = 4.5
"""Half the size of a head, in pixels."""
SPRITE = 14
"""Pixels of a head's picture."""
CROWD = 5
"""Pixels between hits below which they have no heads."""
ROOMY = 40
"""Pixels up to the next hit from which a figure stands beside one that is not on."""
LOCK = 4
"""Pixels of a drag that decide between moving (across) and weighing (up and down)."""


def head(verdict: Verdict, hard: bool, x: float, y: float) -> QPolygonF:
    """Its shape: triangles point early (left) or late (right), nothing composed is a square. What is on is a disc, what is missed a
    cross: no polygons."""
    r = HEAD if hard else HEAD * 0.8
    shapes = {
        "early": ((-r, 0), (r * 0.8, -r), (r * 0.8, r)),
        "late": ((r, 0), (-r * 0.8, -r), (-r * 0.8, r)),
        "silent": ((-r * 0.8, -r * 0.8), (r * 0.8, -r * 0.8), (r * 0.8, r * 0.8), (-r * 0.8, r * 0.8)),
    }
    return QPolygonF([QPointF(x + a, y + b) for a, b in shapes.get(verdict, ())])


@cache
def sprite(verdict: Verdict, hard: bool, worn: Theme, colour: str, ratio: float) -> QPixmap:
    """A head as a small picture, drawn once: a reel has thousands."""
    made = QPixmap(round(SPRITE * ratio), round(SPRITE * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter, middle = QPainter(made), SPRITE / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(worn.colour(colour), 1.5))
    if verdict == "missed":
        for way in (-HEAD, HEAD):
            painter.drawLine(QPointF(middle - HEAD, middle - way), QPointF(middle + HEAD, middle + way))
    else:
        painter.setBrush(worn.colour(colour) if hard and verdict != "silent" else worn.colour("panel"))
        if verdict == "on":
            size = HEAD if hard else HEAD * 0.8
            painter.drawEllipse(QPointF(middle, middle), size, size)
        else:
            painter.drawPolygon(head(verdict, hard, middle, middle))
    painter.end()
    return made


class Hits(Lane):
    """Drag a hit across to move it, up or down to weigh it; double-click where there is none to mark one."""

    height = 46

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.selected: int | None = None
        self.ghost: tuple[int, int, float] | None = None
        """A hit that is being dragged: its frame, where it would go, and its weight there."""
        self._known: Sheet | None = None
        self._weights, self._pens = np.zeros(0), np.zeros(0, np.int64)
        self.on_select: Callable[[int | None], object] = lambda frame: None
        self.on_move: Callable[[int, int], object] = lambda frame, to: None
        self.on_weigh: Callable[[int, float], object] = lambda frame, weight: None

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        ink.lines(painter, [(0, self.height - 0.5, scale.width, self.height - 0.5)], ink.pen("line"))
        shown = in_view(sheet.hit_at, scale, HEAD)
        xs = (sheet.hit_at[shown] - scale.left) / scale.step
        apart = float(xs[-1] - xs[0]) / (len(xs) - 1) if len(xs) > 1 else float(scale.width)
        self._stems(painter, shown, xs, 1.0 if apart >= CROWD else 2.0, sheet, ink)
        if apart >= CROWD:
            for k in thinned(xs).tolist():
                mark, x = sheet.marks[shown.start + k], float(xs[k])
                self._head(painter, mark, x, self._top(mark.hit.weight), ink, COLOURS[mark.verdict])
                beyond = shown.start + k + 1
                if beyond >= len(sheet.hit_at) or scale.x(float(sheet.hit_at[beyond])) - x > ROOMY:
                    self._figure(painter, mark, x, ink)
        self._chosen(painter, scale, sheet, ink)

    def _stems(self, painter: QPainter, shown: slice, xs: Floats, least: float, sheet: Sheet, ink: Ink) -> None:
        """All stems, those of one pen at once; of a crowd on one place the heaviest."""
        if self._known is not sheet:  # weights and pens of a sheet are looked up once
            self._known = sheet
            self._weights = np.array([mark.hit.weight for mark in sheet.marks])
            self._pens = np.array([PENS.index((COLOURS[mark.verdict], mark.hit.hard)) for mark in sheet.marks], np.int64)
        weights, pens = self._weights[shown], self._pens[shown]
        heaviest = np.lexsort((-weights, np.floor(xs / least)))
        keep = np.sort(heaviest[thinned(xs[heaviest], least)]) if least > 1 else thinned(xs)
        for number, (colour, hard) in enumerate(PENS):
            alike = keep[pens[keep] == number]
            pen = ink.pen(colour, 2.0 if hard else 1.0, dotted=not hard and least <= 1)
            ink.uprights(painter, xs[alike], self._top(weights[alike]), self.height - 1.0, pen)

    def _head(self, painter: QPainter, mark: HitMark, x: float, y: float, ink: Ink, colour: str) -> None:
        ratio = painter.device().devicePixelRatioF()  # type: ignore[union-attr]  # what is painted on is there
        sign = sprite(mark.verdict, mark.hit.hard, ink.theme, colour, ratio)
        painter.drawPixmap(QPointF(x - SPRITE / 2, y - SPRITE / 2), sign)

    def _figure(self, painter: QPainter, mark: HitMark, x: float, ink: Ink) -> None:
        if mark.frames is not None and mark.verdict in ("early", "late", "missed"):
            text, y = f"{mark.frames:+.1f}", self._top(mark.hit.weight) - 7
            ink.write(painter, x + HEAD + 3, y, text, COLOURS[mark.verdict], figures=True)

    def _chosen(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        """The selected hit, and the one under the mouse where it would go, over all others."""
        wanted = {self.selected, None if self.ghost is None else self.ghost[0]} - {None}
        for mark in (m for m in sheet.marks if m.hit.frame in wanted) if wanted else ():
            x, weight = scale.x(float(mark.hit.time)), mark.hit.weight
            if self.ghost is not None and self.ghost[0] == mark.hit.frame:
                x, weight = scale.x(self.time(self.ghost[1], sheet)), self.ghost[2]
            ink.lines(painter, [(x, self.height - 1.0, x, self._top(weight))], ink.pen("accent", 2.0))
            self._head(painter, mark, x, self._top(weight), ink, "accent")

    def _top(self, weight: Number) -> Number:
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
