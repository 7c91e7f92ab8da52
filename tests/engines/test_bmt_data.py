"""POP909 as pieces and as windows: onsets against the song's own beats, bars at its downbeats, stems by role."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from engines.bmt.data import (
    Corpus,
    Windows,
    bar_beats,
    bar_lines,
    build_corpus,
    chord_word,
    is_validation,
    read_song,
    songs,
    transposition,
)
from engines.bmt.tokens import Piece, decode, register_level
from engines.bmt.vocabulary import ours
from engines.errors import OptionError


@pytest.fixture(scope="module")
def pop909(shared: Path) -> Path:
    return shared / "data" / "pop909"


@pytest.fixture(scope="module")
def some(pop909: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five songs: two with bars of two beats, one of them for validation, one in triple metre."""
    folder = tmp_path_factory.mktemp("pop")
    for name in ("001", "003", "005", "034", "011"):
        (folder / name).symlink_to(pop909 / name)
    return folder


@pytest.fixture(scope="module")
def corpus(some: Path) -> Corpus:
    return build_corpus(some, validation=False)


@pytest.mark.parametrize(
    ("label", "word"),
    [
        ("C:maj", "C_M"),
        ("Gb:maj", "F#_M"),
        ("Bb:min7/b3", "A#_m7"),
        ("Cb:7", "B_7"),
        ("Eb:sus4(b7)", "D#_sus4"),
        ("A:maj6", "A_M"),
        ("A:min6", "A_m"),
        ("D:minmaj7", "D_m"),
        ("F:hdim7", "F_/o7"),
        ("F:dim7", "F_o7"),
        ("G:aug", "G_+"),
        ("E:sus2/5", "E_sus2"),
        ("N", "N_N"),
        ("C:something", "N_N"),
        ("", "N_N"),
    ],
)
def test_chord_labels_become_words(label: str, word: str) -> None:
    assert chord_word(label) == word
    assert word in ours().field("chord").ids


def test_songs_are_shared_out_by_their_index(pop909: Path) -> None:
    every = list(songs(pop909))
    held_out = list(songs(pop909, validation=True))
    assert {p.name for p in held_out} == {p.name for p in every if p.name.endswith("5")}
    assert not {p.name for p in held_out} & {p.name for p in songs(pop909, validation=False)}
    assert is_validation("005")
    assert not is_validation("051")


def test_a_folder_without_songs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="no songs of POP909"):
        list(songs(tmp_path))


def test_songs_in_triple_metre_are_left_out(pop909: Path) -> None:
    """29 of the 909 (``specs/bmt.md`` section 1.7), by their downbeats; here those of them that are in the folder."""
    triple = []
    for folder in songs(pop909):
        downbeats = np.flatnonzero(np.loadtxt(folder / "beat_midi.txt", ndmin=2)[:, 2] == 1)
        if np.median(np.diff(downbeats)) == 6:
            triple.append(folder)
    assert len(triple) == (29 if len(list(songs(pop909))) == 909 else 27)
    assert all(read_song(folder) is None for folder in triple)


@pytest.mark.parametrize(("gap", "bars"), [(2, [2]), (3, [3]), (4, [4]), (5, [3, 2]), (6, [4, 2]), (7, [4, 3]), (8, [4, 4])])
def test_what_lies_between_two_downbeats(gap: int, bars: list[int]) -> None:
    assert bar_beats(gap) == bars


def test_bar_lines_stand_at_every_downbeat() -> None:
    assert bar_lines([5, 9, 11, 15], 5, 24) == [5, 9, 11, 15, 19, 23, 27]
    assert bar_lines([5, 9, 11, 15], 1, 15) == [1, 5, 9, 11, 15]
    assert bar_lines([5, 9, 11, 15], -1, 15) == [-3, 1, 5, 9, 11, 15]


