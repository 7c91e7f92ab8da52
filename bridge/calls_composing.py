"""What stands behind the addresses that compose: a new session, a score, a refill, a take made again or held against another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bridge.calls import Json, bar_run, job_json, path_of, paths_of, session_json
from bridge.studio import Studio
from engines.errors import OptionError
from engines.session.keep import parse
from engines.session.listing import again_lines, compared_lines


def new(studio: Studio, path: str | None = None, **music: Any) -> Json:
    return session_json(studio.new(path_of(path), studio.wished(**_music(music))))


def score(studio: Studio, seed: int | None = None, path: str | None = None, **music: Any) -> Json:
    said = _music(music)
    provider, features = said.pop("provider", None), said.pop("features", None)
    if studio.is_open and path is None:
        if said:
            cure = "give a path for a new session, or choose the engine of a refill"
            raise OptionError(f"the session keeps its {', '.join(said)}", where="score", cure=cure)
        return job_json(studio.score(seed, provider, features=features))
    return job_json(studio.score(seed, provider, path_of(path), studio.wished(**said), features))


def _music(said: Mapping[str, Any]) -> dict[str, Any]:
    """How a session is composed, as `engines.scoring.Wishes` holds it; what was left open is not there."""
    from engines.verbs.reading import instruments

    out = {name: value for name, value in said.items() if value is not None}
    if "features" in out:
        out["features"] = paths_of(out["features"])
    if "instruments" in out:
        out["instruments"] = instruments(out["instruments"].split())
    return out


def refill(
    studio: Studio,
    scene: int,
    seed: int | None = None,
    bars: str | None = None,
    stems: str | None = None,
    keep: str | None = None,
    engine: str | None = None,
    mode: str | None = None,
    features: str | None = None,
    provider: str | None = None,
) -> Json:
    runs = [bar_run(word) for word in (bars or "").split()]
    kept = [parse(word) for word in (keep or "").split()]
    return job_json(studio.refill(scene, seed, runs, (stems or "").split(), kept, engine, mode, provider, paths_of(features)))


def again(studio: Studio, scene: int, take: int | None = None, provider: str | None = None, features: str | None = None) -> Json:
    session = studio.now.session
    session.take(session.span(scene).scene, take)  # one that there is not is told at once
    heard = paths_of(features) or ()
    name = f"Compose {'the take' if take is None else f'take {take}'} of scene {scene} again"
    return job_json(studio.jobs.begin(name, lambda watch: again_lines(session, scene, take, provider, watch, heard)[0]))


def compare(studio: Studio, scene: int, one: int, other: int) -> Json:
    return compared_lines(studio.now.session, scene, [one, other])[0]


COMPOSING: Mapping[str, Callable[..., Json]] = {
    "/hitpoint/new": new,
    "/hitpoint/score": score,
    "/hitpoint/scene/refill": refill,
    "/hitpoint/scene/again": again,
    "/hitpoint/takes/compare": compare,
}
