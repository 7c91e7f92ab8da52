"""What Reaper, Ardour and Live say about their transport over OSC, as reports. No socket: who has one hands in what came.

Each of them tells its place some ten to thirty times a second and names what it does in addresses of its own. A reader takes the
address and the arguments of one message; what it does not know, or what is broken, changes nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from bridge.transport import Report

_HOUR_CLOCK = re.compile(r"(-?)(\d{1,3}):(\d\d):(\d\d(?:\.\d{1,9})?)")

_FARTHEST = 10**12  # samples: a day at any rate is less


def number(args: Sequence[object], index: int = 0) -> Fraction | None:
    """An argument as an exact number, text of digits too (Ardour sends samples so); None if it is none."""
    value = args[index] if index < len(args) else None
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", value):
        return Fraction(value)
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) < _FARTHEST:
        return Fraction(value)
    return None


def hour_clock(args: Sequence[object]) -> Fraction | None:
    """The seconds of an argument such as ``00:00:02.480``; None if it is none."""
    found = _HOUR_CLOCK.fullmatch(args[0]) if args and isinstance(args[0], str) else None
    if found is None:
        return None
    seconds = (int(found[2]) * 60 + int(found[3])) * 60 + Fraction(found[4])
    return -seconds if found[1] else seconds


class OscTransport:
    """A reader of one DAW's messages: `feed` takes them, ``table`` says which of them mean something.

    Of several ways in which a DAW tells its place, the finest that it was heard to use counts and the others are passed over.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.table: dict[str, Callable[[Sequence[object], int], Report | None]] = {}
        self.rolling: bool | None = None
        self.speed: float | None = None
        self.bpm: float | None = None
        self._finest = 0

    def feed(self, address: str, args: Sequence[object], received_ns: int) -> Report | None:
        """Reads one message; None if it tells nothing of the transport."""
        read = self.table.get(address)
        return read(args, received_ns) if read else None

    def _at(
        self, fineness: int, received_ns: int, seconds: Fraction | None = None, beats: Fraction | None = None
    ) -> Report | None:
        if fineness < self._finest or (seconds is None and beats is None):
            return None
        self._finest = fineness
        return self._report(received_ns, seconds, beats, located=self.rolling is False)

    def _turned(self, rolling: bool, received_ns: int) -> Report | None:
        """The transport was said to start or stop; said again, it is no news."""
        if rolling is self.rolling:
            return None
        self.rolling = rolling
        return self._report(received_ns)

    def _report(
        self, received_ns: int, seconds: Fraction | None = None, beats: Fraction | None = None, located: bool = False
    ) -> Report:
        return Report(
            self.source, "osc", received_ns, seconds, beats, self.rolling, self.speed, located=located, bpm=self.bpm
        )  # fmt: skip

    def _named(self, rolling: bool) -> Callable[[Sequence[object], int], Report | None]:
        """A reader of a button's lamp: lit, the transport rolls or not as ``rolling`` says; unlit, it tells nothing."""
        return lambda args, now: self._turned(rolling, now) if number(args) not in (None, 0) else None

    def _tempo(self, args: Sequence[object], received_ns: int) -> None:
        bpm = number(args)
        self.bpm = float(bpm) if bpm is not None and 0 < bpm < 1000 else self.bpm


class ReaperTransport(OscTransport):
    """Reaper's default OSC pattern: ``/time`` in seconds, the lamps of its buttons, ``/tempo/raw``."""

    def __init__(self, source: str = "OSC from Reaper") -> None:
        super().__init__(source)
        self.table = {
            "/time": lambda args, now: self._at(1, now, number(args)),
            "/play": self._played,
            "/stop": self._named(False),
            "/pause": self._named(False),
            "/tempo/raw": self._tempo,
        }

    def _played(self, args: Sequence[object], received_ns: int) -> Report | None:
        lamp = number(args)
        return None if lamp is None else self._turned(lamp != 0, received_ns)


class ArdourTransport(OscTransport):
    """Ardour's feedback: samples where the sample rate is known, else its clock of hours; speed, play and stop.

    The sample rate comes with the answer to ``/strip/list`` (``end_route_list``), or from the caller.
    """

    def __init__(self, source: str = "OSC from Ardour", sample_rate: int | None = None) -> None:
        super().__init__(source)
        self.sample_rate = sample_rate
        self.table = {
            "/position/samples": self._samples,
            "/transport_frame": self._samples,
            "/position/time": lambda args, now: self._at(1, now, hour_clock(args)),
            "/transport_play": self._named(True),
            "/transport_stop": self._named(False),
            "/transport_speed": self._sped,
            "/reply": self._listed,
            "#reply": self._listed,
        }

    def _samples(self, args: Sequence[object], received_ns: int) -> Report | None:
        count = number(args)
        return self._at(2, received_ns, count / self.sample_rate) if count is not None and self.sample_rate else None

    def _sped(self, args: Sequence[object], received_ns: int) -> Report | None:
        speed = number(args)
        if speed is None:
            return None
        self.speed = float(speed) or None
        return self._turned(speed != 0, received_ns)

    def _listed(self, args: Sequence[object], received_ns: int) -> None:
        rate = number(args, 1)
        if args and args[0] == "end_route_list" and rate is not None and 0 < rate < 10**7:
            self.sample_rate = int(rate)


class LiveTransport(OscTransport):
    """AbletonOSC's listeners: beats on Live's tick of 100 ms, whole beats where only those were asked for, tempo, playing."""

    def __init__(self, source: str = "OSC from Live") -> None:
        super().__init__(source)
        self.table = {
            "/live/song/get/current_song_time": lambda args, now: self._at(2, now, beats=number(args)),
            "/live/song/get/beat": lambda args, now: self._at(1, now, beats=number(args)),
            "/live/song/get/is_playing": self._playing,
            "/live/song/get/tempo": self._tempo,
        }

    def _playing(self, args: Sequence[object], received_ns: int) -> Report | None:
        playing = number(args)
        return None if playing is None else self._turned(playing != 0, received_ns)
