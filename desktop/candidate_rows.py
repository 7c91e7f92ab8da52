"""Tempo maps as rows: each with its price in plain words, its tempo as a small curve, and under it every hit, caught or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QAbstractListModel, QModelIndex, QObject, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop import theme
from desktop.language import words
from engines.spotting.candidates import Candidate
from engines.spotting.words import DOWNBEATS, Clause, clauses

tr = words("candidates")
said = words("spotting")

Floats = NDArray[np.float64]
Role = Qt.ItemDataRole
NOWHERE = QModelIndex()

HIGH, STRIP, TICKS = 84, 22, 12
"""Pixels: a row, its curve, and the hits under it."""
STEEPEST = 12.0
"""Percent off the nominal tempo at which a curve leaves its strip."""
LEAST = 1.0
"""Percent that half the strip means at least: a bend that nobody hears shall not look like a cliff."""


@dataclass(frozen=True, eq=False)
class Row:
    """A candidate as it is drawn. ``at`` and ``percent`` are its tempo off the nominal from each second on, ``hits`` the seconds of the
    hits and ``caught`` 2 for a downbeat, 1 for another beat, 0 for a miss. Everything is in parts of the film's length."""

    candidate: Candidate
    in_use: bool
    price: tuple[Clause, ...]
    at: Floats
    percent: Floats
    hits: Floats
    caught: NDArray[np.int8]

    @property
    def words(self) -> str:
        """The price in the language of the window."""
        return ", ".join(clause.said(said) for clause in self.price)

    @property
    def summary(self) -> str:
        """The same without the downbeats, which stand beside it as a number."""
        return ", ".join(clause.said(said) for clause in self.price if clause.text != DOWNBEATS)

    @property
    def title(self) -> str:
        """What kind it is, and its tempo."""
        return f"{said(self.candidate.name)} {float(self.candidate.tempo_bpm):.2f}".capitalize()


def row_of(candidate: Candidate, in_use: bool, rate: Fraction) -> Row:
    """A candidate of a film of ``rate`` frames a second, ready to be drawn."""
    whole, bpm = float(candidate.end), float(candidate.tempo_bpm)
    segments = candidate.tempo_map.segments
    at = np.array([float(candidate.tempo_map.seconds(segment.start)) for segment in segments])
    catches = candidate.catches
    return Row(
        candidate,
        in_use,
        clauses(candidate, rate),
        at / whole,
        np.array([100 * (float(segment.bpm) / bpm - 1) for segment in segments]),
        np.array([float(catch.hit.time) for catch in catches]) / whole,
        np.array([2 if c.caught and c.downbeat else int(c.caught) for c in catches], np.int8),
    )


