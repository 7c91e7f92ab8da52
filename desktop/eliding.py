"""Words that give way: a label that shows as much of its line as there is room for, and says the rest on hovering; sentences cut short
for a menu."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QSize, Qt
from PyQt6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PyQt6.QtWidgets import QComboBox, QLabel, QToolTip, QWidget

LONGEST = 50
"""Characters of a sentence in a menu."""

LETTERS = 8
"""That a box shows of its row at least."""


def short(sentence: str, longest: int = LONGEST) -> str:
    """A sentence for a menu: whole, or its beginning."""
    return sentence if len(sentence) <= longest else sentence[: longest - 1].rstrip(" ,") + "…"


def lean(*boxes: QComboBox) -> None:
    """Lets boxes be narrower than the longest of their rows."""
    for box in boxes:
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(LETTERS)


class Elided(QLabel):
    """One line of plain text, never narrower than ``least`` pixels."""

    def __init__(self, parent: QWidget | None = None, least: int = 24, text: str = "") -> None:
        super().__init__(text, parent)
        self._least = least
        self.setTextFormat(Qt.TextFormat.PlainText)

    def minimumSizeHint(self) -> QSize:  # noqa: N802  Qt's names
        return QSize(min(self._least, super().sizeHint().width()), super().minimumSizeHint().height())

    @property
    def shown(self) -> str:
        """What of the text is in sight."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width())

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802
        style = self.style()
        if event is None or style is None or self.shown == self.text():
            if event is not None:
                super().paintEvent(event)
            return
        painter = QPainter(self)
        place, how = self.contentsRect(), int(self.alignment().value)
        style.drawItemText(painter, place, how, self.palette(), self.isEnabled(), self.shown, self.foregroundRole())
        painter.end()

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self.shown != self.text():
            QToolTip.showText(event.globalPos(), "\n".join(word for word in (self.text(), self.toolTip()) if word), self)
            return True
        return super().event(event)
