"""Retrieval: how often the music for a picture finds the real music of the same picture, by Diff-BGM's published procedure.

That procedure compares rows of a network's audio features, whose weights may not be shipped; here a row is what can be counted in
eight bars of notes (see `features`). Chance is the same: of 60 candidates, 20 are a third.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engines.score.metrics import SLOTS, grooves
from engines.score.notes import Note

CANDIDATES = 60
"""Real rows that a row is looked for among, its own included."""
FIRST = 500
"""Rows from which the other candidates are drawn."""
RANKS = (1, 5, 10, 20)


def features(notes: Sequence[Note], lines: Sequence[Fraction]) -> NDArray[np.float64]:
    """44 numbers of some bars: shares of pitch classes (12), of places in the bar (16) and of octaves (11), notes a bar, mean and
    spread of pitch, mean length, mean velocity."""
    bars = max(1, len(lines) - 1)
    inside = [note for note in notes if lines[0] <= note.start < lines[-1]]
    classes, octaves, places = np.zeros(12), np.zeros(11), np.zeros(SLOTS)
    for note in inside:
        classes[note.pitch % 12] += 1
        octaves[note.pitch // 12] += 1
    for pattern in grooves(inside, lines):
        for place in pattern:
            places[place] += 1
    pitch = np.array([note.pitch for note in inside] or [60])
    rest: list[float] = [
        len(inside) / bars / 16,
        float(pitch.mean()) / 128,
        float(pitch.std()) / 24,
        float(np.mean([float(note.length) for note in inside])) / 4 if inside else 0.0,
        float(np.mean([note.velocity for note in inside])) / 128 if inside else 0.0,
    ]
    shares = [counts / max(1.0, counts.sum()) for counts in (classes, places, octaves)]
    return np.concatenate([*shares, rest])


def found_at(ours: NDArray[np.float64], real: NDArray[np.float64], seed: int = 0) -> dict[str, float]:
    """The share of rows of ``ours`` whose own row of ``real`` is among the most alike 1, 5, 10 and 20 of `CANDIDATES`, and chance.

    Rows (n, d) belong together by their place; alike is the cosine after every number was scaled by its spread in ``real``. With
    fewer than `CANDIDATES` rows all of them are candidates. Raises ValueError where the two are not alike in shape.
    """
    if ours.shape != real.shape or ours.ndim != 2 or not len(ours):
        raise ValueError(f"rows must pair up, not {ours.shape} with {real.shape}")
    middle, spread = real.mean(axis=0), np.maximum(real.std(axis=0), 1e-9)
    one, other = ((rows - middle) / spread for rows in (ours, real))
    one /= np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-9)
    other /= np.maximum(np.linalg.norm(other, axis=1, keepdims=True), 1e-9)
    rng = np.random.default_rng(seed)
    pool, count = min(FIRST, len(real)), min(CANDIDATES, len(real))
    ranks = []
    for row in range(len(ours)):
        drawn = rng.choice(pool, size=count, replace=False)
        if row not in drawn:
            drawn[0] = row
        alike = other[drawn] @ one[row]
        mine = alike[drawn == row][0]
        ranks.append(int((alike > mine).sum()) + 1)
    placed = np.array(ranks)
    table = {f"p_at_{k}": float((placed <= k).mean()) for k in RANKS}
    return table | {"mean_rank": float(placed.mean()), "chance_at_20": min(1.0, 20 / count)}
