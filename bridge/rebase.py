"""What was composed on a session as it was, put onto the session as it is now: the composer may go on working meanwhile."""

from __future__ import annotations

from dataclasses import replace

from engines.commands import Conform, FollowHits, Refill, Score
from engines.errors import SessionError
from engines.session.desk import Act
from engines.session.model import Scene, SceneTake, Session, Span


def aimed(act: Act, asked: Session, now: Session) -> Act:
    """The act as it was meant on the session on which it was ``asked`` for, if it begins when that is another already: what is for a
    scene goes for the one that had its number then, wherever that is. Raises SessionError where that is gone, or has other bars, and
    where a conform refuses changes of another cut than the session has now."""
    if now is asked:
        return act
    if isinstance(act, Conform) and act.refused and asked.programme != now.programme:
        cure = "look at the new cut again, and choose again what is refused"
        raise SessionError(
            "the picture was changed meanwhile, and with it the numbers of the changes", where=act.sentence, cure=cure
        )
    if isinstance(act, FollowHits):
        scene = asked.span(act.scene).scene.id
        return FollowHits(_there(act, now, scene).number)
    if not isinstance(act, Refill):
        return act
    wish, span = act.wish, asked.span(act.wish.scene)
    there = _there(act, now, span.scene.id)
    if len(there.bars) != len(span.bars):
        raise SessionError("the scene was given other bars while it waited", where=act.sentence, cure="refill it again")
    later = there.first - span.first
    bars = None if wish.bars is None else tuple((first + later, last + later) for first, last in wish.bars)
    keep = tuple(word.moved(later) for word in wish.keep)
    return replace(act, wish=replace(wish, scene=there.number, bars=bars, keep=keep))


def _there(act: Act, now: Session, scene: str) -> Span:
    """Where the scene of an id lies now."""
    found = next((span for span in now.spans if span.scene.id == scene), None)
    if found is None:
        raise SessionError("the scene is no more", where=act.sentence, cure="choose one that is there")
    return found


def adds(act: Act) -> bool:
    """Whether what an act makes is takes, which `rebased` puts onto another session. Whatever else is long is done again on it."""
    return isinstance(act, Refill | Score)


def rebased(act: Act, base: Session, after: Session, now: Session) -> tuple[Session, list[str]]:
    """The session ``now`` with the takes that ``act`` added to ``base`` (``after``), and what the composer should know of it, a line
    each.

    New takes of a scene that still has its bars are added. They are chosen if nobody chose or held anything in that scene since;
    else the composer's later word stands, and the take waits among the others. Raises SessionError, and nothing changes, where no
    new take fits any more.
    """
    if now is base:
        return after, []
    said, added = [], 0
    for name, take in after.takes.items():
        if name in base.takes:
            continue
        number = next((span.number for span in now.spans if span.scene.id == take.scene), None)
        if number is None or not now.fits(now.span(number), take):
            said.append("a scene has other bars than when its take was begun; the take is left out")
            continue
        added += 1
        chosen = _scene(after, take).chosen == name and _alike(_scene(base, take), _scene(now, take))
        now = _with(now, base, take, chosen)
        if not chosen:
            said.append(f"scene {number} was changed while its take was composed; the take is there, and not chosen")
    if not added:
        cure = "compose it again"
        raise SessionError("the scene was given other bars while its take was composed", where=act.sentence, cure=cure)
    features = now.features if after.features == base.features else after.features  # those that were given hold from now on
    return replace(now, key=now.key or after.key, features=features), said


def _scene(session: Session, take: SceneTake) -> Scene:
    return next(scene for scene in session.scenes if scene.id == take.scene)


def _alike(one: Scene, other: Scene) -> bool:
    """Whether a scene is the same but for its name."""
    return replace(one, name="") == replace(other, name="")


def _with(now: Session, base: Session, take: SceneTake, chosen: bool) -> Session:
    """One more take, under an id and a number that are free now."""
    name, scene = now.fresh("t"), _scene(now, take)
    numbers = [other.number for other in now.takes_of(scene).values()]
    origin = take.base if take.base and now.takes.get(take.base) == base.takes.get(take.base) else None
    take = replace(take, number=max(numbers, default=0) + 1, base=origin)
    now = replace(now, takes={**now.takes, name: take})
    return now.with_scene(replace(scene, chosen=name)) if chosen else now
