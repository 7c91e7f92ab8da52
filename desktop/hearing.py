"""What the menus do to what is heard: film and music on and off, louder and softer, while a DAW leads, and where the music sounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.built_in import MODES

if TYPE_CHECKING:
    from desktop.window import Window

LOUDER = 0.1
"""A step of a volume."""
ROWS = {
    *("sound", "louder", "softer", "sound_led", "music_louder", "music_softer", "music_led"),
    *(f"built_in_{mode}" for mode in MODES),
}
"""What can be done before anything is open."""
SAID_MS = 8_000
"""Milliseconds for which the line at the bottom says why nothing is heard."""


class Hearing:
    """One window's. What is chosen here is remembered."""

    def __init__(self, window: Window) -> None:
        self.window = window

    def restore(self) -> None:
        """All as it was left."""
        window, kept, sound = self.window, self.window.preferences, self.window.sound
        window.heard.on = kept.flag("music", True)
        window.built_in.choose(kept.text("built_in", "auto"))
        sound.switch(kept.flag("sound", True))
        sound.while_led, sound.music_while_led = kept.flag("sound_led", False), kept.flag("music_led", False)
        sound.turn_to(kept.number("volume", 1.0))
        sound.turn_music_to(kept.number("music_volume", 1.0))
        for name, on in (
            *(("music", window.heard.on), ("sound", sound.on), ("sound_led", sound.while_led)),
            *(("music_led", sound.music_while_led), (f"built_in_{window.built_in.mode}", True)),
        ):
            window.actions_by_name[name].setChecked(on)
        sound.changed.connect(self._changed)

    def music(self) -> None:
        """Music with the picture, or the picture alone."""
        self.window.heard.switch(self._checked("music"))

    def music_led(self) -> None:
        """The built-in sound of the music while the DAW leads, too, or not."""
        self.window.sound.listen_to_music_while_led(self._checked("music_led"))

    def music_louder(self) -> None:
        """The music a step louder."""
        self.window.sound.turn_music_to(self.window.sound.music_volume + LOUDER)

    def music_softer(self) -> None:
        """The music a step softer."""
        self.window.sound.turn_music_to(self.window.sound.music_volume - LOUDER)

    def built_in_auto(self) -> None:
        """The window sounds the music where no MIDI port does."""
        self._built_in("auto")

    def built_in_on(self) -> None:
        """The window sounds the music, whatever the ports do."""
        self._built_in("on")

    def built_in_off(self) -> None:
        """The music goes to the ports alone."""
        self._built_in("off")

    def sound(self) -> None:
        """The film's sound with the picture, or not."""
        self.window.sound.switch(self._checked("sound"))

    def sound_led(self) -> None:
        """The film's sound while the DAW leads, too, or not."""
        self.window.sound.listen_while_led(self._checked("sound_led"))

    def louder(self) -> None:
        """The film a step louder."""
        self.window.sound.turn_to(self.window.sound.volume + LOUDER)

    def softer(self) -> None:
        """The film a step softer."""
        self.window.sound.turn_to(self.window.sound.volume - LOUDER)

    def _checked(self, name: str) -> bool:
        on = self.window.actions_by_name[name].isChecked()
        self.window.preferences.set(name, on)
        return on

    def _built_in(self, mode: str) -> None:
        self.window.preferences.set("built_in", mode)
        self.window.built_in.choose(mode)

    def _changed(self) -> None:
        window, sound = self.window, self.window.sound
        for key, volume in (("volume", sound.volume), ("music_volume", sound.music_volume)):
            if volume != window.preferences.number(key, 1.0):
                window.preferences.set(key, f"{volume:.2f}")
        if sound.word != window.viewer.toolTip():
            window.viewer.setToolTip(sound.word)
            status = window.statusBar()
            assert status is not None
            status.showMessage(sound.word, SAID_MS)
