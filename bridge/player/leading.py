"""Leading: what the player does by itself is told to who follows it, as timecode and as beat clock, each message at its moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from bridge.clock import SECOND
from bridge.player.course import Course, Loop
from bridge.player.deck import AHEAD_NS, Deck
from bridge.player.messages import Lead, Outlet, Sender
from bridge.player.plug import Plug
from bridge.player.programme import SILENCE, Programme
from bridge.player.telling import Telling, clock_for, timecode_for

_AT_ONCE = 8  # messages handed over in one go: a note that is due meanwhile waits a fraction of a millisecond
_SLIP_NS = SECOND // 1000  # a course that goes on where the last one was, give or take so much, is the same way at another speed
_MOST = 4096  # messages remembered, more than wait at any speed


@dataclass(frozen=True)
class Run:
    """How the film runs: along ``course``, round ``loop``; without a course it stands at ``place``. Places as in `course`."""

    place: int
    course: Course | None = None
    loop: Loop | None = None

    def by(self, moment: int) -> int:
        """How far unrolled places are beyond the film's at a moment."""
        return 0 if self.loop is None or self.course is None else self.loop.lap(self.course.place_at(moment)) * self.loop.length

    def film(self, moment: int) -> int:
        """Where in the film it is at a moment."""
        return self.place if self.course is None else self.course.place_at(moment) - self.by(moment)


class Said(NamedTuple):
    """A message at its unrolled place, ``by`` beyond the film's, ``early`` nanoseconds before it; ``next`` is the count that follows, None
    amid words that belong together."""

    place: int
    by: int
    message: bytes
    next: int | None
    early: int = 0


