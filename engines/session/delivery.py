"""The delivery: one folder with all that a composer hands over of a cue, and a list by which a later delivery knows its own files."""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engines import files
from engines.picture.cutlist import CutList, Marker
from engines.picture.cutlist import text_of as cut_list
from engines.score.smf import Score, smf_bytes
from engines.session.cue_sheet import CueSheet, cue_sheet
from engines.session.cue_sheet_csv import cue_csv, hit_csv, marker_csv
from engines.session.cue_sheet_page import page
from engines.session.deliver import score_of
from engines.session.delivery_names import Names, safe
from engines.session.ledger import Ledger
from engines.session.model import SceneTake, Session, Span
from engines.session.rights import rights
from engines.session.rights_text import rights_text
from engines.spotting.tempo import TempoMap
from engines.watch import Watch


@dataclass(frozen=True)
class Delivery:
    """What was handed over: the files by what they are, and names of older files of this cue that were left as they are."""

    folder: Path
    files: dict[str, Path]
    older: tuple[str, ...]
    sheet: CueSheet
    rights: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {
            "folder": str(self.folder),
            "files": {kind: str(path) for kind, path in self.files.items()},
            "older": list(self.older),
            "models": self.rights["models"],
            "summary": self.sheet.report.summary,
        }

    def text(self) -> str:
        """As a person reads it."""
        wide = max(len(kind) for kind in self.files)
        lines = [f"{kind:{wide}}  {path}" for kind, path in self.files.items()]
        lines += [f"{name} is from an earlier delivery of this cue; this one did not renew it" for name in self.older]
        return "\n".join([*lines, "", self.sheet.report.text().splitlines()[-1]])


def deliver(
    session: Session,
    out: str | Path,
    *,
    stems: bool = False,
    takes: bool = False,
    scenes: Iterable[int] = (),
    watch: Watch | None = None,
) -> Delivery:
    """Hands a cue over into the folder ``out``, with a file a stem, and with every take of every scene, or of ``scenes``.

    Everything is made before anything is written, and files take their places only when all of them lie beside these, whole: a
    full disk leaves an earlier delivery as it was. Files of an earlier delivery of the same cue are replaced; a file that is
    none, or that was changed since, is never touched. Raises OutputError for such a one, OptionError for a scene that there is
    not, and as `smf_bytes`.
    """
    watch, pairs = watch or Watch(), _takes(session, scenes) if takes else []
    sheet, card = cue_sheet(session), rights(session, pairs)
    names = Names("-".join(map(safe, (sheet.production, sheet.number or sheet.title))))
    whole = score_of(session)
    scores = {"midi": (".mid", whole)}
    scores |= {f"stem {stem}": (f"-{stem}.mid", replace(whole, stems=(stem,))) for stem in (whole.tracks if stems else ())}
    for span, take in pairs:
        kind = f"scene {span.number} take {take.number}"
        scores[kind] = f"-{kind}.mid", take_score(session, span, take, whole)
    made: dict[str, tuple[str, bytes]] = {}
    for done, (kind, (ending, score)) in enumerate(scores.items()):
        with watch.stage("midi") as progress:
            made[kind] = names.of(ending), smf_bytes(score)
            progress(done + 1, len(scores))
    for kind, ending, text in _papers(session, sheet):
        made[kind] = names.of(ending), text.encode("utf-8")
    with watch.stage("write"):
        return _written(Path(out), names.name, made, sheet, card)


def take_score(session: Session, span: Span, take: SceneTake, whole: Score) -> Score:
    """One take, chosen or not, where its scene lies in the ``whole`` cue. One that was made for other bars keeps its own, from the
    scene's start on."""
    words = (whole.title, f"scene {span.number} take {take.number}", take.name)
    title = " ".join(word for word in words if word)
    if session.fits(span, take):
        notes = tuple(sorted(row.moved(span.start).played for row in take.notes))
        return replace(whole, title=title, notes=notes)
    own = TempoMap(take.tempo_map.segments, take.tempo_map.metres, span.seconds[0])
    return replace(whole, title=title, notes=tuple(sorted(row.played for row in take.notes)), tempo_map=own)


def _takes(session: Session, scenes: Iterable[int]) -> list[tuple[Span, SceneTake]]:
    wanted = sorted(set(scenes)) or range(1, len(session.scenes) + 1)
    spans = [session.span(number) for number in wanted]
    return [(span, take) for span in spans for take in session.takes_of(span.scene).values()]


def _papers(session: Session, sheet: CueSheet) -> list[tuple[str, str, str]]:
    """What goes with the music: kind, ending of the file's name, and text."""
    report = json.dumps(sheet.report.json(), indent=1, ensure_ascii=False) + "\n"
    hits = {(hit.frame, hit.label) for hit in session.hits}
    markers = [m for m in session.programme.markers if m.length or m.comment or (m.frame, m.name) not in hits]
    editors = [(m.frame, m.length, m.name, m.comment) for m in markers]
    programme = marked(session)
    return [
        ("cue sheet", "-cue-sheet.html", page(sheet)),
        ("cue sheet table", "-cue-sheet.csv", cue_csv(sheet)),
        ("spotting notes", "-spotting.csv", hit_csv(sheet)),
        ("markers", "-markers.csv", marker_csv(sheet, editors)),
        ("hit report", "-hits.json", report),
        ("cut list", ".edl", cut_list(programme, ".edl")),
        ("cut list table", "-cuts.csv", cut_list(programme, ".csv")),
    ]


def marked(session: Session) -> CutList:
    """The cut list with the editor's markers, and one for every hit of the composer's own that is neither a cut nor a marker."""
    programme = session.programme
    known = {cut.frame for cut in programme.cuts} | {marker.frame for marker in programme.markers}
    own = [Marker(hit.frame, hit.label or "Hit") for hit in session.hits if hit.frame not in known]
    markers = sorted((*programme.markers, *own), key=lambda marker: marker.frame)
    return replace(programme, markers=tuple(markers))


def _written(out: Path, name: str, made: dict[str, tuple[str, bytes]], sheet: CueSheet, card: dict[str, Any]) -> Delivery:
    ledger = Ledger.read(out)
    contents = dict(made.values())
    entry = ledger.entry(name, contents, {"cue": sheet.number, "title": sheet.title, "film": sheet.production, **card})
    text = "\n".join(rights_text(cue, said) for cue, said in sorted((ledger.cues | {name: entry}).items()))
    last = ledger.with_entry(name, entry, text)
    everything = {**contents, **last}
    files.folder(out)
    with ExitStack() as stack:  # the list, entered last, takes its place first: it knows the old files and the new ones
        for file, content in everything.items():
            stack.enter_context(files.atomic(out / file)).write_bytes(content)
    kinds = {kind: out / file for kind, (file, _) in made.items()} | {kind: out / file for kind, file in ledger.FILES.items()}
    return Delivery(out, kinds, ledger.older(name, contents), sheet, card)
