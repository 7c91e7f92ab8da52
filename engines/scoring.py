"""The main job, end to end: a film or a cut list in, a cue that lands on its cuts out, with the proof beside it."""

from __future__ import annotations

import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from engines import files
from engines.engine import load_engine
from engines.errors import OptionError
from engines.files import folder, write
from engines.picture import cutlist, motion
from engines.picture.cut import Cut
from engines.picture.cutlist import CutList
from engines.picture.damage import Damage
from engines.picture.reel import Reel
from engines.picture.timecode import Timecode
from engines.runtime import choose
from engines.score.instruments import Instrument
from engines.score.preview import Synthesiser
from engines.score.report import Report, file_report
from engines.score.smf import Score, cut_markers, read_smf, write_smf
from engines.session.deliver import scenes_json, write_cue
from engines.session.desk import Desk
from engines.session.heard import feature_files
from engines.session.model import ChosenMap, Film, Limits, Picture, Scene, Session, Told
from engines.session.picture import packed
from engines.session.refill import Wish, refilled
from engines.session.scenes import default_scenes
from engines.session.theme import in_turn
from engines.session.told import seen as briefing_of
from engines.spotting.brief import key_name, mood_number
from engines.spotting.candidates import Candidate, worth_a_look
from engines.spotting.click import click
from engines.spotting.hits import Hit, Override, hits_from_cuts
from engines.spotting.solve import MAX_BEND, TEMPO, exact, solve
from engines.spotting.tempo import Metre
from engines.watch import Watch

if TYPE_CHECKING:
    from av import VideoFrame

    from engines.picture.motion import Motion

    Each = Callable[[int, VideoFrame], None]


@dataclass(frozen=True)
class Wishes:
    """What the composer asks for; None and empty leave it to the picture or the engine.

    ``mode`` is the engine's (bmt: strict or official), ``formula`` who maps the picture to density (ours, cmt, bmt). ``features`` are
    files of what the film looks like, for an engine that hears them. ``candidate`` chooses a tempo map by kind (steady, bend, ramp,
    odd bar) instead of the cheapest. ``performance`` 0..1 is how far dynamics and timing are shaped. ``instruments`` by stem.
    """

    engine: str = "bmt"
    mode: str | None = None
    formula: str = "ours"
    provider: str | None = None
    features: tuple[Path, ...] = ()
    tempo: tuple[Fraction | float, Fraction | float] = TEMPO
    max_bend: Fraction | float = MAX_BEND
    metres: tuple[Metre, ...] = (Metre(),)
    subdivision: int = 1
    candidate: str | None = None
    mood: int | None = None
    density: int | None = None
    energy: float | None = None
    key: str | None = None
    seed: int = 1
    performance: float = 0.5
    overrides: tuple[Override, ...] = ()
    instruments: Mapping[str, Instrument] = field(default_factory=dict)


@dataclass(frozen=True)
class Spotted:
    """A picture with its hits and the tempo maps that were found for them, the chosen one first."""

    programme: CutList
    hits: tuple[Hit, ...]
    candidates: tuple[Candidate, ...]

    @property
    def chosen(self) -> Candidate:
        """The tempo map in use."""
        return self.candidates[0]


@dataclass(frozen=True)
class Cue:
    """A scored cue: what was spotted, the session with everything composed, the report of the written file, and where it lies."""

    spotted: Spotted
    session: Session
    report: Report
    files: dict[str, Path]
    seconds: dict[str, float]
    provider_said: str

    def text(self) -> str:
        """What a composer wants to know: the tempo map, the scenes, the hit report, and where the files are."""
        chosen = self.spotted.chosen
        head = (
            f"{chosen.name}, {float(chosen.tempo_bpm):.2f} BPM, bends at most {chosen.max_bend_percent:.2f} %: "
            f"{chosen.hits_on_beat} of {chosen.hits_total} hits on beats, {len(self.session.scenes)} scenes, "
            f"{len(self.session.bars)} bars, {len(self.session.notes)} notes"
        )
        places = "\n".join(f"{name.replace('_', ' '):14} {path}" for name, path in self.files.items())
        return f"{head}\n\n{self.report.text()}\n\n{places}"

    def json(self) -> dict[str, object]:
        """The report as other programs read it, with what made the cue."""
        chosen, session = self.spotted.chosen, self.session
        facts = session.take(session.scenes[0])[1].facts
        return self.report.json() | {
            "engine": facts["engine"],
            "model": facts["model"],
            "provider": facts["provider"],
            "seed": session.seed,
            "key": session.key,
            "candidate": chosen.name,
            "tempo_bpm": float(chosen.tempo_bpm),
            "bars": len(session.bars),
            "scenes": scenes_json(session),
            "notes": len(session.notes),
            "seconds": {name: round(value, 3) for name, value in self.seconds.items()},
            "files": {name: str(path) for name, path in self.files.items()},
        }


