"""A conform while the composer goes on working: nothing of either is lost, nothing is refused, no question is asked twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import few, saved, scored
from slow_engine import Slow

from bridge.events import Event, Message
from bridge.sitting import Ready, Sitting
from bridge.studio import Studio
from engines.commands import AddHit, Choose, Conform, Hold, Refill, Remark, Split, Tell, Title
from engines.errors import Cancelled, HitpointError, SessionError
from engines.picture.cut import Cut
from engines.picture.cutlist import CutList
from engines.session.compose import Answered
from engines.session.desk import Act, Desk
from engines.session.intact import intact
from engines.session.model import Session, Told
from engines.session.recut import NewCut
from engines.session.refill import Wish
from engines.watch import Watch

LONG = 60.0


@pytest.fixture
def studio(tmp_path: Path, slow: type[Slow]) -> Iterator[Studio]:
    slow.go.set()
    file = saved(scored(engine="slow"), tmp_path / "cue.hitpoint")
    slow.go.clear()
    slow.began.clear()
    slow.asked = 0
    made = Studio()
    made.open_session(file)
    yield made
    slow.go.set()
    made.close(LONG)


@pytest.fixture
def cuts(studio: Studio, tmp_path: Path) -> Path:
    """Two seconds are gone in front, and one shot in the middle is longer by a second."""
    before = studio.now.session
    frames = [frame - 48 for frame in (cut.frame for cut in before.programme.cuts) if frame > 96]
    later = [frame + (24 if frame > frames[len(frames) // 2] else 0) for frame in frames]
    table = tmp_path / "new.csv"
    table.write_text("frame\n" + "\n".join(map(str, later)) + "\n", "utf-8")
    studio.look_at_cut(table, rate=before.film.rate).result(LONG)
    return table


def conforming(studio: Studio, slow: type[Slow], *acts: Callable[[], object]) -> Any:
    """Conforms; the acts are done while it composes. What came of it, and how often the engine was asked for it."""
    job = studio.conform()
    assert slow.began.wait(LONG)
    for act in acts:
        act()
    slow.go.set()
    return job.result(LONG)


@pytest.mark.usefixtures("cuts")
def test_what_is_done_meanwhile_is_carried_and_nothing_is_composed_twice(studio: Studio, slow: type[Slow]) -> None:
    heard: list[Event] = []
    studio.subscribe(heard.append)
    before = studio.now.session
    acts = Title("Dawn", 1), Remark(2, rating=5), Hold(3, ("melody",))
    acted = conforming(studio, slow, *(partial(studio.act, act) for act in acts))
    after = studio.now.session
    intact(after)
    assert after is acted.session
    assert after.programme != before.programme
    assert after.spans[0].scene.name == "Dawn"
    assert [take.rating for take in after.takes.values() if take.rating] == [5]
    assert any(scene.keep == ("melody",) for scene in after.scenes)
    assert acted.said == ("what was done meanwhile is in it, too",)
    assert [event.text for event in heard if isinstance(event, Message)] == list(acted.said)
    asked = slow.asked
    studio.undo()  # the conform alone
    assert studio.now.session.programme == before.programme
    assert studio.now.session.scenes[0].name == "Dawn"
    table = studio.now.path.with_name("new.csv")
    studio.look_at_cut(table, rate=before.film.rate).result(LONG)
    slow.asked = 0
    studio.conform().result(LONG)
    assert asked == slow.asked  # as if nobody had acted meanwhile


@pytest.mark.usefixtures("cuts")
def test_undone_meanwhile_or_told_otherwise_it_is_composed_for_what_it_is_now(studio: Studio, slow: type[Slow]) -> None:
    studio.act(Tell(Told(density=2)))
    conforming(studio, slow, studio.undo, lambda: studio.act(Tell(Told(density=7), 1)))
    after = studio.now.session
    intact(after)
    assert "cue" not in after.told
    assert after.told[after.scenes[0].id] == Told(density=7)
    first = after.take(after.scenes[0])[1]
    assert {bar.density for bar in first.orders[-1].brief.bars} == {7}


@pytest.mark.usefixtures("cuts")
def test_a_refill_that_lands_meanwhile_is_there_after_the_conform(studio: Studio, slow: type[Slow]) -> None:
    before = studio.now.session
    other = Refill(Wish(3, seed=500, engine="trio")).do(before, Watch()).take(before.scenes[2])[1]
    job = studio.conform()
    assert slow.began.wait(LONG)
    studio.act(Refill(Wish(3, seed=500, engine="trio")))
    slow.go.set()
    job.result(LONG)
    after = studio.now.session
    intact(after)
    here = [take for take in after.takes.values() if take.scene == before.scenes[2].id]
    held = {(row.note.pitch, row.note.length) for row in other.notes}
    assert any({(row.note.pitch, row.note.length) for row in take.notes} & held for take in here)


@pytest.mark.usefixtures("cuts")
def test_cancelled_or_failed_the_offer_stands_and_what_was_done_meanwhile_stays(studio: Studio, slow: type[Slow]) -> None:
    offer, before = studio.offer, studio.now.session
    job = studio.conform()
    assert slow.began.wait(LONG)
    studio.act(Title("Dawn", 1))
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(LONG)
    assert studio.offer is offer
    now = studio.now.session
    assert replace(now, scenes=before.scenes) == before
    slow.go.set()
    studio.conform().result(LONG)
    assert studio.offer is None
    assert studio.now.session.spans[0].scene.name == "Dawn"


@pytest.mark.usefixtures("cuts")
def test_refused_changes_of_a_picture_that_is_another_by_then_are_told_of(studio: Studio, slow: type[Slow]) -> None:
    """The one refusal that is needed: the numbers mean other changes now."""
    job = studio.conform(refused=[1])
    assert slow.began.wait(LONG)
    now = studio.now.session
    studio.act(Ready("Another cut", replace(now, programme=replace(now.programme, title="another cut"))))
    slow.go.set()
    with pytest.raises(SessionError, match="the picture was changed meanwhile"):
        job.result(LONG)
    assert studio.offer is not None


ACTS = st.one_of(
    st.builds(Choose, st.integers(1, 3), st.sampled_from([None, 1])),
    st.builds(Title, st.sampled_from(["a", "b"]), st.integers(1, 3)),
    st.builds(Tell, st.builds(Told, density=st.integers(1, 8)), st.sampled_from([None, 1, 2])),
    st.builds(Split, st.integers(2, 20)),
    st.builds(AddHit, st.integers(50, 200)),
    st.builds(Hold, st.integers(1, 3), st.sampled_from([(), ("melody",)])),
)


def music(session: Session) -> list[Any]:
    """All of it but when it was made, and the names that ids and seeds give."""
    return [
        session.cue, session.programme, session.map, session.hits, session.told, session.notes,
        [(scene.name, scene.bars, scene.keep, scene.locked) for scene in session.scenes],
    ]  # fmt: skip


@given(acts=st.lists(ACTS, min_size=1, max_size=4), at=st.integers(1, 2))
@few(12)
def test_it_is_as_if_the_acts_had_come_before_the_conform(trio: str, tmp_path_factory: Any, acts: list[Act], at: int) -> None:
    """Whatever is done after the engine was asked ``at`` times: the same session comes of it as of the acts first, the conform then."""
    session = scored()
    frames = [cut.frame - 48 for cut in session.programme.cuts if cut.frame > 96]
    programme = CutList.of_cuts([Cut(f, f / session.film.rate) for f in frames], session.film.rate, session.film.frames - 24)
    path = saved(session, tmp_path_factory.mktemp("meanwhile") / "cue.hitpoint")
    sitting = Sitting(Desk.open(path), lambda _: None)
    turns = [0]
    act = Conform(NewCut(programme), "new")

    class Acting:
        sentence = act.sentence

        def do(self, session: Session, watch: Watch) -> Session:
            turns[0] += 1
            after = act.do(session, watch)
            if turns[0] <= at:
                for other in acts[turns[0] - 1 :: at]:
                    try:
                        sitting.act(other)
                    except HitpointError:
                        continue
            return after

    try:
        landed = sitting.compose(Acting(), Watch()).session
        first = session
        for turn in range(at):
            for other in acts[turn::at]:
                try:
                    first = other.do(first, Watch())
                except HitpointError:
                    continue
        fresh = Conform(NewCut(programme), "new", known=Answered(seeds=dict(act.known.seeds)))
        assert music(landed) == music(fresh.do(first, Watch()))
        intact(landed)
    finally:
        sitting.close()
