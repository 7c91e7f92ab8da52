"""The spotting sheet: one cue's hits and what its tempo may do, as the searches read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

import numpy as np

from engines.spotting.hits import Hit
from engines.spotting.price import Array, Prices, odd_bar, places
from engines.spotting.tempo import Metre, partial


@dataclass(frozen=True)
class Sheet:
    """What a search is asked.

    ``hits`` lie in order between ``start`` and ``end`` (seconds of the film), no two at one time; ``bend`` is how far any beat
    may leave the nominal tempo (1/25 is 4 %); ``subdivision`` 1 allows hits on beats (quarter notes), 2 on eighths too. Without
    ``pickup`` the start is a bar line. If the cue is ``closed``, so is its end, exactly, because the bars after it stay as they
    are; a hit there is theirs.
    """

    hits: tuple[Hit, ...]
    start: Fraction
    end: Fraction
    bend: Fraction = Fraction(1, 25)
    metre: Metre = field(default_factory=Metre)
    subdivision: int = 1
    prices: Prices = field(default_factory=Prices)
    pickup: bool = True
    closed: bool = False

    @cached_property
    def gate(self) -> Hit | None:
        """The end of a closed cue, as the last of its hits; it weighs nothing by itself."""
        return self.hits[-1] if self.closed else None

    @cached_property
    def closings(self) -> dict[int, float]:
        """The places of the bar at which a closed cue may end, with the price of the shorter bar that it ends with."""
        shorter = {place: partial(Fraction(place, self.subdivision)) for place in range(1, len(self.places))}
        return {0: 0.0} | {place: odd_bar(metre, self.prices) for place, metre in shorter.items()}

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
    def turned(self) -> Array:
        """The same table as it lies from each place on, shape (places, places)."""
        return np.array([np.roll(self.places, -place) for place in range(len(self.places))])

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The places at which a cue may begin: the downbeat, or any later beat of the bar as a pickup."""
        return tuple(range(0, len(self.places), self.subdivision)) if self.pickup else (0,)

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


def bounded(hits: Sequence[Hit], start: Fraction, end: Fraction, closed: bool = False) -> tuple[Hit, ...]:
    """The hits of a cue in order; of several at one time the heaviest. The end of a closed cue is the last of them."""
    kept: dict[Fraction, Hit] = {}
    for hit in sorted(hits, key=lambda hit: (hit.time, hit.weight)):
        if start <= hit.time <= end:
            kept[hit.time] = hit
    if closed:
        kept.pop(end, None)
    return (*kept.values(), *((Hit(0, end, 0.0),) if closed else ()))
