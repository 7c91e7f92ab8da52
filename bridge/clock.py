"""The clock that everything in the bridge reads: monotonic nanoseconds, real ones or ones that a test turns by hand."""

from __future__ import annotations

import time
from typing import Protocol

SECOND = 1_000_000_000
"""Nanoseconds in a second."""


class Clock(Protocol):
    """What a clock owes: nanoseconds that never go back. Where they count from means nothing."""

    def now_ns(self) -> int:
        """The moment, in nanoseconds."""


class MonotonicClock:
    """The clock of the system: no change of the wall clock's time touches it."""

    def now_ns(self) -> int:
        """The moment, in nanoseconds since some moment in the past."""
        return time.monotonic_ns()


class FineClock:
    """The finest clock of the system, for what must be on time: on Windows the other one ticks every 16 ms until Python 3.13. Elsewhere
    both are the same."""

    def now_ns(self) -> int:
        """The moment, in nanoseconds since some moment in the past."""
        return time.perf_counter_ns()


class HandClock:
    """A clock that stands until somebody turns it: an hour passes in no time, and twice the same way."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now = start_ns

    def now_ns(self) -> int:
        """The moment it shows, in nanoseconds."""
        return self._now

    def turn(self, seconds: float) -> int:
        """Lets ``seconds`` pass and returns the new moment in nanoseconds; ValueError for time that runs back."""
        return self.turn_to(self._now + round(seconds * SECOND))

    def turn_to(self, moment_ns: int) -> int:
        """Lets time pass until ``moment_ns`` and returns it; ValueError for a moment that is gone."""
        if moment_ns < self._now:
            raise ValueError(f"a clock cannot be turned back by {self._now - moment_ns} ns")
        self._now = moment_ns
        return moment_ns
