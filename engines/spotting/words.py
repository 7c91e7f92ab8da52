"""The price of a tempo map in plain words: "3 hits missed by 2 frames, bends 2.1 %"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from engines.spotting.candidates import Candidate


@dataclass(frozen=True)
class Clause:
    """One thing to say: a sentence with places for its ``values``, so that a window can say it in another language."""

    text: str
    values: Mapping[str, Any]

    def said(self, translated: Callable[[str], str] = str) -> str:
        """The clause, in the language that ``translated`` turns sentences into."""
        return translated(self.text).format(**self.values)


CLAUSES = (
    "every hit caught",
    "1 hit missed by {worst} frames",
    "{missed} hits missed by {worst} frames",
    "{missed} hits missed by {least} to {worst} frames",
    "no hits to catch",
    "one tempo",
    "bends {bend} %",
    "1 odd bar",
    "{odd} odd bars",
    "{downbeats} on downbeats",
    "1 hit missed by a frame",
    "{missed} hits missed by a frame",
)
"""Every sentence that `clauses` may use."""


def clauses(candidate: Candidate, rate: Fraction) -> tuple[Clause, ...]:
    """What a tempo map gives up, then what it does: missed hits in frames of ``rate`` a second, bend, odd bars, downbeats."""
    misses = sorted(round(abs(catch.error) * rate, 3) for catch in candidate.catches if not catch.caught)
    values = {
        "missed": len(misses),
        "least": _frames(misses[0]) if misses else "0",
        "worst": _frames(misses[-1]) if misses else "0",
        "bend": f"{candidate.max_bend_percent:.1f}",
        "odd": candidate.odd_bars,
        "downbeats": candidate.hits_on_downbeat,
    }
    return tuple(Clause(text, values) for text in (_hits(candidate, values), *_shape(candidate, values)))


def words(candidate: Candidate, rate: Fraction) -> str:
    """The same as one line of English."""
    return ", ".join(clause.said() for clause in clauses(candidate, rate))


def _hits(candidate: Candidate, values: Mapping[str, Any]) -> str:
    if not candidate.catches:
        return CLAUSES[4]
    if not values["missed"]:
        return CLAUSES[0]
    if values["worst"] == "1" == values["least"]:
        return CLAUSES[10] if values["missed"] == 1 else CLAUSES[11]
    if values["missed"] == 1:
        return CLAUSES[1]
    return CLAUSES[2] if values["least"] == values["worst"] else CLAUSES[3]


def _shape(candidate: Candidate, values: Mapping[str, Any]) -> list[str]:
    said = [CLAUSES[5] if values["bend"] == "0.0" else CLAUSES[6]]
    if candidate.odd_bars:
        said.append(CLAUSES[7] if candidate.odd_bars == 1 else CLAUSES[8])
    if candidate.hits_on_downbeat:
        said.append(CLAUSES[9])
    return said


def _frames(count: Fraction) -> str:
    """Whole frames; less than one as a part of it, since a beat half a frame off is no frame off."""
    return f"{float(count):.1f}" if count < 1 else f"{float(count):.0f}"
