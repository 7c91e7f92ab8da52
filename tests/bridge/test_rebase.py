"""What was composed on a session as it was, put onto the session as it is: nothing of either is lost, whatever was done meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import few, scored

from bridge.rebase import adds, aimed, rebased
from engines.commands import Choose, Conform, Delete, FollowHits, Hold, Join, Lock, Refill, Remark, Score, Split, Tell, Title
from engines.errors import HitpointError, SessionError
from engines.session.desk import Act
from engines.session.intact import intact
from engines.session.marks import DropHit
from engines.session.model import Session, Told
from engines.session.recut import NewCut
from engines.session.refill import Wish
from engines.spotting.tempo import Metre
from engines.watch import Watch

SCENES = st.integers(1, 4)
ACTS = st.one_of(
    st.builds(Choose, SCENES, st.sampled_from([None, 1, 2])),
    st.builds(Remark, SCENES, rating=st.integers(0, 5)),
    st.builds(Delete, SCENES, st.integers(1, 2)),
    st.builds(Hold, SCENES, st.sampled_from([(), ("melody",), ("piano",)])),
    st.builds(Title, st.sampled_from(["a", "b"]), SCENES),
    st.builds(Split, st.integers(2, 20)),
    st.builds(Join, SCENES),
    st.builds(Lock, st.tuples(st.integers(1, 5), st.integers(5, 9))),
    st.builds(Tell, st.sampled_from([Told(density=3), Told(metre=Metre(3, 4))]), SCENES),
    st.builds(Refill, st.builds(Wish, SCENES, seed=st.integers(50, 60))),
)


@pytest.fixture(scope="module")
def session(trio: str) -> Session:
    value = scored()
    return Refill(Wish(3, seed=40)).do(value, Watch())


def done(session: Session, acts: list[Act]) -> Session:
    for act in acts:
        try:
            session = act.do(session, Watch())
        except HitpointError:  # a composer is told, and goes on
            continue
    return session


def heard(session: Session) -> dict[str, object]:
    return {s.id: None if s.chosen is None else session.takes[s.chosen].notes for s in session.scenes}


@given(acts=st.lists(ACTS, max_size=5), scene=st.integers(1, 3), keep=st.booleans())
@few(15)
def test_a_refill_lands_beside_all_that_was_done_meanwhile_or_not_at_all(
    session: Session, acts: list[Act], scene: int, keep: bool
) -> None:
    act = Refill(Wish(scene, seed=77, stems=("piano",) if keep else None))
    after = act.do(session, Watch())
    now = done(session, acts)
    try:
        landed, said = rebased(act, session, after, now)
    except SessionError:
        mine = [span for span in now.spans if span.scene.id == session.scenes[scene - 1].id]
        assert not mine or not now.fits(mine[0], after.take(after.scenes[scene - 1])[1])
        return
    intact(landed)
    identity = session.scenes[scene - 1].id
    new = {name: take for name, take in landed.takes.items() if name not in now.takes}
    assert {name: landed.takes[name] for name in now.takes} == now.takes
    assert len(new) == (0 if landed is now else 1)
    assert [take.notes for take in new.values()] == [after.take(after.scenes[scene - 1])[1].notes]
    assert {k: v for k, v in heard(landed).items() if k != identity} == {k: v for k, v in heard(now).items() if k != identity}
    chosen = next(s.chosen for s in landed.scenes if s.id == identity)
    assert (chosen in new) is (not said)
    if now is session:
        assert landed is after


@given(acts=st.lists(ACTS, max_size=4))
@few(15)
def test_a_score_lands_scene_by_scene(session: Session, acts: list[Act]) -> None:
    act = Score(seed=90)
    after, now = act.do(session, Watch()), done(session, acts)
    try:
        landed, _ = rebased(act, session, after, now)
    except SessionError:
        return
    intact(landed)
    new = [take for name, take in landed.takes.items() if name not in now.takes]
    assert {take.notes for take in new} <= {take.notes for take in after.takes.values()}
    numbers = [(take.scene, take.number) for take in landed.takes.values()]
    assert len(numbers) == len(set(numbers))


@given(acts=st.lists(ACTS, max_size=4), scene=st.integers(1, 3))
@few(15)
def test_a_refill_goes_for_the_scene_that_was_meant(session: Session, acts: list[Act], scene: int) -> None:
    act = Refill(Wish(scene, bars=((session.span(scene).first + 2, session.span(scene).first + 3),)))
    now = done(session, acts)
    identity = session.scenes[scene - 1].id
    try:
        meant = aimed(act, session, now)
    except SessionError:
        there = [span for span in now.spans if span.scene.id == identity]
        assert not there or len(there[0].bars) != len(session.span(scene).bars)
        return
    assert isinstance(meant, Refill)
    span = now.span(meant.wish.scene)
    assert span.scene.id == identity
    assert meant.wish.bars == ((span.first + 2, span.first + 3),)


def test_only_takes_are_put_onto_another_session(session: Session) -> None:
    assert adds(Refill(Wish(1)))
    assert adds(Score())
    assert not adds(DropHit(session.hits[0].frame))
    assert not adds(FollowHits(1))


def test_following_hits_goes_for_the_scene_that_was_meant(session: Session) -> None:
    now = Split(session.span(1).first + 3).do(session, Watch())
    assert aimed(FollowHits(2), session, now) == FollowHits(3)
    gone = Join(1).do(session, Watch())
    with pytest.raises(SessionError, match="the scene is no more"):
        aimed(FollowHits(2), session, gone)


def test_changes_that_are_refused_are_those_of_the_cut_that_was_looked_at(session: Session) -> None:
    other = replace(session, programme=replace(session.programme, title="another cut"))
    new = NewCut(session.programme)
    assert aimed(Conform(new, "new"), session, other) == Conform(new, "new")
    with pytest.raises(SessionError, match="the picture was changed meanwhile"):
        aimed(Conform(new, "new", refused=frozenset({2})), session, other)


def test_what_was_taken_back_meanwhile_is_no_longer_a_base(session: Session) -> None:
    act = Refill(Wish(3, seed=77, stems=("piano",)))
    after = act.do(session, Watch())
    assert after.take(after.scenes[2])[1].base is not None
    now = Delete(3, 2).do(session, Watch())
    landed, said = rebased(act, session, after, now)
    new = next(take for name, take in landed.takes.items() if name not in now.takes)
    assert (new.base, new.number) == (None, 2)
    assert said
