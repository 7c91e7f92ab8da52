"""What is selected in the roll, and what that means as acts: keeping, letting go, composing again, handing out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, repeat

from desktop.takes_keep import holding, note_words, opening, releasing, shut, shutting
from desktop.takes_midi import Piece
from engines.commands import Hold
from engines.score.notes import STEMS, Note
from engines.session.keep import bar_of, held, kept, parse
from engines.session.model import SceneTake, Session, Span


@dataclass(frozen=True)
class Selection:
    """Either ``notes``, each as the id of its scene and its row in the chosen take, or whole ``bars`` of the cue (first and last, from 1)
    in some ``stems``."""

    notes: frozenset[tuple[str, int]] = frozenset()
    bars: tuple[int, int] | None = None
    stems: tuple[str, ...] = STEMS

    def __bool__(self) -> bool:
        return bool(self.notes) or self.bars is not None

    @classmethod
    def of(cls, rows: dict[str, list[int]]) -> Selection:
        """Notes by their scenes."""
        made = cls(notes=frozenset(chain.from_iterable(zip(repeat(name), here, strict=False) for name, here in rows.items())))
        made.__dict__["by_scene"] = rows  # what it would work out itself
        return made

    @cached_property
    def by_scene(self) -> dict[str, list[int]]:
        """The rows of the notes of each scene, in no order."""
        out: dict[str, list[int]] = {}
        for name, row in self.notes:
            out.setdefault(name, []).append(row)
        return out


def spans_of(session: Session, selection: Selection) -> list[Span]:
    """The scenes in which something is selected."""
    if selection.bars is None:
        return [span for span in session.spans if span.scene.id in selection.by_scene]
    first, last = selection.bars
    return [span for span in session.spans if span.first < last and first <= span.first + len(span.bars)]


def chosen(session: Session, span: Span) -> SceneTake | None:
    """The take of a scene that is heard."""
    return None if span.scene.chosen is None else session.takes[span.scene.chosen]


def notes_in(session: Session, span: Span, selection: Selection) -> list[Note]:
    """The written notes of one scene that are selected."""
    take = chosen(session, span)
    if take is None:
        return []
    if selection.bars is None:
        rows = sorted(selection.by_scene.get(span.scene.id, ()))
        return [take.notes[row].note for row in rows if row < len(take.notes)]
    low, high = selection.bars
    written = (row.note for row in take.notes if row.note.stem in selection.stems)
    return [note for note in written if low <= bar_of(note.start, span)[0] <= high]


def bars_in(span: Span, selection: Selection) -> tuple[int, int]:
    """As many of the selected bars as lie in a scene."""
    assert selection.bars is not None
    return max(selection.bars[0], span.first + 1), min(selection.bars[1], span.first + len(span.bars))


def is_kept(session: Session, selection: Selection) -> bool:
    """Whether all of it is kept already."""
    return bool(selection) and all(_is_kept(session, span, selection) for span in spans_of(session, selection))


def _is_kept(session: Session, span: Span, selection: Selection) -> bool:
    if selection.bars is not None:
        return all(shut(span, stem, bars_in(span, selection)) for stem in selection.stems)
    notes = notes_in(session, span, selection)
    return len(kept(notes, span, held(span))) == len(set(notes))


def keep_or_release(session: Session, selection: Selection) -> list[Hold]:
    """One act a scene: what is selected is kept; where all of it is kept already, it is let go."""
    letting_go = is_kept(session, selection)
    return [Hold(span.number, _words(session, span, selection, letting_go)) for span in spans_of(session, selection)]


def _words(session: Session, span: Span, selection: Selection, letting_go: bool) -> tuple[str, ...]:
    if selection.bars is None:
        notes, take = notes_in(session, span, selection), chosen(session, span)
        assert take is not None
        return releasing(span, notes, (row.note for row in take.notes)) if letting_go else holding(span, note_words(span, notes))
    bars = bars_in(span, selection)
    change = opening if letting_go else shutting
    stems: Iterable[str | None] = (None,) if set(selection.stems) == set(STEMS) else selection.stems
    for stem in stems:
        words = change(span, stem, bars)
        span = _holding(span, words)
    return words


def _holding(span: Span, words: tuple[str, ...]) -> Span:
    """A scene as it is when these words (in bars of the cue) hold."""
    keep = tuple(str(parse(word).moved(-span.first)) for word in words)
    return replace(span, scene=replace(span.scene, keep=keep))


def piece_of(session: Session, selection: Selection) -> Piece | None:
    """The selection as a file for other programs, from the bar line before it: of the first scene in which something is selected."""
    for span in spans_of(session, selection):
        take, notes = chosen(session, span), notes_in(session, span, selection)
        if take is None or not notes:
            continue
        if selection.bars is None:
            places = [bar_of(note.start, span)[0] for note in notes]
            bars = min(places), max(places)
        else:
            bars = bars_in(span, selection)
        stems = {note.stem for note in notes}
        return Piece(span.number, take.number, stems.pop() if len(stems) == 1 else None, bars, frozenset(notes))
    return None


def refills(session: Session, selection: Selection) -> list[tuple[int, tuple[str, ...] | None, tuple[tuple[int, int], ...]]]:
    """What to compose again for a selection: of each scene the stems (None: all) and the bars, whole bars where single notes are
    selected."""
    out: list[tuple[int, tuple[str, ...] | None, tuple[tuple[int, int], ...]]] = []
    for span in spans_of(session, selection):
        if selection.bars is not None:
            stems = None if set(selection.stems) == set(STEMS) else selection.stems
            out.append((span.number, stems, (bars_in(span, selection),)))
        else:
            notes = notes_in(session, span, selection)
            bars = sorted({bar_of(note.start, span)[0] for note in notes})
            out.append((span.number, tuple(s for s in STEMS if any(n.stem == s for n in notes)), tuple((b, b) for b in bars)))
    return out
