"""The performance: shaped, seeded, never one constant, and exact where the picture is."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from statistics import mean, pstdev

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.engine import BarBrief
from engines.errors import OptionError
from engines.score.notes import Note
from engines.score.perform import perform
from engines.spotting.tempo import Metre, Segment, TempoMap

F = Fraction
STEADY = TempoMap.steady(120)


def steady_notes(beats: int, step: str = "1/2", velocity: int = 70) -> tuple[Note, ...]:
    return tuple(Note(k * F(step), 60 + k % 5, F(step), velocity) for k in range(int(beats / F(step))))


def shift_ms(before: Note, after: Note, tempo_map: TempoMap = STEADY) -> float:
    return 1000 * float(tempo_map.seconds(after.start) - tempo_map.seconds(before.start))


def test_a_constant_velocity_becomes_a_shape() -> None:
    played = perform(steady_notes(64), STEADY)
    velocities = [n.velocity for n in played]
    assert len(set(velocities)) > 15
    assert pstdev(velocities) > 4
    downbeats = mean(n.velocity for n in played if round(n.start * 2) % 8 == 0)
    offbeats = mean(n.velocity for n in played if round(n.start * 2) % 2 == 1)
    assert downbeats > offbeats + 4


def test_amount_0_changes_only_the_accents() -> None:
    notes = steady_notes(16)
    assert perform(notes, STEADY, amount=0) == notes
    played = perform(notes, STEADY, amount=0, accents={F(4): 1.0})
    changed = [(a, b) for a, b in zip(notes, played, strict=True) if a != b]
    assert [(a.start, b.start, b.velocity) for a, b in changed] == [(4, 4, 92)]


def test_the_same_seed_gives_the_same_notes_and_another_seed_others() -> None:
    notes = steady_notes(32)
    assert perform(notes, STEADY, seed=3) == perform(reversed(notes), STEADY, seed=3)
    assert perform(notes, STEADY, seed=3) != perform(notes, STEADY, seed=4)


def test_timing_is_small_grows_with_the_amount_and_spares_hits() -> None:
    notes = steady_notes(64)
    accents = {F(8): 1.0, F(33, 2): 0.2}
    for amount in (0.2, 1.0):
        played = perform(notes, STEADY, amount=amount, accents=accents)
        shifts = [shift_ms(a, b) for a, b in zip(notes, played, strict=True)]
        assert max(map(abs, shifts)) <= 15 * amount + 0.6
        assert 3 * amount < pstdev(shifts) < 9 * amount
        assert all(b.start == a.start for a, b in zip(notes, played, strict=True) if a.start in accents)


def test_accents_are_louder_than_without_and_never_softer_than_the_engine_meant() -> None:
    notes = steady_notes(32)
    plain = {n.start: n for n in perform(notes, STEADY)}
    played = {n.start: n for n in perform(notes, STEADY, accents={F(11, 2): 1.0, F(6): 0.3})}
    assert played[F(11, 2)].velocity >= 70 + 22
    assert played[F(6)].velocity >= 70 + 12
    assert played[F(11, 2)].velocity > next(v.velocity for k, v in plain.items() if abs(k - F(11, 2)) < F(1, 20))


def test_energy_of_the_brief_is_heard_and_interpolated() -> None:
    bars = [BarBrief(F(4 * k), F(4), energy=e) for k, e in enumerate([0.1, 0.1, 0.9, 0.9])]
    played = perform(steady_notes(16), STEADY, bars=bars)
    by_bar = [mean(n.velocity for n in played if 4 * k - F(1, 8) <= n.start < 4 * k + F(31, 8)) for k in range(4)]
    assert by_bar[2] > by_bar[1] + 10
    half_way = [n.velocity for n in perform(steady_notes(16, "1/16"), STEADY, bars=bars) if 7 < n.start < 9]
    assert mean(half_way[-8:]) > mean(half_way[:8])


@pytest.mark.parametrize(("metre", "strong"), [((7, 8), F(1)), ((6, 8), F(3, 2)), ((5, 4), F(3)), ((4, 4), F(2))])
def test_strong_places_follow_the_metre(metre: tuple[int, int], strong: Fraction) -> None:
    odd = Metre(*metre)
    tempo_map = TempoMap.steady(120, 24, odd)
    notes = [Note(bar.start + place, 60, F(1, 8), 64) for bar in tempo_map.bars for place in (strong, strong + F(1, 4))]
    played = perform(notes, tempo_map)
    assert mean(n.velocity for n in played[::2]) > mean(n.velocity for n in played[1::2]) + 3


def test_no_such_amount() -> None:
    with pytest.raises(OptionError, match=r"1\.5 is not in 0\.\.1"):
        perform((), STEADY, amount=1.5)


notes_drawn = st.builds(
    Note,
    st.integers(0, 96).map(lambda k: F(k, 4)),
    st.integers(30, 90),
    st.sampled_from([F(1, 4), F(1), F(5, 2)]),
    st.integers(1, 127),
    st.sampled_from(["melody", "piano"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(notes_drawn, max_size=40), st.sets(st.integers(0, 24), max_size=5), st.floats(0, 1), st.integers(0, 2**32))
def test_kept_notes_and_hits_stay_and_nothing_overlaps_or_hangs(
    notes: list[Note], marked: set[int], amount: float, seed: int
) -> None:
    tempo_map = TempoMap((Segment(F(0), F(1, 2)), Segment(F(9), F(5, 8))), (Metre(), Metre(7, 8), Metre()))
    accents = {F(k): k / 24 for k in marked}
    keep = notes[:1]
    played = perform(notes, tempo_map, amount=amount, seed=seed, accents=accents, keep=keep)
    assert set(keep) <= set(played)
    assert {n.start for n in notes} & set(accents) == {n.start for n in played} & set(accents)
    assert all(1 <= n.velocity <= 127 and n.length > 0 and n.start >= 0 for n in played)
    last = max((n.end for n in notes), default=F(0))
    assert all(n.end <= last + F(1, 16) for n in played)
    for stem in ("melody", "piano"):
        for pitch in {n.pitch for n in played}:
            assert all(a.end <= b.start for a, b in pairwise(n for n in played if (n.stem, n.pitch) == (stem, pitch)))
