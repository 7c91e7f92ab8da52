"""Whose work is in a take: the models that composed it and what it was built upon, and those of the music that it takes up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from engines.score.notes import Note
from engines.session.model import Order, SceneTake, Session

Origin = tuple[str, str | None]
"""An engine, and the SHA-256 of its model; None where a recipe names none."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def origin(facts: Mapping[str, Any]) -> Origin:
    """Who composed the last of a take, by its facts."""
    model = facts.get("model")
    return str(facts.get("engine", "")), model if isinstance(model, str) and _DIGEST.fullmatch(model) else None


def origins(facts: Mapping[str, Any]) -> list[Origin]:
    """Everyone whose work is in a take: of one that scenes of several models were joined into every one, and those of its theme."""
    parts = [found for part in _rows(facts, "parts") for found in origins(part)]
    themes = [origin(row) for row in _rows(facts, "themes")]
    return list(dict.fromkeys([*(parts or [origin(facts)]), *themes]))


def _rows(facts: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    rows = facts.get(name)
    yield from (row for row in rows if isinstance(row, Mapping)) if isinstance(rows, list | tuple) else ()


def composed(note: Note, order: Order) -> bool:
    """Whether an order may have written a note, which it did unless it was told to keep it."""
    first, last = order.brief.bars[0], order.brief.bars[-1]
    inside = first.start <= note.start < last.start + last.length
    return inside and note.stem in order.brief.stems and note not in order.keep


def lineage(session: Session, leaf: SceneTake) -> Iterator[tuple[SceneTake | None, int]]:
    """A take and those that it was built upon, each with how many of its notes it composed; what its own orders did not is laid to the
    one before it. None: one that is no longer in the session."""
    left, take, seen = list(leaf.notes), leaf, set()
    while True:
        first = take.base is None or take.base in seen
        kept = [] if first else [row for row in left if not any(composed(row.note, order) for order in take.orders)]
        yield take, len(left) - len(kept)
        if first or not kept:
            return
        seen.add(take.base)
        base = session.takes.get(take.base or "")
        if base is None:
            yield None, len(kept)
            return
        left, take = kept, base


def credited(session: Session, takes: Iterable[SceneTake]) -> list[dict[str, str | None]]:
    """Everyone whose work is in these takes and in what they were built upon, as a recipe keeps it."""
    found = (key for take in takes for part, _ in lineage(session, take) if part is not None for key in origins(part.facts))
    return [{"engine": engine, "model": model} for engine, model in dict.fromkeys(found)]


def whole_facts(session: Session, take: SceneTake) -> dict[str, Any]:
    """The facts of a take for one that will no longer know what it was built upon."""
    return dict(take.facts) | ({} if take.base is None else {"parts": credited(session, [take])})
