"""Scenes whose metre or tempo the composer sets: their part of the tempo map solved again, the bars around them, and those that are
locked, as they were."""

from __future__ import annotations

from dataclasses import replace

from engines.errors import OptionError, SpottingError
from engines.session.lock import inside, locked_bars
from engines.session.model import ChosenMap, Session, Span, Told
from engines.spotting.locked import Rules, Standing, around, runs
from engines.spotting.solve import solve
from engines.spotting.splice import spliced


def respotted(before: Session, after: Session) -> Session:
    """``after`` with the map of every scene solved again whose metre or tempo is told otherwise than in ``before``.

    A scene whose bars change keeps its takes, but none of them fits any longer: it is silent. Raises SpottingError where no
    bars fit between the scene's two bar lines.
    """
    session = after
    for scene in after.scenes:
        old, new = (_pulse(s, scene.id) for s in (before, after))
        if old != new:
            number = next(span.number for span in session.spans if span.scene.id == scene.id)
            session = _solved(session, session.span(number), new)
    return session


def follows(session: Session, span: Span) -> Session:
    """The map of one scene solved again for the hits as they are now. As `respotted` otherwise."""
    return _solved(session, span, _pulse(session, span.scene.id))


def _pulse(session: Session, scene: str) -> Told:
    """What is said of a scene's metre and tempo, by its own scope or the cue's."""
    word = session.told.get(scene, Told()).over(session.told.get("cue", Told()))
    return Told(metre=word.metre, tempo=word.tempo)


def _solved(session: Session, span: Span, word: Told) -> Session:
    if span.scene.locked:
        return _around_locks(session, span, word)
    limits, last = session.limits, span.number == len(session.scenes)
    start, end = span.seconds
    try:
        found = solve(
            session.hits,
            session.film.duration if last else end,
            word.tempo or limits.tempo,
            limits.max_bend,
            (word.metre,) if word.metre else limits.metres,
            limits.subdivision,
            start=start,
            pickup=False,
            closed=not last,
        )[0]
    except (SpottingError, OptionError) as error:
        raise type(error)(error.what, where=f"scene {span.number}", cure=error.cure) from error
    bars = len(found.tempo_map.bars_until(found.tempo_map.beat(found.end)))
    tempo_map = spliced(session.tempo_map, span.first, found.tempo_map, bars, None if last else span.first + len(span.bars))
    changed = replace(session, map=ChosenMap(session.map.kind, tempo_map, session.map.bpm, session.map.cost))
    scene = replace(span.scene, bars=bars, bpm=found.tempo_bpm if word.tempo or word.metre else None)
    changed = changed.with_scene(scene)
    here = changed.span(span.number)
    fitting = span.scene.chosen is not None and changed.fits(here, changed.takes[span.scene.chosen])
    if not last and here.seconds[1] != end:
        raise SpottingError("its end moved", where=f"scene {span.number}", cure="give another metre or tempo")
    return changed if fitting else changed.with_scene(replace(scene, chosen=None))


def _around_locks(session: Session, span: Span, word: Told) -> Session:
    """The same for a scene of which some bars are locked: those between them alone are solved."""
    limits, many = session.limits, len(session.bars)
    here = {bar.index for bar in span.bars}
    stay = runs(sorted(locked_bars(session) | (set(range(many)) - here)))
    rules = Rules(word.tempo or limits.tempo, limits.max_bend, (word.metre,) if word.metre else limits.metres, limits.subdivision)
    low, high = rules.tempo
    cue = Standing(session.tempo_map, many, min(max(session.map.bpm, low), high), session.film.duration)
    try:
        found = around(cue, stay, session.hits, rules)[0]
    except (SpottingError, OptionError) as error:
        raise type(error)(error.what, where=f"scene {span.number}", cure=error.cure) from error
    changed = replace(session, map=replace(session.map, tempo_map=found.tempo_map))
    bars = len(changed.bars) - (many - len(span.bars))
    lines = [found.tempo_map.seconds(bar.start) for bar in changed.bars]
    shut = [lines.index(session.tempo_map.seconds(session.bars[bar].start)) + 1 for bar in sorted(locked_bars(session) & here)]
    scene = replace(span.scene, bars=bars, locked=inside(tuple((bar, bar) for bar in shut), span.first + 1, span.first + bars))
    changed = changed.with_scene(replace(scene, bpm=found.tempo_bpm if word.tempo or word.metre else None))
    fitting = scene.chosen is not None and changed.fits(changed.span(span.number), changed.takes[scene.chosen])
    return changed if fitting else changed.with_scene(replace(changed.span(span.number).scene, chosen=None))
