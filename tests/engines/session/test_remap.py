"""Another tempo map for a session: what is locked stays where it is, what can be carried is, and all of it is undone byte by byte."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import bytes_of, few, scored

from engines import commands
from engines.errors import OptionError, SpottingError
from engines.session.desk import Desk
from engines.session.lock import locked_bars
from engines.session.model import Session, Told
from engines.session.plain import plain, session_of
from engines.session.remap import Maps, remapped, spotted_again
from engines.spotting.candidates import worth_a_look
from engines.spotting.hits import Hit
from engines.spotting.tempo import Metre
from engines.spotting.words import words
from engines.watch import Watch

pytestmark = pytest.mark.usefixtures("trio")


@cache
def start() -> Session:
    return scored()


@cache
def maps(*locks: tuple[int, int]) -> tuple[Session, Maps]:
    session = start()
    for bars in locks:
        session = commands.Lock(bars).do(session, Watch())
    return session, spotted_again(session, Watch())


def lines(session: Session) -> list[Fraction]:
    return [session.tempo_map.seconds(bar.start) for bar in session.bars]


def test_without_locks_the_candidates_are_the_solver_s() -> None:
    from engines.spotting.solve import solve

    session, found = maps()
    limits = session.limits
    fresh = solve(session.hits, session.film.duration, limits.tempo, limits.max_bend, limits.metres, limits.subdivision)
    assert [c.tempo_map for c in found.candidates] == [c.tempo_map for c in fresh]
    assert found.in_use.tempo_map == session.tempo_map


def test_the_map_in_use_has_the_price_that_the_solver_gave_it() -> None:
    session, found = maps()
    for candidate in found.candidates:
        again = spotted_again(remapped(session, candidate), Watch()).in_use
        assert (again.name, again.tempo_bpm, again.tempo_map) == (candidate.name, candidate.tempo_bpm, candidate.tempo_map)
        assert [c.caught for c in again.catches] == [c.caught for c in candidate.catches]
        if candidate.name != "ramp":  # its glides are a staircase by now
            assert again.cost == pytest.approx(candidate.cost, abs=1e-6)


@few(6)
@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 6)), min_size=1, max_size=3))
def test_locked_bars_keep_every_beat_and_its_time(locks: list[tuple[int, int]]) -> None:
    session, found = maps(*((first, min(20, first + more - 1)) for first, more in locks))
    shut = locked_bars(session)
    assert found.candidates
    for candidate in found.candidates:
        after = remapped(session, candidate)
        assert len(locked_bars(after)) == len(shut)
        old, new = lines(session), lines(after)
        for bar, now in zip(sorted(shut), sorted(locked_bars(after)), strict=True):
            a, b = session.bars[bar], after.bars[now]
            assert old[bar] == new[now]
            assert a.metre == b.metre
            for k in range(5):
                beat = a.metre.length * k / 4
                assert session.tempo_map.seconds(a.start + beat) == after.tempo_map.seconds(b.start + beat)
        assert session_of(plain(after)) == after


def test_a_map_that_moves_a_locked_bar_is_refused() -> None:
    session, _ = maps((8, 9))
    _, free = maps()
    moving = [c for c in free.candidates if c.tempo_map != session.tempo_map]
    with pytest.raises(SpottingError, match=r"bar [89] is locked"):
        remapped(session, moving[0])


def test_takes_are_carried_where_only_the_tempo_of_their_bars_is_another() -> None:
    from engines.spotting.candidates import Candidate

    session, found = maps()
    faster = replace(
        session.tempo_map, segments=tuple(replace(s, spb=s.spb * Fraction(199, 200)) for s in session.tempo_map.segments)
    )
    candidate = Candidate("bend", faster, Fraction(96), session.film.duration, found.in_use.catches, 0, {})
    after = remapped(session, candidate)
    for old, new in zip(session.spans[:-1], after.spans[:-1], strict=True):
        was, now = session.take(old.scene)[1], after.take(new.scene)[1]
        assert now.notes == was.notes
        assert (now.number, now.orders, now.facts["carried_from"]) == (2, (), 1)
        assert after.fits(new, now)
    back = remapped(after, found.in_use)
    assert [span.scene.chosen for span in back.spans] == [span.scene.chosen for span in session.spans], (
        "the takes of old fit again"
    )
    assert back.notes == session.notes


def test_a_scene_with_other_bars_waits_silent_and_keeps_its_takes() -> None:
    session, found = maps()
    other = next(c for c in found.candidates if len(c.bars) != len(session.bars))
    after = remapped(session, other)
    silent = [span for span in after.spans if span.scene.chosen is None]
    assert silent
    for span in silent:
        assert after.takes_of(span.scene) == session.takes_of(session.spans[span.number - 1].scene)
    assert sum(scene.bars for scene in after.scenes) == len(after.bars)


def test_words_of_a_bar_stay_with_their_moment() -> None:
    session = commands.Tell(Told(energy=0.9), bar=10).do(start(), Watch())
    middle = session.tempo_map.seconds(session.bars[9].start + session.bars[9].metre.length / 2)
    for candidate in maps()[1].candidates:
        after = remapped(session, candidate)
        (scope,) = [scope for scope in after.told if "/" in scope]
        scene, _, bar = scope.partition("/")
        span = next(span for span in after.spans if span.scene.id == scene)
        line = span.bars[int(bar) - 1]
        assert after.tempo_map.seconds(line.start) - 2 <= middle <= after.tempo_map.seconds(line.end) + 2


def test_a_scene_whose_metre_was_told_is_left_alone() -> None:
    session = commands.Tell(Told(metre=Metre(3, 4)), 2).do(start(), Watch())
    found = spotted_again(session, Watch())
    old = session.span(2)
    for candidate in found.candidates:
        after = remapped(session, candidate)
        assert after.span(2).seconds == old.seconds
        assert [bar.metre for bar in after.span(2).bars] == [bar.metre for bar in old.bars]


def test_a_metre_for_a_scene_leaves_its_locked_bars_alone() -> None:
    session = commands.Lock((10, 11)).do(start(), Watch())
    after = commands.Tell(Told(metre=Metre(3, 4)), 2).do(session, Watch())
    times = {time: bar for bar, time in zip(after.bars, lines(after), strict=True)}
    for bar in session.bars[9:11]:
        assert times[session.tempo_map.seconds(bar.start)].metre == bar.metre
    assert len(locked_bars(after)) == 2
    assert Metre(3, 4) in [bar.metre for bar in after.span(2).bars]
    for number in (1, 3):
        assert after.span(number).scene.chosen == session.span(number).scene.chosen
    assert session_of(plain(after)) == after


def test_locks_are_split_joined_and_undone() -> None:
    desk = Desk(start())
    before = bytes_of(desk)
    desk.do(commands.Lock((5, 10)))
    assert [scene.locked for scene in desk.session.scenes] == [((5, 7),), ((1, 3),), ()]
    locked = bytes_of(desk)
    desk.do(commands.Split(6))
    desk.do(commands.Join(1))
    assert locked_bars(desk.session) == set(range(4, 10))
    desk.undo()
    desk.undo()
    assert bytes_of(desk) == locked
    desk.do(commands.Lock((6, 6), locked=False))
    assert locked_bars(desk.session) == {4, 6, 7, 8, 9}
    assert [step.sentence for step in desk.history.done] == ["Lock bars 5-10", "Unlock bar 6"]
    desk.undo()
    desk.undo()
    assert bytes_of(desk) == before
    with pytest.raises(OptionError, match="there is no bar 21"):
        commands.Lock((20, 21)).do(start(), Watch())


def test_choosing_a_map_is_undone_and_done_again_byte_by_byte() -> None:
    session, found = maps((8, 9))
    desk = Desk(session)
    before = bytes_of(desk)
    states = []
    for candidate in found.candidates:
        desk.do(commands.UseMap(candidate, found.limits))
        states.append(bytes_of(desk))
    for _ in found.candidates:
        desk.undo()
    assert bytes_of(desk) == before
    for state in states:
        desk.redo()
        assert bytes_of(desk) == state


def test_the_price_in_plain_words() -> None:
    _, found = maps()
    some = found.in_use.catches[0]

    def said(*frames: Fraction | int, bend: Fraction = Fraction(0), odd: int = 0) -> str:
        catches = [replace(some, error=Fraction(frame) / 24, caught=frame == 0, downbeat=False) for frame in frames]
        candidate = replace(found.in_use, catches=tuple(catches), odd_bars=odd)
        object.__setattr__(candidate, "max_bend_percent", float(bend))
        return words(candidate, Fraction(24))

    assert said(0, 2, -2, 2, bend=Fraction(21, 10)) == "3 hits missed by 2 frames, bends 2.1 %"
    assert said(0, 1) == "1 hit missed by a frame, one tempo"
    assert said(0, Fraction(1, 2), 5, odd=1) == "2 hits missed by 0.5 to 5 frames, one tempo, 1 odd bar"
    assert said(0, 0, odd=3) == "every hit caught, one tempo, 3 odd bars"
    assert said() == "no hits to catch, one tempo"
    hair = Fraction(1, 100)  # of a frame: it is no "0.0 frames"
    assert said(0, hair) == "1 hit missed by less than a tenth of a frame, one tempo"
    assert said(hair, -hair) == "2 hits missed by less than a tenth of a frame, one tempo"
    assert said(hair, 4) == "2 hits missed by up to 4 frames, one tempo"


def test_a_map_that_locked_bars_force_beyond_the_limit_says_so_costs_more_and_comes_last() -> None:
    session, found = maps((7, 7))
    beyond = [c.beyond_percent > 0 for c in found.candidates]
    assert sorted(beyond) == beyond
    assert {True, False} == set(beyond)
    for candidate in found.candidates:
        over = candidate.max_bend_percent - float(session.limits.max_bend)
        told = words(candidate, session.film.rate)
        assert ("beyond the limit because of locked bars" in told) == (over >= 0.05)
        assert (candidate.breakdown["limit"] > 0) == (over >= 0.05)
        assert candidate.json()["beyond_limit_percent"] == pytest.approx(max(0.0, over), abs=0.05)
    tight = spotted_again(start(), Watch(), replace(session.limits, max_bend=Fraction(1)))
    assert "beyond the limit" in words(tight.in_use, session.film.rate)  # the map in use may be, without any lock
    assert "locked" not in words(tight.in_use, session.film.rate)
    own = commands.Tell(Told(tempo=(Fraction(70), Fraction(70))), 1).do(start(), Watch())
    assert spotted_again(own, Watch()).in_use.beyond_percent == 0  # a scene's own tempo is the composer's word


def test_of_maps_that_nobody_can_tell_apart_one_is_offered() -> None:
    from engines.spotting.solve import solve

    found = solve((), Fraction(20))
    assert len(found) == 4
    assert [c.name for c in worth_a_look(found)] == ["steady"]
    asked_for = [found[3], *found[:3]]
    assert worth_a_look(asked_for) == [found[3]]  # the one that was asked for, whatever it is called
    assert len(spotted_again(replace(start(), hits=()), Watch()).candidates) == 1


def test_a_bend_that_does_not_bend_is_not_offered_beside_a_steady_one() -> None:
    from engines.spotting.solve import solve

    hits = tuple(Hit(frame, Fraction(frame, 24)) for frame in (37, 50, 61))
    found = solve(hits, Fraction(5), (90, 96), 0)
    flat = [c for c in found if c.flat and c.name in ("bend", "ramp")]
    assert flat
    offered = worth_a_look(found)
    assert "steady" in {c.name for c in offered}
    assert not [c for c in offered[1:] if c in flat]
