"""The change list: what became of every shot, with the timecodes of both cuts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engines.conform.chain import shot_at
from engines.conform.strip import Link, Strip
from engines.picture.cutlist import CutList

Kind = Literal["unmoved", "moved", "trimmed", "new", "gone"]


@dataclass(frozen=True)
class Place:
    """A shot in one of the lists: its number from 1, its first frame and the one after its last, and their timecodes."""

    shot: int
    start: int
    end: int
    timecode_in: str
    timecode_out: str


@dataclass(frozen=True)
class Change:
    """What became of a shot.

    *Unmoved* is the same frames at the same film time, *moved* the same frames elsewhere; ``head`` and ``tail`` are the frames
    that a *trimmed* shot lost there, negative where it gained some. ``old`` is None for a *new* shot, ``new`` for one that is
    *gone*. A shot that was split, or several that were joined, have a row for each pair.
    """

    kind: Kind
    old: Place | None = None
    new: Place | None = None
    head: int = 0
    tail: int = 0
    name: str = ""

    def text(self) -> str:
        """One line of a change list."""
        ends = [f"{part} {-frames:+} frames" for part, frames in (("head", self.head), ("tail", self.tail)) if frames]
        return f"{self.kind:8} {_side(self.old)} -> {_side(self.new)}  {', '.join([*ends, self.name])}".rstrip(" ,")


def _side(place: Place | None) -> str:
    return f"{place.shot:>4} {place.timecode_in}-{place.timecode_out}" if place else f"{'':4} {'':23}"


def changes(held: Sequence[Link], there: Strip, here: Strip, old: CutList, new: CutList) -> tuple[Change, ...]:
    """The change list of the links that hold, which lie within shots: in the order of the new cut, the gone where they were."""
    pairs: dict[tuple[int, int], Link] = {}
    for link in held:
        pair = shot_at(there, link.old), shot_at(here, link.new)
        if pair not in pairs or pairs[pair].frames < link.frames:
            pairs[pair] = link
    of_new: dict[int, list[tuple[int, int]]] = {}
    for (k, j), link in pairs.items():
        of_new.setdefault(j, []).append((link.new, k))
    rows: list[Change] = []
    for j, (start, end) in enumerate(here.spans):
        if j in of_new:
            rows += [_kept(there, here, k, j, pairs[k, j].offset, old, new) for _, k in sorted(of_new[j])]
        elif start < end:
            rows.append(Change("new", None, _place(here, j, new), name=here.shots[j].name))
    seen = {k for k, _ in pairs}
    for k, (start, end) in enumerate(there.spans):
        if k not in seen and start < end:
            last = max((n for n, row in enumerate(rows) if row.old and row.old.shot == k), default=-1)
            rows.insert(last + 1, Change("gone", _place(there, k, old), None, name=there.shots[k].name))
    return tuple(rows)


def _kept(there: Strip, here: Strip, k: int, j: int, offset: int, old: CutList, new: CutList) -> Change:
    (a, a_end), (b, b_end) = there.spans[k], here.spans[j]
    head, tail = b + offset - a, a_end - (b_end + offset)
    kind: Kind = "trimmed" if head or tail else "moved" if offset else "unmoved"
    return Change(kind, _place(there, k, old), _place(here, j, new), head, tail, here.shots[j].name or there.shots[k].name)


def _place(strip: Strip, number: int, programme: CutList) -> Place:
    shot = strip.shots[number]
    return Place(number + 1, shot.start, shot.end, str(programme.start + shot.start), str(programme.start + shot.end))
