"""Widening: a bar or two more are given up where that lets new bars catch a hit that they would miss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from math import isfinite

from engines.conform.anchors import Anchor, runs
from engines.conform.filling import Fill, Filler
from engines.conform.keeping import Gap, Ground, fitting

BARS = 2
"""Bars that may be given up on each side of a gap."""
WORTH = 0.4
"""Weight of hits that a bar given up must win: a hard hit of usual weight is worth a bar, a heavy one two."""
LEFT = 2
"""Bars of a run that must stay."""


def widened(
    ground: Ground, filler: Filler, staying: Sequence[Anchor], fills: Mapping[Anchor | None, Fill]
) -> tuple[list[Anchor], dict[Anchor | None, Fill]]:
    """The same answer with the gaps wider that win hits by it, one after the other."""
    stretches = runs(staying)
    out = dict(fills)
    for k in range(len(stretches)):
        before = stretches[k - 1] if k else []
        start = before[-1] if before else None
        fill = out.get(start)
        if fill is None or fill.missed < WORTH:
            continue
        best, chosen = 0.0, None
        for gap, early, late in _wider(ground, before, stretches[k]):
            price = WORTH * (early + late)
            if fill.missed - price <= best or not isfinite(fitting(gap, ground.terms)):
                continue
            wide = filler.fill(gap)
            if wide and fill.missed - wide.missed - price > best:
                best, chosen = fill.missed - wide.missed - price, (gap.before, wide, early, late)
        if chosen:
            sooner, wide, early, late = chosen
            del out[start]
            out[sooner] = wide
            del before[len(before) - early :]
            del stretches[k][:late]
    return [anchor for run in stretches for anchor in run], out


def _wider(ground: Ground, before: Sequence[Anchor], after: Sequence[Anchor]) -> Iterator[tuple[Gap, int, int]]:
    """The gap between two runs with so many bars more on both sides, the fewest first."""
    for early, late in sorted(product(range(BARS + 1), repeat=2), key=sum):
        room = early <= max(0, len(before) - LEFT) and late <= max(0, len(after) - LEFT)
        if early + late and room:
            yield ground.gap(before[-1 - early] if before else None, after[late]), early, late
