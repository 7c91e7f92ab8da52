"""How late messages go out: the newest few thousand counted, in milliseconds."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

KEPT = 4096
"""Messages that a figure is drawn from: some minutes of music."""

MILLISECOND = 1_000_000
"""Nanoseconds in one."""


@dataclass(frozen=True)
class Lateness:
    """How late ``count`` messages were. The median and the 99th percentile are those of the newest few thousand, ``max_ms`` the worst
    of all; ``exact`` counts those that went out at the very moment they were due."""

    count: int = 0
    exact: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0


class LatenessLog:
    """Writes down how late messages go out. `add` costs next to nothing: it is called where time is short."""

    def __init__(self) -> None:
        self._newest: deque[int] = deque(maxlen=KEPT)
        self._count = self._exact = self._most = 0

    def add(self, late_ns: int) -> None:
        """Counts one message that went out so many nanoseconds after it was due."""
        self._newest.append(late_ns)
        self._count += 1
        self._exact += late_ns == 0
        self._most = max(self._most, late_ns)

    @property
    def newest(self) -> tuple[int, ...]:
        """How late the newest messages were, nanoseconds."""
        return tuple(self._newest)


def lateness(*logs: LatenessLog) -> Lateness:
    """The figures of one or more logs together."""
    every = sorted(late for log in logs for late in log.newest)
    if not every:
        return Lateness()
    return Lateness(
        count=sum(log._count for log in logs),
        exact=sum(log._exact for log in logs),
        p50_ms=every[len(every) // 2] / MILLISECOND,
        p99_ms=every[min(len(every) - 1, int(0.99 * len(every)))] / MILLISECOND,
        max_ms=max(log._most for log in logs) / MILLISECOND,
    )
