"""Whose work is in a take: the models that composed it, and those of the theme that it takes up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

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
