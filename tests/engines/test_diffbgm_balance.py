"""What a window keeps on its way: counts, lines, groove, register; and the outlines of bars that nobody described."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.diffbgm.balance import Balance, as_line, chance_of, held_by_notes, log_odds, shifted
from engines.diffbgm.data import Windows, build_corpus
from engines.diffbgm.outlines import BARS, outlined, outlines
from engines.diffbgm.pianoroll import OURS, STEPS
from engines.engine import BarBrief, Brief
from engines.score.notes import Note

CELLS = 2 * len(OURS.voices)


def balance(registers: list[float | None] | None = None, known: int = 0) -> Balance:
    """A balance whose first bars are known."""
    mask = np.zeros(OURS.shape, np.bool_)
    mask[:, : 16 * known] = True
    return Balance(OURS, mask, np.zeros((len(OURS.voices), STEPS, OURS.pitches), np.bool_), registers or [None] * BARS)


def rolls(seed: int, low: float = 0.0, high: float = 0.04) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (2, *OURS.shape)).astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 60))
def test_log_odds_are_shifted_until_the_count_is_right(seed: int, count: float) -> None:
    odds = log_odds(np.random.default_rng(seed).uniform(0.0005, 0.2, 1000).astype(np.float32))
    assert chance_of(odds + np.float32(shifted(odds, count))).sum() == pytest.approx(count, rel=0.03)


def test_as_many_onsets_are_expected_at_the_end_as_at_the_beginning() -> None:
    keep = balance()
    first = rolls(1)
    keep(first, first, 999)
    later = keep(rolls(2, 0, 0.01), rolls(2, 0, 0.01), 300)
    for voice in range(len(OURS.voices)):
        assert later[:, 2 * voice].sum() == pytest.approx(first[:, 2 * voice].sum(), rel=0.05)
    assert 0 <= later.min() <= later.max() <= 1


def test_what_is_known_is_left_alone() -> None:
    given_roll = rolls(3)
    out = balance([80.0] * BARS, known=4)(given_roll, given_roll, 500)
    assert np.array_equal(out[:, :CELLS, :64], given_roll[:, :CELLS, :64])
    assert not np.allclose(out[:, :CELLS, 64:], given_roll[:, :CELLS, 64:])


def test_a_line_moves_by_steps() -> None:
    odds = np.full((1, 16, 84), -7.0, np.float32)
    odds[0, [0, 4, 8], 40] = 5
    odds[0, 6, [42, 66]] = 0  # equally likely to the network: a step, and two octaves
    found = as_line(odds)
    assert found[0, 6, 42] > odds[0, 6, 42] > found[0, 6, 66]
    assert found[0, 6, 42] - found[0, 6, 66] > 4


def test_only_what_sounded_goes_on() -> None:
    begins, goes_on = np.zeros((8, 3), np.float32), np.full((8, 3), 0.9, np.float32)
    begins[2, 1] = 1
    held = held_by_notes(begins, goes_on)
    assert not held[:, [0, 2]].any()
    assert held[:3, 1].tolist() == [0, 0, 0]
    assert held[3:6, 1] == pytest.approx([0.9, 0.81, 0.729], abs=1e-5)


@pytest.mark.parametrize("register", [54.0, 72.0])
def test_a_bar_is_bent_towards_its_register(register: float) -> None:
    given_roll = rolls(4)
    keep = balance([register, *[None] * 7])
    keep(given_roll, given_roll, 999)
    out = keep(given_roll, given_roll, 500)
    pitch = np.arange(OURS.pitches) + OURS.lowest
    # the accompaniment alone, which is no line
    means = [(out[:, 4, 16 * bar : 16 * bar + 16] * pitch).sum() / out[:, 4, 16 * bar : 16 * bar + 16].sum() for bar in (0, 1)]
    assert abs(means[0] - register) < abs(means[1] - register) / 2


def test_a_place_that_the_bars_share_becomes_likelier_in_each() -> None:
    given_roll = np.full((1, *OURS.shape), 0.0004, np.float32)
    given_roll[:, 4, [s for s in range(STEPS) if s % 16 == 6 and s // 16 != 3], 30] = 0.9
    given_roll[:, 4, [48 + 6, 48 + 7], 30] = 0.3
    out = balance()(given_roll, given_roll, 500)
    assert out[0, 4, 48 + 6, 30] > 1.2 * out[0, 4, 48 + 7, 30]


def test_a_bar_that_takes_up_another_leans_to_what_it_plays() -> None:
    mask, free = np.zeros(OURS.shape, np.bool_), np.zeros((len(OURS.voices), STEPS, OURS.pitches), np.bool_)
    given_roll = np.full((1, *OURS.shape), 0.01, np.float32)
    given_roll[0, 4, 3, 30] = 0.99
    earlier = np.full((OURS.layers, 16, OURS.pitches), 0.0, np.float32)
    earlier[2, 7, 40] = 1.0
    again = Balance(OURS, mask, free, [None] * BARS, {4: 0, 5: earlier})(given_roll, given_roll, 500)
    plain = balance()(given_roll, given_roll, 500)
    assert again[0, 4, 64 + 3, 30] > 4 * plain[0, 4, 64 + 3, 30], "a bar of the window"
    assert again[0, 2, 80 + 7, 40] > 4 * plain[0, 2, 80 + 7, 40], "one from before it"
    assert again[0, 4, 96 + 3, 30] < 1.5 * plain[0, 4, 96 + 3, 30], "no other bar"


def known() -> np.ndarray:
    """Two outlines: a quiet sad one, a full happy one."""
    return np.array([[[4, 30, 60, 3]] * BARS, [[12, 70, 68, 1]] * BARS])


def bars(count: int, **fields: object) -> tuple[BarBrief, ...]:
    return tuple(BarBrief(Fraction(4 * k), Fraction(4), **fields) for k in range(count))  # type: ignore[arg-type]


def test_bars_of_which_nothing_is_said_are_like_those_of_a_song() -> None:
    rng = np.random.default_rng(1)
    sad = outlined(Brief(bars(10), mood=3), known(), rng)
    assert {(bar.density, bar.energy, bar.register) for bar in sad.bars} == {(4, 0.3, 60.0)}
    seen = {outlined(Brief(bars(2)), known(), np.random.default_rng(seed)).bars[0].density for seed in range(12)}
    assert seen == {4, 12}


def test_what_is_said_stays_and_chooses_what_goes_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.diffbgm.outlines.NEAREST", 1)
    rng = np.random.default_rng(1)
    told = outlined(Brief(bars(8, density=11)), known(), rng).bars
    assert {(bar.density, bar.register) for bar in told} == {(11, 68.0)}
    silent = BarBrief(Fraction(0), Fraction(4), density=0)
    assert outlined(Brief((silent,)), known(), rng).bars == (silent,)
    before = tuple(Note(Fraction(k), 60, Fraction(1), 64) for k in range(-16, 0))
    after_quiet = outlined(Brief(bars(2), before=before), known(), rng).bars
    assert after_quiet[0].density == 4
    short = outlined(Brief((BarBrief(Fraction(0), Fraction(2), (2, 4)),), mood=1), known(), rng).bars
    assert short[0].density == 6, "half a bar, half as many"


def test_a_bar_that_takes_up_another_has_its_outline() -> None:
    sources = (None,) * BARS + (0, None)
    brief = Brief(bars(BARS + 2))
    found = {
        seed: [
            (bar.density, bar.energy, bar.register) for bar in outlined(brief, known(), np.random.default_rng(seed), sources).bars
        ]
        for seed in range(20)
    }
    assert all(rows[BARS] == rows[0] for rows in found.values())
    told = Brief((*bars(BARS), BarBrief(Fraction(4 * BARS), Fraction(4), density=7)))
    assert outlined(told, known(), np.random.default_rng(1), (*(None,) * BARS, 0)).bars[-1].density == 7


def test_outlines_are_those_of_the_songs(shared: Path, tmp_path: Path) -> None:
    for name in ("001", "003"):
        (tmp_path / name).symlink_to(shared / "data" / "pop909" / name)
    windows = Windows(build_corpus(tmp_path, validation=False), OURS)
    found = outlines(windows)
    assert found.shape[1:] == (BARS, 4)
    assert 20 < len(found) <= len(windows)
    assert 1 <= found[:, :, 0].min() <= found[:, :, 0].max() <= 16
    assert 40 < found[:, :, 2].mean() < 80
    assert set(np.unique(found[:, :, 3])) <= {0, 1, 2, 3, 4}
