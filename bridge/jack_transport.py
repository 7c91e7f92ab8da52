"""JACK's transport as a source for the chase: every program of one JACK graph shares its place, to the sample."""

from __future__ import annotations

import math
from fractions import Fraction

from bridge.clock import SECOND
from bridge.jack_client import JackClient
from bridge.transport import Report

STOPPED, ROLLING, STARTING = 0, 1, 3
"""JACK's states; while it is starting it waits for slow clients, and stands."""

BBT = 0x10
"""The bit of a position's ``valid`` which says that bars, beats and tempo mean anything (JackPositionBBT)."""

_REST_NS = SECOND // 4  # a transport that stands says so that often


class JackReader:
    """Reads the state of JACK's transport, as it was at the first sample of a period, as reports."""

    def __init__(self, source: str = "JACK transport") -> None:
        self.source = source
        self._last: tuple[int, int, int] | None = None  # state, sample of the transport, moment
        self._told_ns = -_REST_NS

    def feed(
        self, state: int, sample: int, rate: int, received_ns: int, bpm: float | None = None
    ) -> Report | None:  # fmt: skip
        """``sample`` is the transport's place at the moment ``received_ns``. None if it stands where it stood, and said so lately."""
        last, self._last = self._last, (state, sample, received_ns)
        rolling = state == ROLLING
        if last is not None and not rolling and last[:2] == (state, sample) and received_ns - self._told_ns < _REST_NS:
            return None
        if last is not None and last[2] == received_ns:
            return None  # the same period
        self._told_ns = received_ns
        located = last is None or not rolling or last[0] != state
        if not located and last is not None:
            elapsed = (received_ns - last[2]) * rate / SECOND
            located = abs(sample - last[1] - elapsed) > 2  # it runs at no speed but 1: anything else is a jump
        tempo = bpm if bpm is not None and math.isfinite(bpm) and 0 < bpm < 1000 else None
        return Report(
            self.source, "jack", received_ns, Fraction(sample, rate), rolling=rolling, speed=1.0 if rolling else None,
            located=located, bpm=tempo,
        )  # fmt: skip


class JackTransport:
    """The transport of a `JackClient`: `poll` reports what it does."""

    def __init__(self, jack: JackClient, source: str = "JACK transport") -> None:
        self.jack, self._reader = jack, JackReader(source)
        self._seen: tuple[int, int, int, float | None] | None = None
        jack.add(self._look)

    def poll(self) -> Report | None:
        """What it did since, if anything."""
        seen = self._seen
        if seen is None:
            return None
        state, sample, first, bpm = seen
        return self._reader.feed(state, sample, self.jack.rate, self.jack.clock.nanoseconds(first), bpm)

    def close(self) -> None:
        """Looks no more; a second time does nothing."""
        self.jack.drop(self._look)

    def _look(self, first: int, frames: int) -> None:
        state, position = self.jack.client.transport_query_struct()
        bpm = float(position.beats_per_minute) if position.valid & BBT else None
        self._seen = int(state), int(position.frame), first, bpm
