"""Filling: the stretches between bars that stay, solved anew so that both bar lines are met exactly."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from engines.conform.anchors import Anchor
from engines.conform.keeping import Gap, Ground, kept
from engines.errors import SpottingError
from engines.spotting.candidates import Candidate
from engines.spotting.hits import Hit
from engines.spotting.solve import solve
from engines.spotting.splice import rounded_off
from engines.spotting.tempo import Metre, TempoMap

ALMOST = 1e-6
"""Percent: bends, as floats, that differ by less are equal."""
Sides = tuple[Anchor | None, Anchor | None]


@dataclass(frozen=True)
class Fill:
    """New bars for a gap: their map, whose beat 0 is the gap's start, their metres, and the weight of the hits that they miss."""

    tempo_map: TempoMap
    metres: tuple[Metre, ...]
    missed: float


@dataclass(frozen=True)
class Filler:
    """What every gap is filled with: the new hits in order, the cue's metre, and how far tempo may bend in percent."""

    hits: Sequence[Hit]
    metre: Metre
    max_bend: Fraction
    subdivision: int

    @cached_property
    def times(self) -> list[Fraction]:
        """Of the hits."""
        return [hit.time for hit in self.hits]

    def fill(self, gap: Gap) -> Fill | None:
        """The best bars for a gap, None where none bends little enough."""
        inside = slice(bisect_left(self.times, gap.start), bisect_right(self.times, gap.end))
        try:
            found = solve(
                self.hits[inside],
                gap.end,
                (gap.bpm, gap.bpm),
                self.max_bend,
                (self.metre,),
                self.subdivision,
                start=gap.start,
                pickup=gap.before is None,
                closed=gap.after is not None,
            )
        except SpottingError:
            return None
        for answer in found:
            fill = self._checked(answer, gap)
            if fill:
                return fill
        return None

    def _checked(self, answer: Candidate, gap: Gap) -> Fill | None:
        tempo_map, missed = answer.tempo_map, sum(catch.hit.weight for catch in answer.catches if not catch.caught)
        if gap.after is None:
            metres = tuple(bar.metre for bar in answer.bars)
            return Fill(tempo_map, metres, missed) if tempo_map.origin == gap.start else None
        metres = tempo_map.metres
        last = tempo_map.seconds(sum((metre.length for metre in metres), Fraction(0)))
        bends = answer.max_bend_percent > float(self.max_bend) + ALMOST
        if tempo_map.origin != gap.start or last != gap.end or bends:
            return None
        whole = self.metre.length.denominator != 1 or all(metre.length.denominator == 1 for metre in metres)
        return Fill(tempo_map, rounded_off(metres, self.metre), missed) if whole else None


def settled(ground: Ground, filler: Filler) -> tuple[list[Anchor], dict[Anchor | None, Fill]]:
    """The anchors that stay, and what fills the gap after each of them (None: before the first).

    A gap that the solver cannot fill is given up, and the best way without it taken.
    """
    solved: dict[Sides, Fill | None] = {}
    while True:
        staying = kept(ground, {sides for sides, fill in solved.items() if fill is None})
        gaps = open_gaps(ground, staying)
        for gap in gaps:
            if (gap.before, gap.after) not in solved:
                solved[gap.before, gap.after] = filler.fill(gap)
        fills = {gap.before: solved[gap.before, gap.after] for gap in gaps}
        whole = {before: fill for before, fill in fills.items() if fill is not None}
        if len(whole) == len(gaps):
            return staying, whole


def open_gaps(ground: Ground, staying: Sequence[Anchor]) -> list[Gap]:
    """The gaps between anchors that stay, and at both ends of the cue where there is room for a beat."""
    if not staying:
        return []
    sides: list[Sides] = [] if ground.opens(staying[0]) else [(None, staying[0])]
    sides += [(one, other) for one, other in itertools.pairwise(staying) if one.end < other.start]
    gaps = [ground.gap(*pair) for pair in sides]
    tail = ground.gap(staying[-1], None)
    return [*gaps, tail] if (tail.end - tail.start) * tail.bpm >= 60 else gaps
