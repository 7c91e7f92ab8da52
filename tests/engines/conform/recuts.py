"""Cut lists whose truth is known: every frame has an identity, so what is in both cuts is counted, not judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from math import exp, log
from random import Random

import numpy as np

from engines.picture.cut import Cut
from engines.picture.cutlist import CutList, Shot
from engines.picture.timecode import Timecode, nominal

FILM = Fraction(24)
MEDIAN_SHOT, SPREAD = 3.2, 0.6


@dataclass(frozen=True)
class Clip:
    """A shot: ``length`` frames of source ``source`` from its frame ``first`` on. A ``still`` one shows the same picture all along."""

    source: int
    first: int
    length: int
    still: bool = False
    black: bool = False

    @property
    def frames(self) -> list[tuple[int, int]]:
        """What each of its frames shows; black is source -1."""
        return [(-1, 0) if self.black else (self.source, 0 if self.still else self.first + k) for k in range(self.length)]


Film = tuple[Clip, ...]


def a_film(seed: int, shots: int, still: float = 0.0, black: float = 0.0) -> Film:
    """Shots of log-normal length; each from a source of its own, with handles on both sides."""
    rng = Random(seed)

    def length() -> int:
        return max(8, round(exp(rng.gauss(log(MEDIAN_SHOT), SPREAD)) * FILM))

    return tuple(
        Clip(seed * 100_000 + k, 1000, length(), rng.random() < still, 0 < k < shots - 1 and rng.random() < black)
        for k in range(shots)
    )


def trimmed(film: Film, shot: int, head: int = 0, tail: int = 0) -> Film:
    """The film with a shot shortened (or, by negative frames, lengthened)."""
    clip = film[shot]
    shorter = replace(clip, first=clip.first + head, length=clip.length - head - tail)
    return (*film[:shot], shorter, *film[shot + 1 :])


def removed(film: Film, shot: int) -> Film:
    """The film without a shot."""
    return (*film[:shot], *film[shot + 1 :])


def inserted(film: Film, shot: int, clip: Clip) -> Film:
    """The film with a shot more, before shot ``shot``."""
    return (*film[:shot], clip, *film[shot:])


def swapped(film: Film, one: int, other: int) -> Film:
    """The film with two shots in each other's place."""
    out = list(film)
    out[one], out[other] = out[other], out[one]
    return tuple(out)


def recut(film: Film, seed: int, changes: int) -> Film:
    """The film after so many changes of every kind, spread over it."""
    rng = Random(seed)
    places = sorted(rng.sample(range(1, len(film) - 2), changes), reverse=True)
    for k, shot in enumerate(places):
        kind = k % 5
        if kind in (0, 1):
            cut = max(1, min(14, film[shot].length - 6))
            film = trimmed(film, shot, *((0, cut) if kind == 0 else (cut, 0)))
        elif kind == 2:
            film = removed(film, shot)
        elif kind == 3:
            film = inserted(film, shot, Clip(9_000_000 + seed * 1000 + shot, 500, rng.randint(24, 96)))
        else:
            film = swapped(film, shot, shot + 1)
    return film


def identities(film: Film) -> list[tuple[int, int]]:
    """What each frame of the film shows."""
    return [shown for clip in film for shown in clip.frames]


def cut_list(film: Film, rate: Fraction = FILM, start: int = 0, sources: bool = True) -> CutList:
    """The film as its editor lists it (``sources``), or as its pixels tell it; ``start`` in hours."""
    edges = [0]
    for clip in film:
        edges.append(edges[-1] + clip.length)
    first = Timecode(start * 3600 * nominal(rate), rate)
    cuts = tuple(Cut(edge, edge / rate) for edge in edges[1:-1])
    if not sources:
        return CutList.of_cuts(cuts, rate, edges[-1], first)
    shots = tuple(
        Shot(a, b, black=True)
        if clip.black
        else Shot(a, b, f"clip {clip.source}", f"A{clip.source % 7:03}", (3600 * nominal(rate) + clip.first) / rate)
        for clip, (a, b) in zip(film, pairwise(edges), strict=True)
    )
    return CutList(rate, first, edges[-1], cuts, shots)


def prints(film: Film, seed: int = 0, noise: int = 0) -> bytes:
    """64 random bits for every picture; up to ``noise`` of them wrong in every frame. Black has none."""
    rng = np.random.default_rng(seed)
    clean = np.array(
        [0 if source < 0 else Random(source * 10**7 + k).getrandbits(64) for source, k in identities(film)], np.uint64
    )
    for _ in range(noise):
        wrong = np.uint64(1) << rng.integers(0, 64, len(clean), dtype=np.uint64)
        clean = np.where(rng.random(len(clean)) < 0.8, clean ^ wrong, clean)
    return clean.tobytes()


def shown_again(old: Film, new: Film) -> int:
    """Frames of the new cut that are in the old one too; black counts nowhere."""
    there = set(identities(old))
    return sum(shown in there and shown[0] >= 0 for shown in identities(new))


def agreeing(old: Film, new: Film, pieces: Iterable[tuple[int, int, int]]) -> int:
    """Frames of pieces (old frame, new frame, frames) that really show the same; black counts nowhere."""
    there, here = identities(old), identities(new)
    return sum(there[a + k] == here[b + k] and here[b + k][0] >= 0 for a, b, n in pieces for k in range(n))


def lit(film: Film, pieces: Sequence[tuple[int, int, int]]) -> int:
    """Frames of the new cut in pieces that are not black."""
    here = identities(film)
    return sum(here[b + k][0] >= 0 for _, b, n in pieces for k in range(n))
