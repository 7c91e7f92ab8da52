"""Frame rates and SMPTE timecode, exactly: labels to frames and back, drop-frame too (SMPTE ST 12-1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from engines.errors import OptionError

RATES = tuple(Fraction(n) for n in ("24000/1001", "24", "25", "30000/1001", "30", "48000/1001", "48", "50", "60000/1001", "60"))
"""The rates of film and television from 24000/1001 to 60 frames a second."""

FASTEST_RATE = 1000
"""Frames a second beyond which a number is taken for a slip of the pen."""

_SNAP = Fraction(1, 200)  # 23.98 is 0.004 off 24000/1001; the next rate that anybody uses is 0.02 away
_RATE = re.compile(r"\d{0,12}(\.\d{0,25})?(e[-+]\d\d?)?(/\d{1,12})?")  # a large power would fill the memory
_LABEL = re.compile(r"(-?)(\d{1,4})[:;](\d{1,2})[:;](\d{1,2})([:;,.])(\d{1,3})")


def parse_rate(value: str | int | float | Fraction) -> Fraction:
    """The exact frame rate that a person or a program means by ``value``.

    Takes ``"24000/1001"``, ``"23.976"``, ``23.98``, ``29.97``, ``"59.94 fps"``, 25, Fractions. A decimal within 0.005 of
    N*1000/1001 is that rate; a fraction that is no decimal is taken as it stands. Raises OptionError for anything that is no
    rate between 0 and 1000.
    """
    text = re.sub(r"\s*fps$", "", str(value).strip(), flags=re.IGNORECASE)
    try:
        rate = Fraction(text) if not isinstance(value, bool) and _RATE.fullmatch(text) else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if not 0 < rate <= FASTEST_RATE:
        raise OptionError(f"{text[:40]!r} is not a frame rate", cure="give one such as 24, 25, 23.976, 29.97 or 30000/1001")
    if 10**40 % rate.denominator:  # not a decimal: 24000/1001 says exactly what it means
        return rate
    pulled_down = Fraction(1000 * floor(rate + Fraction(1, 2)), 1001)
    if rate.denominator != 1 and abs(rate - pulled_down) < _SNAP:
        return pulled_down
    return rate


def nominal(rate: Fraction) -> int:
    """Frame numbers in one second of timecode: 24 for 24000/1001."""
    return max(1, (2 * rate.numerator + rate.denominator) // (2 * rate.denominator))


def drops(rate: Fraction) -> int:
    """Labels skipped at the start of a minute in drop-frame: 2 at 30000/1001, 4 at 60000/1001, 8 at 120000/1001, else 0."""
    return 2 * nominal(rate) // 30 if rate.denominator == 1001 and rate.numerator in (30000, 60000, 120000) else 0


@dataclass(frozen=True)
class Timecode:
    """A frame by its label: ``frame`` counts frames from 00:00:00:00 at ``rate``; ``drop`` chooses drop-frame labels.

    The count may be negative or reach past 24 hours; ``str()`` then shows ``-00:00:01:00`` or ``25:00:00:00`` and `parse` reads
    it back; `wrapped` is what a clock of 24 hours shows. Raises OptionError where drop-frame does not exist at the rate.
    """

    frame: int
    rate: Fraction
    drop: bool = False

    def __post_init__(self) -> None:
        if self.drop and not drops(self.rate):
            raise OptionError(f"drop-frame does not exist at {self.rate} fps", cure="give 29.97 or 59.94, or non-drop timecode")

    @classmethod
    def parse(cls, text: str, rate: Fraction, drop: bool | None = None) -> Timecode:
        """The frame behind a label such as ``01:00:00:00``; ``;``, ``,`` or ``.`` before the frames means drop-frame.

        ``drop`` overrules the separator (an EDL says so in its FCM line). Raises OptionError for text that is no timecode,
        frames beyond the rate, minutes or seconds beyond 59, and labels that drop-frame skips.
        """
        found = _LABEL.fullmatch(text.strip())
        if not found:
            raise OptionError(f"{text.strip()[:40]!r} is not a timecode", cure="write it as HH:MM:SS:FF, with ;FF for drop-frame")
        hours, minutes, seconds, frames = (int(found[k]) for k in (2, 3, 4, 6))
        dropped = found[5] != ":" if drop is None else drop
        base = nominal(rate)
        if minutes > 59 or seconds > 59:
            raise OptionError(f"timecode {text.strip()} has minutes or seconds beyond 59", cure="correct the label")
        if frames >= base:
            raise OptionError(f"timecode {text.strip()} has frames beyond {base - 1}", cure=f"give a faster rate than {rate} fps")
        skipped = drops(rate) if dropped else 0
        if skipped and seconds == 0 and frames < skipped and minutes % 10:
            raise OptionError(f"timecode {text.strip()} does not exist in drop-frame", cure="correct it, or read it as non-drop")
        count = (hours * 60 + minutes) * 60 + seconds
        minute = hours * 60 + minutes
        frame = count * base + frames - skipped * (minute - minute // 10)
        return cls(-frame if found[1] else frame, rate, dropped)

    @classmethod
    def at(cls, seconds: Fraction, rate: Fraction, drop: bool = False) -> Timecode:
        """The frame on the screen ``seconds`` of real time after the frame 00:00:00:00 began."""
        return cls(floor(seconds * rate), rate, drop)

    @property
    def seconds(self) -> Fraction:
        """Real seconds from the frame 00:00:00:00, exact: at 24000/1001 an hour of labels lasts 3603.6 s."""
        return self.frame / self.rate

    @property
    def fields(self) -> tuple[int, int, int, int]:
        """Hours, minutes, seconds and frames of the label, without its sign."""
        base, count = nominal(self.rate), abs(self.frame)
        if self.drop:
            skipped = drops(self.rate)
            tens, rest = divmod(count, 600 * base - 9 * skipped)
            # the first minute of ten is whole, the nine after it lack their first labels
            minutes = max(0, rest - skipped) // (60 * base - skipped)
            count += skipped * (9 * tens + minutes)
        whole, frames = divmod(count, base)
        return whole // 3600, whole // 60 % 60, whole % 60, frames

    @property
    def wrapped(self) -> Timecode:
        """The same label on a clock that starts again after 24 hours."""
        day = 24 * 3600 * nominal(self.rate) - (24 * 6 * 9 * drops(self.rate) if self.drop else 0)
        return Timecode(self.frame % day, self.rate, self.drop)

    def __str__(self) -> str:
        hours, minutes, seconds, frames = self.fields
        width = max(2, len(str(nominal(self.rate) - 1)))
        sign = "-" if self.frame < 0 else ""
        return f"{sign}{hours:02}:{minutes:02}:{seconds:02}{';' if self.drop else ':'}{frames:0{width}}"

    def __add__(self, frames: int) -> Timecode:
        return Timecode(self.frame + frames, self.rate, self.drop)
