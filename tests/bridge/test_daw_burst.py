"""What a DAW on a busy machine did to the chase: messages that pile up and come in one moment."""

from __future__ import annotations

from fractions import Fraction

from bridge.chase import Chase
from bridge.clock import SECOND
from bridge.transport import Report

RATE = Fraction(24)


def piece(number: int, moment_ns: int) -> Report:
    """One quarter frame."""
    return Report("MTC", "mtc", moment_ns, number / (4 * RATE), rolling=True, speed=1.0, rate=RATE, day=Fraction(86400))


def test_places_that_come_to_and_fro_in_one_moment_are_no_speed() -> None:
    chase = Chase(RATE)
    quarter = SECOND / (4 * 24)
    for number in range(200):
        chase.hear(piece(number, round(number * quarter)))
    for number in (200, 201, 200):
        chase.hear(piece(number, round(230 * quarter)))
    for number in range(231, 600):
        chase.hear(piece(number, round(number * quarter)))
    reading = chase.at(round(600 * quarter))
    assert reading.state == "locked"
    assert reading.frame == 150
