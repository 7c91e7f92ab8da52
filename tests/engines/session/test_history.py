"""The history of a sitting: differences go both ways, and any acts undone to the end leave the first session byte by byte."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import bytes_of, few, saved, scored, unscored

from engines import commands
from engines.errors import HitpointError, SessionError
from engines.session.desk import Desk, text_of
from engines.session.history import LONGEST, Change, History, Step, changed, differences
from engines.session.model import Session, Told
from engines.session.plain import plain, session_of
from engines.session.refill import Wish
from engines.spotting.tempo import Metre

values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=3),
    max_leaves=12,
)
tables = st.dictionaries(st.text("abc", max_size=1), values, max_size=4)


@few(30)
@given(tables, tables)
def test_differences_go_both_ways(before: Any, after: Any) -> None:
    made = differences(before, after)
    assert text_of(changed(before, made)) == text_of(after)
    assert text_of(changed(after, [change.reverse for change in reversed(made)])) == text_of(before)


@few(30)
@given(st.lists(tables, min_size=2, max_size=6), st.data())
def test_steps_back_and_forth_meet_every_state_again(states: list[Any], data: st.DataObject) -> None:
    history = History()
    for k, (before, after) in enumerate(pairwise(states)):
        history = history.with_step(Step(f"act {k}", "now", differences(before, after)))
    place, content = len(states) - 1, states[-1]
    for _ in range(data.draw(st.integers(1, 12))):
        forth = data.draw(st.booleans())
        if (forth and place == len(states) - 1) or (not forth and place == 0):
            with pytest.raises(SessionError):
                (history.forth if forth else history.back)(content)
            continue
        content, step, history = (history.forth if forth else history.back)(content)
        assert step.sentence == f"act {place if forth else place - 1}"
        place += 1 if forth else -1
        assert text_of(content) == text_of(states[place])


def test_equal_values_of_other_kinds_are_changes() -> None:
    """1, 1.0 and true are equal to Python, and other bytes."""
    for before, after in ((1, 1.0), (1, True), (0.0, -0.0), ([1], [1.0]), ({"a": [0]}, {"a": [False]})):
        made = differences({"x": before}, {"x": after})
        assert text_of(changed({"x": before}, made)) == text_of({"x": after})


def test_a_history_of_another_content_is_refused() -> None:
    step = Step("act", "now", (Change(("a", "b"), (1,), (2,)),))
    for content in ({}, {"a": 3}):
        with pytest.raises(SessionError, match="history"):
            History((step,)).back(content)


def test_the_oldest_steps_are_forgotten_first() -> None:
    history = History()
    for k in range(LONGEST + 5):
        history = history.with_step(Step(str(k), "now", ()))
    assert [history.done[0].sentence, history.done[-1].sentence] == ["5", str(LONGEST + 4)]


def test_a_merged_step_is_undone_as_one_and_ends_what_could_be_redone(trio: str) -> None:
    desk = Desk(scored((3, 4)))
    desk.do(commands.Title("1m0"))
    first = bytes_of(desk)
    desk.do(commands.Title("2m1"))
    desk.undo()
    desk.do(commands.Title("a", 1))
    for name in ("ab", "abc"):
        desk.do(commands.Title(name, 1), merge=True)
    assert not desk.history.undone
    assert [step.sentence for step in desk.history.done] == ["Name the cue", "Name scene 1"]
    desk.undo()
    assert bytes_of(desk) == first


def test_merging_after_an_undo_leaves_nothing_to_redo(trio: str) -> None:
    """What was undone belongs to a session that is no longer there."""
    desk = Desk(scored((3, 4)))
    desk.do(commands.Title("a", 1))
    desk.do(commands.Title("b", 2))
    desk.undo()
    desk.do(commands.Title("c", 1), merge=True)
    assert not desk.history.undone


told = st.builds(
    Told,
    density=st.none() | st.integers(0, 16),
    energy=st.none() | st.floats(0, 1),
    chords=st.none() | st.just(("C:maj", "A:min")),
    avoid=st.none() | st.booleans(),
    sting=st.none() | st.just(0.5),
)
number = st.integers(1, 4)
acts = st.one_of(
    st.builds(lambda scene, seed: commands.Refill(Wish(scene, seed=seed)), number, st.none() | st.integers(0, 9)),
    st.builds(lambda scene, bar: commands.Refill(Wish(scene, bars=((bar, bar + 1),))), number, st.integers(1, 14)),
    st.builds(lambda scene, stem: commands.Refill(Wish(scene, stems=(stem,))), number, st.sampled_from(["melody", "piano"])),
    st.builds(commands.Choose, number, st.none() | st.integers(1, 3)),
    st.builds(commands.Remark, number, st.none(), st.none() | st.just("fine"), st.none() | st.integers(0, 5)),
    st.builds(commands.Delete, number, st.integers(1, 3)),
    st.builds(commands.Hold, number, st.sampled_from([(), ("melody",), ("2",), ("piano", "5-6")])),
    st.builds(commands.Title, st.sampled_from(["2m3", "the chase"]), st.none() | number),
    st.builds(commands.Tell, told, st.none() | number, st.none() | st.integers(1, 14)),
    st.builds(lambda scene, beats: commands.Tell(Told(metre=Metre(beats)), scene), st.integers(1, 2), st.integers(3, 4)),
    st.builds(lambda word: commands.TellAll({"cue": word}), told),
    st.builds(commands.Split, st.integers(1, 14)),
    st.builds(commands.Join, number),
)


@cache
def start() -> Session:
    return scored((5, 6))


@few(10)
@given(st.lists(st.one_of(acts, acts, acts, acts, st.sampled_from(["undo", "redo"])), min_size=3, max_size=12))
def test_any_acts_undone_to_the_end_give_the_first_session_byte_by_byte(trio: str, sequence: list[Any]) -> None:
    desk = Desk(start())
    first = bytes_of(desk)
    for act in sequence:
        before = bytes_of(desk)
        try:
            {"undo": desk.undo, "redo": desk.redo}[act]() if isinstance(act, str) else desk.do(act)
        except HitpointError:
            assert bytes_of(desk) == before  # what cannot be done changes nothing
        assert plain(desk.session) == desk.content
        assert session_of(json.loads(bytes_of(desk))) == desk.session  # what was done can be saved and opened
    last, steps = bytes_of(desk), len(desk.history.done)
    while desk.history.done:
        desk.undo()
    assert bytes_of(desk) == first
    assert desk.session == start()
    for _ in range(steps):
        desk.redo()
    assert bytes_of(desk) == last


def test_the_history_is_in_the_file(trio: str, tmp_path: Any) -> None:
    """Acts of one run of the program are undone by another."""
    path = saved(unscored((3, 4)), tmp_path / "cue.hitpoint")
    with Desk.open(path) as desk:
        states = [bytes_of(desk)]
        for act in (commands.Refill(Wish(1)), commands.Refill(Wish(2)), commands.Split(2), commands.Tell(Told(density=2), 1)):
            desk.do(act)
            states.append(bytes_of(desk))
        desk.save()
    with Desk.open(path) as desk:
        assert bytes_of(desk) == states.pop()
        for wanted in reversed(states):
            desk.undo()
            assert bytes_of(desk) == wanted
        desk.save()
    with Desk.open(path) as desk:
        assert [step.sentence for step in reversed(desk.history.undone)][:2] == ["Refill scene 1", "Refill scene 2"]


def test_an_act_on_an_opened_session_changes_only_what_it_touches(trio: str, tmp_path: Any) -> None:
    """What lies in the file and what comes from memory are compared value by value, not by how they are held."""
    path = saved(scored((3, 4)), tmp_path / "cue.hitpoint")
    with Desk.open(path) as desk:
        desk.do(commands.Title("2m1"))
        assert [change.at for change in desk.history.done[-1].changes] == [("cue",)]
