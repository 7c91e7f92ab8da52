"""A reel of two hours with two thousand shots, as numbers: what the timeline has to carry."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import numpy as np

from desktop.sheet import HitMark, SceneMark, Sheet
from engines.picture.timecode import Timecode
from engines.spotting.hits import Hit

RATE = Fraction(24000, 1001)


def long_sheet(shots: int = 2000, seconds: int = 7200) -> Sheet:
    """Shots of uneven length, a hit on every cut, bars of 4/4 at a tempo that bends, scenes of eight bars."""
    rng = Random(5)
    frames = int(seconds * RATE)
    cuts = np.array(sorted(rng.sample(range(24, frames - 24), shots - 1)), np.int64)
    at = cuts / float(RATE)
    verdicts = ("on", "on", "on", "on", "early", "late", "missed", "silent")
    marks = tuple(
        HitMark(
            Hit(int(frame), frame / RATE, round(rng.random(), 2), rng.random() < 0.7),
            rng.choice(verdicts),
            rng.uniform(-6, 6),
            "engine",
        )
        for frame in cuts.tolist()
    )
    lengths = 60 / (96 + 4 * np.sin(np.arange(seconds * 2) / 40))
    beats = np.concatenate(([0.0], np.cumsum(lengths)))
    beats = beats[beats < seconds]
    bars = beats[::4]
    eights = bars[::8]
    scenes = tuple(
        SceneMark(k + 1, "", float(start), float(end), 8 * k, 8, 1, 2, k % 5 == 0)
        for k, (start, end) in enumerate(zip(eights, [*eights[1:], bars[-1]], strict=True))
    )
    energy = np.array([rng.random() for _ in bars[:-1]])
    return Sheet(
        title="reel", start=Timecode.parse("01:00:00:00", RATE), rate=RATE, frames=frames, duration=float(frames / RATE),
        cuts=at, cut_frames=cuts, marks=marks, hit_at=at, bars=bars, metres=("4/4",) * (len(bars) - 1), beats=beats,
        tempo_at=beats[:-1:2], tempo=60 / lengths[: len(beats) - 1 : 2], scenes=scenes,
        curve_at=np.linspace(0, seconds, 8000), curve=np.abs(np.sin(np.arange(8000) / 30)),
        suggested=energy, own=np.where(energy > 0.7, energy / 2, np.nan), energy=energy,
    )  # fmt: skip
