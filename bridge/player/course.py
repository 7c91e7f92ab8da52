"""The course: how the place in the film runs along the clock while the player rolls, and the loop that it may run in.

Places are nanoseconds of the film. In a loop they are counted *unrolled*: the second time round the place goes on where the first
ended, so that one straight line holds until somebody steers; `Loop.folded` tells where in the film that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Course:
    """At moment ``at`` of the clock (nanoseconds) the film is at ``place``, and moves at ``speed``, which is above 0."""

    at: int
    place: int
    speed: Fraction = Fraction(1)

    def moment(self, place: int) -> int:
        """When a place is reached, to the nanosecond."""
        return self.at + round((place - self.place) / self.speed)

    def place_at(self, moment: int) -> int:
        """The place at a moment."""
        return self.place + round((moment - self.at) * self.speed)


@dataclass(frozen=True)
class Loop:
    """What is played over and over: from ``start`` to before ``end``."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Nanoseconds of the film once round."""
        return self.end - self.start

    def lap(self, place: int) -> int:
        """How often an unrolled place has gone back to the start."""
        return 0 if place < self.end else (place - self.start) // self.length

    def folded(self, place: int) -> int:
        """Where in the film an unrolled place is."""
        return place - self.lap(place) * self.length
