"""A cue sheet as tables for spreadsheets: the cue and its scenes, the spotting notes, and markers for other programs (CSV, RFC 4180)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from engines.session.cue_sheet import USAGE, CueSheet, HitRow, SceneRow, Stretch, decimal

CUE_COLUMNS = (
    *("section", "cue", "scene", "title", "usage", "composer", "publisher", "in", "out", "duration", "frames", "duration_s"),
    *(
        "in_frame",
        "out_frame",
        "first_bar",
        "last_bar",
        "tempo_bpm",
        "metre",
        "key",
        "take",
        "take_name",
        "engine",
        "seed",
        "notes",
    ),
)
"""The cue sheet's columns; one for each stem's notes follows. ``section`` is cue for the first row, then scene."""

HIT_COLUMNS = (
    *("cue", "hit", "timecode", "frame", "time_s", "kind", "weight", "hardness", "label", "scene", "bar", "beat"),
    *("onset_s", "error_ms", "error_frames", "verdict", "answered_by", "how"),
)
"""The spotting notes' columns."""

MARKER_COLUMNS = ("timecode", "frame", "time_s", "frames", "kind", "name", "comment")
"""The columns of markers for other programs; ``frames`` is the length of a range, 0 for a moment."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def cue_csv(sheet: CueSheet) -> str:
    """The cue and its scenes, a row each. Composer and publisher are left for the person to fill in."""
    row: dict[str, object] = {
        "section": "cue",
        "cue": _safe(sheet.number),
        "title": _safe(sheet.title),
        "usage": USAGE[0],
        **_stretch(sheet.stretch, sheet),
        "first_bar": None if sheet.first is None else sheet.first.bar,
        "last_bar": sheet.scenes[-1].bars[1] if sheet.scenes else None,
        "tempo_bpm": decimal(sheet.bpm, 4),
        "metre": " ".join(sheet.metres),
        "key": sheet.key,
        **_notes(sheet),
    }
    stems = [f"notes_{stem}" for stem, _ in sheet.stems]
    return _table((*CUE_COLUMNS, *stems), [row, *(_scene_row(sheet, scene) for scene in sheet.scenes)])


def hit_csv(sheet: CueSheet) -> str:
    """The spotting notes: every hit with what answers it."""
    return _table(HIT_COLUMNS, (_hit_row(sheet, row) for row in sheet.hits))


def marker_csv(sheet: CueSheet, marked: Iterable[tuple[int, int, str, str]] = ()) -> str:
    """Scenes, hits and the editor's markers (frame, length, name, comment) in the order of the film, as DAWs import markers."""
    rows = [(s.stretch.start.frame - sheet.start.frame, s.stretch.frames, "scene", _scene_name(s), "") for s in sheet.scenes]
    rows += [(r.hit.frame, 0, r.kind, r.hit.label or f"Hit {r.number}", _weight(r)) for r in sheet.hits]
    rows += [(frame, length, "marker", name, comment) for frame, length, name, comment in marked]
    rate = sheet.start.rate
    table = (
        dict(
            zip(
                MARKER_COLUMNS,
                (str(sheet.start + at), at, f"{float(at / rate):.6f}", length, kind, _safe(name), _safe(comment)),
                strict=True,
            )
        )
        for at, length, kind, name, comment in sorted(rows)
    )
    return _table(MARKER_COLUMNS, table)


def _scene_row(sheet: CueSheet, scene: SceneRow) -> dict[str, object]:
    return {
        "section": "scene",
        "cue": _safe(sheet.number),
        "scene": scene.number,
        "title": _safe(scene.name),
        **_stretch(scene.stretch, sheet),
        "first_bar": scene.bars[0],
        "last_bar": scene.bars[1],
        "tempo_bpm": decimal(scene.bpm, 4),
        "metre": " ".join(scene.metres),
        "key": scene.key,
        "take": scene.take and scene.take[0],
        "take_name": _safe(scene.take[1]) if scene.take else None,
        "engine": scene.engine,
        "seed": scene.seed,
        **_notes(scene),
    }


def _notes(row: CueSheet | SceneRow) -> dict[str, object]:
    return {"notes": row.notes, **{f"notes_{stem}": count for stem, count in row.stems}}


def _stretch(stretch: Stretch | None, sheet: CueSheet) -> dict[str, object]:
    if stretch is None:
        return {}
    return {
        "in": stretch.start,
        "out": stretch.end,
        "duration": stretch.clock,
        "frames": stretch.frames,
        "duration_s": f"{float(stretch.seconds):.6f}",
        "in_frame": stretch.start.frame - sheet.start.frame,
        "out_frame": stretch.end.frame - sheet.start.frame,
    }


def _hit_row(sheet: CueSheet, row: HitRow) -> dict[str, object]:
    told = row.line.json()
    return {
        "cue": _safe(sheet.number),
        "hit": row.number,
        **{name: told[name] for name in ("timecode", "frame", "time_s", "weight", "onset_s", "error_ms", "error_frames")},
        "kind": row.kind,
        "hardness": "hard" if row.hit.hard else "soft",
        "label": _safe(row.hit.label),
        "scene": row.scene,
        "bar": row.place and row.place.bar,
        "beat": row.place and decimal(row.place.beat),
        "verdict": row.line.verdict,
        "answered_by": row.line.landed_by,
        "how": row.how,
    }


def _table(columns: Sequence[str], rows: Iterable[dict[str, object]]) -> str:
    out = StringIO()
    table = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: "" if value is None else value for name, value in row.items()})
    return out.getvalue()


def _safe(text: str) -> str:
    """A person's words as a cell that no spreadsheet takes for a formula: somebody else's marker may begin with an equals sign."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _scene_name(scene: SceneRow) -> str:
    return f"Scene {scene.number}" + (f" {scene.name}" if scene.name else "")


def _weight(row: HitRow) -> str:
    return f"{'hard' if row.hit.hard else 'soft'}, weight {row.hit.weight:g}"
