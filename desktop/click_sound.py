"""The click of a tempo map, heard against the picture: wood blocks on its beats, made sample by sample as the sound card asks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engines.picture.soundtrack import RATE
from engines.spotting.click import DOWNBEAT, click

if TYPE_CHECKING:
    from fractions import Fraction

    from engines.spotting.tempo import TempoMap

LENGTH_S, DECAY_S = 0.045, 0.008
HIGH, LOW = (1_760.0, 0.55), (1_174.7, 0.36)
"""Pitch in Hz and level (0..1) of a downbeat and of any other beat."""
Strokes = NDArray[np.int16]
"""Samples of 16 bits, one channel."""


@dataclass(frozen=True, eq=False)
class Beats:
    """When a click sounds, in rising seconds of the film, and whether it is a downbeat."""

    times: NDArray[np.float64]
    down: NDArray[np.bool_]


def beats_of(tempo_map: TempoMap, end: Fraction) -> Beats:
    """The clicks of a tempo map until ``end`` (seconds of the film)."""
    notes = click(tempo_map, end)
    times = np.array([float(tempo_map.seconds(note.start)) for note in notes])
    return Beats(times, np.array([note.pitch == DOWNBEAT for note in notes], bool))


def block(pitch: float, level: float) -> NDArray[np.float32]:
    """One stroke: a sine that dies away."""
    time = np.arange(round(LENGTH_S * RATE)) / RATE
    wave = level * np.sin(2 * np.pi * pitch * time) * np.exp(-time / DECAY_S)
    return wave.astype(np.float32)


def rendered(beats: Beats, start: float, speed: float, first: int, count: int) -> Strokes:
    """Samples ``first`` to ``first + count`` of a picture that rolls from second ``start`` on at ``speed``; a stroke begins on the sample
    nearest to its beat."""
    high, low = _STROKES
    out = np.zeros(count, np.float32)
    at = np.rint((beats.times - start) / speed * RATE)
    for k in range(*np.searchsorted(at, (first - len(high), first + count))):
        if at[k] < 0:
            continue
        stroke, begins = (high if beats.down[k] else low), int(at[k]) - first
        a, b = max(0, begins), min(count, begins + len(stroke))
        if a < b:
            out[a:b] += stroke[a - begins : b - begins]
    return (np.clip(out, -1, 1) * 32_767).astype("<i2")


_STROKES = block(*HIGH), block(*LOW)
