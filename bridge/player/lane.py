"""A lane: one part on its way to its port. It hands over what is due soon, and takes back what it handed over when the course changes."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from bridge.clock import SECOND
from bridge.player.course import Course, Loop
from bridge.player.programme import Part
from bridge.player.walk import Coming, Walk
from bridge.ports import Port

RELEASE = 64
"""The velocity of a note-off, as a MIDI file of ours has it."""

_OUT_NS = SECOND  # a message is out that long after it was due: no port that works is later
_HELD_NS = SECOND // 20  # a note that is struck late must have that much of itself left


@dataclass
class Going:
    """A note whose note-on was handed over, and the moments for which its messages were; ``off_due`` is None while its note-off waits."""

    coming: Coming
    on_due: int
    off_due: int | None = None


@dataclass(order=True)
class _Mark:
    """A message that is no note, due at an unrolled place."""

    place: int
    order: int
    message: bytes = field(compare=False)
    due: int | None = field(default=None, compare=False)


class Lane:
    """One part, its port, and the latency (nanoseconds, less than 0 for earlier) that is added to every moment.

    A lane knows places alone; the course, which turns them into moments, comes with every `hand`.
    """

    def __init__(self, part: Part, port: Port, latency_ns: int = 0) -> None:
        self.part, self.port, self.latency_ns = part, port, latency_ns
        self._walk = Walk(part, 0)
        self._order = count()
        self._going: list[Going] = []
        self._again: list[Coming] = []  # handed over once, and taken back
        self._ends: list[tuple[int, int, Going]] = []  # heap of note-offs to hand over
        self._marks: list[_Mark] = []
        self._due: dict[int, int] = {}  # the last moment given to a pitch: its messages keep their order whatever the course does

    def start(self, place: int, loop: Loop | None, since: int | None = None) -> None:
        """Reads from the unrolled ``place`` on. Notes that began at ``since`` or later and should still sound are struck as well."""
        self._walk = Walk(self.part, place, loop)
        self._forget()
        held = [n for n in self.part.notes if since is not None and since <= n.on < place and n.off > place + _HELD_NS]
        self._again = sorted(self._walk.bounded(Coming(place, note.off, note)) for note in held)
        for message in self.part.setup:
            self.port.send(message)

    def hand(self, course: Course, now: int, until: int) -> None:
        """Hands everything over that is due before ``until``."""
        self._going = [g for g in self._going if g.off_due is None or g.off_due > now - _OUT_NS]
        while True:
            coming = self._again[0] if self._again else self._walk.next
            mark = next((mark for mark in self._marks if mark.due is None), None)
            places = [coming.on] if coming is not None else []
            places += [mark.place] if mark is not None else []
            places += [self._ends[0][0]] if self._ends else []
            if not places:
                return
            place = min(places)
            due = course.moment(place) + self.latency_ns
            if due >= until:
                return
            if self._ends and self._ends[0][0] == place:  # a release comes before the next stroke, or that stroke would be cut
                self._release(heapq.heappop(self._ends)[2], due)
            elif mark is not None and mark.place == place:
                mark.due = due
                self.port.send(mark.message, due)
            else:
                assert coming is not None
                self._strike(coming, due)

    def bend(self) -> None:
        """Takes back what is not out yet; the next `hand` hands it over along its new course."""
        back = Counter(self.port.recall(self.part.channel))
        going: list[Going] = []
        for one in reversed(self._going):
            if one.off_due is not None:
                if not back[one.off_due, self._off(one)]:
                    continue
                back[one.off_due, self._off(one)] -= 1
                one.off_due = None
            if back[one.on_due, self._on(one.coming)]:
                back[one.on_due, self._on(one.coming)] -= 1
                self._again.append(one.coming)
            else:
                going.append(one)
        self._going = going[::-1]
        self._again.sort()
        self._await(self._going)
        for mark in self._marks:
            mark.due = None if mark.due is not None and back[mark.due, mark.message] else mark.due
        self._marks = [mark for mark in self._marks if mark.due is None]
        self._due.clear()

    def splice(self, part: Part, place: int) -> None:
        """From the unrolled ``place`` on, another part is played on the same stem and channel; what is handed over must be due later."""
        self.bend()
        self._walk.splice(part, place)
        self._again = [self._walk.bounded(coming) for coming in self._again if coming.on < place]
        self._bound()
        setup = part.setup if part.setup != self.part.setup else ()
        self._marks = [_Mark(place, next(self._order), message) for message in setup]
        self.part = part

    def reloop(self, loop: Loop | None, place: int, back: int) -> None:
        """Another loop from ``place`` on, or none; see `Walk.reloop`."""
        self.bend()
        before = self._walk.loop
        while before is not None and (coming := self._walk.next) is not None and coming.on < before.start + back:
            self._again.append(coming)  # a lane that is late has notes left of the time round before
            self._walk.take()
        self._again = [c.shifted(-back) for c in self._again if before is None or c.on - back < before.end]
        for one in self._going:
            one.coming = one.coming.shifted(-back)
        self._marks = [_Mark(max(place, m.place - back), m.order, m.message) for m in self._marks]
        self._walk.reloop(loop, place, back)
        if self._walk.loop is not None:
            self._again = [c for c in self._again if c.on < self._walk.loop.end]
        self._again = [self._walk.bounded(c) for c in self._again]
        self._bound()

    def cut(self) -> None:
        """Drops what waits and ends what sounds, now."""
        self.port.recall(self.part.channel)
        for pitch in self.port.sounding(self.part.channel):
            self.port.send(bytes((0x80 | self.part.channel, pitch, RELEASE)))
        self._forget()

    def latest(self, now: int) -> int:
        """The moment up to which its messages may be out already, as the course knows moments."""
        return now + self.port.commit_ns - self.latency_ns

    @property
    def idle(self) -> bool:
        """Whether nothing sounds, and nothing that was handed over can still wait."""
        return not self._again and not self._going

    def _bound(self) -> None:
        for one in self._going:
            one.coming = self._walk.bounded(one.coming)
        self._await(self._going)

    def _await(self, going: list[Going]) -> None:
        self._ends = [(one.coming.off, next(self._order), one) for one in going if one.off_due is None]
        heapq.heapify(self._ends)

    def _forget(self) -> None:
        self._going, self._again, self._ends, self._marks = [], [], [], []
        self._due.clear()

    def _strike(self, coming: Coming, due: int) -> None:
        if self._again:
            self._again.pop(0)
        else:
            self._walk.take()
        for one in [one for _, _, one in self._ends if one.coming.note.pitch == coming.note.pitch]:
            self._release(one, due)  # struck again while it sounds
            self._ends = [entry for entry in self._ends if entry[2] is not one]
            heapq.heapify(self._ends)
        due = max(due, self._due.get(coming.note.pitch, due))
        one = Going(coming, due)
        self._going.append(one)
        heapq.heappush(self._ends, (coming.off, next(self._order), one))
        self._due[coming.note.pitch] = due
        self.port.send(self._on(coming), due)

    def _release(self, one: Going, due: int) -> None:
        pitch = one.coming.note.pitch
        one.off_due = max(due, self._due.get(pitch, due), one.on_due)
        self._due[pitch] = one.off_due
        self.port.send(self._off(one), one.off_due)

    def _on(self, coming: Coming) -> bytes:
        return bytes((0x90 | self.part.channel, coming.note.pitch, coming.note.velocity))

    def _off(self, one: Going) -> bytes:
        return bytes((0x80 | self.part.channel, one.coming.note.pitch, RELEASE))
