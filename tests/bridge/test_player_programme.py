"""What is played live is what the MIDI file holds; the verb that plays it, and the one that measures how late it is."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sittings import saved, scored

import main
from bridge.clock import SECOND, HandClock, MonotonicClock
from bridge.player import Outlet, Route
from bridge.player.calibration import Measured, Ring, calibrated, keep, latencies, measured, signed
from bridge.player.programme import Part
from bridge.player.writing import file_map, programme_of, programme_of_score
from bridge.ports import MemoryPort
from engines.errors import OptionError, OutputError, PortError
from engines.score.notes import Note
from engines.score.smf import Score, smf_bytes, tempo_track_of
from engines.score.smf_reader import Smf, parse_smf
from engines.session.deliver import score_of
from engines.session.model import Session
from engines.spotting.click import click
from engines.spotting.tempo import Metre, Segment, TempoMap

TICK_S = Fraction(1, 1000)
"""More than any tick of a file lasts at these tempi, with the few microseconds that a file's clock may be off."""


@pytest.fixture(scope="module")
def session(trio: str) -> Session:
    return scored((3, 2, 2), trio)


def file_of(score: Score) -> Smf:
    return parse_smf(smf_bytes(score))


def voices(score: Score, file: Smf) -> list[tuple[int, int, int, Fraction, Fraction]]:
    return sorted((n.channel, n.pitch, n.velocity, n.start + score.zero, n.end + score.zero) for n in file.notes)


def live(score: Score) -> list[tuple[int, int, int, Fraction, Fraction]]:
    parts = programme_of_score(score).parts
    rows = [(p.channel, n.pitch, n.velocity, Fraction(n.on, SECOND), Fraction(n.off, SECOND)) for p in parts for n in p.notes]
    return sorted(rows)


def agree(score: Score) -> None:
    played, written = live(score), voices(score, file_of(score))
    assert [row[:3] for row in played] == [row[:3] for row in written]
    assert all(abs(p[3] - w[3]) < TICK_S and abs(p[4] - w[4]) < 2 * TICK_S for p, w in zip(played, written, strict=True))


def test_a_session_is_played_as_its_file_is_written(session: Session) -> None:
    score = score_of(session)
    agree(score)
    programme = programme_of(session)
    assert len(programme.parts) > 1
    programs = {channel: program for track in file_of(score).tracks for channel, program in track.programs}
    assert {part.channel: part.setup for part in programme.parts} == {
        channel: (bytes((0xC0 | channel, program)),) for channel, program in programs.items()
    }
    bars = [round(score.tempo_map.seconds(bar.start) * SECOND) for bar in session.bars]
    assert list(programme.bars[: len(bars)]) == bars
    assert programme.length == round(session.film.duration * SECOND)
    assert programme.rate == session.film.rate


