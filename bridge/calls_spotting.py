"""What stands behind the addresses of hits and tempo maps of a session at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from bridge.calls import Json, bar_run, job_json, scenes_of
from bridge.sitting import Acted
from bridge.studio import Studio
from engines.commands import Lock
from engines.errors import OptionError
from engines.session.hit_listing import hits_json
from engines.session.marks import AddHit, DropHit, FollowHits, MoveHit, WeighHit
from engines.session.model import Limits
from engines.session.sheet import tempo_of
from engines.spotting.solve import exact
from engines.spotting.tempo import Metre


def hits(studio: Studio) -> Json:
    return {"hits": hits_json(studio.shown)}


def _done(acted: Acted) -> Json:
    return {"sentence": acted.sentence, "hits": hits_json(acted.session)}


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


def spot_again(
    studio: Studio,
    tempo: str | None = None,
    max_bend: float | None = None,
    metres: str | None = None,
    subdivision: int | None = None,
) -> Json:
    now = studio.now.session.limits
    try:
        limits = Limits(
            now.tempo if tempo is None else tempo_of(tempo),
            now.max_bend if max_bend is None else exact(max_bend),
            tuple(Metre.parse(word) for word in (metres or "").split()) or now.metres,
            subdivision or now.subdivision,
        )
    except ValueError as error:
        raise OptionError(f"{error} is not understood", where="spot", cure="write a tempo 70-140, metres 4/4 7/8") from error
    return job_json(studio.spot_again(limits))


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
