"""The bass that a chord was asked for with."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.bmt.compose import BMTEngine
from engines.diffbgm.compose import DiffBGMEngine
from engines.engine import BarBrief
from engines.score.bass import LOWEST, told_bass, with_bass
from engines.score.harmony import bass_of, chord_at, chord_name
from engines.score.notes import STEMS, Note

notes = st.sets(
    st.builds(
        Note,
        st.integers(0, 31).map(lambda k: Fraction(k, 4)),
        st.integers(30, 90),
        st.integers(1, 12).map(lambda k: Fraction(k, 4)),
        st.integers(1, 127),
        st.sampled_from(STEMS),
    ),
    min_size=1,
    max_size=30,
)


@pytest.mark.parametrize(
    ("written", "low"),
    [("F/A", 9), ("C/E", 4), ("Am7/G", 7), ("C:7/3", 4), ("C:7/b7", 10), ("C:maj/9", 2), ("G/B", 11), ("D/F#", 6), ("Bb/D", 2),
     ("C", None), ("Cm7", None), ("C6/9", None), ("C/C", None), ("N", None), ("C:maj/1", None)],
)  # fmt: skip
def test_a_bass_is_a_tone_or_a_degree(written: str, low: int | None) -> None:
    assert bass_of(chord_name(written) or "") == low


def two_bars(chord: str | None) -> tuple[BarBrief, ...]:
    return BarBrief(Fraction(0), Fraction(4), chord=chord), BarBrief(Fraction(4), Fraction(4), chord="G:maj")


@given(notes, st.sampled_from(["F:maj/A", "C:maj/E", "C:7/b7", "A:min/G"]), st.data())
def test_the_bar_stands_on_its_bass(found: set[Note], chord: str, data: st.DataObject) -> None:
    keep = set(data.draw(st.lists(st.sampled_from(sorted(found)), max_size=2)))
    out = with_bass(found, two_bars(chord), keep)
    assert set(out) >= keep
    assert len({(n.start, n.pitch, n.stem) for n in out}) == len(out) or len({(n.start, n.pitch, n.stem) for n in keep}) < len(
        keep
    )
    new = [n for n in out if n not in keep]
    for note in new:
        assert not any(
            n.start < note.end and note.start < n.end
            for n in out
            if n is not note and (n.pitch, n.stem) == (note.pitch, note.stem)
        ), "no pitch is struck while it sounds"
    bar = [n for n in found - keep if n.start < 4]
    if bar:
        stem = max({n.stem for n in bar}, key=STEMS.index)
        first = min(n.start for n in bar if n.stem == stem)
        begins = [n for n in new if n.stem == stem and n.start == first]
        lowest = min(begins, key=lambda n: n.pitch, default=None)
        if lowest is not None and not keep:
            assert lowest.pitch % 12 == bass_of(chord)
            assert lowest.pitch >= LOWEST
            assert all(n.pitch >= lowest.pitch for n in new if n.stem == stem and n.start < 4)
    untouched = {n for n in found - keep if n.start >= 4}
    assert {(n.start, n.pitch, n.stem) for n in new if n.start >= 4} <= {(n.start, n.pitch, n.stem) for n in untouched}


def test_the_rest_of_the_chord_stays() -> None:
    bar = [Note(Fraction(0), p, Fraction(2), 80) for p in (41, 53, 57, 60)] + [Note(Fraction(2), 41, Fraction(2), 80)]
    bar.append(Note(Fraction(3), 36, Fraction(1), 80))
    out = with_bass(bar, two_bars("F:maj/A"))
    assert [(n.start, n.pitch) for n in out] == [(0, 45), (0, 53), (0, 57), (0, 60), (2, 45), (3, 48)]
    assert with_bass(bar, two_bars("F:maj")) == tuple(sorted(bar))


def test_an_accent_is_struck_over_the_bass_too() -> None:
    bars = (*two_bars("F:maj/A"), BarBrief(Fraction(8), Fraction(4), chord="G:maj/B"), BarBrief(Fraction(12), Fraction(4)))
    told = told_bass(((Fraction(0), "F_M"), (Fraction(4), "G_M")), bars)
    assert told == ((0, "F:maj/A"), (4, "G_M"), (8, "G:maj/B"), (12, "G_M"))
    assert [chord_at(told, Fraction(beat))[0] for beat in (0, 3, 4, 9, 13)] == [9, 9, 7, 11, 7]
    assert set(chord_at(told, Fraction(1))) == {5, 9, 0}
    assert chord_at((), Fraction(1)) == ()


def test_both_engines_stand_on_the_bass_that_is_asked_for() -> None:
    from engines.engine import Brief
    from engines.session.compose import make
    from engines.session.model import Order
    from engines.spotting.tempo import TempoMap

    bars = tuple(BarBrief(Fraction(4 * k), Fraction(4), bpm=90, density=6, chord="F:maj/A") for k in range(4))
    for engine in (BMTEngine(), DiffBGMEngine()):
        order = Order(engine.name, None, 3, Brief(bars, key="F:maj"), (), (), Fraction(16), 0.0)
        made = make(order, TempoMap.steady(Fraction(90), 4), engine)
        for k in range(4):
            piano = [row.note for row in made.notes if row.note.stem == "piano" and 4 * k <= row.note.start < 4 * k + 4]
            first = min(note.start for note in piano)
            assert min(note.pitch for note in piano if note.start == first) % 12 == 9
