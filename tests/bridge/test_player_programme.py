"""What is played live is what the MIDI file holds, and the verb that plays it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sittings import saved, scored

import main
from bridge.clock import SECOND
from bridge.player.programme import Part
from bridge.player.writing import file_map, programme_of, programme_of_score
from engines.errors import OptionError
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
    assert {part.stem: part.channel for part in programme_of_score(score).parts} == {"piano": 2, "click": 9}


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


def test_a_part_that_a_programme_lacks_is_silent(session: Session) -> None:
    assert programme_of(session).part("kazoo", 3) == Part("kazoo", 3, ())
