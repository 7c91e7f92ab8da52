"""Following one source: what it says, message by message, becomes a place and a speed at any moment."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from bridge.clock import SECOND
from bridge.line import Line
from bridge.transport import Kind, Report

State = Literal["stopped", "locking", "locked", "free-wheeling", "lost"]
"""Stands; heard but not yet trusted; trusted; goes on by itself through a gap; silent for too long, or never heard."""

Beats = Callable[[Fraction], Fraction]
"""Seconds of a beat, as a cue's tempo map tells them."""

FREE_WHEEL_S = 1.5
"""Seconds for which a source that fell silent is taken to go on."""

NOISE_S: dict[Kind, float] = {"jack": 5e-5, "mtc": 0.002, "clock": 0.002, "link": 0.001, "mmc": 0.002, "osc": 0.006}
"""Jitter (rms) to expect before the messages tell."""

_LOCK_COUNT, _LOCK_SPAN_S, _LOCK_ERROR_S = 4, 0.08, 0.010
_COUNTED = 24  # counted steps before one that is off may be taken for a step lost: a beat of the clock
_LEAST_JUMP_S = 0.020  # half a frame: no timecode jumps by less, and no message is that early
_LEAST_GATE_S = 0.003
_AGREEING = 3  # messages off the line that agree with each other: it is the line that is wrong
_LEAST_SILENCE_S = 0.060
_REPEATED_S = 0.25  # a source that says the same place for so long stands


@dataclass(frozen=True)
class Fix:
    """What following one source gives at one moment.

    ``seconds`` is the place (None if none was ever told), exact when it stands; ``jitter_ms`` the 99th percentile of how late its
    messages come, ``offset_ms`` how far the newest do on average (ahead is positive), ``speed_error`` the standard
    error of the speed, ``silent_s`` the time since its last word.
    """

    state: State
    seconds: Fraction | None
    speed: float
    speed_error: float
    jitter_ms: float
    offset_ms: float
    silent_s: float


