"""The form of a cue: which of its phrases take up one that was heard before, so that a theme comes back.

A network that hears some dozen bars invents a new figure every time. Songs do not: every third bar of POP909's melodies is, more than
half of it, that of eight bars before (of the other parts every fourth or fifth), every seventh that of four. So the phrases that return
are drawn first, by their seed, and the engines take up what was played there: BMT as it learned to, Diff-BGM by leaning towards it.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

import numpy as np

from engines.engine import BarBrief, Brief
from engines.score.notes import Note

PHRASE = 4
"""Bars of a phrase."""
NAMES = "ABCDEFGHIJKLMNOPQRSVW"
HEARD = "YX"
"""Names of the phrases that were played last before the cue, and before that."""
TOLD = "TU"
"""Names of the first and the second phrase of a theme that the brief gives."""
THEME = -1000
"""The number of a theme's first bar; those after it count on."""
FAR = Fraction(1_000_000)
"""Beats before a cue at which its theme is told to begin, out of the way of everything that was played."""
LENGTH = Fraction(4)
"""Beats of a bar of what was played before: its metre is not known, and is mostly this."""

Returns = Sequence[tuple[int, float]]
"""Phrases back, and how often one returns that is so far back: one after the other, the second only where the first is not drawn; where
there is no such phrase, what comes is new. Every engine has its own: what it plays comes out as clearly as songs bring it back, or not."""
Form = tuple[int | None, ...]
"""For every bar of a cue the earlier bar, by number, that it takes up; None where it is new. Bars before the cue's first are -1, -2 ...,
those of a theme `THEME`, and on."""


def form(brief: Brief, rng: np.random.Generator, returns: Returns) -> Form:
    """Draws a form, in which phrases return as often as ``returns`` says.

    A bar takes up only one of its own length, with notes in it; a phrase of which the last bars are missing may return too. Where the
    brief gives a theme the cue begins with it; with one without bars nothing returns.
    """
    bars, theme = brief.bars, _lengths(brief)
    if brief.theme is not None and not theme:
        return (None,) * len(bars)
    heard = {math.floor((note.start - bars[0].start) / LENGTH) for note in brief.before if note.start < bars[0].start}
    lines = list(accumulate(theme, initial=Fraction(0)))
    heard |= {THEME + bisect_right(lines, n.start) - 1 for n in (brief.theme.notes if brief.theme else ()) if n.start < lines[-1]}
    sources: list[int | None] = []
    # what returns is what was new: the third time is as near to the first as the second
    first = {back: back for back in range(-len(HEARD), 0)}
    for phrase in range(-(-len(bars) // PHRASE)):
        willing = next((phrase - far for far, chance in returns if rng.random() < chance), None)
        back = None if willing is None or not (willing >= 0 or PHRASE * willing in heard) else first[willing]
        twice = {first[phrase - 1], first[phrase - 2]}  # no phrase is heard three times on end
        first[phrase] = phrase if back is None or twice == {back} else back
        numbers = range(PHRASE * phrase, min(PHRASE * (phrase + 1), len(bars)))
        told = [THEME + number if THEME + number in heard else None for number in numbers]
        told = [
            s if s is not None and bars[n].length == length_of(brief, s) else None for n, s in zip(numbers, told, strict=True)
        ]
        if any(source is not None for source in told):
            first[phrase] = phrase
            sources += told
            continue
        for number in numbers:
            source = number - PHRASE * (phrase - first[phrase])
            known = 0 <= source < number or source in heard
            sources.append(source if known and bars[number].length == length_of(brief, source) else None)
    return tuple(sources)


def letters(sources: Form) -> str:
    """A form as it is written: a letter for every phrase, the same for one that returns (``ABAC``), A1 after the last of them; X and Y
    are the phrases that were played eight and four bars before the first, T and U those of a theme."""
    out: list[str] = []
    for first in range(0, len(sources), PHRASE):
        source = next((source for source in sources[first : first + PHRASE] if source is not None), None)
        count, place = divmod(len(set(out) - set(HEARD) - set(TOLD)), len(NAMES))
        new = NAMES[place] + (str(count) if count else "")
        out.append(new if source is None else out[source // PHRASE] if source >= 0 else _outside(source // PHRASE))
    return "".join(out)


def _outside(phrase: int) -> str:
    """The letter of a phrase before the cue, or of its theme."""
    return HEARD[-1 - phrase] if phrase >= -len(HEARD) else TOLD[phrase - THEME // PHRASE]


def _lengths(brief: Brief) -> tuple[Fraction, ...]:
    """The lengths of as many bars of its theme as a form knows."""
    return brief.theme.lengths[: PHRASE * len(TOLD)] if brief.theme is not None else ()


def length_of(brief: Brief, number: int) -> Fraction:
    """The beats of a bar of a form's counting."""
    return brief.bars[number].length if number >= 0 else LENGTH if number > THEME // 2 else _lengths(brief)[number - THEME]


def start_of(brief: Brief, number: int) -> Fraction:
    """The beat at which a bar begins, of a form's counting."""
    if number >= 0:
        return brief.bars[number].start
    begin = brief.bars[0].start
    return begin + number * LENGTH if number > THEME // 2 else begin - FAR + sum(_lengths(brief)[: number - THEME])


def shifts(brief: Brief, sources: Form) -> Mapping[int, Fraction]:
    """How many beats before a bar begins what it takes up, by the bar's number, for the bars that take something up."""
    return {k: brief.bars[k].start - start_of(brief, source) for k, source in enumerate(sources) if source is not None}


def recollected(brief: Brief) -> tuple[Note, ...]:
    """All that a cue may take up from outside it: its theme, far before it, and what was played before it."""
    begin = brief.bars[0].start - FAR
    theme = brief.theme.notes if brief.theme is not None else ()
    return (*(replace(note, start=begin + note.start) for note in theme), *brief.before)


def theme_bars(brief: Brief) -> tuple[BarBrief, ...]:
    """The bars of a theme at its place far before the cue."""
    lengths, bpm = _lengths(brief), brief.bars[0].bpm
    starts = accumulate(lengths, initial=brief.bars[0].start - FAR)
    return tuple(BarBrief(start, length, bpm=bpm) for start, length in zip(starts, lengths, strict=False))
