"""A DAW's project that does not begin where the film does: following it maps the place that was told for the film to its first frame."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from bridge.clock import MonotonicClock
from bridge.events import Subscribers
from bridge.midi_clock import CLOCK, CONTINUE, SIXTEENTH, SONG_POSITION, TICK, ClockReader, song_step
from bridge.mmc import MmcReader, build
from bridge.mtc import MtcReader, full_frame
from bridge.places import place_of
from bridge.playback import Playback
from bridge.player import Inlet, Outlet, Player, Programme, Route, Status
from bridge.player.ear import Ear
from bridge.project import Project, beside
from bridge.transport import Report
from engines.errors import DawError
from engines.picture.timecode import Timecode
from engines.spotting.tempo import TempoMap

DEADLINE_S = 60.0
HOUR = "01:00:00:00"
NTSC = Fraction(24000, 1001)
RATES = (Fraction(24), NTSC, Fraction(25), Fraction(30))


@pytest.fixture
def player(tmp_path: Path) -> Iterator[Player]:
    made = Player([Route(Outlet("file", str(tmp_path / "out")))], own_process=False)
    yield made
    made.close()


def follows(player: Player, rate: Fraction, start: Fraction, at: Fraction | None) -> None:
    player.origins(at)
    player.load(Programme("cue", (), length=10**12, start=start, rate=rate, beats=TempoMap.steady(96)))
    player.settle(player.follow())


def stands(player: Player, report: Report | None) -> Status:
    """How the player does once it heard that the DAW stands somewhere."""
    assert report is not None
    player.settle(player.hear(report))
    return player.wait(lambda s: s.reading is not None and s.reading.leader == report.source, DEADLINE_S)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("start", ["00:00:00:00", "10:00:00:00"])
def test_timecode_of_an_hour_is_the_first_frame(player: Player, rate: Fraction, start: str) -> None:
    at = place_of(HOUR, rate)
    follows(player, rate, Timecode.parse(start, rate).seconds, at)
    label = Timecode.parse("01:00:02:00", rate)
    status = stands(player, MtcReader("MTC", rate).feed(full_frame(label), time.monotonic_ns()))
    assert status.reading is not None
    assert status.reading.frame == label.frame - Timecode.parse(HOUR, rate).frame
    assert status.reading.timecode == label, "what is shown is the DAW's"
    player.wait(lambda s: abs(s.seconds - status.reading.frame / rate) < Fraction(1, 10**6), DEADLINE_S)  # type: ignore[union-attr]
    player.hear(MmcReader("MTC", rate).feed(build("locate", Timecode.parse("00:59:59:00", rate)), time.monotonic_ns()))  # type: ignore[arg-type]
    player.wait(lambda s: s.reading is not None and (s.reading.frame or 0) < 0, DEADLINE_S)


def test_seconds_of_a_ruler_are_meant_too(player: Player) -> None:
    rate = Fraction(25)
    follows(player, rate, Fraction(36000), place_of(HOUR, rate))
    status = stands(player, Report("OSC from Reaper", "osc", time.monotonic_ns(), Fraction(3602), rolling=False, located=True))
    assert status.reading is not None
    assert status.reading.frame == 50


def test_where_nobody_said_so_timecode_is_the_films_and_a_ruler_begins_with_it(player: Player) -> None:
    rate = Fraction(25)
    follows(player, rate, Fraction(3600), None)
    now = time.monotonic_ns()
    status = stands(player, Report("OSC from Ardour", "osc", now, Fraction(2), rolling=False, located=True))
    assert status.reading is not None
    assert status.reading.frame == 50
    label = Timecode.parse("01:00:03:00", rate)
    player.hear(MtcReader("MTC", rate).feed(full_frame(label), now))  # type: ignore[arg-type]
    player.follow("MTC")
    player.wait(lambda s: s.reading is not None and s.reading.frame == 75, DEADLINE_S)


def test_a_daw_that_stands_need_not_speak_again_when_the_place_is_said(player: Player) -> None:
    rate = Fraction(24)
    follows(player, rate, Fraction(0), None)
    stands(player, MtcReader("MTC", rate).feed(full_frame(Timecode.parse(HOUR, rate)), time.monotonic_ns()))
    player.origins(Fraction(3600))
    player.wait(lambda s: s.reading is not None and s.reading.frame == 0, DEADLINE_S)


@pytest.mark.parametrize(("port", "counts"), [("Logic Virtual Out", SIXTEENTH), ("ardour:MIDI Clock out", TICK)])
def test_a_song_position_counts_what_its_daw_counts_from_the_first_bar_wherever_the_film_lies(
    player: Player, port: str, counts: Fraction
) -> None:
    """The cue's bar 1 is the film's first frame (its file lies there), and the song position counts from bar 1."""
    follows(player, Fraction(24), Fraction(36000), Fraction(3600))
    beat = Fraction(8)
    steps = int(beat / counts)
    ear = Ear(Inlet("system", port), MonotonicClock(), None, Fraction(24))
    for message in (bytes((SONG_POSITION, steps & 0x7F, steps >> 7)), bytes((CONTINUE,))):
        ear._take(message, time.monotonic_ns())
    position, _ = ear.drain()
    assert position.beats == beat
    status = stands(player, position)
    assert status.reading is not None
    assert status.reading.frame == int(beat * 60 / 96 * 24)
    assert song_step(port) == counts
    reader = ClockReader("clock", counts)
    first = reader.feed(bytes((SONG_POSITION, 0, 0)), 0)
    assert first is not None
    assert first.beats == 0
    assert reader.feed(bytes((CLOCK,)), 0) is None


def test_the_place_is_kept_beside_the_session_and_read_again(tmp_path: Path) -> None:
    session = tmp_path / "cue.hitpoint"
    assert Project.of(session) == Project()
    at = place_of(HOUR, NTSC)
    kept = Project().but("reaper", at, tmp_path / "song.rpp").keep(session)
    assert Project.of(session) == kept == Project("reaper", Fraction(18018, 5), tmp_path / "song.rpp")
    assert kept.but("ardour") == Project("ardour", at), "another DAW has another project file, and the film lies where it lay"
    assert kept.but(beats=True).but(at=Fraction(0)).at == 0
    before = beside(session).stat().st_mtime_ns
    Project.of(session).keep(session)
    assert beside(session).stat().st_mtime_ns == before, "nothing is written that says nothing new"


def test_what_is_no_file_of_ours_is_not_waited_for(tmp_path: Path) -> None:
    session = tmp_path / "cue.hitpoint"
    pipes = [os.mkfifo] if hasattr(os, "mkfifo") else []
    for make in (lambda path: path.write_text("0" * 70_000), *pipes, Path.mkdir):
        make(beside(session))  # type: ignore[operator]
        with pytest.raises(DawError, match="cannot be read"):
            Project.of(session)
        (Path.rmdir if beside(session).is_dir() else Path.unlink)(beside(session))


KEPT = '{"format": "hitpoint project", "daw": null, "at": "0", "project": null, "beats": true, "midi": null}'


def test_what_was_kept_is_read(tmp_path: Path) -> None:
    beside(tmp_path / "cue.hitpoint").write_text(KEPT)
    assert Project.of(tmp_path / "cue.hitpoint") == Project(at=Fraction(0), beats=True)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{", '{"format": "another"}', "[" * 9999),
        KEPT.replace("hitpoint project", "another"),
        KEPT.replace('"daw": null', '"daw": "fruit"'),
        *(KEPT.replace('"0"', f'"{place}"') for place in ("1e9", "1/0", "", "9" * 13)),
        KEPT.replace("true", "1"),
        KEPT.replace('"midi": null', '"midi": []'),
    ],
)
def test_a_damaged_one_is_one_line_with_a_cure(tmp_path: Path, text: str) -> None:
    session = tmp_path / "cue.hitpoint"
    beside(session).write_text(text)
    with pytest.raises(DawError, match="where the film lies") as told:
        Project.of(session)
    assert told.value.cure


class Told:
    """A player that plays nothing and writes down what it was told."""

    def __init__(self, routes: Any = (), inlets: Any = (), on_status: Any = None) -> None:
        self.status = Status()
        self.told: list[tuple[str, Any]] = [("listen", tuple(inlets))]

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given: self.told.append((name, given[0] if given else None))


def test_following_opens_a_port_of_ours_unless_one_was_named_and_hears_it_as_the_daw_speaks() -> None:
    made: list[Told] = []

    def make(**given: Any) -> Told:
        made.append(Told(**given))
        return made[-1]

    playback = Playback(Subscribers(), lambda: None, make)  # type: ignore[arg-type]
    playback.lie(Fraction(3600), TICK)
    playback.follow(midi=False)
    assert made[0].told == [("listen", ()), ("origins", Fraction(3600)), ("follow", None)]
    playback.follow("MTC")
    assert made[0].told[3:] == [("listen", (Inlet("auto", song_step=TICK),)), ("follow", "MTC")]
    playback.follow()
    playback.open(inlets=[Inlet("virtual", "Clock"), Inlet("system", "x", SIXTEENTH)])
    named = (Inlet("virtual", "Clock", TICK), Inlet("system", "x", SIXTEENTH))
    assert made[0].told[5:] == [("follow", None), ("listen", named)]
    playback.lie(Fraction(3600))
    assert made[0].told[7:] == [("listen", (Inlet("virtual", "Clock"), Inlet("system", "x", SIXTEENTH)))]
    playback.lie(None)
    assert made[0].told[8:] == [("origins", None)]
    playback.close()
    quiet = Playback(Subscribers(), lambda: None, make)  # type: ignore[arg-type]
    quiet.open(inlets=())
    quiet.follow()
    quiet.close()
    assert made[1].told[0] == ("listen", ()), "who said that nothing is heard means it"