def test_one_scene_is_played_alone(session: Session) -> None:
    begin, end = (round(second * SECOND) for second in session.span(2).seconds)
    notes = [note for part in programme_of(session, [2]).parts for note in part.notes]
    assert notes
    assert all(begin - SECOND // 10 <= note.on < end for note in notes)


def test_a_click_goes_to_the_drums_in_both() -> None:
    beats = TempoMap.steady(100)
    score = Score(beats, (*click(beats, Fraction(5)), Note(Fraction(0), 60, Fraction(1), 80)), length=Fraction(5))
    agree(score)
    assert {part.stem: part.channel for part in programme_of_score(score).parts} == {"piano": 0, "click": 9}


def test_more_stems_than_channels_are_refused() -> None:
    notes = tuple(Note(Fraction(0), 60, Fraction(1), 80, f"stem {k:02}") for k in range(16))
    with pytest.raises(OptionError, match="16 stems"):
        programme_of_score(Score(TempoMap.steady(100), notes))


maps = st.builds(
    lambda bpms, origin: TempoMap(
        tuple(Segment(Fraction(4 * k), 60 / Fraction(bpm)) for k, bpm in enumerate(bpms)), (Metre(),) * 8, Fraction(origin, 24)
    ),
    st.lists(st.integers(60, 180), min_size=1, max_size=6),
    st.integers(-30, 100),
)
notes = st.lists(
    st.builds(
        lambda start, pitch, length, velocity, stem: Note(Fraction(start, 12), pitch, Fraction(length, 12), velocity, stem),
        *(st.integers(-6, 300), st.integers(30, 90), st.integers(1, 60), st.integers(1, 127)),
        st.sampled_from(("melody", "bridge", "piano")),
    ),
    max_size=30,
)


@given(maps, notes)
@settings(max_examples=60)
def test_live_and_file_agree_at_any_tempo(tempo_map: TempoMap, some: list[Note]) -> None:
    score = Score(tempo_map, tuple(some), length=Fraction(60))
    agree(score)


@given(maps)
@settings(max_examples=40)
def test_a_daw_that_took_the_file_over_counts_as_the_file_does(tempo_map: TempoMap) -> None:
    score = Score(tempo_map, (), length=Fraction(30))
    track, _ = tempo_track_of(score)
    counted = file_map(score)
    for quarter in range(24):
        assert counted.seconds(quarter) == track.seconds(quarter * track.division)


# the verbs


def test_play_writes_down_what_it_plays(session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, tape = saved(session, tmp_path / "cue.hitpoint"), tmp_path / "out"
    rate = session.film.rate
    part = next(part for part in programme_of(session).parts if part.notes)
    first = Fraction(part.notes[0].on, SECOND)
    words = ["play", str(path), "--out", f"file:{tape}", "--from", f"{float(first):.3f}", "--to", f"{float(first) + 0.7:.3f}"]
    assert main.main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sent"] > 0
    assert told["seconds"] >= float(first) + 0.7
    sent = [bytes.fromhex(line.split()[1]) for line in tape.read_text().splitlines()]
    struck = {(m[0] & 0x0F, m[1]) for m in sent if m[0] & 0xF0 == 0x90}
    assert struck <= {(p.channel, n.pitch) for p in programme_of(session).parts for n in p.notes}
    assert struck
    assert rate == 24


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "9", "--to", "3"], "nothing lies between"),
        (["--out", "telepathy"], "no kind of port"),
        (["--sync", "tin can:one"], "no kind of port"),
        (["--out", "file:/no/such/folder/x", "--to", "1"], "cannot be written"),
        (["--scene", "99"], "there is no scene 99"),
    ],
)
def test_what_cannot_be_played_is_said_in_one_line(
    words: list[str], said: str, session: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["play", str(saved(session, tmp_path / "cue.hitpoint")), *words]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "latencies.json"
    monkeypatch.setattr("bridge.player.calibration.store", lambda: path)
    return path


def late(score: Score, by: Fraction) -> Score:
    """The same cue as a DAW recorded it, so much later and a little uneven."""
    chance = Random(5)
    beats = score.tempo_map
    moved = [
        replace(n, start=beats.beat(beats.seconds(n.start) + by + Fraction(chance.randint(-50, 50), 100_000)))
        for n in score.notes
    ]
    return replace(score, notes=tuple(moved))


def test_calibrate_reads_a_recording_and_keeps_what_it_found(
    session: Session, tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(session, tmp_path / "cue.hitpoint")
    recorded = tmp_path / "take.mid"
    recorded.write_bytes(smf_bytes(late(score_of(session), Fraction(217, 10_000))))
    zero = float(score_of(session).zero)
    words = ["calibrate", "--out", "jack:strings", "--midi", str(recorded), "--expected", str(path), "--at", str(zero), "--json"]
    assert main.main([*words, "--dry-run"]) == 0
    assert not kept.exists()
    assert main.main(words) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert abs(told["late_ms"] - 21.7) < 0.5
    assert told["spread_ms"] < 2
    assert told["found"] == told["sent"]
    assert latencies() == {"strings": told["latency_ms"]}
    routes = calibrated((Route(Outlet("jack", "strings")), Route(Outlet("jack", "other")), Route(Outlet(), "piano", 5.0)))
    assert [route.latency_ms for route in routes] == [told["latency_ms"], 0.0, 5.0]
    assert main.main(["calibrate", "--list"]) == 0
    assert "strings: -21." in capsys.readouterr().out
    assert main.main(["calibrate", "--forget", "strings", "--json"]) == 0
    assert latencies() == {}


def test_calibrate_refuses_another_cue(session: Session, tmp_path: Path, kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(session, tmp_path / "cue.hitpoint")
    other = tmp_path / "other.mid"
    other.write_bytes(smf_bytes(Score(TempoMap.steady(120), (Note(Fraction(0), 21, Fraction(1), 80),))))
    assert main.main(["calibrate", "--midi", str(other), "--expected", str(path)]) == 2
    assert main.main(["calibrate", "--midi", str(other)]) == 2
    assert "are found within" in capsys.readouterr().err
    assert not kept.exists()


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


def test_next_to_nothing_has_no_sign_of_its_own() -> None:
    assert [signed(ms) for ms in (0.0, -0.0, -0.004, 0.004, -0.006, 12.3)] == ["+0.00 ms"] * 4 + ["-0.01 ms", "+12.30 ms"]
    exact = Measured(0.0, 0.0, 0.0, 4, 4)
    assert str(exact.latency_ms) == "0.0"
    assert "0.00 ms late" in replace(exact, late_ms=-0.001).text()


def test_notes_sent_round_tell_how_late_they_are() -> None:
    clock = MonotonicClock()
    ring = Ring(clock)
    port = MemoryPort(clock, heard=lambda message, moment: ring.heard(message, moment + 7_000_000))
    port.open()
    found = ring.send(port, 8, 5_000_000)
    port.close()
    assert 7 <= found.late_ms < 1000
    assert (found.found, found.sent) == (8, 8)


def test_notes_that_do_not_come_back_are_said() -> None:
    clock = HandClock()

    class Impatient(MemoryPort):
        def service(self) -> int | None:
            clock.turn(0.1)
            return super().service()

    port = Impatient(clock)
    port.open()
    with pytest.raises(PortError, match="no note came back"):
        Ring(clock).send(port, 3, 1_000_000, patience_s=0.2)


def test_settings_that_are_damaged_or_cannot_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "latencies.json"
    for content in ("", "[]", '{"a": "b", "c": 1e9, "d": 3}', "\xff"):
        path.write_text(content, "latin-1")
        assert latencies(path) in ({}, {"d": 3.0})
    keep("e", -1.23456, path)
    assert latencies(path) == {"e": -1.235}
    with pytest.raises(OutputError):
        keep("e", 1.0, path / "below" / "x.json")


def test_a_part_that_a_programme_lacks_is_silent(session: Session) -> None:
    assert programme_of(session).part("kazoo", 3) == Part("kazoo", 3, ())
