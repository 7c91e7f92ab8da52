"""The page of keys: every key of the window beside what it does, in columns, and never larger than the screen."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop import theme
from desktop.actions import Actions, plain
from desktop.language import words

tr = words("commands")
COLUMNS = 3
SHARE = 0.85
"""Of the screen, as much at most."""


class KeysPage(QDialog):
    """A column of rows a menu or two; where all of them have no room it scrolls, with the arrows too."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Keys"))
        page = QWidget(self)
        across = QHBoxLayout(page)
        across.setSpacing(6 * theme.GAP)
        groups = [(plain(menu.title()), rows) for menu in actions.menus.values() if (rows := keyed(menu.actions()))]
        for column in shared_out(groups):
            down = QVBoxLayout()
            down.setSpacing(0)
            for title, rows in column:
                down.addLayout(self._group(title, rows))
            down.addStretch(1)
            across.addLayout(down)
        self.area = QScrollArea(self)
        self.area.setAccessibleName(tr("Keys"))
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setWidgetResizable(True)
        self.area.setWidget(page)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.addWidget(self.area)
        whole.addWidget(buttons)
        self._fit(page)
        self.area.setFocus()

    def _group(self, title: str, rows: list[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * theme.GAP)
        grid.setVerticalSpacing(1)
        grid.setContentsMargins(0, 0, 0, 2 * theme.GAP)
        head = QLabel(title, self)
        head.setProperty("quiet", True)
        grid.addWidget(head, 0, 0, 1, 2)
        for row, (keys, name) in enumerate(rows, 1):
            shown = QLabel(keys, self)
            shown.setFont(theme.figures(9.0))
            grid.addWidget(shown, row, 0)
            grid.addWidget(QLabel(name, self), row, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _fit(self, page: QWidget) -> None:
        """As large as the page needs, within the screen."""
        bar = self.area.verticalScrollBar()
        wanted = page.sizeHint()
        wanted.setWidth(wanted.width() + (0 if bar is None else bar.sizeHint().width()))
        self.area.setMinimumSize(0, 0)
        room = wanted + (self.sizeHint() - self.area.sizeHint())
        screen = self.screen()
        if screen is not None:
            free = screen.availableGeometry().size()
            room = room.boundedTo(free * SHARE)
        self.resize(room)


def keyed(actions: list[QAction]) -> list[tuple[str, str]]:
    """Keys and name of every act that has keys, those of menus in a menu too."""
    rows = []
    for action in actions:
        if (inner := action.menu()) is not None:
            rows += keyed(inner.actions())
        elif keys := action.shortcuts():
            words = dict.fromkeys(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys)
            rows.append((" ".join(words), plain(action.text())))
    return rows


def shared_out(groups: list[tuple[str, list[tuple[str, str]]]]) -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """Groups in their order over the columns, none much longer than another."""
    whole = sum(len(rows) + 2 for _, rows in groups)
    columns: list[list[tuple[str, list[tuple[str, str]]]]] = [[] for _ in range(COLUMNS)]
    before = 0
    for title, rows in groups:
        middle = before + (len(rows) + 2) / 2
        columns[min(COLUMNS - 1, int(COLUMNS * middle / whole))].append((title, rows))
        before += len(rows) + 2
    return columns
