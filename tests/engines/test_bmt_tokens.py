"""Words of both grammars: the published example word by word, and pieces that come back as they went."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.bmt.tokens import (
    CARRIED,
    Carrier,
    GridNote,
    Piece,
    carried,
    decode,
    encode,
    energy_level,
    nearest_tempo,
    our_events,
    percent,
    published_events,
    register_level,
    velocity_word,
)
from engines.bmt.vocabulary import ours, published

EXAMPLE = Piece(
    notes=(GridNote(0, 60, 4, 80), GridNote(0, 64, 4, 80), GridNote(8, 67, 2, 64), GridNote(16, 72, 8, 70)),
    bar_steps=(16, 16),
    chords=((0, "C_M"),),
    tempi=((0, Fraction(120)),),
    emotion=1,
)


def note(pitch: int, ticks: int, velocity: int, time: int) -> dict[str, int | str]:
    return {
        "type": "Note",
        "pitch": f"Note_Pitch_{pitch}",
        "duration": f"Note_Duration_{ticks}",
        "velocity": f"Note_Velocity_{velocity}",
        "time": time,
    }


def test_the_published_example_word_by_word() -> None:
    assert published_events(EXAMPLE) == [
        {"type": "Emotion", "emotion": 1},
        {"type": "Metrical", "barbeat": "Bar", "time": 0},
        {"type": "Rhythm", "density": 3, "time": 0},
        {"type": "Rhythm", "strength": 3, "time": 0},
        {"type": "Metrical", "barbeat": "Beat_0", "tempo": "Tempo_119", "chord": "C_M", "time": 0},
        {"type": "Rhythm", "strength": 2, "time": 0},
        note(64, 480, 80, 0),
        note(60, 480, 80, 0),
        {"type": "Metrical", "barbeat": "Beat_8", "tempo": "CONTI", "chord": "CONTI", "time": 25},
        {"type": "Rhythm", "strength": 1, "time": 25},
        note(67, 240, 64, 25),
        {"type": "Metrical", "barbeat": "Bar", "time": 50},
        {"type": "Rhythm", "density": 1, "time": 50},
        {"type": "Metrical", "barbeat": "Beat_0", "tempo": "CONTI", "chord": "CONTI", "time": 50},
        {"type": "Rhythm", "strength": 1, "time": 50},
        note(72, 960, 70, 50),
        {"type": "Metrical", "barbeat": "Bar", "time": 96},
        {"type": "EOS"},
    ]


def test_the_example_as_ids() -> None:
    words = encode(published_events(EXAMPLE), published())
    assert words.shape == (18, 11)
    assert words[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]
    assert words[1].tolist() == [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0]
    assert words[-1].tolist() == [0] * 11
    assert decode(words, published()) == Piece(EXAMPLE.notes, (16, 16), EXAMPLE.chords, ((0, Fraction(119)),), 1)


def test_the_example_in_our_words() -> None:
    events = our_events(Piece(EXAMPLE.notes, (16, 16), EXAMPLE.chords, EXAMPLE.tempi, 1, "C:maj"))
    kinds = "Emotion Bar Density Chord Strength Piano Piano Beat Strength Piano Bar Density Chord Strength Piano Bar EOS"
    assert [e["type"] for e in events] == kinds.split()
    assert events[2] == {"type": "Density", "tempo": "Tempo_119", "time": 0, "density": 2, "energy": 4, "register": 9}
    assert events[12]["chord"] == "C_M", "every bar says its chord again"
    assert events[0] == {"type": "Emotion", "emotion": 1, "key": "C:maj"}


@st.composite
def pieces(draw: st.DrawFn, vocabulary: str) -> Piece:
    bars = tuple(draw(st.lists(st.sampled_from([16, 16, 14, 12, 8, 1]), min_size=1, max_size=4)))
    total = sum(bars)
    stems = ["melody", "bridge", "piano"] if vocabulary == "ours" else ["piano"]
    velocities = st.integers(20, 59).map(lambda v: 2 * v)
    shortest = 1 if vocabulary == "ours" else 0
    places = st.tuples(st.integers(0, total - 1), st.sampled_from(stems), st.integers(22, 105))
    chosen = draw(st.lists(places, max_size=12, unique=True))
    notes = tuple(sorted(GridNote(s, p, draw(st.integers(shortest, 16)), draw(velocities), stem) for s, stem, p in chosen))
    words = [c for c in published().field("chord").values if c not in (0, "CONTI")]
    changes: list[tuple[int, str]] = []
    for step in sorted(draw(st.sets(st.integers(0, total - 1), max_size=3))):
        word = str(draw(st.sampled_from(words)))
        if not changes or changes[-1][1] != word:
            changes.append((step, word))
    return Piece(notes, bars, tuple(changes), ((0, Fraction(draw(st.sampled_from([32, 101, 224])))),), draw(st.integers(0, 4)))


@given(pieces("published"))
@settings(max_examples=60, deadline=None)
def test_published_words_come_back(piece: Piece) -> None:
    events = published_events(piece)
    assert decode(encode(events, published()), published(), piece.bar_steps) == piece
    times = [int(e["time"]) for e in events if "time" in e]
    assert times == sorted(times)
    assert times[0] == 0
    assert times[-1] <= 99


@given(pieces("ours"))
@settings(max_examples=60, deadline=None)
def test_our_words_come_back(piece: Piece) -> None:
    found = decode(encode(our_events(piece), ours()), ours(), piece.bar_steps)
    assert (found.notes, found.bar_steps, found.emotion) == (piece.notes, piece.bar_steps, piece.emotion)
    for bar_end, steps in zip(np.cumsum(piece.bar_steps), piece.bar_steps, strict=True):
        bar = range(int(bar_end) - steps, int(bar_end))
        if any(n.step in bar for n in piece.notes):
            # a bar with notes says every change in it, and at its start what held before
            held = [chord for step, chord in piece.chords if step <= bar.start] or ["N_N"]
            changes = {step: chord for step, chord in piece.chords if step in bar}
            said = {step: chord for step, chord in found.chords if step in bar}
            assert said == {bar.start: held[-1]} | changes


@given(pieces("ours"))
@settings(max_examples=30, deadline=None)
def test_what_holds_is_heard_with_every_word(piece: Piece) -> None:
    words = encode(our_events(piece), ours()).astype(np.int64)
    carrier = Carrier(ours())
    one_by_one = np.array([carrier.hear(word) for word in words])
    assert (carried(words, ours()) == one_by_one).all()
    kinds = [str(ours().value("type", int(w[ours().column["type"]]))) for w in words]
    held: dict[str, int] = {}
    for word, full, kind in zip(words, one_by_one, kinds, strict=True):
        for name, column in ours().column.items():
            if kind in CARRIED.get(name, ()):
                held[name] = int(word[column])
            expected = word[column] if name not in CARRIED or kind == "EOS" else held.get(name, 0)
            assert full[column] == expected


def test_controls_hold_for_their_bar_alone_chords_until_the_next() -> None:
    piece = Piece((GridNote(0, 60, 4, 80), GridNote(40, 72, 8, 70)), (16, 16, 16), ((0, "C_M"),), emotion=1, key="C:maj")
    heard = carried(encode(our_events(piece), ours()), ours())
    column = ours().column
    kinds = [str(ours().value("type", int(w[column["type"]]))) for w in heard]
    assert kinds == [
        "Emotion",
        "Bar",
        "Density",
        "Chord",
        "Strength",
        "Piano",
        "Bar",
        "Bar",
        "Density",
        "Chord",
        "Beat",
        "Strength",
        "Piano",
        "Bar",
        "EOS",
    ]
    assert [int(w[column["density"]]) for w in heard] == [0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0]
    assert [bool(w[column["chord"]]) for w in heard] == [False] * 3 + [True] * 11 + [False]
    assert [str(ours().value("barbeat", int(w[column["barbeat"]]))) for w in heard[-6:]] == [
        "Beat_0",
        *["Beat_8"] * 3,
        "Bar",
        "0",
    ]
    assert {int(w[column["emotion"]]) for w in heard[:-1]} == {1}
    assert not heard[-1].any()


def test_a_bar_without_anything_is_its_line_alone() -> None:
    piece = Piece((GridNote(32, 60, 4, 80),), (16, 16, 16))
    assert [e["type"] for e in our_events(piece)][:4] == ["Emotion", "Bar", "Bar", "Bar"]
    assert [e.get("density") for e in published_events(piece)[:4]] == [None, None, 0, None]  # bar 0 holds the tempo


def test_notes_at_one_place_descend() -> None:
    piece = Piece(tuple(sorted(GridNote(0, p, 4, 80) for p in (48, 67, 55, 60))), (16,))
    pitches = [e["pitch"] for e in published_events(piece) if "pitch" in e]
    assert pitches == ["Note_Pitch_67", "Note_Pitch_60", "Note_Pitch_55", "Note_Pitch_48"]


def test_relative_time_follows_the_tempo_map() -> None:
    # one bar at 120 (2 s), one at 60 (4 s): the second begins after a third of the time
    piece = Piece((GridNote(16, 60, 4, 80),), (16, 16), (), ((0, Fraction(120)), (16, Fraction(60))))
    assert piece.seconds(16) == 2
    assert piece.seconds(32) == 6
    assert piece.seconds(20) == 3
    assert [e["time"] for e in published_events(piece) if e.get("barbeat") == "Bar"][:2] == [0, 33]
    assert percent(Fraction(1, 2), Fraction(1)) == 50
    assert percent(Fraction(1), Fraction(1)) == 99
    assert percent(Fraction(0), Fraction(0)) == 0


def test_fields_that_a_type_does_not_carry_are_not_read() -> None:
    words = encode(published_events(EXAMPLE), published())
    column = published().column
    junk = words.copy()
    for row in junk:
        if row[column["type"]] == published().id("type", "Note"):
            row[column["barbeat"]] = published().id("barbeat", "Bar")
            row[column["tempo"]] = 7
        if row[column["type"]] == published().id("type", "Rhythm"):
            row[column["pitch"]] = 12
    assert decode(junk, published()) == decode(words, published())


def test_a_note_without_a_pitch_is_dropped_and_zero_length_is_kept() -> None:
    words = encode(published_events(EXAMPLE), published())
    column = published().column
    words[6, column["pitch"]] = 0
    words[7, column["duration"]] = published().id("duration", "Note_Duration_0")
    found = decode(words, published()).notes
    assert len(found) == 3
    assert found[0] == GridNote(0, 60, 0, 80)


@pytest.mark.parametrize(("velocity", "word"), [(1, 40), (41, 40), (43, 44), (64, 64), (118, 118), (127, 118)])
def test_velocities_are_even_and_inside(velocity: int, word: int) -> None:
    assert velocity_word(velocity) == f"Note_Velocity_{word}"


def test_levels_and_tempi() -> None:
    assert [energy_level(v) for v in (1, 40, 79, 118, 127)] == [1, 1, 4, 8, 8]
    assert [register_level(p) for p in (22, 40, 43, 76, 105)] == [1, 1, 2, 13, 13]
    assert nearest_tempo(120) == "Tempo_119"
    assert nearest_tempo(10) == "Tempo_32"
    assert nearest_tempo(Fraction(999)) == "Tempo_224"


def test_no_piece_of_real_music_loses_a_note(shared: Path) -> None:
    from engines.bmt.data import read_song, songs

    for folder in list(songs(shared / "data" / "pop909"))[::160]:
        piece = read_song(folder)
        if piece is None:
            continue
        found = decode(encode(our_events(piece), ours()), ours(), piece.bar_steps)
        assert {(n.step, n.pitch, n.length, n.stem) for n in found.notes} == {
            (n.step, n.pitch, n.length, n.stem) for n in piece.notes
        }
        assert len(found.notes) == len(piece.notes)
        assert found.bar_steps == piece.bar_steps
