"""A session carried to a new cut: bars whose picture is still there keep every note of every take, and only the rest is composed."""

from __future__ import annotations

import sys
from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sittings import bytes_of

sys.path.insert(0, str(Path(__file__).parents[1] / "conform"))
from recuts import FILM, Clip, Film, a_film, cut_list, inserted, prints, removed, swapped, trimmed

from engines import commands
from engines.picture.cutlist import CutList
from engines.session.desk import Desk
from engines.session.model import ChosenMap, Limits, Picture, Scene, Session, Told
from engines.session.model import Film as FilmRef
from engines.session.plain import session_of
from engines.session.recut import NewCut, Recut, conformed, previewed
from engines.session.refill import Wish, refilled
from engines.session.scenes import default_scenes
from engines.spotting.hits import hits_from_cuts
from engines.spotting.solve import solve
from engines.spotting.tempo import Metre
from engines.watch import Watch

pytestmark = pytest.mark.usefixtures("trio")
OLD = a_film(5, 26)


@cache
def session() -> Session:
    """A film of 26 shots, spotted and scored, with two takes of scene 2 and words on scene 1, scene 2 and a bar of scene 2."""
    programme = cut_list(OLD)
    duration = programme.frames / FILM
    hits = hits_from_cuts(programme.cuts, FILM, duration)
    found = solve(hits, duration, (Fraction(70), Fraction(140)), Fraction(4))[0]
    made = Session(
        film=FilmRef("/films/old.mov", "0" * 64, 1, FILM, programme.frames, duration),
        programme=programme,
        limits=Limits((Fraction(70), Fraction(140)), Fraction(4), (Metre(),)),
        overrides=(),
        hits=hits,
        map=ChosenMap(found.name, found.tempo_map, found.tempo_bpm, found.cost),
        engine="trio",
        mode=None,
        formula="ours",
        seed=1,
        performance=0.5,
        scenes=(),
    )
    sizes = default_scenes(made.bars, made.tempo_map, hits)
    made = replace(made, scenes=tuple(Scene(f"s{k}", bars) for k, bars in enumerate(sizes, 1)))
    for told, scene, bar in ((Told(density=6), 1, None), (Told(mood=3), 2, None), (Told(energy=0.9), None, sizes[0] + 2)):
        made = commands.Tell(told, scene, bar).do(made, Watch())
    for number in (*range(1, len(sizes) + 1), 2):
        made, _ = refilled(made, Wish(number), Watch())
    return made


def conform(new: Film, old: Session | None = None, listed: CutList | None = None) -> Recut:
    return conformed(old or session(), NewCut(listed or cut_list(new)), Watch())


def by_bar(of: Session, bar: int) -> tuple[object, ...]:
    """Everything that is heard from a bar's first beat to its last, from the bar line on."""
    here = of.bars[bar]
    return tuple(replace(note, start=note.start - here.start) for note in of.notes if here.start <= note.start < here.end)


def early(of: Session, bar: int) -> tuple[object, ...]:
    """The written notes of a bar: those that are played a little early belong to it too."""
    here = of.bars[bar]
    rows = (
        (row.moved(span.start - here.start))
        for span in of.spans
        if span.scene.chosen
        for row in of.takes[span.scene.chosen].notes
        if here.start <= row.note.start + span.start < here.end
    )
    return tuple(sorted(rows, key=lambda row: (row.note, row.played)))


def checked(old: Session, found: Recut) -> None:
    """What holds for every conform."""
    new = found.session
    assert len(found.bars) == len(new.bars) == sum(scene.bars for scene in new.scenes)
    for bar, was in enumerate(found.bars):
        if was is not None:
            assert early(new, bar) == early(old, was), f"bar {bar + 1} was bar {was + 1}"
    assert all(span.scene.chosen is not None for span in new.spans), "no scene is silent"
    for span in new.spans:
        assert new.fits(span, new.takes[span.scene.chosen or ""])
    for bar, was in enumerate(found.bars):
        if was is None and new.bars[bar].end <= new.end:
            assert early(new, bar), f"bar {bar + 1} is composed"
    assert len(new.versions) == len(old.versions) + 1
    kept = session_of({**next(reversed(new.versions.values())), "versions": {}})
    assert kept.notes == old.notes
    assert kept.programme == old.programme


def test_the_same_cut_changes_nothing_but_what_the_session_remembers() -> None:
    found = conform(OLD)
    assert None not in found.bars
    assert found.session.notes == session().notes
    assert found.session.takes == session().takes
    assert found.session.told == session().told
    checked(session(), found)


def test_an_hour_later_is_the_same_music_under_other_timecodes() -> None:
    found = conform(OLD, listed=cut_list(OLD, start=1))
    assert found.session.notes == session().notes
    assert str(found.session.start) == "01:00:00:00"
    assert {change.kind for change in found.matched.changes} == {"unmoved"}


