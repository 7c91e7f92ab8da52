"""How loud the film is, and whether it is heard: a speaker that says by its shape and in words why it may be silent, and a slider."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QAction, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget

from desktop import theme
from desktop.language import is_another, words
from desktop.sound import Sound

tr = words("sound")
WIDE = 72
"""Pixels of the slider."""
STEP = 10
"""Of a hundred, for the wheel and a key."""


class Loudspeaker(QToolButton):
    """Shows waves where the film is heard, a cross where it is not; pressed, it changes between the two."""

    def __init__(self, sound: Sound, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sound = sound
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(QSize(30, theme.ROW))
        self.clicked.connect(action.trigger)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        super().paintEvent(event)
        sound = self._sound
        heard = sound.on and sound.film is not None and not sound.word
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self.width() / 2 - 3, self.height() / 2)
        colour = theme.current().colour("text" if heard else "faint")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in ((-6, -2), (-3, -2), (1, -6), (1, 6), (-3, 2), (-6, 2))]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.4))
        if heard:
            for size in (3.5, 7.0) if sound.volume > 0.5 else (3.5,):
                painter.drawArc(
                    QRectF(1 - size, -size, 2 * size, 2 * size), -45 * 16, 90 * 16
                )  # Qt counts sixteenths of a degree
        else:
            painter.drawLine(QPointF(4, -3), QPointF(10, 3))
            painter.drawLine(QPointF(4, 3), QPointF(10, -3))


class SoundBox(QWidget):
    """Reads the sound; what is turned here the sound is told."""

    def __init__(self, sound: Sound, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sound, self._action = sound, action
        self.speaker = Loudspeaker(sound, action, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(STEP)
        self.slider.setFixedWidth(WIDE)
        self.slider.valueChanged.connect(lambda value: sound.turn_to(value / 100))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.speaker)
        row.addWidget(self.slider)
        sound.changed.connect(self.tell)
        self.tell()

    def tell(self) -> None:
        """Shows how the sound stands."""
        sound = self.sound
        self.slider.blockSignals(True)
        self.slider.setValue(round(100 * sound.volume))
        self.slider.blockSignals(False)
        self.slider.setEnabled(sound.film is not None)
        self.slider.setAccessibleName(tr("Volume of the film"))
        self.slider.setToolTip(tr("Volume of the film: {} %").format(round(100 * sound.volume)))
        said = self._said()
        self.speaker.setAccessibleName(tr("The film's sound"))
        self.speaker.setAccessibleDescription(said)
        self.speaker.setToolTip(f"{said} ({self._action.shortcut().toString()})")
        self.speaker.update()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.sound.tell_again()
            self.tell()
        super().changeEvent(event)

    def _said(self) -> str:
        sound = self.sound
        if sound.word:
            return sound.word
        if sound.film is None:
            return tr("This film has no sound.")
        return tr("The film is heard with the picture.") if sound.on else tr("The film is silent.")
