"""Names of tones, chords and keys, in every spelling that comes along."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engines.bmt.data import chord_word
from engines.bmt.vocabulary import ours
from engines.errors import OptionError
from engines.score.harmony import _QUALITIES, chord_at, chord_name, chord_names, chord_said, chord_tones, pitch_class, scale_tones


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


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("C", "C:maj"), ("Cm", "C:min"), ("Cm7", "C:min7"), ("F/A", "F:maj/A"), ("Bb", "Bb:maj"), ("F#m7b5", "F#:hdim7"),
        ("Cmaj7", "C:maj7"), ("CM7", "C:maj7"), ("CΔ", "C:maj7"), ("G7sus4", "G:sus4(b7)"), ("Gsus", "G:sus4"), ("E♭dim7", "Eb:dim7"),
        ("Bø", "B:hdim7"), ("Caug", "C:aug"), ("C+", "C:aug"), ("C7#5", "C:aug(b7)"), ("C6/9", "C:maj6(9)"), ("C6/9/E", "C:maj6(9)/E"),
        ("Cadd9", "C:maj(9)"), ("A-7", "A:min7"), ("am7", "A:min7"), ("bb7", "Bb:7"), ("Bbb", "A:maj"), ("Dm/C", "D:min/C"), ("N.C.", "N"),
        ("N", "N"), ("C9", "C:9"), ("Dm(maj7)", "D:minmaj7"), ("E7#9", "E:7(#9)"),
        ("C:maj", "C:maj"), ("A:min7", "A:min7"), ("G:sus4(b7)/B", "G:sus4(b7)/B"), ("Bb:7/3", "Bb:7/3"), ("C:m7", "C:min7"),
        ("C_M7", "C:maj7"), ("A_m7", "A:min7"), ("B_/o7", "B:hdim7"), ("D_sus4", "D:sus4"), ("N_N", "N"),
        ("H", None), ("Cm7x", None), ("C:weird", None), ("C:", None), ("C_", None), ("C/", None), ("F/H", None), ("dim", None), ("", None),
        ("7", None), ("C:maj(x)", None), ("C m", None),
    ],
)  # fmt: skip
def test_a_chord_has_one_name_however_it_is_written(written: str, kept: str | None) -> None:
    assert chord_name(written) == kept
    if kept is not None:
        assert chord_name(kept) == kept
        assert bool(chord_tones(kept)) == (kept != "N")


def test_what_is_kept_is_said_as_musicians_write_it_and_read_back(shared: Path) -> None:
    kept = {chord_name(root + word) for root in ("C", "F#", "Bb") for spellings in _QUALITIES.values() for word in spellings}
    assert None not in kept
    for symbol in (f"{chord}{bass}" for chord in kept for bass in ("", "/G", "/b7")):
        assert chord_name(chord_said(symbol)) == symbol
    assert [chord_said(symbol) for symbol in ("C:min7", "F:maj/A", "F#:hdim7", "G:sus4(b7)", "Bb:maj", "N", "C:7/3")] == (
        ["Cm7", "F/A", "F#m7b5", "G7sus4", "Bb", "N", "C:7/3"]
    )
    for line in (shared / "data/pop909/001/chord_midi.txt").read_text().splitlines():
        label = line.split("\t")[2]
        assert chord_name(label) == label
        assert chord_word(label) == "N_N" or chord_tones(label)


def test_every_chord_that_may_be_written_is_one_that_the_engine_knows() -> None:
    known = ours().field("chord").ids
    for word in (word for spellings in _QUALITIES.values() for word in spellings):
        symbol = chord_name(f"Eb{word}")
        assert symbol is not None
        assert chord_word(symbol) in known
        assert chord_word(symbol) != "N_N"


def test_a_line_of_chords_is_read_and_the_first_that_is_none_is_told() -> None:
    assert chord_names("Cm7 F/A | Bb  C:maj") == ("C:min7", "F:maj/A", "Bb:maj", "C:maj")
    assert chord_names("") == ()
    with pytest.raises(OptionError, match="no chord is named 'Hm7'; write chords as C, Am7, F/A"):
        chord_names("C Hm7 X")


def test_tones_and_scales() -> None:
    assert [pitch_class(name) for name in ("C", "F#", "Bb", "Cb", "E##", "H", "", "F###")] == [0, 6, 10, 11, 6, None, None, None]
    assert scale_tones("A:min") == scale_tones("C:maj") == {0, 2, 4, 5, 7, 9, 11}
    assert scale_tones("C") is None


def test_the_chord_of_the_moment() -> None:
    chords = [(Fraction(0), "C:maj"), (Fraction(4), "N"), (Fraction(8), "F:maj")]
    assert [chord_at(chords, Fraction(k)) for k in (0, 3, 5, 8, 99)] == [(0, 4, 7), (0, 4, 7), (), (5, 9, 0), (5, 9, 0)]
    assert chord_at([], Fraction(1)) == ()
