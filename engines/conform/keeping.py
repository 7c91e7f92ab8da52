"""Which anchors stay: as many as can be, so that whole bars fit between them at a tempo near the cue's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, inf

from engines.conform.anchors import Anchor

SEAM = 0.3
"""In bars kept: the price of a gap that must be filled, so that a single bar between two of them is worth little."""
JUMP = 0.1
"""Of two bars that meet without a gap, but did not follow each other."""
BENT = 0.5
"""Of a gap whose tempo bends as far as it may."""
LONE = 0.25
"""Of a gap that ends with a bar of less than half the usual length."""
APART = 64
"""Anchors that a gap may swallow: a dozen beats fit at any tempo within 4 %, so it takes more only where nothing bends."""
CLOSE = 1e-9
"""Beats, or parts of one, that differ by less are equal: times are compared exactly when they are used."""


@dataclass(frozen=True)
class Terms:
    """What may fill a gap: ``pulses`` in a bar, of ``beats`` (quarter notes) each; ``bend`` is a part of the nominal tempo."""

    pulses: int
    beats: Fraction
    bend: Fraction


@dataclass(frozen=True)
class Gap:
    """New bars from ``start`` to ``end`` (seconds of the new film), at ``bpm``; which anchors they lie between, None for the
    edge of the cue. At the cue's head the first bar may be a pickup."""

    before: Anchor | None
    after: Anchor | None
    start: Fraction
    end: Fraction
    bpm: Fraction


@dataclass(frozen=True)
class Ground:
    """The new cue's ``start`` and ``end`` in seconds of the film, the anchors in their order in it, its nominal tempo ``bpm``, and
    the shortest and longest beat of every old bar as it will sound."""

    start: Fraction
    end: Fraction
    anchors: Sequence[Anchor]
    bpm: Fraction
    beats: Sequence[tuple[Fraction, Fraction]]
    terms: Terms

    def gap(self, before: Anchor | None, after: Anchor | None) -> Gap:
        """The gap between two anchors that stay."""
        start = before.end if before else self.start
        end = after.start if after else self.end
        return Gap(before, after, start, end, self._bpm(before, after))

    def _bpm(self, before: Anchor | None, after: Anchor | None) -> Fraction:
        """The cue's nominal tempo where the bars on both sides keep to it; else one between them."""
        sides = [self.beats[anchor.bar] for anchor in (before, after) if anchor]
        slow, fast = 60 / max(most for _, most in sides), 60 / min(least for least, _ in sides)
        if slow >= self.bpm * (1 - self.terms.bend) - CLOSE and fast <= self.bpm * (1 + self.terms.bend) + CLOSE:
            return self.bpm
        return ((slow + fast) / 2).limit_denominator(1000)

    def opens(self, first: Anchor) -> bool:
        """Whether the cue can begin with an anchor at once: before it there is less than a beat."""
        return first.start - self.start < self.beats[first.bar][0]


def kept(ground: Ground, banned: Collection[tuple[Anchor | None, Anchor | None]] = ()) -> list[Anchor]:
    """The anchors that stay, in order: most bars, then least bend; never two of ``banned`` side by side.

    The best path through the anchors: each is worth a bar, each gap has its price.
    """
    own = [anchor for anchor in ground.anchors if ground.start <= anchor.start < ground.end]
    value, before = [-inf] * len(own), [-1] * len(own)
    for k, anchor in enumerate(own):
        if (None, anchor) not in banned:
            value[k] = 1 - _opening(ground, anchor)
        for j in range(k - 1, max(-1, k - 1 - APART), -1):
            seamless = own[j].end == anchor.start
            if value[j] + 1 - (0 if seamless else SEAM) <= value[k] or (own[j], anchor) in banned:
                continue
            worth = value[j] + 1 - _between(ground, own[j], anchor)
            if worth > value[k]:
                value[k], before[k] = worth, j
    ends = [value[k] - (SEAM if anchor.end < ground.end else 0) for k, anchor in enumerate(own)]
    at = max(range(len(own)), key=lambda k: ends[k], default=-1)
    if at < 0 or ends[at] <= 0:
        return []
    out = []
    while at >= 0:
        out.append(own[at])
        at = before[at]
    return out[::-1]


def _opening(ground: Ground, first: Anchor) -> float:
    if ground.opens(first):
        return 0.0 if first.start == ground.start else JUMP
    return fitting(ground.gap(None, first), ground.terms)


def _between(ground: Ground, one: Anchor, other: Anchor) -> float:
    if one.end == other.start:
        return 0.0 if one.bar + 1 == other.bar else JUMP
    return fitting(ground.gap(one, other), ground.terms) if one.end < other.start else inf


def fitting(gap: Gap, terms: Terms) -> float:
    """The price of filling a gap with whole beats, infinite where that bends too far."""
    ideal = float((gap.end - gap.start) * gap.bpm / 60 / terms.beats)
    low, high = ceil(ideal * float(1 - terms.bend) - CLOSE), floor(ideal * float(1 + terms.bend) + CLOSE)
    nearest = range(max(1, low, round(ideal) - terms.pulses), min(high, round(ideal) + terms.pulses) + 1)
    return min((_priced(pulses, ideal, gap, terms) for pulses in nearest), default=inf)


def _priced(pulses: int, ideal: float, gap: Gap, terms: Terms) -> float:
    bent = abs(pulses / ideal - 1) / float(terms.bend) if terms.bend else 0.0
    rest = pulses % terms.pulses
    lone = gap.before is not None and 0 < 2 * rest < terms.pulses
    return SEAM + BENT * bent + LONE * lone
