"""MIDI timecode: every label there and back, both ways, with what wires do to it; and nothing from what is not timecode."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.mtc import MtcReader, code_of, day_of, full_frame, nibbles, quarter_frame, rate_of
from bridge.transport import Report
from engines.errors import OptionError
from engines.picture.timecode import Timecode

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)
RATES = [(Fraction(24), False), (Fraction(25), False), (NTSC, True), (Fraction(30), False), (FILM, False), (NTSC, False)]

MODEST = settings(deadline=None, max_examples=40)

formats = st.sampled_from(RATES)
seconds = st.integers(0, 24 * 3600 - 1)


def frame_ns(rate: Fraction) -> float:
    return float(1_000_000_000 / rate)


def pieces(first: Timecode, count: int, backwards: bool = False) -> list[tuple[int, bytes, Fraction]]:
    """Quarter frames from an even frame on, one way or the other: when (ns), what, and which place that is (frames)."""
    quarters = range(8 * count - 1, -1, -1) if backwards else range(8 * count)
    step = frame_ns(first.rate) / 4
    out = []
    for k, quarter in enumerate(quarters):
        label = (first + quarter // 8 * 2).wrapped
        out.append((round(k * step), quarter_frame(label, quarter % 8), label.frame + Fraction(quarter % 8, 4)))
    return out


def at_or_after(second: int, rate: Fraction, drop: bool) -> Timecode:
    """The first even frame from a second on."""
    frame = Timecode.at(Fraction(second), rate, drop).frame
    return Timecode(frame + frame % 2, rate, drop).wrapped


@MODEST
@given(formats, seconds)
def test_a_label_is_told_in_eight_pieces_and_read_where_the_last_one_lies(kind: tuple[Fraction, bool], second: int) -> None:
    first = at_or_after(second, *kind)
    reader = MtcReader("MTC", kind[0])
    reports = [(reader.feed(message, ns), place) for ns, message, place in pieces(first, 3)]
    assert [report for report, _ in reports[:7]] == [None] * 7, "seven pieces tell no label"
    for report, place in reports[7:]:
        assert report is not None
        assert report.seconds == place / first.rate % day_of(*kind), "two frames after the label, the label is two frames old"
        assert (report.rate, report.drop, report.speed) == (*kind, 1.0)


@MODEST
@given(formats, seconds)
def test_backwards_the_pieces_come_from_seven_to_nought(kind: tuple[Fraction, bool], second: int) -> None:
    first = at_or_after(second, *kind)
    reader = MtcReader("MTC", kind[0])
    reports = [(reader.feed(message, ns), place) for ns, message, place in pieces(first, 3, backwards=True)]
    assert all(report is None for report, _ in reports[:7])
    for report, place in reports[7:]:
        assert report is not None
        assert report.seconds == place / first.rate % day_of(*kind)
        assert report.speed == -1.0


@MODEST
@given(formats, seconds, st.integers(1, 7))
def test_a_sequence_that_begins_in_the_middle_waits_for_a_whole_one(
    kind: tuple[Fraction, bool], second: int, skipped: int
) -> None:
    first = at_or_after(second, *kind)
    reader = MtcReader("MTC", kind[0])
    reports = [(reader.feed(message, ns), place) for ns, message, place in pieces(first, 3)[skipped:]]
    known = next(k for k, (report, _) in enumerate(reports) if report is not None)
    assert known == 15 - skipped
    for report, place in reports[known:]:
        assert report is not None
        assert report.seconds == place / first.rate % day_of(*kind)


@MODEST
@given(formats, seconds, st.data())
def test_lost_and_doubled_pieces_change_no_place(kind: tuple[Fraction, bool], second: int, data: st.DataObject) -> None:
    first = at_or_after(second, *kind)
    stream = pieces(first, 6)
    fate = data.draw(st.lists(st.sampled_from([1, 1, 1, 1, 1, 2, 0]), min_size=40, max_size=40))
    reader = MtcReader("MTC", kind[0])
    for ns, message, place in [*stream[:8], *(row for row, times in zip(stream[8:], fate, strict=True) for _ in range(times))]:
        report = reader.feed(message, ns)
        assert report is None or report.seconds == place / first.rate % day_of(*kind)


@MODEST
@given(formats, seconds, st.integers(9, 30))
def test_a_tape_that_turns_is_read_on(kind: tuple[Fraction, bool], second: int, turn: int) -> None:
    first = at_or_after(second, *kind)
    forth = pieces(first, 4)[:turn]
    step = round(frame_ns(kind[0]) / 4)
    back = [(forth[-1][0] + (k + 1) * step, *row[1:]) for k, row in enumerate(reversed(forth))]
    reader = MtcReader("MTC", kind[0])
    speeds = []
    for ns, message, place in forth + back:
        report = reader.feed(message, ns)
        if report is not None:
            assert report.seconds == place / first.rate % day_of(*kind)
            speeds.append(report.speed)
    assert speeds == sorted(speeds, key=lambda speed: -float(speed or 0)), "forwards, then backwards"
    assert speeds[-1] == -1.0


@pytest.mark.parametrize(("rate", "drop"), RATES)
def test_the_day_begins_again_without_a_gap(rate: Fraction, drop: bool) -> None:
    last = Timecode.parse("23:59:59;20" if drop else "23:59:59:20", rate, drop)
    reader = MtcReader("MTC", rate)
    places = [report.seconds for ns, message, _ in pieces(last, 8) if (report := reader.feed(message, ns))]
    steps = {(b - a) % day_of(rate, drop) for a, b in pairwise(places) if a is not None and b is not None}
    assert steps == {1 / rate / 4}
    assert min(place for place in places if place is not None) == 0


@pytest.mark.parametrize("minute", [0, 1, 9, 10, 11, 59])
def test_drop_frame_minutes_have_no_seam(minute: int) -> None:
    before = Timecode.parse(f"00:{minute:02}:59;24", NTSC, True)
    reader = MtcReader("MTC")
    places = [report.seconds for ns, message, _ in pieces(before, 8) if (report := reader.feed(message, ns))]
    assert {b - a for a, b in pairwise(places)} == {1 / NTSC / 4}  # type: ignore[operator]


@MODEST
@given(formats, seconds)
def test_a_full_frame_tells_where_it_stands_and_the_next_piece_rolls_from_there(kind: tuple[Fraction, bool], second: int) -> None:
    first = at_or_after(second, *kind)
    reader = MtcReader("MTC", kind[0])
    there = reader.feed(full_frame(first), 0)
    assert there is not None
    assert (there.seconds, there.rolling, there.located) == (first.seconds % day_of(*kind), False, True)
    rolling = reader.feed(quarter_frame(first, 0), 5_000_000)
    assert rolling is not None
    assert (rolling.seconds, rolling.rolling) == (there.seconds, True)


def test_the_bytes_are_those_that_ardour_sends() -> None:
    """A full frame and a locate as they were recorded from Ardour 7.3 at 25 fps."""
    assert full_frame(Timecode.parse("00:00:03:24", Fraction(25))) == bytes.fromhex("F07F7F01012000 0318F7".replace(" ", ""))
    report = MtcReader("MTC").feed(bytes.fromhex("F07F7F010120000318F7"), 0)
    assert report is not None
    assert (report.seconds, report.rate) == (Fraction(99, 25), Fraction(25))


def test_a_jump_without_a_word_starts_the_search_again() -> None:
    reader = MtcReader("MTC")
    here, there = (Timecode.parse(label, Fraction(25)) for label in ("00:01:00:00", "00:07:31:06"))
    rows = pieces(here, 2)
    after = [(ns + rows[-1][0] + 10_000_000, message, place) for ns, message, place in pieces(there, 2)]
    places = [reader.feed(message, ns) for ns, message, _ in rows + after]
    told = [report.seconds for report in places[16:] if report is not None]
    assert told[0] == there.seconds + Fraction(7, 100), "known after eight pieces of the new place"
    assert all(place >= there.seconds for place in told if place is not None), "and nothing told of it before was wrong"


@MODEST
@given(st.lists(st.binary(max_size=12), max_size=60), seconds)
def test_noise_raises_nothing_and_a_clean_set_is_read_after_it(noise: list[bytes], second: int) -> None:
    reader = MtcReader("MTC")
    for k, message in enumerate(noise):
        reader.feed(message, k)
        reader.feed(b"\xf1" + message[:1], k)
        reader.feed(b"\xf0\x7f\x7f\x01\x01" + message[:4] + b"\xf7", k)
    first = at_or_after(second, Fraction(25), False)
    reports = [(reader.feed(message, 10**12 + ns), place) for ns, message, place in pieces(first, 3)]
    report, place = reports[-1]
    assert isinstance(report, Report)
    assert report.seconds == place / 25


def test_rates_that_ride_under_another_code() -> None:
    assert (code_of(FILM), code_of(Fraction(24)), code_of(NTSC), code_of(NTSC, drop=True), code_of(Fraction(25))) == (
        0,
        0,
        3,
        2,
        1,
    )
    assert (rate_of(0), rate_of(0, FILM), rate_of(0, NTSC), rate_of(3, NTSC), rate_of(2, FILM)) == (24, FILM, 24, NTSC, NTSC)
    hour = MtcReader("MTC", FILM).feed(full_frame(Timecode.parse("01:00:00:00", Fraction(24))), 0)
    assert hour is not None
    assert hour.seconds == Fraction("3603.6"), "an hour of labels at 23.976 lasts longer"


@pytest.mark.parametrize(("rate", "drop"), [(Fraction(48), False), (Fraction(60000, 1001), True), (Fraction(12), False)])
def test_a_rate_that_midi_timecode_does_not_know_is_refused(rate: Fraction, drop: bool) -> None:
    with pytest.raises(OptionError, match="MIDI timecode knows no"):
        code_of(rate, drop)


def test_the_last_nibble_holds_the_rate_and_the_high_bit_of_the_hour() -> None:
    assert nibbles(Timecode.parse("23:59:58;28", NTSC, True)) == (12, 1, 10, 3, 11, 3, 7, 5)
