"""Timecode both ways, at every minute of a day, at every rate."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import OptionError
from engines.picture.timecode import RATES, Timecode, nominal, parse_rate

NTSC, NTSC_60, NTSC_120 = Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120000, 1001)
WAYS = [(rate, False) for rate in (*RATES, NTSC_120)] + [(rate, True) for rate in (NTSC, NTSC_60, NTSC_120)]


@pytest.mark.parametrize(
    ("value", "rate"),
    [
        ("24000/1001", "24000/1001"),
        ("23.976", "24000/1001"),
        ("23.98", "24000/1001"),
        (23.976, "24000/1001"),
        (23.976023976023978, "24000/1001"),
        ("23.98fps", "24000/1001"),
        (29.97, "30000/1001"),
        (Fraction(2997, 100), "30000/1001"),
        ("2997/100", "30000/1001"),
        ("47.95", "48000/1001"),
        (59.94, "60000/1001"),
        ("59.94 fps", "60000/1001"),
        (119.88, "120000/1001"),
        (" 25 ", "25"),
        (24.0, "24"),
        ("24.000", "24"),
        (60, "60"),
        ("12.5", "25/2"),
        (Fraction(24003, 1001), "24003/1001"),
        ("15", "15"),
    ],
)
def test_rates_as_people_write_them(value: str | float | Fraction, rate: str) -> None:
    assert parse_rate(value) == Fraction(rate)


@pytest.mark.parametrize(
    "value", ["", "fast", "0", -24, "24/0", float("nan"), float("inf"), 1001, "1e9", True, "24p30", "9" * 99]
)
def test_what_is_no_rate_is_refused_in_one_line(value: str | float) -> None:
    with pytest.raises(OptionError, match="is not a frame rate; give one such as") as caught:
        parse_rate(value)
    assert "\n" not in str(caught.value)


def test_nominal_rates() -> None:
    assert [nominal(rate) for rate in RATES] == [24, 24, 25, 30, 30, 48, 48, 50, 60, 60]
    assert nominal(NTSC_120) == 120
    assert nominal(Fraction(1, 4)) == 1


@pytest.mark.parametrize(("rate", "drop"), WAYS, ids=lambda value: str(value).replace("/", "_"))
def test_every_minute_rolls_over_both_ways(rate: Fraction, drop: bool) -> None:
    base, frame = nominal(rate), 0
    width, mark = max(2, len(str(base - 1))), ";" if drop else ":"
    for minute in range(24 * 60):
        first = {30: 2, 60: 4, 120: 8}[base] if drop and minute % 10 else 0
        hours, minutes = divmod(minute, 60)
        label = f"{hours:02}:{minutes:02}:00{mark}{first:0{width}}"
        assert str(Timecode(frame, rate, drop)) == label
        assert Timecode.parse(label, rate) == Timecode(frame, rate, drop)
        frame += 60 * base - first
        last = f"{hours:02}:{minutes:02}:59{mark}{base - 1:0{width}}"
        assert str(Timecode(frame - 1, rate, drop)) == last
        assert Timecode.parse(last, rate) == Timecode(frame - 1, rate, drop)
    assert str(Timecode(frame, rate, drop).wrapped) == f"00:00:00{mark}{0:0{width}}"
    assert str(Timecode(frame, rate, drop)) == f"24:00:00{mark}{0:0{width}}"


@pytest.mark.parametrize(("rate", "drop"), WAYS, ids=lambda value: str(value).replace("/", "_"))
def test_every_frame_around_ten_minutes_has_one_label_in_order(rate: Fraction, drop: bool) -> None:
    codes = [Timecode(frame, rate, drop) for frame in range(59 * 9 * nominal(rate), 61 * 11 * nominal(rate))]
    labels = [code.fields for code in codes]
    assert all(a < b for a, b in itertools.pairwise(labels))
    assert all(Timecode.parse(str(code), rate) == code for code in codes[::7])


def test_the_known_figures_of_drop_frame() -> None:
    assert Timecode.parse("00:10:00;00", NTSC).frame == 17982
    assert Timecode.parse("01:00:00:00", NTSC).frame - Timecode.parse("01:00:00;00", NTSC).frame == 108
    assert Timecode.parse("01:00:00;00", NTSC).frame == 107892
    assert Timecode.parse("24:00:00;00", NTSC).frame == 2589408
    assert Timecode.parse("01:00:00;00", NTSC_60).frame == 215784
    assert str(Timecode(1799, NTSC, True)) == "00:00:59;29"
    assert str(Timecode(1800, NTSC, True)) == "00:01:00;02"
    # an hour of drop-frame is an hour by the clock but for 3.6 ms
    assert Timecode.parse("01:00:00;00", NTSC).seconds == Fraction(35999964, 10000)
    assert Timecode.parse("01:00:00:00", Fraction(24000, 1001)).seconds == Fraction(36036, 10)


@pytest.mark.parametrize("mark", [";", ",", "."])
def test_marks_of_drop_frame(mark: str) -> None:
    assert Timecode.parse(f"01:00:00{mark}00", NTSC) == Timecode(107892, NTSC, True)
    assert Timecode.parse(f"01:00:00{mark}00", NTSC, drop=False) == Timecode(108000, NTSC, False)


def test_fully_semicolon_labels_and_short_fields() -> None:
    assert Timecode.parse("01;00;00;00", NTSC) == Timecode(107892, NTSC, True)
    assert Timecode.parse("1:2:3:4", Fraction(25)) == Timecode((3600 + 123) * 25 + 4, Fraction(25))
    assert Timecode.parse("01:00:00:00", NTSC, drop=True) == Timecode(107892, NTSC, True)
    assert str(Timecode(119, NTSC_120)) == "00:00:00:119"


@pytest.mark.parametrize(
    ("text", "rate", "said"),
    [
        ("00:01:00;00", NTSC, "does not exist in drop-frame"),
        ("00:59:00;01", NTSC, "does not exist in drop-frame"),
        ("00:01:00;03", NTSC_60, "does not exist in drop-frame"),
        ("00:00:00:24", Fraction(24), "frames beyond 23; give a faster rate"),
        ("00:00:60:00", Fraction(24), "beyond 59"),
        ("00:60:00:00", Fraction(24), "beyond 59"),
        ("00:00:00;00", Fraction(25), "drop-frame does not exist at 25 fps"),
        ("00:00:00;00", Fraction(24000, 1001), "drop-frame does not exist"),
        ("00:00:00;00", Fraction(30), "drop-frame does not exist"),
        ("0000", Fraction(24), "is not a timecode"),
        ("", Fraction(24), "is not a timecode"),
        ("aa:00:00:00", Fraction(24), "is not a timecode"),
        ("00:00:00", Fraction(24), "is not a timecode"),
    ],
)
def test_labels_that_do_not_exist(text: str, rate: Fraction, said: str) -> None:
    with pytest.raises(OptionError, match=said):
        Timecode.parse(text, rate)


@pytest.mark.parametrize("rate", [rate for rate in RATES if rate not in (NTSC, NTSC_60)])
def test_drop_frame_is_refused_at_other_rates(rate: Fraction) -> None:
    with pytest.raises(OptionError, match="drop-frame does not exist"):
        Timecode(0, rate, drop=True)


def test_negative_and_past_a_day() -> None:
    rate = Fraction(24)
    assert str(Timecode(-24, rate)) == "-00:00:01:00"
    assert str(Timecode(-24, rate).wrapped) == "23:59:59:00"
    assert str(Timecode(-1, NTSC, True).wrapped) == "23:59:59;29"
    assert str(Timecode.parse("23:59:59;29", NTSC) + 1) == "24:00:00;00"
    assert Timecode.parse("-00:00:01:00", rate) == Timecode(-24, rate)


@given(st.sampled_from(WAYS), st.integers(-(10**7), 10**8))
@settings(max_examples=300, deadline=None)
def test_any_count_comes_back_from_its_label(way: tuple[Fraction, bool], frame: int) -> None:
    code = Timecode(frame, *way)
    assert Timecode.parse(str(code), code.rate) == code
    assert Timecode.at(code.seconds, *way) == code
    assert Timecode.at(code.seconds + 1 / code.rate / 2, *way) == code
    assert code.wrapped.fields < (24, 0, 0, 0)
    assert code.wrapped.wrapped == code.wrapped
