"""Scenes split and joined: everything that is heard stays, note by note in the written file."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import few, scored

from engines import commands
from engines.errors import OptionError
from engines.score.smf import smf_bytes
from engines.session.deliver import landings, score_of
from engines.session.model import Session, Told
from engines.session.plain import plain, session_of
from engines.session.refill import Wish, refilled
from engines.session.told import said
from engines.watch import Watch


@cache
def start() -> Session:
    return scored()


def answers(session: Session) -> list[tuple[int, str]]:
    return sorted((landing.hit.frame, landing.how) for landing in landings(session))


divisions = st.lists(
    st.one_of(st.builds(commands.Split, st.integers(2, 20)), st.builds(commands.Join, st.integers(1, 4))), min_size=1, max_size=6
)


@few(8)
@given(divisions)
def test_what_is_heard_stays(trio: str, acts: list[commands.Split | commands.Join]) -> None:
    session, heard, answered = start(), smf_bytes(score_of(start())), answers(start())
    for act in acts:
        try:
            session = act.do(session, Watch())
        except OptionError:
            continue
        assert session.notes == start().notes
        assert answers(session) == answered
        assert sum(scene.bars for scene in session.scenes) == len(session.bars)
        assert session_of(plain(session)) == session
        assert all(session.fits(span, session.takes[span.scene.chosen or ""]) for span in session.spans)
    assert smf_bytes(score_of(session)) == heard


def test_every_take_is_divided_and_the_chosen_one_stays_chosen(trio: str) -> None:
    session, _ = refilled(start(), Wish(2), Watch())
    session = commands.Choose(2, 1).do(session, Watch())
    halves = commands.Split(10).do(session, Watch())
    assert [len(halves.takes_of(scene)) for scene in halves.scenes] == [1, 2, 2, 1]
    assert [halves.take(scene)[1].number for scene in halves.scenes] == [1, 1, 1, 1]
    other = commands.Choose(3, 2).do(commands.Choose(2, 2).do(halves, Watch()), Watch())
    assert other.notes == commands.Choose(2, 2).do(session, Watch()).notes


def test_a_hit_belongs_to_the_scene_that_plays_it(trio: str) -> None:
    """After a split, a refill of one half says nothing about the hits of the other."""
    session = commands.Split(4).do(start(), Watch())
    frames = [{answer.frame for answer in session.take(scene)[1].answers} for scene in session.scenes[:2]]
    assert frames[0]
    assert frames[1]
    assert not frames[0] & frames[1]
    again, _ = refilled(session, Wish(1, seed=7), Watch())
    assert [a for a in answers(again) if a[0] in frames[1]] == [a for a in answers(start()) if a[0] in frames[1]]


def test_what_is_held_goes_with_its_bars(trio: str) -> None:
    session = commands.Hold(2, ("melody", "9-11", "piano@12.1")).do(start(), Watch())
    halves = commands.Split(11).do(session, Watch())
    assert [scene.keep for scene in halves.scenes[1:3]] == [("melody", "2-3"), ("melody", "1", "piano@2.1")]
    whole = commands.Join(2).do(halves, Watch())
    assert whole.scenes[1].keep == ("melody:1-3", "2-3", "melody:4-6", "4", "piano@5.1")
    before, after = (refilled(s, Wish(2, seed=5), Watch())[1].notes for s in (session, whole))
    assert {row for row in before if row.note.stem != "melody"} == {row for row in after if row.note.stem != "melody"}


def test_what_was_said_goes_with_its_bars(trio: str) -> None:
    session = start()
    for told, scene, bar in (
        (Told(density=4, sting=0.5), 2, None),
        (Told(density=9), None, 9),
        (Told(avoid=True), None, 12),
        (Told(energy=0.3), None, None),
        (Told(register=70.0, chords=("A:min", "G:maj")), 3, None),
        (Told(chords=("C:maj", "F:maj", "G:7", "A:min")), 1, None),
    ):
        session = commands.Tell(told, scene, bar).do(session, Watch())

    def briefs(session: Session) -> list[object]:
        return [
            (r.brief.density, r.brief.energy, r.brief.register, r.brief.chord)
            for span in session.spans
            for r in said(session, span)
        ]

    wanted = briefs(session)
    for acts in (
        [commands.Split(11)],
        [commands.Split(11), commands.Join(2)],
        [commands.Join(2)],
        [commands.Join(1)],
        [commands.Split(4), commands.Split(18), commands.Join(2)],
    ):
        changed = session
        for act in acts:
            changed = act.do(changed, Watch())
        assert briefs(changed) == wanted


@pytest.mark.parametrize("bar", [1, 8, 14, 21, 0])
def test_a_split_that_cannot_be_is_one_line(bar: int, trio: str) -> None:
    with pytest.raises(OptionError) as caught:
        commands.Split(bar).do(start(), Watch())
    assert "; " in str(caught.value)


def test_the_last_scene_has_none_to_join(trio: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="scenes 1 to 3"):
        commands.Join(3).do(start(), Watch())


def test_a_silent_scene_joins_one_that_sounds(trio: str) -> None:
    session = commands.Choose(2, None).do(start(), Watch())
    for number in (1, 2):
        joined = commands.Join(number).do(session, Watch())
        assert joined.notes == session.notes
