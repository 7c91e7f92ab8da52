"""What stands behind every address: one function each, from the studio and checked arguments to a JSON value.

The OSC server and the HTTP routes call these and nothing else, so that both can do the same. They raise the errors of
`engines.errors`; then nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bridge.addresses import BY_ADDRESS
from bridge.doctor import Diagnosis
from bridge.driving import Went
from bridge.events import OpenSession
from bridge.jobs import Job
from bridge.marking import Marked
from bridge.placing import Placement
from bridge.sitting import Acted
from bridge.studio import Offer, OpenFilm, Studio
from engines import __version__, files
from engines.commands import Delete, Hold, Join, Remark, Split, Title, scope_of
from engines.errors import OptionError
from engines.picture.timecode import parse_rate
from engines.scoring import Spotted, Wishes, shots_json
from engines.session.deliver import scenes_json, write_cue
from engines.session.delivery import Delivery
from engines.session.desk import holder
from engines.session.listing import history_json, takes_json
from engines.session.model import Session
from engines.session.plain import plain
from engines.session.remap import Maps
from engines.session.sheet import tempo_of, told_of
from engines.session.theme import spoken
from engines.session.working import brief_json
from engines.spotting.hits import override_from_text
from engines.spotting.solve import MAX_BEND, TEMPO, exact
from engines.spotting.tempo import Metre

Json = dict[str, Any]


def answer(studio: Studio, address: str, given: Mapping[str, Any]) -> Json:
    """Does what an address asks, with arguments by name. Raises OptionError for an address or an argument that cannot be."""
    row, call = BY_ADDRESS.get(address), calls().get(address)
    if row is None or call is None:
        raise OptionError("there is no such address", where=address, cure="python main.py serve --addresses lists them")
    return call(studio, **row.values(given))


def calls() -> Mapping[str, Callable[..., Json]]:
    """What stands behind each address."""
    from bridge.calls_composing import COMPOSING
    from bridge.calls_daw import DAW
    from bridge.calls_files import FILES
    from bridge.calls_outside import OUTSIDE
    from bridge.calls_spotting import SPOTTING

    return {**CALLS, **COMPOSING, **SPOTTING, **OUTSIDE, **FILES, **DAW}


def ping(studio: Studio) -> Json:
    film = None if studio.film is None else str(studio.film.reel.path)
    return {"hitpoint": __version__, "session": str(studio.now.path) if studio.is_open else None, "film": film}


def session(studio: Studio) -> Json:
    return session_json(studio.now)


def session_json(now: OpenSession) -> Json:
    """The open session, in short."""
    value = now.session
    return {
        "session": str(now.path),
        "read_only": now.read_only,
        "held_by": (holder(now.path) or None) if now.read_only else None,
        "cue": value.cue,
        "film": {"path": value.film.path, "frames": value.film.frames, "rate": str(value.film.rate), "start": str(value.start)},
        "engine": value.engine,
        "mode": value.mode,
        "key": value.key,
        "map": {"kind": value.map.kind, "tempo_bpm": float(value.map.bpm)},
        "bars": len(value.bars),
        "notes": len(value.notes),
        "scenes": scenes_json(value),
    }


def takes(studio: Studio, scene: int | None = None) -> Json:
    return {"scenes": takes_json(studio.shown, scene)}


def brief(studio: Studio) -> Json:
    return brief_json(studio.shown)


def history(studio: Studio) -> Json:
    return history_json(studio.now.history)


def report(studio: Studio) -> Json:
    with TemporaryDirectory() as folder:  # of the file as it would be written now, whatever lies beside the session
        return write_cue(studio.now.session, Path(folder) / "cue.mid")[1].json()


def film(studio: Studio) -> Json:
    return _film(studio.film)


def _film(opened: OpenFilm | None) -> Json:
    if opened is None:
        return {"film": None}
    table = shots_json(opened.programme, opened.reel.path)
    table |= {"session": None if opened.session is None else str(opened.session)}
    return table if opened.spotted is None else table | _candidates(opened.spotted)


def _candidates(spotted: Spotted) -> Json:
    return {"candidates": [candidate.json() for candidate in spotted.candidates]}


def jobs(studio: Studio) -> Json:
    return {"jobs": [reading.json() for reading in studio.jobs.readings()]}


def job(studio: Studio, job: int) -> Json:
    return job_json(studio.jobs.job(job))


def job_json(work: Job[Any]) -> Json:
    """A job, and what came of it if it is done."""
    reading = work.reading
    return reading.json() | ({"result": result_json(work.result(0))} if reading.state == "done" and not work.forgotten else {})


def result_json(value: object) -> Json:
    """What came of a job, as other programs read it."""
    from bridge.calibrating import Calibrated  # the player with all its ports, which few jobs need

    if isinstance(value, Acted):
        return acted_json(value)
    if isinstance(value, Spotted):
        return _candidates(value)
    if isinstance(value, Maps):
        return {"candidates": [candidate.json() for candidate in value.all]}
    if isinstance(value, OpenFilm):
        return _film(value)
    if isinstance(value, Offer):
        return {"name": value.name, **value.recut.json()}
    if isinstance(value, dict):
        return (
            {"files": {name: str(path) for name, path in value.items()}}
            if all(isinstance(p, Path) for p in value.values())
            else value
        )
    return value.json() if isinstance(value, Diagnosis | Placement | Delivery | Marked | Calibrated | Went) else {}


def acted_json(acted: Acted) -> Json:
    """What an act did: the scenes that sound otherwise, and the take of each that is heard now."""
    rows = [row for row in scenes_json(acted.session) if row["scene"] in acted.scenes]
    return {"sentence": acted.sentence, "scenes": rows, "said": list(acted.said)}


def open_any(studio: Studio, path: str, cuts: str | None = None, rate: str | None = None) -> Json:
    where = whole(path)
    if where.suffix.lower() == ".hitpoint":
        return session_json(studio.open_session(where))
    return job_json(studio.open_film(where, path_of(cuts), None if rate is None else parse_rate(rate)))


def spot(
    studio: Studio,
    tempo: str | None = None,
    max_bend: float | None = None,
    metres: str | None = None,
    subdivision: int | None = None,
    hits: str | None = None,
) -> Json:
    try:
        wishes = Wishes(
            tempo=TEMPO if tempo is None else tempo_of(tempo),
            max_bend=MAX_BEND if max_bend is None else exact(max_bend),
            metres=tuple(Metre.parse(word) for word in (metres or "4/4").split()),
            subdivision=subdivision or 1,
            overrides=tuple(override_from_text(word) for word in (hits or "").split()),
        )
    except ValueError as error:
        raise OptionError(f"{error} is not understood", where="spot", cure="write a tempo 70-140, metres 4/4 7/8") from error
    return job_json(studio.spot(wishes))


def choose_map(studio: Studio, map: int) -> Json:
    return _candidates(studio.choose_map(map))


def bar_run(text: str) -> tuple[int, int]:
    """Bars from ``5`` or ``5-8``. Raises OptionError."""
    first, _, last = text.partition("-")
    ends = first, last or first
    if not all(end.isdecimal() and len(end) < 7 for end in ends) or not 1 <= int(ends[0]) <= int(ends[1]):
        raise OptionError(f"{text!r} are no bars", where="bars", cure="write 5 or 5-8")
    return int(ends[0]), int(ends[1])


def choose(studio: Studio, scene: int, take: int) -> Json:
    return _takes_of(studio.choose(scene, take or None), scene)


def rate(studio: Studio, scene: int, rating: int, take: int | None = None) -> Json:
    return _takes_of(studio.act(Remark(scene, take, rating=rating)), scene)


def remark(studio: Studio, scene: int, name: str | None = None, remark: str | None = None, take: int | None = None) -> Json:
    return _takes_of(studio.act(Remark(scene, take, name, remark=remark)), scene)


def keep(studio: Studio, scene: int, keep: str | None = None) -> Json:
    return _takes_of(studio.act(Hold(scene, tuple((keep or "").split()))), scene)


def delete(studio: Studio, scene: int, take: int) -> Json:
    return _takes_of(studio.act(Delete(scene, take)), scene)


def _takes_of(acted: Acted, scene: int) -> Json:
    return {"sentence": acted.sentence, **takes_json(acted.session, scene)[0]}


def name(studio: Studio, scene: int, name: str | None = None) -> Json:
    return scenes_of(studio.act(Title(name or "", scene)))


def join(studio: Studio, scene: int) -> Json:
    return scenes_of(studio.act(Join(scene)))


def split(studio: Studio, bar: int) -> Json:
    return scenes_of(studio.act(Split(bar)))


def scenes_of(acted: Acted) -> Json:
    """What an act did, and the scenes after it."""
    return {"sentence": acted.sentence, "scenes": scenes_json(acted.session)}


def tell(studio: Studio, setting: str, value: str | None = None, scene: int | None = None, bar: int | None = None) -> Json:
    said = told_of({setting: _value(setting, value)})
    acted = studio.tell(said, scene, bar, () if value is not None else (setting,))
    return {"sentence": acted.sentence, "told": _told(acted.session, scene, bar)}


def _value(setting: str, text: str | None) -> Any:
    """A text as the brief sheet would hold it: numbers and truths are no texts there."""
    if text in ("true", "false"):
        return text == "true"
    if text is None or setting not in ("density", "energy", "register", "sting"):
        return text
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text  # told_of says what is wrong with it


def _told(value: Session, scene: int | None, bar: int | None) -> Json:
    table = plain(spoken(value, value.told[scope])) if (scope := scope_of(value, scene, bar)) in value.told else {}
    return {name: word for name, word in table.items() if word is not None}


def numbers(text: str | None) -> list[int]:
    """Numbers by spaces. Raises OptionError."""
    words = (text or "").split()
    if not all(word.isdecimal() and len(word) < 7 for word in words):
        raise OptionError(f"{text!r} are no numbers", cure="write their numbers with spaces: 1 3")
    return [int(word) for word in words]


def undo(studio: Studio) -> Json:
    return {"undone": studio.undo().sentence}


def redo(studio: Studio) -> Json:
    return {"redone": studio.redo().sentence}


def save(studio: Studio, path: str | None = None) -> Json:
    return {"session": str(studio.save(path_of(path)))}


def close(studio: Studio, film: bool | None = None) -> Json:
    studio.close_session()
    if film:
        studio.close_film()
    return {"session": None, "film": None if studio.film is None else str(studio.film.reel.path)}


def look_at_cut(studio: Studio, cuts: str | None = None, film: str | None = None, rate: str | None = None) -> Json:
    return job_json(studio.look_at_cut(path_of(cuts), path_of(film), None if rate is None else parse_rate(rate)))


def conform(studio: Studio, refused: str | None = None, provider: str | None = None) -> Json:
    return job_json(studio.conform(provider, numbers(refused)))


def cancel(studio: Studio, job: int) -> Json:
    work = studio.jobs.job(job)
    work.cancel()
    return work.reading.json()


def cancel_all(studio: Studio) -> Json:
    studio.jobs.cancel_all()
    return jobs(studio)


def whole(text: str) -> Path:
    """A path that a client gave: absolute, since nobody on the wire knows where the server was started. Raises OptionError."""
    path = Path(text)
    if "\0" in text or not path.is_absolute():
        raise OptionError("is no absolute path", where=text[:80], cure="give the whole path, from the root or the drive")
    files.spelled(path)  # what is found there is told to others, and written into sessions
    return path


def path_of(text: str | None) -> Path | None:
    """The same for one that may be left open."""
    return None if text is None else whole(text)


def paths_of(text: str | None) -> tuple[Path, ...] | None:
    """Several with ; between them; ``none`` for none at all, None where it is left open."""
    if text is None:
        return None
    return () if text.strip() == "none" else tuple(whole(word.strip()) for word in text.split(";") if word.strip())


CALLS: Mapping[str, Callable[..., Json]] = {
    "/hitpoint/ping": ping,
    "/hitpoint/session": session,
    "/hitpoint/takes": takes,
    "/hitpoint/brief": brief,
    "/hitpoint/history": history,
    "/hitpoint/report": report,
    "/hitpoint/film": film,
    "/hitpoint/jobs": jobs,
    "/hitpoint/job": job,
    "/hitpoint/open": open_any,
    "/hitpoint/spot": spot,
    "/hitpoint/map": choose_map,
    "/hitpoint/scene/take": choose,
    "/hitpoint/scene/rate": rate,
    "/hitpoint/scene/remark": remark,
    "/hitpoint/scene/name": name,
    "/hitpoint/scene/keep": keep,
    "/hitpoint/scene/delete": delete,
    "/hitpoint/scene/join": join,
    "/hitpoint/split": split,
    "/hitpoint/tell": tell,
    "/hitpoint/undo": undo,
    "/hitpoint/redo": redo,
    "/hitpoint/save": save,
    "/hitpoint/close": close,
    "/hitpoint/conform/look": look_at_cut,
    "/hitpoint/conform": conform,
    "/hitpoint/job/cancel": cancel,
    "/hitpoint/jobs/cancel": cancel_all,
}
