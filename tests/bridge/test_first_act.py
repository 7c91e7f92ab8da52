"""A film's first act begins its session: marks, words, maps and locks before anything was composed, and what is composed goes on from
there."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sittings import saved, unscored
from slow_engine import Slow

import engines.session.desk
from bridge.beginning import place_of, session_beside
from bridge.calls import answer
from bridge.events import Event, FilmChanged, SessionChanged
from bridge.studio import Studio
from engines.commands import AddHit, DropHit, Lock, MoveHit, Tell, Title, UseMap, WeighHit
from engines.errors import Cancelled, OptionError, OutputError, SessionError
from engines.picture.demo_film import make_demo_film
from engines.scoring import Wishes, score_film
from engines.session.desk import Desk
from engines.session.model import Session, Told
from engines.spotting.tempo import Metre
from engines.watch import Watch

LONG = 60.0


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo_film(tmp_path_factory.mktemp("demo") / "demo.mp4")


@pytest.fixture
def film(demo: Path, tmp_path: Path) -> Path:
    path = tmp_path / "film" / "reel.mp4"
    path.parent.mkdir()
    path.write_bytes(demo.read_bytes())
    return path


@pytest.fixture
def studio(film: Path, trio: str) -> Iterator[Studio]:
    """A film that was opened and spotted, and no more."""
    made = Studio()
    made.open_film(film).result(LONG)
    made.spot(Wishes(engine=trio, metres=(Metre(), Metre(3, 4)))).result(LONG)
    yield made
    made.close(LONG)


@pytest.fixture
def heard(studio: Studio) -> list[Event]:
    events: list[Event] = []
    studio.subscribe(events.append)
    return events


def on_disk(path: Path) -> Session:
    with Desk.open(path, read_only=True) as desk:
        return desk.session


def lies(film: Path) -> list[str]:
    """What lies beside a film."""
    return sorted(path.name for path in film.parent.iterdir() if path != film)


def free_frame(session: Session) -> int:
    taken = {hit.frame for hit in session.hits}
    return next(frame for frame in range(20, session.film.frames) if frame not in taken)


def test_a_film_that_is_opened_spotted_and_looked_at_writes_nothing(studio: Studio, film: Path) -> None:
    draft = studio.shown
    assert draft.scenes
    assert all(scene.chosen is None for scene in draft.scenes)
    assert answer(studio, "/hitpoint/hits", {})["hits"]
    assert answer(studio, "/hitpoint/brief", {})["scenes"]
    assert not studio.is_open
    assert lies(film) == []


def other_map(session: Session, studio: Studio) -> UseMap:
    assert studio.film is not None
    assert studio.film.spotted is not None
    return UseMap(studio.film.spotted.candidates[-1])


FIRST: dict[str, Callable[[Session, Studio], Any]] = {
    "mark": lambda session, _: AddHit(free_frame(session)),
    "move": lambda session, _: MoveHit(session.hits[0].frame, free_frame(session)),
    "weigh": lambda session, _: WeighHit(session.hits[0].frame, 0.25),
    "drop": lambda session, _: DropHit(session.hits[0].frame),
    "map": other_map,
    "lock": lambda session, _: Lock((1, 2)),
    "word": lambda session, _: Tell(Told(mood=3)),
    "title": lambda session, _: Title("Dawn", 1),
}


@pytest.mark.parametrize("kind", FIRST)
def test_the_first_act_begins_a_silent_session_beside_the_film_and_is_undone(kind: str, studio: Studio, film: Path) -> None:
    draft = studio.shown
    act = FIRST[kind](draft, studio)
    acted = studio.act(act)
    now = studio.now
    assert now.path == film.parent / "reel-score" / "cue.hitpoint"
    assert (acted.before, acted.session) == (draft, now.session)
    assert now.session == act.do(draft, Watch()) != draft
    assert now.session.takes == {}
    assert on_disk(now.path) == now.session, "saved with the act"
    assert now.path.with_suffix(".mid").exists()
    assert [step.sentence for step in now.history.done] == [act.sentence]
    studio.undo()
    assert studio.now.session == draft
    studio.redo()
    assert studio.now.session == now.session


def test_what_is_scored_later_keeps_hits_map_and_brief(studio: Studio) -> None:
    draft = studio.shown
    frame = free_frame(draft)
    use = other_map(draft, studio)
    for act in (use, AddHit(frame), DropHit(draft.hits[0].frame), Tell(Told(density=9, mood=3))):
        studio.act(act)
    briefed = studio.now.session
    acted = studio.score(seed=5).result(LONG)
    assert acted.session.tempo_map == use.candidate.tempo_map
    assert (acted.session.hits, acted.session.told) == (briefed.hits, briefed.told)
    assert frame in [hit.frame for hit in acted.session.hits]
    assert [scene.id for scene in acted.session.scenes] == [scene.id for scene in briefed.scenes]
    assert all(scene.chosen for scene in acted.session.scenes)
    asked = [bar.density for bar in acted.session.take(acted.session.scenes[0])[1].orders[0].brief.bars]
    assert set(asked[1:-1]) <= {9, 7}, "the engine was asked for the composer's density (a bar of 3/4 has less)"


def test_a_first_act_that_cannot_be_done_leaves_nothing(studio: Studio, film: Path, heard: list[Event]) -> None:
    draft = studio.shown
    for act in (AddHit(draft.hits[0].frame), MoveHit(7_777, 3), Lock((900, 901))):
        with pytest.raises(OptionError):
            studio.act(act)
    assert lies(film) == []
    assert not studio.is_open
    assert heard == []
    with pytest.raises(OptionError, match="there is no scene 99"):
        studio.refill(99)


def test_a_film_that_was_not_spotted_says_so(film: Path) -> None:
    studio = Studio()
    studio.open_film(film).result(LONG)
    with pytest.raises(OptionError, match="not spotted yet; spot it first"):
        studio.act(AddHit(3))
    assert lies(film) == []
    studio.close(LONG)


def test_a_scene_may_be_the_first_thing_that_is_composed(studio: Studio, film: Path) -> None:
    draft = studio.shown
    last = len(draft.scenes)
    acted = studio.refill(last, seed=9).result(LONG)
    assert [scene.chosen is not None for scene in acted.session.scenes] == [False] * (last - 1) + [True]
    assert studio.now.path == film.parent / "reel-score" / "cue.hitpoint"
    assert [step.sentence for step in studio.now.history.done] == [f"Refill scene {last}"]
    studio.undo()
    assert studio.now.session == draft


def test_a_refill_that_is_cancelled_first_of_all_leaves_nothing(studio: Studio, film: Path, slow: type[Slow]) -> None:
    job = studio.refill(1, engine="slow")
    assert slow.began.wait(LONG)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(LONG)
    assert lies(film) == []
    assert not studio.is_open


def test_what_is_marked_while_the_film_is_scored_is_in_it(studio: Studio, slow: type[Slow]) -> None:
    assert studio.film is not None
    studio.film = replace(studio.film, wishes=replace(studio.film.wishes, engine="slow"))
    job = studio.score(seed=3)
    assert slow.began.wait(LONG)
    frame = free_frame(studio.shown)
    studio.act(AddHit(frame))
    slow.go.set()
    acted = job.result(LONG)
    assert studio.now.session == acted.session
    assert frame in [hit.frame for hit in acted.session.hits]
    assert all(scene.chosen for scene in acted.session.scenes)
    assert [step.sentence for step in studio.now.history.done] == [f"Mark a hit at frame {frame}", "Score the cue"]


def test_two_refills_asked_before_there_is_a_session_become_one_session(studio: Studio, film: Path, slow: type[Slow]) -> None:
    jobs = [studio.refill(1, engine="slow"), studio.refill(2, engine="slow")]
    assert slow.began.wait(LONG)
    slow.go.set()
    for job in jobs:
        job.result(LONG)
    assert [bool(scene.chosen) for scene in studio.now.session.scenes[:2]] == [True, True]
    studio.flush()  # a file that is being written lies beside its place
    assert lies(film) == ["reel-score"]
    assert len(list((film.parent / "reel-score").glob("*.hitpoint"))) == 1


def test_it_begins_where_it_is_told_to(studio: Studio, film: Path, tmp_path: Path) -> None:
    assert studio.film is not None
    where = place_of(studio.film, home=tmp_path / "elsewhere")
    assert where == tmp_path / "elsewhere" / "reel-score" / "cue.hitpoint"
    studio.act(Tell(Told(mood=1)), path=where)
    assert studio.now.path == where
    assert lies(film) == []


def test_a_folder_that_cannot_be_made_is_told_and_nothing_began(studio: Studio, film: Path) -> None:
    (film.parent / "reel-score").write_text("a file where the folder would be")
    for call in (lambda: studio.act(Tell(Told(mood=1))), lambda: studio.refill(1), lambda: studio.score()):
        with pytest.raises(OutputError, match="is a file, not a folder; choose another folder"):
            call()
    assert not studio.is_open


def test_a_session_that_lay_there_is_found_and_spared_with_a_word(
    studio: Studio, film: Path, heard: list[Event], trio: str
) -> None:
    assert studio.film is not None
    assert studio.film.session is None
    studio.act(Title("1m1"))
    first = studio.now.path
    studio.act(Title("2m2"))
    studio.close_session()
    again = studio.open_film(film).result(LONG)
    assert again.session == first == session_beside(again.reel)
    assert answer(studio, "/hitpoint/film", {})["session"] == str(first)
    studio.spot(Wishes(engine=trio)).result(LONG)
    acted = studio.act(Tell(Told(mood=1)))
    assert acted.said == ("the session that lay there is cue-1.hitpoint now",)
    opened = [event for event in heard if isinstance(event, SessionChanged) and event.change == "opened"]
    assert [event.spared for event in opened] == [None, first.with_name("cue-1.hitpoint")]
    assert opened[-1].json()["spared"] == str(first.with_name("cue-1.hitpoint"))
    assert on_disk(first.with_name("cue-1.hitpoint")).cue == "2m2"


def test_the_session_of_another_film_is_not_taken_for_this_one_s(studio: Studio, film: Path) -> None:
    assert studio.film is not None
    folder = film.parent / "reel-score"
    folder.mkdir()
    saved(unscored(), folder / "cue.hitpoint")
    (folder / "broken.hitpoint").write_text("{")
    assert session_beside(studio.film.reel) is None
    saved(studio.shown, folder / ".cue.0123456789ab.hitpoint")  # half a save
    assert session_beside(studio.film.reel) is None
    mine = saved(studio.shown, folder / "mine.hitpoint")
    assert session_beside(studio.film.reel) == mine


def test_the_command_line_says_where_the_old_session_went(film: Path, trio: str, tmp_path: Path) -> None:
    watch = Watch()
    for _ in range(2):
        score_film(film, tmp_path / "out", Wishes(engine=trio), watch=watch)
    assert watch.said[-1] == f"{tmp_path / 'out' / 'cue.hitpoint'}: the session that lay there is cue-1.hitpoint now"


def test_a_save_elsewhere_says_what_lay_there(studio: Studio, tmp_path: Path, heard: list[Event]) -> None:
    other = saved(unscored(), tmp_path / "other.hitpoint")
    studio.act(Title("1m1"))
    studio.save(other)
    assert [event.spared for event in heard if isinstance(event, SessionChanged)][-1] == tmp_path / "other-1.hitpoint"


def test_a_film_is_put_away(studio: Studio, film: Path, heard: list[Event]) -> None:
    studio.act(Title("1m1"))
    studio.close_film()
    assert studio.film is None
    assert studio.is_open, "the session stays"
    studio.close_session()
    assert [(e.film, e.frames) for e in heard if isinstance(e, FilmChanged)] == [("", 0)]
    with pytest.raises(SessionError, match="no session is open"):
        studio.act(AddHit(3))
    studio.close_film()
    assert len([e for e in heard if isinstance(e, FilmChanged)]) == 1, "a second time does nothing"


def test_a_session_on_a_disk_that_takes_nothing_is_looked_at_and_copied(
    tmp_path: Path, trio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    path = saved(unscored(), tmp_path / "disk" / "cue.hitpoint")
    real = engines.session.desk.FileLock

    def lock(name: str | Path, **more: Any) -> Any:
        made = real(name, **more)
        if Path(name).parent == path.parent:

            def refuse(**_: Any) -> None:
                raise OSError(errno.EROFS, "Read-only file system", str(name))

            made.acquire = refuse  # type: ignore[method-assign]
        return made

    monkeypatch.setattr(engines.session.desk, "FileLock", lock)
    studio = Studio()
    now = studio.open_session(path)
    assert (now.read_only, now.why) == (True, "lies on a read-only disk")
    with pytest.raises(OutputError, match="lies on a read-only disk; choose a folder"):
        studio.act(Title("1m2"))
    studio.save(tmp_path / "mine.hitpoint")
    assert (studio.now.read_only, studio.now.why) == (False, "")
    studio.act(Title("1m2"))
    studio.close(LONG)
    assert on_disk(tmp_path / "mine.hitpoint").cue == "1m2"
    assert on_disk(path).cue == "1m1"


def test_a_wire_begins_a_session_with_its_first_act(studio: Studio, film: Path) -> None:
    hit = answer(studio, "/hitpoint/hits", {})["hits"][0]["frame"]
    told = answer(studio, "/hitpoint/hit/weigh", {"frame": hit, "weight": 0.1})
    assert told["hits"][0]["weight"] == 0.1
    answer(studio, "/hitpoint/tell", {"setting": "mood", "value": "sad"})
    assert studio.now.path == film.parent / "reel-score" / "cue.hitpoint"
    assert [step.sentence for step in studio.now.history.done] == [f"Weigh the hit at frame {hit}", "Brief the cue"]
