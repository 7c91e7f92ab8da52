"""When each frame of a film is shown: its exact rate, or its own presentation times where the rate varies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.picture.timecode import RATES

_KNOWN = (
    *RATES,
    *(Fraction(n) for n in ("5", "6", "8", "10", "12", "25/2", "15", "20", "72", "90", "100", "120000/1001", "120")),
)
_SAME = Fraction(1, 2500)  # containers write 10000000/416667 for 24; 24000/1001 is 1/1000 away from 24


@dataclass(frozen=True, eq=False)
class Timing:
    """The presentation of every frame.

    ``stamps`` (int64, rising, one a frame) count ``time_base`` seconds; ``rate`` is exact where it is constant, else the rate of
    most frames. With a constant rate the time of a frame is ``index / rate``: stamps of containers that only know
    milliseconds are rounded.
    """

    rate: Fraction
    variable: bool
    time_base: Fraction
    stamps: NDArray[np.int64]

    @classmethod
    def of(cls, stamps: NDArray[Any], time_base: Fraction, guess: Fraction | None) -> Timing:
        """From presentation stamps in any order; ``guess`` is the container's word on the rate, believed only if it fits."""
        rising = np.unique(np.asarray(stamps, np.int64))
        constant = next((r for r in _candidates(rising, time_base, guess) if _fits(r, rising, time_base)), None)
        if constant is not None:
            return cls(constant, False, time_base, rising)
        usual = 1 / (Fraction(int(np.median(np.diff(rising)))) * time_base)
        near = min(_KNOWN, key=lambda r: abs(r - usual))
        return cls(near if abs(near - usual) * 50 < usual else usual, True, time_base, rising)

    @property
    def frames(self) -> int:
        """How many frames are shown."""
        return len(self.stamps)

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame to the end of the last, which lasts one period of the rate."""
        return self.time(self.frames - 1) + 1 / self.rate if self.frames else Fraction(0)

    def time(self, index: int) -> Fraction:
        """Seconds from the first frame's presentation to that of frame ``index``, exact."""
        if not self.variable:
            return index / self.rate
        return int(self.stamps[index] - self.stamps[0]) * self.time_base

    def index(self, stamp: int) -> int:
        """The frame whose stamp is nearest."""
        after = int(np.searchsorted(self.stamps, stamp))
        if after == 0 or (after < self.frames and self.stamps[after] - stamp < stamp - self.stamps[after - 1]):
            return after
        return after - 1

    def at(self, seconds: Fraction) -> int:
        """The frame on the screen ``seconds`` after the first was shown, held within the film."""
        if not self.variable:
            return min(max(0, (seconds * self.rate).__floor__()), self.frames - 1)
        after = int(np.searchsorted(self.stamps, int(self.stamps[0]) + (seconds / self.time_base).__floor__(), side="right"))
        return max(0, after - 1)


def _candidates(stamps: NDArray[np.int64], time_base: Fraction, guess: Fraction | None) -> list[Fraction]:
    """Rates worth trying, the likeliest first."""
    span = int(stamps[-1] - stamps[0]) * time_base if len(stamps) > 1 else Fraction(0)
    measured = (len(stamps) - 1) / span if span else guess or Fraction(24)
    word = guess or measured
    by_word = sorted(_KNOWN, key=lambda r: abs(r - word))
    by_measure = sorted(_KNOWN, key=lambda r: abs(r - measured))[:3]
    return [*(r for r in by_word if abs(r - word) < word * _SAME), word, *by_measure, measured.limit_denominator(1001)]


def _fits(rate: Fraction, stamps: NDArray[np.int64], time_base: Fraction) -> bool:
    """Whether every stamp lies within one tick of a constant rate (one, because first and last are rounded apart)."""
    ideal = np.arange(len(stamps)) * float(1 / (rate * time_base))
    return bool(np.abs(stamps - stamps[:1] - ideal).max(initial=0.0) <= 1.0)
