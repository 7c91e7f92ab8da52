"""Anchors: old bars whose picture is whole in the new cut, and where they would sound there."""

from __future__ import annotations

import itertools
import operator
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from engines.conform.match import Matched, Piece
from engines.spotting.tempo import Metre, TempoMap


@dataclass(frozen=True)
class Anchor:
    """Old bar ``bar`` (from 0) at the same place of the same picture: from ``start`` to ``end`` in seconds of the new film."""

    bar: int
    start: Fraction
    end: Fraction


def metre_of(tempo_map: TempoMap, bar: int) -> Metre:
    """The metre of a bar; the last that the map lists repeats."""
    return tempo_map.metres[min(bar, len(tempo_map.metres) - 1)]


def lines(tempo_map: TempoMap, bars: int) -> tuple[Fraction, ...]:
    """The first beat of each of so many bars, and the beat after the last."""
    out = [Fraction(0)]
    for bar in range(bars):
        out.append(out[-1] + metre_of(tempo_map, bar).length)
    return tuple(out)


def stretch(matched: Matched) -> Fraction:
    """How much longer the same frames last in the new film: 1001/1000 from 24 to 24000/1001 frames a second."""
    return matched.old_rate / matched.new_rate


def anchors(tempo_map: TempoMap, bars: int, matched: Matched) -> tuple[Anchor, ...]:
    """Every old bar that lies in one piece whole, once for every piece that holds it, in the order of the new cut."""
    times = [tempo_map.seconds(line) for line in lines(tempo_map, bars)]
    out = []
    for piece in matched.pieces:
        start, end = _reach(piece, matched)
        later = Fraction(piece.new_frame - piece.old_frame) / matched.new_rate
        first = bisect_left(times, start) if start is not None else 0
        last = bisect_right(times, end) - 1 if end is not None else bars
        moved = [time * stretch(matched) + later for time in times[first : last + 1]]
        out += [Anchor(first + k, moved[k], moved[k + 1]) for k in range(len(moved) - 1)]
    return tuple(sorted(out, key=operator.attrgetter("start", "bar")))


def _reach(piece: Piece, matched: Matched) -> tuple[Fraction | None, Fraction | None]:
    """The old seconds that a piece covers. Where it begins or ends both films nothing is cut: a bar may reach beyond (None)."""
    end = piece.old_frame + piece.frames
    ends = end == matched.old_frames and piece.new_frame + piece.frames == matched.new_frames
    begins = piece.old_frame == piece.new_frame == 0
    return None if begins else piece.old_frame / matched.old_rate, None if ends else end / matched.old_rate


def tempi(tempo_map: TempoMap, bars: int) -> list[tuple[Fraction, Fraction]]:
    """The shortest and the longest beat of each bar, in seconds."""
    starts = [segment.start for segment in tempo_map.segments]
    out = []
    edges = lines(tempo_map, bars)
    for line, end in itertools.pairwise(edges):
        inside = tempo_map.segments[bisect_right(starts, line) - 1 : bisect_left(starts, end)]
        lengths = [segment.spb for segment in inside]
        out.append((min(lengths), max(lengths)))
    return out


def commonest(tempo_map: TempoMap, bars: int) -> Metre:
    """The cue's own metre: that of most of its bars."""
    count: dict[Metre, int] = {}
    for bar in range(bars):
        metre = metre_of(tempo_map, bar)
        count[metre] = count.get(metre, 0) + 1
    return max(count, key=lambda metre: count[metre])


def runs(bars: Sequence[Anchor]) -> list[list[Anchor]]:
    """Anchors in the new order, as runs of bars that followed each other in the old cue and do so still."""
    out: list[list[Anchor]] = []
    for anchor in bars:
        if out and out[-1][-1].bar + 1 == anchor.bar and out[-1][-1].end == anchor.start:
            out[-1].append(anchor)
        else:
            out.append([anchor])
    return out
