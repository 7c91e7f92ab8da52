"""The command palette: everything that the window does, found by a few letters of its name."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtGui import QAction, QKeyEvent, QKeySequence, QShowEvent
from PyQt6.QtWidgets import QDialog, QHeaderView, QLineEdit, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from desktop import theme
from desktop.actions import plain
from desktop.language import words

tr = words("palette")
STEPS: dict[int, int] = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 10, Qt.Key.Key_PageUp: -10}
"""Rows on or back, by key."""


def likeness(asked: str, name: str) -> int | None:
    """How well a name answers what was typed, the smaller the better; None where its letters do not come in order."""
    asked, name = asked.casefold(), name.casefold()
    if asked in name:
        return name.index(asked)
    place, gaps = -1, 0
    for letter in asked.replace(" ", ""):
        found = name.find(letter, place + 1)
        if found < 0:
            return None
        gaps += found - place - 1
        place = found
    return 100 + gaps


class Palette(QDialog):
    """Type, choose with the arrows, Enter. It closes as soon as anything else has the keys.

    It is a dialog, not a popup: the system never gives a popup the keys, so that no input method, such as one for Chinese, writes there.
    """

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self._over = False
        self.setAccessibleName(tr("Command palette"))
        self._actions = list(actions)
        self._field = QLineEdit(self)
        self._field.setPlaceholderText(tr("What do you want to do?"))
        self._field.setAccessibleName(tr("What do you want to do?"))
        self._field.textChanged.connect(self._find)
        self._field.installEventFilter(self)
        self._rows = QTableWidget(0, 2, self)
        self._rows.setAccessibleName(tr("What was found"))
        self._rows.setShowGrid(False)
        self._rows.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self._rows.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self._rows.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self._rows.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._rows.cellClicked.connect(lambda row, column: self._run())
        for header in (self._rows.horizontalHeader(), self._rows.verticalHeader()):
            assert header is not None
            header.hide()
        across = self._rows.horizontalHeader()
        down = self._rows.verticalHeader()
        assert across is not None
        assert down is not None
        across.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        across.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        down.setDefaultSectionSize(theme.ROW)
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        column.addWidget(self._field)
        column.addWidget(self._rows)
        self.resize(560, 380)
        self._found: list[QAction] = []
        self._find("")
        self._field.setFocus()

    def _find(self, asked: str) -> None:
        ranked = []
        for place, action in enumerate(self._actions):
            if not action.isEnabled() or not action.text():
                continue
            shown = plain(action.text())
            near = likeness(asked, f"{shown} {action.statusTip()}") if asked else place
            if near is not None:
                ranked.append((near, place, shown, action))
        ranked.sort(key=lambda row: row[:2])
        self._found = [row[3] for row in ranked]
        self._rows.setRowCount(len(ranked))
        for row, (_, _, shown, action) in enumerate(ranked):
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            keys = QTableWidgetItem(key)
            keys.setForeground(theme.current().colour("dim"))
            keys.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            name = QTableWidgetItem(shown)
            name.setToolTip(action.statusTip())
            self._rows.setItem(row, 0, name)
            self._rows.setItem(row, 1, keys)
        if ranked:
            self._rows.selectRow(0)

    def _run(self) -> None:
        row = self._rows.currentRow()
        if 0 <= row < len(self._found):
            self.close()
            self._found[row].trigger()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802  Qt's name
        super().showEvent(event)
        self.activateWindow()  # not every window manager gives a new window the keys, and there may be none

    def done(self, result: int) -> None:
        left, self._over = self._over, True  # what hides it takes the keys from it, too
        super().done(result)
        home = self.parentWidget()
        if home is not None and not left:
            home.activateWindow()

    def event(self, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.WindowDeactivate and not self._over:
            self._over = True
            self.close()
        return super().event(event)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  Qt's name
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = STEPS.get(event.key())
            if step is not None and self._found:
                self._rows.selectRow(min(len(self._found) - 1, max(0, self._rows.currentRow() + step)))
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
        return super().eventFilter(watched, event)