@pytest.mark.parametrize("name", ["001", "005", "012", "345"])
def test_a_song_lies_on_its_own_beats(pop909: Path, name: str) -> None:
    """Every onset is played within half a sixteenth of the place where we put it, and every bar begins at a downbeat."""
    import symusic

    piece = read_song(pop909 / name)
    assert piece is not None
    rows = np.loadtxt(pop909 / name / "beat_midi.txt", ndmin=2)
    times, downbeats = rows[:, 0], np.flatnonzero(rows[:, 2] == 1)
    played: dict[tuple[str, int], list[float]] = {}
    for track in symusic.Score(str(pop909 / name / f"{name}.mid")).to("second").tracks:
        for n in track.notes:
            played.setdefault((track.name.lower(), n.pitch), []).append(n.time)
    beat = np.concatenate(
        [times[0] - np.diff(times)[0] * np.arange(8, 0, -1), times, times[-1] + np.diff(times)[-1] * np.arange(1, 9)]
    )
    place = np.arange(-8, len(times) + 8)
    earliest = min(t for onsets in played.values() for t in onsets)
    offset = round(np.interp(earliest, beat, place) - piece.notes[0].step / 4)
    for n in piece.notes:
        ideal = np.interp(offset + n.step / 4, place, beat)
        assert min(abs(t - ideal) for t in played[n.stem, n.pitch]) <= np.diff(times).max() / 8 + 1e-3
    starts = np.cumsum([0, *piece.bar_steps]) // 4
    inside = [s + offset for s in starts if downbeats[0] <= s + offset <= downbeats[-1]]
    assert set(downbeats) - set(inside) <= {d for d in downbeats if not starts[0] <= d - offset <= starts[-1]}
    assert {n.stem for n in piece.notes} == {"melody", "bridge", "piano"}
    assert all(22 <= n.pitch <= 105 and 1 <= n.length <= 16 and 0 <= n.step < piece.steps for n in piece.notes)


def test_bars_of_two_beats_stay_where_they_are(pop909: Path) -> None:
    piece = read_song(pop909 / "005")
    assert piece is not None
    assert Counter(piece.bar_steps)[8] == 3
    assert set(piece.bar_steps) == {8, 16}


def test_chords_and_keys_are_the_song_s_own(pop909: Path) -> None:
    piece = read_song(pop909 / "001")
    assert piece is not None
    assert piece.key == "F#:maj"
    labels = {line.split("\t")[2] for line in (pop909 / "001" / "chord_midi.txt").read_text().splitlines()}
    assert {chord for _, chord in piece.chords} <= {chord_word(label) for label in labels}
    assert len(piece.chords) > 50
    assert all(step % 4 == 0 for step, _ in piece.chords), "chords change on beats"
    assert all(a[1] != b[1] for a, b in zip(piece.chords, piece.chords[1:], strict=False))
    assert all(Fraction(50) < bpm < Fraction(200) for _, bpm in piece.tempi)


def test_a_corpus_holds_every_word_of_its_songs(corpus: Corpus, some: Path) -> None:
    column = ours().column
    pieces = [p for folder in songs(some, validation=False) if (p := read_song(folder))]
    assert len(corpus.key) == len(pieces) == 3
    assert len(corpus.song) == len(corpus.lengths) == sum(len(p.bar_steps) for p in pieces)
    assert int((corpus.words[:, column["pitch"]] > 0).sum()) == sum(len(p.notes) for p in pieces)
    assert len(corpus.bars) == len(corpus.song) + 1
    assert (corpus.words[corpus.bars[:-1], column["type"]] == ours().id("type", "Bar")).all()
    assert (
        np.diff(corpus.steps[corpus.song[np.searchsorted(corpus.bars, np.arange(len(corpus.words)), "right") - 1] == 0]) >= 0
    ).all()


def test_a_window_is_the_song_again(corpus: Corpus, some: Path) -> None:
    first = next(p for folder in songs(some, validation=False) if (p := read_song(folder)))
    words, count = Windows(corpus).window(4, 8)
    assert count == 8
    lengths = first.bar_steps[4:12]
    start, end = sum(first.bar_steps[:4]), sum(first.bar_steps[:12])
    found = decode(words, ours(), lengths)
    assert found.bar_steps == lengths
    expected = {(n.step - start, n.pitch, n.length, n.stem) for n in first.notes if start <= n.step < end}
    assert {(n.step, n.pitch, n.length, n.stem) for n in found.notes} == expected
    times = words[1:-1, ours().column["time"]]
    assert times[0] == 0
    assert (np.diff(times) >= 0).all()
    assert times[-1] == 99


