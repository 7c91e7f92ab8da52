"""From many links that contradict each other to the stretches of picture that are in both cuts."""

from __future__ import annotations

import itertools
import operator
from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from engines.conform.strip import Link, Strip


def heaviest(links: Sequence[Link]) -> list[Link]:
    """The heaviest links that lie in the same order in both cuts, none over another."""
    if not links:
        return []
    ordered = sorted(links, key=operator.attrgetter("new_end", "old_end"))
    old, new = np.array([x.old for x in ordered]), np.array([x.new for x in ordered])
    old_end, new_end = np.array([x.old_end for x in ordered]), np.array([x.new_end for x in ordered])
    total, before = np.zeros(len(ordered)), np.full(len(ordered), -1)
    for k, link in enumerate(ordered):
        reached = int(np.searchsorted(new_end, new[k], side="right"))
        fits = np.where(old_end[:reached] <= old[k], total[:reached], -1.0)
        best = int(np.argmax(fits)) if reached else -1
        if best >= 0 and fits[best] > 0:
            before[k], total[k] = best, fits[best]
        total[k] += link.weight
    at, chosen = int(np.argmax(total)), []
    while at >= 0:
        chosen.append(ordered[at])
        at = int(before[at])
    return chosen[::-1]


def chosen(links: Sequence[Link]) -> list[Link]:
    """The links that hold, disjoint in the new cut and in its order.

    First those that keep the order of the cut. What they leave of the new picture is picture that moved: the heaviest link
    first, old picture that is nowhere else before old picture that is seen again.
    """
    kept = heaviest(links)
    unused = _beside(links, "old", sorted((x.old, x.old_end) for x in kept))
    taken = sorted((x.new, x.new_end) for x in kept)
    for rest in (unused, links):
        for link in sorted(rest, key=lambda x: (-x.weight, x.new, abs(x.offset))):
            for part in _beside([link], "new", taken):
                if 2 * part.frames >= link.frames:
                    kept.append(part)
                    insort(taken, (part.new, part.new_end))
    return sorted(kept, key=operator.attrgetter("new"))


def _beside(links: Iterable[Link], cut: str, taken: list[tuple[int, int]]) -> list[Link]:
    """What of the links lies beside the frames of one of the cuts (``old`` or ``new``) that are taken, in order and disjoint."""
    out = []
    for link in links:
        first = at = getattr(link, cut)
        end = first + link.frames
        for k in range(max(0, bisect_right(taken, (at,)) - 1), len(taken)):
            start, stop = taken[k]
            if start >= end:
                break
            if start > at:
                out.append(_part(link, at - first, start - at))
            at = max(at, stop)
        if at < end:
            out.append(_part(link, at - first, end - at))
    return out


def _part(link: Link, skipped: int, frames: int) -> Link:
    weight = link.weight * frames / link.frames
    return replace(link, old=link.old + skipped, new=link.new + skipped, frames=frames, weight=weight)


def within_shots(links: Iterable[Link], old: Strip, new: Strip) -> list[Link]:
    """The same links, cut where either list has a cut."""
    out = []
    for link in links:
        edges = {link.new, link.new_end}
        edges |= {start - link.offset for start in _between(old.starts, link.old, link.old_end)}
        edges |= set(_between(new.starts, link.new, link.new_end))
        ordered = sorted(edges)
        out += [_part(link, a - link.new, b - a) for a, b in itertools.pairwise(ordered)]
    return out


def _between(starts: list[int], first: int, end: int) -> list[int]:
    return starts[bisect_right(starts, first) : bisect_right(starts, end - 1)]


def shot_at(strip: Strip, frame: int) -> int:
    """The shot that shows a frame; shots of no length show none."""
    return bisect_right(strip.starts, frame) - 1
