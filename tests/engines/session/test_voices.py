"""A session's music for the sampler: the notes of its MIDI file, each at its sample; an act costs what it changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from sittings import scored

from bridge.clock import SECOND
from bridge.player.writing import programme_of
from engines.commands import Choose
from engines.score.instruments import INSTRUMENTS
from engines.score.notes import Note
from engines.score.sampler import RATE
from engines.score.stretch import Rows
from engines.session.model import PlayedNote, Session
from engines.session.refill import Wish, refilled
from engines.session.voices import Voices
from engines.spotting.tempo import Segment, TempoMap
from engines.watch import Watch

EVER = 10**9
Row = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def session(trio: str) -> Session:
    instruments = {"melody": INSTRUMENTS["violin"], "bridge": INSTRUMENTS["horn"]}
    return replace(scored((3, 2, 2), trio), instruments=instruments)


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the scenes whose voices were worked out."""
    numbers: list[int] = []
    real = Voices._worked_out

    def counted(self: Voices, span: object, *rest: object) -> Rows:
        numbers.append(span.number)  # type: ignore[attr-defined]
        return real(self, span, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Voices, "_worked_out", counted)
    return numbers


def rows_of(rows: Rows) -> list[Row]:
    return sorted((int(r["start"]), int(r["pitch"]), int(r["velocity"]), int(r["program"])) for r in rows)


def all_of(session: Session) -> list[Row]:
    return rows_of(Voices(session).between(-EVER, EVER))


def test_they_are_the_notes_that_the_player_plays_each_at_its_sample(session: Session) -> None:
    parts = programme_of(session).parts
    played = [(n.on, n.off, n.pitch, n.velocity, part.setup[0][1]) for part in parts for n in part.notes]
    voices = Voices(session)
    assert voices.there
    rows = np.sort(voices.between(-EVER, EVER))
    assert len({row["program"] for row in rows}) == 3
    assert sorted((round(Fraction(on * RATE, SECOND)), p, v, program) for on, _, p, v, program in played) == rows_of(rows)
    lengths = sorted(((off - on) / SECOND) for on, off, *_ in played)
    assert np.abs(np.sort(rows["length"]) - lengths).max() < 0.002, "a note of a file is a tick long at least"


def test_a_stretch_has_what_sounds_in_it_and_no_more(session: Session) -> None:
    voices = Voices(session)
    whole = voices.between(-EVER, EVER)
    for first in range(0, 12 * RATE, RATE):
        got = voices.between(first, first + RATE)
        held = [row for row in whole if row["start"] < first + RATE and row["start"] + row["length"] * RATE > first]
        assert set(rows_of(np.array(held, whole.dtype))) <= set(rows_of(got))
        assert (got["start"] < first + RATE).all()
        assert (got["start"] + (got["length"] + 3) * RATE > first).all(), "what has died away is gone"
    assert len(voices.between(5 * RATE, 6 * RATE)) < len(whole) / 2


def test_only_scenes_that_are_asked_for_are_worked_out(session: Session, worked_out: list[int]) -> None:
    voices = Voices(session)
    first = session.spans[1].seconds[1] + 4
    voices.between(round(first * RATE), round(first * RATE) + RATE)
    assert worked_out == [3]


def test_after_an_act_no_more_is_worked_out_than_it_changed(session: Session, worked_out: list[int]) -> None:
    before = Voices(session)
    before.between(-EVER, EVER)
    assert worked_out == [1, 2, 3]
    other, _ = refilled(session, Wish(3, seed=77), Watch())
    worked_out.clear()
    after = Voices(other, before)
    got = rows_of(after.between(-EVER, EVER))
    assert worked_out == [3]
    assert got == all_of(other) != all_of(session)
    original = all_of(session)
    worked_out.clear()
    back = Choose(3, 1).do(other, Watch())
    assert rows_of(Voices(back, after).between(-EVER, EVER)) == original
    assert worked_out == [], "the take was known"


def test_a_note_that_is_held_over_a_bar_line_ends_where_the_next_scene_strikes_it_again(session: Session) -> None:
    takes, spans = dict(session.takes), session.spans
    length = spans[0].end - spans[0].start
    for span, rows in (
        (spans[0], [Note(length - 1, 60, Fraction(4), 90, "piano")]),
        (spans[1], [Note(Fraction(1), 60, Fraction(1), 90, "piano")]),
    ):
        name = span.scene.chosen or ""
        takes[name] = replace(takes[name], notes=tuple(PlayedNote(note, note) for note in rows))
    held = replace(session, takes=takes)
    before = Voices(held)

    def first_length(voices: Voices) -> float:
        return float(np.sort(voices.between(-EVER, EVER))["length"][0])

    seconds = held.tempo_map.seconds
    assert first_length(before) == pytest.approx(float(seconds(spans[0].end + 1) - seconds(spans[0].end - 1)))
    silent = Choose(2, None).do(held, Watch())
    assert first_length(Voices(silent, before)) == pytest.approx(float(seconds(spans[0].end + 3) - seconds(spans[0].end - 1)))
    programme = programme_of(held).parts
    assert min(note.off for part in programme for note in part.notes) == round(seconds(spans[0].end + 1) * SECOND)


def faster(session: Session) -> Session:
    beats = session.tempo_map
    quick = TempoMap(tuple(Segment(s.start, s.spb * Fraction(9, 10)) for s in beats.segments), beats.metres, beats.origin)
    return replace(session, map=replace(session.map, tempo_map=quick))


def on_harps(session: Session) -> Session:
    return replace(session, instruments={"piano": INSTRUMENTS["harp"]})


def silenced(session: Session) -> Session:
    return Choose(1, None).do(session, Watch())


@pytest.mark.parametrize("change", [faster, on_harps, silenced])
def test_what_is_known_is_forgotten_where_it_would_be_wrong(session: Session, change: Callable[[Session], Session]) -> None:
    before = Voices(session)
    before.between(-EVER, EVER)
    other = change(session)
    got = rows_of(Voices(other, before).between(-EVER, EVER))
    assert got == all_of(other)
    assert got != all_of(session)


def test_a_session_without_notes_has_none(session: Session) -> None:
    empty = session
    for number in (1, 2, 3):
        empty = Choose(number, None).do(empty, Watch())
    assert not Voices(empty).there
    assert len(Voices(empty).between(-EVER, EVER)) == 0
