"""What every lane of the timeline is: a strip of some height that paints the part of the sheet in view, and may be taken hold of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6 import sip
from PyQt6.QtCore import QLineF, QPointF, Qt
from PyQt6.QtGui import QColor, QFont, QGuiApplication, QPainter, QPen, QStaticText

from desktop import theme
from desktop.scale import Scale
from desktop.sheet import Sheet
from desktop.theme import Theme
from engines.picture.timing import Timing

Floats = NDArray[np.float64]


@lru_cache(maxsize=4096)
def _static(text: str, font: str) -> QStaticText:
    """A text laid out once: labels of a timeline come back at every frame."""
    made = QStaticText(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    face = QFont()
    face.fromString(font)
    made.prepare(font=face)
    return made


@dataclass
class Ink:
    """What lanes paint with: the theme, two faces, and texts that were laid out before."""

    theme: Theme = field(default_factory=theme.current)
    small: QFont = field(default_factory=QFont)
    figures: QFont = field(default_factory=QFont)
    _small: str = ""
    _figures: str = ""
    _pens: dict[tuple[str, float, int, bool], QPen] = field(default_factory=dict)

    @classmethod
    def fresh(cls) -> Ink:
        """For the theme that the window wears now."""
        small = QFont(QGuiApplication.font())
        small.setPointSizeF(8.0)
        figures = theme.figures(8.0)
        return cls(theme.current(), small, figures, small.toString(), figures.toString())

    def pen(self, name: str, width: float = 0, alpha: int = 255, dotted: bool = False) -> QPen:
        """A pen in one of the theme's colours; width 0 is one pixel of the screen. Made once, and not to be changed."""
        key = name, width, alpha, dotted
        if (pen := self._pens.get(key)) is None:
            pen = self._pens[key] = QPen(self.theme.colour(name, alpha), width)
            if dotted:
                pen.setStyle(Qt.PenStyle.DotLine)
        return pen

    def colour(self, name: str, alpha: int = 255) -> QColor:
        """One of the theme's colours."""
        return self.theme.colour(name, alpha)

    def lines(self, painter: QPainter, rows: Floats | Sequence[Sequence[float]], pen: QPen | None = None) -> None:
        """Draws any number of lines, none too; a row each: x, y, x, y. They go to Qt as one block of memory, not as objects."""
        values = np.asarray(rows, np.float64).reshape(-1, 4)
        if pen is not None:
            painter.setPen(pen)
        if len(values):
            make: Any = sip.array  # its stub knows neither its arguments nor that it is a buffer
            block = make(QLineF, len(values))
            np.frombuffer(block, np.float64).reshape(-1, 4)[:] = values
            painter.drawLines(block)

    def uprights(self, painter: QPainter, xs: Floats, top: Floats | float, foot: float, pen: QPen) -> None:
        """Draws lines that stand at places, from a height each to one foot."""
        rows = np.empty((len(xs), 4))
        rows[:, 0] = rows[:, 2] = xs
        rows[:, 1], rows[:, 3] = top, foot
        self.lines(painter, rows, pen)

    def write(self, painter: QPainter, x: float, y: float, text: str, colour: str = "dim", figures: bool = False) -> float:
        """Writes a line with its upper left corner there; how wide it is."""
        static = _static(text, self._figures if figures else self._small)
        painter.setFont(self.figures if figures else self.small)
        painter.setPen(self.pen(colour))
        painter.drawStaticText(QPointF(x, y), static)
        return static.size().width()

    def width(self, text: str, figures: bool = False) -> float:
        """How wide a line is."""
        return _static(text, self._figures if figures else self._small).size().width()


@dataclass
class Grip:
    """Something that was taken hold of: where, and what happens while it moves and when it is let go."""

    move: Callable[[float, float], None]
    drop: Callable[[], None]
    cursor: Qt.CursorShape = Qt.CursorShape.SizeHorCursor


class Lane(ABC):
    """A strip ``height`` pixels high. `paint` draws what lies in view, its own top at 0; `press` may give a `Grip`."""

    height = 24

    def __init__(self, title: str) -> None:
        self.title = title
        self.timing: Timing | None = None

    @abstractmethod
    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        """Draws the seconds from ``scale.left`` to ``scale.right``."""

    def press(self, x: float, y: float, scale: Scale, sheet: Sheet) -> Grip | None:
        """What is taken hold of at a place, if anything."""
        return None

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        """What is said of a place when the mouse rests there."""
        return ""

    def time(self, frame: int, sheet: Sheet) -> float:
        """The second at which a frame is shown."""
        if self.timing is not None and 0 <= frame < self.timing.frames:
            return float(self.timing.time(frame))
        return float(frame / sheet.rate)


def in_view(times: Floats, scale: Scale, beyond: float = 0.0) -> slice:
    """Those of rising times that lie in view, and one on each side of it; ``beyond`` are pixels that things reach out."""
    out = beyond * scale.step
    first, last = np.searchsorted(times, (scale.left - out, scale.right + out))
    return slice(max(0, int(first) - 1), min(len(times), int(last) + 1))


def thinned(xs: Floats, least: float = 1.0) -> NDArray[np.int64]:
    """Indexes of places that lie at least so many pixels apart from the one before: what a crowd of lines looks like."""
    if not len(xs):
        return np.zeros(0, np.int64)
    return np.unique(np.floor(xs / least), return_index=True)[1]
