"""Histograms of pitches, lengths and melodic intervals, and what two lots of music have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from engines.score.notes import Note

LENGTHS = (Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1), Fraction(3, 2), Fraction(2), Fraction(3), Fraction(4))
"""Beats; a length counts for the nearest of these."""
FARTHEST = 12
"""Semitones; a melody's leap beyond an octave counts as one."""


def pitches(notes: Iterable[Note]) -> Counter[int]:
    """How often each MIDI pitch is struck."""
    return Counter(note.pitch for note in notes)


def lengths(notes: Iterable[Note]) -> Counter[Fraction]:
    """How often each of `LENGTHS` is played."""
    return Counter(min(LENGTHS, key=lambda known: abs(known - note.length)) for note in notes)


def intervals(notes: Iterable[Note]) -> Counter[int]:
    """The steps of the highest voice, in semitones from one onset to the next, at most `FARTHEST` either way."""
    top: dict[Fraction, int] = {}
    for note in notes:
        top[note.start] = max(top.get(note.start, 0), note.pitch)
    line = [top[start] for start in sorted(top)]
    return Counter(max(-FARTHEST, min(FARTHEST, after - before)) for before, after in pairwise(line))


def common(ours: Counter[Any], real: Counter[Any]) -> float | None:
    """The common area of two histograms: 1 is alike, 0 apart; None where one is empty."""
    one, other = ours.total(), real.total()
    if not one or not other:
        return None
    return sum(min(ours[key] / one, real[key] / other) for key in ours)


def overlaps(ours: Sequence[Iterable[Note]], real: Sequence[Iterable[Note]]) -> dict[str, float | None]:
    """The common areas of all three histograms, over all pieces together."""
    out: dict[str, float | None] = {}
    for name, count in (("pitch", pitches), ("length", lengths), ("interval", intervals)):
        both = []
        for lot in (ours, real):
            total: Counter[Any] = Counter()
            for notes in lot:
                total.update(count(notes))
            both.append(total)
        out[f"{name}_overlap"] = common(*both)
    return out
