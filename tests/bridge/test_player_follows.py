"""From the messages of a DAW to the notes that we send: chase and deck together, on a clock that is turned by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
import pytest
from tape import Message, Path, Steady, Vary, beat_clock, heard, mtc, nanoseconds

from bridge.chase import Chase
from bridge.clock import SECOND, HandClock
from bridge.midi_clock import ClockReader, started
from bridge.mtc import MtcReader
from bridge.player.deck import Deck
from bridge.player.programme import Part, Programme, TimedNote
from bridge.ports import MemoryPort
from bridge.transport import MidiReader

RATE, APART_S = Fraction(25), 0.125
TICK = SECOND // 100


def grid(seconds: int = 240) -> Programme:
    """A note every eighth of a second of the film, from its first frame on."""
    count = int(seconds / APART_S)
    notes = tuple(TimedNote(k * SECOND // 8, k * SECOND // 8 + SECOND // 20, 36 + k % 60, 80) for k in range(count))
    return Programme("grid", (Part("melody", 0, notes),), rate=RATE)


class Follower:
    """A deck that goes with a chase, as the player's process has it."""

    def __init__(self, chase: Chase) -> None:
        self.clock, self.chase = HandClock(), chase
        self.port = MemoryPort(self.clock)
        self.port.open()
        self.deck = Deck(self.clock, lambda stem: (self.port, 0))
        self.deck.load(grid())

    def run(self, reader: MidiReader, messages: Iterable[Message], end: float) -> None:
        """Hears messages when they come, and steps every hundredth of a second and whenever a note is due."""
        coming, tick = iter([*messages, (math.inf, b"")]), self.clock.now_ns()
        when, message = next(coming)
        while self.clock.now_ns() < nanoseconds(end):
            while when != math.inf and nanoseconds(when) <= self.clock.now_ns():
                report = reader.feed(message, nanoseconds(when))
                if report is not None:
                    self.chase.hear(report)
                when, message = next(coming)
            if self.clock.now_ns() >= tick:
                tick = self.clock.now_ns() + TICK
                self._follow()
            due = self.deck.step()
            arrives = nanoseconds(when) if when != math.inf else tick
            self.clock.turn_to(max(self.clock.now_ns() + 1, min(tick, arrives, tick if due is None else due)))

    def _follow(self) -> None:
        now = self.clock.now_ns()
        reading = self.chase.at(now)
        if reading.seconds is not None:
            stands = reading.state in ("stopped", "lost")
            speed = Fraction(0) if stands else Fraction(reading.speed).limit_denominator(10**6)
            self.deck.chase(round(reading.seconds * SECOND), speed, now)

    @property
    def struck(self) -> list[tuple[float, int]]:
        """Seconds of the clock and pitches."""
        return [(now / SECOND, message[1]) for now, message in self.port.sent if message[0] == 0x90]

    @property
    def hanging(self) -> set[int]:
        sounds: set[int] = set()
        for _, message in self.port.sent:
            (sounds.add if message[0] == 0x90 else sounds.discard)(message[1])
        return sounds


def errors_ms(follower: Follower, path: Callable[[np.ndarray], np.ndarray], since: float) -> np.ndarray:
    """How far each note lies from where the tape was at that moment, milliseconds of the film; fails where a note is none of the grid's."""
    rows = [(when, pitch) for when, pitch in follower.struck if when > since]
    places = path(np.array([when for when, _ in rows]))
    numbers = np.round(places / APART_S).astype(int)
    assert [36 + number % 60 for number in numbers.tolist()] == [pitch for _, pitch in rows]
    assert len(set(numbers.tolist())) == len(numbers), "each once"
    assert set(np.diff(numbers).tolist()) <= {1}, "and none left out"
    return (places - numbers * APART_S) * 1000


@pytest.mark.parametrize(("jitter_ms", "most_ms"), [(0, 0.5), (2, 2.0), (10, 8.0)])
def test_notes_lie_where_the_timecode_is_whatever_its_jitter(jitter_ms: int, most_ms: float) -> None:
    follower, path = Follower(Chase(RATE)), Steady(100.0)
    follower.run(MtcReader("MTC", RATE), heard(mtc(path, RATE, False, 0, 12), 3, jitter_ms / 1000), 11.9)
    off = errors_ms(follower, path, 1.0)
    assert len(off) > 80
    # what comes late by up to the jitter is late by half of that on average
    assert np.percentile(np.abs(off - np.median(off)), 95) < most_ms
    assert abs(float(np.median(off))) <= jitter_ms + 0.5


def test_varispeed_is_followed() -> None:
    follower, path = Follower(Chase(RATE)), Vary()
    follower.run(MtcReader("MTC", RATE), heard(mtc(path, RATE, False, 0, 14), 3, 0.001), 13.9)
    assert np.percentile(np.abs(errors_ms(follower, path, 1.0)), 95) < 5


def test_a_drop_out_of_a_second_is_played_through_and_a_source_that_dies_ends_every_note() -> None:
    follower, path = Follower(Chase(RATE)), Steady(10.0)
    messages = [(when, message) for when, message in mtc(path, RATE, False, 0, 8) if not 4 < when < 5]
    follower.run(MtcReader("MTC", RATE), messages, 14)
    off = errors_ms(follower, path, 1.0)
    assert float(np.max(np.abs(off))) < 5
    last = follower.struck[-1][0]
    assert 8 < last < 10.5, "it goes on by itself for a while, then stands"
    assert follower.hanging == set()
    assert follower.deck.course is None


def test_a_loop_of_the_daw_goes_back_at_once_and_leaves_nothing() -> None:
    follower, reader = Follower(Chase(RATE)), MtcReader("MTC", RATE)
    for k in range(4):
        path = Steady(20.0 - 2 * k)  # two seconds, again and again
        follower.run(reader, mtc(path, RATE, False, 2 * k, 2 * k + 1.99), 2 * k + 2)
        since = 2 * k + 0.5
        off = errors_ms(follower, path, since)
        assert len(off) >= 11
        assert float(np.max(np.abs(off))) < 2
    follower.deck.chase(0, Fraction(0))
    assert follower.hanging == set()


def test_a_clock_that_starts_at_the_first_bar_misses_no_note() -> None:
    """Start, then clocks: the very first note, on beat 0, is struck as soon as the second clock says that it rolls."""
    follower = Follower(Chase(RATE, beats=lambda beat: beat / 2))
    path: Path = Steady(-1.0)
    messages = [(0.99, message) for message in started(Fraction(0))] + beat_clock(path, 120, 1.0, 8)
    follower.run(ClockReader("clock"), messages, 7.9)
    assert [pitch for _, pitch in follower.struck] == [36 + k for k in range(len(follower.struck))]
    assert len(follower.struck) > 50
    assert follower.struck[0][0] < 1.1
    assert float(np.max(np.abs(errors_ms(follower, path, 1.2)))) < 2
