"""Scenes split and joined, their takes and the composer's words with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from engines.errors import OptionError
from engines.session.model import Scene, SceneTake, Session, Span, Told, part


def split(session: Session, bar: int) -> Session:
    """A new scene from ``bar`` of the cue (from 1) on. Takes that fit are divided; their recipes answered the whole, and are gone.

    Raises OptionError for a bar beyond the cue, or at which a scene begins already.
    """
    span = session.span_of_bar(bar)
    here = bar - 1 - span.first
    if not here:
        raise OptionError(f"a scene begins at bar {bar} already", where="--split", cure="choose another bar")
    beat, second = span.bars[here].start - span.start, Scene(session.fresh("s"), len(span.bars) - here)
    takes = dict(session.takes)
    for name, take in session.takes_of(span.scene).items():
        if session.fits(span, take):
            takes[name], after = _divided(take, beat, second.id)
            other = replace(session, takes=takes).fresh("t")
            takes[other] = after
            if name == span.scene.chosen:
                second = replace(second, chosen=other)
    before = session.scenes[: span.number - 1]
    scenes = (*before, replace(span.scene, bars=here), second, *session.scenes[span.number :])
    return replace(session, scenes=scenes, takes=takes, told=_parted(session.told, span.scene.id, here, second.id))


def join(session: Session, number: int) -> Session:
    """A scene and the next as one; what is heard of both is its new take. Raises OptionError where there is no next."""
    one, two = session.span(number), session.span(number + 1)
    scene = replace(one.scene, bars=len(one.bars) + len(two.bars), keep=(*one.scene.keep, *two.scene.keep))
    scenes = tuple(scene if s.id == scene.id else s for s in session.scenes if s.id != two.scene.id)
    joined = replace(session, scenes=scenes, told=_gathered(session.told, one, two))
    heard = [span for span in (one, two) if span.scene.chosen is not None]
    if not heard:
        return joined
    name = joined.fresh("t")
    take = _joined(session, one, heard, part(session.tempo_map, one.start, two.end))
    return replace(joined, takes={**joined.takes, name: take}).with_scene(replace(scene, chosen=name))


def _divided(take: SceneTake, beat: Fraction, second: str) -> tuple[SceneTake, SceneTake]:
    """A take before a beat, and from there on as one of another scene."""
    end = sum((metre.length for metre in take.tempo_map.metres), Fraction(0))
    early = [change for change in take.chords if change[0] < beat]
    late = [(place - beat, chord) for place, chord in take.chords if place >= beat]
    if early and (not late or late[0][0] > 0):
        late.insert(0, (Fraction(0), early[-1][1]))
    first = replace(
        take,
        tempo_map=part(take.tempo_map, Fraction(0), beat),
        notes=tuple(row for row in take.notes if row.note.start < beat),
        chords=tuple(early),
        orders=(),
    )
    return first, replace(
        first,
        scene=second,
        tempo_map=part(take.tempo_map, beat, end),
        notes=tuple(row.moved(-beat) for row in take.notes if row.note.start >= beat),
        chords=tuple(late),
        base=None,
    )


def _joined(session: Session, one: Span, heard: list[Span], tempo_map: object) -> SceneTake:
    """The chosen takes of two scenes as one take of the first."""
    parts = [(span.start - one.start, session.takes[span.scene.chosen or ""]) for span in heard]
    rows = (row.moved(by) for by, take in parts for row in take.notes)
    return replace(
        parts[-1][1],
        scene=one.scene.id,
        number=max((take.number for take in session.takes_of(one.scene).values()), default=0) + 1,
        name="",
        tempo_map=tempo_map,  # type: ignore[arg-type]
        orders=(),
        notes=tuple(sorted(rows, key=lambda row: (row.note, row.played))),
        chords=tuple((place + by, chord) for by, take in parts for place, chord in take.chords),
        answers=tuple(answer for _, take in parts for answer in take.answers),
        base=None,
        rating=None,
        remark="",
    )


def _parted(told: Mapping[str, Told], scene: str, bars: int, second: str) -> dict[str, Told]:
    """The composer's words after a scene was split behind so many bars: those of the scene hold for both, those of a bar go with
    it; a sting is on the first beat of the first part."""
    out: dict[str, Told] = {}
    for name, word in told.items():
        owner, _, bar = name.partition("/")
        if owner == scene and bar and int(bar) > bars:
            out[f"{second}/{int(bar) - bars}"] = word
        else:
            out[name] = word
            if name == scene and not (after := replace(word, sting=None)).silent:
                out[second] = after
    return out


def _gathered(told: Mapping[str, Told], one: Span, two: Span) -> dict[str, Told]:
    """The composer's words after two scenes were joined: those of the second hold for its bars, where they differ."""
    owner, wide = two.scene.id, told.get(two.scene.id, Told())
    first = told.get(one.scene.id, Told())
    out = {name: word for name, word in told.items() if name.partition("/")[0] != owner}
    for k in range(1, len(two.bars) + 1):
        word = told.get(f"{owner}/{k}", Told()).over(replace(wide, sting=wide.sting if k == 1 else None))
        if replace(word, sting=None) == replace(first, sting=None):
            word = Told(sting=word.sting)
        if not word.silent:
            out[f"{one.scene.id}/{len(one.bars) + k}"] = replace(word, metre=None, tempo=None)
    return out
