"""The message bar: one calm line of what happened or what went wrong, with its cure, and at most one thing to do about it; what still
holds comes back from under newer lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt6.QtCore import QEvent, Qt, QTimer
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop import theme
from desktop.language import is_another, words
from desktop.refusals import told
from engines.errors import HitpointError

tr = words("message")
Line = str | Callable[[], str]
"""What is said: as it is, or made anew in whatever language the window speaks."""
MARKS = {"word": "●", "error": "▲"}
LOOK_MS = 500
"""Between two looks whether what is said still holds: nobody tells when a port is there again."""


@dataclass(eq=False)
class Said:
    """One message. Where ``holds`` is given it stands, under newer ones too, for as long as that is so; else it passes with the next."""

    kind: str
    line: Line
    offer: Line = ""
    call: Callable[[], object] | None = None
    holds: Callable[[], bool] | None = None

    @property
    def over(self) -> bool:
        """Whether what it says is so no longer."""
        return self.holds is not None and not self.holds()


class MessageBar(QFrame):
    """Hidden until there is something to say. It shows the newest; Escape or its cross puts that away, and shows what still holds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark, self._text = QLabel(self), QLabel(self)
        self._mark.setProperty("rank", "mark")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setWordWrap(True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._text.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._offer = QPushButton(self)
        self._offer.clicked.connect(self._take)
        self._said: list[Said] = []
        self._looking = QTimer(self)
        self._looking.setInterval(LOOK_MS)
        self._looking.timeout.connect(self.look_again)
        cross = self._cross = QToolButton(self)
        cross.setText("✕")
        cross.setAutoRaise(True)
        cross.clicked.connect(self.dismiss)
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
        shown = self._said[-1] if self._said else Said("word", "")
        line, offer = (said if isinstance(said, str) else said() for said in (shown.line, shown.offer))
        self._text.setText(line)
        self.setAccessibleDescription(line)
        self._offer.setText(offer)
        self._offer.setVisible(bool(offer))

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
        super().changeEvent(event)

    @property
    def text(self) -> str:
        """The line that is shown; nothing while the bar is hidden."""
        return "" if self.isHidden() else self._text.text()

    def say(
        self, line: Line, offer: Line = "", call: Callable[[], object] | None = None, holds: Callable[[], bool] | None = None
    ) -> None:
        """A word to the composer, with something to do about it where there is."""
        self._add(Said("word", line, offer, call, holds))

    def refuse(self, error: HitpointError, holds: Callable[[], bool] | None = None) -> None:
        """What could not be done, or is not as it should be, and the cure."""
        self._add(Said("error", lambda: told(error), holds=holds))

    def dismiss(self) -> None:
        """Puts away what is shown."""
        self._said = self._said[:-1]
        self._show()

    def forget_errors(self) -> None:
        """What could not be done belongs to what was open then, and something else is open now."""
        self._said = [said for said in self._said if said.kind != "error" or said.holds is not None]
        self._show()

    def look_again(self) -> None:
        """Puts away what holds no longer."""
        self._said = [said for said in self._said if not said.over]
        self._show()

    def _add(self, said: Said) -> None:
        self._said = [old for old in self._said if old.holds is not None and not old.over and old.line != said.line]
        if not said.over:
            self._said.append(said)
        self._show()

    def _show(self) -> None:
        if any(said.holds is not None for said in self._said):
            self._looking.start()
        else:
            self._looking.stop()
        if not self._said:
            self.hide()
            return
        kind = self._said[-1].kind
        if kind != self.property("kind"):
            self.setProperty("kind", kind)
            for part in (self, self._mark):  # a style follows a property only when it is asked to look again
                if (style := part.style()) is not None:
                    style.unpolish(part)
                    style.polish(part)
        self._mark.setText(MARKS[kind])
        self.speak()
        self.show()

    def _take(self) -> None:
        taken = self._said[-1]
        if taken.holds is None:  # else it is there until it is done
            self.dismiss()
        if taken.call is not None:
            taken.call()
