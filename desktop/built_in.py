"""The built-in sound of the music: whether the window itself is to sound the takes, or leaves that to the MIDI ports they go out to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from PyQt6.QtCore import QObject, pyqtSignal

if TYPE_CHECKING:
    from bridge.events import SessionChanged, TransportRead
    from desktop.document import Document
    from desktop.heard import Heard
    from desktop.sound import Sound

Mode = Literal["auto", "on", "off"]
"""``auto`` is on where no MIDI port is known to sound, so that nothing is silent and nothing is heard twice."""
MODES: tuple[Mode, ...] = get_args(Mode)


class BuiltIn(QObject):
    """Between the document, the player and the sound of one window."""

    changed = pyqtSignal()  # where the music is heard

    def __init__(self, document: Document, heard: Heard, sound: Sound, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mode: Mode = "auto"
        self.heard, self.sound = heard, sound
        self._playback = document.studio.playback
        self._told: tuple[bool, tuple[str, ...]] = (True, ())
        sound.music_wanted = self.sounds
        heard.leads = lambda: bool(self.ports) or not sound.plays_music
        self._playback.elsewhere = lambda: self.sounds() and not sound.deaf
        heard.switched.connect(self._switched)
        document.session_changed.connect(self._session_changed)
        document.transport_read.connect(self._read)
        sound.music.failed.connect(document.refused)
        sound.music.failed.connect(lambda _: self.changed.emit())
        sound.changed.connect(self.changed)

    @property
    def ports(self) -> tuple[str, ...]:
        """Where the music is heard by MIDI."""
        return self._playback.sounds

    def sounds(self) -> bool:
        """Whether the window is to sound the music. From any thread."""
        return self.heard.on and (self.mode == "on" or (self.mode == "auto" and not self.ports))

    def choose(self, mode: str) -> None:
        """Another mode; a word that is none is ``auto``."""
        self.mode = next((known for known in MODES if known == mode), "auto")
        self._tell()

    def _switched(self, on: bool) -> None:
        if on:
            self.sound.try_again()
        self._tell()

    def _session_changed(self, event: SessionChanged) -> None:
        if event.change != "saved":
            self.sound.show(None if event.now is None else event.now.session, event.change == "opened")

    def _read(self, read: TransportRead) -> None:
        """The player spoke: a port may have come or gone."""
        if (self.sounds(), self.ports) != self._told:
            self._tell()

    def _tell(self) -> None:
        self._told = self.sounds(), self.ports
        self.sound.reconsider()
        self.changed.emit()
