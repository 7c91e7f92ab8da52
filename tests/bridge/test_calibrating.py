"""Calibration: what a recording or notes sent round tell of a port, opened as play opens it, and when that is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sittings import saved, scored
from test_jack_port import PERIOD, RATE, Graph

import main
from bridge.calibrating import Aim, Recording, calibrated
from bridge.clock import Clock, HandClock, MonotonicClock
from bridge.player.calibration import Measured, Ring, measured
from bridge.player.latencies import forget, keep, latencies
from bridge.ports import MemoryPort
from engines.errors import PortError
from engines.picture.timecode import Timecode
from engines.score.notes import Note
from engines.score.smf import Score, smf_bytes
from engines.session.deliver import score_of
from engines.session.model import Session
from engines.spotting.tempo import TempoMap

MS = 1_000_000


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "latencies.json"
    monkeypatch.setattr("bridge.player.latencies.store", lambda: path)
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there is none")
    return path


@pytest.fixture(scope="module")
def session(trio: str) -> Session:
    return scored((3, 2, 2), trio)


@pytest.fixture
def cue(session: Session, tmp_path: Path) -> Path:
    return saved(session, tmp_path / "cue.hitpoint")


class Recorder:
    """A DAW that records a cue: so many seconds late, a little uneven, and by ``more`` seconds later a stem."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.score, self.folder, self.takes = score_of(session), folder, 0
        self.zero = float(self.score.zero)

    def take(self, late_s: float, uneven_s: float = 0.0005, **more: float) -> Path:
        self.takes += 1
        chance, beats = Random(self.takes), self.score.tempo_map
        by = {
            note: Fraction(late_s + more.get(note.stem, 0.0) + chance.uniform(-uneven_s, uneven_s)) for note in self.score.notes
        }
        moved = [replace(n, start=beats.beat(beats.seconds(n.start) + by[n])) for n in self.score.notes]
        return self.write(replace(self.score, notes=tuple(moved)))

    def write(self, score: Score) -> Path:
        path = self.folder / f"take {self.takes}.mid"
        path.write_bytes(smf_bytes(score))
        return path


@pytest.fixture
def daw(session: Session, tmp_path: Path) -> Recorder:
    return Recorder(session, tmp_path)


