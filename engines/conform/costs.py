"""What each change of a recut costs: the bars around it that must be composed again."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from engines.conform.changes import Change
from engines.spotting.tempo import TempoMap

Run = tuple[int, int]
"""New bars: the first, from 0, and the one after the last."""

_HARD = ("new", "trimmed", "gone")
"""Changes of the picture itself; a shot that only moved has its bars with it, and costs some only at its ends."""


def costs(changes: Sequence[Change], new_bars: Sequence[Run], tempo_map: TempoMap, rate: Fraction) -> tuple[tuple[Run, ...], ...]:
    """For each change, in order, the runs of new bars that it brought about; ``rate`` is the new cut's.

    A run belongs to every shot that is new, gone or trimmed within it, else to those that moved and end in it, else to the nearest
    change. Where nothing changed, nothing costs: what is composed then is the end of the film.
    """
    extents = _extents(changes)
    edges = _edges(tempo_map, max((end for _, end in new_bars), default=0))
    owners: list[list[Run]] = [[] for _ in changes]
    for run in new_bars:
        start, end = (edges[bar] * rate for bar in run)
        for number in _owners(changes, extents, start, end):
            owners[number].append(run)
    return tuple(map(tuple, owners))


def _owners(changes: Sequence[Change], extents: Sequence[Sequence[tuple[int, int]]], start: Fraction, end: Fraction) -> list[int]:
    distance = {
        number: min(max(Fraction(0), low - end, start - high) for low, high in spans)
        for number, spans in enumerate(extents)
        if spans
    }
    for kinds in (_HARD, ("moved",)):
        inside = [number for number, away in distance.items() if not away and changes[number].kind in kinds]
        if inside:
            return inside
    nearest = min(distance.values(), default=None)
    return [number for number, away in distance.items() if away == nearest][:1]


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