class Follower:
    """One source. `hear` takes its reports in the order of their arrival, `at` asks where it is and changes nothing.

    ``origin`` is added to places that are told in seconds. Places in beats go through ``beats``; without that they are followed as
    beats, and ``seconds`` then means beats.
    """

    def __init__(
        self, first: Report, beats: Beats | None = None, free_wheel_s: float = FREE_WHEEL_S, origin: Fraction = Fraction(0)
    ) -> None:
        self.beats, self.free_wheel_s, self.origin = beats, free_wheel_s, origin
        self.last = first
        self.rate, self.drop, self.bpm = first.rate, first.drop, first.bpm
        self._origin_ns = first.received_ns
        self._day: Fraction | None = None
        self._line: Line | None = None  # while it rolls
        self._stood: Fraction | None = None
        self._told: tuple[float, Fraction] | None = None  # the newest place, and when it was first told
        self._suspects: deque[tuple[float, float]] = deque(maxlen=_AGREEING)
        self._slip = Fraction(0)  # of a counted place: beats that the reader missed
        self._noise = NOISE_S[first.kind]
        self.hear(first)

    def hear(self, report: Report) -> None:
        """Takes one report."""
        time = (report.received_ns - self._origin_ns) / SECOND
        place = self._place(report)
        self.last, self._day = report, report.day or self._day
        if report.rate is not None:
            self.rate, self.drop = report.rate, report.drop
        self.bpm = report.bpm or self.bpm
        repeated = self._told is not None and place == self._told[1]
        if report.rolling is False:
            self._stand(place if place is not None else self._where(time))
        elif place is None:
            if report.rolling and self._line is None and self._stood is not None:
                self._roll(time, float(self._stood), report.speed)
        elif report.located:
            if report.rolling or self._line is not None:
                self._roll(time, float(place), report.speed)
            else:
                self._stand(place)
        elif repeated and (self._line is not None or not report.rolling):
            assert self._told is not None
            if self._line is not None and time - self._told[0] > _REPEATED_S:
                self._stand(place)
        elif self._line is None:
            self._set_off(time, place, report)
        else:
            self._pass(self._line, time, float(place), report)
        if place is not None and not repeated:
            self._told = (time, place)

    def at(self, now_ns: int) -> Fix:
        """Where the source is at ``now_ns``, which is not before its last report."""
        silent = max(0.0, (now_ns - self.last.received_ns) / SECOND)
        line = self._line
        if line is None:
            state: State = "lost" if self._stood is None else "stopped"
            return Fix(state, self._wrapped(self._stood), 0.0, 0.0, 0.0, 0.0, silent)
        state = self._state(line, silent)
        time = (now_ns - self._origin_ns) / SECOND
        place = line.fit.at(time if state != "lost" else time - silent)
        return Fix(
            state=state,
            seconds=self._wrapped(Fraction(round(place * SECOND), SECOND)),
            speed=line.fit.speed if state != "lost" else 0.0,
            speed_error=line.fit.speed_error,
            jitter_ms=1000 * line.fit.late,
            offset_ms=1000 * line.fit.offset,
            silent_s=silent,
        )

    def _state(self, line: Line, silent: float) -> State:
        if not self.last.steady:
            return "free-wheeling"
        if silent > self.free_wheel_s:
            return "lost"
        if silent > max(_LEAST_SILENCE_S, 3.5 * (line.interval or 0.1) + 3 * line.fit.noise):
            return "free-wheeling"
        sure = len(line) >= _LOCK_COUNT and line.span >= _LOCK_SPAN_S and line.fit.place_error <= _LOCK_ERROR_S
        return "locked" if sure else "locking"

    def _place(self, report: Report) -> Fraction | None:
        if report.seconds is not None:
            return report.seconds + self.origin
        if report.beats is None:
            return None
        if report.located:
            self._slip = Fraction(0)
        return self._of_beats(report.beats + self._slip)

    def _of_beats(self, beats: Fraction) -> Fraction:
        return self.beats(beats) if self.beats is not None else beats

    def _wrapped(self, place: Fraction | None) -> Fraction | None:
        return place if place is None or self._day is None else place % self._day

    def _where(self, time: float) -> Fraction | None:
        """The place at which it was when it was told to stand without a place."""
        if self._line is None:
            return self._stood
        return Fraction(round(self._line.fit.at(time) * SECOND), SECOND)

    def _stand(self, place: Fraction | None) -> None:
        self._line, self._stood = None, place
        self._suspects.clear()

    def _roll(self, time: float, place: float, speed: float | None) -> None:
        """Rolls from here; a transport that went elsewhere keeps its speed and its jitter."""
        was = self._line.fit if self._line is not None else None
        way = speed if speed is not None else (was.speed if was else 1.0)
        if was is not None and was.speed * way > 0:
            way = was.speed
        self._noise = was.noise if was is not None and was.count >= _LOCK_COUNT else self._noise
        self._line = Line(time, place, way, self._noise)
        self._suspects.clear()

    def _set_off(self, time: float, place: Fraction, report: Report) -> None:
        """A place while it stood: it rolls if it says so, or if the place went on as time does."""
        if report.rolling is None and self._told is not None:
            elapsed, moved = time - self._told[0], float(abs(place - self._told[1]))
            if not 0.3 * elapsed < moved < 3 * elapsed:
                self._stand(place)
                return
        if report.rolling is None and self._told is None:
            self._stand(place)
        else:
            self._roll(time, float(place), report.speed)

    def _pass(self, line: Line, time: float, place: float, report: Report) -> None:
        """A place passed while rolling: on the line, a jump, or one of several that show the line to be wrong."""
        fit = line.fit
        if self._day is not None:
            day = float(self._day)
            place += day * round((fit.at(time) - place) / day)
        way = math.copysign(1.0, fit.speed)
        ahead = way * (place - fit.at(time))
        gate = max(_LEAST_GATE_S, 5 * fit.noise + 3 * fit.speed_error * (time - fit.time))
        if len(line) < (_LOCK_COUNT if report.step is None else _COUNTED):
            gate = max(gate, 2 * _LEAST_JUMP_S if report.step is None else math.inf)
        if abs(ahead) <= gate:
            self._suspects.clear()
            line.add(time, place)
        elif report.step is None and (ahead > max(gate, _LEAST_JUMP_S) or way * (place - fit.place) < -gate - _LEAST_JUMP_S):
            # no message comes early, and no place goes back
            self._roll(time, place, report.speed)
        else:
            self._suspects.append((time, place))
            if len(self._suspects) == _AGREEING:
                self._believe(line, report)

    def _believe(self, line: Line, report: Report) -> None:
        """Takes the suspects for the truth if they go on as time does: a burst of late messages does not."""
        (first, start), *_, (last, end) = self._suspects
        if last - first <= 0.4 * abs((end - start) / line.fit.speed):  # nothing goes on in messages of one moment
            return
        suspects = list(self._suspects)
        if report.step is not None and self._slipped(line, suspects, report):
            return
        speed = (end - start) / (last - first)
        self._roll(*suspects[0], report.speed)
        assert self._line is not None
        if abs(speed - self._line.fit.speed) > 0.25:  # another speed altogether, not jitter
            self._line = Line(*suspects[0], speed, self._noise, speed_error=0.25)
        for time, place in suspects[1:]:
            self._line.add(time, place)

    def _slipped(self, line: Line, suspects: list[tuple[float, float]], report: Report) -> bool:
        """A counted place that is off by whole steps: messages were lost or doubled, and the count is put right."""
        assert report.beats is not None
        assert report.step is not None
        here = report.beats + self._slip
        step = float(self._of_beats(here + report.step) - self._of_beats(here))
        way = math.copysign(1.0, line.fit.speed)
        steps = [way * (place - line.fit.at(time)) / step for time, place in suspects]
        whole = round(max(steps))  # the earliest tells; the others may be late
        if whole == 0 or max(steps) - whole > 0.3 or min(steps) - whole < -0.75:
            return False
        whole = round(way) * whole
        self._slip -= whole * report.step
        self._suspects.clear()
        for time, place in suspects:
            line.add(time, place - whole * step)
        return True
