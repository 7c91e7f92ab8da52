"""A stretch of music is the same sound as the whole has there, wherever it is begun; it goes out within its bits."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from scipy.signal import butter, lfilter

from engines.score.instruments import INSTRUMENTS
from engines.score.sampler import RATE, Sampler, Voice, lowpass
from engines.score.soundfont import SoundFont, bundled_soundfont
from engines.score.stretch import KNEE, ROW, bent, stretch

SECONDS = 12


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler(SoundFont(bundled_soundfont()))


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Notes of five instruments, some struck before the film and some held over many stretches."""
    rng, made = Random(4), np.zeros(60, ROW)
    for row in made:
        row["start"], row["length"] = rng.randrange(-RATE, SECONDS * RATE), rng.choice((0.02, 0.3, 1.0, 6.0))
        row["pitch"], row["velocity"], row["program"] = (
            rng.randrange(40, 80),
            rng.randrange(20, 60),
            rng.choice((0, 11, 40, 48, 60)),
        )
    return np.sort(made)


def test_any_stretch_is_what_the_whole_has_there(sampler: Sampler, rows: np.ndarray) -> None:
    first = int(rows["start"].min())
    later = [Voice((start - first) / RATE, *rest) for start, *rest in rows.tolist()]
    whole = np.concatenate(list(sampler.blocks(later, SECONDS * RATE - first)), axis=1)[:, -first:].T
    assert np.abs(whole).max() < KNEE, "nothing is bent here"
    rng = Random(5)
    for _ in range(30):
        at, count = rng.randrange(SECONDS * RATE), rng.randrange(1, 3 * RATE)
        got = stretch(sampler, rows, at, count)
        there = whole[at : at + count]
        assert got.shape == (count, 2)
        assert np.abs(got[: len(there)] - there * 32767).max() <= 0.51


@pytest.mark.parametrize("name", ["piano", "marimba", "celesta", "guitar", "electric piano", "synth lead"])
def test_a_note_is_struck_on_its_sample(sampler: Sampler, name: str) -> None:
    row = np.array([(9_999, 0.5, 72, 100, INSTRUMENTS[name].program)], ROW)
    sound = np.abs(stretch(sampler, row, 0, RATE)).max(axis=1)
    first = int(np.argmax(sound > 0.005 * sound.max()))
    assert not sound[:9_999].any()
    assert 0 <= first - 9_999 < RATE / 1000, "within a millisecond"


@pytest.mark.parametrize("hertz", [20.0, 55.0, 440.0, 6_000.0, 19_000.0])
@pytest.mark.parametrize("length", [1, 300, 30_000])
def test_the_filter_is_the_one_that_everybody_has(hertz: float, length: int) -> None:
    wave = np.random.default_rng(1).standard_normal(length).astype(np.float32)
    above, below = butter(2, hertz, fs=RATE)
    assert np.abs(lowpass(wave, hertz) - lfilter(above, below, wave)).max() < 1e-6


def test_loud_music_is_bent_and_never_cut() -> None:
    rising = np.linspace(-3, 3, 10_001, dtype=np.float32)
    got = bent(np.stack([rising, rising]))
    quiet = np.abs(rising) <= KNEE
    assert (got[:, quiet] == rising[quiet]).all()
    assert np.abs(got).max() <= 1
    assert (np.diff(got[0]) >= 0).all()
    assert np.abs(np.diff(got[0], 2)).max() < 1e-4, "without a corner"


def test_forty_loud_notes_at_once_stay_within_their_bits(sampler: Sampler) -> None:
    crowd = np.array([(0, 1.0, 40 + k, 127, 60) for k in range(40)], ROW)
    got = stretch(sampler, crowd, 0, RATE)
    raw = sampler.stretch([Voice(0, 1, 40 + k, 127, 60) for k in range(40)], 0, RATE).T
    assert np.abs(raw).max() > 2
    assert (np.sign(got[np.abs(raw) > 0.01]) == np.sign(raw[np.abs(raw) > 0.01])).all(), "nothing wraps round"
    assert 32_000 < np.abs(got.astype(int)).max() <= 32_767
