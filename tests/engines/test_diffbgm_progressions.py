"""Chords that nobody said: counted as songs take them, drawn in the key, never in place of what was said or is there."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.bmt.data import read_song
from engines.diffbgm.data import build_corpus
from engines.diffbgm.progressions import STATES, count, harmonised, state_of, symbol_of
from engines.engine import BarBrief, Brief
from engines.score.harmony import chord_tones
from engines.score.notes import Note

ROUND = (0, 7, 21, 5)
"""The tonic, the dominant, the submediant, the subdominant: C G Am F."""


def turning() -> np.ndarray:
    """Counts that know one turn alone, in major, from bar to bar; in minor its tonic stays."""
    counts = np.zeros((2, 2, STATES, STATES), np.int64)
    for a, b in zip(ROUND, (*ROUND[1:], ROUND[0]), strict=True):
        counts[0, 1, a, b] = 3
        counts[0, 0, a, a] = 3
    counts[1, :, 12, 12] = 1
    return counts


def brief(count: int, chords: dict[int, str] | None = None, **fields: object) -> Brief:
    bars = tuple(BarBrief(Fraction(4 * k), Fraction(4), chord=(chords or {}).get(k)) for k in range(count))
    return Brief(bars, **fields)  # type: ignore[arg-type]


def drawn(told: Brief, key: str = "C:maj", kept: tuple[Note, ...] = (), seed: int = 1) -> list[str | None]:
    return [bar.chord for bar in harmonised(told, kept, key, turning(), np.random.default_rng(seed)).brief.bars]


def triad(at: int, *pitches: int) -> tuple[Note, ...]:
    return tuple(Note(Fraction(at), pitch, Fraction(4), 80) for pitch in pitches)


@pytest.mark.parametrize(
    ("symbol", "state"), [("C:maj", 0), ("A:min7", 21), ("G_7", 7), ("D_m", 14), ("N", None), ("F#:dim", 18)]
)
def test_states_are_triads_above_the_tonic(symbol: str, state: int | None) -> None:
    assert state_of(symbol, 0) == state
    if state is not None:
        assert state_of(symbol, 5) == (state % 12 - 5) % 12 + 12 * (state >= 12)
        assert chord_tones(symbol_of(state, 0))[0] == chord_tones(symbol)[0]


def test_chords_go_as_songs_go_in_the_key_of_the_cue() -> None:
    for key, names in (("C:maj", ["C_M", "G_M", "A_m", "F_M"]), ("D:maj", ["D_M", "A_M", "B_m", "G_M"])):
        for seed in range(4):
            found = drawn(brief(12), key, seed=seed)
            turns = {tuple(found[k : k + 4]) for k in (0, 4, 8)}
            for turn in turns:
                assert turn in {tuple(names[k:] + names[:k]) for k in range(4)}
    assert set(drawn(brief(5), "A:min")) == {"A_m"}


def test_of_two_draws_the_one_that_sounds_like_the_key_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts by which half of the cues wander off to chords of another key and stay there."""
    counts = np.zeros((2, 2, STATES, STATES), np.int64)
    for start, way in ((0, (0, 5, 7)), (1, (1, 6, 8))):
        for a in way:
            for b in way:
                counts[0, :, a, b] = 1 + start

    def strangers() -> int:
        found = [harmonised(brief(8), (), "C:maj", counts, np.random.default_rng(seed)).brief.bars for seed in range(60)]
        return sum(any(bar.chord == "C#_M" for bar in bars) for bars in found)

    monkeypatch.setattr("engines.diffbgm.progressions.DRAWS", 1)
    once = strangers()
    monkeypatch.setattr("engines.diffbgm.progressions.DRAWS", 4)
    assert strangers() < 0.7 * once, "among four there is mostly one"
    assert drawn(brief(2, {0: "C#:maj", 1: "F#:maj"})) == ["C#:maj", "F#:maj"], "what was said is played, like the key or not"


def test_a_phrase_that_returns_has_the_chords_that_it_had() -> None:
    sources = (None,) * 10 + (2, 3)
    for seed in range(8):
        rng = np.random.default_rng(seed)
        found = harmonised(brief(12), (), "C:maj", np.ones((2, 2, STATES, STATES), np.int64), rng, sources)
        chords = [bar.chord for bar in found.brief.bars]
        assert chords[10:] == chords[2:4]
        turns = {beat - 32: chord for beat, chord in found.turns.items() if beat >= 40}
        assert turns == {beat: chord for beat, chord in found.turns.items() if 8 <= beat < 16}
    assert drawn(brief(2, {1: "G:7"}))[1] == "G:7", "what was said comes first"


def test_what_was_said_stays_and_leads_on() -> None:
    found = drawn(brief(4, {0: "G:7", 2: "N"}))
    assert found == ["G:7", "A_m", "N", "F_M"]


def test_what_is_there_is_heard() -> None:
    assert drawn(brief(1, before=triad(-4, 55, 59, 62))) == ["A_m"]
    assert drawn(brief(2), kept=triad(0, 53, 57, 60)) == ["F_M", "C_M"]


def test_a_bar_of_four_beats_turns_in_its_middle_as_songs_do() -> None:
    counts = turning()
    counts[0, 0], counts[0, 1] = counts[0, 1], counts[0, 0].copy()  # every bar turns, and goes on where it turned to
    told = Brief((*brief(2).bars, BarBrief(Fraction(8), Fraction(3), (3, 4)), BarBrief(Fraction(11), Fraction(4), chord="G:maj")))
    found = harmonised(told, (), "C:maj", counts, np.random.default_rng(2))
    names = [f"{symbol}" for symbol in ("C_M", "G_M", "A_m", "F_M")]
    for bar in found.brief.bars[:2]:
        assert found.turns[bar.start + 2] == names[(names.index(str(bar.chord)) + 1) % 4]
    assert found.brief.bars[1].chord == found.turns[Fraction(2)]
    assert set(found.turns) == {Fraction(2), Fraction(6)}, "three beats have no middle, and what was said holds for its bar"


def test_songs_are_counted(shared: Path, tmp_path: Path) -> None:
    (tmp_path / "001").symlink_to(shared / "data" / "pop909" / "001")
    corpus = build_corpus(tmp_path, validation=False)
    counts = count(corpus)
    piece = read_song(tmp_path / "001")
    assert piece is not None
    assert piece.key is not None
    mode = int(piece.key.endswith("min"))
    assert counts[1 - mode].sum() == 0
    for into in (0, 1):
        assert 0.8 * len(corpus.starts) < counts[mode, into].sum() <= len(corpus.starts)
    # most chords of a song are of its key
    scale = {"maj": (0, 2, 4, 5, 7, 9, 11), "min": (0, 2, 3, 5, 7, 8, 10)}[piece.key[-3:]]
    inside = sum(counts[mode, :, state].sum() for state in range(STATES) if state % 12 in scale)
    assert inside > 0.9 * counts[mode].sum()
