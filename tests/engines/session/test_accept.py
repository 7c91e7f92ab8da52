"""A recut accepted change by change: what is refused keeps the old notes, and both versions of a scene are takes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import bytes_of, few
from test_recut import OLD, conform, early, session

sys.path.insert(0, str(Path(__file__).parents[1] / "conform"))
from recuts import Clip as FilmClip
from recuts import cut_list, inserted, recut, removed, swapped, trimmed

from engines import commands
from engines.conform.carry import new_runs
from engines.errors import OptionError
from engines.session.before import AFTER, BEFORE, sources
from engines.session.desk import Desk
from engines.session.plain import plain, session_of
from engines.session.recut import NewCut, Recut, conformed, previewed
from engines.watch import Watch

pytestmark = pytest.mark.usefixtures("trio")
NEW = removed(trimmed(trimmed(OLD, 5, tail=14), 20, head=10), 12)


def refusing(*refused: int) -> Recut:
    return conformed(session(), NewCut(cut_list(NEW)), Watch(), refused=frozenset(refused))


def costly(found: Recut) -> list[int]:
    return [number for number, runs in enumerate(found.costs, 1) if runs]


def test_every_new_bar_is_owed_to_a_change_near_it() -> None:
    found = conform(NEW)
    kinds = {found.matched.changes[number - 1].kind for number in costly(found)}
    assert kinds == {"trimmed", "gone"}
    assert {run for runs in found.costs for run in runs} == set(new_runs(found.bars))
    frames = [found.tempo_map.seconds(bar.start) * 24 for bar in found.session.bars] + [found.session.programme.frames]
    for change, runs in zip(found.matched.changes, found.costs, strict=True):
        if change.kind == "trimmed":
            edge = change.new.end if change.tail else change.new.start  # type: ignore[union-attr]
            assert all(frames[a] <= edge <= frames[b] for a, b in runs)


@few(4)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_any_recut_owes_every_new_bar_to_a_change(seed: int, changes: int) -> None:
    found = previewed(session(), NewCut(cut_list(recut(OLD, seed, changes))))
    assert {run for runs in found.costs for run in runs} == set(new_runs(found.bars))
    assert all(not runs for change, runs in zip(found.matched.changes, found.costs, strict=True) if change.kind == "unmoved")


def test_what_is_refused_is_not_composed_and_keeps_the_old_notes() -> None:
    whole = conform(NEW)
    refused = costly(whole)[0]
    found = refusing(refused)
    assert found.bars == whole.bars
    assert found.by_hand == whole.costs[refused - 1]
    laid = sources(found.bars, len(session().bars))
    for bar, was in enumerate(found.bars):
        hand = any(a <= bar < b for a, b in found.by_hand)
        if was is not None:
            assert early(found.session, bar) == early(session(), was)
        elif hand and bar in laid:
            here, there = early(found.session, bar), early(session(), laid[bar])
            assert here
            assert set(here) <= set(there)
            if found.session.bars[bar].metre == session().bars[laid[bar]].metre:
                assert here == there
        elif not hand:
            assert early(found.session, bar), "it is composed"
    told = found.json()
    assert told["by_hand"] == [[a + 1, b] for a, b in found.by_hand]
    assert told["bars"]["refilled"] == whole.json()["bars"]["refilled"] - sum(b - a for a, b in found.by_hand)
    assert "by hand" in found.text()


def test_refusing_everything_composes_nothing() -> None:
    found = refusing(*costly(conform(NEW)))
    old = {take.seed for take in session().takes.values()}
    assert {take.seed for take in found.session.takes.values()} <= old | {None}
    assert found.json()["refilled"] == []


def test_before_and_after_are_takes_of_every_touched_scene() -> None:
    found = conform(NEW)
    touched = {found.session.span_of_bar(bar + 1).number for bar, was in enumerate(found.bars) if was is None}
    for number in touched:
        span = found.session.span(number)
        takes = found.session.takes_of(span.scene)
        before = [take for take in takes.values() if take.name == BEFORE]
        assert len(before) == 1
        assert takes[span.scene.chosen or ""].name == AFTER
        assert found.session.fits(span, before[0])
        there = commands.Choose(number, before[0].number).do(found.session, Watch())
        laid = sources(found.bars, len(session().bars))
        here = range(span.first, span.first + len(span.bars))
        whose = {
            session().span_of_bar(old + 1).scene.chosen for new, old in laid.items() if new in here and found.bars[new] is None
        }
        of = {session().takes[name or ""].facts["engine"] for name in whose}
        assert {row["engine"] for row in before[0].facts["parts"]} >= of, "whose music is laid there is in its rights"
        for bar in range(span.first, span.first + len(span.bars)):
            if found.bars[bar] is not None or bar in laid:
                old = found.bars[bar] if found.bars[bar] is not None else laid[bar]
                assert set(early(there, bar)) <= set(early(session(), old))
    assert session_of(plain(found.session)) == found.session


def test_old_bars_are_laid_where_their_music_led() -> None:
    assert sources([0, 1, None, None, 4], 5) == {2: 2, 3: 3}
    assert sources([0, 1, None, 4], 5) == {2: 2}
    assert sources([0, 1, None, None, None, 3], 5) == {2: 2}
    assert sources([None, None, 3, 4], 5) == {0: 1, 1: 2}
    assert sources([None, None, 1, 2], 3) == {1: 0}
    assert sources([3, None, 0, None], 4) == {3: 1}
    assert sources([None, None], 4) == {}


@pytest.mark.parametrize("new", [NEW, swapped(OLD, 8, 9), inserted(OLD, 15, FilmClip(77, 500, 700))])
def test_a_partly_accepted_recut_is_undone_byte_by_byte(new: object) -> None:
    desk = Desk(session())
    before = bytes_of(desk)
    cut = NewCut(cut_list(new))  # type: ignore[arg-type]
    refused = frozenset(costly(previewed(session(), cut))[:1])
    desk.do(commands.Conform(cut, "new.edl", None, refused))
    after = bytes_of(desk)
    desk.undo()
    assert bytes_of(desk) == before
    desk.redo()
    assert bytes_of(desk) == after


def test_a_change_that_there_is_not_cannot_be_refused() -> None:
    with pytest.raises(OptionError, match="there is no change 99"):
        refusing(99)
