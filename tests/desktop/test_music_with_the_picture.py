"""The music with the picture: the player hears what the window plays, the picture keeps to the player, and follows it where a DAW leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QCoreApplication, QEvent
from pytestqt.qtbot import QtBot
from sittings import saved, scored

from bridge.chase import Reading
from bridge.events import TransportRead
from bridge.player.messages import Outlet, Status
from bridge.studio import Studio
from desktop.document import Document
from desktop.preferences import Preferences
from desktop.window import Window

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


def test_space_plays_the_music_from_the_frame_that_is_shown(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    heard.transport.locate(100)
    assert player == [], "nothing is started before there is something to hear"
    heard.transport.toggle()
    qtbot.waitUntil(lambda: bool(player) and ("play", None) in player[0].told, timeout=PATIENCE)
    assert player[0].told[:2] == [("locate", Fraction(100, 24)), ("play", None)]
    heard.transport.toggle()
    qtbot.waitUntil(lambda: player[0].told[-1] == ("stop", None), timeout=PATIENCE)


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
    now = {"ns": 0}
    heard.transport._clock = lambda: now["ns"]
    heard.transport.locate(0)
    heard.transport.play(1)
    qtbot.waitUntil(lambda: bool(player) and ("play", None) in player[0].told, timeout=PATIENCE)
    now["ns"] = 2_000_000_000
    player[0].say(rolling=True, seconds=Fraction(3, 2), speed=1.0)  # it began half a second late
    qtbot.waitUntil(lambda: heard.transport._from == (Fraction(3, 2), 2_000_000_000), timeout=PATIENCE)
    heard.transport.look()
    assert heard.transport.frame == 36
    player[0].say(rolling=True, seconds=Fraction(3, 2) + Fraction(1, 100), speed=1.0)  # a hundredth is nothing that an eye sees
    qtbot.wait(50)
    assert heard.transport._from == (Fraction(3, 2), 2_000_000_000)


def test_the_daw_leads_and_the_picture_goes_with_it(heard: Window, player: list[Fake], qtbot: QtBot) -> None:
    now = {"ns": 0}
    heard.heard._clock = lambda: now["ns"]
    heard.actions_by_name["follow"].trigger()
    qtbot.waitUntil(lambda: bool(player) and ("follow", None) in player[0].told, timeout=PATIENCE)
    reading = Reading("locked", Fraction(5), None, 120, 1.0, 0.0, 0.4, "Reaper", "Reaper leads")
    player[0].say(follows=True, reading=reading, rolling=True, seconds=Fraction(5), speed=1.0)
    qtbot.waitUntil(lambda: heard.transport.frame == 120, timeout=PATIENCE)
    now["ns"] = 500_000_000
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
