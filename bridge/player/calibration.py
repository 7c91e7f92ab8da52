"""Calibration: how late a port's notes are heard or recorded, measured, and kept for that port as the latency that makes up for it.

Two ways: notes are sent out and come back in through the DAW, or a cue that the DAW recorded is held against what was played to it.
"""

from __future__ import annotations

import json
import statistics
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from bridge.clock import SECOND, Clock
from bridge.player.messages import Route
from bridge.ports import Port
from engines import files
from engines.errors import OptionError, PortError

Onset = tuple[Fraction, int]
"""When a note begins, in seconds, and its pitch."""

LARGEST_S = Fraction(2)
"""How far a recording may lie from what was played."""

_BIN_S = Fraction(1, 100)
_NEAR_S = Fraction(1, 20)  # of where most notes lie: another note otherwise
_ENOUGH = Fraction(1, 2)  # of the notes must be found
_ASK_NS = SECOND // 100
_CLICK = (76, 100)  # pitch and velocity of what is sent round


@dataclass(frozen=True)
class Measured:
    """How late notes were, in milliseconds: the median, and the widths of the middle 90 percent and of all. ``found`` of ``sent``."""

    late_ms: float
    spread_ms: float
    range_ms: float
    found: int
    sent: int

    @property
    def latency_ms(self) -> float:
        """What to add to every moment, so that notes are in time."""
        return 0.0 - self.late_ms  # of nothing no -0.0

    def text(self) -> str:
        """As a person reads it."""
        way = "late" if round(self.late_ms, 2) >= 0 else "early"
        return (
            f"{self.found} of {self.sent} notes are {abs(self.late_ms):.2f} ms {way}, "
            f"90 % of them within {self.spread_ms:.2f} ms, all within {self.range_ms:.2f} ms"
        )


def signed(ms: float) -> str:
    """Milliseconds with their sign, to the hundredth; what is next to nothing has none of its own."""
    return f"{round(ms, 2) + 0.0:+.2f} ms"


def measured(played: Sequence[Onset], heard: Sequence[Onset]) -> Measured:
    """How much later the notes of ``heard`` begin than those of ``played``. Raises OptionError where less than half of them are found."""
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
    late.sort()
    cut = len(late) // 20
    middle = late[cut : len(late) - cut]
    return Measured(statistics.median(late), middle[-1] - middle[0], late[-1] - late[0], len(late), len(played))


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
        self, port: Port, count: int, apart_ns: int, drain: Callable[[], None] = lambda: None, patience_s: float = 2.0
    ) -> Measured:
        """Sends notes every so many nanoseconds, and measures when they come; ``drain`` makes the port in tell what it heard, where
        that must be asked for. Raises PortError where none comes back, OptionError where less than half do."""
        self._count = count
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
        return measured([(Fraction(moment, SECOND), _CLICK[0]) for moment in due], self._came)


def store() -> Path:
    """The file that keeps the latency of each port."""
    from platformdirs import user_config_path

    return user_config_path("hitpoint") / "latencies.json"


def latencies(path: Path | None = None) -> dict[str, float]:
    """What was measured, in milliseconds to add, by port. A file that is damaged counts as none."""
    try:
        table = json.loads((path or store()).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    rows = table.items() if isinstance(table, dict) else ()
    return {str(name): float(ms) for name, ms in rows if isinstance(ms, int | float) and abs(ms) <= 1000 * LARGEST_S}


def keep(name: str, latency_ms: float | None, path: Path | None = None) -> Path:
    """Keeps the latency of a port, or forgets it (None). Raises OutputError."""
    table = latencies(path)
    table.pop(name, None)
    if latency_ms is not None:
        table[name] = round(latency_ms, 3)
    target = path or store()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.refusal(target.parent, error) from error
    return files.write(target, json.dumps(dict(sorted(table.items())), indent=1, ensure_ascii=False) + "\n")


def calibrated(routes: Sequence[Route], path: Path | None = None) -> tuple[Route, ...]:
    """The routes, with what was measured where they leave their latency open."""
    known = latencies(path)
    return tuple(
        replace(route, latency_ms=known.get(route.outlet.name, 0.0)) if route.latency_ms is None else route for route in routes
    )
