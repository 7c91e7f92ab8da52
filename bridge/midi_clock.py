"""MIDI beat clock, read and written: 24 clocks a quarter note, start, continue, stop, song position (MIDI 1.0, system real time).

A clock tells a beat by being counted. Start means that the next clock is beat 0; song position and continue, that it is the named
sixteenth. It tells neither frames nor seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from bridge.transport import Report
from engines.errors import OptionError

CLOCK, START, CONTINUE, STOP, SONG_POSITION = 0xF8, 0xFA, 0xFB, 0xFC, 0xF2

PPQ = 24
"""Clocks in a quarter note."""

TICK = Fraction(1, PPQ)
"""Beats from clock to clock."""

SIXTEENTH = Fraction(1, 4)
"""Beats in a step of the song position, which counts to 16383: 1023 bars of 4/4."""


def song_step(port: str) -> Fraction:
    """What a song position counts that comes from a port of this name: sixteenths, and clocks where it is a port of Ardour's."""
    return TICK if "ardour" in port.casefold() else SIXTEENTH


def song_position(beat: Fraction) -> bytes:
    """The message that sends to the sixteenth in which ``beat`` lies; OptionError beyond what 14 bits count."""
    steps = int(beat // SIXTEENTH)
    if not 0 <= steps < 1 << 14:
        raise OptionError(f"a song position cannot tell beat {float(beat):g}", cure="it goes from 0 to 4095 beats")
    return bytes((SONG_POSITION, steps & 0x7F, steps >> 7))


def started(beat: Fraction) -> tuple[bytes, ...]:
    """What is sent to start at ``beat``: a start at 0, else the song position and a continue."""
    return (bytes((START,)),) if beat == 0 else (song_position(beat), bytes((CONTINUE,)))


def clocks(start: Fraction, end: Fraction) -> Iterator[Fraction]:
    """The beats from ``start`` to before ``end`` at which a clock is due."""
    count = -(-start // TICK)
    while count * TICK < end:
        yield count * TICK
        count += 1


class ClockReader:
    """Counts clocks into beats: a report for every clock while it rolls, for every start, stop and song position.

    Clocks that come while it stands only keep the tempo alive, as the standard has them. Lost ones leave the count behind by their
    length, which who follows can see and take back (`Report.step`): the reader cannot tell them from late ones. ``song_step`` is what
    a song position counts: Ardour 7.3 counts clocks (`TICK`) there.
    """

    def __init__(self, source: str, song_step: Fraction = SIXTEENTH) -> None:
        self.source, self.song_step = source, song_step
        self._next = Fraction(0)  # beat of the next clock
        self._rolling = False

    def feed(self, message: bytes, received_ns: int) -> Report | None:
        """Reads one MIDI message; None if it is none of the beat clock's, or a clock that counts nothing."""
        if len(message) == 1 and message[0] in (CLOCK, START, CONTINUE, STOP):
            return self._clock(received_ns) if message[0] == CLOCK else self._turned(message[0], received_ns)
        if len(message) == 3 and message[0] == SONG_POSITION and max(message[1:]) < 0x80:
            self._next = (message[1] | message[2] << 7) * self.song_step
            return self._report(self._next, received_ns, located=True)
        return None

    def _turned(self, status: int, received_ns: int) -> Report:
        if status == START:
            self._next = Fraction(0)
        self._rolling = status != STOP
        return self._report(self._next, received_ns, located=True)

    def _clock(self, received_ns: int) -> Report | None:
        if not self._rolling:
            return None
        beat = self._next
        self._next += TICK
        return self._report(beat, received_ns)

    def _report(self, beat: Fraction, received_ns: int, located: bool = False) -> Report:
        return Report(
            source=self.source,
            kind="clock",
            received_ns=received_ns,
            beats=beat,
            rolling=not located,  # after a start, the first clock is what rolls
            located=located,
            step=TICK,
        )
