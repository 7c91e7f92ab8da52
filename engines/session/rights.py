"""The rights card of a cue: which models its takes were made by, what they learned from, and under which licences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engines.errors import ModelError
from engines.runtime import Card, read_card, repository
from engines.session.model import SceneTake, Session, Span
from engines.session.origins import lineage, origin, origins
from engines.session.plain import plain
from engines.session.theme import spoken


@dataclass(frozen=True)
class Source:
    """A take from which notes of a scene came: the one that is ``heard`` or delivered on its own, or one before it whose notes
    were kept.

    ``take`` None: one that is no longer in the session. ``notes`` are those that it composed of them.
    """

    scene: int
    take: SceneTake | None
    notes: int
    heard: bool = True


def sources(session: Session, delivered: Iterable[tuple[Span, SceneTake]] = ()) -> tuple[Source, ...]:
    """The chosen takes scene by scene, then others that are ``delivered`` on their own; each with those that it was built upon."""
    chosen = [(span, session.takes[span.scene.chosen]) for span in session.spans if span.scene.chosen is not None]
    others = [(span, take) for span, take in delivered if (span, take) not in chosen]
    return tuple(
        Source(span.number, take, count, heard)
        for heard, pairs in ((True, chosen), (False, others))
        for span, leaf in pairs
        for take, count in lineage(session, leaf)
    )


def card_of(digest: str) -> Card | None:
    """The card of the model with that SHA-256, None where it is not in the repository of models."""
    try:
        homes = sorted(home for home in repository().iterdir() if (home / "card.toml").is_file())
    except OSError:
        return None
    for home in homes:
        try:
            card = read_card(home.name, home.parent)
        except ModelError:
            continue  # another model that is damaged does not keep a cue from being delivered
        if card.sha256 == digest:
            return card
    return None


def rights(session: Session, delivered: Iterable[tuple[Span, SceneTake]] = ()) -> dict[str, Any]:
    """Models, takes (also such as are only ``delivered``) and the composer's own words of a cue, as plain JSON.

    A take's model is known by the hash in its recipe; its card is told only where a model with that hash is at hand.
    """
    found = sources(session, delivered)
    models = {key: _model(*key) for source in found if source.take is not None for key in origins(source.take.facts)}
    return {
        "models": list(models.values()),
        "takes": [_take(source) for source in found],
        "composer": _said(session),
    }


def _model(engine: str, digest: str | None) -> dict[str, Any]:
    card = None if digest is None else card_of(digest)
    told: dict[str, Any] = {"engine": engine, "sha256": digest, "here": card is not None}
    if card is None:
        return told
    facts = {name: card.facts.get(name) for name in ("version", "architecture", "parameters")}
    return told | {"name": card.name} | facts | {name: _plain(card.facts.get(name)) for name in ("data", "licence")}


def _take(source: Source) -> dict[str, Any]:
    take = source.take
    if take is None:
        return {"scene": source.scene, "take": None, "heard": source.heard, "notes": source.notes}
    engine, digest = origin(take.facts)
    facts = {name: _plain(take.facts.get(name)) for name in ("mode", "provider", "key", "hitpoint")}
    return {
        "scene": source.scene,
        "take": take.number,
        "name": take.name,
        "made": take.made,
        "heard": source.heard,
        "notes": source.notes,
        "engine": engine,
        "model": digest,
        "seeds": [order.seed for order in take.orders],
        **facts,
    }


def _said(session: Session) -> dict[str, Any]:
    """What the composer set by hand, by scope in words; nothing of what the picture suggested."""
    numbers = {span.scene.id: (span.number, span.first) for span in session.spans}
    out: dict[str, Any] = {}
    for scope, told in session.told.items():
        name, _, bar = scope.partition("/")
        if name in numbers:
            number, first = numbers[name]
            scope = f"scene {number}, bar {first + int(bar)}" if bar else f"scene {number}"
        out[scope] = {key: value for key, value in plain(spoken(session, told)).items() if value is not None}
    if session.overrides:
        out["hits"] = [override.frame for override in session.overrides]
    return out


def _plain(value: Any) -> Any:
    """A value of a card or a recipe as JSON has it: dates and the like as text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
