"""What stands behind the addresses of a DAW's project and of its transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from bridge.calls import Json, job_json, numbers, path_of
from bridge.calls_outside import at_of, said_of
from bridge.studio import Studio


def about(studio: Studio) -> Json:
    neighbours = studio.neighbours
    return {**neighbours.about, "follows": neighbours.daw, "drives": neighbours.drives}


def project(
    studio: Studio,
    daw: str | None = None,
    at: str | None = None,
    project: str | None = None,
    cue_tempo: bool | None = None,
    midi: str | None = None,
) -> Json:
    studio.neighbours.lie(daw, at_of(studio, at), path_of(project), cue_tempo, midi)
    return about(studio)


def play(studio: Studio, daw: str | None = None, port: int | None = None, midi: str | None = None) -> Json:
    return job_json(studio.neighbours.go(daw, None, True, port, midi))


def stop(studio: Studio, daw: str | None = None, port: int | None = None, midi: str | None = None) -> Json:
    return job_json(studio.neighbours.go(daw, None, False, port, midi))


def locate(studio: Studio, seconds: float, daw: str | None = None, port: int | None = None, midi: str | None = None) -> Json:
    exact = Fraction(seconds).limit_denominator(1_000_000)
    return job_json(studio.neighbours.go(daw, exact, None, port, midi))


def markers(
    studio: Studio,
    daw: str | None = None,
    mark: bool | None = None,
    at: str | None = None,
    folder: str | None = None,
    project: str | None = None,
    port: int | None = None,
    only: str | None = None,
    weight: float | None = None,
    region_ends: bool | None = None,
) -> Json:
    said, chosen, ends = said_of(studio, daw, at, project), numbers(only), bool(region_ends)
    wished = bool(mark) or bool(chosen)
    return job_json(studio.neighbours.markers(daw, wished, chosen, weight, port, path_of(folder), said, ends))


DAW: Mapping[str, Callable[..., Json]] = {
    "/hitpoint/daw": about,
    "/hitpoint/daw/project": project,
    "/hitpoint/markers": markers,
    "/hitpoint/daw/play": play,
    "/hitpoint/daw/stop": stop,
    "/hitpoint/daw/locate": locate,
}
