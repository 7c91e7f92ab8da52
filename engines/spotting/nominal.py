"""Nominal tempos: which of a range are worth a search, judged by how much each could catch if tempo changes cost nothing."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import numpy as np

from engines.spotting.price import Array
from engines.spotting.sheet import Sheet
from engines.spotting.stretches import REACH, skipped

STEPS = 4
"""Nominal tempos are tried in steps of so many parts of a beat a minute."""
EFFORT = 14200
"""Nominal tempos times hits that a search may take on, so that the time grows no faster than the film, ..."""
FEWEST = 48
"""... but at least so many nominal tempos."""
BAND = 0.06
"""Half of them are the best of their own neighbourhoods, as wide as this part of a tempo, so that no region is left out."""


def nominals(low: Fraction, high: Fraction) -> list[Fraction]:
    """The nominal tempos of a range: quarter beats a minute; the ends if there is none."""
    return [Fraction(k, STEPS) for k in range(ceil(low * STEPS), floor(high * STEPS) + 1)] or sorted({low, high})


def worthwhile(sheet: Sheet, tempos: list[Fraction]) -> list[Fraction]:
    """As many of the tempos (beats a minute, rising) as a search may take on for this cue: those that promise most."""
    most = max(FEWEST, EFFORT // max(1, len(sheet.hits)))
    if len(tempos) <= most:
        return tempos
    hope = promise(sheet, tempos)
    order = [int(k) for k in np.argsort(-hope, kind="stable")]
    band = np.floor(np.log([float(tempo) for tempo in tempos]) / np.log1p(BAND)).astype(int)
    ranked: dict[int, list[int]] = {}
    for k in order:
        ranked.setdefault(int(band[k]), []).append(k)
    own = max(1, most // (2 * len(ranked)))
    chosen = dict.fromkeys(k for ranks in ranked.values() for k in ranks[:own])
    for k in order:
        if len(chosen) >= most:
            break
        chosen[k] = None
    return [tempos[k] for k in sorted(chosen)]


def promise(sheet: Sheet, tempos: list[Fraction]) -> Array:
    """The most weight that hits caught one after another can have at each tempo, whatever the changes; shape (tempos,).

    A tempo at which a closed cue cannot reach its end promises less than nothing.
    """
    times, limit = sheet.offsets, float(sheet.bend) + 1e-9
    weights = sheet.weights[skipped(sheet, np.arange(len(times))) - 1]  # of the start it does not count
    pulses = np.array([float(tempo) for tempo in tempos]) * (sheet.subdivision / 60)
    best = np.zeros((len(times), len(tempos)))
    for node in range(1, len(times)):
        from_start = sheet.closed and node == len(times) - 1 and node > REACH
        before = np.r_[[0] if from_start else [], max(0, node - REACH) : node].astype(int)
        ideal = (times[node] - times[before])[:, None] * pulses
        fits = np.abs(np.maximum(np.rint(ideal), 1) / ideal - 1) <= limit
        best[node] = np.where(fits, best[before], -np.inf).max(axis=0) + weights[node]
    hope: Array = best[-1] if sheet.closed else best.max(axis=0)
    return hope
