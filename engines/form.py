"""The form of a cue: which of its phrases take up one that was heard before, so that a theme comes back.

A network that hears some dozen bars invents a new figure every time. Songs do not: every third to fifth bar of POP909's melodies is, more
than half of it, that of eight bars before, every seventh that of four. So the phrases that return are drawn first, by their seed, and
the engines lean towards what was played there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from engines.engine import BarBrief
from engines.score.notes import Note

PHRASE = 4
"""Bars of a phrase."""
BACK = ((2, 0.45), (1, 0.3))
"""Phrases back, and how often one returns that is so far back, in this order."""
NAMES = "ABCDEFGHIJKLMNOPQRSTUVW"
HEARD = "YX"
"""Names of the phrases that were played last before the cue, and before that."""
LENGTH = Fraction(4)
"""Beats of a bar of what was played before: its metre is not known, and is mostly this."""

Form = tuple[int | None, ...]
"""For every bar of a cue the earlier bar, by number, that it takes up; None where it is new. Bars before the cue's first are -1, -2 ..."""


def form(bars: Sequence[BarBrief], rng: np.random.Generator, before: Sequence[Note] = ()) -> Form:
    """Draws a form. ``before`` is what was played before the bars. A bar takes up only one of its own length, with notes in it; a phrase
    of which the last bars are missing may return too."""
    heard = {math.floor((note.start - bars[0].start) / LENGTH) for note in before if note.start < bars[0].start}
    sources: list[int | None] = []
    # what returns is what was new: the third time is as near to the first as the second
    first = {back: back for back in range(-len(HEARD), 0)}
    for phrase in range(-(-len(bars) // PHRASE)):
        willing = [phrase - far for far, chance in BACK if rng.random() < chance]
        there = [first[back] for back in willing if back >= 0 or PHRASE * back in heard]
        twice = {first[phrase - 1], first[phrase - 2]}  # no phrase is heard three times on end
        first[phrase] = next((back for back in there if twice != {back}), phrase)
        for number in range(PHRASE * phrase, min(PHRASE * (phrase + 1), len(bars))):
            source = number - PHRASE * (phrase - first[phrase])
            alike = bars[number].length == (bars[source].length if source >= 0 else LENGTH)
            sources.append(source if source < number and alike and (source >= 0 or source in heard) else None)
    return tuple(sources)


def letters(sources: Form) -> str:
    """A form as it is written: a letter for every phrase, the same for one that returns (``ABAC``); X and Y are the phrases that were
    played eight and four bars before the first."""
    out: list[str] = []
    for first in range(0, len(sources), PHRASE):
        source = next((source for source in sources[first : first + PHRASE] if source is not None), None)
        new = NAMES[len(set(out) - set(HEARD)) % len(NAMES)]
        phrase = 0 if source is None else source // PHRASE
        out.append(new if source is None else out[phrase] if phrase >= 0 else HEARD[-1 - phrase])
    return "".join(out)


def start_of(bars: Sequence[BarBrief], number: int) -> Fraction:
    """The beat at which a bar begins, of a form's counting."""
    return bars[number].start if number >= 0 else bars[0].start + number * LENGTH


def shifts(bars: Sequence[BarBrief], sources: Form) -> Mapping[int, Fraction]:
    """How many beats before a bar begins what it takes up, by the bar's number, for the bars that take something up."""
    return {k: bars[k].start - start_of(bars, source) for k, source in enumerate(sources) if source is not None}
