"""What must hold in every session beyond the kinds of its values, so that no verb ever meets a scene without bars or a take that is
not there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engines.errors import OptionError, SessionError
from engines.picture.timecode import FASTEST_RATE
from engines.session.keep import parse
from engines.session.model import Session
from engines.session.told import check
from engines.spotting.solve import FASTEST, SLOWEST

LONGEST = 7 * 24 * 3600
"""Seconds of a film beyond which its length is taken for damage: a week."""

_SCENE, _TAKE, _SCOPE = re.compile(r"s\d{1,9}"), re.compile(r"t\d{1,9}"), re.compile(r"cue|s\d{1,9}(/[1-9]\d{0,6})?")


def intact(session: Session) -> Session:
    """The session itself. Raises SessionError, naming the first thing that cannot be."""
    try:
        fault = next(_faults(session), None)
    except OptionError as error:
        fault = str(error)
    if fault is not None:
        raise SessionError(f"holds what cannot be ({fault})", cure="open an earlier copy of the session")
    return session


def _faults(session: Session) -> Iterator[str]:
    film, programme = session.film, session.programme
    if not (0 < film.rate <= FASTEST_RATE and film.frames > 0 and 0 < film.duration <= LONGEST and film.size >= 0):
        yield "a film without frames"
    if programme.rate != programme.start.rate or not 0 < programme.rate <= FASTEST_RATE or programme.frames < 1:
        yield "a programme without frames"
    yield from _pulse(session)
    yield from _scenes(session)
    yield from _takes(session)
    for scope, told in session.told.items():
        if not _SCOPE.fullmatch(scope):
            yield f"words of {scope!r}"
        check(scope, told)
    for stem, held in session.instruments.items():
        if not (0 <= held.program <= 127 and 0 <= held.low <= held.high <= 127):
            yield f"an instrument for {stem} that cannot be"
    if session.seed < 0 or not 0 <= session.performance <= 1:
        yield "a seed or a performance out of range"


def _pulse(session: Session) -> Iterator[str]:
    """Tempi that no solver gives would make bars without end."""
    tempi = [segment.bpm for segment in session.tempo_map.segments]
    if not (min(tempi) >= SLOWEST / 4 and max(tempi) <= FASTEST * 4) or abs(session.tempo_map.origin) > LONGEST:
        yield "a tempo that nobody plays"
    elif not session.map.bpm > 0:
        yield "a nominal tempo of nothing"


def _scenes(session: Session) -> Iterator[str]:
    scenes = session.scenes
    if not scenes or len({scene.id for scene in scenes}) < len(scenes):
        yield "no scene, or one twice"
        return
    for scene in scenes:
        if not _SCENE.fullmatch(scene.id) or scene.bars < 1 or (scene.bpm is not None and scene.bpm <= 0):
            yield f"a scene that cannot be: {scene.id!r}"
            return
        for text in scene.keep:
            parse(text)
        if any(not 1 <= first <= last <= scene.bars for first, last in scene.locked):
            yield f"locked bars that scene {scene.id} has not"
        if scene.chosen is not None and (scene.chosen not in session.takes or session.takes[scene.chosen].scene != scene.id):
            yield f"a scene whose take is not there: {scene.chosen!r}"
    if sum(scene.bars for scene in scenes) != len(session.bars):
        yield f"scenes of {sum(scene.bars for scene in scenes)} bars in a cue of {len(session.bars)}"


def _takes(session: Session) -> Iterator[str]:
    for name, take in session.takes.items():
        if not _TAKE.fullmatch(name) or not _SCENE.fullmatch(take.scene) or take.number < 1:
            yield f"a take that cannot be: {name!r}"
        if take.rating is not None and not 1 <= take.rating <= 5:
            yield f"a rating of {take.rating}"
        if any(not order.brief.bars or order.seed < 0 for order in take.orders):
            yield f"a recipe without bars: {name!r}"
