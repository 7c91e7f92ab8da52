"""What each change of a recut costs: the bars around it that must be composed again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor

import numpy as np

from engines.conform.changes import Change
from engines.spotting.tempo import TempoMap

Run = tuple[int, int]
"""New bars: the first, from 0, and the one after the last."""

_RANK = {"new": 0, "trimmed": 0, "gone": 0, "moved": 1}
"""Changes of the picture itself come first; a shot that only moved has its bars with it, and costs some only at its ends."""
_NONE = np.zeros(0, np.int64)


def costs(changes: Sequence[Change], new_bars: Sequence[Run], tempo_map: TempoMap, rate: Fraction) -> tuple[tuple[Run, ...], ...]:
    """For each change, in order, the runs of new bars that it brought about; ``rate`` is the new cut's.

    A run belongs to every shot that is new, gone or trimmed within it, else to those that moved and end in it, else to the nearest
    change. Where nothing changed, nothing costs: what is composed then is the end of the film.
    """
    extents = [(number, low, high) for number, spans in enumerate(_extents(changes)) for low, high in spans]
    numbers, low, high = (np.array(column, np.int64) for column in zip(*extents, strict=True)) if extents else (_NONE,) * 3
    ranks = np.array([_RANK.get(changes[number].kind, len(_RANK)) for number in numbers], np.int64)
    edges = _edges(tempo_map, max((end for _, end in new_bars), default=0))
    owners: list[list[Run]] = [[] for _ in changes]
    for run in new_bars if len(numbers) else ():
        start, end = (edges[bar] * rate for bar in run)
        away = np.maximum(np.maximum(low - floor(end), ceil(start) - high), 0)  # whole frames: 0 is in the run, or at its edge
        nearest = away == away.min()
        mine = nearest & (ranks == ranks[nearest].min()) if not away.min() else np.arange(len(away)) == np.argmin(away)
        for number in sorted({int(number) for number in numbers[mine]}):
            owners[number].append(run)
    return tuple(map(tuple, owners))


def _extents(changes: Sequence[Change]) -> list[list[tuple[int, int]]]:
    """Where each change is seen, in frames of the new cut: a new shot whole, of a trimmed one the ends that changed, of one that moved
    both ends, one that is gone where it was taken out. Nothing of a shot that is as it was."""
    out: list[list[tuple[int, int]]] = []
    before = 0
    for change in changes:
        place = change.new
        if place is None:
            out.append([(before, before)])
            continue
        ends = [(place.start, place.start), (place.end, place.end)]
        seen = {
            "new": [(place.start, place.end)],
            "moved": ends,
            "trimmed": [end for end, frames in zip(ends, (change.head, change.tail), strict=True) if frames],
        }
        out.append(seen.get(change.kind, []))
        before = place.end
    return out


def _edges(tempo_map: TempoMap, bars: int) -> list[Fraction]:
    """The bar lines in seconds of the film."""
    beat, metres = Fraction(0), tempo_map.metres
    edges = [tempo_map.seconds(beat)]
    for bar in range(bars):
        beat += metres[min(bar, len(metres) - 1)].length
        edges.append(tempo_map.seconds(beat))
    return edges
