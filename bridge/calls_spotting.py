"""What stands behind the addresses of hits and tempo maps of a session at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from bridge.calls import Json, bar_run, job_json, scenes_of
from bridge.sitting import Acted
from bridge.studio import Studio
from engines.commands import Lock
from engines.session.marks import AddHit, DropHit, FollowHits, MoveHit, WeighHit
from engines.session.model import Session


def hits(studio: Studio) -> Json:
    return {"hits": _hits(studio.now.session)}


def _hits(session: Session) -> list[Json]:
    return [
        {
            "frame": hit.frame,
            "time_s": round(float(hit.time), 6),
            "timecode": str(session.start + hit.frame),
            "weight": hit.weight,
            "hard": hit.hard,
            "label": hit.label,
        }
        for hit in session.hits
    ]


def _done(acted: Acted) -> Json:
    return {"sentence": acted.sentence, "hits": _hits(acted.session)}


def add(studio: Studio, frame: int, label: str | None = None) -> Json:
    return _done(studio.act(AddHit(frame, label)))


def move(studio: Studio, frame: int, to: int) -> Json:
    return _done(studio.act(MoveHit(frame, to)))


def weigh(
    studio: Studio,
    frame: int,
    weight: float | None = None,
    hard: bool | None = None,
    early: float | None = None,
    late: float | None = None,
    label: str | None = None,
) -> Json:
    sooner, later = (None if frames is None else Fraction(str(frames)) for frames in (early, late))
    return _done(studio.act(WeighHit(frame, weight, hard, sooner, later, label)))


def drop(studio: Studio, frame: int) -> Json:
    return _done(studio.act(DropHit(frame)))


def follow(studio: Studio, scene: int) -> Json:
    return scenes_of(studio.act(FollowHits(scene)))


def spot_again(studio: Studio) -> Json:
    return job_json(studio.spot_again())


def use_map(studio: Studio, map: int) -> Json:
    return scenes_of(studio.use_map(map))


def lock(studio: Studio, bars: str, locked: bool | None = None) -> Json:
    return {"sentence": studio.act(Lock(bar_run(bars), locked is not False)).sentence}


SPOTTING: Mapping[str, Callable[..., Json]] = {
    "/hitpoint/hits": hits,
    "/hitpoint/hit/add": add,
    "/hitpoint/hit/move": move,
    "/hitpoint/hit/weigh": weigh,
    "/hitpoint/hit/drop": drop,
    "/hitpoint/scene/follow": follow,
    "/hitpoint/cue/spot": spot_again,
    "/hitpoint/cue/map": use_map,
    "/hitpoint/lock": lock,
}