@pytest.fixture
def ask(cue: Path, daw: Recorder, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Calibrates by a recording on the command line: what it answers, or the one line of why not."""

    def asked(midi: Path, *words: str, out: str = "jack:strings", expected: Path = cue, at: str | None = None) -> Any:
        given = ["--out", out, "--midi", str(midi), "--expected", str(expected), "--at", at or str(daw.zero), "--json"]
        code = main.main(["calibrate", *given, *words])
        said = capsys.readouterr()
        if code == 0:
            return json.loads(said.out)
        assert code == 2
        assert len(said.err.splitlines()) == 1
        return said.err

    return asked


# by a recording


def test_a_recording_is_kept_and_the_next_one_is_added_to_it(ask: Callable[..., Any], daw: Recorder, store: Path) -> None:
    first = daw.take(0.0217)
    assert ask(first, "--dry-run")["kept"] is None
    assert not store.exists()
    told = ask(first)
    assert abs(told["late_ms"] - 21.7) < 0.5
    assert told["spread_ms"] < 2
    assert told["found"] == told["sent"]
    assert (told["port"], told["was_ms"], told["kept"]) == ("jack:strings", None, str(store))
    assert latencies().values == {"jack:strings": told["latency_ms"]}
    was = told["latency_ms"]
    told = ask(daw.take(0.003))  # played with what is kept, 3 ms remain
    assert abs(told["late_ms"] - 3) < 0.5
    assert told["was_ms"] == was
    assert told["latency_ms"] == pytest.approx(was - told["late_ms"], abs=0.01)
    assert latencies().values == {"jack:strings": told["latency_ms"]}


def test_what_is_kept_now_and_what_was_is_said(cue: Path, daw: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    keep("virtual:Foo", -10.0)
    words = [
        "calibrate",
        "--out",
        "virtual:Foo",
        "--midi",
        str(daw.take(0.005, 0)),
        "--expected",
        str(cue),
        "--at",
        str(daw.zero),
    ]
    assert main.main(words) == 0
    said = capsys.readouterr().out
    assert "beside what is made up for already" in said
    assert re.search(r"^kept -1[45]\.\d\d ms for virtual:Foo; was -10\.00 ms$", said, re.MULTILINE)


def test_one_recording_is_not_counted_twice(ask: Callable[..., Any], daw: Recorder) -> None:
    midi = daw.take(0.02)
    kept = ask(midi)["latency_ms"]
    copy = midi.with_name("another name.mid")
    copy.write_bytes(midi.read_bytes())
    assert "this very recording is made up for already" in ask(copy)
    assert latencies().values == {"jack:strings": kept}
    assert ask(copy, "--dry-run")["found"] > 0
    assert ask(midi, out="jack:other")["latency_ms"] == kept, "of another port it tells something else"
    forget("jack:strings")
    assert ask(midi)["latency_ms"] == kept, "nothing is made up for any more"


def test_an_older_files_latency_is_added_to_and_stays_for_other_kinds(
    ask: Callable[..., Any], daw: Recorder, store: Path
) -> None:
    store.parent.mkdir()
    store.write_text('{"strings": -10}')
    told = ask(daw.take(0.005, 0))
    assert told["was_ms"] == -10
    assert latencies().values == {"any:strings": -10, "jack:strings": pytest.approx(-15, abs=0.1)}


def test_a_stem_that_is_played_early_on_purpose_is_none_of_the_ports_lateness(ask: Callable[..., Any], daw: Recorder) -> None:
    keep("stem:melody", -150.0)
    told = ask(daw.take(0.012, melody=-0.150))
    assert told["found"] == told["sent"]
    assert abs(told["late_ms"] - 12) < 0.5
    assert latencies().values["stem:melody"] == -150


def test_a_stem_at_a_port_is_kept_for_that_stem(ask: Callable[..., Any], daw: Recorder) -> None:
    keep("virtual:Foo", -8.0)
    whole = daw.score
    daw.score = replace(whole, notes=tuple(note for note in whole.notes if note.stem == "melody"))
    told = ask(daw.take(0.004, 0), out="melody=virtual:Foo")
    assert told["found"] == told["sent"] == len(daw.score.notes)
    assert told["port"] == "melody=virtual:Foo"
    assert latencies().values == {"melody=virtual:Foo": pytest.approx(-12, abs=0.1), "virtual:Foo": -8}
    assert "there is no stem 'kazoo'" in ask(daw.take(0.004), out="kazoo=virtual:Foo")


@pytest.mark.parametrize("out", ["garbage:foo", "rubbish", "file:/tmp/x", "jack:a; jack:b", " ; "])
def test_what_play_would_not_take_is_not_calibrated(out: str, ask: Callable[..., Any], daw: Recorder) -> None:
    keep("virtual:Hitpoint", -1.0)
    assert "port" in ask(daw.take(0.02), out=out)
    assert latencies().values == {"virtual:Hitpoint": -1.0}


def test_left_open_it_is_the_kind_that_play_opens(
    ask: Callable[..., Any], daw: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(daw.take(0.02), out="auto")["port"] == "virtual:Hitpoint"
    graph = Graph()
    monkeypatch.setattr("bridge.jack_client.library", lambda: graph)
    assert ask(daw.take(0.02), out="auto")["port"] == "jack:Hitpoint"
    assert "closed" in graph.calls


def test_a_wide_spread_is_said_and_kept_only_where_that_is_asked_for(
    ask: Callable[..., Any], cue: Path, daw: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    midi = daw.take(0.0106, 0.012)
    told = ask(midi)
    assert "of the notes lie" in told["doubt"]
    assert told["kept"] is None
    assert latencies().values == {}
    words = ["calibrate", "--out", "virtual:x", "--midi", str(midi), "--expected", str(cue), "--at", str(daw.zero)]
    assert main.main(words) == 0
    said = capsys.readouterr().out
    assert "nothing was kept: 90 % of the notes lie" in said
    assert "--anyway" in said
    told = ask(midi, "--anyway")
    assert told["kept"] is not None
    assert abs(latencies().values["jack:strings"] + 10.6) < 5


def test_a_latency_that_no_port_has_is_refused(ask: Callable[..., Any], daw: Recorder) -> None:
    keep("jack:strings", -1995.0)
    assert "no latency is so large" in ask(daw.take(0.02))
    assert latencies().values == {"jack:strings": -1995.0}


def test_another_cue_or_half_of_what_is_needed_is_refused(ask: Callable[..., Any], daw: Recorder, store: Path, cue: Path) -> None:
    daw.takes = 7
    other = daw.write(Score(TempoMap.steady(120), (Note(Fraction(0), 21, Fraction(1), 80),)))
    assert "are found within" in ask(other)
    assert main.main(["calibrate", "--midi", str(other)]) == 2
    assert main.main(["calibrate", "--expected", str(cue)]) == 2
    assert main.main(["calibrate", "--at", "3"]) == 2
    assert not store.exists()


# where it begins


@pytest.mark.parametrize(
    ("rate", "drop", "at", "seconds"),
    [
        ("24", False, "00:00:01:12", Fraction(3, 2)),
        ("25", False, "00:00:01:12", 1 + Fraction(12, 25)),
        ("24000/1001", False, "00:00:01:12", Fraction(36 * 1001, 24000)),
        ("30000/1001", True, "00:01:00:02", Fraction(1800 * 1001, 30000)),
        ("30000/1001", False, "00:01:00:02", Fraction(1802 * 1001, 30000)),
        ("30000/1001", False, "00:01:00;02", Fraction(1800 * 1001, 30000)),
        ("24", False, "1.5", Fraction(3, 2)),
        ("24", False, "-1/3", Fraction(-1, 3)),
    ],
)
def test_timecode_counts_as_the_session_does(rate: str, drop: bool, at: str, seconds: Fraction) -> None:
    film = Timecode(86400, Fraction(rate), drop)
    assert Recording(Path("a.mid"), Path("a.hitpoint"), at)._begin(film) == seconds


def test_a_recording_begins_where_the_timecode_of_the_session_says(
    ask: Callable[..., Any], daw: Recorder, session: Session
) -> None:
    assert session.film.rate == 24
    late = daw.zero - 1.5 + 0.02  # what begins at 1.5 s and is 20 ms late
    for at in ("1.5", "00:00:01:12"):
        assert abs(ask(daw.take(late), "--dry-run", at=at)["late_ms"] - 20) < 0.5
    assert abs(ask(daw.take(late), "--dry-run", "--rate", "25", at="00:00:01:12")["late_ms"]) < 1, (
        "whose timecode counts otherwise"
    )


def test_where_no_session_tells_a_rate_timecode_is_refused(ask: Callable[..., Any], daw: Recorder) -> None:
    played = daw.take(0.0, 0)
    late = daw.take(0.02)
    assert "nothing says how many frames a second '00:00:00:00' counts" in ask(late, expected=played, at="00:00:00:00")
    assert abs(ask(late, expected=played, at="0")["late_ms"] - 20) < 0.5
    assert abs(ask(late, "--rate", "24", "--dry-run", expected=played, at="00:00:00:00")["late_ms"] - 20) < 0.5


# measuring


@given(st.floats(-400, 400), st.integers(0, 2**32), st.integers(0, 20))
@settings(max_examples=60)
def test_a_latency_is_found_to_a_millisecond(late_ms: float, seed: int, lost: int) -> None:
    chance = Random(seed)
    played = [(Fraction(k * 37 % 97 + 100 * k, 200), chance.randint(50, 70)) for k in range(60)]
    heard = [(moment + Fraction(late_ms + chance.uniform(-0.5, 0.5)) / 1000, pitch) for moment, pitch in played]
    del heard[:lost]
    found = measured(played, heard)
    assert abs(found.late_ms - late_ms) < 1
    assert found.spread_ms < 1.1
    assert found.found >= 60 - lost
    assert found.latency_ms == -found.late_ms
    assert found.doubt == ""


def test_of_nothing_no_sign_is_kept() -> None:
    exact = Measured(0.0, 0.0, 0.0, 4, 4)
    assert str(exact.latency_ms) == "0.0"
    assert "0.00 ms late" in replace(exact, late_ms=-0.001).text()


def test_notes_sent_round_tell_how_late_they_are() -> None:
    clock = MonotonicClock()
    ring = Ring(clock)
    port = MemoryPort(clock, heard=lambda message, moment: ring.heard(message, moment + 7 * MS))
    port.open()
    found = ring.send(port, 8, 5 * MS, rounds=2)
    port.close()
    assert 7 <= found.late_ms < 1000
    assert (found.found, found.sent, len(found.rounds_ms)) == (16, 16, 2)


def test_notes_that_do_not_come_back_are_said() -> None:
    clock = HandClock()

    class Impatient(MemoryPort):
        def service(self) -> int | None:
            clock.turn(0.1)
            return super().service()

    port = Impatient(clock)
    port.open()
    with pytest.raises(PortError, match="no note came back"):
        Ring(clock).send(port, 3, MS, patience_s=0.2)


class Loop(Graph):
    """JACK with a cable from each port out to each port in, so many samples long: a period, and from some note on another length."""

    def __init__(self, other: int = PERIOD, since: int = 10**9) -> None:
        super().__init__()
        self.other, self.since, self.notes = other, since, 0
        self.end = Event()

    def run(self, periods: int = 1) -> None:
        for _ in range(periods):
            outs, ins = self.pins[:1], self.pins[1:]
            before = [len(pins.heard) for pins in outs]
            super().run()
            for pins, count in zip(outs, before, strict=True):
                for sample, message in pins.heard[count:]:
                    self.notes += message[0] == 0x90
                    long = self.other if self.notes > self.since else PERIOD
                    for back in ins:
                        back.coming.append((sample + long, message))

    @contextmanager
    def rolling(self) -> Iterator[Loop]:
        """Runs for as long as the block does, as fast as whoever sends can tell."""

        def roll() -> None:
            while not self.end.wait(0.0002):
                if "process" in self.calls and "closed" not in self.calls:
                    self.run(16)

        thread = Thread(target=roll)
        thread.start()
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("bridge.jack_client.library", lambda: self)
                patch.setattr("bridge.jack_client.JackClient.peers", lambda jack, ours: ("daw:midi",))
                yield self
        finally:
            self.end.set()
            thread.join()


def test_left_open_the_port_of_jack_is_measured_that_play_would_open(store: Path) -> None:
    keep("jack:Hitpoint", -400.0)  # notes are sent round without it
    with Loop().rolling() as graph:
        told = calibrated(Aim.of("auto"))
    assert [pins.name for pins in graph.pins] == []
    assert told.key == "jack:Hitpoint"
    assert told.found.late_ms == pytest.approx(1000 * PERIOD / RATE, abs=0.05)
    assert told.found.spread_ms < 0.05
    assert (told.found.found, told.found.sent) == (40, 40)
    assert told.was_ms == -400
    assert latencies().values == {"jack:Hitpoint": pytest.approx(-1000 * PERIOD / RATE, abs=0.05)}, "in its place, not added"


@pytest.mark.parametrize("since", [13, 20, 25])
def test_rounds_between_which_jack_slipped_are_not_averaged(since: int) -> None:
    with Loop(PERIOD + 4096, since).rolling():
        told = calibrated(Aim.of("jack:melody"))
    assert "nothing was kept: the rounds differ (" in told.text()
    assert told.written is None
    assert latencies().values == {}


@pytest.mark.parametrize("jitter_ms", [0, 15])
def test_without_jack_a_port_is_measured_as_play_opens_it(jitter_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, bool]] = []
    back: list[Callable[[bytes, int], None]] = []
    chance = Random(3)

    class Out(MemoryPort):
        def __init__(self, name: str, virtual: bool, clock: Clock, board: memoryview) -> None:
            super().__init__(clock, lambda message, now: back[0](message, now + (2 + chance.randint(0, jitter_ms)) * MS), board)
            opened.append((name, virtual))

    class In:
        def __init__(self, name: str, heard: Callable[[bytes, int], None], virtual: bool, clock: Clock) -> None:
            back.append(heard)
            opened.append((name, virtual))

        def open(self) -> None:
            pass

        close = open

    monkeypatch.setattr("bridge.player.plug.SystemPort", Out)
    monkeypatch.setattr("bridge.calibrating.SystemInput", In)
    monkeypatch.setattr("bridge.calibrating._APART_NS", 20 * MS)
    told = calibrated(Aim.of("auto:Elsewhere"))
    assert opened == [("Elsewhere", True), ("Hitpoint return", True)]
    assert told.key == "virtual:Elsewhere"
    assert told.found.late_ms >= 2
    if jitter_ms:
        assert "nothing was kept: " in told.text()
        assert latencies().values == {}
