"""A place as a person writes it: seconds, or a timecode that counts as the film does unless it says otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from bridge.mtc import day_of
from engines.errors import OptionError
from engines.picture.timecode import Timecode, drops

NON_DROP, DROP = "ndf", "df"
"""What a timecode ends with that says how it counts, whatever the film does."""

_COUNTED = re.compile(rf"(.*?)\s*({NON_DROP}|{DROP})", re.IGNORECASE)
_FINEST = 10**9  # parts of a second: what is kept of a place holds no longer fraction
_FARTHEST = 10**9  # seconds: beyond it a number is a slip of the pen


@dataclass(frozen=True)
class Place:
    """``seconds``, exact, and the timecode that was written (``label``), None where seconds were. ``drop`` is how that counts, None
    where it counts as the film does."""

    seconds: Fraction
    label: Timecode | None = None
    drop: bool | None = None

    @classmethod
    def of(cls, text: str, film: Timecode, where: str) -> Place:
        """Reads ``12.5``, ``01:00:00:00`` (counted as the ``film`` counts, whichever of its timecodes that is), ``01:00:00;00`` (always
        drop-frame), ``01:00:00:00 ndf`` (never). Raises OptionError, which names ``where`` it was written."""
        if ":" in text or ";" in text:
            label = _label(text.strip(), film, where)
            return cls(label.seconds, label, None if label.drop == film.drop else label.drop)
        try:
            if "e" in text.lower():
                raise ValueError  # a large power of ten would fill the memory
            seconds = Fraction(text).limit_denominator(_FINEST)
            if abs(seconds) > _FARTHEST:
                raise ValueError
            return cls(seconds)
        except (ValueError, ZeroDivisionError):
            cure = "give seconds, or a timecode such as 01:00:00:00"
            raise OptionError(f"{text[:40]!r} is no place", where=where, cure=cure) from None

    @classmethod
    def in_project(cls, text: str, film: Timecode, where: str = "--at") -> Place:
        """The same for where the film lies in a DAW's project. Raises OptionError for what no project has: a place before its zero, or
        beyond the 24 hours after which timecode begins again."""
        place = cls.of(text, film, where)
        if place.seconds < 0:
            cure = "give 0 or later: no DAW has room before the zero of its project"
            raise OptionError(f"{text[:40]!r} lies before the project begins", where=where, cure=cure)
        if place.seconds >= day_of(film.rate, film.drop if place.label is None else place.label.drop):
            cure = "give a place within them: timecode then begins again"
            raise OptionError(f"{text[:40]!r} lies beyond the 24 hours of a project", where=where, cure=cure)
        return place

    @classmethod
    def shown(cls, seconds: Fraction, counting: Timecode) -> Place:
        """A place that is known, as a timecode that counts like ``counting`` where it lies on a frame."""
        frame = seconds * counting.rate
        return cls(seconds, Timecode(int(frame), counting.rate, counting.drop) if frame.denominator == 1 else None)

    @property
    def words(self) -> str:
        """What was understood: ``01:00:00;00 (drop-frame), 3599.996 s``."""
        seconds = f"{float(self.seconds):.3f} s"
        if self.label is None:
            return seconds
        counted = f" ({'drop-frame' if self.label.drop else 'non-drop'})" if drops(self.label.rate) else ""
        return f"{self.label}{counted}, {seconds}"


def place_of(text: str, rate: Fraction, drop: bool = False, where: str = "--at") -> Fraction:
    """Seconds, from seconds or a timecode; see `Place.of`. Raises OptionError."""
    return Place.of(text, Timecode(0, rate, drop), where).seconds


def _label(text: str, film: Timecode, where: str) -> Timecode:
    said = _COUNTED.fullmatch(text)
    label, word = (said[1], said[2].lower()) if said else (text, "")
    semicolon = any(mark in label for mark in ";,.")
    if semicolon and word == NON_DROP:
        raise OptionError(f"{text[:40]!r} counts both ways", where=where, cure=f"write : before the frames for {NON_DROP}")
    drop = semicolon or word == DROP or (film.drop and word != NON_DROP)
    try:
        return Timecode.parse(label, film.rate, drop)
    except OptionError as error:
        there = _non_drop(label, film.rate) if drop and drops(film.rate) else None
        cure = error.cure
        if there is not None:
            first = Timecode.parse(f"{str(there)[:8]};{drops(film.rate)}", film.rate)
            cure = f"that minute begins with {first}; non-drop is written {there} {NON_DROP}"
        raise OptionError(error.what, where=where, cure=cure) from None


def _non_drop(label: str, rate: Fraction) -> Timecode | None:
    """The same label in non-drop timecode; None where it has none either."""
    try:
        return Timecode.parse(label, rate, False)
    except OptionError:
        return None
