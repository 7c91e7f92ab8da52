"""Watching the editor: a cut list that is exported again, or what the script in Blender or Resolve hands over; each new cut is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from desktop.kinds import CUT_LISTS
from desktop.language import words

if TYPE_CHECKING:
    from desktop.document import Document

tr = words("recut")


class Watching(QPushButton):
    """A button with a menu; it says what is watched."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        menu = QMenu(self)
        self.file = menu.addAction(tr("A cut list that is exported again…"))
        self.script = menu.addAction(tr("What the script in Blender or Resolve hands over"))
        self.nothing = menu.addAction(tr("Nothing"))
        self.setMenu(menu)
        self.setToolTip(tr("Whenever the editor writes a new cut, what it would change is shown here"))
        assert self.file is not None
        assert self.script is not None
        assert self.nothing is not None
        self.file.triggered.connect(self.ask)
        self.script.triggered.connect(lambda: self.watch(None))
        self.nothing.triggered.connect(self.leave)
        menu.aboutToShow.connect(self.show_watched)
        self.show_watched()

    def ask(self) -> None:
        """Asks for the cut list."""
        suffixes = " ".join(f"*{suffix}" for suffix in CUT_LISTS)
        name, _ = QFileDialog.getOpenFileName(self, tr("Watch a cut list"), "", f"{tr('Cut lists')} ({suffixes})")
        if name:
            self.watch(Path(name))

    def watch(self, cuts: Path | None) -> None:
        """Watches a cut list; None is the script's."""
        studio = self._document.studio
        self._document.do(lambda: studio.neighbours.watch(cuts), lambda _: self.show_watched())

    def leave(self) -> None:
        """Watches none any more."""
        self._document.do(self._document.studio.neighbours.leave_cuts, lambda _: self.show_watched())

    def show_watched(self) -> None:
        """Says what is watched: another client may have chosen it."""
        cuts = self._document.studio.neighbours.cuts
        self.setText(tr("Watch the editor") if cuts is None else tr("Watches {}").format(cuts.name))
        if self.nothing is not None:
            self.nothing.setEnabled(cuts is not None)
