"""A recut as the window shows it: every change with its colour, letter and pattern, what it costs, and whether it is accepted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QObject, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QPainter, QPen, QPolygonF
from PyQt6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from desktop import theme
from desktop.language import words
from desktop.recut_laid import Row
from desktop.row_list import RowList

tr = words("recut")
NOWHERE = QModelIndex()
Role = Qt.ItemDataRole

COLOURS = {"unmoved": "faint", "moved": "accent", "trimmed": "near", "new": "on", "gone": "missed"}
"""Told apart by hue, and by letter and pattern for whoever does not see the hue (see `desktop.recut_strips`)."""
LETTERS = {"unmoved": "=", "moved": "→", "trimmed": "T", "new": "+", "gone": "−"}
PATTERNS = {
    "unmoved": Qt.BrushStyle.NoBrush,
    "moved": Qt.BrushStyle.FDiagPattern,
    "trimmed": Qt.BrushStyle.VerPattern,
    "new": Qt.BrushStyle.Dense6Pattern,
    "gone": Qt.BrushStyle.DiagCrossPattern,
}
COLUMNS = 6
ACCEPT, KIND, OLD, NEW, WHAT, BARS = range(COLUMNS)


def kind_words(kind: str) -> str:
    """What became of a shot, in a word."""
    return {"unmoved": tr("unmoved"), "moved": tr("moved"), "trimmed": tr("trimmed"), "new": tr("new"), "gone": tr("gone")}[kind]


class Tick(QStyledItemDelegate):
    """The box of a change that can be accepted, to be seen on any ground; Qt's own is nearly as dark as a dark table."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        state = index.data(Role.CheckStateRole)
        look, chosen = theme.current(), bool(option.state & QStyle.StateFlag.State_Selected)
        if painter is None:
            return
        if chosen:
            painter.fillRect(option.rect, look.colour("accent"))
        if state is None:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ink = look.colour("on_accent" if chosen else "text")
        box = QRectF(0, 0, 12, 12)
        box.moveCenter(QRectF(option.rect).center())
        painter.setPen(QPen(ink if chosen else look.colour("dim"), 1.2))
        painter.drawRoundedRect(box, 2, 2)
        if Qt.CheckState(state) == Qt.CheckState.Checked:
            painter.setPen(QPen(ink, 1.8))
            painter.drawPolyline(QPolygonF([box.topLeft() + QPointF(x, y) for x, y in ((2.5, 6.5), (5, 9), (9.8, 3))]))
        painter.restore()


class ChangeList(RowList):
    """The list under the hand: several rows may be chosen; Space is its own while it has the keys, and ticks what is selected."""

    ticked = pyqtSignal()

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space and not event.modifiers():
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()  # else the picture would roll
                return True
            if event.type() == QEvent.Type.KeyPress:
                self.ticked.emit()
                return True
        return super().event(event)


class Changes(QAbstractTableModel):
    """The change list. Ticks say what is accepted; a change that costs no bar has nothing to accept."""

    refused = pyqtSignal(object)  # frozenset of numbers

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self._refused: frozenset[int] = frozenset()

    def show(self, rows: tuple[Row, ...], refused: Collection[int] = ()) -> None:
        """Other changes."""
        self.beginResetModel()
        self.rows, self._refused = rows, frozenset(refused)
        self.endResetModel()

    def tick(self, numbers: Collection[int], accepted: bool) -> None:
        """Accepts changes, or takes that back."""
        costly = {row.number for row in self.rows if row.runs and row.number in numbers}
        now = self._refused - costly if accepted else self._refused | costly
        if now != self._refused:
            self._refused = frozenset(now)
            if self.rows:
                self.dataChanged.emit(self.index(0, ACCEPT), self.index(len(self.rows) - 1, BARS))
            self.refused.emit(self._refused)

    def row_of(self, number: int) -> int:
        """Where a change stands in the list; -1 where it is not shown."""
        return next((k for k, row in enumerate(self.rows) if row.number == number), -1)

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802  Qt's names
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:  # noqa: N802
        if role == Role.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return ("", tr("Shot"), tr("Old cut"), tr("New cut"), tr("What"), tr("Bars"))[section]
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        plain = super().flags(index)
        if index.column() == ACCEPT and self.rows[index.row()].runs:
            return plain | Qt.ItemFlag.ItemIsUserCheckable
        return plain

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        if not 0 <= index.row() < len(self.rows):
            return None
        row, column = self.rows[index.row()], index.column()
        if role == Role.CheckStateRole and column == ACCEPT and row.runs:
            return Qt.CheckState.Unchecked if row.number in self._refused else Qt.CheckState.Checked
        if role == Role.DisplayRole:
            return self._text(row, column)
        if role in (Role.AccessibleTextRole, Role.ToolTipRole):
            return self._said(row)
        if role == Role.ForegroundRole and column == KIND:
            return QColor(getattr(theme.current(), COLOURS[row.change.kind]))
        if role == Role.FontRole and column in (OLD, NEW, BARS):
            return theme.figures(8.5)
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:  # noqa: N802
        if role != Role.CheckStateRole or index.column() != ACCEPT:
            return False
        self.tick((self.rows[index.row()].number,), Qt.CheckState(value) == Qt.CheckState.Checked)
        return True

    def _text(self, row: Row, column: int) -> str:
        old, new = row.change.old, row.change.new
        if column == KIND:
            return f"{LETTERS[row.change.kind]}  {kind_words(row.change.kind)}"
        if column in (OLD, NEW):
            place = old if column == OLD else new
            return "" if place is None else f"{place.shot:>3}  {place.timecode_in}–{place.timecode_out}"
        if column == WHAT:
            return row.what
        if column == BARS:
            return f"{row.bars} {tr('by hand')}" if row.runs and row.number in self._refused else row.bars
        return ""

    def _said(self, row: Row) -> str:
        """A change as it is read aloud."""
        parts = [tr("Change {}").format(row.number), kind_words(row.change.kind)]
        for text, place in ((tr("in the old cut {} to {}"), row.change.old), (tr("in the new cut {} to {}"), row.change.new)):
            if place is not None:
                parts.append(text.format(place.timecode_in, place.timecode_out))
        parts.append(row.what)
        if not row.runs:
            parts.append(tr("every bar stays"))
        elif row.number in self._refused:
            parts.append(tr("bars {} are left to be written by hand, with the old notes in them").format(row.bars))
        else:
            parts.append(tr("bars {} are composed again").format(row.bars))
        return ", ".join(part for part in parts if part)
