"""The programme: what is to be played, each note at its nanosecond of the film, as it is sent to the player's process."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from engines.spotting.tempo import TempoMap

_ROW = struct.Struct("<qqBB")


class TimedNote(NamedTuple):
    """One note as it sounds: struck at ``on`` and released at ``off``, nanoseconds from the film's first frame."""

    on: int
    off: int
    pitch: int
    velocity: int


@dataclass(frozen=True)
class Part:
    """One stem: its notes, sorted, on one ``channel`` (0 to 15), and the messages that prepare its instrument (program change)."""

    stem: str
    channel: int
    notes: tuple[TimedNote, ...]
    setup: tuple[bytes, ...] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Notes cross to the player's process as bytes: thousands of objects would be built there in one go, while nobody may play."""
        return _part, (self.stem, self.channel, b"".join(_ROW.pack(*note) for note in self.notes), self.setup)

    @cached_property
    def ons(self) -> tuple[int, ...]:
        """When its notes are struck, in order."""
        return tuple(note.on for note in self.notes)

    @cached_property
    def known(self) -> frozenset[TimedNote]:
        """Its notes, to ask whether one of them is among them."""
        return frozenset(self.notes)


def _part(stem: str, channel: int, packed: bytes, setup: tuple[bytes, ...]) -> Part:
    return Part(stem, channel, tuple(TimedNote(*row) for row in _ROW.iter_unpack(packed)), setup)


@dataclass(frozen=True)
class Programme:
    """A cue, ready to be played. ``bars`` are the bar lines and ``length`` the film's length, nanoseconds of the film.

    ``start`` is the timecode of the film's first frame in seconds, ``rate`` the film's. ``beats`` is the tempo map of the cue's MIDI
    file, count-in included, which a DAW that took the file over counts by. ``drop`` says that the film counts in drop-frame.
    """

    title: str
    parts: tuple[Part, ...]
    bars: tuple[int, ...] = ()
    length: int = 0
    start: Fraction = Fraction(0)
    rate: Fraction | None = None
    beats: TempoMap | None = None
    drop: bool = False

    def part(self, stem: str, channel: int) -> Part:
        """The part of a stem on a channel; one without notes where there is none."""
        same = (part for part in self.parts if (part.stem, part.channel) == (stem, channel))
        return next(same, Part(stem, channel, ()))


SILENCE = Programme("nothing", ())
"""The programme before any was loaded."""
