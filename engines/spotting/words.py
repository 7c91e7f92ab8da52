"""The price of a tempo map in plain words: "3 hits missed by 2 frames, bends 2.1 %"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from engines.spotting.candidates import Candidate

EVERY, NONE = "every hit caught", "no hits to catch"
ONE_BY_ONE, ONE, MANY_BY_ONE = "1 hit missed by a frame", "1 hit missed by {} frames", "{} hits missed by a frame"
MANY, RANGE = "{} hits missed by {} frames", "{} hits missed by {} to {} frames"
UP_TO, HAIR, HAIRS = (
    "{} hits missed by up to {} frames",
    "1 hit missed by less than a tenth of a frame",
    "{} hits missed by less than a tenth of a frame",
)
STEADY, BENDS = "one tempo", "bends {} %"
BEYOND, BEYOND_LOCKED = "beyond the limit: bends {} %", "beyond the limit because of locked bars: bends {} %"
ODD, ODDS, DOWNBEATS = "1 odd bar", "{} odd bars", "{} on downbeats"
SENTENCES = (
    *(EVERY, NONE, ONE_BY_ONE, ONE, MANY_BY_ONE, MANY, RANGE, UP_TO, HAIR, HAIRS),
    *(STEADY, BENDS, BEYOND, BEYOND_LOCKED, ODD, ODDS, DOWNBEATS),
)
"""Everything that is ever said."""


@dataclass(frozen=True)
class Clause:
    """One thing to say: one of `SENTENCES` with places for its ``values``, so that a window can say it in another language."""

    text: str
    values: tuple[str, ...] = ()

    def said(self, translated: Callable[[str], str] = str) -> str:
        """The clause, in the language that ``translated`` turns sentences into."""
        return translated(self.text).format(*self.values)


def clauses(candidate: Candidate, rate: Fraction) -> tuple[Clause, ...]:
    """What a tempo map gives up, then what it does: missed hits in frames of ``rate`` a second, bend, odd bars, downbeats; first of all
    that it bends more than it should."""
    out, bend = [_hits(candidate, rate)], f"{candidate.max_bend_percent:.1f}"
    if candidate.beyond_percent:
        out.insert(0, Clause(BEYOND_LOCKED if candidate.around_locked else BEYOND, (bend,)))
    else:
        out.append(Clause(STEADY) if bend == "0.0" else Clause(BENDS, (bend,)))
    if candidate.odd_bars:
        out.append(Clause(ODD) if candidate.odd_bars == 1 else Clause(ODDS, (str(candidate.odd_bars),)))
    if candidate.hits_on_downbeat:
        out.append(Clause(DOWNBEATS, (str(candidate.hits_on_downbeat),)))
    return tuple(out)


def words(candidate: Candidate, rate: Fraction) -> str:
    """The same as one line of English."""
    return ", ".join(clause.said() for clause in clauses(candidate, rate))


def _hits(candidate: Candidate, rate: Fraction) -> Clause:
    misses = sorted(abs(catch.error) * rate for catch in candidate.catches if not catch.caught)
    if not misses:
        return Clause(EVERY if candidate.catches else NONE)
    least, worst, many = _frames(misses[0]), _frames(misses[-1]), str(len(misses))
    if worst == NOTHING:
        return Clause(HAIR) if len(misses) == 1 else Clause(HAIRS, (many,))
    if least == NOTHING:
        return Clause(UP_TO, (many, worst))
    if least == worst == "1":
        return Clause(ONE_BY_ONE) if len(misses) == 1 else Clause(MANY_BY_ONE, (many,))
    if len(misses) == 1:
        return Clause(ONE, (worst,))
    return Clause(MANY, (many, worst)) if least == worst else Clause(RANGE, (many, least, worst))


NOTHING = "0.0"


def _frames(count: Fraction) -> str:
    """Whole frames; of less than one a part, since a beat half a frame off is no frame off."""
    return f"{float(count):.1f}" if count < Fraction(19, 20) else f"{float(count):.0f}"
