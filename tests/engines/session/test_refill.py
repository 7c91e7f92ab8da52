"""Refill: what was asked is composed, and every other note is bit by bit as it was, in the session and in the written file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import few, saved, scored, unscored

from engines import commands
from engines.errors import HitpointError, OptionError
from engines.runtime import repository
from engines.score.notes import STEMS, Note
from engines.score.smf import read_smf
from engines.score.smf_reader import MidiNote
from engines.session.deliver import score_of, write_cue
from engines.session.keep import Keep, bar_of, parse
from engines.session.model import Session, Span, Told
from engines.session.refill import Wish, again, next_seed, refilled
from engines.session.respot import respotted
from engines.session.working import act_on, refill_json
from engines.spotting.tempo import Metre
from engines.watch import Watch


@cache
def start() -> Session:
    return scored()


def outside(session: Session, span: Span, bars: tuple[int, int] | None) -> list[Note]:
    """Played notes of the cue that were not written in these bars of a scene."""
    low, high = bars or (span.first + 1, span.first + len(span.bars))
    out = []
    for other in session.spans:
        for row in session.takes[other.scene.chosen or ""].notes if other.scene.chosen else ():
            if other.scene.id != span.scene.id or not low <= bar_of(row.note.start, other)[0] <= high:
                out.append(replace(row.played, start=row.played.start + other.start))
    return sorted(out)


keeps = st.one_of(
    st.sampled_from(STEMS),
    st.builds(lambda a, b: f"{min(a, b)}-{max(a, b)}", st.integers(1, 20), st.integers(1, 20)),
    st.builds(lambda stem, bar: f"{stem}:{bar}", st.sampled_from(STEMS), st.integers(1, 20)),
    st.builds(lambda stem, bar, beat: f"{stem}@{bar}.{beat}", st.sampled_from(STEMS), st.integers(1, 20), st.integers(1, 4)),
)


@few(12)
@given(
    st.integers(1, 3),
    st.none() | st.tuples(st.integers(0, 6), st.integers(0, 3)),
    st.none() | st.sets(st.sampled_from(STEMS), min_size=1),
    st.lists(keeps, max_size=3),
    st.integers(0, 99),
)
def test_a_refill_composes_what_was_asked_and_nothing_else(
    trio: str, number: int, bars: tuple[int, int] | None, stems: set[str] | None, keep: list[str], seed: int
) -> None:
    before, span = start(), start().span(number)
    run = None
    if bars is not None:
        low = min(span.first + 1 + bars[0], span.first + len(span.bars))
        run = (low, min(low + bars[1], span.first + len(span.bars)))
    words = tuple(map(parse, keep))
    wish = Wish(number, run and (run,), tuple(stems) if stems else None, words, seed)
    fault = None
    try:
        after, take = refilled(before, wish, Watch())
    except OptionError as error:
        fault = str(error)
    if fault is not None:
        assert "is kept" in fault
        return
    old = before.takes[span.scene.chosen or ""]
    allowed = stems or set(STEMS)
    single = [word for word in words if word.beat is not None]
    closed = [
        row
        for row in old.notes
        if not is_open(row.note, span, run, allowed, words) or any(word.holds(row.note, span) for word in single)
    ]
    assert set(closed) <= set(take.notes)
    assert all(is_open(row.note, span, run, allowed, words) or row in closed for row in take.notes)
    assert outside(after, span, run) == outside(before, span, run)
    assert {k: v for k, v in after.takes.items() if k in before.takes} == before.takes
    assert (take.seed, take.number) == (seed, old.number + 1)
    assert refilled(before, wish, Watch())[1].notes == take.notes
    assert again(take).same, again(take).differs
    heard: dict[tuple[str, int], Fraction] = {}
    for note in sorted(row.played for row in take.notes):
        assert heard.get((note.stem, note.pitch), Fraction(-1)) <= note.start
        heard[note.stem, note.pitch] = note.end


def is_open(note: Note, span: Span, run: tuple[int, int] | None, stems: set[str], words: tuple[Keep, ...]) -> bool:
    """Whether a refill may write or replace a note there."""
    bar, _ = bar_of(note.start, span)
    low, high = run or (1, 10**6)
    shut = any(word.beat is None and word.stem in (None, note.stem) and word.inside(bar, bar) for word in words)
    return low <= bar <= high and note.stem in stems and not shut


@pytest.mark.parametrize("word", ["melody:3", "melody@3.1", "melody@3.1.5", "piano:2-4"])
def test_kept_notes_of_bars_that_are_composed_stay(word: str, trio: str) -> None:
    span, kept = start().span(1), parse(word)
    old = {row for row in start().takes["t1"].notes if kept.holds(row.note, span)}
    _, take = refilled(start(), Wish(1, keep=(kept,), seed=9), Watch())
    assert old <= set(take.notes)
    assert set(take.notes) - old


def test_what_is_held_stays_wherever_its_scene_moves(trio: str) -> None:
    """Bars that a composer keeps are those of the scene, not those that have their numbers after a change before it."""
    held = commands.Hold(2, ("melody", "9-10")).do(start(), Watch())
    notes = [
        row for row in held.takes["t2"].notes if row.note.stem == "melody" or 9 <= bar_of(row.note.start, held.span(2))[0] <= 10
    ]
    moved = respotted(held, replace(held, told={"s1": Told(metre=Metre(3, 4))}))
    assert len(moved.span(1).bars) != 7
    _, take = refilled(moved, Wish(2, seed=9), Watch())
    assert set(notes) <= set(take.notes)
    fresh = [row.note for row in take.notes if row not in held.takes["t2"].notes]
    assert fresh
    assert not any(n.stem == "melody" or 9 <= bar_of(n.start, held.span(2))[0] <= 10 for n in fresh)


def test_only_bars_of_the_scene_are_held(trio: str) -> None:
    with pytest.raises(OptionError, match=r"bars 8 to 13"):
        commands.Hold(2, ("5-6",)).do(start(), Watch())


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish(4), "scenes 1 to 3"),
        (Wish(0), "scenes 1 to 3"),
        (Wish(1, bars=((7, 8),)), "bars 1 to 7"),
        (Wish(1, stems=("drums",)), "melody, bridge, piano"),
        (Wish(1, keep=tuple(map(parse, STEMS))), "everything of scene 1 is kept"),
        (Wish(1, keep=(parse("1-7"),)), "everything of scene 1 is kept"),
        (Wish(1, bars=((2, 3),), keep=(parse("2"), parse("3-4"))), "everything of scene 1 is kept"),
        (Wish(1, stems=("melody",), keep=(parse("melody"),)), "everything of scene 1 is kept"),
        (Wish(1, engine="nobody"), "no engine"),
    ],
)
def test_what_cannot_be_refilled_is_one_line(wish: Wish, said: str, trio: str) -> None:
    with pytest.raises(HitpointError, match=said) as caught:
        refilled(start(), wish, Watch())
    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value)


@pytest.mark.parametrize(
    "word", ["", "drums", "0", "7-5", "melody:", "melody@5", "melody@5.0", "5@3", "melody@5.1/0", "5-", "-5"]
)
def test_what_cannot_be_kept_is_one_line(word: str) -> None:
    with pytest.raises(OptionError, match="nothing that can be kept") as caught:
        parse(word)
    assert "\n" not in str(caught.value)


@few(40)
@given(keeps | st.builds(lambda a, b: f"piano@{a}.{b}", st.integers(1, 20), st.sampled_from(["1", "2.5", "7/2", "1/2"])))
def test_what_is_kept_can_be_written_down(word: str) -> None:
    try:
        kept = parse(word)
    except OptionError:
        assert word.endswith(".1/2")  # before the bar's first beat
        return
    assert parse(str(kept)) == kept
    assert kept.moved(3).moved(-3) == kept


def test_seeds_are_not_used_twice(trio: str) -> None:
    session = start()
    for _ in range(3):
        seed = next_seed(session)
        assert seed not in [order.seed for take in session.takes.values() for order in take.orders]
        session, take = refilled(session, Wish(2), Watch())
        assert take.seed == seed


def test_a_silent_scene_is_refilled_by_stem(trio: str) -> None:
    session, take = refilled(unscored(), Wish(2, stems=("melody",)), Watch())
    assert {row.note.stem for row in take.notes} == {"melody"}
    assert session.notes == tuple(sorted(replace(r.played, start=r.played.start + session.span(2).start) for r in take.notes))


@cache
def small() -> Session:
    return scored((3, 4, 3))


CASES: list[dict[str, Any]] = [
    {},
    {"bars": ((5, 6),)},
    {"bars": ((4, 4), (6, 7))},
    {"stems": ("melody",)},
    {"keep": ("melody",)},
    {"keep": ("5-6",)},
    {"keep": ("piano:5-6", "melody@4.1"), "bars": ((4, 6),)},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_note_of_the_file_outside_a_refill_is_as_it_was(case: dict[str, Any], trio: str, tmp_path: Path) -> None:
    path = saved(small(), tmp_path / "cue.hitpoint")
    write_cue(small(), tmp_path / "cue.mid")
    old = read_smf(tmp_path / "cue.mid").notes
    wish = Wish(2, seed=9, **case | {"keep": tuple(map(parse, case.get("keep", ())))})
    done = act_on(path, [commands.Refill(wish)], Watch())
    told = refill_json(done, 2)
    new = read_smf(tmp_path / "cue.mid").notes
    apart = [[n for n in notes if not within(n, told)] for notes in (old, new)]
    assert apart[0] == apart[1]
    assert len(apart[0]) > 50
    inside = [{n for n in notes if within(n, told)} for notes in (old, new)]
    assert inside[0] != inside[1]
    if case in ({"stems": ("melody",)}, {"keep": ("melody",)}):
        melody = min(n.track for n in inside[0])
        stays = [{n for n in notes if (n.track == melody) == ("keep" in case)} for notes in inside]
        assert stays[0] == stays[1] != set()
    line = [float(second) for second in done.session.span(2).seconds]
    assert told["start_s"] >= line[0] - 0.016  # a note on a bar line may be played up to 15 ms early
    assert told["end_s"] <= line[1] + 0.001
    assert told["composed"] == len(set(done.session.takes[done.session.scenes[1].chosen].notes) - set(old_rows(done)))


def within(note: MidiNote, told: dict[str, Any]) -> bool:
    """Whether a note of the file lies in what a refill says it composed, in seconds of the film."""
    zero = score_of(small()).zero
    assert zero == Fraction(-4, 24)
    return bool(told["start_s"] <= float(note.start + zero) < told["end_s"])


def old_rows(done: Any) -> tuple[Any, ...]:
    return tuple(row for take in done.before.takes.values() for row in take.notes)


@few(3)
@given(st.sampled_from([2, 3, 5, 6, 7, 9, 10]), st.integers(0, 50))
def test_seams_hold_after_a_split_too(trio: str, tmp_path_factory: pytest.TempPathFactory, bar: int, seed: int) -> None:
    """Notes that are played early on a new scene's first bar line belong to it."""
    folder = tmp_path_factory.mktemp("split")
    path = saved(commands.Split(bar).do(small(), Watch()), folder / "cue.hitpoint")
    write_cue(commands.Split(bar).do(small(), Watch()), folder / "cue.mid")
    old = read_smf(folder / "cue.mid").notes
    number = small().span_of_bar(bar).number + 1
    done = act_on(path, [commands.Refill(Wish(number, seed=seed))], Watch())
    told, new = refill_json(done, number), read_smf(folder / "cue.mid").notes
    apart = [[n for n in notes if not within(n, told)] for notes in (old, new)]
    assert apart[0] == apart[1]


