"""Where the music is heard: in the window, at a port that the composer chose, or both if they say so; never twice unasked."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot
from sittings import saved, scored
from sounding_films import RATE
from test_music_sound import Here
from test_music_with_the_picture import Fake
from test_sound import STEP, Sink

from bridge.player import Outlet, Route, Socket
from bridge.studio import Studio
from desktop.document import Document
from desktop.preferences import Preferences
from desktop.splice import FADE
from desktop.window import Window
from engines.errors import FilmError, MissingLibraryError

PATIENCE = 60_000
SYNTH = Socket("Synth", "SystemPort")


class Seat:
    """A window with a session, an output that the test plays, and a player that it speaks for."""

    def __init__(self, window: Window, bot: QtBot, players: list[Fake]) -> None:
        self.window, self.bot, self.players = window, bot, players
        self.sink, self.here = Sink(), Here()
        window.sound._make = lambda: self.sink
        window.sound.music._rendering = self.here

    @property
    def player(self) -> Fake:
        self.bot.waitUntil(lambda: bool(self.players), timeout=PATIENCE)
        return self.players[0]

    def name_a_port(self, *sockets: Socket) -> None:
        self.window.document.studio.playback.open(routes=(Route(Outlet("system", "Synth")),))
        self.player.say(outlets=sockets)

    def say_and_wait(self, seconds: Fraction, **values: Any) -> None:
        """The player speaks, and the window has heard it and all that was said before."""
        signal = self.window.document.transport_read
        with self.bot.waitSignal(signal, timeout=PATIENCE, check_params_cb=lambda read: read.seconds == float(seconds)):
            self.player.say(seconds=seconds, **values)

    def play(self, seconds: int = 2) -> None:
        """From two seconds into the film on, once the music there is in hand."""
        self.window.transport.locate(24 * seconds)
        music = self.window.sound.music
        music.want(seconds * RATE)
        self.bot.waitUntil(lambda: music.has(seconds * RATE, 4 * RATE), timeout=PATIENCE)
        self.window.transport.play(1)

    def loud(self) -> bool:
        """Whether anything is heard after the fade of what changes."""
        if not self.sink.on:
            return False
        self.sink.pull(FADE)
        return bool(np.abs(self.sink.pull(RATE // 4).astype(int)).max() > 200)

    def told(self) -> str:
        self.window.transport_bar.music.tell()
        return self.window.transport_bar.music.sign.accessibleDescription()

    def trigger(self, name: str) -> None:
        self.window.actions_by_name[name].trigger()


@pytest.fixture
def seat(qapp: object, preferences: Preferences, trio: str, tmp_path: Path, qtbot: QtBot) -> Iterator[Seat]:
    players: list[Fake] = []

    def make(**named: Any) -> Any:
        players.append(Fake(**named))
        return players[-1]

    preferences.set("music", True)
    window = Window(Document(Studio(make)), preferences)
    made = Seat(window, qtbot, players)
    for dock in window.docks.values():
        dock.hide()
    window.show()
    folder = tmp_path / "film" / "score"  # near which its film is looked for
    folder.mkdir(parents=True)
    assert made.told() == "There is no music yet."
    window.commands.take(saved(scored(), folder / "cue.hitpoint"))
    qtbot.waitUntil(lambda: window.timeline.sheet is not None and window.transport.timing.frames > 1, timeout=PATIENCE)
    yield made
    made.here.free.set()
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_session_is_opened_space_is_pressed_and_the_music_is_heard(seat: Seat) -> None:
    assert seat.told() == "The music is heard here."
    seat.play()
    assert seat.loud()
    assert seat.window.sound.plays_music
    seat.window.transport.toggle()
    assert not seat.sink.on


def test_what_is_chosen_or_taken_back_is_heard_from_then_on(seat: Seat) -> None:
    seat.play()
    assert seat.loud()
    document, music = seat.window.document, seat.window.sound.music
    document.do(lambda: document.studio.choose(1, None))
    seat.bot.waitUntil(lambda: music.has(2 * RATE, RATE) and music._now.key(1) == b"", timeout=PATIENCE)  # type: ignore[union-attr]
    assert not seat.loud()
    document.undo()
    seat.bot.waitUntil(lambda: music.has(2 * RATE, RATE) and music._now.key(1) != b"", timeout=PATIENCE)  # type: ignore[union-attr]
    assert seat.loud()


def test_a_port_that_the_composer_chose_has_the_music_to_itself(seat: Seat) -> None:
    seat.play()
    assert seat.loud()
    seat.player.say(outlets=(Socket("Hitpoint", "SystemPort"),), rolling=True, seconds=Fraction(2))
    assert seat.loud(), "a port of ours that nobody named: nobody knows whether it is heard"
    seat.name_a_port(SYNTH)
    assert not seat.loud()
    assert seat.told() == "The music is heard at Synth."
    assert not seat.window.transport_bar.music.slider.isEnabled()
    seat.player.say(outlets=(Socket("Synth", "closed", "Synth: unplugged"),))
    assert seat.loud(), "it went away"
    assert seat.told() == "The music is heard here."


def test_a_synthesiser_that_is_connected_through_jack_is_such_a_port(seat: Seat) -> None:
    seat.play()
    seat.player.say(outlets=(Socket("Hitpoint", "JackPort"),))
    assert seat.loud()
    seat.player.say(outlets=(Socket("Hitpoint", "JackPort", peers=("fluidsynth:midi",)),))
    assert not seat.loud()


def test_on_and_off_hold_whatever_the_ports_do_and_are_remembered(seat: Seat, preferences: Preferences) -> None:
    seat.play()
    seat.name_a_port(SYNTH)
    seat.trigger("built_in_on")
    assert seat.loud()
    assert seat.told() == "The music is heard here and at Synth."
    assert preferences.text("built_in") == "on"
    seat.trigger("built_in_off")
    assert not seat.loud()
    seat.player.say(outlets=())
    assert not seat.loud()
    assert seat.told() == "The music goes out to its MIDI ports alone."
    again = Window(Document(Studio()), preferences)
    assert again.built_in.mode == "off"
    assert [again.actions_by_name[f"built_in_{mode}"].isChecked() for mode in ("auto", "on", "off")] == [False, False, True]
    again.close()
    seat.trigger("built_in_auto")
    assert seat.loud()
    seat.window.built_in.choose("loudest")
    assert seat.window.built_in.mode == "auto"


def test_music_off_is_silence_here_and_at_the_ports(seat: Seat, preferences: Preferences) -> None:
    seat.play()
    seat.bot.waitUntil(lambda: ("play", None) in seat.player.told, timeout=PATIENCE)
    seat.window.transport_bar.music.sign.click()
    assert not seat.loud()
    seat.bot.waitUntil(lambda: seat.player.told[-1] == ("stop", None), timeout=PATIENCE)
    assert seat.told() == "The music is silent."
    assert not preferences.flag("music", True)
    seat.trigger("music")
    assert seat.loud()


def test_its_volume_is_its_own_and_is_remembered(seat: Seat, preferences: Preferences) -> None:
    box = seat.window.transport_bar.music
    box.slider.setValue(40)
    assert (seat.window.sound.music_volume, seat.window.sound.volume) == (0.4, 1.0)
    seat.trigger("music_louder")
    assert box.slider.value() == 50
    seat.trigger("music_softer")
    seat.trigger("music_softer")
    assert box.slider.toolTip() == "Volume of the music: 30 %"
    assert (preferences.number("music_volume", 1), preferences.number("volume", 1)) == (0.3, 1)


def test_the_picture_keeps_to_whatever_is_heard(seat: Seat) -> None:
    """The player's clock runs on its own: where nobody hears it, the picture and the music do not leap after it."""
    seat.play()
    righted: list[Fraction] = []
    seat.window.transport.righted.connect(righted.append)
    seat.bot.waitUntil(lambda: seat.window.heard._together, timeout=PATIENCE)
    seat.sink.pull(STEP)
    seat.say_and_wait(Fraction(9), rolling=True, speed=1.0, outlets=(Socket("Hitpoint", "SystemPort"),))
    assert righted == []
    seat.name_a_port(SYNTH)
    seat.player.say(rolling=True, seconds=Fraction(10), speed=1.0)
    seat.bot.waitUntil(lambda: bool(righted), timeout=PATIENCE)