def film_cuts(
    reel: Reel,
    watch: Watch,
    cut_list: Path | None = None,
    rate: Fraction | None = None,
    each: Each | None = None,
) -> tuple[CutList, bytes]:
    """The film's cuts: from its editor's list where there is one, else from its pixels; then with the film's fingerprints.

    ``each`` is shown every frame that is decoded for it, with its index: none where there is a list. Frames that are damaged are told
    of. Raises FilmError, or CutListError where the list is broken or does not fit the film.
    """
    with watch.stage("shots") as progress:
        if cut_list is not None:
            listed = cutlist.read(cut_list, rate, assume=reel.rate)
            programme = listed.on_film(reel.rate, reel.start_timecode, reel.frames, reel.timing)
            if lost := len(listed.markers) - len(programme.markers):
                marks = "a marker lies" if lost == 1 else f"{lost} markers lie"
                watch.said.append(f"{cut_list}: {marks} outside the film and {'is' if lost == 1 else 'are'} left out")
            return programme, b""
        from engines.picture import shots
        from engines.picture.fingerprint import Fingerprints

        prints, damage = Fingerprints(reel), Damage(reel)
        found = shots.cuts(reel, progress, watch.cancelled, prints.add, _both(damage.see, each))
        watch.said += damage.said()
        return CutList.of_cuts(found, reel.rate, reel.frames, reel.start_timecode, reel.path.name), prints.whole()


def film_pictures(
    reel: Reel, watch: Watch, cut_list: Path | None = None, rate: Fraction | None = None
) -> tuple[CutList, bytes, Motion]:
    """The same, and what moves and shines: in one pass over the film. Raises as `film_cuts`."""
    meter = motion.FilmMeter(reel)
    programme, prints = film_cuts(reel, watch, cut_list, rate, meter.see)
    with watch.stage("picture") as progress:
        if cut_list is None:
            return programme, prints, meter.motion(programme.cuts)
        damage = Damage(reel)
        seen = motion.measure(reel, programme.cuts, progress, watch.cancelled, damage.see)
        watch.said += damage.said(programme.start)
    return programme, prints, seen


def _both(one: Each, other: Each | None) -> Each:
    def see(index: int, frame: VideoFrame) -> None:
        one(index, frame)
        if other is not None:
            other(index, frame)

    return see


def programme_hits(programme: CutList, duration: Fraction, overrides: Sequence[Override] = ()) -> tuple[Hit, ...]:
    """Hits of a programme: its cuts, then the editor's markers as full hits, then the composer's word on any of them."""
    marked = tuple(
        Override(m.frame, weight=1.0, hard=True, label=m.name) for m in programme.markers if 0 < m.frame < programme.frames
    )
    for word in overrides:
        if word.frame >= programme.frames:
            raise OptionError(
                f"frame {word.frame} lies beyond the film's {programme.frames} frames", where="--hit", cure="frames count from 0"
            )
    return hits_from_cuts(programme.cuts, programme.rate, duration, (*marked, *overrides))


def spot(programme: CutList, wishes: Wishes, watch: Watch, duration: Fraction | None = None) -> Spotted:
    """Hits and tempo maps for a programme. Raises SpottingError, or OptionError where the kind asked for was not found."""
    with watch.stage("solve"):
        end = duration or programme.frames / programme.rate
        hits = programme_hits(programme, end, wishes.overrides)
        candidates = solve(hits, end, wishes.tempo, wishes.max_bend, wishes.metres, wishes.subdivision)
        if wishes.candidate is not None:
            preferred = [c for c in candidates if c.name == wishes.candidate]
            if not preferred:
                kinds = ", ".join(dict.fromkeys(c.name for c in candidates))
                raise OptionError(
                    f"no tempo map of kind {wishes.candidate!r}", where="--candidate", cure=f"choose one of: {kinds}"
                )
            candidates = [preferred[0], *(c for c in candidates if c is not preferred[0])]
        return Spotted(programme, hits, tuple(worth_a_look(candidates)))


