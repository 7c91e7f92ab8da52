"""What a refill may not touch, as a person says it: stems, bars, or single notes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
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
