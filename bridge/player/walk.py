"""A walk through the notes of a part, in the order in which they are struck: round a loop, and over a seam into other notes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from bridge.player.course import Loop
from bridge.player.programme import Part, TimedNote


@dataclass(frozen=True, order=True)
class Coming:
    """A note that is still to be struck. ``on`` and ``off`` are unrolled places (see `bridge.player.course`), ``by`` is how far they are
    beyond the film's; ``cap`` is the seam at which it ends, if it does."""

    on: int
    off: int
    note: TimedNote
    by: int = 0
    cap: int | None = None

    def shifted(self, by: int) -> Coming:
        """The same so much later."""
        cap = None if self.cap is None else self.cap + by
        return Coming(self.on + by, self.off + by, self.note, self.by + by, cap)


class Walk:
    """Where a part is being read, from the unrolled ``place`` on, round the loop if there is one: `next` is the note to come, `take`
    passes it."""

    def __init__(self, part: Part, place: int, loop: Loop | None = None) -> None:
        self.part, self.loop = part, loop
        self._seam: tuple[int, Part] | None = None
        self._go(place)

    def _go(self, place: int) -> None:
        self._lap = self.loop.lap(place) if self.loop is not None else 0
        self._index = bisect_left(self.part.ons, self.loop.folded(place) if self.loop is not None else place)

    @property
    def next(self) -> Coming | None:
        """The note to come; None where there is none any more."""
        coming = self._read()
        if self._seam is not None and (coming is None or coming.on >= self._seam[0]):
            place, self.part = self._seam
            self._seam = None
            self._go(place)
            coming = self._read()
        return coming

    def take(self) -> None:
        """Passes the note to come."""
        self._index += 1

    def splice(self, part: Part, place: int) -> None:
        """From the unrolled ``place`` on, other notes are read."""
        self._seam = (place, part)

    def bounded(self, coming: Coming) -> Coming:
        """A note with its end: its own, the loop's, or the seam unless the notes beyond that hold the very same one."""
        cap = coming.cap
        if self._seam is not None and coming.on < (place := self._seam[0]) and (cap is None or cap >= place):
            cap = None if coming.note in self._seam[1].known else place
        ends = [coming.note.off + coming.by, cap]
        if self.loop is not None:
            ends.append(self.loop.end + self.loop.lap(coming.on) * self.loop.length)
        return Coming(coming.on, min(end for end in ends if end is not None), coming.note, coming.by, cap)

    def reloop(self, loop: Loop | None, place: int, back: int) -> None:
        """Another loop, or none; unrolled places count ``back`` less from now on, and ``place`` is where the film is."""
        if self.loop is not None and self._lap * self.loop.length > back:
            self._index = bisect_left(self.part.ons, self.loop.end)  # all of this time round was read, and some of the next
        if self._seam is not None:
            self._seam = (max(place, self._seam[0] - back), self._seam[1])
        self._lap, self.loop = 0, loop

    def _read(self) -> Coming | None:
        notes, loop = self.part.notes, self.loop
        if loop is not None and (self._index == len(notes) or notes[self._index].on >= loop.end):
            first = bisect_left(self.part.ons, loop.start)
            if first == len(notes) or notes[first].on >= loop.end:
                return None
            self._index, self._lap = first, self._lap + 1
        if self._index == len(notes):
            return None
        note = notes[self._index]
        by = self._lap * loop.length if loop is not None else 0
        return self.bounded(Coming(note.on + by, note.off + by, note, by))