def score_film(
    film: str | Path,
    out: str | Path,
    wishes: Wishes = Wishes(),
    cut_list: Path | None = None,
    rate: Fraction | None = None,
    watch: Watch | None = None,
) -> Cue:
    """Scores a film into the folder ``out``: ``cue.mid``, ``report.json``, ``cue.hitpoint``; each file whole or not there.

    A session that is there already is kept under another name. Raises the errors of `engines.errors`; Cancelled leaves no file
    behind.
    """
    watch = watch or Watch()
    began = time.perf_counter()
    # what is missing is said before a long film is read
    load_engine(wishes.engine, wishes.provider, wishes.mode, wishes.features)
    files.may_hold(out)
    with watch.stage("decode"):
        reel = Reel.open(film)
        duration = reel.duration
    programme, prints, seen = film_pictures(reel, watch, cut_list, rate)
    spotted = spot(programme, wishes, watch, duration)
    session = composed(first_session(reel, spotted, seen, wishes, prints), wishes, watch)
    cue = finish(session, spotted, wishes, Path(out), watch)
    cue.seconds["total"] = time.perf_counter() - began
    write(cue.files["report"], _json(cue.json()))
    return cue


def first_session(reel: Reel, spotted: Spotted, seen: Motion, wishes: Wishes, prints: bytes = b"") -> Session:
    """A session as it is before anything is composed: spotted, divided into scenes, with the composer's words."""
    chosen = spotted.chosen
    table = packed(seen, directograms=wishes.formula != "ours")
    told = Told(
        density=wishes.density,
        energy=wishes.energy,
        mood=None if wishes.mood is None else mood_number(wishes.mood),
        key=None if wishes.key is None else key_name(wishes.key),
    )
    session = Session(
        film=film_of(reel),
        programme=spotted.programme,
        limits=Limits(tuple(map(exact, wishes.tempo)), exact(wishes.max_bend), wishes.metres, wishes.subdivision),  # type: ignore[arg-type]
        overrides=wishes.overrides,
        hits=spotted.hits,
        map=ChosenMap(chosen.name, chosen.tempo_map, chosen.tempo_bpm, chosen.cost),
        engine=wishes.engine,
        mode=wishes.mode,
        formula=wishes.formula,
        seed=wishes.seed,
        performance=wishes.performance,
        scenes=(),
        told={} if told.silent else {"cue": told},
        instruments=wishes.instruments,
        picture=Picture(table, b64encode(prints).decode("ascii")),
        features=feature_files(wishes.features),
    )
    suggested = briefing_of(session).suggested
    sizes = default_scenes(session.bars, session.tempo_map, session.hits, suggested.bars if suggested else None)
    return replace(session, scenes=tuple(Scene(f"s{number}", bars) for number, bars in enumerate(sizes, 1)))


def film_of(reel: Reel) -> Film:
    """A film as a session remembers it."""
    return Film(files.spelled(reel.path), reel.digest, reel.path.stat().st_size, reel.rate, reel.frames, reel.duration)


def composed(session: Session, wishes: Wishes, watch: Watch) -> Session:
    """The session with a first take of every scene, in order, each hearing the one before it; whose theme is taken up comes first."""
    bars, done = len(session.bars), 0
    for span in in_turn(session):
        wish = Wish(span.number, seed=wishes.seed + span.number - 1)
        session, _ = refilled(session, wish, watch.part(done, len(span.bars), bars), wishes.provider)
        done += len(span.bars)
    return session


