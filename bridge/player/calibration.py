"""Calibration: how late a port's notes are heard or recorded, and whether that can be made up for. What is kept is in `latencies`.

Two ways: notes are sent out and come back in through the DAW, or a cue that the DAW recorded is held against what was played to it.
"""

from __future__ import annotations

import statistics
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bridge.clock import SECOND, Clock
from bridge.player.latencies import LARGEST_MS
from bridge.ports import Port
from engines.errors import OptionError, PortError

Onset = tuple[Fraction, int]
"""When a note begins, in seconds, and its pitch."""

LARGEST_S = Fraction(LARGEST_MS, 1000)
"""How far a recording may lie from what was played."""

STEADY_MS = 5.0
"""Notes that lie farther apart than that, or rounds that do, have no one lateness that could be made up for."""

_BIN_S = Fraction(1, 100)
_NEAR_S = Fraction(1, 20)  # of where most notes lie: another note otherwise
_ENOUGH = Fraction(1, 2)  # of the notes must be found
_ALL = Fraction(9, 10)  # of the notes that are sent round come back
_ASK_NS = SECOND // 100
_CLICK = (76, 100)  # pitch and velocity of what is sent round


@dataclass(frozen=True)
class Measured:
    """How late notes were, in milliseconds: the median, and the widths of the middle 90 percent and of all. ``found`` of ``sent``.
    ``rounds_ms`` are the medians of the rounds in which notes were sent, none for a recording."""

    late_ms: float
    spread_ms: float
    range_ms: float
    found: int
    sent: int
    rounds_ms: tuple[float, ...] = ()

    @property
    def latency_ms(self) -> float:
        """What to add to every moment, so that notes are in time."""
        return 0.0 - self.late_ms  # of nothing no -0.0

    @property
    def doubt(self) -> str:
        """Why no one latency makes up for it, empty where one does."""
        if self.rounds_ms and max(self.rounds_ms) - min(self.rounds_ms) > STEADY_MS:
            late = ", ".join(f"{ms:+.2f}" for ms in self.rounds_ms)
            return (
                f"the rounds differ ({late} ms late), as they do where JACK slips by a period or something is connected meanwhile"
            )
        if self.spread_ms > STEADY_MS:
            return f"90 % of the notes lie {self.spread_ms:.1f} ms apart, too far for one latency to make up for it"
        if self.rounds_ms and self.found < _ALL * self.sent:
            return f"only {self.found} of {self.sent} notes came back about as late as the others"
        return ""

    def text(self) -> str:
        """As a person reads it."""
        way = "late" if round(self.late_ms, 2) >= 0 else "early"
        return (
            f"{self.found} of {self.sent} notes are {abs(self.late_ms):.2f} ms {way}, "
            f"90 % of them within {self.spread_ms:.2f} ms, all within {self.range_ms:.2f} ms"
        )


def measured(played: Sequence[Onset], heard: Sequence[Onset]) -> Measured:
    """How much later the notes of ``heard`` begin than those of ``played``. Raises OptionError where less than half of them are found."""
    return _told(_late(played, heard), len(played))


def _late(played: Sequence[Onset], heard: Sequence[Onset]) -> list[float]:
    """How late each note is that is found, in milliseconds, least first. Raises OptionError where less than half of them are."""
    pitches: dict[int, list[Fraction]] = {}
    for moment, pitch in sorted(heard):
        pitches.setdefault(pitch, []).append(moment)
    apart = Counter(
        (other - moment) // _BIN_S for moment, pitch in played for other in _between(pitches.get(pitch, []), moment, LARGEST_S)
    )
    # the most frequent distance is the latency; of equals the shortest, for a beat later everything may come again
    often = max(apart, key=lambda step: (apart[step] + apart[step - 1], -abs(step)), default=0)
    centre = often * _BIN_S
    late = []
    for moment, pitch in played:
        near = _between(pitches.get(pitch, []), moment + centre, _NEAR_S)
        if near:
            late.append(float(min(near, key=lambda other: abs(other - moment - centre)) - moment) * 1000)
    if not played or len(late) < _ENOUGH * len(played):
        raise OptionError(
            f"only {len(late)} of {len(played)} notes are found within {float(LARGEST_S):g} s of where they were played",
            where="calibrate",
            cure="give the recording of this very cue, and with --at the second of the film at which it begins",
        )
    return sorted(late)


def _told(late: list[float], sent: int, rounds_ms: tuple[float, ...] = ()) -> Measured:
    cut = len(late) // 20
    middle = late[cut : len(late) - cut]
    return Measured(statistics.median(late), middle[-1] - middle[0], late[-1] - late[0], len(late), sent, rounds_ms)


def _between(moments: Sequence[Fraction], centre: Fraction, reach: Fraction) -> Sequence[Fraction]:
    return moments[bisect_left(moments, centre - reach) : bisect_left(moments, centre + reach)]


class Ring:
    """Notes sent out of one port, and heard at another. `heard` is what the port in calls; any thread may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._came: list[Onset] = []
        self._all = threading.Event()
        self._pause = threading.Event()  # never set: only waited for
        self._count = 0

    def heard(self, message: bytes, moment: int) -> None:
        """Takes what came in; messages that are no clicks of ours pass by."""
        if len(message) == 3 and message[0] & 0xF0 == 0x90 and message[1] == _CLICK[0] and message[2]:
            self._came.append((Fraction(moment, SECOND), _CLICK[0]))
            if len(self._came) >= self._count:
                self._all.set()

    def send(
        self,
        port: Port,
        count: int,
        apart_ns: int,
        drain: Callable[[], None] = lambda: None,
        patience_s: float = 2.0,
        rounds: int = 1,
    ) -> Measured:
        """Sends notes every so many nanoseconds, ``count`` in each of some rounds, and measures when they come; ``drain`` makes the port
        in tell what it heard, where that must be asked for. Raises PortError where none comes back, OptionError where less than half of
        a round do."""
        late = [self._round(port, count, apart_ns, drain, patience_s) for _ in range(rounds)]
        return _told(sorted(ms for one in late for ms in one), count * rounds, tuple(statistics.median(one) for one in late))

    def _round(self, port: Port, count: int, apart_ns: int, drain: Callable[[], None], patience_s: float) -> list[float]:
        """How late the notes of one round are, in milliseconds. Each round is measured by itself: a whole period may lie between two."""
        self._count, self._came = count, []
        self._all.clear()
        start = self._clock.now_ns() + apart_ns
        due = [start + k * apart_ns for k in range(count)]
        for moment in due:
            port.send(bytes((0x90, *_CLICK)), moment)
            port.send(bytes((0x80, _CLICK[0], 0)), moment + apart_ns // 4)
        end = due[-1] + round(patience_s * SECOND)
        while not self._all.is_set() and (now := self._clock.now_ns()) < end:
            until = min(port.service() or end, end, now + _ASK_NS)
            self._all.wait(max(0, until - now) / SECOND)
            drain()
        while port.service() is not None:  # the last note-off
            self._pause.wait(_ASK_NS / SECOND)
        if not self._came:
            raise PortError(
                "no note came back",
                where=port,
                cure="let the DAW send what it hears at this port to the one that is listened to (a track with input monitoring)",
            )
        return _late([(Fraction(moment, SECOND), _CLICK[0]) for moment in due], self._came)
