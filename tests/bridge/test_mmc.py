"""Machine control: the bytes that DAWs send and obey, several commands in one message, and nothing from broken ones."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.mmc import CODES, Command, MmcReader, build, parse
from engines.errors import OptionError
from engines.picture.timecode import Timecode

FILM = Fraction(24000, 1001)


def test_the_bytes_are_those_that_a_daw_obeys_and_sends() -> None:
    """As Ardour 7.3 obeyed them, and as it sent them."""
    assert build("deferred play", device=0) == bytes.fromhex("F07F000603F7")
    assert build("stop", device=0) == bytes.fromhex("F07F000601F7")
    locate = bytes.fromhex("F07F7F0644060120000 50C00F7".replace(" ", ""))
    assert build("locate", Timecode.parse("00:00:05:12", Fraction(25))) == locate
    assert parse(locate) == (Command("locate", Timecode.parse("00:00:05:12", Fraction(25))),)


@given(st.sampled_from(sorted(set(CODES) - {"locate"})), st.integers(0, 127))
@settings(deadline=None)
def test_a_command_is_read_as_it_was_built(name: str, device: int) -> None:
    assert parse(build(name, device=device)) == (Command(name, device=device),)


@given(st.integers(0, 86399), st.sampled_from([Fraction(24), Fraction(25), Fraction(30), FILM]), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_a_locate_goes_to_the_frame(second: int, rate: Fraction, subframes: int) -> None:
    target = Timecode.at(Fraction(second), rate).wrapped
    message = build("locate", target, subframes=subframes)
    assert parse(message, picture=rate) == (Command("locate", target, subframes),)
    report = MmcReader("MMC", rate).feed(message, 7)
    assert report is not None
    assert (report.seconds, report.located, report.steady) == ((target.frame + Fraction(subframes, 100)) / rate, True, False)


def test_a_locate_and_a_play_in_one_message_are_a_start_at_that_place() -> None:
    locate = build("locate", Timecode.parse("01:00:00:00", Fraction(25)))
    both = locate[:-1] + bytes((CODES["deferred play"], 0xF7))
    report = MmcReader("MMC").feed(both, 0)
    assert report is not None
    assert (report.seconds, report.rolling, report.located) == (Fraction(3600), True, True)
    assert [command.name for command in parse(both)] == ["locate", "deferred play"]


def test_a_locate_that_leaves_its_rate_out_means_the_pictures() -> None:
    """As Ardour 7.3 sent it from a session of 25 frames a second."""
    sent = bytes.fromhex("F07F00064406010000020C00F7")
    assert parse(sent, Fraction(25))[0].target == Timecode.parse("00:00:02:12", Fraction(25))
    assert parse(sent)[0].target == Timecode.parse("00:00:02:12", Fraction(24))


def test_commands_that_mean_nothing_here_are_passed_over() -> None:
    masked_write = bytes((0x40, 0x03, 0x01, 0x01, 0x01))
    assert [c.name for c in parse(b"\xf0\x7f\x7f\x06" + masked_write + b"\x0a\x02\xf7")] == ["play"]


@given(st.binary(max_size=16))
@settings(deadline=None, max_examples=200)
def test_broken_messages_are_none(data: bytes) -> None:
    for message in (
        data,
        b"\xf0\x7f\x7f\x06" + data,
        b"\xf0\x7f\x7f\x06" + data + b"\xf7",
        b"\xf0\x7f\x7f\x06\x44" + data + b"\xf7",
    ):
        for command in parse(message):
            assert command.name in CODES
        MmcReader("MMC").feed(message, 0)


@pytest.mark.parametrize(("name", "target"), [("locate", None), ("play", Timecode(0, Fraction(25))), ("dance", None)])
def test_what_cannot_be_said_is_refused(name: str, target: Timecode | None) -> None:
    with pytest.raises(OptionError, match="machine control"):
        build(name, target)
