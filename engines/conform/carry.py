"""Notes carried to the new cut with the bars that they belong to, and the spans that must be composed again."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import groupby

from engines.conform.anchors import lines
from engines.conform.replan import Replan
from engines.score.notes import Note, sorted_notes
from engines.spotting.tempo import TempoMap


def carry(notes: Iterable[Note], old_map: TempoMap, replanned: Replan, old_bars: int) -> tuple[Note, ...]:
    """The notes that begin in a bar that stays, at the same place of it; nothing else of them changes.

    A bar that the new cut shows twice has its notes twice. A note that sounds beyond its bar may reach into a new one.
    """
    edges = lines(old_map, old_bars)
    begins = lines(replanned.tempo_map, len(replanned.bars))
    places: dict[int, list[Fraction]] = defaultdict(list)
    for number, bar in enumerate(replanned.bars):
        if bar is not None:
            places[bar].append(begins[number] - edges[bar])
    out = []
    for note in notes:
        bar = bisect_right(edges, note.start) - 1
        out += [replace(note, start=note.start + later) for later in places.get(bar, ())]
    return sorted_notes(out)


def touched(replanned: Replan) -> tuple[tuple[int, int], ...]:
    """The spans of new bars (first, last exclusive; from 0) that are to be composed again."""
    return tuple(new_runs(replanned.bars))


def new_runs(bars: Sequence[int | None]) -> list[tuple[int, int]]:
    """The runs of bars that were none of the old ones: first, and one after the last."""
    out, at = [], 0
    for new, run in groupby(bars, key=lambda bar: bar is None):
        count = len(list(run))
        if new:
            out.append((at, at + count))
        at += count
    return out
