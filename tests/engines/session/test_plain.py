"""Sessions as JSON and back: exact for any session, and one line for whatever is none."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import few, scored, unscored

from engines.errors import HitpointError, SessionError
from engines.score.notes import STEMS, Note
from engines.session.desk import text_of
from engines.session.model import Answer, PlayedNote, SceneTake, Session, Told
from engines.session.plain import plain, session_of, value_of
from engines.spotting.tempo import Metre, Segment, TempoMap

FEW = few(20)

fractions = st.fractions(-(10**6), 10**6)
positive = st.fractions(Fraction(1, 10**6), 10**6)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
notes = st.builds(Note, fractions, st.integers(0, 127), positive, st.integers(1, 127), st.sampled_from(STEMS))
metres = st.builds(Metre, st.integers(1, 32), st.sampled_from([1, 2, 4, 8, 16]))
played = st.builds(
    lambda note, start, length, velocity: PlayedNote(note, replace(note, start=start, length=length, velocity=velocity)),
    notes,
    fractions,
    positive,
    st.integers(1, 127),
)
told = st.builds(
    Told,
    density=st.none() | st.integers(0, 16),
    energy=st.none() | st.floats(0, 1),
    mood=st.none() | st.integers(1, 4),
    register=st.none() | st.floats(36, 96),
    key=st.none() | st.sampled_from(["C:maj", "F#:min", "A#:maj"]),
    chords=st.none() | st.lists(st.sampled_from(["C:maj", "A:min7", "N"]), min_size=1, max_size=4).map(tuple),
    metre=st.none() | metres,
    tempo=st.none() | st.tuples(st.fractions(40, 90), st.fractions(91, 200)),
    avoid=st.none() | st.booleans(),
    sting=st.none() | st.floats(0, 1),
)


@st.composite
def maps(draw: Any) -> TempoMap:
    starts = sorted(draw(st.sets(st.fractions(Fraction(1, 100), 500), max_size=6)))
    speeds = draw(st.lists(st.fractions(Fraction(1, 5), 3), min_size=len(starts) + 1, max_size=len(starts) + 1))
    segments = tuple(Segment(start, spb) for start, spb in zip([Fraction(0), *starts], speeds, strict=True))
    return TempoMap(segments, tuple(draw(st.lists(metres, min_size=1, max_size=9))), draw(fractions))


takes = st.builds(
    SceneTake,
    scene=st.just("s1"),
    number=st.integers(1, 99),
    name=words,
    made=words,
    tempo_map=maps(),
    orders=st.just(()),
    facts=st.dictionaries(words, st.none() | st.booleans() | st.integers() | words | st.lists(st.integers(), max_size=3)),
    notes=st.lists(played, max_size=5).map(tuple),
    chords=st.lists(st.tuples(fractions, words), max_size=3).map(tuple),
    answers=st.lists(st.builds(Answer, st.integers(0, 10**6), st.sampled_from(["engine", "land", "none"]), words)).map(tuple),
    base=st.none() | st.just("t1"),
    rating=st.none() | st.integers(1, 5),
    remark=words,
)


def through_json(value: object, kind: type) -> Any:
    return value_of(json.loads(text_of({"session": plain(value)}))["session"], kind)


@FEW
@given(takes)
def test_a_take_comes_back_exactly(take: SceneTake) -> None:
    assert through_json(take, SceneTake) == take


@FEW
@given(maps())
def test_a_tempo_map_comes_back_exactly(tempo_map: TempoMap) -> None:
    assert through_json(tempo_map, TempoMap) == tempo_map


of_bars = told.map(lambda word: replace(word, metre=None, tempo=None))
all_told = st.builds(
    lambda wide, narrow: wide | narrow,
    st.dictionaries(st.sampled_from(["cue", "s1"]), told),
    st.dictionaries(st.sampled_from(["s1/3", "s2/1"]), of_bars),
)


@FEW
@given(all_told, st.dictionaries(st.just("t7"), takes), words)
def test_a_session_comes_back_exactly(said: dict[str, Told], extra: dict[str, SceneTake], cue: str) -> None:
    session = replace(unscored(), told=said, takes=extra, cue=cue)
    content = json.loads(text_of(plain(session)))
    assert session_of(content) == session
    assert text_of(plain(session_of(content))) == text_of(plain(session))


def test_a_composed_session_comes_back_exactly(trio: str) -> None:
    session = scored()
    assert session_of(json.loads(text_of(plain(session)))) == session


def leaves(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON value, tables and lists included; of a long list only its ends."""
    if isinstance(value, dict):
        rows = [(key, value[key]) for key in value]
    elif isinstance(value, list):
        rows = [(key, value[key]) for key in sorted({*range(min(2, len(value))), *range(max(0, len(value) - 1), len(value))})]
    else:
        return [at]
    return [at, *(place for key, inner in rows for place in leaves(inner, (*at, key)))]