class Line:
    """One port, and what is told there. What was handed over and is not out is taken back whenever the film runs otherwise than it was
    laid; the count goes on where it is, and is begun anew where the film went elsewhere."""

    def __init__(self, plug: Plug) -> None:
        self.plug = plug
        self._openings = 0
        self._telling: Telling | None = None
        self._run: Run | None = None  # None: silent
        self._laid: deque[Said] = deque(maxlen=_MOST)  # since it set off
        self._due = 0  # the last moment given: messages keep their order
        self._path: Iterator[Said] = iter(())
        self._coming: Said | None = None

    def step(self, now: int, telling: Telling | None, run: Run | None) -> int | None:
        """Tells how the film runs, None for nothing at all; the moment by which to call again, None if nothing is to come."""
        if self.plug.openings != self._openings:
            self._openings = self.plug.openings
            self._run = None
            self._laid.clear()
        if (telling, run) != (self._telling, self._run):
            self._turn(now, telling, run)
        if self._coming is None or self._run is None or self._run.course is None:
            return None
        for _ in range(_AT_ONCE):
            due = max(self._due, self._run.course.moment(self._coming.place) - self._coming.early)
            if due >= now + AHEAD_NS:
                return now + AHEAD_NS // 4
            self._due = due
            self.plug.send(self._coming.message, due)
            self._laid.append(self._coming)
            self._coming = next(self._path)
        return now

    def _turn(self, now: int, telling: Telling | None, run: Run | None) -> None:
        """The film runs otherwise than it was laid."""
        last, self._telling = self._telling, telling
        before, self._run = self._run, run
        if last is not None:
            back = self.plug.take_back(last.kinds)
            for _, word in back[: max(0, len(back) - len(self._laid))]:
                self.plug.send(word)  # what was said outright stays said
            for _ in back[: len(self._laid)]:
                self._laid.pop()
        self._coming = None
        rolls = last is not None and before is not None and before.course is not None and bool(self._laid)
        if telling is None or run is None:
            if rolls:
                self._say(last.ends(before.film(now)))  # type: ignore[union-attr]
        elif run.course is None:
            if before is None:
                self._say(tuple(dict.fromkeys((*telling.ends(run.place), *telling.stands(run.place)))))
            else:
                self._say(telling.ends(run.place) if rolls else telling.stands(run.place))
        elif last is telling and before is not None and (path := self._going_on(before, run)) is not None:
            self._path = path
            self._coming = next(path)
        else:
            place = max(run.course.place, run.course.place_at(now))
            self._laid.clear()
            by = 0 if run.loop is None else run.loop.lap(place) * run.loop.length
            self._path = self._way(telling, run.loop, by, None, place, rolls)
            self._coming = next(self._path)

        self._due = self.plug.clock.now_ns()  # what follows does not overtake what was said

    def _going_on(self, before: Run, run: Run) -> Iterator[Said] | None:
        """The way on from the last message that is out; None where it is none, and the film went elsewhere."""
        if before.course is None or run.course is None or not self._laid or self._laid[-1].next is None:
            return None
        last, moment = self._laid[-1], run.course.at
        same = before.loop == run.loop
        if abs(before.film(moment) - run.film(moment)) > _SLIP_NS or not (same or last.by == before.by(moment)):
            return None
        assert self._telling is not None
        assert last.next is not None
        return self._way(self._telling, run.loop, last.by - before.by(moment) + run.by(moment), last.next)

    def _way(
        self, telling: Telling, loop: Loop | None, by: int, count: int | None, place: int = 0, rolled: bool = False
    ) -> Iterator[Said]:
        """Message by message from a count on, or without one from an unrolled place where it sets off, as it does at a loop's seam."""
        while True:
            if count is None:
                count = -(-telling.first(place - by) // telling.entry) * telling.entry
                words = telling.sets_off(place - by, rolled)
                for number, word in enumerate(words, 1):
                    yield Said(place, by, word, count if number == len(words) else None, telling.ready_ns)
            while loop is None or telling.place(count) < loop.end:
                yield Said(telling.place(count) + by, by, telling.message(count), count + 1)
                count += 1
            place, by, count, rolled = loop.end + by, by + loop.length, None, True

    def _say(self, words: tuple[bytes, ...]) -> None:
        self._laid.clear()
        for word in words:
            self.plug.send(word)


class Leading:
    """What is told of a deck, and where: ``plugs`` gives the plug of an outlet. Nothing is told while somebody else leads: a DAW's own
    timecode is not sent back to it."""

    def __init__(self, plugs: Callable[[Outlet], Plug]) -> None:
        self._plugs = plugs
        self._lines: dict[str, tuple[Outlet, Line]] = {}
        self._tellings: dict[str, Telling | None] = {}
        self._known: tuple[Programme, Fraction | None] | None = None

    def end(self, now: int, kept: Lead) -> None:
        """Says the end wherever nothing is to be told any more."""
        for what, (outlet, line) in list(self._lines.items()):
            if outlet != getattr(kept, what):
                line.step(now, self._tellings.get(what), None)
                del self._lines[what]

    def step(self, deck: Deck, lead: Lead, follows: bool, at: Fraction | None) -> int | None:
        """Tells how the deck's film runs, whose first frame lies ``at`` seconds of the DAW's project; the moment by which to call again."""
        moments = []
        for what in ("timecode", "clock"):
            outlet: Outlet | None = getattr(lead, what)
            if outlet is not None:
                self._learn(deck.programme, at)
                plug = self._plugs(outlet)
                if what not in self._lines or self._lines[what][1].plug is not plug:
                    self._lines[what] = outlet, Line(plug)
                course = deck.course
                run = None if follows else Run(deck.place) if course is None else Run(0, course, deck.round)
                moments.append(self._lines[what][1].step(deck.clock.now_ns(), self._tellings[what], run))
        return min((moment for moment in moments if moment is not None), default=None)

    def sockets(self, lead: Lead) -> tuple[Sender, ...]:
        """How what is told does."""
        senders = []
        for what in ("timecode", "clock"):
            outlet: Outlet | None = getattr(lead, what)
            if outlet is not None:
                telling, socket = self._tellings.get(what), self._plugs(outlet).socket
                mute = telling is None and self._known is not None and bool(self._known[0].parts)
                silent = f"{socket.name}: the music has no tempo to tell; play a session, or a MIDI file that counts in beats"
                fault = socket.fault or (silent if mute else "")
                senders.append(Sender(what, replace(socket, fault=fault), str(telling or "")))
        return tuple(senders)

    def _learn(self, programme: Programme, at: Fraction | None) -> None:
        """Tells in the programme's rate, timecode and beats; what was told goes on if these stay."""
        last, self._known = self._known, (programme, at)
        if last is not None and last[0] is programme and last[1] == at:
            return
        if last is None or _counting(*last) != _counting(programme, at):
            # before a film is there nobody knows at which rate it counts, nor where it begins
            self._tellings["timecode"] = None if programme == SILENCE else timecode_for(programme, at)
        if last is None or last[0].beats != programme.beats:
            self._tellings["clock"] = clock_for(programme)


def _counting(programme: Programme, at: Fraction | None) -> tuple[object, ...]:
    """What timecode depends on."""
    return programme.start, programme.rate, programme.drop, at
