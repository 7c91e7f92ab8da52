"""Names of tones, chords and keys, in every spelling that comes along."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engines.bmt.vocabulary import ours
from engines.score.harmony import chord_at, chord_tones, pitch_class, scale_tones


@pytest.mark.parametrize(
    ("symbol", "tones"),
    [
        ("C:maj", (0, 4, 7)),
        ("A:min7", (9, 0, 4)),
        ("G:sus4(b7)/B", (7, 0, 2)),
        ("Bb:7/3", (10, 2, 5)),
        ("F#:hdim7", (6, 9, 0)),
        ("Eb", (3, 7, 10)),
        ("Eb/5", (3, 7, 10)),
        ("N", ()),
        ("N_N", ()),
        ("C_M7", (0, 4, 7)),
        ("A_m7", (9, 0, 4)),
        ("B_/o7", (11, 2, 5)),
        ("B_o7", (11, 2, 5)),
        ("C_+", (0, 4, 8)),
        ("D_sus4", (2, 7, 9)),
        ("G_7", (7, 11, 2)),
    ],
)
def test_chords(symbol: str, tones: tuple[int, ...]) -> None:
    assert chord_tones(symbol) == tones


def test_every_chord_word_of_the_engine_and_every_label_of_pop909_has_its_tones(shared: Path) -> None:
    words = [str(value) for value in ours().field("chord").values if value not in (0, "CONTI", "N_N")]
    assert len(words) > 100
    assert all(len(chord_tones(word)) == 3 for word in words)
    for song in ("001", "205", "734"):
        for line in (shared / "data/pop909" / song / "chord_midi.txt").read_text().splitlines():
            label = line.split("\t")[2]
            assert len(chord_tones(label)) == (0 if label.startswith("N") else 3)


def test_tones_and_scales() -> None:
    assert [pitch_class(name) for name in ("C", "F#", "Bb", "Cb", "E##", "H", "", "F###")] == [0, 6, 10, 11, 6, None, None, None]
    assert scale_tones("A:min") == scale_tones("C:maj") == {0, 2, 4, 5, 7, 9, 11}
    assert scale_tones("C") is None


def test_the_chord_of_the_moment() -> None:
    chords = [(Fraction(0), "C:maj"), (Fraction(4), "N"), (Fraction(8), "F:maj")]
    assert [chord_at(chords, Fraction(k)) for k in (0, 3, 5, 8, 99)] == [(0, 4, 7), (0, 4, 7), (), (5, 9, 0), (5, 9, 0)]
    assert chord_at([], Fraction(1)) == ()
