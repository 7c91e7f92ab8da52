"""The grammars as state machines: whatever a network says, the words are grammatical and hold what the plan fixes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.bmt.grammar import STRICT, Answer, PlannedBar, Writer
from engines.bmt.lean import TONES, Harmony, Lean
from engines.bmt.published import PublishedWriter
from engines.bmt.sampling import PUBLISHED, Taste, choose, probabilities
from engines.bmt.tokens import GridNote, decode
from engines.bmt.vocabulary import QUALITIES, ROOTS, STEM_TYPES, Vocabulary, ours, published

RANGES = {"melody": (55, 96), "bridge": (43, 91), "piano": (28, 96)}


def written(writer: Writer, bars: Sequence[PlannedBar], seed: int, spread: float = 3.0) -> list[np.ndarray]:
    """The words of a plan where the network expects anything at all: logits drawn anew at each word."""
    rng = np.random.default_rng(seed)
    types = len(writer.vocabulary.field("type").values)
    rest = sum(writer.vocabulary.sizes) - types
    words, out = writer.write([], bars), []
    word = next(words)
    while True:
        out.append(word)
        answer = Answer(rng.normal(0, spread, types).astype(np.float32), rng.normal(0, spread, (types, rest)).astype(np.float32))
        try:
            word = words.send(answer)
        except StopIteration:
            return out


@st.composite
def plans(draw: st.DrawFn) -> list[PlannedBar]:
    bars = []
    for _ in range(draw(st.integers(1, 3))):
        steps = draw(st.sampled_from([16, 16, 14, 12, 8, 3, 1]))
        place = st.integers(0, steps - 1)
        hits = draw(st.dictionaries(place, st.integers(2, 6), max_size=4))
        kept: dict[int, tuple[GridNote, ...]] = {}
        for step in draw(st.sets(place, max_size=3)):
            chosen = draw(st.sets(st.tuples(st.integers(22, 105), st.sampled_from(sorted(RANGES))), min_size=1, max_size=4))
            kept[step] = tuple(GridNote(step, p, draw(st.integers(1, 16)), 2 * draw(st.integers(20, 59)), s) for p, s in chosen)
        density = draw(st.none() | st.integers(0, steps))
        chord = draw(st.none() | st.just(ours().id("chord", "G_M7")))
        bars.append(PlannedBar(steps, list(range(steps)), 5, density, None, None, chord, hits, kept))
    return bars


def numbered(plan: Sequence[PlannedBar]) -> tuple[int, ...]:
    return tuple(bar.steps for bar in plan)


def bar_starts(plan: Sequence[PlannedBar]) -> list[int]:
    return np.cumsum([0, *numbered(plan)]).tolist()


@given(plans(), st.integers(0, 10_000), st.sets(st.sampled_from(sorted(RANGES)), min_size=1))
@settings(max_examples=50, deadline=None)
def test_our_words_hold_what_the_plan_fixes(plan: list[PlannedBar], seed: int, stems: set[str]) -> None:
    writer = Writer(ours(), np.random.default_rng(seed), sorted(stems), RANGES)
    words = written(writer, plan, seed)
    _assert_ours_is_grammatical(words, plan)
    piece = decode(np.array(words, np.int16), ours(), numbered(plan))
    for bar, begin in zip(plan, bar_starts(plan), strict=False):
        inside = [n for n in piece.notes if begin <= n.step < begin + bar.steps]
        onsets = {n.step - begin for n in inside}
        if bar.density == 0 and not bar.required:
            assert not inside
            continue
        assert set(bar.required) <= onsets
        if bar.density is not None:
            assert len(onsets) == max(bar.density, len(bar.required), 1)
        for step, count in bar.hits.items():
            sounding = [n for n in inside if n.step - begin == step]
            free = sum(high - low + 1 for stem, (low, high) in RANGES.items() if stem in stems)
            assert len(sounding) >= min(count, free)
        for step, notes in bar.kept.items():
            at = {(n.pitch, n.stem, n.length, n.velocity) for n in inside if n.step - begin == step}
            assert {(n.pitch, n.stem, n.length, n.velocity) for n in notes} <= at
        if bar.chord_id is not None:
            assert {chord for step, chord in piece.chords if begin <= step < begin + bar.steps} == {"G_M7"}
    new = [(w.bar, w.note) for w in writer.notes]
    kept = sum(len(notes) for bar in plan for notes in bar.kept.values())
    assert len(new) + kept == len(piece.notes), "kept notes are words, but not new notes"
    assert all(n.stem in stems and RANGES[n.stem][0] <= n.pitch <= RANGES[n.stem][1] and n.length > 0 for _, n in new)
    places = [(n.step, n.pitch, n.stem) for n in piece.notes]
    assert len(set(places)) == len(places), "one stem never strikes one pitch twice at once"


def _assert_ours_is_grammatical(words: list[np.ndarray], plan: Sequence[PlannedBar]) -> None:
    """Emotion ( Bar [Density Position*] )*, Position := (Chord | Beat) [Strength Note x n]; 0 where a type carries nothing."""
    carried = {
        "Bar": {"barbeat"},
        "Density": {"density", "energy", "register", "tempo"},
        "Chord": {"chord", "barbeat"},
        "Beat": {"barbeat"},
        "Strength": {"strength"},
    } | {key: {"pitch", "duration", "velocity"} for key in STEM_TYPES.values()}
    notes = set(STEM_TYPES.values())
    follows = {
        "Bar": {"Bar", "Density"},
        "Density": {"Chord"},
        "Chord": {"Chord", "Beat", "Strength", "Bar"},
        "Beat": {"Strength"},
        "Strength": notes,
    } | dict.fromkeys(notes, notes | {"Chord", "Beat", "Bar"})
    column = ours().column
    kinds = [str(ours().value("type", int(w[column["type"]]))) for w in words]
    assert kinds[0] == "Bar"
    assert kinds.count("Bar") == len(plan)
    left, place, ceiling, chord = 0, -1, 999, 0
    for word, kind, after in zip(words, kinds, [*kinds[1:], "Bar"], strict=True):
        filled = {name for name in column if word[column[name]] and name not in ("type", "time")}
        assert filled == carried[kind]
        assert after in follows[kind]
        if kind == "Bar":
            place = -1
        if kind == "Chord":
            assert place == -1 or word[column["chord"]] != chord, "within a bar chords are said where they change"
            chord = word[column["chord"]]
        if kind in ("Chord", "Beat"):
            step = int(str(ours().value("barbeat", int(word[column["barbeat"]])))[5:])
            assert step > place, "positions rise"
            place = step
        if kind == "Strength":
            left, ceiling = int(word[column["strength"]]), 999
        if kind in notes:
            pitch = int(str(ours().value("pitch", int(word[column["pitch"]])))[11:])
            assert pitch <= ceiling, "notes at one place descend"
            ceiling, left = pitch, left - 1
            assert after in notes or left <= 0, "a strength says how many notes there are"


@given(plans(), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_published_words_hold_what_the_plan_fixes(plan: list[PlannedBar], seed: int) -> None:
    chord = published().id("chord", "G_M7")
    solo = []
    for bar in plan:
        kept = {
            step: tuple({n.pitch: GridNote(n.step, n.pitch, n.length, n.velocity) for n in notes}.values())
            for step, notes in bar.kept.items()
        }
        forced = None if bar.chord_id is None else chord
        solo.append(PlannedBar(bar.steps, bar.percent, 5, bar.density, None, None, forced, bar.hits, kept))
    writer = PublishedWriter(published(), np.random.default_rng(seed), ["piano"], RANGES)
    words = written(writer, solo, seed)
    piece = decode(np.array(words, np.int16), published(), numbered(plan))
    column = published().column
    kinds = [str(published().value("type", int(w[column["type"]]))) for w in words]
    assert set(kinds) <= {"Metrical", "Rhythm", "Note"}
    assert sum(w[column["barbeat"]] == published().id("barbeat", "Bar") for w in words) == len(plan)
    assert sum(w[column["tempo"]] == 5 for w in words) <= 1, "the tempo is said once"
    for word, after in pairwise(words):
        # a chord is announced: a strength of three stands before a beat with a chord, and only there
        chord_next = published().value("chord", int(after[column["chord"]])) not in (0, "CONTI")
        announced = word[column["strength"]] > 0 and after[column["barbeat"]] > published().id("barbeat", "Bar")
        assert chord_next == announced
        if announced:
            assert word[column["strength"]] == 3
            assert word[column["time"]] == after[column["time"]]
    for bar, begin in zip(solo, bar_starts(plan), strict=False):
        inside = [n for n in piece.notes if begin <= n.step < begin + bar.steps]
        onsets = {n.step - begin for n in inside}
        if bar.density == 0 and not bar.required:
            assert not inside
            continue
        assert set(bar.required) <= onsets
        if bar.density is not None:
            assert len(onsets) == max(bar.density, len(bar.required), 1)
        if bar.chord_id is not None:
            assert {chord for step, chord in piece.chords if begin <= step < begin + bar.steps} == {"G_M7"}


def test_a_primer_is_heard_first_and_changes_no_count() -> None:
    writer = Writer(ours(), np.random.default_rng(0), ["piano"], RANGES)
    primer = [writer.word("Emotion", emotion=1), writer.word("Bar", barbeat=ours().id("barbeat", "Bar"))]
    words = writer.write(primer, [PlannedBar(16, list(range(16)), 5, density=0)])
    answer = Answer(np.zeros(10, np.float32), np.zeros((10, sum(ours().sizes) - 10), np.float32))
    heard = [next(words), words.send(answer), words.send(answer)]
    assert [h.tolist() for h in heard[:2]] == [p.tolist() for p in primer]
    with pytest.raises(StopIteration):
        words.send(answer)
    assert writer.bars_done == 1
    assert not writer.notes


def test_sixteen_kept_notes_at_once_are_all_heard() -> None:
    kept = tuple(GridNote(0, 40 + k, 4, 80) for k in range(20))
    writer = Writer(ours(), np.random.default_rng(0), ["melody"], RANGES)
    words = written(writer, [PlannedBar(16, list(range(16)), 5, density=1, kept={0: kept})], 0)
    assert len(decode(np.array(words, np.int16), ours(), (16,)).notes) == 20


class TestSampling:
    logits = np.log(np.array([0.5, 0.25, 0.15, 0.1], np.float32))

    def test_the_nucleus_keeps_up_to_the_id_that_crosses_its_share(self) -> None:
        assert np.allclose(probabilities(self.logits, Taste(1.0, 0.6)), [2 / 3, 1 / 3, 0, 0])
        assert np.allclose(probabilities(self.logits, Taste(1.0, 0.4)), [1, 0, 0, 0])
        assert np.allclose(probabilities(self.logits, Taste(1.0, 0.76)), np.array([0.5, 0.25, 0.15, 0]) / 0.9)
        assert np.allclose(probabilities(self.logits, Taste()), [0.5, 0.25, 0.15, 0.1])

    def test_temperature(self) -> None:
        squared = np.array([0.5, 0.25, 0.15, 0.1]) ** 2
        assert np.allclose(probabilities(self.logits, Taste(0.5)), squared / squared.sum())

    def test_what_is_not_allowed_is_never_drawn(self) -> None:
        rng = np.random.default_rng(0)
        allowed = np.array([False, True, False, True])
        drawn = [choose(self.logits, Taste(), rng, allowed) for _ in range(400)]
        assert set(drawn) == {1, 3}
        assert 0.63 < drawn.count(1) / 400 < 0.8  # 0.25 / 0.35

    def test_nothing_allowed_or_no_number_is_an_error(self) -> None:
        rng = np.random.default_rng(0)
        for logits, allowed in ((self.logits, np.zeros(4, bool)), (self.logits * np.nan, None)):
            with pytest.raises(ValueError, match="no id is allowed"):
                choose(logits, Taste(), rng, allowed)

    def test_every_draw_uses_one_number(self) -> None:
        a, b = np.random.default_rng(1), np.random.default_rng(1)
        choose(self.logits, Taste(1.0, 0.4), a)
        b.random()
        assert a.random() == b.random()

    def test_the_published_tastes(self) -> None:
        assert PUBLISHED["velocity"] == Taste(5.0, 1.0)
        assert PUBLISHED["chord"] == Taste(1.0, 0.99)
        assert PUBLISHED["duration"] == PUBLISHED["time"] == Taste(2.0, 0.90)
        assert PUBLISHED["barbeat"] == Taste(1.2)
        fields = {f.name for f in published().fields}
        assert set(PUBLISHED) == fields - {"emotion"}
        assert set(STRICT) >= {"type", "barbeat", "chord", "pitch", "duration", "velocity", "strength", "density"}


def test_vocabularies_differ_where_the_writers_do() -> None:
    assert isinstance(ours(), Vocabulary)
    assert set(Writer.NOTE_TYPES.values()) <= set(ours().field("type").values)
    assert set(PublishedWriter.NOTE_TYPES.values()) <= set(published().field("type").values)


class TestLean:
    def tones(self, pitches: np.ndarray) -> set[int]:
        """Pitch classes of which nothing is taken."""
        values = ours().field("pitch").values
        return {int(str(values[k])[11:]) % 12 for k in np.flatnonzero(pitches == 0) if k}

    def test_every_quality_of_the_words_has_its_tones(self) -> None:
        assert set(TONES) == set(QUALITIES)
        assert all(tones[0] == 0 and list(tones) == sorted(tones) and tones[-1] < 12 for tones in TONES.values())

    def test_what_strays_from_key_and_chord(self) -> None:
        harmony = Harmony(ours(), "C:maj", Lean(stray=3.0, accompaniment=1.5, melody=0.5))
        chord = ours().id("chord", "A_7")
        piano, melody = harmony.pitches(chord, accompanies=True), harmony.pitches(chord, accompanies=False)
        assert self.tones(piano) == self.tones(melody) == {9, 1, 4, 7}
        ids = {p % 12: ours().id("pitch", f"Note_Pitch_{p}") for p in range(60, 72)}
        by_class = {pitch_class: (piano[id], melody[id]) for pitch_class, id in ids.items()}
        assert by_class[0] == (-1.5, -0.5), "in the key, not in the chord"
        assert by_class[1] == (0, 0), "in the chord, not in the key"
        assert by_class[3] == (-4.5, -3.5), "in neither"

    def test_the_bass_of_a_new_chord_leans_to_its_root(self) -> None:
        harmony, chord = Harmony(ours(), None, Lean(bass=2.0)), ours().id("chord", "F#_m")
        assert not harmony.pitches(chord, True).any()
        assert self.tones(harmony.pitches(chord, True, bass=True)) == {6}
        plan = [PlannedBar(16, list(range(16)), 5, density=2, hits={0: 3})] * 8
        writer = Writer(ours(), np.random.default_rng(0), ["piano"], RANGES, STRICT, Harmony(ours(), None, Lean(bass=99)))
        piece = decode(np.array(written(writer, plan, 1), np.int16), ours())
        roots = {step: ROOTS.index(chord.partition("_")[0]) for step, chord in piece.chords if chord != "N_N"}
        lowest = {step: min(n.pitch for n in piece.notes if n.step == step) for step in roots if step % 16 == 0}
        # close above the lowest key there may be no root left
        assert all(pitch % 12 == roots[step] for step, pitch in lowest.items() if pitch > 40)
        assert len(lowest) == 8

    def test_chords_of_the_key_and_no_chord_are_free(self) -> None:
        harmony = Harmony(ours(), "A:min", Lean(chord=1.0))
        taken = dict(zip(ours().field("chord").values, harmony.chords, strict=True))
        assert taken["A_m"] == taken["C_M7"] == taken["N_N"] == taken["G_7"] == 0
        assert taken["E_M"] == taken["A_M"] == taken["F#_m"] == -1

    def test_the_keys_own_triad_is_home(self) -> None:
        for key, home in (("A:min", "A_m"), ("D#:maj", "D#_M")):
            given = dict(zip(ours().field("chord").values, Harmony(ours(), key, Lean(home=0.5)).chords, strict=True))
            assert {chord for chord, nats in given.items() if nats} == {home}
            assert given[home] == 0.5

    def test_without_a_key_or_a_chord_nothing_is_taken(self) -> None:
        harmony = Harmony(ours(), None, Lean(3.0, 3.0, 0.0, 0.0))
        assert not harmony.chords.any()
        assert not harmony.pitches(ours().id("chord", "A_7"), True).any()
        assert not Harmony(ours(), "C:maj", Lean(0, 0, 3.0, 3.0)).pitches(0, True).any()
        assert self.tones(Harmony(ours(), "C:maj", Lean(3.0, 0, 3.0, 3.0)).pitches(0, True)) == {0, 2, 4, 5, 7, 9, 11}

    def test_music_that_leans_hard_stays(self) -> None:
        plan = [PlannedBar(16, list(range(16)), 5, density=6) for _ in range(4)]
        writer = Writer(
            ours(), np.random.default_rng(0), list(RANGES), RANGES, STRICT, Harmony(ours(), "D:maj", Lean(99, 99, 0, 0))
        )
        piece = decode(np.array(written(writer, plan, 1), np.int16), ours())
        # a random network crowds chords of fifteen against the lowest key, where no other note is left
        assert {n.pitch % 12 for n in piece.notes if n.pitch > 40} <= {1, 2, 4, 6, 7, 9, 11}
        loose = Writer(ours(), np.random.default_rng(0), list(RANGES), RANGES)
        assert {n.pitch % 12 for n in decode(np.array(written(loose, plan, 1), np.int16), ours()).notes} == set(range(12))


def test_a_cue_alone_begins_in_the_register_of_songs() -> None:
    """After other music, and where the brief says one, it is the network's or the brief's."""
    plan = [PlannedBar(16, list(range(16)), 5, density=1, register=told) for told in (None, None, 13)]

    def registers(primer: list[np.ndarray]) -> list[list[int]]:
        out = []
        for seed in range(60):
            writer = Writer(ours(), np.random.default_rng(seed), ["piano"], RANGES)
            types, rest = len(ours().field("type").values), sum(ours().sizes) - len(ours().field("type").values)
            words, found = writer.write(primer, plan), []
            word = next(words)
            answer = Answer(np.zeros(types, np.float32), np.zeros((types, rest), np.float32))
            while True:
                if word[ours().column["register"]]:
                    found.append(int(word[ours().column["register"]]))
                try:
                    word = words.send(answer)
                except StopIteration:
                    break
            out.append(found)
        return out

    alone = np.array(registers([]))
    assert (alone[:, 2] == 13).all()
    assert alone[:, 0].std() < alone[:, 1].std() / 2
    assert 7 < alone[:, 0].mean() < 10, "about 40 + 3 (level - 1)"
    words = [Writer(ours(), np.random.default_rng(0), ["piano"], RANGES).word(kind) for kind in ("Emotion", "Bar")]
    assert np.array(registers(words))[:, 0].std() > 2 * alone[:, 0].std()