def finish(session: Session, spotted: Spotted, wishes: Wishes, out: Path, watch: Watch) -> Cue:
    """Writes a cue's files, and reports on the MIDI file as it lies on the disk."""
    with watch.stage("write"):
        folder(out)
        paths = {"midi": out / "cue.mid", "report": out / "report.json", "session": out / "cue.hitpoint"}
        with Desk.new(session, paths["session"]) as desk:
            desk.save()
            if desk.spared is not None:
                watch.said.append(f"{paths['session']}: the session that lay there is {desk.spared.name} now")
            _, report = write_cue(session, paths["midi"])
    return Cue(spotted, session, report, paths, watch.seconds, choose(wishes.provider).said)


def _json(value: object) -> str:
    import json

    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def preview(
    cue: Cue, film: Path, watch: Watch, mix: float = 0.3, soundfont: Path | None = None, synthesiser: Synthesiser = "sampler"
) -> Cue:
    """The cue with ``preview.wav`` (the music alone) and ``preview.mp4`` (muxed onto the picture) beside its other files."""
    from engines.picture.mux import mux
    from engines.score.preview import render

    folder = cue.files["midi"].parent
    paths = {"preview_audio": folder / "preview.wav", "preview": folder / "preview.mp4"}
    with watch.stage("render"):
        reel = Reel.open(film)
        render(cue.files["midi"], paths["preview_audio"], reel.duration, soundfont, synthesiser)
    with watch.stage("mux") as progress:
        mux(reel, paths["preview_audio"], paths["preview"], mix, progress, watch.cancelled)
    seen = replace(
        cue,
        files=cue.files | paths,
        seconds=watch.seconds | {"total": cue.seconds["total"] + watch.seconds["render"] + watch.seconds["mux"]},
    )
    write(seen.files["report"], _json(seen.json()))
    return seen


def midi_report(midi: Path, cuts: Path, film: Path | None = None, rate: Fraction | None = None) -> Report:
    """The hit report of anybody's MIDI file against a cut list, on the film's clock where a film is given."""
    smf = read_smf(midi)
    if film is not None:
        reel = Reel.open(film)
        programme = cutlist.read(cuts, rate, assume=reel.rate).on_film(reel.rate, reel.start_timecode, reel.frames, reel.timing)
    else:
        programme = cutlist.read(cuts, rate)
    hits = programme_hits(programme, programme.frames / programme.rate)
    return file_report(smf, hits, programme.rate, programme.start)


def write_click(path: Path, candidate: Candidate, programme: CutList) -> Path:
    """A click track of a tempo map as a MIDI file, with the cuts as markers."""
    notes = click(candidate.tempo_map, candidate.end)
    markers = cut_markers(programme.cuts, programme.start)
    return write_smf(
        path, Score(candidate.tempo_map, notes, "click", markers=markers, start=programme.start, length=candidate.end)
    )


def shots_json(programme: CutList, film: Path) -> dict[str, object]:
    """Cuts as other programs read them."""
    return {
        "film": str(film),
        "rate": f"{programme.rate.numerator}/{programme.rate.denominator}",
        "frames": programme.frames,
        "duration_s": round(float(programme.frames / programme.rate), 6),
        "start": str(programme.start),
        "cuts": [
            {
                "frame": cut.frame,
                "time_s": round(float(cut.time), 6),
                "kind": cut.kind,
                "confidence": round(cut.confidence, 3),
                "length": cut.length,
            }
            for cut in programme.cuts
        ],
    }


def cut_lines(cuts: Sequence[Cut], start: Timecode) -> str:
    """Cuts as a person reads them, one a line."""
    rows = [
        f"{start + cut.frame}  frame {cut.frame:>7}  {float(cut.time):10.3f} s  {cut.kind:8}  {100 * cut.confidence:3.0f} %"
        for cut in cuts
    ]
    return "\n".join(rows) or "no cuts"


def candidate_lines(candidates: Sequence[Candidate]) -> str:
    """Tempo maps as a composer compares them, the best first."""
    rows = ["kind      tempo    bends   on beats  downbeats  odd bars  worst miss     price"]
    rows += [
        f"{c.name:8} {float(c.tempo_bpm):6.2f} {c.max_bend_percent:6.2f} % {c.hits_on_beat:>4} of {c.hits_total:<4}"
        f"{c.hits_on_downbeat:>6} {c.odd_bars:>10} {c.max_error_ms:>8.0f} ms {c.cost:>9.2f}"
        for c in candidates
    ]
    return "\n".join(rows)
