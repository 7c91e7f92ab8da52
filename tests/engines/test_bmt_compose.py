"""The engine beyond the contract: both modes, both vocabularies, what the network hears, and the published conditions."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.bmt.compose import RANGES, BMTEngine
from engines.bmt.grammar import Answer
from engines.bmt.official import WORDS_A_BAR, OfficialSampler, brief_rows, condition_rows, strength_of
from engines.bmt.plan import CONTEXT_BARS, ModelBar, Planner, heard_chord, model_bars
from engines.bmt.step import Stepper, vocabulary_of
from engines.bmt.tokens import GridNote, decode
from engines.bmt.vocabulary import ours, published
from engines.engine import BarBrief, Brief, HitBrief
from engines.errors import ModelError, OptionError
from engines.runtime import Model
from engines.score.notes import Note


def bars(count: int, length: Fraction = Fraction(4), **fixed: object) -> tuple[BarBrief, ...]:
    return tuple(BarBrief(k * length, length, bpm=100.0, **fixed) for k in range(count))  # type: ignore[arg-type]


# --- bars as the network is told them


@pytest.mark.parametrize(
    ("length", "parts"),
    [(Fraction(4), [16]), (Fraction(7, 2), [14]), (Fraction(5), [12, 8]), (Fraction(9, 2), [12, 6]), (Fraction(6), [12, 12])],
)
def test_long_bars_are_cut_on_beats(length: Fraction, parts: list[int]) -> None:
    found = model_bars(bars(2, length))
    assert [bar.steps for bar in found] == parts * 2
    assert all(a.end == b.start for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("density", range(17))
@pytest.mark.parametrize("forced", [(0, 0), (3, 0), (0, 3), (2, 2)])
def test_the_density_of_a_cut_bar_is_shared_out_exactly(density: int, forced: tuple[int, int]) -> None:
    told = iter(forced)
    shares = [bar.brief.density for bar in model_bars(bars(1, Fraction(6), density=density), lambda bar: next(told))]
    assert sum(shares) == max(density, sum(forced))  # type: ignore[arg-type]
    assert all(share >= least for share, least in zip(shares, forced, strict=True))  # type: ignore[operator]


def test_what_was_heard_as_a_chord() -> None:
    def played(*pitches: int) -> list[GridNote]:
        return [GridNote(0, p, 4, 80) for p in pitches]

    assert heard_chord(played(48, 64, 67)) == "C_M"
    assert heard_chord(played(57, 60, 64, 69)) == "A_m"
    assert heard_chord(played(54, 58, 61)) == "F#_M"
    assert heard_chord(played(60, 61, 62, 63, 64, 65)) == "N_N"
    assert heard_chord([]) == "N_N"


def test_neighbours_become_the_primer() -> None:
    before = tuple(Note(Fraction(k), 48 + (0, 4, 7, 12)[k % 4], Fraction(1), 80, "piano") for k in range(16))
    told = tuple(replace(bar, start=bar.start + 16) for bar in bars(2))
    planner = Planner(Brief(told, mood=2, before=before), "C:min", ours(), ())
    words = np.array(planner.primer(0, [], []), np.int16)
    column = ours().column
    assert words[0, column["emotion"]] == 2
    assert ours().value("key", int(words[0, column["key"]])) == "C:min"
    piece = decode(np.vstack([words, words[1:2]]), ours())  # with a closing bar, so that the last one is counted
    assert [(n.step, n.pitch) for n in piece.notes] == [(4 * k, 48 + (0, 4, 7, 12)[k % 4]) for k in range(16)]
    assert {chord for _, chord in piece.chords} == {"C_M"}
    assert len(piece.bar_steps) == CONTEXT_BARS
    times = words[:, column["time"]]
    assert (np.diff(times[1:]) >= 0).all()
    assert 60 <= times[-1] <= 66, "four bars of six"
    assert planner.plan(0, planner.bars)[0].percent[0] == 66


def test_kept_notes_and_hits_are_planned_on_the_grid() -> None:
    kept = (
        Note(Fraction(1) + Fraction(1, 50), 112, Fraction(1), 80, "melody"),
        Note(Fraction(1), 100, Fraction(9), 80, "melody"),
    )
    hits = (HitBrief(Fraction(2), 0.5), HitBrief(Fraction(2, 3)), HitBrief(Fraction(3), hard=False))
    planned = Planner(Brief(bars(1), hits), "C:maj", ours(), kept).plan(0, model_bars(bars(1)))[0]
    assert planned.hits == {8: 4}, "hits off the grid are landed later, soft ones are wishes"
    assert planned.kept == {4: (GridNote(4, 100, 4, 80, "melody"),)}, "a pitch beyond the words is folded, once"


@pytest.mark.parametrize(("symbol", "word"), [("C:maj", "C_M"), ("Bb:7", "A#_7"), ("N", "N_N"), ("F#_m7", "F#_m7")])
def test_chords_of_a_brief(symbol: str, word: str) -> None:
    planned = Planner(Brief(bars(1, chord=symbol)), "C:maj", ours(), ()).plan(0, model_bars(bars(1, chord=symbol)))[0]
    assert ours().value("chord", planned.chord_id or 0) == word


def test_a_chord_that_the_published_words_lack_is_refused() -> None:
    with pytest.raises(OptionError, match="no chord is named"):
        Planner(Brief(bars(1, chord="C:dim7")), "C:maj", published(), ()).plan(
            0, [ModelBar(Fraction(0), 16, bars(1, chord="C:dim7")[0])]
        )


# --- the engine


def heard_words(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    heard: list[np.ndarray] = []
    original = Stepper.hear

    def hear(self: Stepper, words: np.ndarray) -> list[Answer]:
        heard.append(words[0].copy())
        return original(self, words)

    monkeypatch.setattr(Stepper, "hear", hear)
    return heard


def test_what_the_brief_says_is_what_the_network_hears(small_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = BMTEngine(folder=small_models)
    _ = engine.model
    heard = heard_words(monkeypatch)
    told = bars(1, density=3, energy=1.0, register=70.0, chord="A:min")
    engine.compose(Brief(told, mood=4, key="Eb:maj"), 1)
    says = [{name: ours().value(name, int(w[k])) for name, k in ours().column.items() if w[k]} for w in heard]
    assert says[0] == {"type": "Emotion", "emotion": 4, "key": "D#:maj"}
    assert says[1] == {"type": "Bar", "barbeat": "Bar"}
    assert says[2] == {"type": "Density", "density": 3, "energy": 8, "register": 11, "tempo": "Tempo_101"}
    assert says[3]["chord"] == "A_m"
    assert sum("strength" in w for w in says) == 3


def test_tastes_make_it_bolder_or_tamer(small_models: Path) -> None:
    from engines.bmt.grammar import STRICT
    from engines.bmt.sampling import Taste

    timid = dict.fromkeys(STRICT, Taste(1.0, 1e-9))
    brief = Brief(bars(2, density=4), key="C:maj")
    one, other = (BMTEngine(folder=small_models, tastes=timid).compose(brief, seed).notes for seed in (1, 2))
    assert one == other, "with the best word always, the seed is no matter"
    assert BMTEngine(folder=small_models).compose(brief, 1).notes != one


@pytest.mark.parametrize("fixed", ["before", "keep"])
def test_what_still_sounds_costs_no_onset(small_models: Path, fixed: str) -> None:
    """A pitch that a note which nobody may change still holds cannot be struck again: others are, as many as were asked for."""
    low, high = RANGES["melody"]
    held = tuple(Note(Fraction(-1 if fixed == "before" else 0), p, Fraction(7, 2), 80, "melody") for p in range(low, high - 1))
    engine = BMTEngine("cpu", small_models)
    for density in (3, 8, 16):
        brief = Brief(bars(1, density=density), (HitBrief(Fraction(1), 1.0),), stems=("melody",))
        if fixed == "before":
            take = engine.compose(replace(brief, before=held), density)
        else:
            take = engine.compose(brief, density, keep=held)
            assert set(held) <= set(take.notes)
        assert len({note.start for note in take.notes}) == density
        assert any(note.start == 1 for note in take.notes)


def test_stems_stay_in_their_ranges(small_models: Path) -> None:
    take = BMTEngine(folder=small_models).compose(Brief(bars(4)), 1)
    assert {n.stem for n in take.notes} == set(RANGES)
    assert all(RANGES[n.stem][0] <= n.pitch <= RANGES[n.stem][1] for n in take.notes)


def test_a_network_that_gives_no_number_is_an_error(small_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Stepper, "hear", lambda self, words: [Answer(np.full(10, np.nan, np.float32), np.full((10, 600), np.nan, np.float32))]
    )
    with pytest.raises(ModelError, match="gives no music") as caught:
        BMTEngine(folder=small_models).compose(Brief(bars(1)), 1)
    assert "\n" not in str(caught.value)


def test_a_graph_without_a_vocabulary_is_said(small_models: Path) -> None:
    model = BMTEngine(folder=small_models).model
    for metadata in ({}, {"vocabulary": "{"}, {"vocabulary": "[[1]]"}):
        with pytest.raises(ModelError, match="carries no vocabulary"):
            vocabulary_of(replace(model, metadata=metadata))


def test_the_recipe_is_plain_json(small_models: Path) -> None:
    engine = BMTEngine(folder=small_models)
    recipe = engine.compose(Brief(bars(1, density=1)), 5).recipe
    assert json.loads(json.dumps(recipe)) == recipe
    assert recipe["model"] == engine.model.card.sha256


def test_modes_that_cannot_be_are_refused(small_models: Path) -> None:
    with pytest.raises(OptionError, match="no mode is named 'loose'"):
        BMTEngine(folder=small_models, mode="loose").compose(Brief(bars(1)), 1)
    with pytest.raises(ModelError, match="not a published checkpoint"):
        BMTEngine(folder=small_models, mode="official").compose(Brief(bars(1)), 1)


# --- a published checkpoint


@pytest.fixture
def strict(small_published_models: Path) -> BMTEngine:
    return BMTEngine(folder=small_published_models)


def test_a_published_checkpoint_in_strict_mode(strict: BMTEngine) -> None:
    kept = (Note(Fraction(5), 61, Fraction(1), 80, "piano"), Note(Fraction(6), 70, Fraction(1), 80, "melody"))
    told = bars(14, density=3)
    hits = (HitBrief(Fraction(4)), HitBrief(Fraction(25, 4)))
    take = strict.compose(Brief(told, hits, mood=2, before=(Note(Fraction(-2), 50, Fraction(1), 80),)), 3, keep=kept)
    assert set(kept) <= set(take.notes)
    assert {n.stem for n in take.notes if n not in kept} == {"piano"}
    for bar in told:
        onsets = {n.start for n in take.notes if bar.start <= n.start < bar.start + 4}
        assert len(onsets) == (4 if bar.start == 4 else 3)
    assert {Fraction(4), Fraction(25, 4)} <= {n.start for n in take.notes}
    assert take.chords
    assert strict.compose(Brief(told, hits, mood=2, before=(Note(Fraction(-2), 50, Fraction(1), 80),)), 3, keep=kept) == take


def test_a_published_checkpoint_writes_no_melody(strict: BMTEngine) -> None:
    with pytest.raises(OptionError, match="none of the stems melody"):
        strict.compose(Brief(bars(1), stems=("melody",)), 1)


def test_the_official_mode(small_published_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = BMTEngine(folder=small_published_models, mode="official")
    positions: list[int] = []
    original = Model.run

    def run(self: Model, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        positions.extend(inputs["position"].tolist())
        return original(self, inputs)

    monkeypatch.setattr(Model, "run", run)
    brief = Brief(bars(6), tuple(HitBrief(Fraction(k), 0.3) for k in range(0, 20, 2)), mood=1)
    takes = [engine.compose(brief, seed) for seed in range(4)]
    assert set(positions) == {0}, "position 0 is added at every step"
    for take in takes:
        assert all(n.stem == "piano" and 0 <= n.start < 24 and n.end <= 24 for n in take.notes)
        assert take.recipe["mode"] == "official"
        assert take.recipe["stopped"] in ("bars", "EOS", "time", "words")
    assert engine.compose(brief, 2) == takes[2]
    assert len({take.notes for take in takes}) > 1
    kept = (Note(Fraction(1), 60, Fraction(3), 80, "melody"),)
    assert set(kept) <= set(engine.compose(brief, 2, keep=kept).notes)


# --- the published sampling, word by word

P = published()
AT = P.column


def scripted(rows: np.ndarray, script: Sequence[dict[str, int | str]], most: int | None = None) -> OfficialSampler:
    """Samples where the network is certain of each word of ``script`` in turn, and of the last one for ever."""
    sampler = OfficialSampler(P, rows, 3, np.random.default_rng(0), most=most)
    words = sampler.write()
    next(words)
    words.send(_certain({}))
    for k in range(10_000):
        try:
            words.send(_certain(script[min(k, len(script) - 1)]))
        except StopIteration:
            return sampler
    raise AssertionError("it never ends")


def _certain(word: dict[str, int | str]) -> Answer:
    kind = P.id("type", str(word.get("type", "Rhythm")))
    types = np.full(5, -1e4, np.float32)
    types[kind] = 1e4
    fields = []
    for field in P.fields:
        if field.name != "type":
            logits = np.full(len(field.values), -1e4, np.float32)
            value = word.get(field.name, 0)
            logits[field.ids[value]] = 1e4
            fields.append(logits)
    return Answer(types, np.tile(np.concatenate(fields), (5, 1)))


def said(word: np.ndarray) -> dict[str, int | str]:
    return {name: P.value(name, int(word[k])) for name, k in AT.items() if word[k]}


ROWS = condition_rows([0.0, 0.5, 2.1, 7.0], [0.3, 0.9, 0.5, 1.0], 120, 10.0)


def test_it_begins_with_emotion_and_a_bar() -> None:
    sampler = scripted(ROWS, [{"type": "EOS"}])
    assert said(sampler.words[0]) == {"type": "Emotion", "emotion": 3}
    assert said(sampler.words[1]) == {"type": "Metrical", "barbeat": "Bar"}
    assert sampler.stopped == "EOS"
    assert sampler.words[-1].tolist() == [0] * 11


def test_a_real_tempo_is_overwritten_and_conti_is_not() -> None:
    beat = {"type": "Metrical", "barbeat": "Beat_3"}
    script = [
        beat | {"tempo": "Tempo_32"},
        beat | {"tempo": "CONTI"},
        beat,
        {"type": "Note", "tempo": "Tempo_32"},
        {"type": "EOS"},
    ]
    words = [said(w) for w in scripted(ROWS, script).words[2:]]
    assert [w.get("tempo") for w in words] == ["Tempo_119", "CONTI", None, "Tempo_32", None]


def test_density_and_strength_come_from_the_film_in_order() -> None:
    # bar 0 of ROWS: density 2, strengths of weights 0.3 and 0.9 at 0 % and 5 %
    strength = {"type": "Rhythm", "strength": 7, "time": 44}
    script = [
        {"type": "Rhythm", "density": 9, "time": 44},
        strength,
        strength,
        strength,
        {"type": "Note", "strength": 7},
        {"type": "EOS"},
    ]
    words = [said(w) for w in scripted(ROWS, script).words[2:]]
    assert words[0] == {"type": "Rhythm", "density": 2}
    assert words[1] == {"type": "Rhythm", "strength": 2}
    assert words[2] == {"type": "Rhythm", "strength": 5, "time": 5}
    assert words[3] == {"type": "Rhythm", "strength": 7, "time": 44}, "no third strength was asked for"
    assert words[4]["strength"] == 7, "only words of rhythm are overwritten"


def test_before_a_density_no_strength_is_overwritten() -> None:
    """Where the published program reads a variable that was never set."""
    words = scripted(ROWS, [{"type": "Rhythm", "strength": 7}, {"type": "EOS"}]).words
    assert said(words[2])["strength"] == 7


def test_a_density_of_zero_is_left_and_bars_without_beats_ask_for_nothing() -> None:
    bar = {"type": "Metrical", "barbeat": "Bar"}
    density = {"type": "Rhythm", "density": 9}
    words = [said(w) for w in scripted(ROWS, [bar, density, bar, density, {"type": "Rhythm"}, {"type": "EOS"}]).words[2:]]
    assert ROWS[:, 1].tolist() == [0, 0, 0, 0, 1, 1, 1, 2, 3, 3, 3]
    assert words[1]["density"] == 1
    assert words[3]["density"] == 9, "bar 2 has no beats"


def test_a_bar_in_any_word_counts_and_takes_its_time_from_the_film() -> None:
    script = [{"type": "Note", "barbeat": "Bar", "time": 44}, {"type": "Metrical", "barbeat": "Bar"}, {"type": "EOS"}]
    sampler = scripted(ROWS, script)
    assert sampler.bars_done == 2
    assert [w[AT["time"]] for w in sampler.words[2:4]] == [21, 70]


def test_it_ends_after_the_last_bar_with_a_row_of_zeros() -> None:
    sampler = scripted(ROWS, [{"type": "Metrical", "barbeat": "Bar"}])
    assert sampler.stopped == "bars"
    assert sum(w[AT["barbeat"]] == P.id("barbeat", "Bar") for w in sampler.words) == 4
    assert sampler.words[-1].tolist() == [0] * 11


def test_it_ends_when_time_is_up() -> None:
    late = condition_rows([0.0, 11.0], [1.0, 1.0], 120, 10.0)
    sampler = scripted(late, [{"type": "Metrical", "barbeat": "Bar"}])
    assert sampler.stopped == "time"
    assert sampler.words[-1].tolist() == [0] * 11


def test_it_never_goes_on_for_ever() -> None:
    sampler = scripted(ROWS, [{"type": "Note", "pitch": "Note_Pitch_60"}], most=50)
    assert sampler.stopped == "words"
    assert len(sampler.words) == 50
    assert OfficialSampler(P, ROWS, 3, np.random.default_rng(0))._most == 4 * WORDS_A_BAR


def test_the_emotion_is_never_drawn_and_nothing_is_masked() -> None:
    junk = {"type": "Note", "emotion": 4, "chord": "C_M", "velocity": "Note_Velocity_40", "density": 5, "strength": 3}
    words = scripted(ROWS, [junk, {"type": "EOS"}]).words
    assert said(words[2]) == {k: v for k, v in junk.items() if k != "emotion"}


def test_a_film_of_one_row_ends() -> None:
    rows = condition_rows([], [], 120, 10.0)
    assert rows.tolist() == [[120, 0, 2, 0, 0, 0]]
    assert scripted(rows, [{"type": "Rhythm", "density": 3}, {"type": "Metrical", "barbeat": "Bar"}]).stopped == "bars"


# --- the published conditions


@pytest.mark.parametrize(
    ("weight", "strength"),
    [
        (0.0, 1),
        (0.2, 1),
        (0.228902764, 2),
        (0.5, 3),
        (0.8, 4),
        (0.9, 5),
        (0.97, 6),
        (0.995, 7),
        (0.999, 8),
        (0.9997, 9),
        (1.0, 10),
    ],
)
def test_strengths_by_the_published_percentiles(weight: float, strength: int) -> None:
    assert strength_of(weight) == strength


def test_rows_as_published() -> None:
    # 120 BPM: bars of two seconds; the third beat is too weak, but reaches bar 1, whose row takes its time
    rows = condition_rows([0.1, 1.9, 3.0, 8.3], [0.5, 0.25, 0.1, 1.0], 120, 20.0)
    assert rows.tolist() == [
        [120, 0, 2, 0, 0, 0],
        [120, 0, 4, 0, 2, 0],
        [120, 0, 4, 3, 0, 0],
        [120, 0, 4, 2, 0, 9],
        [120, 1, 2, 0, 0, 15],
        [120, 2, 2, 0, 0, 41],
        [120, 3, 2, 0, 0, 41],
        [120, 4, 2, 0, 0, 41],
        [120, 4, 4, 0, 1, 41],
        [120, 4, 4, 10, 0, 41],
    ]


def test_a_beat_just_before_a_bar_belongs_to_it() -> None:
    assert condition_rows([1.95], [1.0], 120, 20.0)[-1, 1] == 1


def test_rows_may_go_on_to_the_end_of_the_film() -> None:
    rows = condition_rows([0.1], [1.0], 120, 10.0, bars=5)
    assert rows[:, 1].tolist() == [0, 0, 0, 1, 2, 3, 4]
    assert rows[3:, 5].tolist() == [20, 40, 60, 80]


def test_a_brief_as_conditions() -> None:
    rows = brief_rows(Brief(bars(3), (HitBrief(Fraction(9), 1.0), HitBrief(Fraction(0), 0.1))))
    assert rows.tolist() == [
        [100, 0, 2, 0, 0, 0],
        [100, 1, 2, 0, 0, 75],
        [100, 2, 2, 0, 0, 75],
        [100, 2, 4, 0, 1, 75],
        [100, 2, 4, 10, 0, 75],
    ]
