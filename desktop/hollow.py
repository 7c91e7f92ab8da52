"""What a panel says while nothing was composed: what to do next, from opening a film to scoring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget

from desktop.language import words
from desktop.theme import GAP

if TYPE_CHECKING:
    from desktop.document import Document

tr = words("hollow")


class Hollow(QLabel):
    """One line in the middle of the panel; it keeps up with what is open."""

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setProperty("rank", "dim")
        self.setContentsMargins(2 * GAP, GAP, 2 * GAP, GAP)
        document.film_changed.connect(self.tell)
        document.session_changed.connect(self.tell)
        self.tell()

    def tell(self, *_: object) -> None:
        """Says the next step."""
        now, film = self._document.now, self._document.film
        if now is None and film is None:
            line = tr("Nothing is composed yet: open a film (Ctrl+O), then score it (Ctrl+Enter).")
        elif now is None and film is not None and film.spotted is None:
            line = tr("Nothing is composed yet: the cuts of the film are being found; then score it (Ctrl+Enter).")
        else:
            line = tr("Nothing is composed yet: score the film (Ctrl+Enter).")
        self.setText(line)
        self.setAccessibleDescription(line)
