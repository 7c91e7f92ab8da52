"""How a place in the film is told to who follows: as timecode, or as beat clock; counted message by message, and outright."""

from __future__ import annotations

from collections.abc import Container
from fractions import Fraction
from math import ceil, floor
from typing import Protocol

from bridge.clock import SECOND
from bridge.midi_clock import CLOCK, CONTINUE, PPQ, SIXTEENTH, SONG_POSITION, START, STOP, song_position, started
from bridge.mtc import full_frame, quarter_frame, riding
from bridge.player.programme import Programme
from engines.errors import OptionError
from engines.picture.timecode import Timecode
from engines.spotting.tempo import TempoMap


class Telling(Protocol):
    """A way of telling. Places are nanoseconds of the film; messages are counted along it, and what begins begins with a multiple of
    ``entry``. ``kinds`` are the first bytes of all its messages, ``ready_ns`` is what who follows needs to get ready to set off."""

    entry: int
    ready_ns: int
    kinds: Container[int]

    def place(self, count: int) -> int:
        """Where a message lies."""

    def first(self, place: int) -> int:
        """The first message that does not lie before a place."""

    def message(self, count: int) -> bytes:
        """The message itself."""

    def sets_off(self, place: int, rolled: bool) -> tuple[bytes, ...]:
        """What is said where it begins to roll; ``rolled`` says that it rolls and comes from elsewhere."""

    def stands(self, place: int) -> tuple[bytes, ...]:
        """What is said of a place where it stands."""

    def ends(self, place: int) -> tuple[bytes, ...]:
        """What is said where it comes to a stand."""


class TellsTimecode:
    """Quarter frames, a label over two frames, the first piece on an even one; a full frame wherever it sets off, ends or stands. ``zero``
    is the timecode of the film's first frame in seconds."""

    entry, ready_ns = 8, 0
    kinds: Container[int] = (0xF0, 0xF1)

    def __init__(self, rate: Fraction, drop: bool, zero: Fraction) -> None:
        self.rate, self.zero = riding(rate), zero
        self.drop = drop and self.rate == Fraction(30000, 1001)

    def __str__(self) -> str:
        return f"{float(self.rate):.5g} fps{' drop' if self.drop else ''}"

    def place(self, count: int) -> int:
        """Where a quarter frame lies; see `Telling`."""
        return round((count / (4 * self.rate) - self.zero) * SECOND)

    def first(self, place: int) -> int:
        """The first quarter frame from a place on."""
        count = ceil((Fraction(place, SECOND) + self.zero) * 4 * self.rate)
        return count - 1 if self.place(count - 1) >= place else count

    def message(self, count: int) -> bytes:
        """A quarter frame."""
        return quarter_frame(Timecode(count // 8 * 2, self.rate, self.drop), count % 8)

    def sets_off(self, place: int, rolled: bool) -> tuple[bytes, ...]:
        """A full frame."""
        return self.stands(place)

    def stands(self, place: int) -> tuple[bytes, ...]:
        """A full frame."""
        whole = self.first(place + 1) - 1  # a frame whose nanosecond was rounded up begins there all the same
        return (full_frame(Timecode(floor(whole / 4), self.rate, self.drop)),)

    ends = stands


class TellsClock:
    """Clocks, 24 a beat along the tempo map; start or song position and continue where it sets off, stop where it ends. Before the first
    beat, start was said and no clock comes; beyond the last song position nobody can be told to set off."""

    entry, ready_ns = int(SIXTEENTH * PPQ), SECOND // 1000
    kinds: Container[int] = (CLOCK, START, CONTINUE, STOP, SONG_POSITION)

    def __init__(self, beats: TempoMap) -> None:
        self.beats = beats

    def __str__(self) -> str:
        return "24 a beat"

    def place(self, count: int) -> int:
        """Where a clock lies; see `Telling`."""
        return round(self.beats.seconds(Fraction(count, PPQ)) * SECOND)

    def first(self, place: int) -> int:
        """The first clock from a place on."""
        count = max(0, ceil(self.beats.beat(Fraction(place, SECOND)) * PPQ))
        return count - 1 if count and self.place(count - 1) >= place else count

    def message(self, count: int) -> bytes:
        """A clock."""
        return bytes((CLOCK,))

    def sets_off(self, place: int, rolled: bool) -> tuple[bytes, ...]:
        """The sixteenth whose clock comes next, as a start or a song position with a continue; a stop first where it rolled."""
        before = (bytes((STOP,)),) if rolled else ()
        try:
            return (*before, *started(-(-self.first(place) // self.entry) * SIXTEENTH))
        except OptionError:
            return before

    def stands(self, place: int) -> tuple[bytes, ...]:
        """The song position."""
        try:
            return (song_position(max(0, self.first(place + 1) - 1) * Fraction(1, PPQ)),)
        except OptionError:
            return ()

    def ends(self, place: int) -> tuple[bytes, ...]:
        """A stop."""
        return (bytes((STOP,)),)


def timecode_for(programme: Programme, at: Fraction | None) -> TellsTimecode:
    """The timecode of a film whose first frame lies at so many seconds of the DAW's project, or at its own start; 25 frames a second for
    music without a film."""
    zero = programme.start if at is None else at
    return TellsTimecode(programme.rate or Fraction(25), programme.drop, zero)


def clock_for(programme: Programme) -> TellsClock | None:
    """The clock of a programme; None for one without a tempo map."""
    return None if programme.beats is None else TellsClock(programme.beats)
