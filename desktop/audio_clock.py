"""Where the sound is, which the picture goes by while it plays: what the output says it has played, made even by the machine's clock."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from engines.picture.soundtrack import RATE

EASE = 0.1
"""Of what the two clocks are apart, as much is made up at every step of the output."""
LEAP_S = 0.06
"""Seconds apart from which on the output is believed at once."""
WAIT_S = 0.25
"""Seconds without a step after which the output stands, and the picture waits for it no longer."""
LOST_S = 3.0
"""Seconds without a step after which nothing more is expected of it: some need two to begin again."""
STEP_S = 0.1
"""Seconds by which the machine's clock may run on beyond what the output said last."""
_SECOND = 1_000_000_000


class AudioClock:
    """Seconds of the film that are heard, from ``start`` on. It waits for the output's first sample, and never goes back.

    ``played`` gives samples since the start; an output takes them in steps of 5 to 50 ms. ``clock`` gives nanoseconds.
    """

    def __init__(self, start: Fraction, played: Callable[[], int], clock: Callable[[], int]) -> None:
        self._start, self._played, self._clock = start, played, clock
        self._last, self._at_last = 0, clock()
        self._apart: float | None = None  # seconds that the output is ahead of the machine's clock
        self._said = 0.0

    @property
    def lost(self) -> bool:
        """Whether the output has stood so long that it will not come back."""
        return self._standing(self._clock()) > LOST_S

    def _standing(self, now: int) -> float:
        return (now - self._at_last) / _SECOND

    def shift(self, seconds: Fraction) -> None:
        """What is heard from now on lies so many seconds further."""
        self._start += seconds

    def at(self) -> Fraction | None:
        """Now; None while the output stands."""
        now, played = self._clock(), self._played()
        if played != self._last:
            told = played / RATE - now / _SECOND
            leap = self._apart is None or abs(told - self._apart) > LEAP_S
            self._apart = told if leap or self._apart is None else self._apart + EASE * (told - self._apart)
            self._last, self._at_last = played, now
        elif self._standing(now) > WAIT_S:
            return None
        if self._apart is not None:
            even = min(now / _SECOND + self._apart, self._last / RATE + STEP_S)
            self._said = max(self._said, even)
        return self._start + Fraction(self._said)
