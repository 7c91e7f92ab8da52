"""A cut list laid out for matching: its shots counted in frames that both lists share, and a print of every frame."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from engines.picture.cutlist import CutList, Shot
from engines.picture.timecode import nominal

Prints = NDArray[np.uint64]

NO_REEL = ("", "AX", "BL", "NONE")
"""Reel names that name no reel: CMX3600's auxiliary source and black."""


@dataclass(frozen=True)
class Link:
    """``frames`` frames of picture that are frames ``old`` onwards of the old cut and ``new`` onwards of the new one.

    ``weight`` is how much it speaks for itself, in frames: less than ``frames`` where the picture could be anywhere.
    """

    old: int
    new: int
    frames: int
    weight: float = 0.0

    @property
    def offset(self) -> int:
        """The old frame less the new one."""
        return self.old - self.new

    @property
    def new_end(self) -> int:
        """The frame of the new cut after its last."""
        return self.new + self.frames

    @property
    def old_end(self) -> int:
        """The frame of the old cut after its last."""
        return self.old + self.frames


@dataclass(frozen=True)
class Strip:
    """The shots of a list as spans of frames, end to end, and the prints of its film where there are any.

    ``rate`` is what the spans count at: the list's own, or the other list's where the film was converted in time.
    """

    shots: tuple[Shot, ...]
    spans: tuple[tuple[int, int], ...]
    frames: int
    rate: Fraction
    prints: Prints | None = None

    @cached_property
    def starts(self) -> list[int]:
        """The first frame of each shot."""
        return [start for start, _ in self.spans]

    @cached_property
    def sourced(self) -> bool:
        """Whether most of the picture says which source it is from; black says nothing."""
        told = sum(end - start for shot, (start, end) in zip(self.shots, self.spans, strict=True) if says_source(shot))
        lit = sum(end - start for shot, (start, end) in zip(self.shots, self.spans, strict=True) if not shot.black)
        return told > 0 and 2 * told >= lit


def says_source(shot: Shot) -> bool:
    """Whether a shot tells its source: a time alone, as shots cut from a finished film have it, does not."""
    return not shot.black and shot.source_in is not None and bool(shot.name or reel_of(shot))


def reel_of(shot: Shot) -> str:
    """The reel that a shot names, empty where it names none."""
    reel = shot.reel.strip().upper()
    return "" if reel in NO_REEL else reel


def strips(old: CutList, new: CutList, old_prints: bytes | None, new_prints: bytes | None) -> tuple[Strip, Strip]:
    """Both lists counted alike.

    Frames stay frames where the nominal rates agree (24 and 24000/1001), or where the lists are nearer in frames than in
    seconds (25 frames a second played as 24); else the old list is counted at the new rate, every frame at its time.
    """
    there, ratio = _laid(new, new.rate, Fraction(1), new_prints), new.rate / old.rate
    converted = abs(old.frames * ratio - new.frames) < abs(old.frames - new.frames)
    if nominal(old.rate) == nominal(new.rate) or not converted:
        return _laid(old, old.rate, Fraction(1), old_prints), there
    return _laid(old, new.rate, ratio, old_prints), there


def _laid(programme: CutList, rate: Fraction, ratio: Fraction, prints: bytes | None) -> Strip:
    shots = programme.shots or CutList.of_cuts(programme.cuts, programme.rate, programme.frames, programme.start).shots
    shots = tuple(sorted(shots, key=operator.attrgetter("start")))

    def scaled(frame: int) -> int:
        return floor(frame * ratio + Fraction(1, 2))

    spans = tuple((scaled(shot.start), scaled(shot.end)) for shot in shots)
    frames = scaled(programme.frames)
    return Strip(shots, spans, frames, rate, None if prints is None else _read(prints, ratio, frames))


def _read(prints: bytes, ratio: Fraction, frames: int) -> Prints:
    """The prints of the film, one a frame of the strip. Raises ValueError for bytes that are no prints."""
    if len(prints) % 8:
        raise ValueError(f"prints are 8 bytes a frame, {len(prints)} bytes are none")
    read = np.frombuffer(prints, np.uint64)
    if ratio == 1:
        return read[:frames]
    shown = (np.arange(ceil(len(read) * ratio)) * ratio.denominator) // ratio.numerator
    return read[shown[:frames]]
