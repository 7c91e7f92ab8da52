"""What is heard of a session: its takes, the newest from the next bar on, and never a note that hangs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from threading import Condition

import pytest

from bridge.events import Event, Message, SessionChanged, Subscribers, TransportRead
from bridge.osc import OscServer
from bridge.osc_client import OscClient
from bridge.playback import Playback, inlets_of, routes_of
from bridge.player import EVERY, Inlet, Outlet, Player, Route, Status
from bridge.player.writing import programme_of
from bridge.studio import Studio
from engines.commands import Title
from engines.errors import OptionError, SessionError

LONG = 60.0


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def studio(file: Path) -> Iterator[Studio]:
    made = Studio(partial(Player, own_process=False))
    made.open_session(file)
    yield made
    made.close(LONG)


class Ears:
    """Events as they come, to be waited for."""

    def __init__(self, studio: Studio) -> None:
        self.heard: list[Event] = []
        self._news = Condition()
        studio.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        with self._news:
            self.heard.append(event)
            self._news.notify_all()

    def wait(self, wanted: Callable[[Event], bool]) -> Event:
        with self._news:
            assert self._news.wait_for(lambda: any(map(wanted, self.heard)), LONG)
            return next(filter(wanted, self.heard))


def struck(path: Path) -> tuple[list[int], set[int]]:
    """Pitches in the order in which they were struck, and those that still sound."""
    pitches, sounds = [], set[int]()
    for line in path.read_text().splitlines():
        message = bytes.fromhex(line.split()[1])
        key = (message[0] & 0x0F) << 7 | message[1] if len(message) > 1 else 0
        if message[0] & 0xF0 == 0x90:
            pitches.append(message[1])
            sounds.add(key)
        elif message[0] & 0xF0 == 0x80:
            sounds.discard(key)
    return pitches, sounds


def test_a_refill_while_it_rolls_is_swapped_in_at_a_bar_and_nothing_hangs(studio: Studio, tape: Path) -> None:
    ears = Ears(studio)
    player = studio.playback.open([Route(Outlet("file", str(tape)))])
    studio.playback.settle()
    assert player.status.title == programme_of(studio.now.session).title
    studio.playback.play()
    ears.wait(lambda e: isinstance(e, TransportRead) and e.rolling and (e.seconds or 0) > 0)
    seams: list[Fraction] = []
    player.subscribe(lambda status: seams.append(status.seam) if status.seam is not None else None)
    studio.refill(1, seed=99).result(LONG)
    status = player.wait(lambda status: bool(seams) and status.seam is None and status.seconds > seams[0], LONG)
    assert status.rolling
    session = studio.now.session
    bars = [round(float(session.tempo_map.seconds(bar.start)), 6) for bar in session.bars]
    assert round(float(seams[0]), 6) in bars
    studio.playback.stop()
    studio.playback.settle()
    pitches, hang = struck(tape)
    assert len(pitches) > 3
    assert hang == set()
    assert not player.status.rolling


def test_while_it_stands_the_newest_is_loaded_at_once_and_only_if_it_sounds_otherwise(studio: Studio, tape: Path) -> None:
    loaded: list[str] = []

    class Counted(Player):
        def load(self, programme: object) -> int:
            loaded.append(programme.title)  # type: ignore[attr-defined]
            return super().load(programme)  # type: ignore[arg-type]

    studio.playback._make = partial(Counted, own_process=False)
    studio.playback.open([Route(Outlet("file", str(tape)))])
    studio.playback.settle()
    studio.act(Title("Dawn", 1))
    studio.playback.settle()
    assert len(loaded) == 1
    studio.choose(2, None)
    studio.playback.settle()
    studio.undo()
    studio.playback.settle()
    assert len(loaded) == 3
    studio.close_session()
    studio.playback.settle()
    assert loaded[-1] == "nothing"


def test_without_a_session_or_a_player_it_says_so_or_does_nothing(file: Path) -> None:
    studio = Studio(partial(Player, own_process=False))
    try:
        with pytest.raises(SessionError, match="no session is open"):
            studio.playback.play()
        studio.playback.stop()
        studio.playback.panic()
        studio.playback.settle()
        assert studio.playback.status is None
        with pytest.raises(OptionError, match="before the film"):
            studio.playback.locate(-1)
    finally:
        studio.close()


def test_place_loop_and_speed_are_told_to_who_listens(studio: Studio, tape: Path) -> None:
    ears = Ears(studio)
    studio.playback.open([Route(Outlet("file", str(tape)))])
    studio.playback.locate(Fraction(7, 2))
    ears.wait(lambda e: e == TransportRead(3.5, False, 0.0, "Hitpoint") or (isinstance(e, TransportRead) and e.seconds == 3.5))
    studio.playback.loop(3, 4)
    studio.playback.settle()
    status = studio.playback.status
    assert status is not None
    assert status.loop == (3, 4)
    studio.playback.vary(2)
    studio.playback.loop()
    studio.playback.settle()
    assert studio.playback.status is not None
    assert studio.playback.status.loop is None


def test_a_port_that_cannot_be_is_told_once_in_words() -> None:
    events: Subscribers[Event] = Subscribers()
    heard: list[Event] = []
    events.subscribe(heard.append)
    playback = Playback(events, lambda: None)
    broken = Status(word="the port went away")
    held: list[list[bool]] = []
    for status in (broken, broken, Status(), broken):
        playback._heard(status)
        held.append([e.holds is not None and e.holds() for e in heard if isinstance(e, Message)])
    assert [e for e in heard if isinstance(e, Message)] == [Message("the port went away", "error")] * 2
    assert held == [[True], [True], [False], [True, True]], "it is told that the port is there again"
    assert sum(isinstance(e, TransportRead) for e in heard) == 1
    playback.close()


def test_a_daws_own_osc_leads_when_it_is_followed(studio: Studio, tape: Path) -> None:
    server = OscServer(studio)
    try:
        player = studio.playback.open([Route(Outlet("file", str(tape)))])
        with OscClient(server.port) as daw:
            assert daw.ask("/hitpoint/transport/follow", LONG)["player"]
            for number in range(200):
                daw.send("/time", 2.0)
                daw.send("/stop", 1.0)
                if number % 10 == 0 and any("Reaper" in standing.source for standing in player.settle().standings):
                    break
            status = player.wait(lambda s: any("Reaper" in standing.source for standing in s.standings), LONG)
            assert status.follows
            assert any("Reaper" in source for source in daw.ask("/hitpoint/transport", LONG)["sources"])
    finally:
        server.close()


def test_the_transport_over_the_wire(studio: Studio, tape: Path) -> None:
    server = OscServer(studio)
    try:
        studio.playback.open([Route(Outlet("file", str(tape)))])
        with OscClient(server.port) as daw:
            daw.ask("/hitpoint/subscribe")
            daw.ask("/hitpoint/transport/locate", LONG, seconds=1.5)
            assert daw.hear(lambda m: m[0] == "/hitpoint/told/transport" and m[1][0] == 1.5, LONG)[1][1] == 0
            daw.send("/hitpoint/transport/play", 1.0)
            daw.send("/hitpoint/transport/play", 0.0)
            daw.hear(lambda m: m[0] == "/hitpoint/told/transport" and m[1][1] == 1, LONG)
            daw.told.clear()
            daw.send("/hitpoint/transport/stop")
            daw.hear(lambda m: m[0] == "/hitpoint/told/transport" and m[1][1] == 0, LONG)
            for call, given in (("loop", {"start": 1.0, "end": 2.0}), ("speed", {"speed": 0.5}), ("loop", {}), ("panic", {})):
                daw.ask(f"/hitpoint/transport/{call}", LONG, **given)
            studio.playback.settle()
            assert daw.ask("/hitpoint/transport", LONG)["out"][0]["name"] == str(tape)
            with pytest.raises(OptionError, match="no kind of port"):
                daw.ask("/hitpoint/transport/ports", LONG, out="speaker")
    finally:
        server.close()


def test_where_timecode_and_clock_go_is_said_over_the_wire_and_told(studio: Studio, tape: Path, tmp_path: Path) -> None:
    server = OscServer(studio)
    try:
        studio.playback.open([Route(Outlet("file", str(tape)))])
        with OscClient(server.port) as daw:
            told = daw.ask("/hitpoint/transport/ports", LONG, send_timecode="jack", send_clock="jack:Beats")["send"]
            assert {what: sent["name"] for what, sent in told.items()} == {"timecode": "Hitpoint timecode", "clock": "Beats"}
            assert all("no JACK server runs" in sent["fault"] for sent in told.values())
            told = daw.ask("/hitpoint/transport/ports", LONG, send_clock="off")["send"]
            assert set(told) == {"timecode"}, "what is left open goes on"
            with pytest.raises(OptionError, match="no kind of port"):
                daw.ask("/hitpoint/transport/ports", LONG, send_timecode="file:/etc/x")
        sent = tmp_path / "timecode"
        studio.playback.lead(timecode=Outlet("file", str(sent)))
        studio.playback.play()
        studio.playback.settle()
        status = studio.playback.status
        assert status is not None
        assert [sender.counts for sender in status.senders] == [f"{float(studio.now.session.film.rate):.5g} fps"]
        ears = Ears(studio)
        ears.wait(lambda e: isinstance(e, TransportRead) and (e.seconds or 0) > 0.2)
        assert {line.split()[1][:2] for line in sent.read_text().splitlines()} == {"f0", "f1"}
    finally:
        server.close()


def test_ports_as_a_client_writes_them() -> None:
    assert routes_of("virtual:Hitpoint; melody=system:IAC Bus 1;jack") == [
        Route(Outlet("virtual", "Hitpoint"), EVERY),
        Route(Outlet("system", "IAC Bus 1"), "melody"),
        Route(Outlet("jack"), EVERY),
    ]
    assert inlets_of("virtual; jack transport ;link; system:IAC 2") == [
        Inlet("virtual"),
        Inlet("jack transport"),
        Inlet("link"),
        Inlet("system", "IAC 2"),
    ]
    for text in ("file:x", "memory", "=", "virtual2"):
        with pytest.raises(OptionError, match="no kind of port"):
            routes_of(text)


def test_an_event_of_a_save_moves_nothing(studio: Studio) -> None:
    assert studio.playback.status is None
    studio.events.publish(SessionChanged(1, "saved", "Save"))
    assert studio.playback.status is None


def test_music_joins_a_picture_where_that_is_once_the_player_is_at_work(studio: Studio, tape: Path) -> None:
    studio.playback.open([Route(Outlet("file", str(tape)))])
    asked: list[int] = []

    def place() -> Fraction | None:
        asked.append(1)
        return Fraction(2)

    assert studio.playback.join(place)
    status = studio.playback.status
    assert status is not None
    assert status.rolling
    assert 2 <= status.seconds < 3
    assert status.moment is not None
    assert len(asked) >= 2, "whether it is wanted, and then where"
    studio.playback.stop()
    studio.playback.settle()
    assert not studio.playback.join(lambda: None), "by then the picture stands"
    assert studio.playback.status is not None
    assert not studio.playback.status.rolling
    studio.close_session()
    with pytest.raises(SessionError, match="no session is open"):
        studio.playback.join(place)


def test_when_it_was_there_is_told_and_is_no_part_of_what_the_wire_hears() -> None:
    events: Subscribers[Event] = Subscribers()
    heard: list[Event] = []
    events.subscribe(heard.append)
    playback = Playback(events, lambda: None)
    playback._heard(Status(seconds=Fraction(3, 2), rolling=True, speed=1.0, moment=77))
    (read,) = heard
    assert isinstance(read, TransportRead)
    assert read.moment == 77
    assert read.json() == {"event": "transport", "seconds": 1.5, "rolling": True, "speed": 1.0, "leader": "Hitpoint", "why": ""}
    playback.close()
