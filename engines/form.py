"""The form of a cue: which of its phrases take up one that was heard before, so that a theme comes back.

A network that hears some dozen bars invents a new figure every time. Songs do not: over POP909's songs, every fifth bar of melody
is, more than half of it, that of eight bars before, every seventh that of four. So the phrases that return are drawn first, by their
seed, and the engines lean towards what was played there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from engines.engine import BarBrief

PHRASE = 4
"""Bars of a phrase."""
BACK = ((2, 0.45), (1, 0.2))
"""Phrases back, and how often one returns that is so far back, in this order."""
NAMES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Form = tuple[int | None, ...]
"""For every bar of a cue the earlier bar, by number, that it takes up; None where it is new."""


def form(bars: Sequence[BarBrief], rng: np.random.Generator) -> Form:
    """Draws a form. A bar takes up only one of its own length; a phrase of which the last bars are missing may return too."""
    sources: list[int | None] = []
    of_phrase: list[int] = []
    for phrase in range(-(-len(bars) // PHRASE)):
        back = next((far for far, chance in BACK if rng.random() < chance and far <= phrase), 0)
        # what returns is what was new: the third time is as near to the first as the second
        of_phrase.append(of_phrase[phrase - back] if back else phrase)
        for number in range(PHRASE * phrase, min(PHRASE * (phrase + 1), len(bars))):
            source = number - PHRASE * (phrase - of_phrase[phrase])
            sources.append(source if source < number and bars[source].length == bars[number].length else None)
    return tuple(sources)


def letters(sources: Form) -> str:
    """A form as it is written: a letter for every phrase, the same for one that returns (``ABAC``)."""
    out: list[str] = []
    for first in range(0, len(sources), PHRASE):
        source = next((source for source in sources[first : first + PHRASE] if source is not None), None)
        new = NAMES[len(set(out)) % len(NAMES)]
        out.append(new if source is None else out[source // PHRASE])
    return "".join(out)


def shifts(bars: Sequence[BarBrief], sources: Form) -> Mapping[int, Fraction]:
    """How many beats before a bar begins what it takes up, by the bar's number, for the bars that take something up."""
    return {k: bars[k].start - bars[source].start for k, source in enumerate(sources) if source is not None}
