"""Another tempo map for a session: the candidates that there are, and what becomes of scenes and takes when one is chosen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from engines.errors import SpottingError
from engines.session.keep import parse
from engines.session.lock import as_runs, locked_bars, own_pulse, standing_bars
from engines.session.model import ChosenMap, Limits, Scene, SceneTake, Session, Span, Told
from engines.spotting.candidates import Candidate, same_to_the_ear, worth_a_look
from engines.spotting.locked import Rules, Standing, around, standing
from engines.watch import Watch


@dataclass(frozen=True)
class Maps:
    """Tempo maps for a session within ``limits``: the one ``in_use``, priced like the others, and the ``candidates``, best first."""

    in_use: Candidate
    candidates: tuple[Candidate, ...]
    limits: Limits

    @property
    def all(self) -> tuple[Candidate, ...]:
        """The one in use, then the candidates that anybody could tell from it."""
        return (self.in_use, *(c for c in self.candidates if not same_to_the_ear(c, self.in_use)))


def spotted_again(session: Session, watch: Watch, limits: Limits | None = None) -> Maps:
    """Tempo maps for the cue as its hits are now; ``limits`` None are the session's, under what the composer says of the whole cue.

    Locked bars, and scenes whose metre or tempo the composer set, stay as they are in every candidate. Raises the errors of the
    solver.
    """
    with watch.stage("solve"):
        limits, word = limits or session.limits, session.told.get("cue", Told())
        metres = (word.metre,) if word.metre else limits.metres
        free = not any(own_pulse(session, span) for span in session.spans)
        rules = Rules(word.tempo or limits.tempo, limits.max_bend, metres, limits.subdivision, free)
        cue = Standing(session.tempo_map, len(session.bars), session.map.bpm, session.film.duration)
        found = worth_a_look(around(cue, standing_bars(session), session.hits, rules))
        found = [replace(one, around_locked=bool(locked_bars(session))) for one in found]
        return Maps(standing(cue, session.map.kind, session.hits, rules), tuple(found), limits)


def remapped(session: Session, found: Candidate, limits: Limits | None = None) -> Session:
    """The session on another tempo map.

    Every scene begins at the bar line nearest to where it began. Where its bars are the very same, all its takes go on to fit.
    Where only their tempo is another, what is heard is carried: a new take with the same notes on the same beats, marked as
    carried, without a recipe. Where it has other bars it is silent until it is refilled; its takes stay, and fit again when the
    map is taken back. Raises SpottingError for a map that moves a locked bar, or has fewer bars than there are scenes.
    """
    chosen = ChosenMap(found.name, found.tempo_map, found.tempo_bpm, found.cost)
    bare = replace(session, map=chosen, limits=limits or session.limits)
    lines = [bare.tempo_map.seconds(bar.start) for bar in bare.bars]
    firsts = _firsts(session, lines)
    sizes = [after - before for before, after in zip(firsts, [*firsts[1:], len(lines)], strict=True)]
    scenes = tuple(replace(span.scene, bars=size, locked=()) for span, size in zip(session.spans, sizes, strict=True))
    bare = replace(bare, scenes=scenes, told=_told(session, lines, firsts))
    bare = _shut(session, bare, lines)
    takes = dict(session.takes)
    for old, new in zip(session.spans, bare.spans, strict=True):
        scene, take = _heard(session, bare, old, new)
        if take is not None:
            name = replace(bare, takes=takes).fresh("t")
            takes[name] = take
            scene = replace(scene, chosen=name)
        bare = bare.with_scene(_own(session, old, scene, len(new.bars)))
    return replace(bare, takes=takes)


def _firsts(session: Session, lines: Sequence[Fraction]) -> list[int]:
    """The first bar of each scene among the new bar lines."""
    many = len(session.spans)
    if len(lines) < many:
        raise SpottingError(
            f"the map has {len(lines)} bars for {many} scenes", where="tempo map", cure="join scenes first, or choose another map"
        )
    firsts = [0]
    for number, span in enumerate(session.spans[1:], 1):
        at = bisect_left(lines, span.seconds[0])
        near = min((k for k in (at - 1, at) if 0 <= k < len(lines)), key=lambda k: abs(lines[k] - span.seconds[0]))
        firsts.append(min(max(near, firsts[-1] + 1), len(lines) - many + number))
    return firsts


def _shut(session: Session, bare: Session, lines: Sequence[Fraction]) -> Session:
    """The same bars locked as before, found by their time. Raises SpottingError where one is no longer there as it was."""
    places = {time: k for k, time in enumerate(lines)}
    old = session.bars
    here: set[int] = set()
    for bar in locked_bars(session):
        at = places.get(session.tempo_map.seconds(old[bar].start))
        if at is None or not _alike(session, bar, bare, at):
            raise SpottingError(f"bar {bar + 1} is locked", where="tempo map", cure="unlock it, or spot the cue again")
        here.add(at)
    for span in bare.spans:
        mine = as_runs(bar - span.first + 1 for bar in here if span.first <= bar < span.first + len(span.bars))
        if mine:
            bare = bare.with_scene(replace(span.scene, locked=mine))
    return bare


def _alike(one: Session, bar: int, other: Session, at: int) -> bool:
    """Whether two bars are beat for beat the same; the film may end in the last one."""
    a, b = one.bars[bar], other.bars[at]
    if a.metre != b.metre:
        return False
    beats = [a.metre.length * k / 16 for k in range(17)]
    return all(one.tempo_map.seconds(a.start + beat) == other.tempo_map.seconds(b.start + beat) for beat in beats)


def _heard(session: Session, bare: Session, old: Span, new: Span) -> tuple[Scene, SceneTake | None]:
    """The scene on its new bars with the take that is heard, or with one that is carried and has no name yet."""
    scene, heard = new.scene, old.scene.chosen
    if heard is None or bare.fits(new, session.takes[heard]):
        return scene, None
    known = session.takes_of(old.scene)
    name: str | None = heard
    while name is not None and name in known:  # a take from which it was carried may have been made for just these bars
        if bare.fits(new, known[name]):
            return replace(scene, chosen=name), None
        name = known[name].base
    take, last = session.takes[heard], old.number == len(session.scenes)
    metres = [bar.metre for bar in old.bars], [bar.metre for bar in new.bars]
    if metres[0] == metres[1] or (last and all(a == b for a, b in zip(*metres, strict=False))):
        return scene, _carried(bare, new, take, heard, max(t.number for t in known.values()) + 1)
    return replace(scene, chosen=None), None


def _carried(bare: Session, new: Span, take: SceneTake, name: str, number: int) -> SceneTake:
    """A take's notes on the same beats of other tempi; what the film no longer has room for is left out."""
    end = new.end - new.start
    return replace(
        take,
        number=number,
        tempo_map=bare.part(new),
        orders=(),
        facts={**take.facts, "carried_from": take.number},
        notes=tuple(row for row in take.notes if row.note.start < end),
        chords=tuple(change for change in take.chords if change[0] < end),
        answers=(),  # other beats catch the hits now: the report reads them from the notes
        base=name,
        rating=None,
    )


def _own(session: Session, old: Span, scene: Scene, bars: int) -> Scene:
    """What is the scene's own: its tempo where the composer set it, and what it holds of the bars that it still has."""
    words = (parse(text).inside(1, bars) for text in scene.keep)
    keep = tuple(str(word) for word in words if word is not None)
    return replace(scene, keep=keep, bpm=scene.bpm if own_pulse(session, old) else None)


def _told(session: Session, lines: Sequence[Fraction], firsts: Sequence[int]) -> dict[str, Told]:
    """The composer's words: those of a bar are said of the bar in which its middle lies now; the earlier of two words holds."""
    out = {scope: word for scope, word in session.told.items() if "/" not in scope}
    for span, first, after in zip(session.spans, firsts, [*firsts[1:], len(lines)], strict=True):
        for k, bar in enumerate(span.bars, 1):
            word = session.told.get(f"{span.scene.id}/{k}")
            if word is not None:
                middle = session.tempo_map.seconds((bar.start + bar.end) / 2)
                at = min(max(bisect_left(lines, middle) - 1, first), after - 1)
                scope = f"{span.scene.id}/{at - first + 1}"
                out[scope] = out.get(scope, Told()).over(word)
    return out
