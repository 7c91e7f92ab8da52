"""The list of tempo maps under the hand: keys of its own, and what choosing one would do, in a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QLabel, QListView, QPushButton, QVBoxLayout, QWidget

from desktop.language import words

if TYPE_CHECKING:
    from engines.session.model import Session

tr = words("candidates")

OWN = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape, Qt.Key.Key_Up, Qt.Key.Key_Down)
"""Keys that belong to the list while it has them."""


class List(QListView):
    """The rows, with Enter and Escape its own while it has the keys."""

    chosen = pyqtSignal()
    left = pyqtSignal()

    def event(self, event: QEvent | None) -> bool:
        if event is not None and event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
            if plain and event.key() in OWN:
                event.accept()  # else the window would refill a scene
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit()
        elif event is not None and event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        self.left.emit()
        super().leaveEvent(event)


def spotting_button(call: Callable[[], object], parent: QWidget) -> QPushButton:
    """What asks for other tempo maps."""
    button = QPushButton(tr("Spot again"), parent)
    button.setToolTip(tr("Look for other tempo maps around what is locked (Ctrl+Alt+T)"))
    button.clicked.connect(lambda: call())
    return button


class Unasked(QWidget):
    """What lies in the list's place while nobody has asked for maps of a cue with so many hits that they are not looked for by
    themselves."""

    def __init__(self, ask: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        word = QLabel(tr("This cue has many hits, and looking for tempo maps takes a while: press Spot again to begin."), self)
        word.setWordWrap(True)
        word.setAlignment(Qt.AlignmentFlag.AlignCenter)
        word.setProperty("quiet", True)
        self.ask = spotting_button(ask, self)
        column = QVBoxLayout(self)
        column.addStretch(1)
        column.addWidget(word)
        column.addWidget(self.ask, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.hide()


def effect(before: Session, after: Session) -> str:
    """What choosing a map does to the takes, in a line."""
    same: list[str] = []
    carried: list[str] = []
    silent: list[str] = []
    for old, new in zip(before.spans, after.spans, strict=True):
        if old.scene.chosen is None:
            continue
        kind = silent if new.scene.chosen is None else same if new.scene.chosen == old.scene.chosen else carried
        kind.append(str(new.number))
    said = [
        tr("Scenes as they are: {}.").format(", ".join(same)) if same else "",
        tr("Carried, same notes on the same beats: {}.").format(", ".join(carried)) if carried else "",
        tr("Silent until refilled, other bars: {}.").format(", ".join(silent)) if silent else "",
    ]
    return " ".join(word for word in said if word)
