"""The row under the picture: where it is in timecode, frames, bars and beats, how fast it goes, who leads, and the next thing to do."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from PyQt6.QtCore import QEvent, QSize, Qt
from PyQt6.QtGui import QAction, QResizeEvent
from PyQt6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from bridge.chase import Reading
from desktop import theme
from desktop.actions import Actions, plain
from desktop.built_in import BuiltIn
from desktop.eliding import Elided
from desktop.language import is_another, words
from desktop.sheet import Sheet
from desktop.sound_box import MusicBox, SoundBox
from desktop.transport import Transport

tr = words("transport")
LEAST = 0
"""Pixels that bar and frame need: they give way."""


class TransportBar(QWidget):
    """Reads the transport; its buttons are the window's own actions."""

    def __init__(self, transport: Transport, actions: Actions, built_in: BuiltIn, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.transport, self._actions = transport, actions
        self._sheet: Sheet | None = None
        self._timecode = self._figures(16.0, bold=True)
        self._bar = self._figures(11.0)
        self._frame = self._figures(9.0)
        self._state = Elided(self)
        self._buttons = [self._button(actions[name], glyph) for name, glyph in GLYPHS]
        self.score = QPushButton(self)
        self.score.setProperty("primary", True)
        self.score.clicked.connect(actions["score"].trigger)
        tipped(self.score, actions["score"])
        self.score.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(2 * theme.GAP, theme.GAP, 2 * theme.GAP, theme.GAP)
        row.setSpacing(theme.GAP)
        row.addWidget(self._timecode)
        row.addSpacing(2 * theme.GAP)
        row.addWidget(self._bar)
        row.addSpacing(2 * theme.GAP)
        row.addWidget(self._frame)
        row.addStretch(1)
        for button in self._buttons:
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self._state)
        self.music, self.sound = MusicBox(built_in, actions["music"], self), SoundBox(built_in.sound, actions["sound"], self)
        row.addWidget(self.music)
        row.addWidget(self.sound)
        row.addWidget(self.score)
        transport.moved.connect(self._tell)
        transport.rolled.connect(self._rolled)
        transport.followed.connect(self._followed)
        self.speak()

    def speak(self) -> None:
        """Says everything again, in the language that the window speaks now."""
        self._timecode.setAccessibleName(tr("Timecode"))
        self._bar.setAccessibleName(tr("Bar and beat"))
        self._frame.setAccessibleName(tr("Frame"))
        self._state.setAccessibleName(tr("Transport"))
        self.score.setText(tr("Score it"))
        for button, (name, _) in zip(self._buttons, GLYPHS, strict=True):
            button.setAccessibleName(plain(self._actions[name].text()))
        self._tell(self.transport.frame)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        super().resizeEvent(event)
        self._give_way()

    def event(self, event: QEvent | None) -> bool:
        done = super().event(event)
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._give_way()
        return done

    def _give_way(self) -> None:
        """Where it is narrow, first the frame is left out, then bar and beat: the buttons stay, and no figure is cut."""
        row = self.layout()
        if row is None:
            return
        sides = {part: part.sizeHint().width() + row.spacing() for part in (self._bar, self._frame)}
        need = row.sizeHint().width() - sum(side for part, side in sides.items() if not part.isHidden())
        for part, side in sides.items():
            need += side
            if part.isHidden() == (need <= self.width()):
                part.setVisible(need <= self.width())

    def draw(self, sheet: Sheet | None) -> None:
        """Takes start, rate and bars."""
        self._sheet = sheet
        self._tell(self.transport.frame)

    def _tell(self, frame: int) -> None:
        sheet = self._sheet
        if sheet is None:
            self._timecode.setText("--:--:--:--")
            self._bar.setText("")
            self._frame.setText("")
            return
        self._timecode.setText(str(sheet.start + frame))
        self._frame.setText(tr("frame {}").format(frame))
        self._bar.setText(place_in_bars(sheet, float(self.transport.seconds)))

    def _rolled(self, speed: float) -> None:
        play = self._buttons[2]
        play.setText("■" if speed else "▶")
        self._state.setText("" if speed in (0, 1) else f"{speed:+g}×")

    def _followed(self, reading: Reading | None) -> None:
        if reading is None:
            self._state.setText("")
        else:
            self._state.setText(tr("follows {}: {}").format(reading.leader or "…", reading.state))
            self._state.setToolTip(reading.why)

    def _figures(self, points: float, bold: bool = False) -> QLabel:
        label = QLabel(self) if bold else Elided(self, LEAST)
        label.setFont(theme.figures(points, bold))
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return label

    def _button(self, action: QAction, glyph: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(glyph)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setFixedSize(QSize(34, theme.ROW))
        button.clicked.connect(action.trigger)
        tipped(button, action)
        return button


def tipped(button: QAbstractButton, action: QAction) -> None:
    """Lets a button say what its action says, also where that says why it cannot be done."""
    button.setToolTip(action.toolTip())
    action.changed.connect(lambda: button.setToolTip(action.toolTip()))


GLYPHS = (("cut_back", "|◀"), ("frame_back", "◂"), ("play", "▶"), ("frame_on", "▸"), ("cut_on", "▶|"))
"""The buttons: the action that each triggers, and its sign."""


def place_in_bars(sheet: Sheet, seconds: float) -> str:
    """Bar and beat at a moment, as DAWs write it: ``12|3``; nothing where there are no bars."""
    bar = sheet.bar_at(seconds)
    if bar < 0:
        return ""
    first = int(np.searchsorted(sheet.beats, sheet.bars[bar] - 1e-6))
    beat = bisect_right(sheet.beats.tolist(), seconds + 1e-6, lo=first) - first
    tempo = sheet.tempo[max(0, int(np.searchsorted(sheet.tempo_at, seconds, side="right")) - 1)]
    return f"{bar + 1}|{max(1, beat)}   {sheet.metres[bar]}   {tempo:.2f}"
