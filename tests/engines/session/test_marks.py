"""Hits as the composer sets them: every act does what it says, undo brings every byte back, a recut carries the words along."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import bytes_of, few, saved, scored, unscored

from engines.commands import AddHit, AddHits, DropHit, FollowHits, MoveHit, WeighHit
from engines.errors import OptionError
from engines.session.desk import Act, Desk
from engines.session.model import Session
from engines.spotting.hits import Hit
from engines.watch import Watch


def done(session: Session, *acts: Act) -> Session:
    for act in acts:
        session = act.do(session, Watch())
    return session


def at(session: Session, frame: int) -> Hit | None:
    return next((hit for hit in session.hits if hit.frame == frame), None)


@pytest.fixture(scope="module")
def session() -> Session:
    return unscored()


def test_a_marked_frame_is_a_hard_hit_of_full_weight(session: Session) -> None:
    after = done(session, AddHit(77, "door"))
    hit = at(after, 77)
    assert hit is not None
    assert (hit.weight, hit.hard, hit.label, hit.time) == (1.0, True, "door", Fraction(77, 24))
    assert len(after.hits) == len(session.hits) + 1
    assert (after.map, after.takes, after.scenes) == (session.map, session.takes, session.scenes)


def test_many_are_marked_in_one_step_or_none_is(session: Session, tmp_path: Path) -> None:
    marks = (AddHit(77, "door"), AddHit(91), AddHit(143, "shot"))
    one_by_one = done(session, *marks)
    assert done(session, AddHits(marks, "reaper")) == one_by_one
    soft = done(session, AddHits(marks, "reaper", 0.25))
    assert [(hit.weight, hit.hard) for frame in (77, 91, 143) if (hit := at(soft, frame))] == [(0.25, True)] * 3
    with Desk.open(saved(session, tmp_path / "cue.hitpoint")) as desk:
        before = bytes_of(desk)
        with pytest.raises(OptionError, match="is a hit already"):
            desk.do(AddHits((*marks, AddHit(session.hits[0].frame)), "reaper"), Watch())
        assert bytes_of(desk) == before
        desk.do(AddHits(marks, "reaper"), Watch())
        assert desk.undo().sentence == "Mark 3 hits from reaper"
        assert bytes_of(desk) == before


def test_a_moved_hit_takes_all_that_was_said_along(session: Session) -> None:
    first = session.hits[0].frame
    said = done(session, WeighHit(first, weight=0.35, hard=False, early=Fraction(0), late=Fraction(3), label="after the cut"))
    moved = done(said, MoveHit(first, first + 5))
    assert at(moved, first) is None
    before, after = at(said, first), at(moved, first + 5)
    assert before is not None
    assert after == replace(before, frame=first + 5, time=Fraction(first + 5, 24))


def test_a_hit_that_is_moved_there_and_back_is_what_it_was(session: Session) -> None:
    first = session.hits[0].frame
    assert done(session, MoveHit(first, first + 9), MoveHit(first + 9, first)).hits == session.hits


def test_a_hit_of_ones_own_leaves_nothing_behind_when_it_goes(session: Session) -> None:
    assert done(session, AddHit(77), DropHit(77)) == session
    assert done(session, AddHit(77), MoveHit(77, 80), DropHit(80)) == session


def test_a_cut_whose_hit_was_deleted_can_be_marked_again(session: Session) -> None:
    first = session.hits[0].frame
    gone = done(session, DropHit(first))
    assert at(gone, first) is None
    again = at(done(gone, AddHit(first)), first)
    assert again is not None
    assert again.weight == 1.0


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (AddHit(0), "cannot be a hit"),
        (AddHit(-3), "cannot be a hit"),
        (AddHit(10**7), "cannot be a hit"),
        (MoveHit(5, 77), "no hit at frame 5"),
        (DropHit(5), "no hit at frame 5"),
        (WeighHit(5, 0.5), "no hit at frame 5"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_in_one_line(session: Session, act: Act, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        act.do(session, Watch())


def test_two_hits_never_share_a_frame_and_no_weight_is_beyond_one(session: Session) -> None:
    one, two = session.hits[0].frame, session.hits[1].frame
    with pytest.raises(OptionError, match="is a hit already"):
        MoveHit(one, two).do(session, Watch())
    with pytest.raises(OptionError, match="is a hit already"):
        AddHit(one).do(session, Watch())
    with pytest.raises(OptionError, match="weight"):
        WeighHit(one, 1.5).do(session, Watch())


@st.composite
def acts(draw: st.DrawFn) -> list[tuple[str, int, int, float]]:
    row = st.tuples(st.sampled_from(("add", "move", "weigh", "drop")), st.integers(0, 40), st.integers(1, 1100), st.floats(0, 1))
    return draw(st.lists(row, min_size=1, max_size=8))


@few(15)
@given(rows=acts())
def test_undo_brings_every_byte_back(rows: list[tuple[str, int, int, float]], tmp_path_factory: pytest.TempPathFactory) -> None:
    path = saved(unscored(), tmp_path_factory.mktemp("marks") / "cue.hitpoint")
    with Desk.open(path) as desk:
        states = [bytes_of(desk)]
        for name, pick, frame, weight in rows:
            hit = desk.session.hits[pick % len(desk.session.hits)].frame
            act: Act = {
                "add": AddHit(frame),
                "move": MoveHit(hit, frame),
                "weigh": WeighHit(hit, round(weight, 2)),
                "drop": DropHit(hit),
            }[name]
            try:
                desk.do(act)
            except OptionError:
                continue
            states.append(bytes_of(desk))
            frames = [hit.frame for hit in desk.session.hits]
            assert frames == sorted(set(frames))
        for state in reversed(states[:-1]):
            desk.undo()
            assert bytes_of(desk) == state
        for state in states[1:]:
            desk.redo()
            assert bytes_of(desk) == state


def test_a_tempo_that_follows_catches_the_hit_where_it_lies_now(trio: str, tmp_path: Path) -> None:
    session = scored()
    span = session.spans[1]
    beats = [session.tempo_map.seconds(span.start + k) for k in range(4, 16)]
    frame = int((beats[3] + (beats[4] - beats[3]) / 3) * 24)  # a third of a beat past a beat
    marked = done(session, *(DropHit(hit.frame) for hit in session.hits if span.seconds[0] < hit.time < span.seconds[1]))
    marked = done(marked, AddHit(frame))
    after = done(marked, FollowHits(2))
    beat = after.tempo_map.beat(Fraction(frame, 24))
    assert abs(after.tempo_map.seconds(Fraction(round(beat))) - Fraction(frame, 24)) < Fraction(1, 50)
    assert after.spans[1].seconds == marked.spans[1].seconds
    assert after.spans[0].bars == marked.spans[0].bars
    assert after.spans[1].scene.chosen is None or after.fits(after.spans[1], after.takes[after.spans[1].scene.chosen])
    path = saved(marked, tmp_path / "cue.hitpoint")
    with Desk.open(path) as desk:
        before = bytes_of(desk)
        desk.do(FollowHits(2))
        desk.undo()
        assert bytes_of(desk) == before
