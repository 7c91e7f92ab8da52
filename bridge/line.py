"""The straight line behind places that were heard with jitter: where a transport is now, and how fast it goes.

Least squares over the newest messages, over as many of them as a straight line explains. How many is found by intersecting
confidence intervals (Goldenshluger and Nemirovski 1997; Katkovnik 1999): starting from the few newest, the window doubles until
its answer contradicts a shorter one. Steady speed thus averages seconds of jitter away, while varispeed is followed within a tenth.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

LONGEST_S = 4.0
"""Seconds of the past that count at most: in longer ones a sound card's clock wanders by more than averaging wins."""

_MOST = 512  # messages: four seconds of the fastest timecode
_WINDOWS = (6, 9, 14, 21, 32, 48, 72, 108, 162, 243, 365, _MOST)
_TRUST = 2.5  # standard errors on each side of a confidence interval
_RECENT = 64  # messages that tell the jitter
_LEAST_NOISE_S = 2e-5  # of a message's time: what the clock of any system is good for
_PRIOR_COUNT = 4  # messages that the jitter expected beforehand counts for


@dataclass(frozen=True)
class Fit:
    """Place ``place`` at time ``time`` and speed, with their standard errors, from ``count`` messages with jitter ``noise`` (s, rms)."""

    time: float
    place: float
    speed: float
    place_error: float
    speed_error: float
    noise: float
    count: int

    def at(self, time: float) -> float:
        """The place at another time."""
        return self.place + self.speed * (time - self.time)


class Line:
    """Times and places, seconds both, in the order of their times; `fit` is the line at the newest.

    ``noise`` is the jitter to expect (s, rms) until the messages tell. The speed that it starts with weighs as much as the messages
    would if it were known to ``speed_error``.
    """

    def __init__(self, time: float, place: float, speed: float, noise: float, speed_error: float = 0.02) -> None:
        self._times: deque[float] = deque([time], _MOST)
        self._places: deque[float] = deque([place], _MOST)
        self._noise, self._speed_error = noise, speed_error
        self.fit = Fit(time, place, speed, noise, speed_error, noise, 1)

    def __len__(self) -> int:
        return len(self._times)

    @property
    def span(self) -> float:
        """Seconds from the oldest message to the newest."""
        return self._times[-1] - self._times[0]

    @property
    def interval(self) -> float | None:
        """Seconds between two messages, on average; None while there is but one."""
        return self.span / (len(self) - 1) if len(self) > 1 else None

    def add(self, time: float, place: float) -> None:
        """Takes one more message; ``time`` is not before the last one."""
        self._times.append(time)
        self._places.append(place)
        while self._times[0] < time - LONGEST_S and len(self) > _WINDOWS[0]:
            self._times.popleft()
            self._places.popleft()
        self._refit()

    def residuals(self) -> list[float]:
        """Seconds by which each message of the window in use lay ahead of the line, the newest last."""
        recent = range(len(self) - min(self.fit.count, len(self)), len(self))
        return [self._places[k] - self.fit.at(self._times[k]) for k in recent]

    def _refit(self) -> None:
        last, speed = self.fit, self.fit.speed
        ages = np.array(self._times)[::-1] - self._times[-1]  # newest first, never positive
        offs = np.array(self._places)[::-1] - self._places[-1] - speed * ages
        noise = self._heard_noise(ages[:_RECENT], offs[:_RECENT])
        counts = np.array([n for n in _WINDOWS if n < len(self)] + [len(self)])
        sums = np.cumsum([ages, offs, ages * ages, ages * offs], axis=1)[:, counts - 1]
        mean_age, mean_off = sums[0] / counts, sums[1] / counts
        prior = (noise / self._speed_error) ** 2
        spread = np.maximum(sums[2] - counts * mean_age**2, 0.0) + prior
        bends = (sums[3] - counts * mean_age * mean_off) / spread
        places = mean_off - bends * mean_age
        errors = noise * np.sqrt(1 / counts + mean_age**2 / spread)
        lowest = np.maximum.accumulate(places - _TRUST * errors)
        highest = np.minimum.accumulate(places + _TRUST * errors)
        apart = np.flatnonzero(lowest > highest)
        k = int(apart[0]) - 1 if len(apart) else len(counts) - 1
        self.fit = Fit(
            time=self._times[-1],
            place=self._places[-1] + float(places[k]),
            speed=last.speed + float(bends[k]),
            place_error=float(errors[k]),
            speed_error=noise / math.sqrt(float(spread[k])),
            noise=noise,
            count=int(counts[k]),
        )

    def _heard_noise(self, ages: np.ndarray, offs: np.ndarray) -> float:
        """The jitter of the newest messages: from their differences, which no bend touches, and from a line, which no beat hides."""
        count = len(ages)
        steps = np.diff(offs)
        squares = float(np.var(steps)) / 2 if count > 2 else 0.0
        centred = ages - ages.mean()
        spread = float(centred @ centred)
        rest = offs - offs.mean() - (float(centred @ offs) / spread if spread else 0.0) * centred
        squares = max(squares, float(rest @ rest) / max(1, count - 2) / 2)
        blend = (squares * count + self._noise**2 * _PRIOR_COUNT) / (count + _PRIOR_COUNT) if count < _RECENT else squares
        return max(math.sqrt(blend), _LEAST_NOISE_S)