def test_a_port_of_ours_that_cannot_be_opened_is_told_only_where_it_is_missed(seat: Seat) -> None:
    seat.play()
    closed = Socket("Hitpoint", "closed", "no MIDI system opens it")
    seat.player.say(outlets=(closed,), word="no MIDI system opens it", rolling=True)
    seat.say_and_wait(Fraction(3))
    assert "MIDI" not in seat.window.message.text, "the music is heard all the same"
    seat.trigger("built_in_off")
    seat.player.say(outlets=(closed,), word="no MIDI system opens it", rolling=False)
    seat.bot.waitUntil(lambda: "no MIDI system opens it" in seat.window.message.text, timeout=PATIENCE)


def test_without_an_output_the_box_says_so(seat: Seat) -> None:
    seat.window.sound._outlet = None
    seat.window.sound._make = lambda: "No sound output on this machine: the picture plays alone."
    seat.window.transport.play(1)
    assert seat.told() == "No sound output on this machine: the picture plays alone."
    assert not seat.window.transport_bar.music.sign.heard


def test_a_film_whose_sound_breaks_takes_no_music_along(seat: Seat) -> None:
    seat.play()
    seat.window.sound._failed(FilmError("the film's sound cannot be decoded"))
    assert seat.loud()
    assert seat.told() == "The music is heard here."


def test_music_that_cannot_be_rendered_is_a_line_and_the_box_says_so(seat: Seat) -> None:
    seat.here.error = MissingLibraryError("no soundfont", cure="install one")
    seat.window.sound.music.want(0)
    seat.bot.waitUntil(lambda: "no soundfont" in seat.window.message.text, timeout=PATIENCE)
    assert seat.told() == "no soundfont; install one"
    seat.here.error = None
    seat.trigger("music")
    seat.trigger("music")
    seat.play()
    assert seat.loud()


def test_a_tempo_map_that_is_tried_is_heard_without_the_music_of_another(seat: Seat) -> None:
    """The panel of candidates keeps the music away while their clicks are heard."""
    seat.play()
    assert seat.loud()
    seat.window.heard.switch(False)
    assert not seat.loud()
    seat.window.heard.switch(True)
    assert seat.loud()


def test_while_the_daw_leads_the_composer_is_asked(seat: Seat, preferences: Preferences) -> None:
    assert not seat.window.sound.music_while_led
    seat.trigger("music_led")
    assert seat.window.sound.music_while_led
    assert preferences.flag("music_led", False)
    assert not seat.window.sound.while_led, "the film is another matter"
