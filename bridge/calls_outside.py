"""What stands behind the addresses that reach beyond the session: files handed over and read, the transport, DAWs, the doctor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bridge.calls import Json, job_json, numbers, path_of, session_json, whole
from bridge.daw import Address
from bridge.neighbours import Said, known
from bridge.places import Place
from bridge.playback import inlets_of, lead_of, routes_of, status_json
from bridge.studio import Studio
from engines.commands import Relink, TellAll, Title
from engines.errors import HitpointError, OptionError
from engines.session.editor import sheet_from
from engines.session.film import find_film
from engines.session.sheet import read_sheet, sheet_text
from engines.session.working import brief_json


def place(
    studio: Studio,
    daw: str | None = None,
    scenes: str | None = None,
    at: str | None = None,
    folder: str | None = None,
    project: str | None = None,
    port: int | None = None,
) -> Json:
    neighbours, name = studio.neighbours, daw or "folder"
    said = said_of(studio, None if name == "folder" else name, at, project)
    lies = said(neighbours.project)
    where = neighbours.address(name, port, path_of(folder), project=lies)
    return job_json(studio.place(name, numbers(scenes), lies.zero, where, said))


def at_of(studio: Studio, at: str | None) -> Place | None:
    """Where the film lies in a project, as a client writes it."""
    return None if at is None else Place.in_project(at, studio.now.session.start)


def said_of(studio: Studio, daw: str | None, at: str | None, project: str | None = None, cue_tempo: bool | None = None) -> Said:
    """What a client says of the DAW's project beside what it asks for: kept only once that is done."""
    name, place, file = known(daw), at_of(studio, at), path_of(project)
    return lambda kept: kept.but(name, place, file, cue_tempo)


def deliver(studio: Studio, folder: str, stems: bool | None = None, takes: bool | None = None, scenes: str | None = None) -> Json:
    return job_json(studio.deliver(whole(folder), bool(stems), bool(takes), numbers(scenes)))


def cuesheet(studio: Studio) -> Json:
    from engines.session.cue_sheet import cue_sheet
    from engines.session.cue_sheet_text import sheet_json

    return sheet_json(cue_sheet(studio.shown))


def brief_sheet(studio: Studio) -> Json:
    return {"sheet": sheet_text(studio.shown)}


def read_brief(studio: Studio, path: str) -> Json:
    file = whole(path)
    told = read_sheet(studio.shown, sheet_from(file), file)
    return brief_json(studio.act(TellAll(told)).session)


def relink(studio: Studio, path: str | None = None, other: bool | None = None) -> Json:
    now = studio.now
    found = path_of(path) or find_film(now.session, now.path)
    if path is not None or found.resolve() != Path(now.session.film.path):
        studio.act(Relink(found, bool(other)))
    return session_json(studio.now)


def name(studio: Studio, name: str) -> Json:
    studio.act(Title(name))
    return session_json(studio.now)


def doctor(
    studio: Studio,
    daws: str | None = None,
    listen: float | None = None,
    folder: str | None = None,
    project: str | None = None,
    port: int | None = None,
) -> Json:
    where = Address(path_of(folder), path_of(project), port=port)
    return job_json(studio.doctor((daws or "").split(), 1.0 if listen is None else listen, where))


def transport(studio: Studio) -> Json:
    return status_json(studio.playback.status)


def obeyed(studio: Studio) -> Json:
    """As `transport`, once the player has done what it was told."""
    return status_json(studio.playback.obeyed())


def play(studio: Studio) -> Json:
    studio.playback.play()
    return obeyed(studio)


def stop(studio: Studio) -> Json:
    studio.playback.stop()
    return obeyed(studio)


def locate(studio: Studio, seconds: float) -> Json:
    studio.playback.locate(seconds)
    return obeyed(studio)


def loop(studio: Studio, start: float | None = None, end: float | None = None) -> Json:
    studio.playback.loop(start, end)
    return obeyed(studio)


def speed(studio: Studio, speed: float) -> Json:
    studio.playback.vary(speed)
    return obeyed(studio)


def follow(studio: Studio, source: str | None = None, at: str | None = None) -> Json:
    status = studio.playback.status
    known = () if status is None else tuple(standing.source for standing in status.standings)
    if source is not None and source not in known:
        cure = f"choose from: {', '.join(known)}" if known else "leave it open: whoever is heard first leads"
        raise OptionError(f"nothing is heard from {source[:80]!r}", where="source", cure=cure)
    place = at_of(studio, at)
    studio.playback.follow(source)
    if place is not None:
        studio.neighbours.lie(at=place)
    return obeyed(studio)


def follow_daw(
    studio: Studio, daw: str | None = None, at: str | None = None, port: int | None = None, cue_tempo: bool | None = None
) -> Json:
    neighbours = studio.neighbours
    if daw is None:
        neighbours.leave_daw()
    elif not studio.is_open:
        neighbours.follow(daw, neighbours.address(daw, port))
    else:
        said = said_of(studio, daw, at, None, cue_tempo)
        neighbours.follow(daw, neighbours.address(daw, port, project=said(neighbours.project)))
        try:
            neighbours.keep(said)
        except HitpointError:
            neighbours.leave_daw()
            raise
    return neighbours.json()


def watch_cuts(studio: Studio, cuts: str | None = None, off: bool | None = None) -> Json:
    if off:
        studio.neighbours.leave_cuts()
    else:
        studio.neighbours.watch(path_of(cuts))
    return studio.neighbours.json()


def panic(studio: Studio) -> Json:
    studio.playback.panic()
    return obeyed(studio)


def ports(
    studio: Studio,
    out: str | None = None,
    sync: str | None = None,
    send_timecode: str | None = None,
    send_clock: str | None = None,
) -> Json:
    given = {"timecode": send_timecode, "clock": send_clock}
    sends = {what: lead_of(text, what) for what, text in given.items() if text is not None}
    studio.playback.open(routes_of(out or ""), None if sync is None else inlets_of(sync))
    if sends:
        studio.playback.lead(**sends)
    return obeyed(studio)


OUTSIDE: Mapping[str, Callable[..., Json]] = {
    "/hitpoint/place": place,
    "/hitpoint/deliver": deliver,
    "/hitpoint/cuesheet": cuesheet,
    "/hitpoint/brief/sheet": brief_sheet,
    "/hitpoint/brief/read": read_brief,
    "/hitpoint/relink": relink,
    "/hitpoint/name": name,
    "/hitpoint/doctor": doctor,
    "/hitpoint/transport": transport,
    "/hitpoint/transport/play": play,
    "/hitpoint/transport/stop": stop,
    "/hitpoint/transport/locate": locate,
    "/hitpoint/transport/loop": loop,
    "/hitpoint/transport/speed": speed,
    "/hitpoint/transport/follow": follow,
    "/hitpoint/transport/daw": follow_daw,
    "/hitpoint/conform/watch": watch_cuts,
    "/hitpoint/transport/panic": panic,
    "/hitpoint/transport/ports": ports,
}
