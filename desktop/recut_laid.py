"""A recut laid out: what strips and list draw, worked out once beside the window, so that painting only looks up."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from bridge.studio import Offer
from desktop.language import words
from engines.conform.changes import Change
from engines.conform.costs import Run
from engines.picture.cutlist import CutList

tr = words("recut")


@dataclass(frozen=True)
class Row:
    """One change: its ``number`` in the change list, from 1, and the runs of new bars (from 0) that it brought about. ``shift`` is how many
    frames later the shot is in the new cut, ``along`` whether only because everything before it moved as far."""

    number: int
    change: Change
    runs: tuple[Run, ...]
    shift: int = 0
    along: bool = False

    @property
    def telling(self) -> bool:
        """Whether it is worth a row: not a shot that is as it was, or only slid along."""
        return bool(self.runs) or not (self.change.kind == "unmoved" or self.along)

    @property
    def bars(self) -> str:
        """Its bars as people count them."""
        return ", ".join(f"{first + 1}–{end}" if end - first > 1 else f"{end}" for first, end in self.runs)

    @property
    def what(self) -> str:
        """What was done to the shot, and its name."""
        ends = [
            text.format(f"{-frames:+}")
            for text, frames in ((tr("head {} frames"), self.change.head), (tr("tail {} frames"), self.change.tail))
            if frames
        ]
        if self.change.kind == "moved" and self.shift:
            ends.append((tr("{} frames later") if self.shift > 0 else tr("{} frames earlier")).format(abs(self.shift)))
        return ", ".join([*ends, *([self.change.name] if self.change.name else [])])


@dataclass(frozen=True)
class Laid:
    """A shot in a strip: its change, seconds of its cut, and its first frame."""

    row: Row
    start: float
    end: float
    frame: int


@dataclass(frozen=True)
class Strip:
    """The shots of one cut in their order."""

    shots: tuple[Laid, ...]
    starts: tuple[float, ...]

    @classmethod
    def of(cls, shots: Sequence[Laid]) -> Strip:
        """Shots in any order."""
        ordered = tuple(sorted(shots, key=lambda shot: shot.start))
        return cls(ordered, tuple(shot.start for shot in ordered))

    def between(self, start: float, end: float) -> tuple[Laid, ...]:
        """The shots that are seen between two seconds."""
        return self.shots[max(0, bisect_right(self.starts, start) - 1) : bisect_left(self.starts, end)]

    def at(self, seconds: float) -> Laid | None:
        """The shot at a moment."""
        return next((shot for shot in self.between(seconds, seconds + 1e-9) if shot.start <= seconds < shot.end), None)


@dataclass(frozen=True)
class Ribbon:
    """What joins the cuts: seconds of the old one (``above``) and of the new one (``below``), for the rows from ``first`` to ``last``.
    Shots that slid along with those before them, or did not move at all, share one."""

    kind: str
    first: int
    last: int
    above: tuple[float, float]
    below: tuple[float, float]


@dataclass(frozen=True)
class Recutting:
    """An offer, laid out, with what is ``refused`` of it: changes by number, from 1. ``edges`` are the new bar lines in seconds and the
    end of the new cut, ``length`` the seconds of the longer cut."""

    offer: Offer
    old: CutList
    rows: tuple[Row, ...]
    there: Strip
    here: Strip
    ribbons: tuple[Ribbon, ...]
    edges: tuple[float, ...]
    length: float
    refused: frozenset[int] = frozenset()

    def refusing(self, refused: frozenset[int]) -> Recutting:
        """The same with something else refused."""
        return replace(self, refused=refused)

    @property
    def by_hand(self) -> frozenset[Run]:
        """The runs that nothing is composed for."""
        return frozenset(run for number in self.refused for run in self.rows[number - 1].runs)

    def counts(self) -> tuple[int, int, int]:
        """Bars kept, composed again, and left to the composer's hand."""
        bars = self.offer.recut.bars
        kept = sum(bar is not None for bar in bars)
        hand = sum(end - first for first, end in self.by_hand)
        return kept, len(bars) - kept - hand, hand

    def bars(self) -> list[tuple[float, float, str]]:
        """Seconds of every new bar, and whether it is ``kept``, ``composed`` or left ``by hand``."""
        hand = {bar for first, end in self.by_hand for bar in range(first, end)}
        return [
            (self.edges[k], self.edges[k + 1], "kept" if old is not None else "by hand" if k in hand else "composed")
            for k, old in enumerate(self.offer.recut.bars[: len(self.edges) - 1])
        ]


