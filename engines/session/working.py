"""Acts on a session's file, as the command line and the wire do them: open, act, save, and bring the files beside it up to date."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from engines.commands import Conform
from engines.errors import OptionError
from engines.files import write
from engines.picture import cutlist
from engines.picture.cutlist import CutList
from engines.score.instruments import SHORTEST
from engines.score.notes import STEMS
from engines.score.report import Report
from engines.session.deliver import scenes_json, seam, write_cue
from engines.session.desk import Act, Desk
from engines.session.model import Session
from engines.session.plain import plain
from engines.session.recut import NewCut, Recut, previewed
from engines.session.sheet import NAMES
from engines.session.theme import spoken
from engines.session.told import said, seen, suggested_mood
from engines.watch import Watch


@dataclass(frozen=True)
class Done:
    """A session after some acts, the report of its MIDI file, the files by name, and the session as it was."""

    session: Session
    report: Report
    files: dict[str, Path]
    seconds: dict[str, float]
    before: Session | None = None


def look_at(path: Path) -> Desk:
    """A session to look at, whoever else has it open."""
    return Desk.open(path, read_only=True)


def act_on(path: Path, acts: Sequence[Act], watch: Watch) -> Done:
    """Does some acts to a session's file, all or none. Raises SessionError where another program has it open."""
    with Desk.open(path) as desk:
        before = desk.session
        for act in acts:
            desk.do(act, watch)
        return replace(updated(desk, watch), before=before)


