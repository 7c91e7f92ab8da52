"""The beat clock: counted right from wherever it starts, through gaps, and never from what it is not."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.midi_clock import SIXTEENTH, TICK, ClockReader, clocks, song_position, started
from engines.errors import OptionError

CLOCK, STOP = b"\xf8", b"\xfc"


def tick_ns(bpm: float) -> int:
    return round(60e9 / bpm / 24)


@given(st.integers(0, 16383), st.integers(30, 300))
@settings(deadline=None, max_examples=40)
def test_the_first_clock_after_the_start_is_the_beat_that_was_named(sixteenth: int, bpm: int) -> None:
    beat = Fraction(sixteenth, 4)
    reader, now = ClockReader("clock"), 0
    told = [reader.feed(message, now) for message in started(beat)]
    assert told[-1] is not None
    assert (told[-1].beats, told[-1].rolling) == (beat, False), "it rolls with its first clock"
    for k in range(100):
        now += tick_ns(bpm)
        report = reader.feed(CLOCK, now)
        assert report is not None
        assert (report.beats, report.rolling) == (beat + k * TICK, True)
    stopped = reader.feed(STOP, now)
    assert stopped is not None
    assert (stopped.beats, stopped.rolling) == (beat + 100 * TICK, False)
    assert reader.feed(CLOCK, now + 1) is None, "clocks of a transport that stands count nothing"


def test_continue_goes_on_where_it_stopped() -> None:
    reader = ClockReader("clock")
    reader.feed(b"\xfa", 0)
    for k in range(30):
        reader.feed(CLOCK, k * tick_ns(120))
    reader.feed(STOP, 10**9)
    reader.feed(b"\xfb", 2 * 10**9)
    report = reader.feed(CLOCK, 2 * 10**9 + 1000)
    assert report is not None
    assert report.beats == 30 * TICK


def test_a_song_position_in_clocks_is_read_where_the_caller_says_so() -> None:
    """Ardour 7.3 sent F2 00 03 to beat 16."""
    told = [ClockReader("clock", step).feed(b"\xf2\x00\x03", 0) for step in (TICK, SIXTEENTH)]
    assert [report.beats for report in told if report is not None] == [16, 96]


def test_a_writer_and_a_reader_agree() -> None:
    assert song_position(Fraction(33)) == b"\xf2\x04\x01"
    assert list(clocks(Fraction(1, 50), Fraction(1, 8))) == [TICK, 2 * TICK]
    assert started(Fraction(0)) == (b"\xfa",)
    with pytest.raises(OptionError, match="4095"):
        song_position(Fraction(4096))


@given(st.lists(st.binary(max_size=4), max_size=50))
@settings(deadline=None, max_examples=40)
def test_other_messages_change_nothing(noise: list[bytes]) -> None:
    reader = ClockReader("clock")
    reader.feed(b"\xfa", 0)
    for message in noise:
        if not message or message[0] not in (0xF2, 0xF8, 0xFA, 0xFB, 0xFC):
            assert reader.feed(message, 1) is None
    report = reader.feed(CLOCK, 2)
    assert report is not None
    assert report.beats == 0
