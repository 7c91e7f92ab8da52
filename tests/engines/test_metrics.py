"""Measures of music against values worked out by hand, and closed forms against the definition."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import OptionError
from engines.score.metrics import (
    best_key,
    compared,
    equal_bars,
    grooves,
    grooving_similarity,
    measure,
    out_of_key,
    overlap,
    pitch_class_entropy,
    polyphony,
    written,
)
from engines.score.notes import Note
from engines.score.smf import Score, smf_bytes
from engines.score.smf_reader import parse_smf
from engines.spotting.tempo import Metre, TempoMap

F = Fraction


def note(start: Fraction | float, pitch: int, length: Fraction | float = 1, velocity: int = 80) -> Note:
    return Note(F(start), pitch, F(length), velocity)


def test_entropy_of_one_four_and_twelve_pitch_classes() -> None:
    lines = equal_bars(8)
    assert pitch_class_entropy([note(k, 60 + 12 * (k % 3)) for k in range(8)], lines, 8) == pytest.approx(0, abs=1e-5)
    assert pitch_class_entropy([note(k, (60, 64, 67, 71)[k % 4]) for k in range(32)], lines, 8) == pytest.approx(2, abs=1e-4)
    chromatic = pitch_class_entropy([note(k % 32, k) for k in range(48)], lines, 8)
    assert chromatic == pytest.approx(log2(12), abs=1e-4)
    assert chromatic == pytest.approx(-12 * (1 / 12) * log2(1 / 12 + 1e-6), abs=1e-12)


def test_entropy_takes_whole_windows_and_skips_empty_ones() -> None:
    notes = [note(0, 60), note(1, 62), note(16, 60), note(17, 64), note(36, 61)]
    assert pitch_class_entropy(notes, equal_bars(10), 4) == pytest.approx(1, abs=1e-4)  # bars 9 and 10 are no window
    assert pitch_class_entropy(notes, equal_bars(12), 4) == pytest.approx(2 / 3, abs=1e-4)
    assert pitch_class_entropy(notes, equal_bars(10), 8) == pytest.approx(1.5, abs=1e-4)
    assert pitch_class_entropy(notes[:1], equal_bars(7), 8) is None
    assert pitch_class_entropy([], equal_bars(8), 8) is None


def test_groove_of_known_bars() -> None:
    quarters = [note(k, 60) for k in range(4)]
    halves = [note(4 + k, 60) for k in (0, 2)]
    assert grooves(quarters + halves, equal_bars(2)) == [{0, 4, 8, 12}, {0, 8}]
    assert grooving_similarity(quarters + halves, equal_bars(2)) == 1 - 2 / 16
    # three bars: pairs differ in 2, 4 (quarters against nothing) and 2 places
    assert grooving_similarity(quarters + halves, equal_bars(3)) == pytest.approx(1 - (2 + 4 + 2) / 16 / 3)
    assert grooving_similarity([note(k, 60) for k in range(16)], equal_bars(4)) == 1
    assert grooving_similarity(quarters, equal_bars(1)) is None


def test_grooves_follow_odd_bars_and_forgive_a_player() -> None:
    seven = [F(0), F(7, 2), F(15, 2)]
    assert grooves([note(F(7, 4), 60), note(F(7, 2), 60)], seven) == [{8}, {0}]
    assert grooves([note(F(399, 100), 60), note(F(101, 100), 60)], equal_bars(2)) == [{4}, {0}]


bars_of_places = st.lists(st.sets(st.integers(0, 15)), min_size=2, max_size=9)


@settings(max_examples=60, deadline=None)
@given(bars_of_places)
def test_the_closed_form_is_the_mean_over_all_pairs(drawn: list[set[int]]) -> None:
    notes = [note(4 * bar + F(place, 4), 60) for bar, places in enumerate(drawn) for place in places]
    pairs = [1 - len(a ^ b) / 16 for a, b in combinations(drawn, 2)]
    assert grooving_similarity(notes, equal_bars(len(drawn))) == pytest.approx(sum(pairs) / len(pairs))


def test_polyphony_counts_only_sounding_time() -> None:
    assert polyphony([note(0, 60), note(8, 64)]) == 1
    assert polyphony([note(0, 60, 2), note(0, 64, 2), note(0, 67, 2)]) == 3
    assert polyphony([note(0, 60, 2), note(1, 64, 2)]) == pytest.approx(4 / 3)
    assert polyphony([]) is None


def test_keys_and_what_lies_outside() -> None:
    c_major = [note(k, p, 2 if p in (60, 67) else 1) for k, p in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]
    assert best_key(c_major) == "C:maj"
    a_minor = [note(k, p, 2 if p in (57, 64) else 1) for k, p in enumerate((57, 59, 60, 62, 64, 65, 67, 69))]
    assert best_key(a_minor) == "A:min"
    in_e_flat = [Note(n.start, n.pitch + 3, n.length, n.velocity) for n in c_major]
    assert best_key(in_e_flat) == "Eb:maj"
    assert out_of_key(c_major) == 0
    assert out_of_key([*c_major, note(9, 61), note(10, 66)]) == 0.2
    assert out_of_key(c_major, "G:maj") == pytest.approx(1 / 8)
    assert out_of_key([]) is None
    with pytest.raises(OptionError, match="not a key"):
        out_of_key(c_major, "C")


def test_all_measures_of_a_small_piece() -> None:
    notes = [note(0, 60, 1, 60), note(0, 64, 1, 70), note(1, 67, 2, 80), note(4, 72, 4, 90), note(40, 100)]
    told = measure(notes, equal_bars(4))
    assert told["notes_per_bar"] == 1
    assert told["density"] == 3 / 4
    assert told["empty_bars"] == 0.5
    assert told["pitch_range"] == 12
    assert told["pitch_mean"] == 65.75
    assert told["length_mean_beats"] == 2
    assert told["velocity_mean"] == 75
    assert told["velocity_spread"] == pytest.approx(125**0.5)
    assert told["polyphony"] == pytest.approx(8 / 7)
    assert told["pche_8"] is None
    assert told["pche_1"] == pytest.approx(log2(3) / 2, abs=1e-4)
    assert measure([], equal_bars(8))["pitch_mean"] is None


def test_overlap_of_histograms() -> None:
    assert overlap([1, 2, 3], [1, 2, 3]) == 1
    assert overlap([0, 0], [10, 10]) == 0
    assert overlap([0, 10], [0, 0]) == 0.5
    assert overlap([5], [5, 5]) == 1
    assert overlap([], [1]) is None


def test_a_comparison_has_both_means_and_leaves_out_what_is_missing() -> None:
    table = compared([{"gps": 0.5, "pche_8": None}], [{"gps": 0.7}, {"gps": 0.9, "pche_8": 2.0}])
    assert table["gps"] == {"ours": 0.5, "real": pytest.approx(0.8), "real_spread": pytest.approx(0.1), "overlap": 0.0}
    assert table["pche_8"]["ours"] is None
    assert table["pche_8"]["overlap"] is None


def test_a_file_gives_back_its_notes_and_bars() -> None:
    tempo_map = TempoMap.steady(97, 2, Metre(7, 8))
    notes = (note(0, 60, 1, 60), note(F(7, 2), 64, F(7, 2), 70))
    read, lines = written(parse_smf(smf_bytes(Score(tempo_map, notes))))
    assert read == notes
    assert lines == [0, F(7, 2), 7]
