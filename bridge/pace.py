"""How fast a source's labels really pass: at the rate that it names, a thousandth faster or slower (24 for 23.976), or at varispeed.

MIDI timecode names 24 for film at 24 and at 23.976 alike, and 30 for both kinds of 30: only the speed tells which it is. Taken for the
other, it goes away from the picture by 3.6 seconds an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

from bridge.clock import SECOND
from bridge.follower import Fix

Pace = Literal["named", "faster", "slower", "free"]
"""As the rate says; a thousandth above, below; any other speed, which is varispeed."""

SPEEDS: Mapping[Pace, Fraction] = {"named": Fraction(1), "faster": Fraction(1001, 1000), "slower": Fraction(1000, 1001)}

STEADY_NS = 2 * SECOND
"""For so long a pace must have been measured before it is believed: varispeed passes through it."""

_APART = 0.001
_CLOCKS = 0.00025  # by which the clocks of a computer and a sound card may disagree
_SURE = 4  # standard errors that a thousandth must be worth


def pace_of(fix: Fix) -> Pace | None:
    """The pace of a source that is locked; None where it stands, or was not heard for long enough to tell a thousandth."""
    if fix.state != "locked" or _SURE * fix.speed_error > _APART:
        return None
    speed = abs(fix.speed)
    nearest = min(SPEEDS, key=lambda pace: abs(speed - float(SPEEDS[pace])))
    return nearest if abs(speed - float(SPEEDS[nearest])) < max(3 * fix.speed_error, _CLOCKS) else "free"


def real_rate(rate: Fraction | None, pace: Pace | None) -> Fraction | None:
    """Frames a second of a source that names ``rate``; None where its pace does not tell, or makes it no rate that anybody uses."""
    if rate is None or pace is None or pace == "free":
        return None
    pulled_down = rate.denominator == 1001
    if pace == ("slower" if pulled_down else "faster"):
        return None
    return rate * SPEEDS[pace]


def apart(one: Fraction, other: Fraction) -> str:
    """How far two rates that count the same labels are apart after an hour, in words."""
    return f"{abs(float(3600 * (one / other - 1))):.1f} s"


class Paces:
    """Since when each source goes at its pace. What was measured holds while it stands, until it is measured again."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Pace, int]] = {}
        self._believed: dict[str, Pace] = {}

    def see(self, name: str, fix: Fix, now_ns: int) -> None:
        """Looks at a source."""
        pace = pace_of(fix)
        if fix.state != "locked":
            self._seen.pop(name, None)
        if pace is None:
            return
        if name not in self._seen or self._seen[name][0] != pace:
            self._seen[name] = (pace, now_ns)
        if now_ns - self._seen[name][1] >= STEADY_NS:
            self._believed[name] = pace

    def of(self, name: str) -> Pace | None:
        """The pace at which it has gone for some seconds; None before."""
        return self._believed.get(name)
