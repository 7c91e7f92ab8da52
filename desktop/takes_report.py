"""The hit report of one take as a table: every hit with its moment, weight and error; nothing in it can be hidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QPainter, QResizeEvent
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from desktop.language import words
from desktop.row_list import RowList
from desktop.takes_marks import draw_verdict, soften
from desktop.takes_table import NOWHERE, Role, brief_words, verdict_words
from desktop.takes_verdict import Verdict
from desktop.theme import GAP, current, figures
from desktop.worn import Worn
from engines.score.report import HitLine, Report

ROW = 20
COLUMNS = 6
FLAT = 150
"""Pixels of height below which the hits are said in figures."""
WORDY = 60
"""Pixels from which on a verdict stands beside its shape."""

tr = words("takes")


class ReportTable(QAbstractTableModel):
    """Lines of a hit report."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: tuple[HitLine, ...] = ()

    def show(self, lines: Sequence[HitLine]) -> None:
        """Other lines."""
        self.beginResetModel()
        self.lines = tuple(lines)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802  Qt's names
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: QModelIndex = NOWHERE) -> int:  # noqa: N802
        return 0 if parent.isValid() else COLUMNS

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:  # noqa: N802
        if role == Role.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return ("", tr("Timecode"), tr("Weight"), tr("Frames"), tr("ms"), tr("Answered by"))[section]
        return None

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        line, column = self.lines[index.row()], index.column()
        if role == Role.TextAlignmentRole:
            right = column in (3, 4)
            return (Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft) | Qt.AlignmentFlag.AlignVCenter
        if role == Role.FontRole and column in (1, 3, 4):
            return figures(8.5)
        if role == Role.ForegroundRole and column in (0, 3, 4):
            return current().colour("text" if line.verdict == "on" else line.verdict)
        if role in (Role.DisplayRole, Role.AccessibleTextRole):
            return _cell(line, column)
        return None


def _cell(line: HitLine, column: int) -> str:
    error = line.error
    if column == 0:
        return tr(line.verdict)
    if column == 1:
        return line.timecode or f"{float(line.hit.time):.3f} s"
    if column == 2:
        return f"{line.hit.weight:.2f}  " + (tr("hard") if line.hit.hard else tr("soft"))
    if column == 3:
        return "–" if error is None or line.rate is None else f"{float(error * line.rate):+.2f}"
    if column == 4:
        return tr("no onset") if error is None else f"{float(error * 1000):+.2f}"
    return {"engine": tr("the music"), "land": tr("a note moved or added"), "none": tr("nothing")}[line.landed_by]


class _Cells(QStyledItemDelegate):
    """The verdict as its shape before its word."""

    def initStyleOption(self, option: QStyleOptionViewItem | None, index: QModelIndex) -> None:  # noqa: N802  Qt's name
        super().initStyleOption(option, index)
        if option is not None:
            soften(option)

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        model = index.model()
        if painter is None or not isinstance(model, ReportTable) or index.column():
            super().paint(painter, option, index)
            return
        line, rect = model.lines[index.row()], option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, current().colour("raised"))
        draw_verdict(painter, QPointF(rect.x() + 11, rect.center().y() + 0.5), 4, line.verdict)
        painter.save()
        painter.setPen(current().colour("dim" if line.verdict == "on" else line.verdict))
        if rect.width() >= WORDY:
            painter.drawText(QRectF(rect).adjusted(22, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, tr(line.verdict))
        painter.restore()


class HitReport(QWidget):
    """A sentence on the whole, always in sight, over a line for every hit; choosing a line goes to its frame."""

    located = pyqtSignal(int)  # a frame of the film

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = ReportTable(self)
        self._said, self._figures = ("", "", "none"), ""
        Worn(self, self._say)
        self.sentence = QLabel(self)
        self.sentence.setWordWrap(True)
        self.sentence.setContentsMargins(GAP, GAP, GAP, GAP)
        self.view = RowList(self.table, ROW, self)
        self.view.setItemDelegate(_Cells(self.view))
        self.view.setAccessibleName(tr("Hit report"))
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.activated.connect(self._go)
        self.view.clicked.connect(self._go)
        self.view.setToolTip(tr("Enter goes to the frame of a hit"))
        self.view.columns.setSectionsClickable(False)
        self.view.share([(72, 26), (92, 85), (72, 12), (60, 51), (68, 57), (110, 10)], (5,), ((0,), (5,), (2,), (1, 3, 4)))
        self.view.setMinimumSize(200, 2 * ROW)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.sentence)
        layout.addWidget(self.view)

    def show_verdict(self, title: str, verdict: Verdict | None) -> None:
        """The report of one take; None where there is no take."""
        words = tr("no take") if verdict is None else verdict_words(verdict)
        light = "near" if verdict is not None and verdict.lines is None else verdict.light if verdict is not None else "none"
        self.show_lines(title, words, light, verdict.lines or () if verdict is not None else ())

    def show_lines(self, title: str, words: str, light: str, lines: Sequence[HitLine]) -> None:
        """Lines under a title and a sentence in the colour of the worst of them."""
        self._said = title, words, light
        self._figures = brief_words(Verdict(tuple(lines))) if lines else words
        self._say()
        self.table.show(lines)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        super().resizeEvent(event)
        self._say()

    def _say(self) -> None:
        """The sentence where there is room for it over the table, else its figures."""
        (title, words, light), theme = self._said, current()
        words = self._figures if self.height() < FLAT else words
        colour = theme.dim if light in ("none", "on") else getattr(theme, light)
        self.sentence.setText(f"<b>{title}</b>&nbsp;&nbsp; <span style='color:{colour}'>{words}</span>")
        self.sentence.setAccessibleName(f"{title}: {self._said[1]}")
        self.sentence.setToolTip(self._said[1])

    def _go(self, index: QModelIndex) -> None:
        if index.isValid():
            self.located.emit(self.table.lines[index.row()].hit.frame)


class FileReport(QDialog):
    """The hit report of a MIDI file that somebody dropped: the same table, for anybody's music."""

    def __init__(self, name: str, report: Report, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Hit report of {}").format(name))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.report = HitReport(self)
        verdict = Verdict(report.lines)
        self.report.show_lines(
            name.replace("&", "&amp;").replace("<", "&lt;"), verdict_words(verdict), verdict.light, report.lines
        )
        column = QVBoxLayout(self)
        column.addWidget(self.report)
        self.resize(560, 420)
