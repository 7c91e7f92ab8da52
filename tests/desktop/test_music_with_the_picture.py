"""The music with the picture: the player hears what the window plays, the picture keeps to the player, and follows it where a DAW leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot
from sittings import saved, scored, unscored

from bridge.chase import Reading
from bridge.events import TransportRead
from bridge.player.messages import Outlet, Status
from bridge.studio import Studio
from desktop.document import Document
from desktop.preferences import Preferences
from desktop.window import Window
from engines.errors import PortError

PATIENCE = 60_000


class Fake:
    """A player without ports and without a process, which writes down what it is told."""

    def __init__(self, on_status: Callable[[Status], None], **rest: Any) -> None:
        self.status = Status()
        self.told: list[tuple[str, object]] = []
        self._on_status = on_status

    def say(self, **values: Any) -> None:
        self.status = replace(self.status, **values)
        self._on_status(self.status)

    def play(self, *rest: object) -> int:
        self.told.append(("play", None))
        return 0

    def stop(self) -> int:
        self.told.append(("stop", None))
        return 0

    def locate(self, seconds: Fraction) -> int:
        self.told.append(("locate", Fraction(seconds)))
        return 0

    def follow(self, source: str | None = None) -> int:
        self.told.append(("follow", source))
        return 0

    def __getattr__(self, name: str) -> Callable[..., int]:
        return lambda *args, **named: 0


@pytest.fixture
def player() -> list[Fake]:
    return []


@pytest.fixture
def heard(
    qapp: object, preferences: Preferences, player: list[Fake], trio: str, tmp_path: Path, qtbot: QtBot
) -> Iterator[Window]:
    """A window with a session open, and music."""

    def make(**named: Any) -> Any:
        player.append(Fake(**named))
        return player[-1]

    preferences.set("music", True)
    preferences.set("built_in", "off")  # a machine with a sound output would go by that
    window = Window(Document(Studio(make)), preferences)
    for dock in window.docks.values():
        dock.hide()
    window.show()
    folder = tmp_path / "film" / "score"  # near which its film is looked for
    folder.mkdir(parents=True)
    window.commands.take(saved(scored(), folder / "cue.hitpoint"))
    qtbot.waitUntil(lambda: window.timeline.sheet is not None and window.transport.timing.frames > 1, timeout=PATIENCE)
    yield window
    window.close()
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


class Clock:
    """Nanoseconds for the picture and for what is heard, turned by hand."""

    def __init__(self, window: Window) -> None:
        self.ns = 1
        window.transport._clock = window.heard._clock = lambda: self.ns

    def turn(self, seconds: Fraction | int) -> None:
        self.ns += round(seconds * 10**9)


def together(window: Window, qtbot: QtBot) -> None:
    """Waits until the music plays with the picture."""
    qtbot.waitUntil(lambda: window.heard._together, timeout=PATIENCE)


def test_space_plays_the_music_from_the_frame_that_is_shown(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    Clock(heard)
    heard.transport.locate(100)
    assert player == [], "nothing is started before there is something to hear"
    heard.transport.toggle()
    qtbot.waitUntil(lambda: bool(player) and ("play", None) in player[0].told, timeout=PATIENCE)
    assert player[0].told[:2] == [("locate", Fraction(100, 24)), ("play", None)]
    heard.transport.toggle()
    qtbot.waitUntil(lambda: player[0].told[-1] == ("stop", None), timeout=PATIENCE)


def test_music_that_takes_its_time_joins_the_picture_where_that_is(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    clock, shown, up = Clock(heard), list[int](), Event()
    heard.transport.moved.connect(shown.append)

    def settle(timeout: float = 0) -> None:
        if not up.wait(timeout):
            raise PortError("nothing came", where="player")

    qtbot.waitUntil(lambda: heard.document.now is not None, timeout=PATIENCE)
    heard.document.studio.playback.open()
    player[0].settle = settle  # type: ignore[attr-defined]  # its process is being started
    heard.transport.locate(100)
    heard.transport.toggle()
    clock.turn(1)
    heard.transport.look()
    assert heard.transport.frame == 124, "the picture waits for nobody"
    assert player[0].told == []
    player[0].say(rolling=True, seconds=Fraction(1), speed=1.0, moment=clock.ns)  # of another place, on its way since then
    up.set()
    together(heard, qtbot)
    assert player[0].told == [("locate", Fraction(124, 24)), ("play", None)]
    assert heard.transport.frame == 124
    clock.turn(Fraction(1, 10))
    player[0].say(seconds=Fraction(124, 24) + Fraction(3, 100), moment=clock.ns)  # it began 70 ms late
    qtbot.waitUntil(lambda: heard.transport._from[1] == clock.ns, timeout=PATIENCE)
    heard.transport.look()
    for _ in range(20):
        clock.turn(Fraction(1, 100))
        heard.transport.look()
    assert heard.transport.frame == heard.transport.timing.at(Fraction(124, 24) + Fraction(23, 100)), "they are together"
    assert shown[1:] == sorted(shown[1:]), "and no frame came twice"


def test_a_click_on_the_timeline_while_it_rolls_takes_the_music_along_and_stays(
    heard: Window, player: list[Fake], qtbot: QtBot
) -> None:
    clock = Clock(heard)
    heard.transport.toggle()
    together(heard, qtbot)
    gate, frames = Event(), list[int]()
    player[0].settle = lambda timeout=0: gate.wait(60)  # type: ignore[attr-defined]  # it is slow to obey
    heard.transport.locate(200)
    heard.transport.moved.connect(frames.append)
    clock.turn(Fraction(1, 20))
    player[0].say(rolling=True, seconds=Fraction(1, 2), speed=1.0, moment=clock.ns)
    gate.set()
    together(heard, qtbot)
    heard.transport.look()
    assert frames == [201]
    assert player[0].told[-2:] == [("locate", Fraction(200, 24) + Fraction(1, 20)), ("play", None)]


def test_who_stops_before_the_player_is_there_hears_nothing(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    heard.document.studio.playback.open()
    asked = Event()

    def settle(timeout: float = 0) -> None:
        asked.set()
        raise PortError("nothing came", where="player")

    player[0].settle = settle  # type: ignore[attr-defined]
    heard.transport.toggle()
    qtbot.waitUntil(asked.is_set, timeout=PATIENCE)
    heard.transport.toggle()
    qtbot.waitUntil(lambda: player[0].told == [("stop", None)], timeout=PATIENCE)
    assert "nothing came" not in heard.message.text


def test_who_gets_our_timecode_goes_where_the_picture_goes_while_nobody_else_leads(
    heard: Window, player: list[Fake], qtbot: QtBot
) -> None:
    heard.document.studio.playback.lead(timecode=Outlet("memory", "desk"))
    heard.transport.locate(48)
    qtbot.waitUntil(lambda: bool(player) and ("locate", Fraction(2)) in player[0].told, timeout=PATIENCE)
    heard.actions_by_name["follow"].trigger()
    qtbot.waitUntil(lambda: ("follow", None) in player[0].told, timeout=PATIENCE)
    heard.transport.locate(72)
    heard.actions_by_name["follow"].trigger()
    qtbot.waitUntil(lambda: ("stop", None) in player[0].told, timeout=PATIENCE)
    assert ("locate", Fraction(3)) not in player[0].told, "that would take the player off the DAW"


def test_a_shuttle_is_silent_and_a_picture_alone_too(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    heard.transport.shuttle(1)
    qtbot.waitUntil(lambda: bool(player) and ("play", None) in player[0].told, timeout=PATIENCE)
    heard.transport.shuttle(1)
    qtbot.waitUntil(lambda: player[0].told[-1] == ("stop", None), timeout=PATIENCE)
    heard.transport.stop()
    heard.actions_by_name["music"].trigger()
    before = list(player[0].told)
    heard.transport.toggle()
    heard.transport.toggle()
    qtbot.wait(50)
    assert player[0].told == before
    assert not heard.preferences.flag("music", True)


def test_the_picture_is_set_right_by_the_players_clock(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    clock = Clock(heard)
    transport = heard.transport
    transport.locate(0)
    transport.play(1)
    together(heard, qtbot)
    clock.turn(2)
    transport.look()
    said = clock.ns
    clock.turn(Fraction(1, 20))  # for so long it is on its way
    player[0].say(rolling=True, seconds=Fraction(3, 2), speed=1.0, moment=said)  # the music is half a second behind
    qtbot.waitUntil(lambda: transport._from == (Fraction(3, 2) + Fraction(1, 20), clock.ns), timeout=PATIENCE)
    transport.look()
    assert transport.frame == 48, "the picture waits for it"
    clock.turn(Fraction(3, 5))
    transport.look()
    assert transport.frame == 51
    held = transport._from
    player[0].say(seconds=Fraction(43, 20) + Fraction(1, 100), moment=clock.ns)  # a hundredth is nothing that an eye sees
    qtbot.wait(50)
    assert transport._from == held
    clock.turn(Fraction(1, 24))
    player[0].say(seconds=Fraction(1, 2), moment=clock.ns)  # the music itself goes back: a loop
    qtbot.waitUntil(lambda: transport.frame == 12, timeout=PATIENCE)


def test_the_daw_leads_and_the_picture_goes_with_it(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    clock = Clock(heard)
    heard.actions_by_name["follow"].trigger()
    qtbot.waitUntil(lambda: bool(player) and ("follow", None) in player[0].told, timeout=PATIENCE)
    reading = Reading("locked", Fraction(5), None, 120, 1.0, 0.0, 0.4, "Reaper", "Reaper leads")
    player[0].say(follows=True, reading=reading, rolling=True, seconds=Fraction(5), speed=1.0, moment=clock.ns)
    qtbot.waitUntil(lambda: heard.transport.frame == 120, timeout=PATIENCE)
    clock.turn(Fraction(1, 2))
    qtbot.waitUntil(lambda: heard.transport.frame == 132, timeout=PATIENCE)
    heard.transport.locate(3)
    assert heard.transport.frame == 132
    heard.actions_by_name["follow"].trigger()
    qtbot.waitUntil(lambda: player[0].told[-1] == ("stop", None), timeout=PATIENCE)
    heard.transport.locate(3)
    assert heard.transport.frame == 3


def test_what_the_player_says_of_its_ports_is_one_line(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    heard.transport.play(1)
    qtbot.waitUntil(lambda: bool(player), timeout=PATIENCE)
    player[0].say(word="the port went away; plug it in again")
    qtbot.waitUntil(lambda: "the port went away" in heard.message.text, timeout=PATIENCE)


def test_what_was_read_is_told_on_the_windows_thread(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    read: list[TransportRead] = []
    heard.document.transport_read.connect(read.append)
    heard.transport.play(1)
    qtbot.waitUntil(lambda: bool(player), timeout=PATIENCE)
    player[0].say(rolling=True, seconds=Fraction(1), speed=1.0)
    qtbot.waitUntil(lambda: bool(read), timeout=PATIENCE)
    assert (read[0].seconds, read[0].rolling) == (1.0, True)


def test_silent_scenes_start_no_player_until_there_is_something_to_hear(
    heard: Window, player: list[Fake], tmp_path: Path, qtbot: QtBot
) -> None:
    heard.document.open(saved(unscored(), tmp_path / "silent.hitpoint"))
    qtbot.waitUntil(
        lambda: heard.document.now is not None and heard.document.now.path.name == "silent.hitpoint", timeout=PATIENCE
    )
    heard.transport.locate(10)
    heard.transport.play(1)
    heard.transport.locate(20)
    qtbot.wait(50)
    assert player == [], "no MIDI port is asked for silence"
    heard.document.refill(1)
    qtbot.waitUntil(lambda: bool(player) and ("play", None) in player[0].told, timeout=PATIENCE)
    assert heard.transport.speed == 1
    heard.transport.stop()
    qtbot.waitUntil(lambda: player[0].told[-1] == ("stop", None), timeout=PATIENCE)
