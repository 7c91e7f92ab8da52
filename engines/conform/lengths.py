"""Matching by lengths: shots in the order of both cuts, paired so that their lengths agree best (Needleman and Wunsch, 1970)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ALONE = 0.4
"""The price of a shot that is in one cut only; of a pair that differs, `CHANGED` and the part of the longer that is lost."""
CHANGED = 0.1
ROUNDING = 1e-9

Span = tuple[int, int]


def in_order(old: Sequence[Span], new: Sequence[Span], fits: Sequence[Sequence[bool]]) -> list[tuple[int, int]]:
    """The cheapest pairs (old, new), in order in both; ``fits`` says, by old and new, which may be one shot at all."""
    if not old or not new:
        return []
    lengths = np.array([end - start for start, end in new], float)
    alone = ALONE * np.arange(len(new) + 1)
    costs = np.empty((len(old) + 1, len(new) + 1))
    pairs = np.empty((len(old), len(new)))
    costs[0] = alone
    for k, (start, end) in enumerate(old):
        apart = np.abs(lengths - (end - start))
        pairs[k] = np.where(fits[k], apart / np.maximum(np.maximum(lengths, end - start), 1) + CHANGED * (apart > 0), np.inf)
        best = costs[k] + ALONE
        best[1:] = np.minimum(best[1:], costs[k, :-1] + pairs[k])
        # a shot of the new cut alone costs the same wherever it comes: a running minimum says how many came before
        costs[k + 1] = np.minimum.accumulate(best - alone) + alone
    out, k, j = [], len(old), len(new)
    while k and j:
        if costs[k, j] >= costs[k - 1, j - 1] + pairs[k - 1, j - 1] - ROUNDING:
            k, j = k - 1, j - 1
            out.append((k, j))
        elif costs[k, j] >= costs[k - 1, j] + ALONE - ROUNDING:
            k -= 1
        else:
            j -= 1
    return out[::-1]