def with_value(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value with another value at one place."""
    if not at:
        return new
    made = dict(value) if isinstance(value, dict) else list(value)
    made[at[0]] = with_value(value[at[0]], at[1:], new)
    return made


WRONG: list[Any] = [None, True, -1, 0, 10**30, 0.5, float("nan"), "", "x", "1/0", "1e999999999", [], [None], ["x"], {}, {"x": 1}]


@cache
def small() -> Any:
    return plain(scored((3, 4)))


@pytest.fixture
def content(trio: str) -> Any:
    return small()


@few(50)
@given(st.data())
def test_a_wrong_value_is_one_line_or_harmless(trio: str, data: st.DataObject) -> None:
    """Whatever stands in the place of any value: the session is refused in one line, or it is one that every verb can work with."""
    from engines.session.deliver import scenes_json, score_of
    from engines.session.listing import scenes_lines, takes_lines
    from engines.session.sheet import read_sheet, sheet_text

    content = small()
    at = data.draw(st.sampled_from(leaves(content)))
    damaged = with_value(content, at, data.draw(st.sampled_from(WRONG)))
    fault = None
    try:
        session = session_of(damaged)
        scenes_json(session), scenes_lines(session), takes_lines(session), score_of(session)
        assert read_sheet(session, sheet_text(session)) == session.told
    except HitpointError as error:
        fault = error
    if fault is not None:
        assert isinstance(fault, SessionError) or at == ("formula",), fault
        assert "; " in str(fault)
        assert "\n" not in str(fault)


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("film", "frames"), "504"),
        (("film", "rate"), 24),
        (("film", "duration"), "1e9999999"),
        (("scenes", 0, "bars"), 4),
        (("scenes", 0, "chosen"), "t99"),
        (("scenes", 0, "id"), "scene one"),
        (("scenes", 0, "keep"), "melody"),
        (("scenes", 0, "keep"), ["drums"]),
        (("takes", "t1", "notes", 0, 1), 128),
        (("takes", "t1", "notes", 0, 3), 0),
        (("takes", "t1", "rating"), 6),
        (("told",), {"nobody": plain(Told(density=4))}),
        (("told",), {"s1": plain(Told(mood=7))}),
        (("map", "tempo_map", "metres"), [["0/4", 7]]),
        (("map", "tempo_map", "metres"), [["4/4", 10**12]]),
        (("map", "tempo_map", "segments", 0, 1), "1/1000000000"),
        (("performance",), 2),
        (("seed",), True),
        (("hits", 0, "weight"), 7),
        (("engine",), None),
        (("something",), "new"),
    ],
)
def test_what_cannot_be_is_refused(content: Any, place: tuple[Any, ...], wrong: object) -> None:
    with pytest.raises(SessionError) as caught:
        session_of(with_value(content | {"something": None} if place == ("something",) else content, place, wrong))
    assert "\n" not in str(caught.value)


def test_a_session_of_no_session_is_refused() -> None:
    for wrong in (None, [], "x", {}, {"film": {}}):
        with pytest.raises(SessionError):
            session_of(wrong)


def test_fields_that_are_missing_have_their_defaults(content: Any) -> None:
    fewer = {name: value for name, value in content.items() if name not in ("told", "versions")}
    assert isinstance(session_of(fewer), Session)
