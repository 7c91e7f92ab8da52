"""What stands behind the addresses that write files, read other people's, and measure ports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from bridge.calls import Json, job_json, path_of, paths_of, whole
from bridge.opened import OpenFilm
from bridge.studio import OUTSIDE, PICTURE, Studio
from engines.engine import MOODS
from engines.errors import OptionError
from engines.picture.cutlist import CutList
from engines.picture.timecode import parse_rate
from engines.session.sheet import sheet_text, tempo_of
from engines.spotting.tempo import Metre
from engines.watch import Watch


def demo(studio: Studio, folder: str) -> Json:
    from engines import files
    from engines.picture.demo_film import make_demo_film

    path = whole(folder) / "demo.mp4"

    def work(watch: Watch) -> OpenFilm:
        files.folder(path.parent)
        with watch.stage("film") as told:
            make_demo_film(path, told)
        return studio.read_film(path, watch)

    return job_json(studio.jobs.begin("Make the demo film", work, PICTURE))


def preview(
    studio: Studio,
    folder: str | None = None,
    mix: float | None = None,
    soundfont: str | None = None,
    synthesiser: str | None = None,
) -> Json:
    from engines.session.film import find_film
    from engines.session.shown import shown

    now, sounded = studio.now, synthesiser or "sampler"
    if sounded not in ("sampler", "fluidsynth"):
        raise OptionError(f"no synthesiser is named {sounded[:40]!r}", where="preview", cure="choose sampler or fluidsynth")
    out, film = path_of(folder) or now.path.parent, find_film(now.session, now.path)
    level = 0.3 if mix is None else mix

    def work(watch: Watch) -> dict[str, Path]:
        return shown(now.session, film, out, watch, level, path_of(soundfont), sounded)  # type: ignore[arg-type]  # one of the two

    return job_json(studio.jobs.begin("Render a preview", work, OUTSIDE))


def _programme(studio: Studio) -> CutList:
    """The cuts of the open session, else of the open film."""
    if studio.is_open or studio.film is None:
        return studio.now.session.programme
    return studio.film.programme


def write_cuts(studio: Studio, path: str) -> Json:
    from engines.picture import cutlist

    file = whole(path)
    cutlist.write(_programme(studio), file)
    return {"file": str(file)}


def write_click(studio: Studio, path: str) -> Json:
    from engines.session.clicked import write_click as written

    return {"file": str(written(studio.shown, whole(path)))}


def write_cue_sheet(studio: Studio, csv: str | None = None, spotting: str | None = None, html: str | None = None) -> Json:
    from engines.files import write
    from engines.session.cue_sheet import cue_sheet
    from engines.session.cue_sheet_csv import cue_csv, hit_csv
    from engines.session.cue_sheet_page import page

    sheet = cue_sheet(studio.shown)
    wanted = [(whole(path), content) for path, content in ((csv, cue_csv), (spotting, hit_csv), (html, page)) if path]
    if not wanted:
        raise OptionError("no file is named", where="cuesheet", cure="give csv, spotting or html")
    return {"files": [str(write(path, content(sheet))) for path, content in wanted]}


def write_brief(studio: Studio, path: str) -> Json:
    from engines.files import write

    return {"file": str(write(whole(path), sheet_text(studio.shown)))}


def midi_report(studio: Studio, midi: str, cuts: str | None = None, film: str | None = None, rate: str | None = None) -> Json:
    from engines.score.report import file_report
    from engines.score.smf import read_smf
    from engines.scoring import midi_report as of_files

    if cuts is not None:
        return of_files(whole(midi), whole(cuts), path_of(film), None if rate is None else parse_rate(rate)).json()
    session = studio.shown
    return file_report(read_smf(whole(midi)), session.hits, session.film.rate, session.start).json()


def sketch(studio: Studio, folder: str, **said: Any) -> Json:
    from engines.score.harmony import chord_names
    from engines.sketch import Sketch, sketches

    low, high = tempo_of(said["tempo"]) if said.get("tempo") else (Fraction(100), Fraction(100))
    mood = said.get("mood")
    if mood is not None and mood not in MOODS:
        raise OptionError(f"{mood[:40]!r} is no mood", where="mood", cure=f"choose from {', '.join(MOODS)}")
    try:
        metre = Metre.parse(said.get("metre") or "4/4")
    except ValueError as error:
        raise OptionError(str(error), where="metre", cure="write 4/4, 3/4 or 7/8") from error
    plan = Sketch(
        said.get("bars") or 8,
        (low + high) / 2,
        metre,
        MOODS.get(mood or ""),
        said.get("density"),
        said.get("energy"),
        said.get("pitch"),
        said.get("key"),
        chord_names(said.get("chords") or ""),
    )
    shaped = said.get("performance")
    out, count, engine = whole(folder), said.get("count") or 1, said.get("engine") or "bmt"
    seed = 1 if said.get("seed") is None else said["seed"]
    heard = paths_of(said.get("features")) or ()

    def work(watch: Watch) -> dict[str, Path]:
        with watch.stage("compose") as told:
            amount = 0.5 if shaped is None else shaped
            made = sketches(plan, out, count, seed, engine, said.get("provider"), amount, told, watch.cancelled, heard)
        return {path.stem: path for path in made}

    return job_json(studio.jobs.begin(f"Sketch into {out.name}", work))


def ports(studio: Studio) -> Json:
    from bridge.hush import hushed
    from bridge.ports import names

    with hushed():
        found = names()
    return {
        "systems": {
            name: {"fault": seen} if isinstance(seen, str) else {"in": seen[0], "out": seen[1]} for name, seen in found.items()
        }
    }


def kept_latencies(studio: Studio) -> Json:
    from bridge.player.latencies import latencies

    return latencies().json()


def set_latency(studio: Studio, ms: float, port: str | None = None, stem: str | None = None) -> Json:
    from bridge.calibrating import told

    one = told(ms, port, stem)
    studio.playback.renew()
    return one.json()


def forget_latency(studio: Studio, port: str) -> Json:
    from bridge.player.latencies import forget

    said = forget(port).said
    studio.playback.renew()
    return kept_latencies(studio) | {"said": said}


def calibrate(
    studio: Studio,
    out: str | None = None,
    into: str | None = None,
    midi: str | None = None,
    expected: str | None = None,
    at: str | None = None,
    rate: str | None = None,
    dry: bool | None = None,
    anyway: bool | None = None,
) -> Json:
    from bridge.calibrating import RETURN, Aim, Calibrated, Recording, calibrated

    aim = Aim.of(out or "auto")
    recording = Recording.of(path_of(midi), path_of(expected), at, None if rate is None else parse_rate(rate))

    def work(watch: Watch) -> Calibrated:
        done = calibrated(aim, into or RETURN, recording, not dry, bool(anyway))
        studio.playback.renew()
        return done

    return job_json(studio.jobs.begin(f"Calibrate {out or 'auto'}", work, OUTSIDE))


FILES: Mapping[str, Callable[..., Json]] = {
    "/hitpoint/demo": demo,
    "/hitpoint/preview": preview,
    "/hitpoint/cuts/write": write_cuts,
    "/hitpoint/click/write": write_click,
    "/hitpoint/cuesheet/write": write_cue_sheet,
    "/hitpoint/brief/write": write_brief,
    "/hitpoint/report/midi": midi_report,
    "/hitpoint/sketch": sketch,
    "/hitpoint/ports": ports,
    "/hitpoint/latencies": kept_latencies,
    "/hitpoint/latencies/set": set_latency,
    "/hitpoint/latencies/forget": forget_latency,
    "/hitpoint/calibrate": calibrate,
}
