"""The list of hits: every one as a row that keyboard and screen reader reach, with what the music does there."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Protocol, runtime_checkable

from PyQt6.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QShowEvent
from PyQt6.QtWidgets import QAbstractItemView, QVBoxLayout, QWidget

from desktop import theme
from desktop.document import Document
from desktop.eliding import Elided
from desktop.lanes.hits import COLOURS
from desktop.language import words
from desktop.row_list import RowList
from desktop.sheet import HitMark, Sheet
from desktop.timeline import Timeline
from desktop.transport import Transport
from engines.commands import WeighHit
from engines.errors import OptionError

tr = words("hits")
SIGNS = {"on": "●", "early": "◀", "late": "▶", "missed": "✕", "silent": "□"}
"""The shapes of the timeline, as characters."""
TIMECODE, WEIGHT, EARLY, LATE, MEETS, NAME = range(6)
WINDOW = (EARLY, LATE)
EDITED = (*WINDOW, NAME)
Role = Qt.ItemDataRole
ASKED = {Role.DisplayRole, Role.EditRole, Role.FontRole, Role.ForegroundRole, Role.ToolTipRole, Role.AccessibleTextRole}
"""What this list has an answer to."""
_FRAMES = re.compile(r"\d{1,3}([.,]\d{1,3}|/[1-9]\d?)?")


class HitRows(QAbstractTableModel):
    """The hits of a sheet; a row is made when it is looked at. Name and window are edited in place, as wishes."""

    weighed = pyqtSignal(object)  # WeighHit
    refused = pyqtSignal(object)  # OptionError: what was written is no number of frames

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.sheet: Sheet | None = None
        self.editable = False
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
            return (tr("Timecode"), tr("Weight"), tr("Early"), tr("Late"), tr("Meets"), tr("Name"))[section]
        if way == Qt.Orientation.Horizontal and role == Role.ToolTipRole and section in WINDOW:
            return tr("Frames by which the music may come early or late and still be on (F2)")
        return None

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        more = Qt.ItemFlag.ItemIsEditable if self.editable and index.column() in EDITED else Qt.ItemFlag.NoItemFlags
        return super().flags(index) | more

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        if role not in ASKED or self.sheet is None or not index.isValid():  # Qt asks seven times a cell
            return None
        mark, column = self.sheet.marks[index.row()], index.column()
        if role == Role.DisplayRole or (role == Role.EditRole and column in EDITED):
            return self._text(mark, column)
        if role == Role.FontRole and column != NAME:
            return self._figures
        if role == Role.ForegroundRole and column == MEETS:
            return theme.current().colour(COLOURS[mark.verdict])
        if role in (Role.ToolTipRole, Role.AccessibleTextRole) and column == MEETS:
            return meets(mark)
        if role in (Role.ToolTipRole, Role.AccessibleTextRole) and column in WINDOW:
            said = tr("on up to {} frames early") if column == EARLY else tr("on up to {} frames late")
            return said.format(self._text(mark, column))
        if role == Role.ToolTipRole and column == NAME:
            return mark.hit.label or tr("F2 or a double click names the hit")
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:  # noqa: N802  Qt's name
        """What is shown is what the session says, once it says it."""
        if role != Role.EditRole or self.sheet is None or not self.editable or index.column() not in EDITED:
            return False
        mark, column, text = self.sheet.marks[index.row()], index.column(), str(value).strip()
        if text == self._text(mark, column):
            return False
        if column == NAME:
            self.weighed.emit(WeighHit(mark.hit.frame, label=text))
        elif _FRAMES.fullmatch(text):
            frames = Fraction(text.replace(",", "."))
            self.weighed.emit(WeighHit(mark.hit.frame, **{"early" if column == EARLY else "late": frames}))  # type: ignore[arg-type]
        else:
            where, cure = self._text(mark, TIMECODE), tr("write 0, 1.5 or 1/2")
            self.refused.emit(OptionError(tr("{} is no number of frames").format(text), where=where, cure=cure))
        return False

    def _text(self, mark: HitMark, column: int) -> str:
        assert self.sheet is not None
        if column == TIMECODE:
            return str(self.sheet.start + mark.hit.frame)
        if column == WEIGHT:
            return f"{mark.hit.weight:.2f} {tr('hard') if mark.hit.hard else tr('soft')}"
        if column == NAME:
            return mark.hit.label
        if column in WINDOW:
            window = mark.hit.early if column == EARLY else mark.hit.late
            return f"{float(window * self.sheet.rate):.2f}".rstrip("0").rstrip(".")
        late = "" if mark.frames is None or mark.verdict in ("on", "silent") else f" {mark.frames:+.1f}"
        return f"{SIGNS[mark.verdict]}{late}"


class HitList(RowList):
    """The list under the hand: F2 writes in the column that the keys stand on, or the name."""

    @property
    def writing(self) -> bool:
        """Whether somebody writes in it just now."""
        return self.state() == QAbstractItemView.State.EditingState

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        assert event is not None
        at = self.currentIndex()
        if event.key() == Qt.Key.Key_F2 and at.isValid() and at.column() not in EDITED:
            self.edit(at.siblingAtColumn(NAME))
        else:
            super().keyPressEvent(event)


@runtime_checkable
class Timelined(Protocol):
    """A window with a timeline, on which a hit is selected."""

    timeline: Timeline


class Hits(QWidget):
    """Choose a row and the picture goes there; the row of the hit that is selected on the timeline is the one that is chosen."""

    def __init__(self, document: Document, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document, self._transport = document, transport
        self._timeline: Timeline | None = None
        self._following = False
        self._due: Sheet | None = None
        self._summary = Elided(self)
        self.rows = HitRows(self)
        self.table = HitList(self.rows, parent=self)
        self.table.setAccessibleName(tr("Hits"))
        triggers = QAbstractItemView.EditTrigger
        self.table.setEditTriggers(triggers.EditKeyPressed | triggers.DoubleClicked)
        widths = [(88, 80), (76, 70), (56, 52), (50, 46), (62, 48), (120, 30)]
        self.table.share(widths, (NAME,), (WINDOW, (MEETS, NAME), (TIMECODE, WEIGHT)))
        delegate = self.table.itemDelegate()
        assert delegate is not None
        delegate.closeEditor.connect(lambda: QTimer.singleShot(0, self._written))  # it is open until this is over
        self.table.gone_to.connect(self._go)
        self.rows.weighed.connect(document.act)
        self.rows.refused.connect(document.refused)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        column.addWidget(self._summary)
        column.addWidget(self.table)
        document.drawn.connect(self.draw)
        if document.sheet is not None:
            self.draw(document.sheet)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  Qt's name
        super().showEvent(event)
        above = self.parentWidget()
        while self._timeline is None and above is not None:  # a dock that floats is a window of its own, in the one that has it
            if isinstance(above, Timelined):
                self._timeline = above.timeline
                self._timeline.hit_selected.connect(self._follow)
                self._follow(self._timeline.hits.selected)
            above = above.parentWidget()

    def draw(self, sheet: Sheet | None) -> None:
        """Shows the hits of a sheet, None: nothing is open; the chosen one stays chosen, wherever its row is now. While somebody writes in
        the list it waits: what was typed would be lost."""
        self._due = sheet if self.table.writing else None
        if self._due is not None:
            return
        old, at = self.rows.sheet, self.table.currentIndex()
        chosen = old.marks[at.row()].hit.frame if old is not None and 0 <= at.row() < len(old.marks) else None
        if self._timeline is not None and self._timeline.hits.selected is not None:
            chosen = self._timeline.hits.selected
        self.rows.editable = self._document.session is not None and not self._document.read_only
        self._following = True
        self.rows.draw(sheet)
        self._following = False
        if sheet is None:
            self._summary.setText("")
            return
        self._follow(chosen, max(0, at.column()))
        self._summary.setText(summary(sheet))

    def _written(self) -> None:
        if self._due is not None and not self.table.writing:
            self.draw(self._due)

    def hit_name(self) -> None:
        """Has the name of the chosen hit written."""
        at, picked = self.table.currentIndex(), self.table.selectionModel()
        chosen = picked is not None and picked.hasSelection()  # where a list that got the keys stands, nobody chose
        if at.isValid() and chosen and self.rows.editable:
            self.table.setFocus()
            self.table.edit(at.siblingAtColumn(NAME))
        else:
            self._document.said.emit(tr("Select a hit first: click it, or go to one with , and ."))

    def _follow(self, frame: int | None, column: int | None = None) -> None:
        """Chooses the row of a hit, without going there; None chooses none."""
        sheet, picked = self.rows.sheet, self.table.selectionModel()
        if sheet is None or picked is None:
            return
        row = next((k for k, mark in enumerate(sheet.marks) if mark.hit.frame == frame), None)
        at = self.table.currentIndex()
        self._following = True
        if row is None:
            picked.clear()
        elif row != at.row() or not picked.hasSelection():
            flags = QItemSelectionModel.SelectionFlag
            index = self.rows.index(row, max(0, at.column()) if column is None else column)
            picked.setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._following = False

    def _go(self, row: int) -> None:
        sheet = self.rows.sheet
        if sheet is not None and 0 <= row < len(sheet.marks) and not self._following:
            frame = sheet.marks[row].hit.frame
            self._transport.locate(frame)
            if self._timeline is not None:
                self._timeline.select(frame)


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
