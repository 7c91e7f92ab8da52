"""Scenes split and joined, their takes and the composer's words with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from engines.errors import OptionError
from engines.score.land import caught_at
from engines.session.keep import parse
from engines.session.lock import inside
from engines.session.model import Answer, Scene, SceneTake, Session, Span, Told, part
from engines.session.origins import whole_facts
from engines.session.theme import renamed


def split(session: Session, bar: int) -> Session:
    """A new scene from ``bar`` of the cue (from 1) on. Takes that fit are divided; their recipes answered the whole, and are gone.

    Raises OptionError for a bar beyond the cue, or at which a scene begins already.
    """
    span = session.span_of_bar(bar)
    here = bar - 1 - span.first
    if not here:
        raise OptionError(f"a scene begins at bar {bar} already", where="--split", cure="choose another bar")
    beat = span.bars[here].start - span.start
    many = len(span.bars)
    first = replace(span.scene, bars=here, keep=_held(span, 1, here), locked=inside(span.scene.locked, 1, here))
    second = Scene(session.fresh("s"), many - here, keep=_held(span, here + 1, many), bpm=span.scene.bpm)
    second = replace(second, locked=inside(span.scene.locked, here + 1, many))
    later = _later(session, span.start + beat)
    takes = dict(session.takes)
    for name, take in session.takes_of(span.scene).items():
        if session.fits(span, take):
            takes[name], after = _divided(replace(take, facts=whole_facts(session, take)), beat, second.id, later)
            other = replace(session, takes=takes).fresh("t")
            takes[other] = after
            if name == span.scene.chosen:
                second = replace(second, chosen=other)
    before = session.scenes[: span.number - 1]
    scenes = (*before, first, second, *session.scenes[span.number :])
    return replace(session, scenes=scenes, takes=takes, told=_parted(session.told, span.scene.id, here, second.id))


def join(session: Session, number: int) -> Session:
    """A scene and the next as one; what is heard of both is its new take. Raises OptionError where there is no next."""
    one, two = session.span(number), session.span(number + 1)
    bars = len(one.bars) + len(two.bars)
    keep = (*_everywhere(one, 0), *_everywhere(two, len(one.bars)))
    locked = (*one.scene.locked, *((a + len(one.bars), b + len(one.bars)) for a, b in two.scene.locked))
    scene = replace(one.scene, bars=bars, keep=keep, bpm=one.scene.bpm or two.scene.bpm, locked=locked)
    scenes = tuple(scene if s.id == scene.id else s for s in session.scenes if s.id != two.scene.id)
    told = renamed(_gathered(session.told, one, two), two.scene.id, one.scene.id)
    joined = replace(session, scenes=scenes, told=told)
    heard = [span for span in (one, two) if span.scene.chosen is not None]
    if not heard:
        return joined
    name = joined.fresh("t")
    take = _joined(session, one, heard, part(session.tempo_map, one.start, two.end))
    return replace(joined, takes={**joined.takes, name: take}).with_scene(replace(scene, chosen=name))


def _held(span: Span, first: int, last: int) -> tuple[str, ...]:
    """What a scene keeps of some of its bars, counted from the first of them."""
    parts = (parse(text).inside(first, last) for text in span.scene.keep)
    return tuple(str(word.moved(1 - first)) for word in parts if word is not None)


def _everywhere(span: Span, before: int) -> tuple[str, ...]:
    """What a scene keeps once it begins ``before`` bars later in another: a stem of all its bars is one of just these bars there."""
    words = (parse(text) for text in span.scene.keep)
    whole = (replace(word, bars=(1, len(span.bars))) if word.bars is None else word for word in words)
    return tuple(str(word.moved(before)) for word in whole)


def _later(session: Session, beat: Fraction) -> Callable[[Answer], bool]:
    """Whether an answer is to a hit from a beat of the cue on."""
    caught = {}
    for hit in session.hits:
        place = caught_at(hit, session.tempo_map)
        caught[hit.frame] = session.tempo_map.beat(hit.time) if place is None else place

    def late(answer: Answer) -> bool:
        place = caught.get(answer.frame)  # a sting, on its bar line, is in the frame that ends after it
        return session.tempo_map.beat((answer.frame + 1) / session.film.rate) > beat if place is None else place >= beat

    return late


def _divided(take: SceneTake, beat: Fraction, second: str, later: Callable[[Answer], bool]) -> tuple[SceneTake, SceneTake]:
    """A take before a beat, and from there on as one of another scene, which answers the hits that are ``later``."""
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
        answers=tuple(answer for answer in take.answers if not later(answer)),
        orders=(),
        base=None,
    )
    return first, replace(
        first,
        scene=second,
        tempo_map=part(take.tempo_map, beat, end),
        notes=tuple(row.moved(-beat) for row in take.notes if row.note.start >= beat),
        chords=tuple(late),
        answers=tuple(answer for answer in take.answers if later(answer)),
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
        facts={**parts[-1][1].facts, "parts": [whole_facts(session, take) for _, take in parts]},
        base=None,
        rating=None,
        remark="",
    )


_BY_BAR = ("density", "energy", "register", "avoid", "chords")
"""What can be said of a single bar."""


def _parted(told: Mapping[str, Told], scene: str, bars: int, second: str) -> dict[str, Told]:
    """The composer's words after a scene was split behind so many bars: those of the scene hold for both, those of a bar go with
    it; a sting is on the first beat of the first part, and a round of chords goes on."""
    out: dict[str, Told] = {}
    for name, word in told.items():
        owner, _, bar = name.partition("/")
        if owner == scene and bar and int(bar) > bars:
            out[f"{second}/{int(bar) - bars}"] = word
        else:
            out[name] = word
            own = second if word.theme == scene else word.theme
            after = replace(word, sting=None, chords=_turned(word.chords, bars), theme=own)
            if name == scene and not after.silent:
                out[second] = after
    return out


def _turned(chords: tuple[str, ...] | None, bars: int) -> tuple[str, ...] | None:
    """A round of chords as it is after so many bars."""
    return chords and (*chords[bars % len(chords) :], *chords[: bars % len(chords)])


def _gathered(told: Mapping[str, Told], one: Span, two: Span) -> dict[str, Told]:
    """The composer's words after two scenes were joined: what both say alike is said of the whole, all else of the bars for which
    it was said. Mood, key, theme, metre and tempo can only be said of a scene: they are the first's."""
    first, second = (told.get(span.scene.id, Told()) for span in (one, two))
    after = replace(second, chords=_turned(second.chords, -len(one.bars)))
    apart = [name for name in _BY_BAR if getattr(first, name) != getattr(after, name)]
    out = {name: word for name, word in told.items() if name.partition("/")[0] not in (one.scene.id, two.scene.id)}
    out[one.scene.id] = replace(first, **dict.fromkeys(apart))
    for span, wide, before in ((one, first, 0), (two, second, len(one.bars))):
        for k in range(len(span.bars)):
            words = {name: getattr(wide, name) for name in apart}
            if words.get("chords"):
                words["chords"] = (wide.chords or ())[k % len(wide.chords or ()) :][:1]
            if span is two and not k:
                words["sting"] = wide.sting
            out[f"{one.scene.id}/{before + k + 1}"] = told.get(f"{span.scene.id}/{k + 1}", Told()).over(Told(**words))
    return {name: word for name, word in out.items() if not word.silent}
