"""The list of hits: every one as a row that keyboard and screen reader reach, with what the music does there."""

from __future__ import annotations

from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt
from PyQt6.QtWidgets import QHeaderView, QLabel, QVBoxLayout, QWidget

from desktop import theme
from desktop.document import Document
from desktop.lanes.hits import COLOURS
from desktop.language import words
from desktop.row_list import RowList
from desktop.sheet import HitMark, Sheet
from desktop.transport import Transport

tr = words("hits")
SIGNS = {"on": "●", "early": "◀", "late": "▶", "missed": "✕", "silent": "□"}
"""The shapes of the timeline, as characters."""
TIMECODE, WEIGHT, MEETS, NAME = range(4)
Role = Qt.ItemDataRole
ASKED = {Role.DisplayRole, Role.FontRole, Role.ForegroundRole, Role.ToolTipRole, Role.AccessibleTextRole}
"""What this list has an answer to."""


class HitRows(QAbstractTableModel):
    """The hits of a sheet; a row is made when it is looked at."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sheet: Sheet | None = None
        self._figures = theme.figures(8.5)

    def draw(self, sheet: Sheet | None) -> None:
        """Takes another sheet, or none."""
        self.beginResetModel()
        self.sheet = sheet
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008  Qt's name, Qt's default
        return 0 if self.sheet is None or parent.isValid() else len(self.sheet.marks)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: N802, B008  Qt's name, Qt's default
        return 0 if parent.isValid() else NAME + 1

    def headerData(self, section: int, way: Qt.Orientation, role: int = Role.DisplayRole) -> Any:  # noqa: N802  Qt's name
        if way == Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return (tr("Timecode"), tr("Weight"), tr("Meets"), tr("Name"))[section]
        return None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        if role not in ASKED or self.sheet is None or not index.isValid():  # Qt asks seven times a cell
            return None
        mark, column = self.sheet.marks[index.row()], index.column()
        if role == Role.DisplayRole:
            return self._text(mark, column)
        if role == Role.FontRole and column != NAME:
            return self._figures
        if role == Role.ForegroundRole and column == MEETS:
            return theme.current().colour(COLOURS[mark.verdict])
        if role in (Role.ToolTipRole, Role.AccessibleTextRole) and column == MEETS:
            return meets(mark)
        return None

    def _text(self, mark: HitMark, column: int) -> str:
        assert self.sheet is not None
        if column == TIMECODE:
            return str(self.sheet.start + mark.hit.frame)
        if column == WEIGHT:
            return f"{mark.hit.weight:.2f} {tr('hard') if mark.hit.hard else tr('soft')}"
        if column == NAME:
            return mark.hit.label
        late = "" if mark.frames is None or mark.verdict in ("on", "silent") else f" {mark.frames:+.1f}"
        return f"{SIGNS[mark.verdict]}{late}"


class Hits(QWidget):
    """Choose a row and the picture goes there."""

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._transport = transport
        self._summary = QLabel(self)
        self.rows = HitRows(self)
        self.table = RowList(self.rows, parent=self)
        self.table.setAccessibleName(tr("Hits"))
        self.table.columns.setResizeContentsPrecision(20)  # rows that are measured: of two thousand all would be too many
        self.table.columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.table.columns.setStretchLastSection(True)
        self.table.gone_to.connect(self._go)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        column.addWidget(self._summary)
        column.addWidget(self.table)
        document.drawn.connect(self.draw)
        if document.sheet is not None:
            self.draw(document.sheet)

    def draw(self, sheet: Sheet | None) -> None:
        """Shows the hits of a sheet, None: nothing is open; the chosen one stays chosen, wherever its row is now."""
        old, row = self.rows.sheet, self.table.currentIndex().row()
        chosen = old.marks[row].hit.frame if old is not None and 0 <= row < len(old.marks) else None
        self.rows.draw(sheet)
        if sheet is None:
            self._summary.setText("")
            return
        again = next((k for k, mark in enumerate(sheet.marks) if mark.hit.frame == chosen), None)
        if again is not None:
            picked = self.table.selectionModel()
            assert picked is not None
            picked.blockSignals(True)
            self.table.selectRow(again)
            picked.blockSignals(False)
        self._summary.setText(summary(sheet))

    def _go(self, row: int) -> None:
        sheet = self.rows.sheet
        if sheet is not None and 0 <= row < len(sheet.marks):
            self._transport.locate(sheet.marks[row].hit.frame)


def meets(mark: HitMark) -> str:
    """How the music meets a hit, in words."""
    frames = "?" if mark.frames is None else f"{abs(mark.frames):.1f}"
    return {
        "on": tr("on"),
        "early": tr("{} frames early").format(frames),
        "late": tr("{} frames late").format(frames),
        "missed": tr("missed"),
        "silent": tr("not composed yet"),
    }[mark.verdict]


def summary(sheet: Sheet) -> str:
    """The hit report in one line."""
    count = {verdict: sum(mark.verdict == verdict for mark in sheet.marks) for verdict in SIGNS}
    if count["silent"] == len(sheet.marks):
        return tr("%n hits", n=len(sheet.marks))
    near, missed = count["early"] + count["late"], count["missed"] + count["silent"]  # what is silent meets nothing
    return tr("{} of {} on, {} near, {} missed").format(count["on"], len(sheet.marks), near, missed)