def test_transposition_moves_pitch_chord_and_key_together(corpus: Corpus) -> None:
    windows, column = Windows(corpus), ours().column
    plain, _ = windows.window(10, 8)
    for semitones in (-6, -1, 3, 5):
        moved, _ = windows.window(10, 8, semitones)
        a, b = decode(plain, ours()), decode(moved, ours())
        assert {
            (y.pitch - x.pitch - semitones) % 12
            for x, y in zip(sorted(a.notes, key=_place), sorted(b.notes, key=_place), strict=True)
        } == {0}
        assert len(a.notes) == len(b.notes)
        names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"]
        for x, y in zip(a.chords, b.chords, strict=True):
            (root, quality), (other, same) = x[1].split("_"), y[1].split("_")
            assert same == quality
            assert x[0] == y[0]
            assert root == "N" or (names.index(other) - names.index(root) - semitones) % 12 == 0
        key, other_key = (str(ours().value("key", int(w[0, column["key"]]))).split(":") for w in (plain, moved))
        assert (names.index(other_key[0]) - names.index(key[0]) - semitones) % 12 == 0
        unmoved = [name for name in column if name not in ("pitch", "chord", "key", "register")]
        assert all((plain[:, column[name]] == moved[:, column[name]]).all() for name in unmoved)


def _place(note: object) -> tuple[int, str, int, int]:
    # equal places by pitch class order would differ after a fold: length and velocity keep them apart
    return (note.step, note.stem, note.velocity, note.length)  # type: ignore[attr-defined]


def test_no_pitch_leaves_the_words_when_transposed() -> None:
    for semitones in range(-6, 6):
        table = transposition(ours(), semitones)["pitch"]
        assert table[0] == 0
        assert (table[1:] > 0).all()


def test_register_follows_the_transposition(corpus: Corpus) -> None:
    windows, column = Windows(corpus), ours().column
    words, _ = windows.window(10, 8, 5)
    piece = decode(words, ours())
    rows = np.flatnonzero(words[:, column["register"]])
    bars = np.cumsum(words[:, column["barbeat"]] == ours().id("barbeat", "Bar")) - 1
    for row in rows:
        pitches = [n.pitch for n in piece.notes if n.step // 16 == bars[row]]
        if max(pitches) < 105 - 12:
            assert words[row, column["register"]] == register_level(float(np.mean(pitches)))


def test_controls_are_dropped_from_what_is_heard_alone(corpus: Corpus) -> None:
    windows, column, rng = Windows(corpus, drop=0.5), ours().column, np.random.default_rng(0)
    controls = ("emotion", "key", "density", "energy", "register", "tempo")
    dropped: Counter[str] = Counter()
    for _ in range(60):
        heard, meant, _ = windows.draw(rng, 320)
        assert heard.shape == meant.shape
        assert len(meant) <= 320
        for name in column:
            same = bool((heard[:, column[name]] == meant[:, column[name]]).all())
            assert same or name in controls
            dropped[name] += not heard[:, column[name]].any() and meant[:, column[name]].any()
    assert all(10 < dropped[name] < 50 for name in controls)


def test_a_window_fits_into_its_words_and_ends_as_the_grammar_does(corpus: Corpus) -> None:
    windows, rng = Windows(corpus), np.random.default_rng(1)
    kind = ours().column["type"]
    for limit in (64, 320, 1024):
        words, _ = windows.window(int(rng.integers(len(corpus.song))), 99, 0, limit)
        assert len(words) <= limit
        assert words[0, kind] == ours().id("type", "Emotion")
        assert words[-2, kind] == ours().id("type", "Bar")
        assert words[-1].tolist() == [0] * len(ours().fields)


def test_emotion_is_the_quadrant_of_mode_and_liveliness(corpus: Corpus) -> None:
    windows, column = Windows(corpus), ours().column
    words, _ = windows.window(20, 8)
    song = int(corpus.song[20])
    major = str(ours().value("key", int(corpus.key[song]))).endswith("maj")
    given = words[:, column["density"]] > 0
    lively, calm = words.copy(), words.copy()
    lively[given, column["density"]], lively[given, column["energy"]] = 16, 8
    calm[given, column["density"]], calm[given, column["energy"]] = 1, 1
    assert windows.emotion(lively, song) == (1 if major else 2)
    assert windows.emotion(calm, song) == (4 if major else 3)
    assert windows.emotion(words * 0, song) == 0


def test_an_irregular_song_shorter_than_a_bar_is_no_song(some: Path, tmp_path: Path) -> None:
    folder = tmp_path / "001"
    folder.mkdir()
    for file in (some / "001").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    rows = (some / "001" / "beat_midi.txt").read_text().splitlines()
    (folder / "beat_midi.txt").write_text("\n".join(rows[:6]) + "\n")
    assert read_song(folder) is None
    assert isinstance(read_song(some / "001"), Piece)
