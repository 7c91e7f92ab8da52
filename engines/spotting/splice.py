"""Splicing: some bars of a tempo map solved again, the bars around them kept as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from engines.spotting.tempo import Metre, Segment, TempoMap, merged, partial


@dataclass(frozen=True)
class Stretch:
    """``bars`` bars of a map from its bar ``first`` on; None is all the rest of it, for ever."""

    source: TempoMap
    first: int
    bars: int | None


def laid(stretches: Sequence[Stretch]) -> TempoMap:
    """Stretches of several maps one after the other, each with the length of every beat that it has in its own.

    Beat 0 sounds where the first stretch begins. A stretch after an endless one is never heard.
    """
    segments: list[Segment] = []
    metres: list[Metre] = []
    origin, beat = stretches[0].source.seconds(_line(stretches[0].source, stretches[0].first)), Fraction(0)
    for stretch in stretches:
        source, count = stretch.source, stretch.bars
        start = _line(source, stretch.first)
        end = None if count is None else _line(source, stretch.first + count)
        segments += _cut(source, start, end, beat - start)
        last = max(len(source.metres), stretch.first + 1) if count is None else stretch.first + count
        metres += _metres(source, stretch.first, last)
        beat += Fraction(0) if end is None else end - start
    return TempoMap(merged(segments), tuple(metres), origin)


def rounded_off(metres: tuple[Metre, ...], own: Metre) -> tuple[Metre, ...]:
    """A bar of less than half the usual length at the end becomes part of the one before: 5/4 instead of 4/4 and 1/4."""
    if len(metres) > 1 and metres[-2] == own and 2 * metres[-1].length < own.length:
        return (*metres[:-2], partial(metres[-2].length + metres[-1].length))
    return metres


def spliced(kept: TempoMap, first: int, new: TempoMap, bars: int, onward: int | None = None) -> TempoMap:
    """Bars 0 to ``first`` (exclusive) of ``kept``, then ``bars`` bars of ``new``, then those of ``kept`` from ``onward`` on.

    Kept bars keep the length of every beat; those from ``onward`` on sound earlier or later, as ``new`` is shorter or longer.
    Without ``onward``, ``new`` goes on to the end. Raises ValueError if ``new`` does not begin where bar ``first`` did.
    """
    line = _line(kept, first)
    if kept.seconds(line) != new.origin:
        raise ValueError(f"the new bars begin at {float(new.origin):.6f} s, bar {first} at {float(kept.seconds(line)):.6f} s")
    segments = [*_cut(kept, Fraction(0), line, Fraction(0))]
    metres = [*_metres(kept, 0, first)]
    until = _line(new, bars)
    if onward is None:
        segments += _cut(new, Fraction(0), None, line)
        metres += new.metres
    else:
        resumed = _line(kept, onward)
        segments += _cut(new, Fraction(0), until, line)
        segments += _cut(kept, resumed, None, line + until - resumed)
        metres += [*_metres(new, 0, bars), *_metres(kept, onward, max(len(kept.metres), onward + 1))]
    return TempoMap(merged(segments), tuple(metres), kept.origin)


def _line(tempo_map: TempoMap, bar: int) -> Fraction:
    """The beat at which a bar begins."""
    return sum((metre.length for metre in _metres(tempo_map, 0, bar)), Fraction(0))


def _metres(tempo_map: TempoMap, first: int, end: int) -> list[Metre]:
    return [tempo_map.metres[min(k, len(tempo_map.metres) - 1)] for k in range(first, end)]


def _cut(tempo_map: TempoMap, start: Fraction, end: Fraction | None, move: Fraction) -> list[Segment]:
    """The tempo from one beat to another, moved by some beats."""
    if start == end:
        return []
    inside = [s for s in tempo_map.segments if start < s.start and (end is None or s.start < end)]
    return [Segment(s.start + move, s.spb) for s in (Segment(start, 60 / tempo_map.bpm(start)), *inside)]
