"""Where scenes begin: runs of shots of similar character, about eight bars long, on bar lines near a cut."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from engines.spotting.hits import Hit
from engines.spotting.suggestion import BarPicture
from engines.spotting.tempo import Bar, TempoMap

USUAL = 8.0
"""Bars of 4/4 in a scene where the picture does not decide: two phrases of four."""
SHORTEST, LONGEST = 4.0, 14.0
"""Bars of 4/4 beyond which a scene is too short to say anything, or too long to be refilled in one thought."""
NEAR = Fraction(1)
"""Beats from a bar line within which a cut belongs to it."""


def default_scenes(
    bars: Sequence[Bar], tempo_map: TempoMap, hits: Sequence[Hit], seen: Sequence[BarPicture] | None = None
) -> tuple[int, ...]:
    """How many bars each scene has, in order; they cover all ``bars``.

    A scene costs the square of its distance from the usual length, and gains where it begins with a cut on its bar line and with
    a picture unlike the one before. The cheapest division is found over all of them.
    """
    sizes = [float(bar.metre.length) / 4 for bar in bars]
    gain = [0.0, *(_turn(k, bars, tempo_map, hits, seen) for k in range(1, len(bars)))]
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(bars) + 1):
        options = []
        length = 0.0
        for first in range(end - 1, -1, -1):
            length += sizes[first]
            options.append((best[first][0] + _odd(length) - gain[first], first))
            if length > 2 * LONGEST:
                break
        best.append(min(options))
    edges = [len(bars)]
    while edges[-1]:
        edges.append(best[edges[-1]][1])
    edges.reverse()
    return tuple(b - a for a, b in pairwise(edges))


def _odd(length: float) -> float:
    """The price of a scene's length."""
    beyond = max(0.0, SHORTEST - length, length - LONGEST)
    return ((length - USUAL) / USUAL) ** 2 + beyond


def _turn(k: int, bars: Sequence[Bar], tempo_map: TempoMap, hits: Sequence[Hit], seen: Sequence[BarPicture] | None) -> float:
    """0..1, how much bar ``k`` begins something new."""
    line = bars[k].start
    weight = max((hit.weight for hit in hits if abs(tempo_map.beat(hit.time) - line) <= NEAR), default=0.0)
    if not seen:
        return 0.3 * weight
    before, after = (seen[max(0, k - 2) : k], seen[k : k + 2])
    change = sum(abs(_mean(after, name) - _mean(before, name)) for name in ("activity", "luma"))
    return 0.3 * weight + 0.7 * min(1.0, change)


def _mean(bars: Sequence[BarPicture], name: str) -> float:
    return sum(float(getattr(bar, name)) for bar in bars) / len(bars)