def laid_out(offer: Offer, old: CutList) -> Recutting:
    """An offer against the cut that the session is on."""
    new, tempo_map = offer.new.programme, offer.recut.tempo_map
    rows = _rows(offer, old)
    there: list[Laid] = []
    here: list[Laid] = []
    for row in rows:
        for place, laid, rate in ((row.change.old, there, old.rate), (row.change.new, here, new.rate)):
            if place is not None:
                laid.append(Laid(row, float(place.start / rate), float(place.end / rate), place.start))
    end = new.frames / new.rate
    lines = (float(tempo_map.seconds(bar.start)) for bar in tempo_map.bars_until(tempo_map.beat(end)))
    length = float(max(old.frames / old.rate, end))
    ribbons = _ribbons(rows, old.rate, new.rate)
    return Recutting(offer, old, rows, Strip.of(there), Strip.of(here), ribbons, (*lines, float(end)), length)


def _rows(offer: Offer, old: CutList) -> tuple[Row, ...]:
    recut, rate = offer.recut, offer.new.programme.rate
    ratio = rate / old.rate
    out: list[Row] = []
    before = 0  # by how much the shot before was later at its end
    for number, (change, runs) in enumerate(zip(recut.matched.changes, recut.costs, strict=True), 1):
        shift, along = 0, False
        if change.old is not None and change.new is not None:
            shift = round(change.new.start - change.old.start * ratio)
            along = change.kind == "moved" and shift == before
            before = round(change.new.end - change.old.end * ratio)
        elif change.new is not None:
            before += change.new.end - change.new.start
        elif change.old is not None:
            before -= round((change.old.end - change.old.start) * ratio)
        out.append(Row(number, change, runs, shift, along))
    return tuple(out)


def _ribbons(rows: Sequence[Row], there: Fraction, here: Fraction) -> tuple[Ribbon, ...]:
    out: list[Ribbon] = []
    beside = 0.0, 0.0  # seconds of both cuts at which the neighbours of a shot meet without it
    for row in rows:
        ribbon = _ribbon(row, there, here, beside)
        beside = (ribbon.above[1] if row.change.old else beside[0], ribbon.below[1] if row.change.new else beside[1])
        last = out[-1] if out else None
        calm = row.change.kind == "unmoved" or row.along
        if last and calm and last.kind == ribbon.kind and _meet(last.above, ribbon.above) and _meet(last.below, ribbon.below):
            out[-1] = Ribbon(
                last.kind, last.first, row.number, (last.above[0], ribbon.above[1]), (last.below[0], ribbon.below[1])
            )
        else:
            out.append(ribbon)
    return tuple(out)


def _ribbon(row: Row, there: Fraction, here: Fraction, beside: tuple[float, float]) -> Ribbon:
    """What both cuts show of a shot; of a shot that is in one of them alone, it and the place where it is missing."""
    was, now, change = row.change.old, row.change.new, row.change
    zero = Fraction(0)
    head, tail = change.head / here, change.tail / here  # they count in frames of the new cut
    above, below = (beside[0], beside[0]), (beside[1], beside[1])
    if was is not None:
        above = float(was.start / there + max(zero, head)), float(was.end / there - max(zero, tail))
    if now is not None:
        below = float(now.start / here - min(zero, head)), float(now.end / here + min(zero, tail))
    return Ribbon(change.kind, row.number, row.number, above, below)


def _meet(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether a stretch goes on in another."""
    return abs(one[1] - other[0]) < 1e-6
