"""What a refill may not touch, as a person says it: stems, bars, or single notes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from engines.errors import OptionError
from engines.score.notes import STEMS, Note
from engines.session.model import Span

_BARS = re.compile(r"(?:([a-z]+):)?(\d{1,5})(?:-(\d{1,5}))?")
_NOTE = re.compile(r"([a-z]+)@(\d{1,5})\.(\d{1,3}(?:/\d{1,3})?(?:\.\d{1,3})?)")
_SAID = (
    f"write a stem ({', '.join(STEMS)}), bars (5-6), a stem's bars (melody:5-6), "
    "or what starts on a beat (melody@5.3: the third beat of bar 5)"
)


@dataclass(frozen=True)
class Keep:
    """One thing to keep: a ``stem`` (None: all of them) in ``bars`` of the cue (first and last, from 1; None: everywhere), or only
    what starts at ``beat`` of the first of these bars (from 0, in quarter notes)."""

    stem: str | None
    bars: tuple[int, int] | None
    beat: Fraction | None = None

    def __str__(self) -> str:
        if self.bars is None:
            return self.stem or ""
        first, last = self.bars
        if self.beat is not None:
            return f"{self.stem}@{first}.{self.beat + 1}"
        return f"{f'{self.stem}:' if self.stem else ''}{first}{f'-{last}' if last > first else ''}"

    def moved(self, bars: int) -> Keep:
        """The same so many bars later: a scene keeps by its own bars, a person says those of the cue."""
        return self if self.bars is None else replace(self, bars=(self.bars[0] + bars, self.bars[1] + bars))

    def inside(self, first: int, last: int) -> Keep | None:
        """As much of it as lies in these bars; None for nothing."""
        if self.bars is None:
            return self
        low, high = max(first, self.bars[0]), min(last, self.bars[1])
        return replace(self, bars=(low, high)) if low <= high else None

    def holds(self, note: Note, span: Span) -> bool:
        """Whether a written note of a scene (beats from its first) is kept."""
        if self.stem is not None and note.stem != self.stem:
            return False
        if self.bars is None:
            return True
        bar, place = bar_of(note.start, span)
        return self.bars[0] <= bar <= self.bars[1] and (self.beat is None or place == self.beat)


def parse(text: str) -> Keep:
    """What a person typed. Raises OptionError."""
    word = text.strip().lower()
    if word in STEMS:
        return Keep(word, None)
    if (bars := _BARS.fullmatch(word)) and bars[1] in (None, *STEMS):
        first, last = int(bars[2]), int(bars[3] or bars[2])
        if 1 <= first <= last:
            return Keep(bars[1], (first, last))
    if (note := _NOTE.fullmatch(word)) and note[1] in STEMS:
        try:
            beat = Fraction(note[3]) - 1
        except (ValueError, ZeroDivisionError):
            beat = Fraction(-1)
        if beat >= 0:
            return Keep(note[1], (int(note[2]), int(note[2])), beat)
    raise OptionError(f"{text!r} is nothing that can be kept", where="--keep", cure=_SAID)


def held(span: Span) -> tuple[Keep, ...]:
    """What refills of a scene may not touch, in bars of the cue."""
    return tuple(parse(text).moved(span.first) for text in span.scene.keep)


def bar_of(beat: Fraction, span: Span) -> tuple[int, Fraction]:
    """The bar of the cue (from 1) in which a beat of a scene lies, and its place in that bar in beats from 0."""
    for bar in reversed(span.bars):
        if bar.start - span.start <= beat or bar is span.bars[0]:
            return bar.index + 1, beat - (bar.start - span.start)
    raise ValueError("a scene without bars")


def kept(notes: Iterable[Note], span: Span, words: Iterable[Keep]) -> frozenset[Note]:
    """The notes of a scene that any of the words keeps."""
    said = tuple(words)
    return frozenset(note for note in notes if any(word.holds(note, span) for word in said))
