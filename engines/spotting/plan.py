"""A plan: a nominal tempo, the spans that bend it, and the bars over them; from it the exact tempo map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import ceil

import numpy as np
from numpy.typing import NDArray

from engines.spotting.tempo import Metre, Segment, TempoMap, merged, partial


@dataclass(frozen=True)
class Span:
    """Some ``beats`` whose length in seconds goes evenly from ``first`` to ``last`` (equal: one tempo)."""

    beats: Fraction
    first: Fraction
    last: Fraction

    @property
    def seconds(self) -> Fraction:
        """How long it lasts."""
        return self.beats * (self.first + self.last) / 2

    def until(self, beats: Fraction) -> Fraction:
        """Seconds from its first beat to another of its beats."""
        return beats * self.first + beats * beats * (self.last - self.first) / (2 * self.beats)


@dataclass(frozen=True)
class Plan:
    """A complete answer to a spotting sheet. Beat 0 sounds at ``origin``; the last span goes on for ever.

    ``spb`` is the length of a beat at the nominal tempo in seconds. ``pickup`` is the length in beats of a first bar that
    only ends a bar, 0 if the cue begins with a downbeat. ``metre`` is the cue's own; of ``metres`` the last repeats. A ``closed`` plan
    ends with its last bar, which may be the first part of a whole one.
    """

    name: str
    spb: Fraction
    origin: Fraction
    spans: tuple[Span, ...]
    metre: Metre
    metres: tuple[Metre, ...]
    pickup: Fraction = Fraction(0)
    subdivision: int = 1
    closed: bool = False

    @cached_property
    def tempo_map(self) -> TempoMap:
        """The exact map. A change that is not sudden is a staircase of one step a beat (an eighth where those are counted)."""
        if all(span.first == span.last for span in self.spans):
            starts = accumulate((span.beats for span in self.spans[:-1]), initial=Fraction(0))
            steps = [Segment(start, span.first) for start, span in zip(starts, self.spans, strict=True)]
            return TempoMap(merged(steps), self.metres, self.origin)
        segments: list[Segment] = []
        beat, done = Fraction(0), Fraction(0)  # where the staircase has got to, and in how many seconds
        start, seconds = Fraction(0), Fraction(0)  # of the span
        for span in self.spans:
            end = start + span.beats
            while beat + self.pulse <= end:
                even = span.first == span.last and beat >= start
                following = beat + (end - beat) // self.pulse * self.pulse if even else beat + self.pulse
                reached = seconds + span.until(following - start)
                segments.append(Segment(beat, (reached - done) / (following - beat)))
                beat, done = following, reached
            start, seconds = end, seconds + span.seconds
        segments.append(Segment(beat, self.spans[-1].last))
        return TempoMap(merged(segments), self.metres, self.origin)

    @property
    def pulse(self) -> Fraction:
        """Beats from one allowed place to the next."""
        return Fraction(1, self.subdivision)


@dataclass(frozen=True)
class Answers:
    """What a search found: the lowest cost at each nominal tempo it was given, shape (tempos,), and the plan of any of them."""

    costs: NDArray[np.float64]
    plan: Callable[[int], Plan]

    @property
    def best(self) -> Plan:
        """The cheapest of all."""
        return self.plan(int(np.argmin(self.costs)))


def bars_over(beats: Fraction, metre: Metre, pickup: Fraction = Fraction(0), closed: bool = False) -> tuple[Metre, ...]:
    """Bars of one metre over so many beats, after a pickup; of a closed cue the last one may be shorter."""
    first = (partial(pickup),) if pickup else ()
    if closed:
        whole, rest = divmod(beats - pickup, metre.length)
        return (*first, *((metre,) * whole), *((partial(rest),) if rest else ()))
    return (*first, *((metre,) * max(1, ceil((beats - pickup) / metre.length))))
