"""Locked bars of a session: whose tempo map stays when the rest of the cue is spotted again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from engines.errors import OptionError
from engines.session.model import Session, Span, Told
from engines.spotting.locked import Runs, runs

Locked = tuple[tuple[int, int], ...]
"""Runs of a scene's bars: first and last, from 1."""


def locked(session: Session, first: int, last: int, shut: bool) -> Session:
    """The session with some bars of the cue (from 1) locked, or free again. Raises OptionError for bars that there are not."""
    for bar in (first, last):
        session.span_of_bar(bar)
    if first > last:
        raise OptionError(f"bars {first}-{last} run backwards", where="--bars", cure=f"write {last}-{first}")
    wanted = set(range(first, last + 1))
    for span in session.spans:
        here = {bar - span.first for bar in wanted} & set(range(1, len(span.bars) + 1))
        if here:
            bars = numbers(span.scene.locked)
            session = session.with_scene(replace(span.scene, locked=as_runs(bars | here if shut else bars - here)))
    return session


def numbers(of: Locked) -> set[int]:
    """The bars in runs, one by one."""
    return {bar for first, last in of for bar in range(first, last + 1)}


def as_runs(bars: Iterable[int]) -> Locked:
    """Bars as runs."""
    return tuple((first, end - 1) for first, end in runs(tuple(bars)))


def inside(of: Locked, first: int, last: int) -> Locked:
    """As much of runs as lies in some bars, counted from the first of them."""
    return as_runs(bar - first + 1 for bar in numbers(of) if first <= bar <= last)


def locked_bars(session: Session) -> set[int]:
    """The bars of the cue, from 0, that the composer locked."""
    return {span.first + bar - 1 for span in session.spans for bar in numbers(span.scene.locked)}


def standing_bars(session: Session) -> Runs:
    """Runs of bars of the cue, from 0, that spotting the whole cue again leaves alone: those locked, and every scene whose metre or
    tempo the composer set, since that was its own word on how it goes."""
    said = [span for span in session.spans if own_pulse(session, span)]
    return runs(sorted(locked_bars(session) | {bar.index for span in said for bar in span.bars}))


def own_pulse(session: Session, span: Span) -> bool:
    """Whether the composer set the metre or the tempo of just this scene."""
    word = session.told.get(span.scene.id, Told())
    return word.metre is not None or word.tempo is not None
