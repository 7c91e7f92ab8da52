"""The message bar: one calm line of what happened or what went wrong, with its cure, and at most one thing to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop import theme
from desktop.language import words
from engines.errors import HitpointError

tr = words("message")


class MessageBar(QFrame):
    """Hidden until there is something to say; Escape or its cross hides it again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Message"))
        self._mark, self._text = QLabel(self), QLabel(self)
        self._mark.setProperty("rank", "mark")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._offer = QPushButton(self)
        self._offer.clicked.connect(self._take)
        self._call: Callable[[], object] | None = None
        cross = QToolButton(self)
        cross.setText("✕")
        cross.setAutoRaise(True)
        cross.setAccessibleName(tr("Close the message"))
        cross.setToolTip(tr("Close the message (Esc)"))
        cross.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        row.setSpacing(2 * theme.GAP)
        for part in (self._mark, self._text, self._offer, cross):
            row.addWidget(part, 1 if part is self._text else 0)
        self.hide()

    @property
    def text(self) -> str:
        """The line that is shown; nothing while the bar is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(self, line: str, offer: str = "", call: Callable[[], object] | None = None) -> None:
        """A word to the composer, with something to do about it where there is."""
        self._show("word", line, "●", offer, call)

    def refuse(self, error: HitpointError) -> None:
        """What could not be done, and the cure."""
        self._show("error", str(error), "▲")

    def _show(self, kind: str, line: str, mark: str, offer: str = "", call: Callable[[], object] | None = None) -> None:
        self.setProperty("kind", kind)
        for part in (self, self._mark):  # a style follows a property only when it is asked to look again
            if (style := part.style()) is not None:
                style.unpolish(part)
                style.polish(part)
        self._mark.setText(mark)
        self._text.setText(line)
        self.setAccessibleDescription(line)
        self._call = call
        self._offer.setText(offer)
        self._offer.setVisible(bool(offer))
        self.show()

    def _take(self) -> None:
        self.hide()
        if self._call is not None:
            self._call()