class Rows(QAbstractListModel):
    """The rows, the locked stretches that all of them share, and the scale of their curves."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self.locked: tuple[tuple[float, float], ...] = ()
        self.spread = LEAST
        self.note = ""

    def show(self, rows: Sequence[Row], locked: Sequence[tuple[float, float]] = ()) -> None:
        """Other rows; ``locked`` are stretches in parts of the film."""
        self.beginResetModel()
        self.rows, self.locked = tuple(rows), tuple(locked)
        bends = [float(np.abs(row.percent).max()) for row in rows]
        self.spread = min(STEEPEST, max([LEAST, *(bend for bend in bends if bend <= STEEPEST)]))
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802  Qt's name
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role in (Role.DisplayRole, Role.AccessibleTextRole):
            caught = tr("{} of {} hits on the beat").format(row.candidate.hits_on_beat, row.candidate.hits_total)
            use = ", " + tr("in use") if row.in_use else ""
            return f"{row.title}{use}: {caught}, {row.words}, " + tr("price {}").format(f"{row.candidate.cost:.2f}")
        if role == Role.ToolTipRole:
            return self._hint(row)
        return None

    def _hint(self, row: Row) -> str:
        shares = {name: value for name, value in row.candidate.breakdown.items() if value >= 0.005}
        parts = ", ".join(f"{said(name)} {value:.2f}" for name, value in sorted(shares.items(), key=lambda pair: -pair[1]))
        price = tr("Price {} (missing one heavy hit costs 1): {}").format(f"{row.candidate.cost:.2f}", parts or "0")
        return (
            row.words
            + "\n"
            + price
            + "\n"
            + tr("Enter chooses it; while the mouse is on it, its beats are on the timeline and its click is heard")
        )


class Painted(QStyledItemDelegate):
    """How a row looks."""

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:  # noqa: N802  Qt's name
        return QSize(200, HIGH)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        model = index.model()
        if painter is None or not isinstance(model, Rows):
            return
        row, look = model.rows[index.row()], theme.current()
        box = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        over = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if chosen or over:
            painter.fillRect(box, look.colour("raised"))
        if chosen:
            painter.fillRect(QRectF(box.left(), box.top(), 3, box.height()), look.colour("accent"))
        painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 1), look.colour("line"))
        inner = box.adjusted(12, 6, -10, -6)
        self._head(painter, inner, row, option.font, look)
        strip = QRectF(inner.left(), inner.bottom() - STRIP - TICKS, inner.width(), STRIP)
        self._locked(painter, strip, model, look)
        self._curve(painter, strip, row, model.spread, look)
        self._hits(painter, QRectF(inner.left(), strip.bottom(), inner.width(), TICKS), row, look)
        painter.restore()

    def _head(self, painter: QPainter, inner: QRectF, row: Row, font: QFont, look: theme.Theme) -> None:
        bold = QFont(font)
        bold.setBold(True)
        figures = theme.figures(font.pointSizeF())
        line = QFontMetricsF(bold).height()
        mark = "● " if row.in_use else ""
        painter.setFont(bold)
        painter.setPen(look.colour("accent" if row.in_use else "text"))
        painter.drawText(QPointF(inner.left(), inner.top() + line - 4), mark + row.title)
        caught = f"{row.candidate.hits_on_beat}/{row.candidate.hits_total}"
        price = f"{row.candidate.cost:.2f}"
        painter.setFont(figures)
        wide = QFontMetricsF(figures).horizontalAdvance("000.00")
        painter.setPen(look.colour("dim"))
        painter.drawText(QRectF(inner.right() - wide, inner.top(), wide, line), Qt.AlignmentFlag.AlignRight, price)
        painter.setPen(look.colour("text"))
        down = f"↓{row.candidate.hits_on_downbeat}"
        right = inner.right() - wide
        for text, room in (
            (down, QFontMetricsF(figures).horizontalAdvance("↓0000")),
            (caught, QFontMetricsF(figures).horizontalAdvance("0000/0000")),
        ):
            painter.drawText(QRectF(right - room, inner.top(), room, line), Qt.AlignmentFlag.AlignRight, text)
            right -= room
        painter.setFont(font)
        painter.setPen(look.colour("near" if row.candidate.beyond_percent else "dim"))
        text = QFontMetricsF(font).elidedText(row.summary, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(QPointF(inner.left(), inner.top() + 2 * line), text)

    def _locked(self, painter: QPainter, strip: QRectF, model: Rows, look: theme.Theme) -> None:
        for start, end in model.locked:
            x = strip.left() + start * strip.width()
            area = QRectF(x, strip.top(), max(2.0, (end - start) * strip.width()), strip.height())
            painter.fillRect(area, look.colour("accent", 40))
            painter.setPen(QPen(look.colour("accent", 150), 1))
            painter.drawLine(area.bottomLeft(), area.bottomRight())

    def _curve(self, painter: QPainter, strip: QRectF, row: Row, spread: float, look: theme.Theme) -> None:
        middle = strip.center().y()
        painter.setPen(QPen(look.colour("line"), 1))
        painter.drawLine(QPointF(strip.left(), middle), QPointF(strip.right(), middle))
        half = strip.height() / 2 - 2
        ys = middle - np.clip(row.percent / spread, -1, 1) * half
        xs = strip.left() + np.clip(row.at, 0, 1) * strip.width()
        line = QPolygonF()
        seen = np.r_[True, np.floor(xs[1:]) != np.floor(xs[:-1])]  # of many steps within one pixel the first
        xs, ys = xs[seen], ys[seen]
        for x, y, end in zip(xs, ys, [*xs[1:], strip.right()], strict=True):
            line.append(QPointF(x, y))
            line.append(QPointF(end, y))
        painter.setPen(QPen(look.colour("accent"), 1.5))
        painter.drawPolyline(line)

    def _hits(self, painter: QPainter, ticks: QRectF, row: Row, look: theme.Theme) -> None:
        """A downbeat is a tall stroke, any other beat a short one, a miss a hollow ring: told apart without colour."""
        for place, caught in zip(*worst_of(row.hits * ticks.width(), row.caught), strict=True):
            x = ticks.left() + place
            if caught:
                painter.setPen(QPen(look.colour("on"), 1.6))
                tall = 9.0 if caught == 2 else 5.0
                painter.drawLine(QPointF(x, ticks.bottom() - tall), QPointF(x, ticks.bottom()))
            else:
                painter.setPen(QPen(look.colour("missed"), 1.4))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawEllipse(QPointF(x, ticks.bottom() - 3.5), 3.0, 3.0)


def worst_of(xs: Floats, caught: NDArray[np.int8]) -> tuple[Floats, NDArray[np.int8]]:
    """Of the hits that fall on one pixel the one that is met worst: a miss is never hidden by its neighbours."""
    if not len(xs):
        return xs, caught
    order = np.lexsort((caught, np.floor(xs)))
    first = np.unique(np.floor(xs)[order], return_index=True)[1]
    return xs[order][first], caught[order][first]
