"""What a window shows before anything is open: open a film, go on with one of late, or try it all on a film of our own."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QEvent, Qt, pyqtSignal
from PyQt6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from desktop import theme
from desktop.kinds import kind
from desktop.language import is_another, words

tr = words("welcome")


def called(path: str) -> str:
    """How a session or a film of late is listed: in its folder, a film with its ending."""
    file = Path(path)
    return f"{file.parent.name} / {file.stem if kind(file) == 'session' else file.name}"


class Welcome(QScrollArea):
    """A column in the middle: two buttons, and the sessions and films of late."""

    open_wanted = pyqtSignal()
    demo_wanted = pyqtSignal()
    recent_wanted = pyqtSignal(str)  # the path of a session or a film

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        inner = self._inner = QWidget(self)
        title = QLabel("Hitpoint", inner)
        face = title.font()
        face.setPointSizeF(22.0)
        face.setWeight(face.Weight.Light)
        title.setFont(face)
        line = self._line = QLabel(inner)
        line.setProperty("rank", "dim")
        open_, demo = self._buttons = QPushButton(inner), QPushButton(inner)
        open_.setProperty("primary", True)
        open_.clicked.connect(lambda: self.open_wanted.emit())
        demo.clicked.connect(lambda: self.demo_wanted.emit())
        column = QVBoxLayout(inner)
        column.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.setSpacing(theme.GAP)
        for part in (title, line, open_, demo):
            column.addWidget(part, alignment=Qt.AlignmentFlag.AlignHCenter)
            if part is line:
                column.addSpacing(2 * theme.GAP)
        for button in (open_, demo):
            button.setFixedWidth(240)
        self._late = QLabel(inner)
        self._late.setProperty("rank", "faint")
        column.addSpacing(2 * theme.GAP)
        column.addWidget(self._late, alignment=Qt.AlignmentFlag.AlignHCenter)
        self._column = column
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self._recent: list[QPushButton] = []
        self.speak()
        self.show_recent([])

    def speak(self) -> None:
        """Says everything again, in the language that the window speaks now."""
        self.setAccessibleName(tr("Welcome"))
        self._line.setText(tr("Open a film, a session or an editor’s cut list, or drop one here."))
        for button, text in zip(self._buttons, (tr("Open…"), tr("Open the demo film")), strict=True):
            button.setText(text)
        self._late.setText(tr("Lately"))

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
        super().changeEvent(event)

    def show_recent(self, paths: list[str]) -> None:
        """What was open of late, the last first."""
        for button in self._recent:
            self._column.removeWidget(button)
            button.deleteLater()
        self._recent = []
        self._late.setVisible(bool(paths))
        for path in paths:
            button = QPushButton(called(path), self._inner)
            button.setFlat(True)
            button.setToolTip(path)
            button.setFixedWidth(320)
            button.clicked.connect(lambda checked=False, path=path: self.recent_wanted.emit(path))
            self._column.addWidget(button, alignment=Qt.AlignmentFlag.AlignHCenter)
            self._recent.append(button)