def test_the_neighbours_are_heard(trio: str) -> None:
    """What lies before and after is told to the engine, in beats of the scene, and never comes back from it."""
    _, take = refilled(start(), Wish(2), Watch())
    (order,) = take.orders
    span, notes = (
        start().span(2),
        [replace(r.note, start=r.note.start - start().span(2).start) for r in start().takes["t1"].notes],
    )
    assert order.brief.before == tuple(sorted(n for n in notes if n.start >= -32)), "eight bars"
    assert min(n.start for n in order.brief.after) >= span.end - span.start
    _, part = refilled(start(), Wish(2, bars=((10, 10),)), Watch())
    here = start().spans[1].bars[2].start - span.start
    assert {n.start < here for n in part.orders[0].brief.before} == {True}
    assert any(n.start >= 0 for n in part.orders[0].brief.before)


@pytest.mark.skipif(not (repository() / "bmt").is_dir(), reason="the repository holds no onnx/bmt")
def test_the_shipped_engine_refills_two_bars_and_keeps_the_rest(tmp_path: Path) -> None:
    session = scored((2, 3), "bmt")
    path = saved(session, tmp_path / "cue.hitpoint")
    write_cue(session, tmp_path / "cue.mid")

    def heard() -> list[MidiNote]:
        return [replace(note, track=0) for note in read_smf(tmp_path / "cue.mid").notes]  # a stem that was silent has none

    old = heard()
    wish = Wish(2, ((4, 5),), keep=(parse("melody"), parse("piano@4.1")), seed=7)
    done = act_on(path, [commands.Refill(wish)], Watch())
    told, new = refill_json(done, 2), heard()
    zero = score_of(session).zero
    apart = [[n for n in rows if not told["start_s"] <= float(n.start + zero) < told["end_s"]] for rows in (old, new)]
    assert apart[0] == apart[1] != []
    before, (name, take) = session.takes["t2"], done.session.take(done.session.scenes[1])
    span = session.span(2)
    stays = [row for row in before.notes if bar_of(row.note.start, span)[0] == 3 or row.note.stem == "melody"]
    stays += [row for row in before.notes if row.note.stem == "piano" and row.note.start == span.bars[1].start - span.start]
    assert set(stays) <= set(take.notes)
    assert {row.note.stem for row in set(take.notes) - set(before.notes)} <= {"bridge", "piano"}
    assert take.facts["model"] == before.facts["model"] != "none"
    assert again(take).same, again(take).differs
    assert name not in session.takes


def test_a_recipe_whose_model_is_another_says_so(trio: str) -> None:
    take = start().takes["t1"]
    found = again(replace(take, facts={**take.facts, "model": "an older one", "provider": "cuda"}))
    assert found.same
    assert found.differs == ("the model was an older one, here it is none", "the provider was cuda, here it is cpu")
    lost = again(replace(take, notes=take.notes[1:]))
    assert not lost.same
    assert "differ at 1 places" in lost.differs[0]
    assert "no recipe" in again(replace(take, orders=())).differs[0]
