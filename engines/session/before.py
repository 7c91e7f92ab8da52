"""Before and after a recut: what the old cut played is laid into the new bars of a scene, so that a composer hears both and can go on
by hand from the old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engines.conform.carry import new_runs
from engines.session.model import PlayedNote, Session, Span
from engines.session.origins import credited

BEFORE, AFTER = "before the recut", "after the recut"
"""What the two takes of a scene are called that a recut touched."""


def sources(bars: Sequence[int | None], old_bars: int) -> dict[int, int]:
    """For new bars, the old bar whose music is laid there: what followed the bar before them in the old cut, in order, as far as it
    reaches; at the head of the film what led to the first bar that stays."""
    out: dict[int, int] = {}
    for first, end in new_runs(bars):
        before = bars[first - 1] if first else None
        after = bars[end] if end < len(bars) else None
        if before is not None:
            stop = after if after is not None and after > before else old_bars
            olds = range(before + 1, min(stop, before + 1 + end - first))
            out |= {first + k: old for k, old in enumerate(olds)}
        elif after is not None:
            olds = range(max(0, after - (end - first)), after)
            out |= {end - len(olds) + k: old for k, old in enumerate(olds)}
    return out


def with_before(session: Session, bare: Session, span: Span, bars: Sequence[int | None]) -> Session:
    """The carried session with the old music in the new bars of a scene's chosen take, which is named so; nothing without one."""
    places = {
        new: old for new, old in sources(bars, len(session.bars)).items() if span.first <= new < span.first + len(span.bars)
    }
    new = [k for k in range(span.first, span.first + len(span.bars)) if bars[k] is None]
    name = span.scene.chosen
    if name is None or not new:
        return bare
    take = bare.takes[name]
    rows = [row for at, old in sorted(places.items()) for row in _laid(session, old, span, at)]
    notes = tuple(sorted({*take.notes, *rows}, key=lambda row: (row.note, row.played)))
    owners = (session.span_of_bar(old + 1).scene.chosen for old in places.values())
    whose = [take, *(session.takes[owner] for owner in dict.fromkeys(owners) if owner is not None)]
    facts = dict(take.facts) | {"parts": credited(session, whose)}
    made = replace(take, notes=notes, orders=(), facts=facts, name=take.name or BEFORE)
    return replace(bare, takes={**bare.takes, name: made})


def _laid(session: Session, old: int, span: Span, new: int) -> list[PlayedNote]:
    """The notes that the old cut's bar began, in a bar of a scene; a shorter bar has fewer."""
    owner = session.span_of_bar(old + 1)
    if owner.scene.chosen is None:
        return []
    there, here = session.bars[old], span.bars[new - span.first]
    by = (here.start - span.start) - (there.start - owner.start)
    low, room = there.start - owner.start, min(there.metre.length, here.metre.length)
    return [row.moved(by) for row in session.takes[owner.scene.chosen].notes if low <= row.note.start < low + room]


def inside_scene(runs: Sequence[tuple[int, int]], span: Span) -> tuple[tuple[int, int], ...]:
    """Runs of new bars (from 0, the end beside them) as a refill of the scene in which they lie counts them: of the cue, from 1."""
    first, end = span.first, span.first + len(span.bars)
    inside = ((max(a, first), min(b, end)) for a, b in runs)
    return tuple((a + 1, b) for a, b in inside if a < b)
