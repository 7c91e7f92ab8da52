"""The yardstick on music whose measures are known by hand."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sittings import saved, scored

import main
from engines.engine import BarBrief, Brief, HitBrief
from engines.errors import Cancelled, OptionError
from engines.score.metrics import equal_bars
from engines.score.notes import Note
from engines.score.smf import Score, write_smf
from engines.spotting.tempo import TempoMap
from engines.yardstick.alike import common, intervals, lengths, overlaps, pitches
from engines.yardstick.evaluate import control_errors, evaluate, retrieved
from engines.yardstick.pieces import floor, of_folder, of_pop909, windows
from engines.yardstick.retrieval import features, found_at
from engines.yardstick.spread import halves, interval
from engines.yardstick.structure import chroma, indicators, scape, similarity, structureness


def melody(*pitches: int, length: Fraction = Fraction(1)) -> tuple[Note, ...]:
    return tuple(Note(k * length, pitch, length, 80, "melody") for k, pitch in enumerate(pitches))


def test_the_interval_of_a_mean_holds_it_and_shrinks_with_more_pieces() -> None:
    few, many = interval([0.0, 1.0] * 5), interval([0.0, 1.0] * 500)
    assert few is not None
    assert many is not None
    assert few.mean == many.mean == 0.5
    assert few.low < 0.5 < few.high
    assert many.high - many.low < (few.high - few.low) / 5
    assert interval([]) is None
    assert interval([3.0] * 4) == interval([3.0] * 4)
    assert interval([3.0]).low == 3.0  # type: ignore[union-attr]


def test_two_halves_of_equal_values_do_not_differ_and_need_four() -> None:
    assert halves([2.0] * 10) == 0.0
    assert halves([1.0, 2.0, 3.0]) is None
    # of five 0 and five 1 the halves differ by 0.2, 0.6 or 1; in 95 of 100 draws by at most 0.6
    assert halves([0.0, 1.0] * 5) == pytest.approx(0.6)


def test_histograms_of_a_scale_in_quarters() -> None:
    scale = melody(60, 62, 64, 65)
    assert pitches(scale) == {60: 1, 62: 1, 64: 1, 65: 1}
    assert lengths(scale) == {Fraction(1): 4}
    assert intervals(scale) == {2: 2, 1: 1}
    assert intervals(melody(40, 90)) == {12: 1}, "a leap beyond an octave counts as one"
    assert common(pitches(scale), pitches(melody(60, 62, 70, 71))) == 0.5
    assert common(pitches(()), pitches(scale)) is None
    assert overlaps([scale], [scale]) == pytest.approx({"pitch_overlap": 1.0, "length_overlap": 1.0, "interval_overlap": 1.0})


@given(st.lists(st.integers(30, 100), min_size=1, max_size=30), st.lists(st.integers(30, 100), min_size=1, max_size=30))
def test_what_is_common_is_common_both_ways(one: list[int], other: list[int]) -> None:
    there, back = common(pitches(melody(*one)), pitches(melody(*other))), common(pitches(melody(*other)), pitches(melody(*one)))
    assert there == pytest.approx(back)
    assert 0 <= (there or 0) <= 1 + 1e-9


def test_control_errors_of_a_bar_that_is_one_onset_short() -> None:
    bars = (BarBrief(Fraction(0), Fraction(4), density=5), BarBrief(Fraction(4), Fraction(4), density=None))
    brief = Brief(bars, (HitBrief(Fraction(0), 1.0), HitBrief(Fraction(1), 0.5, hard=False)))
    found = control_errors(melody(60, 62, 64, 65), brief)
    assert found == {"density_error": [1], "unasked_empty": [0.0, 1.0], "strength_error": [1.0]}
    chord = tuple(Note(Fraction(0), pitch, Fraction(4), 80) for pitch in (48, 52, 55, 60, 64, 67))
    assert control_errors(chord, brief)["strength_error"] == [0.0], "six notes are the strongest hit"


def test_rows_find_themselves_and_chance_is_a_third() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(200, 9))
    same = found_at(rows, rows)
    assert same["p_at_1"] == same["p_at_20"] == 1.0
    assert same["mean_rank"] == 1.0
    others = found_at(rng.normal(size=(2000, 9)), rng.normal(size=(2000, 9)))
    assert others["p_at_20"] == pytest.approx(1 / 3, abs=0.04)
    assert others["chance_at_20"] == pytest.approx(1 / 3)
    assert others["mean_rank"] == pytest.approx(30.5, abs=1.5)
    with pytest.raises(ValueError, match="pair up"):
        found_at(rows, rows[:3])


def test_features_are_shares() -> None:
    found = features(melody(60, 62, 64, 65), equal_bars(1))
    assert len(found) == 44
    assert found[:12].sum() == pytest.approx(1)
    assert found[12:28].tolist() == [0.25 if k % 4 == 0 else 0 for k in range(16)]
    assert features((), equal_bars(1))[:39].sum() == 0


def tones(*frequencies: float, seconds: float = 2.0, rate: int = 22_050) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    return np.concatenate([np.sin(2 * np.pi * hertz * time) for hertz in frequencies])


def test_chroma_hears_an_a_and_a_c() -> None:
    found = chroma(tones(440.0, 523.25, seconds=4), 22_050)
    assert found.shape[0] == 12
    assert int(found[:, 2].argmax()) == 9
    assert int(found[:, -3].argmax()) == 0
    assert np.linalg.norm(found, axis=0) == pytest.approx(1)
    assert int(chroma(tones(440.0, seconds=4, rate=48_000), 48_000)[:, 3].argmax()) == 9


def slowly(matrix: np.ndarray, start: int, length: int) -> float:
    """The fitness of one segment by the textbook: a matrix of scores, then the way back through it."""
    part = matrix[:, start : start + length]
    n = len(part)
    score = np.full((n + 1, length + 1), -np.inf)
    back: dict[tuple[int, int], tuple[int, int]] = {}
    score[0, 0] = 0.0
    for row in range(1, n + 1):
        options = {(row - 1, 0): score[row - 1, 0], (row - 1, length): score[row - 1, length]}
        back[row, 0] = max(options, key=lambda cell: options[cell])
        score[row, 0] = options[back[row, 0]]
        score[row, 1], back[row, 1] = score[row, 0] + part[row - 1, 0], (row, 0)
        for column in range(2, length + 1):
            cells = [(row - 1, column - 1), (row - 2, column - 1), (row - 1, column - 2)]
            ways = {c: score[c] for c in cells if c[0] >= 0 and c[1] >= 1}
            back[row, column] = max(ways, key=lambda cell: ways[cell])
            score[row, column] = ways[back[row, column]] + part[row - 1, column - 1]
    end = max([(n, 0), (n, length)], key=lambda cell: score[cell])
    cell, visited = end, []
    while cell[0] > 0 or cell[1] > 0:
        if cell[1]:
            visited.append(cell)
        cell = back[cell]
    rows = sorted(row for row, _ in visited)
    paths = [[cell] for cell in visited[:1]]
    for before, after in pairwise(visited):
        if after[1] < before[1]:
            paths[-1].append(after)
        else:
            paths.append([after])
    covered = sum(path[0][0] - path[-1][0] + 1 for path in paths)
    if not rows:
        return 0.0
    total = (score[end] - length) / len(visited)
    covers = (covered - length) / n
    return max(0.0, 2 * total * covers / (total + covers)) if total + covers > 0 else 0.0


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 9), st.randoms(use_true_random=False))
def test_the_scape_is_that_of_the_textbook(n: int, random: object) -> None:
    rng = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    matrix = np.where(rng.random((n, n)) < 0.4, rng.random((n, n)), -2.0)
    matrix = np.maximum(matrix, matrix.T)
    np.fill_diagonal(matrix, 1.0)
    plot = scape(matrix)
    for length in range(1, n + 1):
        for start in range(n - length + 1):
            assert plot[length - 1, start] == pytest.approx(slowly(matrix, start, length), abs=1e-9)


def test_what_comes_back_has_structure_and_what_does_not_has_less() -> None:
    scale = [220.0 * 2 ** (k / 12) for k in (0, 4, 7, 2, 5, 9, 11, 1)]
    refrain = chroma(tones(*scale, *scale, *scale, seconds=1), 22_050)
    rng = np.random.default_rng(3)
    wander = chroma(tones(*(220.0 * 2 ** (k / 12) for k in rng.permutation(24)), seconds=1), 22_050)
    again, once = (indicators(scape(similarity(sound))) for sound in (refrain, wander))
    assert (again["si_mid"] or 0) > (once["si_mid"] or 0) + 0.1
    assert all(0 <= (value or 0) <= 1 for value in (*again.values(), *once.values()))
    assert indicators(np.zeros((8, 8)))["si_long"] is None
    with pytest.raises(Cancelled):
        scape(similarity(refrain), lambda: True)


def test_structure_of_a_file(tmp_path: Path) -> None:
    notes = melody(*([60, 64, 67, 72] * 8))
    path = write_smf(tmp_path / "a.mid", Score(TempoMap.steady(120), notes))
    found = structureness(path)
    assert found.keys() == {"si_short", "si_mid", "si_long"}
    assert 0 <= (found["si_short"] or 0) <= 1


def test_the_structure_of_real_music_and_of_the_floor_is_measured_too(tmp_path: Path) -> None:
    write_smf(tmp_path / "a.mid", Score(TempoMap.steady(160), melody(*([60, 64, 67, 72] * 4))))
    told = evaluate([tmp_path], tmp_path, structure=True).json()
    for row in (told["real"], told["sets"][tmp_path.name], told["sets"]["random floor"]):
        assert row["si_short"]["count"] == 1
        assert 0 <= row["si_short"]["mean"] <= 1


def test_windows_begin_with_the_music_and_lose_no_note() -> None:
    notes = tuple(Note(Fraction(k), 60, Fraction(1), 80) for k in range(8, 8 + 4 * 21))
    found = list(windows("x", notes, equal_bars(23)))
    assert [len(w.lines) - 1 for w in found] == [8, 8, 5]
    assert sum(len(w.notes) for w in found) == len(notes)
    assert len(list(windows("short", melody(60), equal_bars(1)))) == 1


def test_evaluate_tells_real_music_from_the_floor(shared: Path, tmp_path: Path) -> None:
    real = of_pop909(shared / "data" / "pop909", count=24)
    songs, others = tmp_path / "songs", tmp_path / "others"
    for folder, some in ((songs, real[:12]), (others, real[12:])):
        folder.mkdir()
        for number, window in enumerate(some):
            write_smf(folder / f"{number:03}.mid", Score(TempoMap.steady(100), window.notes))
    told = evaluate([songs], others).json()
    ours, chance = told["sets"]["songs"], told["sets"]["random floor"]
    assert ours["out_of_key"]["mean"] < 0.1 < chance["out_of_key"]["mean"]
    assert ours["pitch_overlap"] > 0.7
    assert ours["interval_overlap"] > chance["interval_overlap"] + 0.2
    assert not chance["out_of_key"]["within_halves"]
    found = retrieved(songs, songs)
    assert found["p_at_1"] == 1.0
    assert all(len(window.notes) == len(lot.notes) for window, lot in zip(real, floor(real), strict=True))


def test_the_verb_prints_one_object_and_one_line_for_a_folder_without_music(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_smf(tmp_path / "a.mid", Score(TempoMap.steady(100), melody(*range(60, 76))))
    assert main.main(["evaluate", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sets"][tmp_path.name]["density"]["mean"] == 4.0
    assert told["real"] is None
    assert main.main(["evaluate", str(tmp_path)]) == 0
    assert "density" in capsys.readouterr().out
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main.main(["evaluate", str(empty)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(OptionError):
        of_folder(tmp_path / "nowhere")


def test_hit_errors_of_notes_that_are_on_time_and_a_tenth_late(tmp_path: Path) -> None:
    """Cuts at 1, 2 and 3 s of a film at 25 fps: one file meets them, the other is 100 ms late everywhere."""
    cuts = tmp_path / "cuts.csv"
    cuts.write_text("frame,time_s,kind\n25,1.0,cut\n50,2.0,cut\n75,3.0,cut\n")
    for name, late in (("on", Fraction(0)), ("late", Fraction(1, 5))):
        folder = tmp_path / name
        folder.mkdir()
        notes = [Note(2 * k + late, 60 + k, Fraction(1), 90) for k in (1, 2, 3)]
        write_smf(folder / "a.mid", Score(TempoMap.steady(120), notes, length=Fraction(4)))
    told = evaluate([tmp_path / "on", tmp_path / "late"], cuts=cuts, rate=Fraction(25)).json()["sets"]
    assert told["on"]["hit_error_ms"]["mean"] == pytest.approx(0, abs=0.1)
    assert told["on"]["hits_within_1_frame"]["mean"] == 1
    assert told["late"]["hit_error_ms"]["mean"] == pytest.approx(100, abs=1)
    assert told["late"]["hits_within_1_frame"]["mean"] == 0


def test_sessions_tell_how_far_their_takes_keep_to_their_briefs(trio: str, tmp_path: Path) -> None:
    session = scored((3, 2))
    saved(session, tmp_path / "cue.hitpoint")
    write_smf(tmp_path / "a.mid", Score(TempoMap.steady(100), melody(*range(60, 76))))
    told = evaluate([tmp_path]).json()["sets"][tmp_path.name]
    assert told["unasked_empty"] == {"mean": 0.0, "low": 0.0, "high": 0.0, "count": 2}, "one value a scene"


def test_the_verb_prints_chance_beside_what_it_retrieves(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for folder in ("ours", "real"):
        (tmp_path / folder).mkdir()
        for k in range(3):
            write_smf(tmp_path / folder / f"{k}.mid", Score(TempoMap.steady(100), melody(*range(50 + 7 * k, 66 + 7 * k))))
    assert main.main(["evaluate", str(tmp_path / "ours"), "--retrieval", str(tmp_path / "real")]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line == "ours: P@20 1.000 of 3 rows (chance 1.000; by 44 counts of the notes of eight bars)"
