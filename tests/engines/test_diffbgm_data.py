"""POP909 as windows: how many there are, what is measured of them, and what of it the network is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.bmt.data import read_song, songs
from engines.diffbgm.conditions import CONTROLS, FIELDS, SCENE_ALONE, UNTOLD, as_beat, untold
from engines.diffbgm.data import WHOLE_SET, Corpus, Windows, build_corpus, published_starts
from engines.diffbgm.pianoroll import OURS, PAPER, STEPS, paint
from engines.score.harmony import chord_tones
from engines.score.notes import STEMS

SONGS = ("001", "002", "003")


@pytest.fixture(scope="module")
def pop(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pop")
    for name in (*SONGS, "034"):
        (folder / name).symlink_to(shared / "data" / "pop909" / name)
    return folder


@pytest.fixture(scope="module")
def corpus(pop: Path) -> Corpus:
    return build_corpus(pop, validation=False)


def test_the_published_windows_of_the_whole_set_are_counted(shared: Path) -> None:
    """All 909 songs have 65,438; a share of them has its share."""
    found = {folder.name: len(published_starts(folder)) for folder in songs(shared / "data" / "pop909")}
    total = sum(found.values())
    if len(found) == 909:
        assert total == WHOLE_SET
    assert total == pytest.approx(WHOLE_SET * len(found) / 909, rel=0.01)
    assert found["034"] == 0, "in triple metre"


def test_windows_begin_at_whole_bars_with_eight_bars_after_them(pop: Path, corpus: Corpus) -> None:
    offset, expected = 0, []
    for name in SONGS:
        piece = read_song(pop / name)
        assert piece is not None
        lines = np.cumsum([0, *piece.bar_steps])
        expected += [offset + a for a, n in zip(lines, piece.bar_steps, strict=False) if n == 16 and a + STEPS <= lines[-1]]
        offset += -(-piece.steps // 16) * 16
    assert corpus.starts.tolist() == expected
    published = [len(published_starts(pop / name)) for name in SONGS]
    ours = [int((corpus.song == k).sum()) for k in range(len(SONGS))]
    assert np.abs(np.array(published) - ours).max() <= 4, "ours begin with the notes, the published with the annotation"


def test_a_window_is_what_the_song_holds_there(pop: Path, corpus: Corpus) -> None:
    piece = read_song(pop / "001")
    assert piece is not None
    windows = Windows(corpus, OURS)
    start = int(corpus.starts[5])
    inside = [n for n in piece.notes if start <= n.step < start + STEPS]
    notes = windows.notes(5)
    assert list(zip(notes.step + start, notes.pitch, notes.length, notes.velocity, strict=True)) == [
        (n.step, n.pitch, n.length, n.velocity) for n in inside
    ]
    roll, _ = windows.draw(np.random.default_rng(3))
    assert roll.shape == OURS.shape
    assert roll[:6].max() == 1


def test_what_is_told_is_measured(pop: Path, corpus: Corpus) -> None:
    piece = read_song(pop / "001")
    assert piece is not None
    windows = Windows(corpus, PAPER)
    notes = windows.notes(8)
    tokens = windows.told(8, notes)
    start = int(corpus.starts[8])
    bar = [n for n in piece.notes if start + 32 <= n.step < start + 48]
    token = tokens[9]
    assert token[FIELDS["density"]][0] == pytest.approx(len({n.step for n in bar}) / 16)
    mean = np.mean([n.velocity for n in bar])
    assert token[FIELDS["energy"]][0] == pytest.approx(min(1, max(0, (mean - 40) / 79)), abs=1e-5)
    assert token[FIELDS["register"]][0] == pytest.approx((np.mean([n.pitch for n in bar]) - 22) / 83, abs=1e-5)
    symbol = [s for step, s in piece.chords if step <= start + 36][-1]
    tones = chord_tones(symbol)
    assert np.flatnonzero(token[FIELDS["chord"]][:12]).tolist() == list(tones[:1])
    assert np.flatnonzero(token[FIELDS["chord"]][12:]).tolist() == sorted(tones)
    counts = [sum(n.step == start + 36 + k for n in piece.notes) for k in range(4)]
    told = [0 if n < 2 else max(0.1, min(1, (n - 2) / 4)) for n in counts]
    assert token[FIELDS["strength"]] == pytest.approx(np.array(told))
    assert token[FIELDS["beat"]].tolist() == [0, 1, 0, 0]
    assert (tokens[:, FIELDS["stems"]] == [bool((notes.stem == k).any()) for k in range(len(STEMS))]).all()


def test_transposed_music_is_told_transposed(corpus: Corpus) -> None:
    windows = Windows(corpus, PAPER)
    plain, up = windows.notes(20), windows.notes(20, 3)
    assert (up.pitch == plain.pitch + 3).all()
    a, b = windows.told(20, plain), windows.told(20, up, 3)
    for field in (slice(0, 12), slice(12, 24), slice(35, 47)):
        assert np.array_equal(np.roll(a[:, field], 3, axis=1), b[:, field])
    assert b[0, FIELDS["register"]][0] == pytest.approx(a[0, FIELDS["register"]][0] + 3 / 83, abs=1e-5)
    assert np.array_equal(a[:, FIELDS["density"]], b[:, FIELDS["density"]])


def test_controls_are_dropped_each_alone_and_all_together(corpus: Corpus) -> None:
    windows = Windows(corpus, OURS)
    tokens = windows.told(7, windows.notes(7))
    rng = np.random.default_rng(0)
    drawn = [windows.dropped(tokens, rng) for _ in range(600)]
    none = np.mean([np.array_equal(d, untold()) for d in drawn])
    assert 0.08 < none < 0.17
    rest = [d for d in drawn if not np.array_equal(d, untold())]
    for name in CONTROLS:
        gone = np.mean([(d[:, FIELDS[name]] == UNTOLD).all() for d in rest])
        assert 0.08 < gone < 0.5, name
    assert all(np.array_equal(d[:, FIELDS["beat"]], tokens[:, FIELDS["beat"]]) for d in rest)
    told = np.mean([(d[:, FIELDS["strength"]] != UNTOLD).mean() for d in rest])
    assert 0 < told < 0.2, "a brief tells its hits and no more"


def test_the_second_source_is_the_first_without_the_scene(corpus: Corpus) -> None:
    windows = Windows(corpus, OURS)
    tokens = windows.told(7, windows.notes(7))[None]
    beat = as_beat(tokens)
    for name, field in FIELDS.items():
        if name in SCENE_ALONE:
            assert (beat[..., field] == UNTOLD).all()
        else:
            assert np.array_equal(beat[..., field], tokens[..., field])


def test_moods_are_the_four_quadrants(corpus: Corpus) -> None:
    windows = Windows(corpus, OURS)
    for window in range(0, len(windows), 9):
        mood = windows.mood(window, windows.notes(window))
        if corpus.key[corpus.song[window]] < 0:
            assert mood is None
        else:
            assert mood in ((1, 4) if corpus.key[corpus.song[window]] < 12 else (2, 3))


def test_a_window_is_painted_as_its_notes(pop: Path, corpus: Corpus) -> None:
    piece = read_song(pop / "001")
    assert piece is not None
    start = int(corpus.starts[3])
    moved = [type(n)(n.step - start, n.pitch, n.length, n.velocity, n.stem) for n in piece.notes]
    from engines.diffbgm.data import paint_arrays

    assert np.array_equal(paint_arrays(Windows(corpus, OURS).notes(3), OURS), paint(moved, OURS))
