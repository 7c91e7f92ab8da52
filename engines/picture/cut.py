"""The cut: the first frame of a new shot, as pixels, an editor or a person found it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

CutKind = Literal["cut", "dissolve", "fade"]


@dataclass(frozen=True, order=True)
class Cut:
    """One shot boundary.

    ``frame`` counts from 0, the film's first frame; frame 0 itself is never a cut. ``time`` is in exact seconds from the first
    frame's presentation (equal to ``frame / rate`` unless the film has a variable frame rate). A hard ``cut`` is the first
    frame of the new shot, a ``dissolve`` the middle of the mix, a ``fade`` the frame at which the picture appears or is gone.
    ``length`` is the duration of a dissolve or fade in frames, 0 for a hard cut. ``confidence`` and ``strength`` (how large the
    change of picture is) lie in 0..1; a cut list gives 1 for both.
    """

    frame: int
    time: Fraction
    kind: CutKind = "cut"
    confidence: float = 1.0
    strength: float = 1.0
    length: int = 0