def test_23_976_for_24_touches_no_note_and_no_frame() -> None:
    slow = Fraction(24000, 1001)
    found = conform(OLD, listed=cut_list(OLD, slow))
    assert None not in found.bars
    assert found.session.notes == session().notes
    old, new = (s.tempo_map.seconds(s.bars[20].start) for s in (session(), found.session))
    assert new - old * Fraction(1001, 1000) == 0
    checked(session(), found)


@pytest.mark.parametrize(
    "new",
    [
        trimmed(OLD, 9, tail=14),
        trimmed(OLD, 9, head=-14),
        removed(OLD, 12),
        swapped(OLD, 8, 9),
        inserted(OLD, 15, Clip(77, 500, 70)),
        trimmed(OLD, 0, head=24),
        OLD[:20],
        OLD[4:],
    ],
    ids=["14 frames shorter", "14 longer", "removed", "swapped", "inserted", "head trimmed", "end gone", "beginning gone"],
)
def test_what_is_still_there_keeps_its_notes(new: Film) -> None:
    found = conform(new)
    checked(session(), found)
    told = found.json()["bars"]
    assert told["kept"] >= 0.7 * min(told["total"], told["before"])
    assert told["kept"] + told["refilled"] == told["total"]
    assert previewed(session(), NewCut(cut_list(new))).bars == found.bars


def test_takes_that_are_not_heard_are_carried_too() -> None:
    found = conform(trimmed(OLD, 1, tail=10))
    scene = next(span for span in found.session.spans if span.scene.id == "s2")
    takes = found.session.takes_of(scene.scene)
    assert [take.number for take in takes.values()][:2] == [1, 2]
    assert [take.notes for take in takes.values()][:2] == [
        take.notes for take in session().takes_of(session().scenes[1]).values()
    ]


def test_words_go_with_their_scene_and_their_bar() -> None:
    found = conform(inserted(OLD, 0, Clip(5, 10, 400)))
    words = found.session.told
    assert words["s2"] == Told(mood=3)
    assert words["s2/2"] == Told(energy=0.9)
    assert words["s1"] == Told(density=6)


def test_what_is_held_does_not_keep_the_recut_from_being_composed() -> None:
    old = commands.Hold(1, ("melody", "3-4")).do(session(), Watch())
    found = conform(trimmed(OLD, 2, tail=14), old)
    checked(old, found)
    first = found.session.scenes[0]
    assert "melody" in first.keep
    new = [k for k, was in enumerate(found.bars) if was is None and k < first.bars]
    assert all({row.note.stem for row in early(found.session, k)} == {"melody", "bridge", "piano"} for k in new)  # type: ignore[attr-defined]


def test_words_on_hits_go_with_their_frames_and_fall_with_them() -> None:
    from engines.spotting.hits import Override

    frames = [cut.frame for cut in session().programme.cuts]
    old = replace(session(), overrides=(Override(frames[3], weight=0.5), Override(frames[20], drop=True)))
    new = removed(OLD, 10)
    moved = conform(new, old).session.overrides
    assert moved == (Override(frames[3], weight=0.5), Override(frames[20] - OLD[10].length, drop=True))
    assert conform(removed(OLD, 4), old).session.overrides == (Override(frames[20] - OLD[4].length, drop=True),)


def test_pictures_tell_shots_where_lists_do_not(tmp_path: Path) -> None:
    from base64 import b64encode

    plain = replace(
        session(),
        programme=cut_list(OLD, sources=False),
        picture=Picture(None, b64encode(prints(OLD)).decode()),
    )
    new = removed(trimmed(OLD, 9, tail=14), 15)
    found = conformed(plain, NewCut(cut_list(new, sources=False), None, prints(new, 1, noise=4)), Watch())
    assert found.matched.how == "picture"
    checked(plain, found)
    assert len(found.session.picture.prints) > 0


def test_conform_is_undone_byte_by_byte() -> None:
    desk = Desk(session())
    before = bytes_of(desk)
    desk.do(commands.Conform(NewCut(cut_list(swapped(OLD, 8, 9))), "new.edl"))
    after = bytes_of(desk)
    assert desk.history.done[-1].sentence == "Conform to new.edl"
    desk.undo()
    assert bytes_of(desk) == before
    desk.redo()
    assert bytes_of(desk) == after


def test_a_cut_of_a_cut_keeps_both_versions() -> None:
    once = conform(trimmed(OLD, 9, tail=14)).session  # both within a second: their names must differ
    twice = conformed(once, NewCut(cut_list(OLD)), Watch())
    checked(once, twice)
    assert len(twice.session.versions) == 2


@settings(max_examples=3, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_any_recut_keeps_what_it_can(seed: int, changes: int) -> None:
    from recuts import recut

    found = conform(recut(OLD, seed, changes))
    checked(session(), found)


def test_the_change_list_is_readable() -> None:
    found = conform(trimmed(OLD, 9, tail=14))
    text, told = found.text(), found.json()
    assert "tail -14 frames" in text
    assert told["how"] == "source"
    assert told["counts"]["trimmed"] == 1
    rows = [row for row in told["changes"] if row["kind"] == "trimmed"]
    assert rows[0]["tail"] == 14
    assert rows[0]["old"]["shot"] == 10
