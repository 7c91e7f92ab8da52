"""The message bar: one calm line of what happened or what went wrong, with its cure, and at most one thing to do about it."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QObject, Qt
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop import theme
from desktop.language import is_another, words
from desktop.plainly import plainly
from engines.errors import HitpointError

tr = words("message")
Line = str | Callable[[], str]
"""What is said: as it is, or made anew in whatever language the window speaks."""


class MessageBar(QFrame):
    """Hidden until there is something to say; Escape or its cross hides it again. It lies over the upper edge of its parent, and moves
    nothing there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        parent.installEventFilter(self)
        self.setAutoFillBackground(True)
        self._mark, self._text = QLabel(self), QLabel(self)
        self._mark.setProperty("rank", "mark")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._offer = QPushButton(self)
        self._offer.clicked.connect(self._take)
        self._call: Callable[[], object] | None = None
        self._said: tuple[Line, Line] = ("", "")
        cross = self._cross = QToolButton(self)
        cross.setText("✕")
        cross.setAutoRaise(True)
        cross.clicked.connect(self.hide)
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.GAP, theme.GAP, theme.GAP, theme.GAP)
        row.setSpacing(2 * theme.GAP)
        for part in (self._mark, self._text, self._offer, cross):
            row.addWidget(part, 1 if part is self._text else 0)
        self.speak()
        self.hide()

    def speak(self) -> None:
        """Says everything again, in the language that the window speaks now."""
        self.setAccessibleName(tr("Message"))
        self._cross.setAccessibleName(tr("Close the message"))
        self._cross.setToolTip(tr("Close the message (Esc)"))
        line, offer = (said if isinstance(said, str) else said() for said in self._said)
        self._text.setText(line)
        self.setAccessibleDescription(line)
        self._offer.setText(offer)
        self._offer.setVisible(bool(offer))
        if self.isVisible():
            self._lie()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
        super().changeEvent(event)

    @property
    def text(self) -> str:
        """The line that is shown; nothing while the bar is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(self, line: Line, offer: Line = "", call: Callable[[], object] | None = None) -> None:
        """A word to the composer, with something to do about it where there is."""
        self._show("word", line, "●", offer, call)

    def refuse(self, error: HitpointError) -> None:
        """What could not be done, and the cure."""
        self._show("error", lambda: plainly(error), "▲")

    def _show(self, kind: str, line: Line, mark: str, offer: Line = "", call: Callable[[], object] | None = None) -> None:
        self.setProperty("kind", kind)
        for part in (self, self._mark):  # a style follows a property only when it is asked to look again
            if (style := part.style()) is not None:
                style.unpolish(part)
                style.polish(part)
        self._mark.setText(mark)
        self._call = call
        self._said = line, offer
        self.speak()
        self.show()
        self._lie()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802  Qt's name
        if event is not None and event.type() == QEvent.Type.Resize and self.isVisible():
            self._lie()
        return super().eventFilter(watched, event)

    def _lie(self) -> None:
        """As wide as the parent, as high as its line needs, and over whatever else is there."""
        over = self.parentWidget()
        if over is not None:
            wide = over.width()
            self.setGeometry(0, 0, wide, max(self.minimumSizeHint().height(), self.heightForWidth(wide)))
            self.raise_()

    def _take(self) -> None:
        self.hide()
        if self._call is not None:
            self._call()
