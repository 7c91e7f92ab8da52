"""Which ports: where transports are heard, where notes go, and where timecode and clock do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QComboBox, QMenu, QSizePolicy, QStyleOptionToolButton, QToolButton, QWidget

from bridge.playback import OFF, SENT, Playback, lead_of
from desktop.language import words
from desktop.preferences import Preferences
from engines.errors import OptionError

tr = words("links")

ROOM = 28
"""Pixels of a button beside its words."""
VIRTUAL = "virtual"
JACK, LINK = "jack transport", "link"


class Inlets(QToolButton):
    """A list of ports to tick; several may be heard at once, and the best leads."""

    chosen = pyqtSignal(object)  # the Inlets that are ticked

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ticked = {(VIRTUAL, "")}
        self._ports: tuple[str, ...] = ()
        self._menu = QMenu(self)
        self.setMenu(self._menu)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setAccessibleName(tr("Where timecode is heard"))
        self.setToolTip(tr("Ports in which MIDI timecode, clock and machine control are heard; several may be ticked"))
        self.offer(())

    @property
    def inlets(self) -> tuple[Any, ...]:
        """What is ticked."""
        from bridge.player import Inlet

        return tuple(Inlet(kind, name) if name else Inlet(kind) for kind, name in sorted(self._ticked))  # type: ignore[arg-type]

    def offer(self, ports: Sequence[str]) -> None:
        """The ports of other programs that there are now; what was ticked and is gone stays ticked, and is waited for."""
        self._ports = tuple(ports)
        gone = sorted(name for kind, name in self._ticked if kind == "system" and name not in ports)
        self._menu.clear()
        rows = [(VIRTUAL, "", tr("our own port, “Hitpoint sync”")), *(("system", name, name) for name in (*ports, *gone))]
        rows += [(JACK, "", tr("JACK transport")), (LINK, "", tr("Ableton Link"))]
        for kind, name, text in rows:
            action = QAction(text, self._menu)
            action.setCheckable(True)
            action.setChecked((kind, name) in self._ticked)
            action.toggled.connect(lambda on, what=(kind, name): self._tick(what, on))
            self._menu.addAction(action)
        self._say()

    def _tick(self, what: tuple[str, str], on: bool) -> None:
        self._ticked = self._ticked | {what} if on else self._ticked - {what}
        self._say()
        self.chosen.emit(self.inlets)

    def _say(self) -> None:
        words = [action.text() for action in self._menu.actions() if action.isChecked()]
        self.setText(", ".join(words) or tr("nothing"))

    def initStyleOption(self, option: QStyleOptionToolButton | None) -> None:  # noqa: N802  Qt's name
        super().initStyleOption(option)
        if option is not None:
            option.text = option.fontMetrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, max(0, self.width() - ROOM))


class Outlets(QComboBox):
    """Where all stems go; single stems are routed on the command line and over OSC."""

    chosen = pyqtSignal(object)  # the Outlet

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Where notes go"))
        self.setToolTip(tr("The MIDI port into which the takes are played"))
        self.offer(())
        self.activated.connect(lambda _: self.chosen.emit(self.outlet))

    def offer(self, ports: Sequence[str]) -> None:
        """The ports of other programs that there are now."""
        kept = self.currentData()
        self.clear()
        self.addItem(tr("the best port that opens"), "auto")
        self.addItem(tr("our own port, “Hitpoint”"), VIRTUAL)
        for name in ports:
            self.addItem(name, f"system:{name}")  # text: tuples are not found again
        self.setCurrentIndex(max(0, self.findData(kept)))

    @property
    def outlet(self) -> Any:
        """What is chosen."""
        from bridge.player import Outlet

        kind, _, name = self.currentData().partition(":")
        return Outlet(kind, name) if name else Outlet(kind)


class Sends(QComboBox):
    """Where ``timecode`` or ``clock`` goes while the window leads; what is chosen is remembered from one day to the next."""

    chosen = pyqtSignal(str)  # the port, as `lead_of` reads it

    def __init__(self, what: str, playback: Playback, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.what, self._playback = what, playback
        said = {"timecode": tr("Where timecode goes"), "clock": tr("Where the beat clock goes")}
        tips = {
            "timecode": tr("The MIDI port out of which a DAW or a lighting desk gets timecode (MTC) while the window leads"),
            "clock": tr(
                "The MIDI port out of which a DAW or a lighting desk gets MIDI clock along the cue's tempo while the window leads"
            ),
        }
        self.setAccessibleName(said[what])
        self.setToolTip(tips[what])
        self.offer(())
        self.activated.connect(lambda _: self.chosen.emit(self.currentData()))

    def offer(self, ports: Sequence[str]) -> None:
        """The ports of other programs that there are now; one that is chosen and gone stays chosen, and is waited for."""
        outlet = self._playback.sends.get(self.what)
        now = OFF if outlet is None else "auto" if outlet.name == SENT[self.what] else f"{outlet.kind}:{outlet.name}"
        self.clear()
        self.addItem(tr("nowhere"), OFF)
        self.addItem(tr("our own port, “{}”").format(SENT[self.what]), "auto")
        for name in ports:
            self.addItem(name, f"system:{name}")
        if self.findData(now) < 0:
            self.addItem(now.partition(":")[2], now)
        self.setCurrentIndex(self.findData(now))


def sent_as_kept(playback: Playback, preferences: Preferences) -> None:
    """Timecode and clock go where they went the last time."""
    for what in SENT:
        with suppress(OptionError):  # no port of ours
            playback.lead(**{what: lead_of(preferences.text(f"send/{what}", OFF), what)})
