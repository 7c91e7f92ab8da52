"""The theme that a scene takes up: the first bars of another scene, or of its own take until now, in the key that the scene is in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from fractions import Fraction
from itertools import accumulate
from statistics import fmean
from typing import Any

from engines.engine import Brief, Theme
from engines.errors import OptionError
from engines.form import HEARD, PHRASE, TOLD
from engines.score.harmony import pitch_in_key
from engines.score.metrics import best_key
from engines.score.notes import Note
from engines.session.model import SceneTake, Session, Span, Told
from engines.session.origins import credited
from engines.session.told import word

NOTHING = "none"
"""What says that nothing is to return in a scene."""
BARS = PHRASE * len(TOLD)
"""Bars of a scene that make its theme."""


def theme_id(session: Session, text: str) -> str:
    """A scene's id, or `NOTHING`, from what a composer writes: its number, or ``none``. Raises OptionError."""
    said = text.strip().lower()
    if said == NOTHING or any(scene.id == said for scene in session.scenes):
        return said
    if said.isdecimal() and 1 <= float(said) <= len(session.scenes):
        return session.span(int(said)).scene.id
    many = len(session.scenes)
    raise OptionError(f"{text[:40]!r} is no scene", where="theme", cure=f"write a scene's number, 1 to {many}, or {NOTHING}")


def theme_said(session: Session, value: str) -> str:
    """The same as a composer reads it: the number that the scene has now; ``?`` for a scene that is gone."""
    return next((str(span.number) for span in session.spans if span.scene.id == value), NOTHING if value == NOTHING else "?")


def themed(session: Session, told: Told) -> Told:
    """A word with its theme as we keep it. Raises OptionError."""
    return told if told.theme is None else replace(told, theme=theme_id(session, told.theme))


def kept_or_themed(session: Session, scope: str, told: Told) -> Told:
    """The same, of words that may have been said before: what was, stays as it is."""
    return told if told.theme == session.told.get(scope, Told()).theme else themed(session, told)


def spoken(session: Session, told: Told) -> Told:
    """A word with its theme as a composer reads it."""
    return told if told.theme is None else replace(told, theme=theme_said(session, told.theme))


def theme_of(session: Session, span: Span) -> Theme | None:
    """What a scene is told to take up; None where nothing is said. A scene that is its own theme, and has no take, has none.

    Raises OptionError where the scene of the theme is gone, or was never composed.
    """
    told = word(session, "cue", span.scene.id)
    if told.theme == NOTHING:
        return Theme()
    take = _source(session, span, told.theme)
    if take is None:
        return None
    lengths = tuple(metre.length for metre in take.tempo_map.metres[:BARS])
    notes = tuple(row.note for row in take.notes if row.note.start < sum(lengths))
    there, here = _key(take, notes), told.key or session.key
    if there and here:
        notes = tuple(replace(note, pitch=pitch_in_key(note.pitch, there, here)) for note in notes)
    return Theme(notes, lengths)


def _source(session: Session, span: Span, theme: str | None) -> SceneTake | None:
    """The take that is the theme of a scene which takes up that of the scene ``theme``. Raises OptionError, see `theme_of`."""
    if theme is None or theme == NOTHING:
        return None
    source = next((other for other in session.spans if other.scene.id == theme), None)
    if source is None:
        cure = "name another theme, or leave it open"
        raise OptionError(f"the scene whose theme scene {span.number} takes up is gone", where="theme", cure=cure)
    take = _heard(session, source)
    if take is None and source.scene.id != span.scene.id:
        raise OptionError(
            f"scene {source.number} has no take whose theme scene {span.number} could take up",
            where="theme",
            cure=f"compose it first: refill --scene {source.number}",
        )
    return take


def taken_up(session: Session, span: Span, letters: Set[str], heard: Fraction) -> dict[str, Any]:
    """What the recipe of a take says of those whose music it takes up, by the letters of its form: of its theme, and of the scenes
    that were ``heard`` so many beats before it."""
    takes = []
    if letters & set(TOLD):
        takes.append(_source(session, span, word(session, "cue", span.scene.id).theme))
    if letters & set(HEARD):
        near = (other for other in session.spans if other.start < span.start < other.end + heard)
        takes += [session.takes[other.scene.chosen] for other in near if other.scene.chosen is not None]
    rows = credited(session, [take for take in takes if take is not None])
    return {"themes": rows} if rows else {}


def _key(take: SceneTake, notes: Sequence[Note]) -> str | None:
    """The key of the first bars of a take: its recipe's where that is of one piece, else the one that is heard."""
    said = take.facts.get("key")
    return said if isinstance(said, str) and len(take.orders) == 1 and take.base is None else best_key(notes)


def fitting(theme: Theme | None, brief: Brief) -> tuple[Theme | None, str | None]:
    """A theme as the bars of a brief can take it up, by whole octaves near the register that they ask for; else None, and why not."""
    if theme is None or not theme.lengths:
        return theme, None
    if not theme.notes:
        return None, "nothing is played there"
    if not any(bar.length == length for bar, length in zip(brief.bars, theme.lengths, strict=False)):
        return None, "no bar is as long as those of the theme"
    asked = [bar.register for bar in brief.bars if bar.register is not None]
    octaves = round((fmean(asked) - fmean(note.pitch for note in theme.notes)) / 12) if asked else 0
    moved = (replace(note, pitch=note.pitch + 12 * octaves) for note in theme.notes)
    return Theme(tuple(note for note in moved if 0 <= note.pitch <= 127), theme.lengths), None


def _heard(session: Session, span: Span) -> SceneTake | None:
    """The take of a scene that is heard, else its newest."""
    takes = session.takes_of(span.scene)
    return takes[span.scene.chosen] if span.scene.chosen in takes else next(reversed(takes.values()), None)


def from_bar(theme: Theme | None, bar: int) -> Theme | None:
    """A theme from one of its bars on (from 0); None behind its last."""
    if theme is None or not theme.lengths or not bar:
        return theme
    if bar >= len(theme.lengths):
        return None
    line = list(accumulate(theme.lengths))[bar - 1]
    return Theme(tuple(replace(n, start=n.start - line) for n in theme.notes if n.start >= line), theme.lengths[bar:])


def without_lost(session: Session) -> tuple[Session, list[int]]:
    """The session without words about themes that nobody can take up any longer, because their scene is gone or nothing is left of its
    takes; and the numbers of the scenes that had them."""
    there = {NOTHING, *(scene.id for scene in session.scenes if session.takes_of(scene))}
    told = {
        scope: replace(word, theme=word.theme if word.theme in (*there, scope) else None) for scope, word in session.told.items()
    }
    lost = [span.number for span in session.spans if told.get(span.scene.id) != session.told.get(span.scene.id)]
    return replace(session, told={scope: word for scope, word in told.items() if not word.silent}), lost


def in_turn(session: Session) -> list[Span]:
    """The scenes in the order in which they are composed: each behind the one whose theme it takes up, else as they follow."""
    by_id = {span.scene.id: span for span in session.spans}
    out: dict[str, Span] = {}

    def put(span: Span, waiting: tuple[str, ...]) -> None:
        source = word(session, "cue", span.scene.id).theme or ""
        if source in by_id and source not in waiting:
            put(by_id[source], (*waiting, span.scene.id))
        out.setdefault(span.scene.id, span)

    for span in session.spans:
        put(span, (span.scene.id,))
    return list(out.values())


def renamed(told: Mapping[str, Told], old: str, new: str) -> dict[str, Told]:
    """Words about the theme of one scene as words about that of another."""
    return {scope: replace(word, theme=new) if word.theme == old else word for scope, word in told.items()}
