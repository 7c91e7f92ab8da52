"""The spotting sheet: one cue's hits and what its tempo may do, as the searches read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from engines.spotting.hits import Hit
from engines.spotting.price import Array, Prices, places
from engines.spotting.tempo import Metre


@dataclass(frozen=True)
class Sheet:
    """What a search is asked.

    ``hits`` lie in order between ``start`` and ``end`` (seconds of the film), no two at one time; ``bend`` is how far any beat
    may leave the nominal tempo (1/25 is 4 %); ``subdivision`` 1 allows hits on beats (quarter notes), 2 on eighths too.
    """

    hits: tuple[Hit, ...]
    start: Fraction
    end: Fraction
    bend: Fraction = Fraction(1, 25)
    metre: Metre = field(default_factory=Metre)
    subdivision: int = 1
    prices: Prices = field(default_factory=Prices)

    @cached_property
    def times(self) -> Array:
        """Seconds from the start of the cue, shape (hits,)."""
        return np.array([float(hit.time - self.start) for hit in self.hits])

    @cached_property
    def weights(self) -> Array:
        """Shape (hits,), 0..1."""
        return np.array([hit.weight for hit in self.hits], float)

    @cached_property
    def early(self) -> Array:
        """Seconds before each hit at which a beat is still on it."""
        return np.array([float(hit.early) for hit in self.hits])

    @cached_property
    def late(self) -> Array:
        """Seconds after each hit at which a beat is still on it."""
        return np.array([float(hit.late) for hit in self.hits])

    @cached_property
    def places(self) -> Array:
        """How weak each allowed place of the bar is, shape (places,)."""
        return places(self.metre, self.subdivision, self.prices)

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The places at which a cue may begin: the downbeat, or any later beat of the bar as a pickup."""
        return tuple(range(0, len(self.places), self.subdivision))

    @cached_property
    def nodes(self) -> tuple[Fraction, ...]:
        """The start of the cue and every hit after it, in exact seconds of the film."""
        return (self.start, *(hit.time for hit in self.hits if hit.time > self.start))

    @cached_property
    def offsets(self) -> Array:
        """The nodes in seconds from the start of the cue, shape (nodes,)."""
        return np.array([float(time - self.start) for time in self.nodes])

    @property
    def seconds(self) -> float:
        """Length of the cue."""
        return float(self.end - self.start)


def bounded(hits: Sequence[Hit], start: Fraction, end: Fraction) -> tuple[Hit, ...]:
    """The hits of a cue in order; of several at one time the heaviest."""
    kept: dict[Fraction, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (hit.time, hit.weight)):
        if start <= hit.time <= end:
            kept[hit.time] = hit
    return tuple(kept.values())
