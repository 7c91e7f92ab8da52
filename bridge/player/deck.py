"""The deck: a programme, the lanes that play it, and the transport that moves it. It has no thread and no clock of its own: whoever
owns it calls `step` when the moment has come that the last call named."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Literal

from bridge.clock import SECOND, Clock
from bridge.player.course import Course, Loop
from bridge.player.lane import Lane
from bridge.player.programme import SILENCE, Part, Programme
from bridge.ports import Port

AHEAD_NS = SECOND // 4
"""The look-ahead: notes are handed over that early at most, so that a change within it finds little to take back."""

DRIFT_NS = SECOND // 1000
"""A leader that is off the course by more takes back what was handed over; by less, only what comes is laid along the new course."""

JUMP_NS = SECOND // 20
"""A leader that is off by more went elsewhere: what sounds is ended."""

MISSED_NS = SECOND // 2
"""Notes that began so long before a leader was understood, after it had set off, are struck late if they should still sound."""

Outlets = Callable[[str], tuple[Port, int]]
"""Where a stem goes: its port, and its latency in nanoseconds."""

Seam = Literal["bar", "now"]


class Deck:
    """Plays. Places are nanoseconds of the film, moments those of the clock; see `bridge.player.course`."""

    def __init__(self, clock: Clock, outlets: Outlets) -> None:
        self.clock, self.outlets = clock, outlets
        self.programme = SILENCE
        self.course: Course | None = None
        """How the film runs; None while it stands."""
        self.loop: Loop | None = None
        self.round: Loop | None = None
        """The loop in which it rolls; a place beyond a loop's end is in none."""
        self.seam: int | None = None
        """The unrolled place from which on the programme that was swapped in is heard; None if it is heard."""
        self._laid: Course | None = None  # the course of what was handed over
        self._stands = 0
        self._lanes: dict[tuple[str, int], Lane] = {}

    @property
    def place(self) -> int:
        """Where in the film it is."""
        if self.course is None:
            return self._stands
        place = max(self.course.place, self.course.place_at(self.clock.now_ns()))
        return self.round.folded(place) if self.round is not None else place

    @property
    def ports(self) -> tuple[Port, ...]:
        """Every port that a lane plays into, once."""
        return tuple({id(lane.port): lane.port for lane in self._lanes.values()}.values())

    @property
    def sounding(self) -> tuple[tuple[str, int], ...]:
        """What sounds: stems and pitches."""
        return tuple((stem, pitch) for (stem, channel), lane in self._lanes.items() for pitch in lane.port.sounding(channel))

    def load(self, programme: Programme) -> None:
        """Ends what sounds and puts another programme in; it rolls on if it rolled."""
        self.cut()
        self.programme = programme
        self._lanes = {(p.stem, p.channel): self._lane(p) for p in programme.parts}
        if self.course is not None:
            self._laid = self.course
            for lane in self._lanes.values():
                lane.start(self.course.place_at(self.clock.now_ns()), self.round)

    def rewire(self) -> None:
        """The outlets of some stems changed: ends what sounds, and goes on through the new ones."""
        self.load(self.programme)

    @property
    def lead_ns(self) -> int:
        """How much later than now it must begin, for the first note to be in time at every port, and of a stem that is played early."""
        return max([0, *(lane.port.commit_ns - lane.latency_ns for lane in self._lanes.values())])

    def play(
        self, place: int | None = None, speed: Fraction = Fraction(1), since: int | None = None, lead: int | None = None
    ) -> None:
        """Rolls, from ``place`` or from where it is, after ``lead`` nanoseconds; ``since`` as in `Lane.start`."""
        lead = self.lead_ns if lead is None else lead
        here = self.place if place is None else place
        self.cut()
        self.course = self._laid = Course(self.clock.now_ns() + lead, here, speed)
        self.round = self._loop_at(here)
        for lane in self._lanes.values():
            lane.start(here, self.round, since)

    def stop(self, place: int | None = None) -> None:
        """Stands, where it is or at ``place``."""
        here = self.place if place is None else place
        self.cut()
        self.course, self._stands = None, here

    def locate(self, place: int) -> None:
        """Goes elsewhere, rolling if it rolled."""
        if self.course is None:
            self.stop(place)
        else:
            self.play(place, self.course.speed)

    def vary(self, speed: Fraction) -> None:
        """Another speed; what sounds goes on."""
        if self.course is not None and speed != self.course.speed:
            now = self.clock.now_ns()
            self._bend(Course(now, self.course.place_at(now), speed))

    def set_loop(self, loop: Loop | None) -> None:
        """What to play over and over from now on; a place beyond its end goes on as without it."""
        if self.course is not None:
            now = self.clock.now_ns()
            place, here = self.course.place_at(now), self.place
            self.loop = loop
            self.round = self._loop_at(here)
            for lane in self._lanes.values():
                lane.reloop(self.round, here, place - here)
            if self.seam is not None:
                self.seam = max(self.seam - place + here, here)
            self.course = self._laid = Course(now, here, self.course.speed)
        self.loop = loop

    def swap(self, programme: Programme, at: Seam = "bar") -> None:
        """Another programme from the next bar line on, or as soon as can be: older notes end there, newer ones begin there, and a note
        that both hold sounds through."""
        if self.course is None:
            self.load(programme)
            return
        seam = self._seam(programme, at)
        before = set(self._lanes)
        for part in programme.parts:
            if (part.stem, part.channel) not in before:
                lane = self._lanes[part.stem, part.channel] = self._lane(Part(part.stem, part.channel, ()))
                lane.start(seam, self.round)
        for (stem, channel), lane in self._lanes.items():
            lane.splice(programme.part(stem, channel), seam)
        self.programme, self.seam = programme, seam

    def chase(self, place: int, speed: Fraction, at: int | None = None) -> None:
        """A leader was at ``place`` at the moment ``at`` (now), and moves at ``speed``, 0 or less for not or backwards: goes with it."""
        now = self.clock.now_ns()
        if at is not None and speed > 0:
            place += round((now - at) * speed)
        if speed <= 0:
            if self.course is not None or place != self._stands:
                self.stop(place)
        elif self.course is None or self._laid is None:
            missed = self._stands if 0 <= place - self._stands < MISSED_NS else None
            self.play(place, speed, missed, 0)
        else:
            new = Course(now, place, speed)
            off = place - self._laid.place_at(now)
            later = new.place_at(now + AHEAD_NS) - self._laid.place_at(now + AHEAD_NS)
            if abs(off) > JUMP_NS:
                self.play(place, speed, lead=0)
            elif max(abs(off), abs(later)) > DRIFT_NS:
                self._bend(new)
            else:
                self.course = new

    def cut(self) -> None:
        """Ends what sounds and drops what waits. A programme that was swapped in is the only one from now on."""
        for lane in self._lanes.values():
            lane.cut()
        wanted = {(part.stem, part.channel) for part in self.programme.parts}
        self._lanes = {key: lane for key, lane in self._lanes.items() if key in wanted}
        self.seam = None

    def panic(self) -> None:
        """Stands, and tells every channel to be silent: pedals up, all notes off, all sound off."""
        self.stop()
        for port in self.ports:
            for channel in range(16):
                for controller in (64, 123, 120):
                    port.send(bytes((0xB0 | channel, controller, 0)))

    def step(self) -> int | None:
        """Hands over what is due soon, lets out what is due; the moment by which to call again, None if nothing is to come."""
        now = self.clock.now_ns()
        if self.course is not None:
            for lane in self._lanes.values():
                lane.hand(self.course, now, now + AHEAD_NS)
            if self.seam is not None and self.course.place_at(now) >= self.seam:
                self.seam = None
            self._dismiss()
        moments = [moment for port in self.ports if (moment := port.service()) is not None]
        if self.course is not None:
            moments.append(now + AHEAD_NS // 4)
        return min(moments, default=None)

    def _bend(self, course: Course) -> None:
        for lane in self._lanes.values():
            lane.bend()
        self.course = self._laid = course

    def _seam(self, programme: Programme, at: Seam) -> int:
        """The first place, unrolled, that no message which may be out already has passed; with ``bar``, a bar line or a loop's start."""
        assert self.course is not None
        now = self.clock.now_ns()
        free = 1 + max([now, *(lane.latest(now) for lane in self._lanes.values())])
        place = self.course.place_at(free) + 1
        if at == "now":
            return place
        loop = self.round
        if loop is None:
            return min((bar for bar in programme.bars if bar >= place), default=place)
        lap = loop.lap(place)
        inside = [bar for bar in programme.bars if loop.start < bar < loop.end]
        turns = [bar + n * loop.length for bar in (loop.start, *inside) for n in (lap, lap + 1)]
        before = [bar for bar in programme.bars if bar < loop.start]  # the way to the loop, the first time
        return min(turn for turn in (*turns, *before) if turn >= place)

    def _dismiss(self) -> None:
        """Parts that the programme no longer has go, once their last note is out."""
        if self.seam is None and len(self._lanes) > len(self.programme.parts):
            wanted = {(part.stem, part.channel) for part in self.programme.parts}
            self._lanes = {key: lane for key, lane in self._lanes.items() if key in wanted or not lane.idle}

    def _loop_at(self, place: int) -> Loop | None:
        return self.loop if self.loop is not None and place < self.loop.end else None

    def _lane(self, part: Part) -> Lane:
        port, latency = self.outlets(part.stem)
        return Lane(part, port, latency)
