"""Tempo maps and notes carried to a new cut: what stays is exact, what is new fits between, and no more is new than must be."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from itertools import chain, combinations, pairwise
from math import inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recuts import FILM, Clip, Film, a_film, cut_list, inserted, recut, removed, swapped, trimmed

from engines.conform.anchors import Anchor, anchors, lines
from engines.conform.carry import carry, touched
from engines.conform.keeping import Ground, Terms, _between, _opening, kept
from engines.conform.match import Matched, Piece, match
from engines.conform.replan import Replan, replan
from engines.picture import cutlist
from engines.picture.cutlist import CutList
from engines.score.notes import STEMS, Note, sorted_notes
from engines.spotting.hits import Hit, hits_from_cuts
from engines.spotting.solve import solve
from engines.spotting.tempo import Metre, Segment, TempoMap, merged

NTSC = Fraction(24000, 1001)
OLD = a_film(7, 12)
BEND = Fraction(4)
PER_CHANGE, AT_THE_END = 7, 4
"""Anchored bars that may be lost: a change costs up to a dozen beats on either side, in the worst case."""


def end_of(programme: CutList) -> Fraction:
    return programme.frames / programme.rate


def a_map(programme: CutList, seed: int = 0, bpm: int = 100, metre: Metre | None = None) -> tuple[TempoMap, int]:
    """A map whose tempo changes at some bars, up to 3 % from the nominal; and how many bars the programme has."""
    rng, own, segments, beat = random.Random(seed), metre or Metre(), [], Fraction(0)
    for _ in range(200):
        if rng.random() < 0.4 or not segments:
            segments.append(Segment(beat, Fraction(60, bpm) / (1 + Fraction(rng.randint(-3, 3), 100))))
        beat += own.length
    tempo_map = TempoMap(merged(segments), (own,))
    bars = len(tempo_map.bars_until(tempo_map.beat(end_of(programme))))
    end = bars * own.length
    return TempoMap(tuple(s for s in tempo_map.segments if s.start < end), (own,) * bars), bars


def carried(old: CutList, new: CutList, tempo_map: TempoMap, bars: int, **more: object) -> tuple[Matched, Replan]:
    matched = match(old, new)
    hits = hits_from_cuts(new.cuts, new.rate, end_of(new))
    return matched, replan(tempo_map, bars, matched, hits, end_of(new), **more)  # type: ignore[arg-type]


def check(old_map: TempoMap, old_bars: int, matched: Matched, answer: Replan, end: Fraction, bpm: Fraction | None = None) -> None:
    """Everything that holds of every answer."""
    new_map, longer = answer.tempo_map, matched.old_rate / matched.new_rate
    assert len(answer.bars) == len(new_map.bars_until(new_map.beat(end)))
    old_lines, new_lines = lines(old_map, old_bars), lines(new_map, len(answer.bars))
    film = matched.old_frames / matched.old_rate
    for number, bar in enumerate(answer.bars):
        start = new_lines[number]
        if bar is None:
            if bpm:
                spans = [s.bpm for s in new_map.segments if start < s.start < new_lines[number + 1]]
                assert all(abs(tempo / bpm - 1) * 100 <= BEND + Fraction(1, 10**6) for tempo in [*spans, new_map.bpm(start)])
            continue
        first, length = old_lines[bar], old_lines[bar + 1] - old_lines[bar]
        assert new_lines[number + 1] - start == length
        for beat in (k * Fraction(1, 4) for k in range(int(length * 4) + 1)):
            there = old_map.seconds(first + beat) - old_map.seconds(first)
            assert new_map.seconds(start + beat) - new_map.seconds(start) == there * longer
        # the same picture under the whole bar, as far as there was picture
        frames = [min(old_map.seconds(line), film) * matched.old_rate for line in (first, first + length)]
        offset = new_map.seconds(start) * matched.new_rate - frames[0]
        assert any(
            p.old_frame <= frames[0] and frames[1] <= p.old_frame + p.frames and p.new_frame - p.old_frame == offset
            for p in matched.pieces
        )


@pytest.mark.parametrize("start", [0, 1])
def test_the_same_cut_keeps_the_same_map(start: int) -> None:
    old = cut_list(OLD)
    tempo_map, bars = a_map(old)
    _, answer = carried(old, cut_list(OLD, start=start), tempo_map, bars)
    assert (answer.tempo_map, answer.bars) == (tempo_map, tuple(range(bars)))
    assert touched(answer) == ()


def test_the_twin_rate_lengthens_every_beat_by_a_thousandth_and_touches_no_bar() -> None:
    old, new = cut_list(OLD), cut_list(OLD, NTSC)
    tempo_map, bars = a_map(old)
    tempo_map = replace(tempo_map, origin=Fraction(1, 5))
    matched, answer = carried(old, new, tempo_map, bars, bpm=Fraction(100))
    assert answer.bars == tuple(range(bars))
    assert answer.bpm == Fraction(100_000, 1001)
    assert [s.start for s in answer.tempo_map.segments] == [s.start for s in tempo_map.segments]
    assert [s.spb for s in answer.tempo_map.segments] == [s.spb * Fraction(1001, 1000) for s in tempo_map.segments]
    assert answer.tempo_map.origin == Fraction(1001, 5000)
    check(tempo_map, bars, matched, answer, end_of(new))


CASES = {
    "shortened by 14 frames": trimmed(OLD, 5, tail=14),
    "shortened at its head": trimmed(OLD, 5, head=14),
    "removed": removed(OLD, 4),
    "inserted": inserted(OLD, 4, Clip(99, 0, 51)),
    "swapped": swapped(OLD, 3, 8),
    "head of the film": trimmed(OLD, 0, head=20),
    "head of the film, a whole shot": removed(OLD, 0),
    "a shot before the first": inserted(OLD, 0, Clip(99, 0, 51)),
    "last shot": removed(OLD, 11),
    "a shot more at the end": inserted(OLD, 12, Clip(99, 0, 51)),
    "last shot shortened": trimmed(OLD, 11, tail=14),
}


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("case", CASES)
def test_a_change_costs_a_few_bars_around_it(case: str, seed: int) -> None:
    old, new = cut_list(OLD), cut_list(CASES[case])
    tempo_map, bars = a_map(old, seed)
    matched, answer = carried(old, new, tempo_map, bars, bpm=Fraction(100))
    check(tempo_map, bars, matched, answer, end_of(new), Fraction(100))
    possible = {anchor.bar for anchor in anchors(tempo_map, bars, matched)}
    stay = {bar for bar in answer.bars if bar is not None}
    assert stay <= possible
    seams = 4 if case == "swapped" else 1
    assert len(possible) - len(stay) <= 4 * seams
    assert len(touched(answer)) <= seams + 1


def test_a_swapped_shot_takes_its_bars_along() -> None:
    """Two long shots change places: whole bars of each sound at their new place."""
    film = tuple(Clip(k, 0, 24 * (16 if k in (2, 5) else 5 + k % 3)) for k in range(9))
    old, new = cut_list(film), cut_list(swapped(film, 2, 5))
    tempo_map, bars = a_map(old)
    matched, answer = carried(old, new, tempo_map, bars)
    check(tempo_map, bars, matched, answer, end_of(new))
    order = [bar for bar in answer.bars if bar is not None]
    assert order != sorted(order)
    assert len(order) > bars * 0.6


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    shots=st.integers(8, 24),
    changes=st.integers(0, 4),
    bpm=st.integers(75, 135),
    metre=st.sampled_from([Metre(), Metre(), Metre(3, 4), Metre(6, 8), Metre(7, 8)]),
    twin=st.booleans(),
)
def test_what_stays_is_exact_and_most_of_what_can_stays(
    seed: int, shots: int, changes: int, bpm: int, metre: Metre, twin: bool
) -> None:
    film = a_film(seed, shots)
    old, new = cut_list(film), cut_list(recut(film, seed, changes), NTSC if twin else FILM)
    tempo_map, bars = a_map(old, seed, bpm, metre)
    matched, answer = carried(old, new, tempo_map, bars, metres=(metre,), bpm=Fraction(bpm))
    nominal = Fraction(bpm) * matched.new_rate / matched.old_rate
    check(tempo_map, bars, matched, answer, end_of(new), nominal if any(bar is not None for bar in answer.bars) else None)
    possible = {anchor.bar for anchor in anchors(tempo_map, bars, matched)}
    stay = {bar for bar in answer.bars if bar is not None}
    assert stay <= possible
    assert len(stay) >= len(possible) - PER_CHANGE * changes - AT_THE_END * (changes > 0)


@settings(max_examples=25, deadline=None)
@given(data=st.data(), twin=st.booleans())
def test_any_pieces_have_a_map(data: st.DataObject, twin: bool) -> None:
    """In any order, seen twice, a few frames long, with any film around them; also where the cue begins late."""
    old = cut_list(OLD)
    tempo_map, bars = a_map(old, data.draw(st.integers(0, 99)))
    tempo_map = replace(tempo_map, origin=data.draw(st.sampled_from([Fraction(0), Fraction(2, 5), Fraction(-1, 4)])))
    time, pieces = 0, []
    for _ in range(data.draw(st.integers(0, 6))):
        time += data.draw(st.integers(0, 100))
        first = data.draw(st.integers(0, old.frames - 2))
        frames = data.draw(st.integers(1, min(600, old.frames - first)))
        pieces.append(Piece(first, time, frames))
        time += frames
    frames = max(24, time + data.draw(st.integers(0, 100)))
    matched = Matched("source", (), tuple(pieces), FILM, NTSC if twin else FILM, old.frames, frames)
    end = frames / matched.new_rate
    hits = [Hit(frame, frame / matched.new_rate) for frame in sorted({p.new_frame for p in pieces} - {0})]
    answer = replan(tempo_map, bars, matched, hits, end, bpm=Fraction(100))
    nominal = Fraction(100) * matched.new_rate / matched.old_rate
    check(tempo_map, bars, matched, answer, end, nominal if any(bar is not None for bar in answer.bars) else None)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_no_other_choice_of_bars_is_better(data: st.DataObject) -> None:
    """Against every subset of the anchors, priced alike."""
    count, time, own = data.draw(st.integers(1, 8)), Fraction(0), []
    bar = -1
    for _ in range(count):
        time += data.draw(st.sampled_from([0, 0, Fraction(1, 3), Fraction(13, 10), 4]))
        bar += data.draw(st.sampled_from([1, 1, 1, 2]))
        own.append(Anchor(bar, time, time + Fraction(12, 5)))
        time = own[-1].end
    bend = Fraction(data.draw(st.sampled_from([2, 4, 8])), 100)
    end = time + data.draw(st.sampled_from([0, 3]))
    ground = Ground(Fraction(0), end, own, Fraction(100), [(Fraction(3, 5),) * 2] * (bar + 1), Terms(4, Fraction(1), bend))

    def worth(chosen: tuple[Anchor, ...]) -> float:
        if not chosen:
            return 0.0
        inner = sum(_between(ground, a, b) for a, b in pairwise(chosen))
        return len(chosen) - _opening(ground, chosen[0]) - inner - (0.3 if chosen[-1].end < end else 0)

    subsets = chain.from_iterable(combinations(own, n) for n in range(count + 1))
    best = max(map(worth, subsets))
    assert worth(tuple(kept(ground))) == pytest.approx(best)
    assert best > -inf


def test_where_nothing_is_left_the_cue_is_new() -> None:
    old, new = cut_list(OLD), cut_list(a_film(8, 12))
    tempo_map, bars = a_map(old)
    matched, answer = carried(old, new, tempo_map, bars)
    assert matched.pieces == ()
    assert set(answer.bars) == {None}
    hits = hits_from_cuts(new.cuts, new.rate, end_of(new))
    assert answer.tempo_map == solve(hits, end_of(new))[0].tempo_map


def test_without_any_bend_a_steady_cue_goes_on_anew() -> None:
    """No whole number of beats fits over a cut of 14 frames: what comes after is solved again."""
    old, new = cut_list(OLD), cut_list(CASES["shortened by 14 frames"])
    tempo_map = TempoMap.steady(100, 60)
    bars = len(tempo_map.bars_until(tempo_map.beat(end_of(old))))
    _, answer = carried(old, new, replace(tempo_map, metres=(Metre(),) * bars), bars, max_bend=0)
    stay = [bar for bar in answer.bars if bar is not None]
    assert stay == list(range(len(stay)))
    assert {s.spb for s in answer.tempo_map.segments} == {Fraction(3, 5)}


def test_a_cue_that_the_solver_made_on_a_real_list(shared: Path) -> None:
    old = cutlist.read(shared / "timelines" / "edl_guerilla" / "45S_SAMPLE.EDL", assume=Fraction(25))
    gone = old.shots[12]
    length = gone.end - gone.start
    later = tuple(replace(s, start=s.start - length, end=s.end - length) for s in old.shots[13:])
    kept_cuts = tuple(c for c in old.cuts if c.frame <= gone.start)
    moved = tuple(replace(c, frame=c.frame - length, time=c.time - length / old.rate) for c in old.cuts if c.frame > gone.end)
    new = replace(old, frames=old.frames - length, shots=(*old.shots[:12], *later), cuts=(*kept_cuts, *moved))
    found = solve(hits_from_cuts(old.cuts, old.rate, end_of(old)), end_of(old))[0]
    matched, answer = carried(old, new, found.tempo_map, len(found.bars), bpm=found.tempo_bpm)
    check(found.tempo_map, len(found.bars), matched, answer, end_of(new), found.tempo_bpm)
    assert sum(bar is not None for bar in answer.bars) >= 0.7 * len(found.bars)


# ---- notes


@st.composite
def notes_of(draw: st.DrawFn, tempo_map: TempoMap, bars: int) -> tuple[Note, ...]:
    end = lines(tempo_map, bars)[-1]
    row = st.tuples(st.fractions(0, end - Fraction(1, 960), max_denominator=960), st.integers(0, 127), st.sampled_from(STEMS))
    rows = draw(st.lists(row, max_size=30))
    return sorted_notes(Note(start, pitch, Fraction(3, 2), 1 + pitch % 127, stem) for start, pitch, stem in rows)


@settings(max_examples=20, deadline=None)
@given(data=st.data(), case=st.sampled_from(sorted(CASES)))
def test_notes_go_with_their_bars_and_change_in_nothing_else(data: st.DataObject, case: str) -> None:
    old, new = cut_list(OLD), cut_list(CASES[case])
    tempo_map, bars = a_map(old)
    _, answer = carried(old, new, tempo_map, bars)
    notes = data.draw(notes_of(tempo_map, bars))
    out = carry(notes, tempo_map, answer, bars)
    old_lines, new_lines = lines(tempo_map, bars), lines(answer.tempo_map, len(answer.bars))
    expected = [
        replace(note, start=note.start - old_lines[bar] + new_lines[number])
        for number, bar in enumerate(answer.bars)
        if bar is not None
        for note in notes
        if old_lines[bar] <= note.start < old_lines[bar + 1]
    ]
    assert out == sorted_notes(expected)


def test_notes_of_the_same_cut_are_the_same_notes() -> None:
    tempo_map, bars = a_map(cut_list(OLD))
    notes = tuple(Note(Fraction(k, 3), 60 + k % 12, Fraction(1, 2), 80) for k in range(60))
    assert carry(notes, tempo_map, Replan(tempo_map, tuple(range(bars)), Fraction(100)), bars) == sorted_notes(notes)


def test_a_bar_that_is_seen_twice_has_its_notes_twice() -> None:
    film: Film = tuple(Clip(k, 0, 24 * 12) for k in range(4))
    old, new = cut_list(film), cut_list(inserted(film, 4, film[1]))
    tempo_map, bars = a_map(old)
    _, answer = carried(old, new, tempo_map, bars)
    twice = {bar for bar in answer.bars if bar is not None and answer.bars.count(bar) == 2}
    assert twice
    bar = min(twice)
    note = Note(lines(tempo_map, bars)[bar] + 1, 60, Fraction(1), 90, "melody")
    out = carry([note], tempo_map, answer, bars)
    assert len(out) == 2
    times = [answer.tempo_map.seconds(n.start) for n in out]
    assert times[0] == tempo_map.seconds(note.start)
    assert times[1] - times[0] == 36  # three shots of 12 seconds later


def test_the_spans_to_compose_again() -> None:
    tempo_map = TempoMap.steady(100, 8)
    assert touched(Replan(tempo_map, (None, 1, 2, None, None, 5, 6, None), Fraction(100))) == ((0, 1), (3, 5), (7, 8))
    assert touched(Replan(tempo_map, (None, None), Fraction(100))) == ((0, 2),)
