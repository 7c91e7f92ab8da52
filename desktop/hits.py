"""The list of hits: every one as a row that keyboard and screen reader reach, what the music does there, and what may be said of it."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from desktop import theme
from desktop.document import Document
from desktop.lanes.hits import COLOURS
from desktop.language import words
from desktop.sheet import HitMark, Sheet
from desktop.transport import Transport

tr = words("hits")
SIGNS = {"on": "◆", "early": "◀", "late": "▶", "missed": "✕", "silent": "□"}
"""The shapes of the timeline, as characters."""


class Hits(QWidget):
    """Choose a row and the picture goes there."""

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._transport = transport
        self._frames: list[int] = []
        self._summary = QLabel(self)
        self._table = QTableWidget(0, 4, self)
        self._table.setAccessibleName(tr("Hits"))
        self._table.setHorizontalHeaderLabels([tr("Timecode"), tr("Weight"), tr("Meets"), tr("Name")])
        self._table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self._table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._table.setShowGrid(False)
        across, down = self._table.horizontalHeader(), self._table.verticalHeader()
        assert across is not None
        assert down is not None
        down.hide()
        down.setDefaultSectionSize(theme.ROW - 2)
        across.setHighlightSections(False)
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        across.setStretchLastSection(True)
        self._table.itemSelectionChanged.connect(self._go)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        column.addWidget(self._summary)
        column.addWidget(self._table)
        document.drawn.connect(self.draw)
        if document.sheet is not None:
            self.draw(document.sheet)

    def draw(self, sheet: Sheet) -> None:
        """Shows the hits of a sheet; the selected one stays selected."""
        row = self._table.currentRow()
        chosen = self._frames[row] if 0 <= row < len(self._frames) else None
        self._frames = [mark.hit.frame for mark in sheet.marks]
        self._table.blockSignals(True)
        self._table.setRowCount(len(sheet.marks))
        for k, mark in enumerate(sheet.marks):
            self._fill(k, mark, sheet)
        if chosen in self._frames:
            self._table.selectRow(self._frames.index(chosen))
        self._table.blockSignals(False)
        self._summary.setText(summary(sheet))

    def _fill(self, row: int, mark: HitMark, sheet: Sheet) -> None:
        late = "" if mark.frames is None or mark.verdict in ("on", "silent") else f" {mark.frames:+.1f}"
        worn = theme.current()
        weight = f"{mark.hit.weight:.2f} {tr('hard') if mark.hit.hard else tr('soft')}"
        cells = (str(sheet.start + mark.hit.frame), weight, f"{SIGNS[mark.verdict]}{late}", mark.hit.label)
        for column, text in enumerate(cells):
            item = QTableWidgetItem(text)
            item.setFont(theme.figures(8.5) if column < 3 else self.font())
            if column == 2:
                item.setForeground(QColor(getattr(worn, COLOURS[mark.verdict])))
                item.setData(Qt.ItemDataRole.AccessibleTextRole, meets(mark))
                item.setToolTip(meets(mark))
            self._table.setItem(row, column, item)

    def _go(self) -> None:
        row = self._table.currentRow()
        if 0 <= row < len(self._frames):
            self._transport.locate(self._frames[row])


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
    near = count["early"] + count["late"]
    return tr("{} of {} on, {} near, {} missed").format(count["on"], len(sheet.marks), near, count["missed"])
