"""The tempo map: beats to seconds and back, exactly, with the metre of every bar."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property


@dataclass(frozen=True)
class Metre:
    """A time signature: ``beats`` of one ``unit`` (4 is a quarter note, 8 an eighth)."""

    beats: int = 4
    unit: int = 4

    @classmethod
    def parse(cls, text: str) -> Metre:
        """A metre as a person writes it, ``7/8``. Raises ValueError."""
        beats, _, unit = text.partition("/")
        if not (beats.isdecimal() and unit in ("1", "2", "4", "8", "16") and 1 <= int(beats) <= 32):
            raise ValueError(f"{text!r} is not a metre")
        return cls(int(beats), int(unit))

    @property
    def length(self) -> Fraction:
        """Beats (quarter notes) in a bar: 7/8 is 7/2."""
        return Fraction(4 * self.beats, self.unit)

    def __str__(self) -> str:
        return f"{self.beats}/{self.unit}"


@dataclass(frozen=True)
class Segment:
    """From beat ``start`` on, a beat lasts ``spb`` seconds, until the next segment."""

    start: Fraction
    spb: Fraction

    @property
    def bpm(self) -> Fraction:
        """Beats a minute."""
        return 60 / self.spb


@dataclass(frozen=True)
class Bar:
    """One bar: its number (from 0), first beat, and metre."""

    index: int
    start: Fraction
    metre: Metre

    @property
    def end(self) -> Fraction:
        """The first beat of the next bar."""
        return self.start + self.metre.length


@dataclass(frozen=True)
class TempoMap:
    """Piecewise-constant tempo over bars. Beat 0 sounds at ``origin`` seconds of the film.

    A ramp is a run of segments of a beat or less, as a MIDI file holds it. The last segment goes on for ever, as does the last
    metre. Segments start at beat 0 and rise; every ``spb`` is positive (else ValueError).
    """

    segments: tuple[Segment, ...]
    metres: tuple[Metre, ...] = (Metre(),)
    origin: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        starts = [s.start for s in self.segments]
        if not starts or starts[0] != 0 or any(a >= b for a, b in itertools.pairwise(starts)):
            raise ValueError(f"segments must start at beat 0 and rise, not {starts[:4]}")
        if any(s.spb <= 0 for s in self.segments) or not self.metres:
            raise ValueError("a tempo map needs positive beats and at least one bar")

    @classmethod
    def steady(cls, bpm: Fraction | int, bars: int = 1, metre: Metre | None = None, origin: Fraction = Fraction(0)) -> TempoMap:
        """One tempo for ever."""
        return cls((Segment(Fraction(0), 60 / Fraction(bpm)),), (metre or Metre(),) * bars, origin)

    @cached_property
    def _starts(self) -> tuple[list[Fraction], list[Fraction]]:
        beats, times, now = [], [], self.origin
        for k, segment in enumerate(self.segments):
            if k:
                now += (segment.start - self.segments[k - 1].start) * self.segments[k - 1].spb
            beats.append(segment.start)
            times.append(now)
        return beats, times

    @property
    def changes(self) -> tuple[tuple[Fraction, Fraction], ...]:
        """Where each segment begins: its beat, and that beat's film time, exact."""
        return tuple(zip(*self._starts, strict=True))

    def seconds(self, beat: Fraction | int) -> Fraction:
        """Film time of a beat, exact; beats before 0 go on at the first tempo."""
        beats, times = self._starts
        k = max(0, bisect_right(beats, beat) - 1)
        return times[k] + (beat - beats[k]) * self.segments[k].spb

    def beat(self, seconds: Fraction | int) -> Fraction:
        """The beat at a film time, exact."""
        beats, times = self._starts
        k = max(0, bisect_right(times, seconds) - 1)
        return beats[k] + (seconds - times[k]) / self.segments[k].spb

    def bpm(self, beat: Fraction | int) -> Fraction:
        """The tempo in force at a beat."""
        return self.segments[max(0, bisect_right(self._starts[0], beat) - 1)].bpm

    @cached_property
    def bars(self) -> tuple[Bar, ...]:
        """The bars that ``metres`` lists."""
        out, start = [], Fraction(0)
        for index, metre in enumerate(self.metres):
            out.append(Bar(index, start, metre))
            start += metre.length
        return tuple(out)

    def _bar(self, index: int) -> Bar:
        if index < len(self.bars):
            return self.bars[index]
        last = self.bars[-1]
        beyond = index - last.index
        return Bar(index, last.start + beyond * last.metre.length, last.metre)

    def bars_until(self, beat: Fraction) -> tuple[Bar, ...]:
        """Whole bars from beat 0 that cover everything before ``beat``; the last metre repeats as often as needed."""
        last = self.bar_at(beat)
        count = last.index if last.start >= beat else last.index + 1
        return tuple(self._bar(index) for index in range(max(1, count)))

    def bars_between(self, start: Fraction, end: Fraction) -> tuple[Bar, ...]:
        """The bars that begin at ``start`` or after it, and before ``end``; of a long map without a look at all the others."""
        starts = self._bar_starts
        low = bisect_left(starts, start)
        if end <= self.bars[-1].end:
            return self.bars[low : bisect_left(starts, end)]
        return self.bars[low:] + tuple(bar for bar in self.bars_until(end)[len(starts) :] if start <= bar.start < end)

    def segments_between(self, start: Fraction, end: Fraction) -> tuple[Segment, ...]:
        """The changes of tempo after ``start`` and before ``end``."""
        beats = self._starts[0]
        return self.segments[bisect_right(beats, start) : bisect_left(beats, end)]

    def bar_at(self, beat: Fraction | int) -> Bar:
        """The bar in which a beat lies (beats before 0 lie in the first); a bar line belongs to the bar that it begins."""
        k = max(0, bisect_right(self._bar_starts, beat) - 1)
        bar = self.bars[k]
        return self._bar(k + int((beat - bar.start) // bar.metre.length)) if k == len(self.bars) - 1 and beat >= bar.end else bar

    @cached_property
    def _bar_starts(self) -> list[Fraction]:
        return [bar.start for bar in self.bars]


def merged(segments: Iterable[Segment]) -> tuple[Segment, ...]:
    """The same tempo curve without segments that change nothing."""
    out: list[Segment] = []
    for segment in segments:
        if not out or out[-1].spb != segment.spb:
            out.append(segment)
    return tuple(out)


def partial(length: Fraction) -> Metre:
    """The metre of a bar of so many beats: 3 is 3/4, 7/2 is 7/8."""
    return Metre(int(length), 4) if length.denominator == 1 else Metre(int(length * 2), 8)
