"""The theme that a scene takes up: the first bars of another scene, or of its own take until now, in the key that the scene is in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import accumulate

from engines.engine import Theme
from engines.errors import OptionError
from engines.form import PHRASE, TOLD
from engines.score.harmony import pitch_in_key
from engines.session.model import SceneTake, Session, Span, Told
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


def spoken(session: Session, told: Told) -> Told:
    """A word with its theme as a composer reads it."""
    return told if told.theme is None else replace(told, theme=theme_said(session, told.theme))


def theme_of(session: Session, span: Span) -> Theme | None:
    """What a scene is told to take up; None where nothing is said. A scene that is its own theme, and has no take, has none.

    Raises OptionError where the scene of the theme is gone, or was never composed.
    """
    told = word(session, "cue", span.scene.id)
    if told.theme is None:
        return None
    if told.theme == NOTHING:
        return Theme()
    source = next((other for other in session.spans if other.scene.id == told.theme), None)
    if source is None:
        cure = "name another theme, or leave it open"
        raise OptionError(f"the scene whose theme scene {span.number} takes up is gone", where="theme", cure=cure)
    take = _heard(session, source)
    if take is None and source.scene.id == span.scene.id:
        return None
    if take is None:
        raise OptionError(
            f"scene {source.number} has no take whose theme scene {span.number} could take up",
            where="theme",
            cure=f"compose it first: refill --scene {source.number}",
        )
    lengths = tuple(metre.length for metre in take.tempo_map.metres[:BARS])
    notes = tuple(row.note for row in take.notes if row.note.start < sum(lengths))
    there, here = take.facts.get("key"), told.key or session.key
    if there and here:
        notes = tuple(replace(note, pitch=pitch_in_key(note.pitch, str(there), here)) for note in notes)
    return Theme(notes, lengths)


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


def without_lost(session: Session) -> Session:
    """The session without words about themes of scenes that it no longer has."""
    there = {NOTHING, *(scene.id for scene in session.scenes)}
    told = {s: replace(w, theme=w.theme if w.theme in there else None) for s, w in session.told.items()}
    return replace(session, told={scope: word for scope, word in told.items() if not word.silent})


def renamed(told: Mapping[str, Told], old: str, new: str) -> dict[str, Told]:
    """Words about the theme of one scene as words about that of another."""
    return {scope: replace(word, theme=new) if word.theme == old else word for scope, word in told.items()}
