"""How sure a mean is, and how far two halves of the same music lie apart: the distance that no engine can be asked to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

DRAWS = 2_000
"""Samples that a bootstrap draws (Efron 1979)."""


@dataclass(frozen=True)
class Interval:
    """A mean with the interval that holds it in 95 of 100 draws, of so many pieces."""

    mean: float
    low: float
    high: float
    count: int


def interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """The bootstrap interval of a mean; None without values."""
    if not len(values):
        return None
    drawn = np.asarray(values, float)
    rng = np.random.default_rng(seed)
    means = drawn[rng.integers(0, len(drawn), (DRAWS, len(drawn)))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(drawn.mean()), float(low), float(high), len(drawn))


def halves(values: Sequence[float], seed: int = 0) -> float | None:
    """How far the means of two random halves of some music lie apart at most in 95 of 100 draws; None for fewer than four pieces."""
    if len(values) < 4:
        return None
    drawn, rng = np.asarray(values, float), np.random.default_rng(seed)
    half = len(drawn) // 2
    order = rng.permuted(np.tile(drawn, (DRAWS, 1)), axis=1)
    apart = np.abs(order[:, :half].mean(axis=1) - order[:, half : 2 * half].mean(axis=1))
    return float(np.percentile(apart, 95))
