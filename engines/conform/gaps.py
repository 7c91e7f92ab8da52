"""Shots that neither source nor picture tells apart, paired by their lengths between the same neighbours."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from engines.conform.chain import heaviest, shot_at
from engines.conform.lengths import in_order
from engines.conform.pictures import dark
from engines.conform.sources import shared
from engines.conform.strip import Link, Strip, reel_of, says_source
from engines.picture.cutlist import Shot

MOST = 0.8
"""Of what two shots have in common at one offset, the part that must agree for the rest to be taken for the same shot."""

Fits = Callable[[int, int], bool]


def by_length(old: Strip, new: Strip, held: Sequence[Link], fits: Fits) -> list[Link]:
    """Links between shots that have none yet; ``held`` lie within shots, ``fits(old, new)`` says which two may be one shot."""
    pairs = sorted({(shot_at(old, link.old), shot_at(new, link.new)) for link in held})
    old_seen, new_seen = {k for k, _ in pairs}, {j for _, j in pairs}
    fences = heaviest([Link(k, j, 1, 1.0) for k, j in pairs])
    links, k, j = [], 0, 0
    for old_fence, new_fence in [*((f.old, f.new) for f in fences), (len(old.shots), len(new.shots))]:
        olds = [n for n in range(k, old_fence) if n not in old_seen]
        news = [n for n in range(j, new_fence) if n not in new_seen]
        k, j = old_fence + 1, new_fence + 1
        if olds and news:
            spans = [old.spans[n] for n in olds], [new.spans[n] for n in news]
            found = in_order(*spans, [[fits(a, b) for b in news] for a in olds])
            links += [_aligned(old, olds[a], new, news[b]) for a, b in found]
    return sorted((link for link in [*held, *links] if link.frames), key=operator.attrgetter("new"))


def extended(old: Strip, new: Strip, held: Sequence[Link]) -> list[Link]:
    """Links grown to the ends of their shots where pictures agree in most of the shot: dark ends, a title, an effect that is new."""
    out: list[Link] = []
    for n, link in enumerate(held):
        (a, a_end), (b, b_end) = old.spans[shot_at(old, link.old)], new.spans[shot_at(new, link.new)]
        first = max(b, a - link.offset, out[-1].new_end if out else 0)
        end = min(b_end, a_end - link.offset, held[n + 1].new if n + 1 < len(held) else b_end)
        if link.frames >= MOST * (end - first):
            link = Link(first + link.offset, first, end - first, link.weight)
        out.append(link)
    return out


def of_lengths_alone(old: Strip, new: Strip) -> Fits:
    """Any two shots, but black with black alone where both lists know black."""
    old_dark, new_dark = list(dark(old)), list(dark(new))
    known = any(old_dark) and any(new_dark)
    return lambda a, b: not known or old_dark[a] == new_dark[b]


def of_darkness(old: Strip, new: Strip) -> Fits:
    """Black, which is alike everywhere."""
    old_dark, new_dark = list(dark(old)), list(dark(new))
    return lambda a, b: old_dark[a] and new_dark[b]


def of_names(old: Strip, new: Strip) -> Fits:
    """Black; shots that name no source; and those of which reel or name alone agrees, where no other shot of either list claims
    the same time of it."""
    black = of_darkness(old, new)

    def fits(a: int, b: int) -> bool:
        one, other = old.shots[a], new.shots[b]
        if one.black or other.black:
            return black(a, b)
        if says_source(one) != says_source(other):
            return False
        if not says_source(one):
            return one.name == other.name
        return _related(one, other) and shared(old, a, new, b) is not None and _alone(old, a) and _alone(new, b)

    return fits


def _related(one: Shot, other: Shot) -> bool:
    reel = reel_of(one)
    return bool((one.name and one.name == other.name) or (reel and reel == reel_of(other)))


def _alone(strip: Strip, number: int) -> bool:
    """Whether no other shot of the list shows the same time of the same reel or name: stills and effects all begin at one time."""
    shot = strip.shots[number]
    others = (k for k, other in enumerate(strip.shots) if k != number and _related(shot, other))
    return all(shared(strip, k, strip, number) is None for k in others)


def _aligned(old: Strip, one: int, new: Strip, other: int) -> Link:
    """The frames of a pair: by its source where it names one, else from the first frame on."""
    told = shared(old, one, new, other) if says_source(new.shots[other]) and says_source(old.shots[one]) else None
    (a, a_end), (b, b_end) = old.spans[one], new.spans[other]
    return told or Link(a, b, min(a_end - a, b_end - b))
