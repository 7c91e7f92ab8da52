"""A list of rows under the hand: every table of the window is one, so that all are walked, chosen and left by the same keys."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QAbstractItemModel, QModelIndex, Qt, pyqtSignal
from PyQt6.QtGui import QFocusEvent, QMouseEvent, QResizeEvent
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
        self._shares: tuple[Sequence[tuple[int, int]], Sequence[int], Sequence[Sequence[int]]] | None = None

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

    def share(self, widths: Sequence[tuple[int, int]], grows: Sequence[int], gives: Sequence[Sequence[int]]) -> None:
        """Gives every column a width that nobody can change, (wanted, least) each, and shares the room again whenever it changes: see
        `shared`."""
        self._shares = widths, grows, gives
        self.columns.setMinimumSectionSize(min(least for _, least in widths))
        self.columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._share()

    def _share(self) -> None:
        pane = self.viewport()
        if self._shares is None or pane is None:
            return
        for column, width in enumerate(shared(pane.width(), *self._shares)):
            self.columns.resizeSection(column, width)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        super().resizeEvent(event)
        self._share()


def shared(room: int, widths: Sequence[tuple[int, int]], grows: Sequence[int], gives: Sequence[Sequence[int]]) -> list[int]:
    """Widths of columns, (wanted, least) each, in so much room. What is over goes to those that ``grows`` names; what is lacking is taken
    from the first of the groups that ``gives`` names, from each column in proportion to what it has, and only then from the next."""
    out = [wanted for wanted, _ in widths]
    over = room - sum(out)
    if over >= 0:
        for k, column in enumerate(grows):
            out[column] += over // len(grows) + (k < over % len(grows))
        return out
    for group in gives:
        can = {column: out[column] - widths[column][1] for column in group}
        all_of, given = sum(can.values()), 0
        lacking = min(sum(out) - room, all_of)
        for column, share in can.items():  # by running sums, so that no pixel is lost to rounding
            out[column] -= lacking * (given + share) // max(1, all_of) - lacking * given // max(1, all_of)
            given += share
    return out
