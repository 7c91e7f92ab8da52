"""The tempo map: exact both ways, and bars that cover everything."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.spotting.click import ACCENT, BEAT, DOWNBEAT, STEM, click
from engines.spotting.plan import Plan, Span, bars_over
from engines.spotting.tempo import Bar, Metre, Segment, TempoMap, merged, partial

BEATS = st.fractions(0, 400, max_denominator=96)
METRES = st.sampled_from([Metre(), Metre(3, 4), Metre(2, 4), Metre(5, 4), Metre(7, 8), Metre(6, 8)])


@st.composite
def tempo_maps(draw: st.DrawFn) -> TempoMap:
    starts = sorted({Fraction(0), *draw(st.lists(st.fractions(0, 200, max_denominator=8), max_size=8))})
    tempos = draw(st.lists(st.fractions(40, 240, max_denominator=1001), min_size=len(starts), max_size=len(starts)))
    segments = tuple(Segment(start, 60 / tempo) for start, tempo in zip(starts, tempos, strict=True))
    return TempoMap(
        segments, tuple(draw(st.lists(METRES, min_size=1, max_size=12))), draw(st.fractions(0, 100, max_denominator=24))
    )


@settings(max_examples=60, deadline=None)
@given(tempo_map=tempo_maps(), beat=BEATS, other=BEATS)
def test_beats_and_seconds_are_inverse_and_rise_together(tempo_map: TempoMap, beat: Fraction, other: Fraction) -> None:
    assert tempo_map.beat(tempo_map.seconds(beat)) == beat
    assert tempo_map.seconds(tempo_map.beat(other)) == other
    assert (tempo_map.seconds(beat) < tempo_map.seconds(other)) == (beat < other)
    assert tempo_map.seconds(0) == tempo_map.origin


@settings(max_examples=60, deadline=None)
@given(tempo_map=tempo_maps(), beat=BEATS)
def test_bars_follow_each_other_and_every_beat_has_one(tempo_map: TempoMap, beat: Fraction) -> None:
    bars = tempo_map.bars_until(beat)
    assert bars[0].start == 0
    assert bars[-1].end >= beat
    assert len(bars) == 1 or bars[-1].start < beat
    assert [bar.index for bar in bars] == list(range(len(bars)))
    assert all(a.end == b.start for a, b in pairwise(bars))
    wanted = [*tempo_map.metres, *[tempo_map.metres[-1]] * len(bars)][: len(bars)]
    assert [bar.metre for bar in bars] == wanted
    home = tempo_map.bar_at(beat)
    assert home.start <= beat < home.end
    assert tempo_map.bars_until(home.end)[-1] == home


@settings(max_examples=60, deadline=None)
@given(tempo_map=tempo_maps(), one=BEATS, other=BEATS, data=st.data())
def test_a_stretch_of_a_map_is_what_a_look_at_all_of_it_finds(
    tempo_map: TempoMap, one: Fraction, other: Fraction, data: st.DataObject
) -> None:
    lines = [bar.start for bar in tempo_map.bars_until(Fraction(100))]
    start = data.draw(st.one_of(st.just(one), st.sampled_from(lines)))
    end = data.draw(st.one_of(st.just(other), st.sampled_from(lines)))
    bars = tuple(bar for bar in tempo_map.bars_until(end) if start <= bar.start < end)
    assert tempo_map.bars_between(start, end) == bars
    assert tempo_map.segments_between(start, end) == tuple(s for s in tempo_map.segments if start < s.start < end)


def test_a_bar_line_belongs_to_the_bar_that_it_begins() -> None:
    tempo_map = TempoMap.steady(100, metre=Metre(3, 4))
    assert tempo_map.bar_at(3) == Bar(1, Fraction(3), Metre(3, 4))
    assert tempo_map.bar_at(3 - Fraction(1, 10**9)).index == 0
    assert tempo_map.bar_at(-2).index == 0
    assert tempo_map.bar_at(3000).index == 1000


def test_a_film_of_ten_minutes_at_23_976_stays_exact() -> None:
    frame = Fraction(1001, 24000)
    tempo_map = TempoMap((Segment(Fraction(0), 13 * frame), Segment(Fraction(500), 12 * frame)))
    assert tempo_map.seconds(1000) == (500 * 13 + 500 * 12) * frame
    assert tempo_map.beat(frame * 7000) == 500 + Fraction(500, 12)
    assert tempo_map.bpm(499) == 60 / (13 * frame)
    assert tempo_map.bpm(500) == 60 / (12 * frame)


@pytest.mark.parametrize(
    ("segments", "metres"),
    [
        ((), (Metre(),)),
        ((Segment(Fraction(1), Fraction(1)),), (Metre(),)),
        ((Segment(Fraction(0), Fraction(1)), Segment(Fraction(0), Fraction(2))), (Metre(),)),
        ((Segment(Fraction(0), Fraction(0)),), (Metre(),)),
        ((Segment(Fraction(0), Fraction(1)),), ()),
    ],
)
def test_a_map_that_is_none_is_refused(segments: tuple[Segment, ...], metres: tuple[Metre, ...]) -> None:
    with pytest.raises(ValueError, match=r"segments|positive"):
        TempoMap(segments, metres)


@settings(max_examples=60, deadline=None)
@given(tempo_map=tempo_maps(), beat=BEATS)
def test_merging_changes_no_time(tempo_map: TempoMap, beat: Fraction) -> None:
    doubled = [part for s in tempo_map.segments for part in (s, Segment(s.start + Fraction(1, 1000), s.spb))]
    assert TempoMap(merged(doubled), tempo_map.metres, tempo_map.origin).seconds(beat) == tempo_map.seconds(beat)
    assert len(merged(doubled)) <= len(tempo_map.segments)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.tuples(st.integers(1, 30), st.fractions(Fraction(1, 3), 1, max_denominator=50)), min_size=1, max_size=6),
    subdivision=st.sampled_from([1, 2]),
)
def test_a_staircase_reaches_the_end_of_every_glide_exactly(lengths: list[tuple[int, Fraction]], subdivision: int) -> None:
    spans, before = [], Fraction(1, 2)
    for pulses, spb in lengths:
        quarter = Fraction(pulses, 4 * subdivision)  # turns lie between the steps of the staircase
        spans += [Span(quarter, before, spb), Span(2 * quarter, spb, spb), Span(quarter, spb, before)]
    spans.append(Span(Fraction(4), before, before))
    plan = Plan("ramp", before, Fraction(3), tuple(spans), Metre(), (Metre(),), subdivision=subdivision)
    beat, time = Fraction(0), Fraction(3)
    for k, span in enumerate(spans):
        beat, time = beat + span.beats, time + span.seconds
        if k % 3 == 2 and k < len(spans) - 1:
            assert plan.tempo_map.seconds(beat) == time
    edges = [before, *(spb for _, spb in lengths)]
    assert all(min(edges) <= segment.spb <= max(edges) for segment in plan.tempo_map.segments)
    assert all((segment.start * subdivision).denominator == 1 for segment in plan.tempo_map.segments)


def test_bars_over_a_pickup() -> None:
    assert bars_over(Fraction(9), Metre(), Fraction(1)) == (Metre(1, 4), Metre(), Metre())
    assert bars_over(Fraction(1), Metre()) == (Metre(),)
    assert partial(Fraction(7, 2)) == Metre(7, 8)


def test_the_click_accents_downbeats_and_stops_with_the_cue() -> None:
    tempo_map = TempoMap((Segment(Fraction(0), Fraction(1, 2)),), (Metre(1, 4), Metre(), Metre(7, 8), Metre(2, 4)))
    notes = click(tempo_map, Fraction(11, 2))
    assert {note.stem for note in notes} == {STEM}
    accents = [note.start for note in notes if note.velocity == ACCENT]
    assert accents == [1, 5, Fraction(17, 2), Fraction(21, 2)]
    assert all((note.pitch == DOWNBEAT) == (note.velocity == ACCENT) for note in notes)
    assert [note.start for note in notes if 5 <= note.start < Fraction(17, 2)] == [5 + Fraction(k, 2) for k in range(7)]
    assert sum(note.pitch == BEAT for note in notes) == 1 + 3 + 6 + 1
    assert all(tempo_map.seconds(note.start) < Fraction(11, 2) for note in notes)
