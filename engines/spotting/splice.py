"""Splicing: some bars of a tempo map solved again, the bars around them kept as they are."""

from __future__ import annotations

from fractions import Fraction

from engines.spotting.tempo import Metre, Segment, TempoMap, merged


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
