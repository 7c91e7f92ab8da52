"""A cue sheet as a person reads it in a terminal, and as other programs read it (JSON)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from engines.session.cue_sheet import USAGE, CueSheet, HitRow, SceneRow, Stretch, decimal

ANSWERS = {"own": "the music", "moved": "a moved onset", "inserted": "an added accent", "missed": "nothing"}
"""How a hit is answered, in words."""


def sheet_json(sheet: CueSheet) -> dict[str, Any]:
    """The sheet as other programs read it; rows as in the CSV, but with numbers as numbers and words as they were said."""
    return {
        "production": sheet.production,
        "cue": sheet.number,
        "title": sheet.title,
        "usage": USAGE[0],
        "rate": f"{sheet.start.rate.numerator}/{sheet.start.rate.denominator}",
        "drop_frame": sheet.start.drop,
        "start": str(sheet.start),
        **_span_json(sheet.stretch),
        "first": None if sheet.first is None else {"bar": sheet.first.bar, "beat": float(sheet.first.beat)},
        "tempo_bpm": float(sheet.bpm),
        "metres": list(sheet.metres),
        "key": sheet.key,
        "notes": sheet.notes,
        "stems": dict(sheet.stems),
        "scenes": [_scene_json(scene) for scene in sheet.scenes],
        "hits": [_hit_json(row) for row in sheet.hits],
        "summary": sheet.report.summary,
        "made": sheet.made,
    }


def _span_json(stretch: Stretch | None) -> dict[str, Any]:
    if stretch is None:
        return {"in": None, "out": None, "duration": None, "frames": 0, "duration_s": 0.0}
    return {
        "in": str(stretch.start),
        "out": str(stretch.end),
        "duration": stretch.clock,
        "frames": stretch.frames,
        "duration_s": round(float(stretch.seconds), 6),
    }


def _scene_json(scene: SceneRow) -> dict[str, Any]:
    return {
        "scene": scene.number,
        "name": scene.name,
        **_span_json(scene.stretch),
        "bars": list(scene.bars),
        "tempo_bpm": float(scene.bpm),
        "metres": list(scene.metres),
        "key": scene.key,
        "take": None if scene.take is None else scene.take[0],
        "take_name": None if scene.take is None else scene.take[1],
        "engine": scene.engine,
        "seed": scene.seed,
        "notes": scene.notes,
        "stems": dict(scene.stems),
    }


def _hit_json(row: HitRow) -> dict[str, Any]:
    place = {"bar": None, "beat": None} if row.place is None else {"bar": row.place.bar, "beat": float(row.place.beat)}
    said = {"hit": row.number, "kind": row.kind, "hard": row.hit.hard, "label": row.hit.label, "scene": row.scene}
    return row.line.json() | said | place | {"verdict": row.line.verdict, "how": row.how}


def sheet_text(sheet: CueSheet) -> str:
    """The sheet as a person reads it in a terminal."""
    name = " ".join(word for word in (sheet.number, sheet.title) if word)
    music = "silent" if sheet.stretch is None else _span_text(sheet.stretch)
    stems = ", ".join(f"{stem} {count}" for stem, count in sheet.stems) or "no notes"
    facts = [f"{decimal(sheet.bpm)} BPM", " ".join(sheet.metres), sheet.key or "no key", stems]
    scenes: list[tuple[str, ...]] = [("scene", "in", "out", "dur", "frames", "bars", "take", "engine", "notes", "name")]
    scenes += [_scene_cells(scene) for scene in sheet.scenes]
    hits: list[tuple[str, ...]] = [
        ("hit", "timecode", "frame", "weight", "", "bar|beat", "error", "frames", "", "answered by", "label")
    ]
    hits += [_hit_cells(row) for row in sheet.hits]
    head = [f"{name}  ({sheet.production})", music, "  ".join(facts)]
    return "\n".join([*head, "", *_columns(scenes), "", *_columns(hits), "", sheet.report.text().splitlines()[-1]])


def _span_text(stretch: Stretch) -> str:
    return f"in {stretch.start}  out {stretch.end}  duration {stretch.clock} ({stretch.frames} frames)"


def _scene_cells(scene: SceneRow) -> tuple[str, ...]:
    span, take = scene.stretch, "-" if scene.take is None else " ".join(map(str, scene.take)).strip()
    bars = f"{scene.bars[0]}-{scene.bars[1]}"
    cells = (
        scene.number,
        span.start,
        span.end,
        span.clock,
        span.frames,
        bars,
        take,
        scene.engine or "-",
        scene.notes,
        scene.name,
    )
    return tuple(map(str, cells))


def _hit_cells(row: HitRow) -> tuple[str, ...]:
    line, error = row.line, row.line.error
    return (
        str(row.number),
        line.timecode or "",
        str(row.hit.frame),
        f"{row.hit.weight:.2f}",
        "hard" if row.hit.hard else "soft",
        "-" if row.place is None else str(row.place),
        "-" if error is None else f"{signed(error * 1000, 1)} ms",
        "-" if error is None or line.rate is None else signed(error * line.rate, 2),
        line.verdict.upper() if line.verdict == "missed" else line.verdict,
        ANSWERS[row.how],
        row.hit.label or row.kind,
    )


def signed(value: Fraction, places: int) -> str:
    """A number with its sign; what rounds to nothing has none."""
    text = f"{float(value):+.{places}f}"
    return text if float(text) else text[1:]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
