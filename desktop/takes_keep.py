"""What is kept of a scene, as locks: which stems and bars are shut, and the words that shut and open them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from engines.score.notes import STEMS, Note
from engines.session.keep import Keep, bar_of, held, kept
from engines.session.model import Span


def bars_of(span: Span) -> tuple[int, int]:
    """The first and the last bar of a scene, counted in the cue from 1."""
    return span.first + 1, span.first + len(span.bars)


def shut(span: Span, stem: str | None = None, bars: tuple[int, int] | None = None) -> bool:
    """Whether a stem (None: every one) of a scene is kept in all of these bars (None: its own)."""
    first, last = bars or bars_of(span)
    words = [word for word in held(span) if word.beat is None]

    def covered(name: str, bar: int) -> bool:
        return any(word.stem in (None, name) and word.inside(bar, bar) for word in words)

    return all(covered(name, bar) for name in ((stem,) if stem else STEMS) for bar in range(first, last + 1))


def shutting(span: Span, stem: str | None = None, bars: tuple[int, int] | None = None) -> tuple[str, ...]:
    """The words that keep what was kept, and these bars of a stem too."""
    return _said([*held(span), Keep(stem, bars or (None if stem else bars_of(span)))])


def opening(span: Span, stem: str | None = None, bars: tuple[int, int] | None = None) -> tuple[str, ...]:
    """The words that keep what was kept, but for these bars of a stem (None: of all; None: everywhere), single notes among them."""
    return _said(_opened(held(span), span, stem, bars or bars_of(span)))


def _opened(words: Iterable[Keep], span: Span, stem: str | None, bars: tuple[int, int]) -> list[Keep]:
    out: list[Keep] = []
    for word in words:
        low, high = word.bars or bars_of(span)
        if high < bars[0] or low > bars[1] or (stem is not None and word.stem not in (None, stem)):
            out.append(word)
        elif word.beat is None:
            others = [name for name in STEMS if name != stem] if stem and word.stem is None else []
            out += [Keep(name, word.bars or (low, high)) for name in others]
            left = [(low, bars[0] - 1), (bars[1] + 1, high)]
            out += [Keep(word.stem or stem, run) for run in left if run[0] <= run[1]]
    return out


def releasing(span: Span, notes: Iterable[Note], of: Iterable[Note]) -> tuple[str, ...]:
    """The words that keep what was kept of the notes ``of`` a scene, but for ``notes`` and what starts with them in their stems: a bar
    that was kept as a whole is kept note by note then."""
    gone = {(note.stem, note.start) for note in notes}
    places = sorted({(stem, bar_of(start, span)[0]) for stem, start in gone})
    stay = [
        note
        for note in kept(of, span, held(span))
        if (note.stem, note.start) not in gone and (note.stem, bar_of(note.start, span)[0]) in places
    ]
    words = list(held(span))
    for stem, bar in places:
        words = _opened(words, span, stem, (bar, bar))
    return _said([*words, *note_words(span, stay)])


def note_words(span: Span, notes: Iterable[Note]) -> tuple[Keep, ...]:
    """The words that keep written notes of a scene; whatever else starts with one of them in its stem is kept with it."""
    places: dict[tuple[str, int, Fraction], None] = {}
    for note in sorted(notes):
        bar, place = bar_of(note.start, span)
        places[note.stem, bar, place] = None
    return tuple(Keep(stem, (bar, bar), place) for stem, bar, place in places)


def holding(span: Span, words: Iterable[Keep]) -> tuple[str, ...]:
    """The words that keep what was kept and these too."""
    return _said([*held(span), *words])


def _said(words: Iterable[Keep]) -> tuple[str, ...]:
    """As text, each once; a word that a wider one holds already is left out."""
    all_of = list(dict.fromkeys(words))
    broad = [word for word in all_of if word.beat is None]
    return tuple(str(word) for word in all_of if not any(_wider(other, word) for other in broad))


def _wider(one: Keep, other: Keep) -> bool:
    """Whether ``one`` keeps all that ``other`` keeps, and more."""
    if one == other or one.beat is not None or one.stem not in (None, other.stem):
        return False
    if one.bars is None:
        return True
    return other.bars is not None and one.bars[0] <= other.bars[0] and other.bars[1] <= one.bars[1]
