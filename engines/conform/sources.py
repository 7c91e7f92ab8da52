"""Matching by source: the same reel or clip, the same stretch of it, at the same speed."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from math import floor

from engines.conform.strip import Link, Strip, reel_of, says_source
from engines.picture.cutlist import Shot

MOST = 12
"""Places in the old cut that are weighed for one shot: the longest stretches, of equal ones the nearest."""

ALIKE = Fraction(1, 500)
"""Speeds that differ by less are one speed, written with other digits."""


def by_source(old: Strip, new: Strip) -> list[Link]:
    """Every stretch of the old cut that shows the same stretch of a source as a shot of the new cut.

    Source times are labels, counted in frames of each list; where that finds less (a list was carried over to another rate),
    they are seconds.
    """
    labels = _links(old, new, old.rate, new.rate)
    if old.rate == new.rate:
        return labels
    seconds = _links(old, new, new.rate, new.rate)
    return max((labels, seconds), key=lambda links: sum(link.frames for link in links))


def _links(old: Strip, new: Strip, old_rate: Fraction, new_rate: Fraction) -> list[Link]:
    known: dict[str, list[int]] = defaultdict(list)
    for number, shot in enumerate(old.shots):
        for key in _keys(shot):
            known[key].append(number)
    links: list[Link] = []
    for number, shot in enumerate(new.shots):
        found = []
        for other in sorted({k for key in _keys(shot) for k in known.get(key, ())}):
            if not one_source(old.shots[other], shot):
                continue
            link = shared(old, other, new, number, old_rate, new_rate)
            if link:
                found.append((-link.frames, abs(other - number), link))
        links += [link for *_, link in sorted(found, key=operator.itemgetter(0, 1))[:MOST]]
    return links


def _keys(shot: Shot) -> Iterator[str]:
    if says_source(shot):
        if shot.name:
            yield f"name {shot.name}"
        if reel_of(shot):
            yield f"reel {reel_of(shot)}"


def one_source(one: Shot, other: Shot) -> bool:
    """Whether two shots name one source: a reel or a name in common, and neither of the two contradicts."""
    names = (one.name, other.name)
    reels = (reel_of(one), reel_of(other))
    return all(a == b or not (a and b) for a, b in (names, reels)) and any(a and a == b for a, b in (names, reels))


def shared(
    old: Strip, old_shot: int, new: Strip, new_shot: int, old_rate: Fraction | None = None, new_rate: Fraction | None = None
) -> Link | None:
    """The frames for which two shots show the same time of a source, None where they show none."""
    one, other = old.shots[old_shot], new.shots[new_shot]
    if one.source_in is None or other.source_in is None or abs(one.speed - other.speed) > ALIKE:
        return None
    ahead = other.source_in * (new_rate or new.rate) - one.source_in * (old_rate or old.rate)
    (a, a_end), (b, b_end) = old.spans[old_shot], new.spans[new_shot]
    if other.speed == 0:
        if ahead:
            return None
        offset = a - b
    else:
        offset = a - b + floor(ahead / other.speed + Fraction(1, 2))
    start, end = max(b, a - offset), min(b_end, a_end - offset)
    return Link(start + offset, start, end - start, float(end - start)) if start < end else None
