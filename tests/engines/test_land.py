"""Landing: caught hits have an onset on their beat, kept notes never change, and nothing is invented for soft hits."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from engines.score.instruments import INSTRUMENTS
from engines.score.land import caught_at, land, landed_beats
from engines.score.notes import Note
from engines.spotting.hits import Hit
from engines.spotting.tempo import Segment, TempoMap

F = Fraction
STEADY = TempoMap.steady(120)


def hit(beat: Fraction | int, weight: float = 1.0, hard: bool = True, off: str = "0") -> Hit:
    time = STEADY.seconds(beat) + F(off)
    return Hit(round(time * 24), time, weight, hard, F(1, 50), F(1, 50))


def chord(start: Fraction | int, pitches: tuple[int, ...] = (48, 60, 64, 67), velocity: int = 70, length: int = 1) -> list[Note]:
    return [Note(F(start), p, F(length), velocity) for p in pitches]


def test_the_engines_own_onset_stands() -> None:
    notes = chord(0) + chord(2)
    landed, [landing] = land(notes, [hit(2)], STEADY)
    assert landed == tuple(sorted(notes))
    assert (landing.landed_by, landing.how, landing.beat) == ("engine", "own", 2)
    assert landing.notes == tuple(sorted(chord(2)))


def test_the_chord_a_sixteenth_away_moves_as_one_and_ends_where_it_did() -> None:
    notes = chord(0) + chord(F(7, 4)) + chord(3)
    landed, [landing] = land(notes, [hit(2)], STEADY)
    assert landing.how == "moved"
    assert landing.landed_by == "land"
    assert [(n.start, n.end) for n in landing.notes] == [(2, F(11, 4))] * 4
    assert len(landed) == 12
    assert not any(n.start == F(7, 4) for n in landed)


def test_the_stronger_neighbour_moves() -> None:
    notes = [Note(F(7, 4), 60, F(1, 4), 40), Note(F(9, 4), 72, F(1, 4), 100)]
    _, [landing] = land(notes, [hit(2)], STEADY)
    assert [n.pitch for n in landing.notes] == [72]


def test_silence_gets_a_marked_accent_on_what_sounds() -> None:
    notes = chord(0, (48, 55, 64), 70, 4) + chord(4)
    landed, [landing] = land(notes, [hit(2)], STEADY)
    assert landing.how == "inserted"
    assert {n.pitch % 12 for n in landing.notes} == {0, 4, 7}
    assert all(80 <= n.velocity <= 120 for n in landing.notes)
    assert all(any(n.start == m.start and n.pitch == m.pitch for n in landed) for m in chord(0, (48, 55, 64)))


def test_an_accent_takes_the_chord_of_the_moment_and_stays_in_range() -> None:
    held = {"flutes": INSTRUMENTS["flute"]}
    notes = [Note(F(0), 80, F(1), 60, "flutes")]
    _, [landing] = land(notes, [hit(8)], STEADY, chords=[(F(0), "C:maj"), (F(4), "A:min7")], instruments=held)
    assert {n.pitch % 12 for n in landing.notes} == {9, 0, 4}
    assert all(60 <= n.pitch <= 98 for n in landing.notes)
    assert {n.stem for n in landing.notes} == {"flutes"}


def test_an_empty_score_still_answers() -> None:
    landed, [landing] = land([], [hit(3)], STEADY)
    assert landed == landing.notes != ()


def test_soft_hits_draw_what_is_near_and_never_add() -> None:
    near = [Note(F(2) + F(1, 40), 60, F(1), 70)]
    landed, [landing] = land(near, [hit(2, hard=False)], STEADY)
    assert (landing.how, landed[0].start) == ("moved", 2)
    far = [Note(F(9, 4), 60, F(1), 70)]
    landed, [landing] = land(far, [hit(2, hard=False)], STEADY)
    assert (landing.how, landing.landed_by) == ("missed", "none")
    assert landed == tuple(far)


def test_hits_that_the_map_does_not_catch_are_left_alone() -> None:
    off = hit(2, off="1/20")
    assert caught_at(off, STEADY) is None
    landed, [landing] = land(chord(0), [off], STEADY)
    assert (landing.beat, landing.landed_by) == (None, "none")
    assert landed == tuple(chord(0))
    in_window = hit(2, off="1/60")
    assert caught_at(in_window, STEADY) == 2
    sixteenth = hit(F(9, 4))
    assert caught_at(sixteenth, STEADY) == F(9, 4)
    assert caught_at(hit(-1), STEADY) is None


def test_no_onset_crosses_another_hit_or_leaves_one() -> None:
    notes = chord(2)
    _, landings = land(notes, [hit(2), hit(F(9, 4))], STEADY)
    assert [x.how for x in landings] == ["own", "inserted"]


def test_the_cue_is_over_at_its_end() -> None:
    landed, [landing] = land(chord(0), [hit(8)], STEADY, end=F(8))
    assert landing.landed_by == "none"
    assert landed == tuple(chord(0))
    kept = Note(F(7), 40, F(4), 70)
    landed, _ = land([*chord(7, length=3), Note(F(9), 60, F(1), 70), kept], [], STEADY, keep=[kept], end=F(8))
    assert landed == tuple(sorted([kept, *chord(7)]))
    _, [landing] = land([], [hit(F(15, 2))], STEADY, end=F(8))
    assert {n.end for n in landing.notes} == {8}


notes_drawn = st.builds(
    Note,
    st.integers(0, 64).map(lambda k: F(k, 4)) | st.fractions(0, 16, max_denominator=96),
    st.integers(36, 84),
    st.sampled_from([F(1, 4), F(1, 2), F(1), F(3)]),
    st.integers(20, 110),
    st.sampled_from(["melody", "bridge", "piano"]),
)
places = st.lists(st.tuples(st.integers(0, 32), st.booleans(), st.floats(0, 1)), max_size=10, unique_by=lambda t: t[0])


def one_voice(notes: list[Note]) -> list[Note]:
    """Kept notes as a take has them: none overlaps another on its pitch and stem."""
    out: list[Note] = []
    for note in sorted(notes):
        if not any(o.stem == note.stem and o.pitch == note.pitch and o.end > note.start for o in out):
            out.append(note)
    return out


@settings(max_examples=120, deadline=None)
@given(st.lists(notes_drawn, max_size=40), st.lists(notes_drawn, max_size=8), places)
def test_every_caught_hard_hit_lands_and_kept_notes_stay(
    notes: list[Note], kept: list[Note], drawn: list[tuple[int, bool, float]]
) -> None:
    tempo_map = TempoMap((Segment(F(0), F(1001, 2000)), Segment(F(5), F(13, 24)), Segment(F(19, 2), F(11, 24))))
    keep = one_voice(kept)
    hits = [Hit(k, tempo_map.seconds(F(k, 2)), weight, hard) for k, hard, weight in drawn]
    landed, landings = land(notes + keep, hits, tempo_map, keep=keep)
    assert [x.hit for x in landings] == sorted(hits)
    starts = {n.start for n in landed}
    for landing in landings:
        assert landing.beat == F(landing.hit.frame, 2)
        if landing.hit.hard:
            assert landing.beat in starts
            assert landing.notes
            assert landing.landed_by != "none"
    assert set(keep) <= set(landed)
    for stem in ("melody", "bridge", "piano"):
        for pitch in range(128):
            line = [n for n in landed if (n.stem, n.pitch) == (stem, pitch)]
            assert all(a.end <= b.start for a, b in pairwise(line))
    again, second = land(landed, hits, tempo_map, keep=keep)
    assert {x.how for x in second if x.hit.hard} <= {"own"}
    assert again == landed
    assert set(landed_beats(landings)) <= starts
