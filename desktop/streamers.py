"""Streamers and punches, as scoring stages have them: a line that crosses the picture in two seconds and meets the hit, then a flash."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from desktop.sheet import HitMark

AHEAD = 2.0
"""Seconds that a streamer runs."""
FLUTTER = 5
"""Frames of a punch: film was punched on every other one, so that it flickers."""


@dataclass(frozen=True)
class Streamer:
    """What is on the screen of one hit: ``way`` 0..1 from left to right, or a ``punch`` of that opacity."""

    way: float
    punch: float | None
    hard: bool


def streamers(marks: Sequence[HitMark], at: NDArray[np.float64], now: float, frame: int) -> Iterator[Streamer]:
    """What is seen at ``now`` seconds, on frame ``frame``, of hits at the times ``at`` (rising, one a mark); soft ones
    have a punch only."""
    first = int(np.searchsorted(at, now - 1.0))
    last = int(np.searchsorted(at, now + AHEAD, side="right"))
    for mark in marks[first:last]:
        since = frame - mark.hit.frame
        if 0 <= since < FLUTTER:
            if since % 2 == 0:
                yield Streamer(1.0, 1.0 - since / FLUTTER, mark.hit.hard)
        elif since < 0 and mark.hit.hard:
            yield Streamer(1 - (float(mark.hit.time) - now) / AHEAD, None, True)
