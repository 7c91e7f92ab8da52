"""The straight line behind places that were heard with jitter: where a transport is now, and how fast it goes.

Least squares over the newest messages, over as many of them as a straight line explains. How many is found by intersecting
confidence intervals (Goldenshluger and Nemirovski 1997; Katkovnik 1999): starting from the few newest, the window doubles until
its answer contradicts a shorter one. Steady speed thus averages seconds of jitter away, while varispeed is followed within a tenth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LONGEST_S = 4.0
"""Seconds of the past that count at most: in longer ones a sound card's clock wanders by more than averaging wins."""

_MOST = 512  # messages: four seconds of the fastest timecode
_WINDOWS = (6, 9, 14, 21, 32, 48, 72, 108, 162, 243, 365, _MOST)
_TRUST = 1.6  # standard errors on each side of a confidence interval
_TRUST_SPEED = 2.5
_RECENT = 64  # messages that tell the jitter
_LEAST_NOISE_S = 2e-5  # of a message's time: what the clock of any system is good for
_EARLIEST = 0.98  # of the messages that lie farthest ahead: one may be wrong
_OF_LINE = 0.3
_NEWEST = 24  # messages whose mean says how far they lie off
_PRIOR_COUNT = 4  # messages that the jitter expected beforehand counts for


@dataclass(frozen=True)
class Fit:
    """Place ``place`` at time ``time`` and speed, with their standard errors, from ``count`` messages with jitter ``noise`` (s, rms).

    ``late`` is the 99th percentile of how far the messages lie from the line, ``offset`` how far the newest do on average, seconds.
    """

    time: float
    place: float
    speed: float
    place_error: float
    speed_error: float
    noise: float
    count: int
    late: float = 0.0
    offset: float = 0.0

    def at(self, time: float) -> float:
        """The place at another time."""
        return self.place + self.speed * (time - self.time)


def _longest(answers: npt.NDArray[np.float64], doubts: npt.NDArray[np.float64]) -> int:
    """The index of the longest window whose answer, give or take its doubt, contradicts none of the shorter ones."""
    apart = np.maximum.accumulate(answers - doubts) > np.minimum.accumulate(answers + doubts)
    return int(apart.argmax()) - 1 if apart.any() else len(answers) - 1


class Line:
    """Times and places, seconds both, in the order of their times; `fit` is the line at the newest.

    A message comes late or in time, never early: the line runs along the earliest of its window, not through their middle, and what
    remains is the delay that all of them share. ``noise`` is the jitter to expect (s, rms) until the messages tell. The speed that
    it starts with weighs as much as the messages would if it were known to ``speed_error``.
    """

    def __init__(self, time: float, place: float, speed: float, noise: float, speed_error: float = 0.02) -> None:
        self._heard = np.empty((2, 2 * _MOST))  # times and places; those in use lie in a row
        self._first, self._end = 0, 1
        self._heard[:, 0] = time, place
        self._noise, self._speed_error = noise, speed_error
        self.fit = Fit(time, place, speed, noise, speed_error, noise, 1)

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def span(self) -> float:
        """Seconds from the oldest message to the newest."""
        return float(self._heard[0, self._end - 1] - self._heard[0, self._first])

    @property
    def interval(self) -> float | None:
        """Seconds between two messages, on average; None while there is but one."""
        return self.span / (len(self) - 1) if len(self) > 1 else None

    def add(self, time: float, place: float) -> None:
        """Takes one more message; ``time`` is not before the last one."""
        if self._end == self._heard.shape[1]:
            kept = self._heard[:, self._first : self._end].copy()
            self._first, self._end = 0, kept.shape[1]
            self._heard[:, : self._end] = kept
        self._heard[:, self._end] = time, place
        self._end += 1
        enough = self._end - _WINDOWS[0]
        while self._first < enough and (len(self) > _MOST or self._heard[0, self._first] < time - LONGEST_S):
            self._first += 1
        self._refit()

    def _refit(self) -> None:
        speed = self.fit.speed
        times, places = self._heard[:, self._first : self._end][:, ::-1]  # newest first
        ages = times - times[0]
        offs = places - places[0] - speed * ages
        noise = self._heard_noise(ages[:_RECENT], offs[:_RECENT])
        counts = np.array([n for n in _WINDOWS if n < len(self)] + [len(self)])
        sums = np.cumsum((ages, offs, ages * ages, ages * offs), axis=1)[:, counts - 1]
        mean_age, mean_off = sums[0] / counts, sums[1] / counts
        spread = np.maximum(sums[2] - counts * mean_age**2, 0.0) + (noise / self._speed_error) ** 2
        bends = (sums[3] - counts * mean_age * mean_off) / spread
        ends = mean_off - bends * mean_age
        errors = noise * np.sqrt(1 / counts + mean_age**2 / spread)
        k = _longest(ends, _TRUST * errors)
        # a speed is used far ahead, when nothing more is heard: it is worth a longer window than the place
        far = max(k, _longest(bends, _TRUST_SPEED * noise / np.sqrt(spread)))
        count = int(counts[k])
        way = math.copysign(1.0, speed)
        rest = offs[:count] - bends[k] * ages[:count]
        ranked = np.sort(way * rest)
        ahead = float(ranked[int(_EARLIEST * (count - 1))])
        self.fit = Fit(
            time=float(times[0]),
            place=float(places[0]) + way * ahead,
            speed=speed + float(bends[far]),
            place_error=float(errors[k]),
            speed_error=noise / math.sqrt(float(spread[far])),
            noise=noise,
            count=count,
            late=ahead - float(ranked[int(0.01 * (count - 1))]),
            offset=float(rest[:_NEWEST].mean()) - way * ahead,
        )

    def _heard_noise(self, ages: npt.NDArray[np.float64], offs: npt.NDArray[np.float64]) -> float:
        """The jitter of the newest messages: from their differences, which no bend touches; in part from a line, which no beat hides."""
        count = len(ages)
        steps = offs[1:] - offs[:-1]
        square = float(steps @ steps) / len(steps) / 2 - float(steps.mean()) ** 2 / 2
        centred = ages - ages.mean()
        spread = float(centred @ centred)
        rest = offs - offs.mean() - (float(centred @ offs) / spread if spread else 0.0) * centred
        square = max(square, float(rest @ rest) / count * _OF_LINE**2)
        blend = (square * count + self._noise**2 * _PRIOR_COUNT) / (count + _PRIOR_COUNT) if count < _RECENT else square
        return max(math.sqrt(blend), _LEAST_NOISE_S)
