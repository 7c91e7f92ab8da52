"""A cue sheet as one printable page (HTML): no script, nothing fetched; what matters is said in words, not in colour alone."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from engines.picture.timecode import nominal
from engines.session.cue_sheet import USAGE, CueSheet, HitRow, SceneRow, Stretch, decimal
from engines.session.cue_sheet_strip import strip
from engines.session.cue_sheet_text import ANSWERS, signed

STYLE = """
@page { margin: 13mm 12mm 15mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555; } }
* { box-sizing: border-box; }
html { color-scheme: light; background: #fff; }
body { margin: 0 auto; max-width: 190mm; padding: 8mm 0; color: #111; font: 9.5pt/1.35 "Helvetica Neue", Arial, sans-serif; }
@media print { body { padding: 0; max-width: none; } }
header { display: flex; gap: 7mm; align-items: flex-end; border-bottom: 1.6pt solid #111; padding-bottom: 2.5mm; }
h1 { margin: 0; font-size: 34pt; line-height: 0.95; letter-spacing: -0.02em; }
.title { flex: 1; } .title b { display: block; font-size: 15pt; line-height: 1.2; }
.reel { text-align: right; color: #333; }
h2 { margin: 6mm 0 1.5mm; font-size: 8.5pt; letter-spacing: 0.09em; text-transform: uppercase; break-after: avoid; }
dl { display: flex; margin: 0; border-bottom: 0.5pt solid #999; }
dl div { flex: 1 1 auto; padding: 2mm 3mm 2mm 0; } dl div + div { padding-left: 3mm; border-left: 0.5pt solid #ccc; }
dt { color: #555; font-size: 7.5pt; letter-spacing: 0.06em; text-transform: uppercase; } dd { margin: 0; font-size: 11pt; }
.tc { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-variant-numeric: tabular-nums; }
dd.tc { font-size: 10.5pt; } dd.tc small { display: block; font-family: "Helvetica Neue", Arial, sans-serif; }
dd small { color: #444; font-size: 8pt; white-space: nowrap; } dd.row { white-space: nowrap; }
.lines { display: flex; gap: 6mm; margin-top: 1mm; }
.lines span { flex: 1; border-bottom: 0.5pt solid #777; padding: 6mm 0 0.6mm; color: #555; font-size: 8pt; }
table { width: 100%; border-collapse: collapse; font-size: 8.5pt; } thead { display: table-header-group; }
th { padding: 0 2mm 0.8mm 0; border-bottom: 0.8pt solid #111; color: #333; font-size: 7.2pt; text-align: left; white-space: nowrap; }
td { padding: 0.9mm 2mm 0.9mm 0; border-bottom: 0.4pt solid #d4d4d4; vertical-align: baseline; white-space: nowrap; }
td.tc { font-size: 8.3pt; } td.words { white-space: normal; overflow-wrap: anywhere; } tr { break-inside: avoid; }
th.n, td.n { padding-right: 3.5mm; text-align: right; } tr.hard td:nth-child(2) { font-weight: 700; }
tr.missed td { color: #b00000; } tr.missed .verdict { font-weight: 700; } tr.near .verdict { font-style: italic; }
.sum { margin-top: 2.5mm; font-weight: 700; } .sum.bad { color: #b00000; } svg { display: block; width: 100%; margin-top: 3.5mm; }
footer { margin-top: 5mm; color: #555; font-size: 7.5pt; }
"""
"""The page's look: black on white, prints on A4 and Letter alike (the paper decides), columns of timecodes in digits of one width."""

_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
"""


def page(sheet: CueSheet) -> str:
    """The whole page."""
    name = " ".join(word for word in (sheet.number, sheet.title) if word)
    return (
        f"{_HEAD}<title>{words(f'{name} - {sheet.production} - cue sheet')}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{_header(sheet)}{_facts(sheet)}{strip(sheet)}{_rights_lines()}{_scenes(sheet)}{_hits(sheet)}{_footer(sheet)}</body>\n</html>\n"
    )


def words(text: object) -> str:
    """A text as it may stand anywhere in a page: on one line, without control characters, escaped."""
    return escape(" ".join("".join(c if c.isprintable() else " " for c in str(text)).split()))


def _header(sheet: CueSheet) -> str:
    rate, start = sheet.start.rate, sheet.start
    fps = f"{decimal(rate, 3)} fps {'drop' if start.drop else 'non-drop' if nominal(rate) % 30 == 0 else ''}".strip()
    return (
        f"<header><h1>{words(sheet.number or 'Cue')}</h1>"
        f"<div class='title'>{words('Cue sheet and spotting notes')}<b>{words(sheet.title or sheet.production)}</b></div>"
        f"<div class='reel'>{words(sheet.production)}<br>{words(fps)}<br>film <span class='tc'>{words(start)}</span> to "
        f"<span class='tc'>{words(sheet.film.end)}</span></div></header>\n"
    )


def _facts(sheet: CueSheet) -> str:
    span = sheet.stretch
    first = f"<small>bar {words(sheet.first.bar)}, beat {decimal(sheet.first.beat)}</small>" if sheet.first else ""
    rows = [
        ("In", "tc", f"{words(span.start)} {first}" if span else "silent"),
        ("Out", "tc", words(span.end) if span else "-"),
        ("Duration", "tc", f"{span.clock} <small>{span.frames} frames</small>" if span else "0:00"),
        ("Tempo", "", f"{decimal(sheet.bpm)} <small>BPM</small>"),
        ("Metre", "", words(", ".join(sheet.metres))),
        ("Key", "", words(sheet.key or "-")),
        ("Notes", "row", "<br>".join(f"{count} <small>{words(stem)}</small>" for stem, count in sheet.stems) or "-"),
        ("Usage", "", f"{USAGE[0]} <small>{USAGE[1]}</small>"),
    ]
    cells = (f"<div><dt>{name}</dt><dd{' class=' + kind if kind else ''}>{value}</dd></div>" for name, kind, value in rows)
    return f"<dl>{''.join(cells)}</dl>\n"


def _rights_lines() -> str:
    """Lines to write on, for what only the person knows."""
    names = ("Composer, society, share", "Publisher, society, share")
    return f"<div class='lines'>{''.join(f'<span>{name}</span>' for name in names)}</div>\n"


def _scenes(sheet: CueSheet) -> str:
    head = ("#n", "in", "out", "dur.", "frames#n", "bars", "tempo", "metre", "key", "take", "engine", "notes#n", "name")
    return f"<h2>Scenes</h2>\n{_table(head, (_scene(scene) for scene in sheet.scenes))}"


def _scene(scene: SceneRow) -> str:
    span: Stretch = scene.stretch
    take = "silent" if scene.take is None else f"{scene.take[0]} {scene.take[1]}"
    cells = [
        _cell(scene.number, "n"),
        *(_cell(value, "tc") for value in (span.start, span.end, span.clock)),
        _cell(span.frames, "tc n"),
        _cell(f"{scene.bars[0]}-{scene.bars[1]}"),
        _cell(decimal(scene.bpm)),
        _cell(", ".join(scene.metres)),
        _cell(scene.key or "-"),
        *(_cell(value, "words") for value in (take, scene.engine or "-")),
        _cell(scene.notes, "n"),
        _cell(scene.name, "words"),
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _hits(sheet: CueSheet) -> str:
    if not sheet.hits:
        return "<h2>Spotting notes</h2>\n<p>No hits.</p>\n"
    head = (
        "#n",
        "timecode",
        "frame#n",
        "what",
        "weight",
        "scene#n",
        "bar | beat",
        "error#n",
        "frames#n",
        "verdict",
        "answered by",
    )
    missed = sum(row.line.verdict == "missed" for row in sheet.hits)
    said = f"{missed} missed. " if missed else ""
    summary = f"<p class='sum{' bad' if missed else ''}'>{words(said + sheet.report.text().splitlines()[-1])}</p>\n"
    return f"<h2>Spotting notes</h2>\n{_table(head, map(_hit, sheet.hits))}{summary}"


def _hit(row: HitRow) -> str:
    line, hit, error = row.line, row.hit, row.line.error
    late = "-" if error is None else f"{signed(error * 1000, 1)} ms"
    frames = "-" if error is None or line.rate is None else signed(error * line.rate, 2)
    what = hit.label if row.kind in ("marker", "hit") and hit.label else f"{row.kind}: {hit.label}" if hit.label else row.kind
    cells = [
        _cell(row.number, "n"),
        _cell(line.timecode, "tc"),
        _cell(hit.frame, "tc n"),
        _cell(what, "words"),
        _cell(f"{hit.weight:.2f} {'hard' if hit.hard else 'soft'}"),
        _cell("-" if row.scene is None else row.scene, "n"),
        _cell("-" if row.place is None else f"{row.place.bar} | {decimal(row.place.beat)}"),
        *(_cell(value if error is None else value.replace("-", "\u2212"), "tc n") for value in (late, frames)),
        _cell(line.verdict.upper() if line.verdict == "missed" else line.verdict, "verdict"),
        _cell(ANSWERS[row.how]),
    ]
    return f"<tr class='{line.verdict} {'hard' if hit.hard else 'soft'}'>{''.join(cells)}</tr>"


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    titles = (f"<th{' class=n' if name.endswith('#n') else ''}>{name.removesuffix('#n')}</th>" for name in head)
    body = "\n".join(rows)
    return f"<table>\n<thead><tr>{''.join(titles)}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n"


def _cell(value: object, kind: str = "") -> str:
    return f"<td{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{words(value)}</td>"


def _footer(sheet: CueSheet) -> str:
    made = f"Newest take {words(sheet.made)}. " if sheet.made else ""
    return (
        f"<footer>{made}Out is the first frame after. Duration is real time. Errors: + is late. "
        "on: within a frame; near: within three; missed: more, or no note.</footer>\n"
    )
