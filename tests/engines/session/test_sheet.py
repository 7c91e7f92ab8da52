"""The brief as a text sheet: what it says comes back, and every wrong line names its place."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import few, unscored
from test_plain import words

from engines.errors import OptionError
from engines.session.model import Session, Told
from engines.session.sheet import read_sheet, sheet_text
from engines.session.told import check
from engines.spotting.tempo import Metre

settings_of_a_bar = {
    "density": st.integers(0, 16),
    "energy": st.floats(0, 1),
    "mood": st.integers(1, 4),
    "register": st.floats(36, 96),
    "key": st.sampled_from(["C:maj", "F#:min", "A#:maj", "B:min"]),
    "chords": st.lists(st.sampled_from(["C:maj", "A:min7", "N", "G:sus4", "Bb:7"]), min_size=1, max_size=5).map(tuple),
    "avoid": st.booleans(),
    "sting": st.floats(0, 1),
}
of_bars = st.builds(Told, **{name: st.none() | value for name, value in settings_of_a_bar.items()})
tempi = st.fractions(10, 400, max_denominator=1001)
of_scenes = st.builds(
    lambda word, metre, ends: replace(word, metre=metre, tempo=ends and (min(ends), max(ends))),
    of_bars,
    st.none() | st.builds(Metre, st.integers(1, 32), st.sampled_from([1, 2, 4, 8, 16])),
    st.none() | st.tuples(tempi, tempi),
)


@cache
def session() -> Session:
    return unscored((3, 4))


@st.composite
def all_told(draw: st.DrawFn) -> dict[str, Told]:
    wide = draw(st.dictionaries(st.sampled_from(["cue", "s1", "s2"]), of_scenes))
    narrow = draw(st.dictionaries(st.sampled_from(["s1/1", "s1/3", "s2/1", "s2/4"]), of_bars))
    return {scope: word for scope, word in (wide | narrow).items() if not word.silent}


@few(25)
@given(all_told(), words, words)
def test_what_was_said_comes_back_whatever_scene_and_cue_are_called(told: dict[str, Told], cue: str, name: str) -> None:
    bare = replace(session(), told=told, cue=cue or "1m1")
    named = bare.with_scene(replace(bare.scenes[1], name=name))
    for scope, word in told.items():
        check(scope, word)
    assert read_sheet(named, sheet_text(named)) == told


def test_a_name_cannot_write_into_the_sheet() -> None:
    told = {"cue": Told(density=4)}
    for name in ("a\n[cue]", 'x\n[scene.1]\ndensity = 9 # "', "\x00\x07\x7f", "\u2028[cue]\u2028"):
        bare = replace(session(), told=told, cue=name)
        named = bare.with_scene(replace(bare.scenes[0], name=name))
        named = replace(named, programme=replace(named.programme, title=name))
        assert read_sheet(named, sheet_text(named)) == told


def test_the_sheet_tells_the_picture_from_the_composer() -> None:
    told = {"s2": Told(density=4, tempo=(Fraction(193, 2), Fraction(120))), "s2/2": Told(chords=("C:maj", "G:7"))}
    text = sheet_text(replace(session(), told=told, key="D:min"))
    assert tomllib.loads(text) == {
        "cue": {},
        "scene": {"1": {}, "2": {"density": 4, "tempo": "193/2-120", "bar": {"5": {"chords": "C:maj G:7"}}}},
    }
    assert '# key = "D:min"' in text


WRONG = {
    "density = 17": "[scene.2] density",
    "density = -1": "[scene.2] density",
    "density = inf": "[scene.2] density",
    "density = 2.5": "[scene.2] density",
    "density = true": "[scene.2] density",
    "density = 1979-05-27": "[scene.2] density",
    "density = [4]": "[scene.2] density",
    "energy = nan": "[scene.2] energy",
    "energy = 1.01": "[scene.2] energy",
    "energy = 'loud'": "[scene.2] energy",
    "register = 200": "[scene.2] register",
    "sting = 2": "[scene.2] sting",
    "mood = 'hungry'": "[scene.2]",
    "mood = 9": "[scene.2]",
    "mood = true": "[scene.2]",
    "key = 'H'": "[scene.2]",
    "key = 5": "[scene.2]",
    "chords = ''": "[scene.2] chords",
    "chords = 'C:maj X:foo'": "[scene.2] chords",
    "metre = '4-4'": "[scene.2] metre",
    "metre = '4/3'": "[scene.2] metre",
    "metre = '99/4'": "[scene.2] metre",
    "tempo = 'fast'": "[scene.2] tempo",
    "tempo = '140-70'": "[scene.2] tempo",
    "tempo = '1e999999999'": "[scene.2] tempo",
    "tempo = '96/0'": "[scene.2] tempo",
    "tempo = 5": "[scene.2] tempo",
    "avoid = 1": "[scene.2] avoid",
    "colour = 'blue'": "[scene.2]",
    "bar = 5": "[scene.2] bar",
    "[scene.2.bar.99]\ndensity = 4": "[scene.2.bar.99]",
    "[scene.2.bar.3]\ndensity = 4": "[scene.2.bar.3]",
    "[scene.2.bar.x]\ndensity = 4": "[scene.2.bar.x]",
    "[scene.2.bar.4]\nmetre = '3/4'": "[scene.2.bar.4]",
    "[scene.2.bar]\n4 = 5": "[scene.2.bar.4]",
    "[scene.3]\ndensity = 4": "[scene.3]",
    "[scene.0]\ndensity = 4": "[scene.0]",
    f"[scene.{'9' * 5000}]\ndensity = 4": "[scene.9999",
    "[scene.one]\ndensity = 4": "[scene.one]",
    "[reel]\ndensity = 4": "[reel]",
    "density = 4\ndensity = 5": "cannot be read",
    "density 4": "cannot be read",
    f"density = {'1' * 5000}": "cannot be read",
    f"density = {'[' * 5000}": "cannot be read",
    "mood = calm": "cannot be read",
}


@pytest.mark.parametrize("line", WRONG, ids=lambda line: line.splitlines()[0][:30])
def test_a_wrong_line_names_its_place(line: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_sheet(session(), f"[scene.2]\n{line}\n", "my.toml")
    said = str(caught.value)
    assert said.startswith("my.toml")
    assert WRONG[line] in said
    assert "; " in said
    assert "\n" not in said


@few(25)
@given(st.text(st.sampled_from('[]scene.bar=0123456789"\n -#cudty'), max_size=60) | st.text(max_size=40))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    try:
        told = read_sheet(session(), text)
    except OptionError as error:
        fault = str(error)
    else:
        fault = ""
        assert read_sheet(session(), sheet_text(replace(session(), told=told))) == told
    assert "\n" not in fault
