"""Features of the film, for an engine that hears them: the files that the session has, a chooser, and a way to leave them out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QToolButton, QWidget

from desktop.eliding import Elided
from desktop.language import words
from desktop.theme import GAP
from desktop.worn import rank

tr = words("compose")
KINDS = "*.npy *.pt *.pth"


class Features(QWidget):
    """One row. It says with `chosen` which files the next refill shall hear; none leaves them out."""

    chosen = pyqtSignal(tuple)  # of Path

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.files: tuple[Path, ...] = ()
        self.named, self.choose, self.leave = Elided(self), QPushButton(tr("Choose…"), self), QToolButton(self)
        self.choose.setToolTip(tr("What a published diffbgm checkpoint hears of the film: .npy or .pt, from the next refill on"))
        self.choose.setAccessibleName(tr("Choose features of the film"))
        self.leave.setText("✕")
        self.leave.setToolTip(tr("Compose without features of the film from the next refill on"))
        self.leave.setAccessibleName(tr("Leave the features out"))
        self.named.setAccessibleName(tr("Features of the film"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP)
        row.addWidget(self.named, 1)
        row.addWidget(self.choose)
        row.addWidget(self.leave)
        self.choose.clicked.connect(self.ask)
        self.leave.clicked.connect(lambda: self.chosen.emit(()))
        self.show_files(())

    def show_files(self, files: Sequence[Path], hears: bool = True) -> None:
        """The files that the next refill hears; ``hears`` is whether its engine hears any."""
        self.files = tuple(files)
        self.named.setText(", ".join(path.name for path in self.files) or tr("none"))
        self.named.setToolTip("\n".join(map(str, self.files)))
        rank(self.named, "" if self.files else "dim")
        self.choose.setEnabled(hears)
        self.leave.setEnabled(bool(self.files))

    def ask(self) -> None:
        """Asks for files."""
        last = str(self.files[0].parent) if self.files else ""
        names, _ = QFileDialog.getOpenFileNames(self, tr("Features of the film"), last, f"{tr('Features')} ({KINDS})")
        if names:
            self.chosen.emit(tuple(Path(name) for name in names))