def updated(desk: Desk, watch: Watch | None = None) -> Done:
    """Saves a session, and writes ``cue.mid`` and ``report.json`` beside it, named as the session is."""
    path = desk.save()
    files = {"session": path, "midi": path.with_suffix(".mid"), "report": path.with_name("report.json")}
    _, report = write_cue(desk.session, files["midi"])
    table = report.json() | {"scenes": scenes_json(desk.session)}
    write(files["report"], json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    return Done(desk.session, report, files, dict(watch.seconds) if watch else {})


def step_back(path: Path, count: int = 1) -> list[str]:
    """Takes back so many acts; their sentences, the last one first. Raises SessionError where there are fewer, and takes none back."""
    with Desk.open(path) as desk:
        done = [desk.undo().sentence for _ in range(count)]
        updated(desk)
    return done


def step_forth(path: Path, count: int = 1) -> list[str]:
    """Does so many acts again; their sentences. Raises SessionError where there are fewer, and does none."""
    with Desk.open(path) as desk:
        done = [desk.redo().sentence for _ in range(count)]
        updated(desk)
    return done


def refill_json(done: Done, number: int) -> dict[str, Any]:
    """What a refill did, as other programs read it. ``start_s`` and ``end_s`` are the bar lines between which it composed, or just
    beyond them, where a note on a bar line is played early: every note that begins outside is as it was."""
    span = done.session.span(number)
    _, take = done.session.take(span.scene)
    orders = take.orders
    first, last = orders[0].brief.bars[0], orders[-1].brief.bars[-1]
    beats = (span.start + first.start, span.start + last.start + last.length)
    touched = [note.start for note in set(done.session.notes) ^ set(done.before.notes if done.before else ())]
    low = min([beats[0], *touched])
    high = max([beats[1], *(start + SHORTEST for start in touched if start >= beats[1])])
    start, end = seam(done.session, done.files["midi"], (low, high))
    bars = [bar.index + 1 for bar in span.bars if beats[0] <= bar.start < beats[1]]
    fresh = [row for row in take.notes if take.base is None or row not in done.session.takes[take.base].notes]
    return {
        "scene": number,
        "bars": [bars[0], bars[-1]],
        "start_s": start,
        "end_s": end,
        "take": take.number,
        "seed": take.seed,
        "stems": [stem for stem in STEMS if any(stem in order.brief.stems for order in orders)],
        "notes": len(take.notes),
        "composed": len(fresh),
        **{key: take.facts.get(key) for key in ("engine", "model", "provider", "key", "form")},
        "summary": done.report.summary,
        "seconds": {stage: round(value, 3) for stage, value in done.seconds.items()},
        "files": {kind: str(path) for kind, path in done.files.items()},
    }


def refill_text(done: Done, number: int) -> str:
    """The same for a person."""
    told = refill_json(done, number)
    bars, old = f"{told['bars'][0]}-{told['bars'][1]}", told["notes"] - told["composed"]
    head = f"scene {number}, bars {bars}: take {told['take']}, seed {told['seed']}, {told['composed']} new notes, {old} kept"
    return "\n".join([head, done.report.text().splitlines()[-1], str(done.files["midi"])])


def new_cut(session: Session, cuts: Path | None, film: Path | None, rate: Fraction | None, watch: Watch) -> NewCut:
    """A new cut from its list, its film, or both. Raises CutListError, FilmError, and OptionError where neither is given."""
    if film is None:
        if cuts is None:
            raise OptionError("no new cut is given", where="conform", cure="add --cuts NEW.edl, or --film NEW.mov")
        listed = cutlist.read(cuts, rate, assume=session.film.rate)
        last = max((cut.frame for cut in listed.cuts), default=0)
        if listed.frames == last + 1 and session.programme.cuts:  # a table of cuts does not say where the film ends
            rest = session.programme.frames - max(cut.frame for cut in session.programme.cuts)
            watch.said.append(f"{cuts}: does not say where the film ends; its last shot is taken to last as long as before")
            listed = CutList.of_cuts(listed.cuts, listed.rate, last + rest, listed.start, listed.title)
        return NewCut(listed)
    from engines.picture.fingerprint import fingerprints
    from engines.picture.reel import Reel
    from engines.scoring import film_of, film_pictures

    with watch.stage("decode"):
        reel = Reel.open(film)
    programme, prints, seen = film_pictures(reel, watch, cuts, rate)
    if not prints and session.picture.prints:
        with watch.stage("shots") as progress:
            prints = fingerprints(reel, progress, watch.cancelled)
    return NewCut(programme, film_of(reel), prints or None, seen)


def conform_file(
    path: Path,
    cuts: Path | None,
    film: Path | None,
    rate: Fraction | None,
    watch: Watch,
    provider: str | None = None,
    dry: bool = False,
    refused: frozenset[int] = frozenset(),
) -> tuple[Recut, Done | None]:
    """Carries a session's file to a new cut, and says what became of it; ``dry`` only says it. ``refused`` are changes whose bars are
    left to be written by hand, see `engines.commands.Conform`."""
    with Desk.open(path, read_only=dry) as desk:
        before = desk.session
        new = new_cut(before, cuts, film, rate, watch)
        with watch.stage("match"):
            found = previewed(before, new, refused)
        if dry:
            return found, None
        desk.do(Conform(new, (film or cuts or path).name, provider, refused), watch)
        return found, updated(desk, watch)


def brief_json(session: Session) -> dict[str, Any]:
    """The brief of every bar: what the picture suggests, what the composer says, and what the engine is told."""
    briefing = seen(session)
    scenes = []
    for span in session.spans:
        rows = said(session, span, briefing)
        mood = suggested_mood(session, span)
        scenes.append(
            {
                "scene": span.number,
                "composer": _spoken(session, span.scene.id),
                "picture": {"mood": None if mood is None else NAMES[mood]},
                "bars": [
                    {
                        "bar": span.first + k,
                        "picture": _numbers(row.picture),
                        "composer": _spoken(session, f"{span.scene.id}/{k}"),
                        "brief": _numbers(row.brief),
                    }
                    for k, row in enumerate(rows, 1)
                ],
            }
        )
    return {"cue": session.cue, "key": session.key, "composer": _spoken(session, "cue"), "scenes": scenes}


def _spoken(session: Session, scope: str) -> dict[str, Any]:
    table = plain(spoken(session, session.told[scope])) if scope in session.told else {}
    return {name: value for name, value in table.items() if value is not None}


def _numbers(bar: Any) -> dict[str, Any]:
    return {name: getattr(bar, name) for name in ("density", "energy", "register", "chord")}
