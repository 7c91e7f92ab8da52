"""How loud film and music are, and whether they are heard: signs that say by shape and in words why one may be silent, and sliders."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QAction, QEnterEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QHBoxLayout, QSlider, QToolButton, QWidget

from desktop import theme
from desktop.built_in import BuiltIn
from desktop.language import is_another, words
from desktop.sound import Sound

tr = words("sound")
WIDE = 64
"""Pixels of the slider."""
STEP = 10
"""Of a hundred, for the wheel and a key."""


def loudspeaker(painter: QPainter) -> None:
    """The film's sign."""
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in ((-6, -2), (-3, -2), (1, -6), (1, 6), (-3, 2), (-6, 2))]))


def note(painter: QPainter) -> None:
    """The music's sign."""
    painter.drawEllipse(QRectF(-6, 1.5, 6, 4.5))
    painter.drawRect(QRectF(-1.4, -7, 1.4, 10.5))
    painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in ((-1.4, -7), (2.5, -4), (2.5, -1.5), (-1.4, -4))]))


class Sign(QToolButton):
    """Shows waves where something is heard, a cross where it is not; pressed, it changes between the two."""

    def __init__(self, draw: Callable[[QPainter], None], action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draw, self._action = draw, action
        self.heard, self.loud = False, True
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setFixedSize(QSize(30, theme.ROW))
        self.clicked.connect(action.trigger)

    def tell(self, heard: bool, volume: float, name: str, said: str) -> None:
        """Shows how it stands, and says it in words."""
        self.heard, self.loud = heard, volume > 0.5
        self.setAccessibleName(name)
        self.setAccessibleDescription(said)
        self.setToolTip(f"{said} ({self._action.shortcut().toString()})")
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(self.width() / 2 - 3, self.height() / 2)
        colour = theme.current().colour("text" if self.heard else "faint")
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        self._draw(painter)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour, 1.4))
        if self.heard:
            for size in (3.5, 7.0) if self.loud else (3.5,):
                painter.drawArc(
                    QRectF(1 - size, -size, 2 * size, 2 * size), -45 * 16, 90 * 16
                )  # Qt counts sixteenths of a degree
        else:
            painter.drawLine(QPointF(4, -3), QPointF(10, 3))
            painter.drawLine(QPointF(4, 3), QPointF(10, -3))


class Box(QWidget):
    """A sign and a slider, which ``turn`` is told."""

    def __init__(
        self, draw: Callable[[QPainter], None], action: QAction, turn: Callable[[float], object], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.sign = Sign(draw, action, self)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(STEP)
        self.slider.setFixedWidth(WIDE)
        self.slider.valueChanged.connect(lambda value: turn(value / 100))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.sign)
        row.addWidget(self.slider)

    def tell(self) -> None:
        """Shows how the sound stands."""

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.tell()
        super().changeEvent(event)

    def enterEvent(self, event: QEnterEvent | None) -> None:  # noqa: N802  Qt's name
        self.tell()  # a port may have come or gone meanwhile
        super().enterEvent(event)

    def _show_volume(self, volume: float, enabled: bool, name: str, tip: str) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(round(100 * volume))
        self.slider.blockSignals(False)
        self.slider.setEnabled(enabled)
        self.slider.setAccessibleName(name)
        self.slider.setToolTip(tip.format(round(100 * volume)))


class SoundBox(Box):
    """The film's."""

    def __init__(self, sound: Sound, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(loudspeaker, action, sound.turn_to, parent)
        self.sound = sound
        sound.changed.connect(self.tell)
        self.tell()

    def tell(self) -> None:
        """Shows how the sound stands."""
        sound = self.sound
        self._show_volume(sound.volume, sound.film is not None, tr("Volume of the film"), tr("Volume of the film: {} %"))
        heard = sound.on and sound.film is not None and not sound.word
        self.sign.tell(heard, sound.volume, tr("The film's sound"), self._said())

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.sound.tell_again()
        super().changeEvent(event)

    def _said(self) -> str:
        sound = self.sound
        if sound.word:
            return sound.word
        if sound.film is None:
            return tr("This film has no sound.")
        return tr("The film is heard with the picture.") if sound.on else tr("The film is silent.")


class MusicBox(Box):
    """The music's. Its slider is for what is heard here; how loud a port is its synthesiser decides."""

    def __init__(self, built_in: BuiltIn, action: QAction, parent: QWidget | None = None) -> None:
        super().__init__(note, action, built_in.sound.turn_music_to, parent)
        self.built_in = built_in
        built_in.changed.connect(self.tell)
        self.tell()

    def tell(self) -> None:
        """Shows where the music is heard."""
        sound = self.built_in.sound
        here = sound.music.there and self.built_in.sounds()
        self._show_volume(sound.music_volume, here, tr("Volume of the music"), tr("Volume of the music: {} %"))
        heard = (
            sound.music.there
            and self.built_in.heard.on
            and (bool(self.built_in.ports) or (here and not sound.deaf and not sound.music.fault))
        )
        self.sign.tell(heard, sound.music_volume, tr("The music"), self._said(here))

    def _said(self, here: bool) -> str:
        built_in, ports = self.built_in, ", ".join(self.built_in.ports)
        if not built_in.sound.music.there:
            return tr("There is no music yet.")
        if not built_in.heard.on:
            return tr("The music is silent.")
        if here and (why := built_in.sound.deaf or built_in.sound.music.fault):
            return why
        if here:
            return tr("The music is heard here and at {}.").format(ports) if ports else tr("The music is heard here.")
        if ports:
            return tr("The music is heard at {}.").format(ports)
        return tr("The music goes out to its MIDI ports alone.")
