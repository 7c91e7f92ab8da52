"""The studio: one session for many hands, long work beside it, and a file that is never far behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
from sittings import saved, scored, table_of, unscored
from slow_engine import Slow

import bridge.daws.folder
import bridge.sitting
from bridge.events import Event, FilmChanged, JobProgressed, Message, SessionChanged
from bridge.studio import PICTURE, Studio
from engines.commands import Choose, Hold, Refill, Remark, Split, Tell, Title
from engines.errors import Cancelled, OptionError, OutputError, SessionError
from engines.scoring import Wishes
from engines.session.desk import Desk
from engines.session.keep import parse
from engines.session.model import Told
from engines.session.refill import Wish
from engines.spotting.tempo import Metre

LONG = 60.0


@pytest.fixture
def studio() -> Iterator[Studio]:
    made = Studio()
    yield made
    made.close(LONG)


@pytest.fixture
def heard(studio: Studio) -> list[Event]:
    events: list[Event] = []
    studio.subscribe(events.append)
    return events


@pytest.fixture
def small_film(shared: Path) -> Path:
    return shared / "media" / "fades.mp4"


def on_disk(path: Path) -> Any:
    with Desk.open(path, read_only=True) as desk:
        return desk.session


def test_without_a_session_every_act_says_so(studio: Studio) -> None:
    for call in (studio.undo, lambda: studio.refill(1), lambda: studio.choose(1, 1), lambda: studio.now):
        with pytest.raises(SessionError, match="no session is open"):
            call()
    with pytest.raises(OptionError, match="no film is open"):
        studio.spot()
    with pytest.raises(OptionError, match="no new cut was looked at"):
        studio.conform()


def test_a_refill_changes_its_scene_alone_and_is_told(studio: Studio, file: Path, heard: list[Event]) -> None:
    before = studio.open_session(file).session
    acted = studio.refill(3, seed=9).result(LONG)
    after = studio.now.session
    assert acted.scenes == (3,)
    assert [s.chosen for s in after.scenes[:2]] == [s.chosen for s in before.scenes[:2]]
    assert {k: v for k, v in after.takes.items() if k in before.takes} == before.takes
    assert after.take(after.scenes[2])[1].seed == 9
    told = [e for e in heard if isinstance(e, SessionChanged)]
    assert [(e.change, e.scenes) for e in told] == [("opened", ()), ("acted", (3,))]
    assert [e.serial for e in told] == [1, 2]
    states = [e.reading.state for e in heard if isinstance(e, JobProgressed) and not e.reading.stage]
    assert states[:2] == ["waiting", "working"]


def test_everything_is_on_the_disk_without_being_asked(studio: Studio, file: Path) -> None:
    studio.open_session(file)
    studio.refill(2, seed=5).result(LONG)
    studio.act(Title("The chase", 2))
    studio.undo()
    studio.redo()
    studio.close_session()
    assert on_disk(file).scenes[1].name == "The chase"
    assert file.with_suffix(".mid").exists()
    assert file.with_name("report.json").exists()
    assert [row["sentence"] for row in table_of(file)["history"]["done"]] == ["Refill scene 2", "Name scene 2"]  # type: ignore[index]


def test_a_wrong_scene_is_told_at_once_and_changes_nothing(studio: Studio, file: Path) -> None:
    studio.open_session(file)
    before = file.read_bytes()
    with pytest.raises(OptionError, match="there is no scene 7"):
        studio.refill(7)
    with pytest.raises(OptionError, match="has no take 5"):
        studio.choose(1, 5)
    studio.close_session()
    assert file.read_bytes() == before


def test_a_cancelled_refill_leaves_the_session_byte_for_byte(studio: Studio, file: Path, slow: type[Slow]) -> None:
    opened = studio.open_session(file)
    before = file.read_bytes()
    job = studio.refill(3, engine="slow")
    assert slow.began.wait(LONG)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(LONG)
    assert studio.now == opened
    studio.close_session()
    assert file.read_bytes() == before


def meanwhile(studio: Studio, slow: type[Slow], act: Callable[[], object]) -> Any:
    """A refill of scene 3 during which something else happens."""
    job = studio.refill(3, seed=77, engine="slow")
    assert slow.began.wait(LONG)
    act()
    slow.go.set()
    return job


def test_acts_in_other_scenes_go_on_while_a_scene_is_composed(studio: Studio, file: Path, slow: type[Slow]) -> None:
    studio.open_session(file)
    alone = Refill(Wish(3, seed=77)).do(studio.now.session, studio.jobs.begin("", lambda watch: None).watch)
    job = meanwhile(studio, slow, lambda: (studio.act(Title("Dawn", 1)), studio.act(Remark(2, rating=4))))
    assert job.result(LONG).scenes == (3,)
    now = studio.now.session
    assert now.scenes[0].name == "Dawn"
    assert now.take(now.scenes[1])[1].rating == 4
    assert now.take(now.scenes[2])[1].notes == alone.take(alone.scenes[2])[1].notes
    assert [step.sentence for step in studio.now.history.done] == ["Name scene 1", "Rate the take of scene 2", "Refill scene 3"]
    for _ in range(3):
        studio.undo()
    assert studio.now.session == on_disk_before(file, studio)


def on_disk_before(file: Path, studio: Studio) -> Any:
    studio.save()
    return on_disk(file)


@pytest.mark.parametrize("act", [Choose(3, None), Hold(3, ("melody",))])
def test_the_composers_later_word_on_the_same_scene_stands(
    studio: Studio, file: Path, slow: type[Slow], heard: list[Event], act: Any
) -> None:
    studio.open_session(file)
    job = meanwhile(studio, slow, lambda: studio.act(act))
    acted = job.result(LONG)
    scene = studio.now.session.scenes[2]
    assert scene == act.do(acted.before, job.watch).scenes[2]
    assert sorted(take.number for take in studio.now.session.takes_of(scene).values()) == [1, 2]
    assert any(isinstance(e, Message) and "not chosen" in e.text for e in heard)


def test_a_scene_that_lost_its_bars_meanwhile_fails_in_one_line(studio: Studio, file: Path, slow: type[Slow]) -> None:
    studio.open_session(file)
    job = meanwhile(studio, slow, lambda: studio.act(Split(17)))
    left = studio.now.session
    with pytest.raises(SessionError, match="given other bars"):
        job.result(LONG)
    assert studio.now.session is left


def test_a_scene_that_only_moved_gets_its_take(studio: Studio, file: Path, slow: type[Slow]) -> None:
    studio.open_session(file)
    job = meanwhile(studio, slow, lambda: studio.act(Tell(Told(metre=Metre(3, 4)), 1)))
    acted = job.result(LONG)
    fits = acted.session.fits(acted.session.span(3), acted.session.take(acted.session.scenes[2])[1])
    assert fits


def test_takes_of_two_hands_get_numbers_of_their_own(studio: Studio, file: Path, slow: type[Slow]) -> None:
    studio.open_session(file)
    job = meanwhile(studio, slow, lambda: studio.act(Refill(Wish(3, seed=5))))
    job.result(LONG)
    session = studio.now.session
    takes = session.takes_of(session.scenes[2])
    assert [(take.number, take.seed) for take in takes.values()] == [(1, 3), (2, 5), (3, 77)]


def test_a_refill_that_waits_goes_for_the_scene_that_was_meant(studio: Studio, file: Path, slow: type[Slow]) -> None:
    before = studio.open_session(file).session
    first = studio.refill(1, engine="slow")
    assert slow.began.wait(LONG)
    waits = studio.refill(3, seed=8, bars=[(15, 16)], keep=[parse("melody:15-16")])
    gone = studio.refill(1, seed=9)
    studio.act(Tell(Told(metre=Metre(3, 4)), 1))
    studio.act(Split(4))
    slow.go.set()
    for lost in (first, gone):
        with pytest.raises(SessionError, match="other bars"):
            lost.result(LONG)
    acted = waits.result(LONG)
    last = acted.session.scenes[-1]
    later = acted.session.spans[-1].first - before.spans[2].first
    assert (last.id, acted.scenes) == (before.scenes[2].id, (4,))
    assert later > 0
    new, old = (session.take(last, n)[1] for session, n in ((acted.session, 2), (before, 1)))
    start = before.spans[2].start
    places = {bar.index + 1: (bar.start - start, bar.end - start) for bar in before.spans[2].bars}
    low, high = places[15][0], places[16][1]
    assert [r for r in new.notes if r.note.stem == "melody"] == [r for r in old.notes if r.note.stem == "melody"]
    assert {r for r in new.notes if not low <= r.note.start < high} == {r for r in old.notes if not low <= r.note.start < high}
    assert set(new.notes) != set(old.notes)
    assert new.seed == 8


def test_a_session_closed_meanwhile_is_not_touched(studio: Studio, file: Path, slow: type[Slow]) -> None:
    studio.open_session(file)
    before = file.read_bytes()
    job = meanwhile(studio, slow, studio.close_session)
    with pytest.raises(SessionError, match="closed meanwhile"):
        job.result(LONG)
    assert file.read_bytes() == before


def test_scoring_composes_every_scene_and_can_be_undone(studio: Studio, trio: str, tmp_path: Path) -> None:
    path = saved(unscored(), tmp_path / "cue.hitpoint")
    studio.open_session(path)
    acted = studio.score(seed=1).result(LONG)
    assert acted.scenes == (1, 2, 3)
    assert [take.seed for take in acted.session.takes.values()] == [1, 2, 3]
    assert {k: replace(v, made="") for k, v in acted.session.takes.items()} == {
        k: replace(v, made="") for k, v in scored().takes.items()
    }
    studio.undo()
    assert studio.now.session.takes == {}


def test_a_session_that_another_program_has_open_is_read_only(studio: Studio, file: Path) -> None:
    with Desk.open(file):
        assert studio.open_session(file).read_only
        with pytest.raises(SessionError, match="open in another program"):
            studio.act(Title("Dawn", 1))
        with pytest.raises(SessionError, match="open in another program"):
            studio.refill(1).result(LONG)
        studio.close_session()
    assert not studio.open_session(file).read_only


def test_a_full_disk_is_told_and_loses_nothing(
    studio: Studio, file: Path, heard: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.open_session(file)
    before = file.read_bytes()
    with monkeypatch.context() as full:

        def refuse(*args: object, **named: object) -> None:
            raise OutputError("the disk is full", where=file, cure="free some space, or write elsewhere")

        full.setattr(bridge.sitting, "updated", refuse)
        studio.act(Title("Dawn", 1))
        with pytest.raises(OutputError, match="disk is full"):
            studio.close_session()
        assert file.read_bytes() == before
        assert studio.now.session.scenes[0].name == "Dawn"
        told = [e for e in heard if isinstance(e, Message) and e.level == "error" and "disk is full" in e.text]
        assert [e.holds is not None and e.holds() for e in told] == [True]
        assert told[0].json() == {"event": "message", "text": told[0].text, "level": "error"}
    studio.act(Title("Noon", 2))
    studio.flush()
    assert told[0].holds is not None
    assert not told[0].holds(), "all of it is on the disk by now"
    studio.close_session()
    assert [scene.name for scene in on_disk(file).scenes] == ["Dawn", "Noon", ""]


def test_many_threads_at_once_lose_no_act(studio: Studio, file: Path) -> None:
    studio.open_session(file)

    def work(scene: int) -> None:
        for number in range(10):
            studio.act(Title(f"{number}", scene))

    threads = [Thread(target=work, args=(scene,)) for scene in (1, 2, 3)]
    for thread in threads:
        thread.start()
    jobs = [studio.refill(scene) for scene in (1, 2, 3)]
    for thread in threads:
        thread.join(LONG)
    for job in jobs:
        job.result(LONG)
    assert len(studio.now.history.done) == 33
    assert [scene.name for scene in studio.now.session.scenes] == ["9", "9", "9"]
    assert sorted(take.number for take in studio.now.session.takes.values()) == [1, 1, 1, 2, 2, 2]
    studio.save()
    assert on_disk(file) == studio.now.session


def test_opening_another_session_saves_the_first_and_lets_go_of_it(studio: Studio, file: Path, tmp_path: Path) -> None:
    other = saved(scored((7, 6)), tmp_path / "other.hitpoint")
    studio.open_session(file)
    studio.act(Title("Dawn", 1))
    studio.open_session(other)
    with Desk.open(file) as desk:
        assert not desk.read_only
        assert desk.session.scenes[0].name == "Dawn"


def test_a_session_is_spotted_again_and_put_on_another_map(studio: Studio, file: Path) -> None:
    before = studio.open_session(file).session
    with pytest.raises(OptionError, match="was not spotted again"):
        studio.use_map(0)
    maps = studio.spot_again().result(LONG)
    assert studio.now.session is before
    assert maps.in_use.tempo_map == before.tempo_map
    with pytest.raises(OptionError, match="there is no tempo map"):
        studio.use_map(len(maps.all))
    studio.use_map(1)
    assert studio.now.session.tempo_map == maps.all[1].tempo_map
    studio.undo()
    assert studio.now.session == before


def test_from_a_film_to_a_scored_session(studio: Studio, heard: list[Event], trio: str, shared: Path, tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes((shared / "media" / "fades.mp4").read_bytes())
    opened = studio.open_film(film).result(LONG)
    assert opened.programme.cuts
    with pytest.raises(OptionError, match="was not spotted yet"):
        studio.new()
    with pytest.raises(OptionError, match="was not spotted yet"):
        studio.choose_map(0)
    spotted = studio.spot(Wishes(engine=trio, metres=(Metre(), Metre(3, 4)))).result(LONG)
    last = spotted.candidates[-1]
    assert studio.choose_map(len(spotted.candidates) - 1).chosen == last
    with pytest.raises(OptionError, match="there is no tempo map 99"):
        studio.choose_map(99)
    now = studio.new()
    assert now.path == tmp_path / "film-score" / "cue.hitpoint"
    assert now.session.tempo_map == last.tempo_map
    assert now.session.takes == {}
    acted = studio.score(seed=4).result(LONG)
    assert acted.scenes == tuple(range(1, len(acted.session.scenes) + 1))
    again = studio.score(path=tmp_path / "second" / "cue.hitpoint").result(LONG)
    assert studio.now.path == tmp_path / "second" / "cue.hitpoint"
    assert again.session.tempo_map == last.tempo_map
    films = [e for e in heard if isinstance(e, FilmChanged)]
    assert [e.candidates for e in films[:2]] == [0, len(spotted.candidates)]
    studio.close_session()
    assert on_disk(now.path).takes == acted.session.takes


def test_a_film_that_is_scored_at_once_is_spotted_on_the_way(studio: Studio, small_film: Path, trio: str, tmp_path: Path) -> None:
    opened = studio.open_film(small_film).result(LONG)
    studio.film = replace(opened, wishes=Wishes(engine=trio))
    acted = studio.score(path=tmp_path / "cue.hitpoint").result(LONG)
    assert acted.session.notes
    assert studio.film is not None
    assert studio.film.spotted is not None


def test_a_new_cut_is_looked_at_and_then_accepted(studio: Studio, file: Path, tmp_path: Path) -> None:
    before = studio.open_session(file).session
    cuts = [cut.frame for cut in before.programme.cuts]
    table = tmp_path / "new.csv"
    table.write_text("frame\n" + "\n".join(str(frame - 48) for frame in cuts if frame > 96) + "\n", "utf-8")
    offer = studio.look_at_cut(table, rate=before.film.rate).result(LONG)
    assert studio.now.session == before
    assert offer.name == "new.csv"
    acted = studio.conform().result(LONG)
    assert acted.sentence == "Conform to new.csv"
    assert "new.csv" in str(acted.session.programme) or acted.session.programme != before.programme
    assert studio.offer is None
    studio.undo()
    assert studio.now.session.programme == before.programme


def test_what_a_job_finds_for_one_session_never_lands_on_another(studio: Studio, file: Path, tmp_path: Path, busy: Flag) -> None:
    other = saved(scored((7, 6)), tmp_path / "other.hitpoint")
    table = tmp_path / "new.csv"
    table.write_text("frame\n100\n200\n", "utf-8")
    studio.open_session(file)
    late = [studio.spot_again(), studio.look_at_cut(table, rate=Fraction(24))]
    now = studio.open_session(other)
    busy.set()
    for job in late:
        with pytest.raises(SessionError, match="another session was opened meanwhile"):
            job.result(LONG)
    assert (studio.maps, studio.offer) == (None, None)
    assert studio.now == now


def test_an_offer_goes_with_its_session(studio: Studio, file: Path, tmp_path: Path, slow: type[Slow]) -> None:
    other = saved(scored((7, 6)), tmp_path / "other.hitpoint")
    table = tmp_path / "new.csv"
    before = studio.open_session(file).session
    table.write_text(
        "frame\n" + "\n".join(str(cut.frame - 48) for cut in before.programme.cuts if cut.frame > 96) + "\n", "utf-8"
    )
    studio.look_at_cut(table, rate=before.film.rate).result(LONG)
    first = studio.refill(1, engine="slow")
    assert slow.began.wait(LONG)
    waits = studio.conform()  # behind it
    studio.open_session(other)
    slow.go.set()
    for job in (first, waits):
        with pytest.raises(SessionError):
            job.result(LONG)
    assert studio.offer is None


@pytest.fixture
def busy(studio: Studio) -> Flag:
    """The lane in which films are read does nothing before this is set."""
    go, began = Flag(), Flag()

    def hold(watch: object) -> None:
        began.set()
        go.wait(LONG)

    studio.jobs.begin("hold", hold, PICTURE)
    assert began.wait(LONG)
    return go


def test_a_film_opened_meanwhile_is_not_replaced_by_what_was_found_for_the_one_before(
    studio: Studio, small_film: Path, tmp_path: Path, trio: str
) -> None:
    film = tmp_path / "second.mp4"
    film.write_bytes(small_film.read_bytes())
    studio.open_film(small_film).result(LONG)
    opens, spots = studio.open_film(film), studio.spot()
    opens.result(LONG)
    with pytest.raises(OptionError, match="another film was opened meanwhile"):
        spots.result(LONG)
    assert studio.film is not None
    assert (studio.film.reel.path, studio.film.spotted) == (film, None)


def test_a_score_that_is_cancelled_leaves_no_session(
    studio: Studio, small_film: Path, file: Path, tmp_path: Path, slow: type[Slow]
) -> None:
    now = studio.open_session(file)
    studio.film = replace(studio.open_film(small_film).result(LONG), wishes=Wishes(engine="slow"))
    job = studio.score(path=tmp_path / "score" / "new.hitpoint")
    assert slow.began.wait(LONG)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(LONG)
    assert studio.now == now
    assert not (tmp_path / "score").exists()
    studio.act(Title("Dawn", 1))


def test_a_score_that_comes_when_something_else_is_open_waits_on_the_disk(
    studio: Studio, small_film: Path, file: Path, tmp_path: Path, slow: type[Slow], heard: list[Event]
) -> None:
    path = tmp_path / "score" / "new.hitpoint"
    studio.film = replace(studio.open_film(small_film).result(LONG), wishes=Wishes(engine="slow"))
    job = studio.score(path=path)
    assert slow.began.wait(LONG)
    now = studio.open_session(file)
    slow.go.set()
    assert job.result(LONG).session.notes
    assert studio.now == now
    assert on_disk(path).notes
    assert any(isinstance(e, Message) and "is scored and not opened" in e.text for e in heard)
    assert not studio.open_session(path).read_only


def test_a_session_opened_again_is_writable_once_the_other_program_lets_go(studio: Studio, file: Path) -> None:
    with Desk.open(file) as other:
        assert studio.open_session(file).read_only
        assert studio.open_session(file).read_only
        other.do(Title("Dawn", 1))
        other.save()
        seen = studio.open_session(file)
        assert (seen.read_only, seen.session.scenes[0].name) == (True, "Dawn")
    now = studio.open_session(file)
    assert (now.read_only, now.session.scenes[0].name) == (False, "Dawn")
    studio.act(Title("Noon", 2))
    assert studio.open_session(file).session.scenes[1].name == "Noon"


def test_what_does_not_stop_is_told_in_the_end_and_lands_nowhere(studio: Studio, file: Path) -> None:
    go, began = Flag(), Flag()

    def hang(watch: object) -> None:
        began.set()
        go.wait(LONG)

    studio.open_session(file)
    studio.jobs.begin("Wait for a disk", hang, PICTURE)
    assert began.wait(LONG)
    try:
        assert studio.close(0.1) == ("Wait for a disk",)
        assert not studio.is_open
        with pytest.raises(SessionError, match="the program ends"):
            studio.open_session(file)
        with Desk.open(file) as desk:
            assert not desk.read_only
    finally:
        go.set()


def test_the_doctor_and_a_placing_are_cancelled_within_a_step(
    studio: Studio, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, began = Flag(), Flag()

    class Deaf:
        name = "folder"

        def __init__(self, address: object) -> None:
            pass

        def place(self, *args: object) -> None:
            began.set()
            go.wait(LONG)

        def reach(self) -> None:
            began.set()
            go.wait(LONG)

        def close(self) -> None:
            pass

    monkeypatch.setattr(bridge.daws.folder, "Folder", Deaf)

    def listens() -> Any:
        return studio.doctor(["folder"], 60.0)

    studio.open_session(file)
    try:
        for make in (lambda: studio.place(), lambda: studio.doctor(["folder"], 0.0), listens):
            began.clear()
            job = make()
            if make is not listens:
                assert began.wait(LONG)
            while job.reading.state == "waiting":
                assert not job.wait(0.01)
            job.cancel()
            with pytest.raises(Cancelled):
                job.result(LONG / 2)
    finally:
        go.set()


def test_a_save_elsewhere_that_fails_leaves_everything_where_it_was(studio: Studio, file: Path, tmp_path: Path) -> None:
    studio.open_session(file)
    film = tmp_path / "film.mp4"
    film.write_bytes(b"a film")
    (tmp_path / "folder.hitpoint").mkdir()
    for where in (film, tmp_path / "folder.hitpoint", tmp_path / "nowhere" / "cue.hitpoint"):
        with pytest.raises((OptionError, OutputError)):
            studio.save(where)
        assert studio.now.path == file
    assert film.read_bytes() == b"a film"
    studio.act(Title("Dawn", 1))
    studio.flush()
    assert on_disk(file).scenes[0].name == "Dawn"
    with Desk.open(file) as desk:
        assert desk.read_only


def test_a_save_elsewhere_is_gone_on_with(studio: Studio, file: Path, tmp_path: Path, heard: list[Event]) -> None:
    studio.open_session(file)
    other = tmp_path / "other.hitpoint"
    assert studio.save(other) == other
    assert studio.now.path == other
    assert other.with_suffix(".mid").exists()
    assert [e.change for e in heard if isinstance(e, SessionChanged)] == ["opened", "saved"]
    studio.act(Title("Dawn", 1))
    studio.close_session()
    assert (on_disk(other).scenes[0].name, on_disk(file).scenes[0].name) == ("Dawn", "")
