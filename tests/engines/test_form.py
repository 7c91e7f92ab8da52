"""The form of a cue, and how the engines lean towards what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from test_bmt_grammar import RANGES, written

from engines.bmt.compose import BMTEngine
from engines.bmt.echo import Echo, HeardBar
from engines.bmt.grammar import LEAN, STRICT, PlannedBar, Writer
from engines.bmt.lean import Harmony, Lean
from engines.bmt.plan import RETURNS
from engines.bmt.tokens import GridNote, decode
from engines.bmt.vocabulary import STEM_TYPES, ours
from engines.diffbgm.compose import DiffBGMEngine
from engines.diffbgm.plan import RETURNS as DIFFBGM_RETURNS
from engines.engine import BarBrief, Brief, Theme
from engines.form import FAR, NAMES, PHRASE, THEME, form, letters, shifts, start_of, theme_bars
from engines.score.notes import Note

METRES = {Fraction(4): (4, 4), Fraction(3): (3, 4), Fraction(7, 2): (7, 8)}


@st.composite
def bars(draw: st.DrawFn) -> tuple[BarBrief, ...]:
    at, out = Fraction(draw(st.integers(0, 9))), []
    for length in draw(
        st.lists(st.sampled_from([Fraction(4), Fraction(4), Fraction(3), Fraction(7, 2)]), min_size=1, max_size=40)
    ):
        out.append(BarBrief(at, length, METRES[length]))
        at += length
    return tuple(out)


def steady(count: int, **told: object) -> Brief:
    return Brief(tuple(BarBrief(Fraction(4 * k), Fraction(4), bpm=90, **told) for k in range(count)))  # type: ignore[arg-type]


def played(count: int, start: int = 0) -> tuple[Note, ...]:
    """A figure of its own in each of some bars of four beats, before beat ``start``."""
    return tuple(
        Note(Fraction(start - 4 * k) + Fraction(place, 4), 60 + pitch, Fraction(1, 2), 90, stem)
        for k in range(1, count + 1)
        for place, pitch, stem in (
            (0, 12, "melody"),
            (0, -9, "piano"),
            (2 * (k % 3) + 2, 14 + k % 2, "melody"),
            (8, -5, "piano"),
            (12, 16, "melody"),
        )
    )


def test_what_was_played_before_the_cue_may_come_back_bar_for_bar() -> None:
    cue, forms = steady(8), {}
    for seed in range(100):
        sources = form(replace(cue, before=played(8)), np.random.default_rng(seed), RETURNS)
        forms[letters(sources)] = sources
    assert {name[0] for name in forms} == {"A", "X", "Y"}
    assert "YY" not in forms, "it would be heard three times on end"
    assert next(sources for name, sources in forms.items() if name[0] == "X")[:4] == (-8, -7, -6, -5)
    assert next(sources for name, sources in forms.items() if name[0] == "Y")[:4] == (-4, -3, -2, -1)
    few = {letters(form(replace(cue, before=played(3)), np.random.default_rng(seed), RETURNS)) for seed in range(100)}
    assert not any("X" in name for name in few), "so far back nothing was played"
    short = (BarBrief(Fraction(0), Fraction(3), (3, 4)), *(BarBrief(Fraction(4 * k - 1), Fraction(4)) for k in range(1, 4)))
    for seed in range(100):
        assert form(Brief(short, before=played(8)), np.random.default_rng(seed), RETURNS)[0] is None, (
            "a bar of three beats takes up none of four"
        )


@given(bars(), st.integers(0, 10_000))
def test_a_bar_takes_up_one_of_its_own_length_that_was_new(cue: tuple[BarBrief, ...], seed: int) -> None:
    sources = form(Brief(cue), np.random.default_rng(seed), RETURNS)
    assert len(sources) == len(cue)
    assert set(sources[:PHRASE]) == {None}
    for number, source in enumerate(sources):
        if source is not None:
            assert (number - source) % PHRASE == 0 < number - source
            assert cue[source].length == cue[number].length
            assert sources[source] is None, "the third time is that of the first"
            assert shifts(Brief(cue), sources)[number] == cue[number].start - cue[source].start > 0
    assert sources == form(Brief(cue), np.random.default_rng(seed), RETURNS)
    names = letters(sources)
    assert not any(a == b == c for a, b, c in zip(names, names[1:], names[2:], strict=False)), "no phrase three times on end"
    assert len(names) == -(-len(cue) // PHRASE)
    for number, source in enumerate(sources):
        if source is not None:
            assert names[number // PHRASE] == names[source // PHRASE]


def test_forms_differ_by_seed_and_themes_come_back_in_most_long_cues() -> None:
    cue = steady(24)
    found = [letters(form(cue, np.random.default_rng(seed), RETURNS)) for seed in range(200)]
    assert all(name[0] == "A" for name in found)
    assert len(set(found)) > 20
    assert np.mean([len(set(name)) < len(name) for name in found]) > 0.9
    short = [letters(form(steady(12), np.random.default_rng(seed), RETURNS)) for seed in range(200)]
    assert "ABC" in short, "some go on to new things all the time"


def test_every_new_phrase_has_a_name_of_its_own() -> None:
    count = 30
    names = letters((None,) * (PHRASE * count) + (0,) * PHRASE)
    assert names == "".join(NAMES) + "".join(f"{name}1" for name in NAMES[: count - len(NAMES)]) + "A"


def melody(count: int, length: Fraction = Fraction(4)) -> Theme:
    """A theme of so many bars with a figure of its own in each."""
    lines = [k * length for k in range(count)]
    tones = [(line + Fraction(place, 2), 60 + (5 * k + 2 * place) % 14) for k, line in enumerate(lines) for place in (0, 2, 3, 5)]
    return Theme(tuple(Note(beat, pitch, Fraction(1, 2), 90, "melody") for beat, pitch in tones), (length,) * count)


@given(st.integers(1, 12), st.integers(1, 20), st.integers(0, 1000))
def test_a_cue_begins_with_the_theme_that_it_is_told(count: int, bars: int, seed: int) -> None:
    brief = replace(steady(bars), theme=melody(count), before=played(8))
    sources = form(brief, np.random.default_rng(seed), RETURNS)
    for number in range(min(bars, count, 2 * PHRASE)):
        assert sources[number] == THEME + number
        assert start_of(brief, THEME + number) == brief.bars[0].start - FAR + 4 * number
        assert [bar.start for bar in theme_bars(brief)][number] == start_of(brief, THEME + number)
    name = letters(sources)
    assert name[0] == "T"
    assert ("U" in name) or count <= PHRASE or bars <= PHRASE
    new = [letter for letter in dict.fromkeys(name) if letter not in "TUXY"]
    assert new == list("ABCDEFGH"[: len(new)])


def test_a_theme_of_other_bars_or_of_rests_is_taken_up_where_it_can_be() -> None:
    waltz = Brief(tuple(BarBrief(Fraction(3 * k), Fraction(3), (3, 4)) for k in range(4)))
    assert form(replace(waltz, theme=melody(4)), np.random.default_rng(0), RETURNS) == (None,) * 4
    assert form(replace(waltz, theme=melody(4, Fraction(3))), np.random.default_rng(0), RETURNS) == tuple(range(THEME, THEME + 4))
    rests = Theme(tuple(note for note in melody(4).notes if not 4 <= note.start < 12), melody(4).lengths)
    assert form(replace(steady(4), theme=rests), np.random.default_rng(0), RETURNS) == (THEME, None, None, THEME + 3)


def test_a_short_theme_comes_back_whole_as_it_was_played_here() -> None:
    for seed in range(60):
        sources = form(replace(steady(12), theme=melody(3)), np.random.default_rng(seed), RETURNS)
        assert sources[:4] == (THEME, THEME + 1, THEME + 2, None)
        assert sources[8:] in ((None,) * 4, (0, 1, 2, 3), (4, 5, 6, 7))
    names = {letters(form(replace(steady(12), theme=melody(3)), np.random.default_rng(seed), RETURNS)) for seed in range(60)}
    assert names >= {"TAT", "TAA", "TAB"}


def test_a_theme_that_no_bar_can_take_up_leaves_the_form_as_it_was() -> None:
    for seed in range(40):
        plain, other = form(steady(12), np.random.default_rng(seed), RETURNS), replace(steady(12), theme=melody(8, Fraction(3)))
        assert form(other, np.random.default_rng(seed), RETURNS) == plain


def test_told_that_nothing_returns_nothing_does() -> None:
    brief = replace(steady(24), theme=Theme(), before=played(8))
    for seed in range(50):
        assert set(form(brief, np.random.default_rng(seed), RETURNS)) == {None}
    assert letters(form(brief, np.random.default_rng(0), RETURNS)) == "ABCDEF"


class TestEcho:
    """BMT leans towards the words of the bar that comes back."""

    def bars(self, chord: str | None = None, density: int | None = None) -> list[PlannedBar]:
        id = None if chord is None else ours().id("chord", chord)
        again = {2: 0, 3: 1}
        return [PlannedBar(16, list(range(16)), 5, density, chord_id=id if k > 1 else None, again=again.get(k)) for k in range(4)]

    def music(self, plan: list[PlannedBar], nats: float) -> list[set[tuple[int, int, str, int]]]:
        writer = Writer(
            ours(), np.random.default_rng(3), list(RANGES), RANGES, STRICT, Harmony(ours(), "C:maj", Lean(again=nats))
        )
        piece = decode(np.array(written(writer, plan, 3, spread=1.0), np.int16), ours())
        return [
            {(n.step % 16, n.pitch, n.stem, n.length) for n in piece.notes if n.step // 16 == bar} for bar in range(len(plan))
        ]

    def test_a_bar_that_leans_hard_is_the_bar_before_again(self) -> None:
        music = self.music(self.bars(), 60)
        assert music[2] == music[0] != set()
        assert music[3] == music[1] != music[0]
        loose = self.music(self.bars(), 0)
        assert not loose[2] & loose[0]

    def test_under_another_chord_the_rhythm_stays_and_the_tones_fit(self) -> None:
        music = self.music(self.bars("F#_M"), 60)
        assert {step for step, *_ in music[2]} == {step for step, *_ in music[0]}
        assert music[2] != music[0]
        of_piano = {note for note in music[2] & music[0] if note[2] == "piano" and note[1] > 40}
        assert {pitch % 12 for _, pitch, *_ in of_piano} <= {6, 10, 1}

    def test_what_is_asked_for_comes_before_what_comes_back(self) -> None:
        plan = self.bars(density=5)
        plan[2] = PlannedBar(16, list(range(16)), 5, 9, hits={13: 4}, again=0)
        music = self.music(plan, 60)
        assert len({step for step, *_ in music[2]}) == 9
        assert len([note for note in music[2] if note[0] == 13]) >= 4
        assert {step for step, *_ in music[0]} <= {step for step, *_ in music[2]} | {13}

    def test_a_bar_from_before_the_window_is_heard_as_well(self) -> None:
        notes = (GridNote(0, 60, 4, 80, "piano"), GridNote(6, 72, 2, 90, "melody"))
        plan = [PlannedBar(16, list(range(16)), 5, again=HeardBar(notes, {0: "C_M"}))]
        assert self.music(plan, 60) == [{(n.step, n.pitch, n.stem, n.length) for n in notes}]

    def test_nothing_heard_adds_nothing(self) -> None:
        echo = Echo(ours(), STEM_TYPES)
        assert not any(
            added.any()
            for added in (echo.density(), echo.position(0), echo.place(0, False), echo.sounds(0), echo.chord(0), echo.strength(0))
        )
        assert echo.left(0, 128, ()) == []


def alike(notes: tuple[Note, ...], bar: int, source: int) -> float:
    """Share of places and pitches of two bars of four beats that both have."""
    one, other = ({(n.start - 4 * k, n.pitch, n.stem) for n in notes if 4 * k <= n.start < 4 * k + 4} for k in (bar, source))
    return len(one & other) / max(1, len(one | other))


def returns(notes: tuple[Note, ...], name: str) -> tuple[float, float]:
    """The mean likeness of the bars of phrases that return to those that they take up, and of the other pairs of phrases."""
    same, others = [], []
    for later, letter in enumerate(name):
        for earlier in range(later):
            lot = same if name[earlier] == letter and name.index(letter) == earlier else others
            lot += [alike(notes, PHRASE * later + k, PHRASE * earlier + k) for k in range(PHRASE)]
    return float(np.mean(same)), float(np.mean(others))


def seeds(name: str, brief: Brief, form_of_it: str) -> Iterator[int]:
    """Seeds with which an engine draws that form."""
    own = {"bmt": RETURNS, "diffbgm": DIFFBGM_RETURNS}[name]
    return (s for s in range(10_000) if letters(form(brief, np.random.default_rng([s, 0, 1]), own)) == form_of_it)


def test_the_engines_play_the_form_that_their_recipe_names() -> None:
    for engine in (BMTEngine(), DiffBGMEngine()):
        take = engine.compose(steady(12), next(seeds(engine.name, steady(12), "ABA")))
        assert take.recipe["form"] == "ABA"
        same, others = returns(take.notes, "ABA")
        assert same > 0.3 > others, engine.name


def test_a_theme_comes_back_across_the_windows_of_a_long_cue() -> None:
    assert LEAN.again
    brief = steady(24)
    seed, name = next(
        (s, found)
        for s in range(400)
        for found in [letters(form(brief, np.random.default_rng([s, 0, 1]), RETURNS))]
        if found[3:].count("A") > 1  # the first phrase again, in the second window of twelve bars
    )
    take = BMTEngine().compose(brief, seed)
    same, others = returns(take.notes, name)
    assert same > 0.3 > others


def test_a_scene_takes_up_what_was_played_before_it() -> None:
    first = BMTEngine().compose(replace(steady(8), key="C:maj"), 1).notes
    before = tuple(replace(note, start=note.start - 32) for note in first)
    brief = Brief(steady(4).bars, before=before, key="C:maj")
    for engine in (BMTEngine(), DiffBGMEngine()):
        take = engine.compose(brief, next(seeds(engine.name, brief, "X")))
        assert take.recipe["form"] == "X"
        shares = [alike((*before, *take.notes), k, k - 8) for k in range(4)]
        others = [alike((*before, *take.notes), k, j - 8) for k in range(4) for j in range(4) if j != k]
        assert np.mean(shares) > 0.25 > np.mean(others), engine.name


def test_the_engines_play_the_theme_that_they_are_told() -> None:
    theme = Theme(
        tuple(replace(n, start=n.start) for n in BMTEngine().compose(replace(steady(8), key="G:maj"), 4).notes),
        (Fraction(4),) * 8,
    )
    told = tuple(replace(note, start=note.start - 4000) for note in theme.notes)
    for engine in (BMTEngine(), DiffBGMEngine()):
        found = {}
        for given_theme in (theme, Theme()):
            take = engine.compose(replace(steady(8), key="G:maj", theme=given_theme), 11)
            assert take.recipe["form"] == ("TU" if given_theme.lengths else "AB")
            found[bool(given_theme.lengths)] = float(np.mean([alike((*told, *take.notes), k, k - 1000) for k in range(8)]))
        assert found[True] > 0.3 > found[False], (engine.name, found)
