"""A list of rows under the hand: every table of the window is one, so that all are walked, chosen and left by the same keys."""

from __future__ import annotations

from PyQt6.QtCore import QAbstractItemModel, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QMouseEvent
from PyQt6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from desktop import theme


class RowList(QTableView):
    """Rows of one height, ``high`` pixels, chosen whole and one at a time; no grid, no numbers at the side, and Tab leaves it.

    ``columns`` is its header. It shows ``model``, which somebody else keeps.
    """

    gone_to = pyqtSignal(int)  # the row that a person went to: by an arrow, or by a click, also on the row where the list stands

    def __init__(self, model: QAbstractItemModel, high: int = theme.ROW - 2, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._held = False
        """Whether Qt, and no person, may be changing the row: the first one becomes current as soon as a list gets the keys."""
        self.setModel(model)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        across, down = self.horizontalHeader(), self.verticalHeader()
        assert across is not None
        assert down is not None
        down.hide()
        down.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        down.setDefaultSectionSize(high)
        across.setHighlightSections(False)
        across.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.columns: QHeaderView = across

    def currentChanged(self, current: QModelIndex, previous: QModelIndex) -> None:  # noqa: N802  Qt's name
        super().currentChanged(current, previous)
        if not self._held and current.row() != previous.row():
            self.gone_to.emit(current.row())

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802  Qt's name
        self._held = True
        super().focusInEvent(event)
        self._held = False

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        self._held = True
        super().mousePressEvent(event)
        self._held = False
        row = -1 if event is None else self.indexAt(event.position().toPoint()).row()
        if row >= 0:
            self.gone_to.emit(row)

    def fix(self, *widths: tuple[int, int]) -> None:
        """Gives columns a width in pixels that nobody can change: (column, width) each."""
        for column, width in widths:
            self.columns.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.columns.resizeSection(column, width)
