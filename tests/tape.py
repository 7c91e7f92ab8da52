"""A tape machine for tests: a path through time, and the messages that a source would send along it, with the faults of real wires."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from bridge.chase import Chase
from bridge.midi_clock import CLOCK, PPQ
from bridge.mtc import quarter_frame
from engines.picture.timecode import Timecode

SECOND = 1_000_000_000
GRID = 2e-4  # seconds between the points at which a path is asked for

Path = Callable[[np.ndarray], np.ndarray]
"""Seconds of the tape at seconds of the clock; rising or falling throughout."""

Message = tuple[float, bytes]
"""The second at which it comes, and what."""


@dataclass(frozen=True)
class Steady:
    """A tape at one speed: at second 0 of the clock it is at ``start``."""

    start: float = 0.0
    speed: float = 1.0

    def __call__(self, t: np.ndarray) -> np.ndarray:
        return self.start + self.speed * t


@dataclass(frozen=True)
class Vary:
    """Varispeed: the speed glides from ``low`` to ``high`` and back, each way in ``ramp`` seconds, from second ``hold`` on."""

    low: float = 0.9
    high: float = 1.1
    ramp: float = 5.0
    hold: float = 2.0
    start: float = 100.0

    def speed(self, t: np.ndarray) -> np.ndarray:
        phase = np.maximum(t - self.hold, 0) / self.ramp % 2
        return self.low + (self.high - self.low) * np.where(phase < 1, phase, 2 - phase)

    @cached_property
    def _way(self) -> tuple[np.ndarray, np.ndarray]:
        fine = np.arange(0, 60, GRID)
        speed = self.speed(fine)
        return fine, np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2 * GRID)])

    def __call__(self, t: np.ndarray) -> np.ndarray:
        return self.start + np.interp(t, *self._way)


def crossings(path: Path, step: float, begin: float, end: float) -> list[tuple[float, int]]:
    """The seconds between ``begin`` and ``end`` at which the path passes multiples of ``step``, and which multiples."""
    t = np.append(np.arange(begin, end, GRID), end)
    places = path(t)
    backwards = places[-1] < places[0]
    low, high = (places[-1], places[0]) if backwards else (places[0], places[-1])
    counts = np.arange(int(np.ceil(low / step - 1e-6)), int(np.floor(high / step + 1e-6)) + 1)
    when = np.interp(counts * step, places[::-1] if backwards else places, t[::-1] if backwards else t)
    return sorted(zip(when.tolist(), counts.tolist(), strict=True))


def mtc(path: Path, rate: Fraction, drop: bool, begin: float, end: float) -> list[Message]:
    """Quarter frames along the path; a set of eight starts at every even frame."""
    out, labels = [], {}
    for when, quarter in crossings(path, float(1 / rate) / 4, begin, end):
        frame = quarter // 8 * 2
        label = labels.setdefault(frame, Timecode(frame, rate, drop).wrapped)
        out.append((when, quarter_frame(label, quarter % 8)))
    return out


def beat_clock(path: Path, bpm: float, begin: float, end: float) -> list[Message]:
    """Clocks along the path at a tempo."""
    return [(when, bytes((CLOCK,))) for when, _ in crossings(path, 60 / bpm / PPQ, begin, end)]


def heard(
    messages: Iterable[Message], seed: int = 0, jitter: float = 0.0, lost: float = 0.0, doubled: float = 0.0
) -> list[Message]:
    """The messages at the far end of a wire: each up to ``jitter`` seconds late but in order, some lost, some doubled."""
    chance, now, out = random.Random(seed), 0.0, []
    for when, message in messages:
        now = max(now, when + jitter * chance.random())
        if chance.random() >= lost:
            out += [(now, message)] * (2 if chance.random() < doubled else 1)
    return out


def nanoseconds(seconds: float) -> int:
    return round(seconds * SECOND)


def fed(chase: Chase, feed: Callable[[bytes, int], object], messages: Iterable[Message]) -> Iterator[float]:
    """Feeds the messages to a reader and its reports to the chase; yields each message's time after it was heard."""
    for when, message in messages:
        report = feed(message, nanoseconds(when))
        if report is not None:
            chase.hear(report)  # type: ignore[arg-type]
        yield when
