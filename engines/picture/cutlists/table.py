"""Cuts as a table (CSV with the header ``frame,time_s,kind``) and as the JSON that ``shots`` prints."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from io import StringIO
from math import floor
from pathlib import Path
from typing import cast, get_args

from engines.errors import CutListError, OptionError
from engines.picture.cut import Cut, CutKind
from engines.picture.cutlist import LONGEST_PROGRAMME, CutList, Marker
from engines.picture.cutlists.document import text
from engines.picture.timecode import RATES, Timecode, parse_rate

DOUBT = Fraction(2, 5)
"""Confidence of a cut that a person marked ``ambiguous``: below a half, so that it is a soft hit."""
COLUMNS = ("frame", "time_s", "kind", "length", "confidence", "strength", "timecode")
"""What is written; the first three are what must be there to read."""

_RATES = (*RATES, Fraction(120000, 1001), Fraction(120))
_NUMBER = re.compile(r"[-+]?(\d{1,15}(\.\d{0,20})?|\.\d{1,20})([eE][-+]?\d{1,2})?")  # a large power would fill the memory
_Row = Mapping[str, object]


def read(path: Path, rate: Fraction | None = None, assumed: Fraction | None = None) -> CutList:
    """The cuts of a CSV or JSON file. The rate is the file's own, else what frames and times agree on, else the caller's.

    Frames that the table leaves out (a JSON without them, any CSV) end one after the last cut. Raises CutListError naming the
    row for values that are none.
    """
    content = text(path)
    if content.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        head, rows, places = _json_rows(content, path)
    else:
        head, rows, places = {}, *_csv_rows(content, path)
    written_rate = parse_rate(str(head["rate"])) if head.get("rate") is not None else None
    found = written_rate or _rate_of(rows) or rate or assumed
    if found is None:
        what = "neither the file nor its times say a frame rate"
        raise CutListError(what, where=path, cure="pass --rate, for example --rate 24 or --rate 23.976")
    cuts = {}
    on_grid = _on_grid(rows, found)
    for row, place in zip(rows, places, strict=True):
        cut = _cut(row, place, found, path, on_grid)
        if cut.frame > 0:
            cuts[cut.frame] = cut
    ordered = sorted(cuts.values())
    frames = _number(head.get("frames") or 0, "frames", "the head", path)
    end = max(int(frames), ordered[-1].frame + 1 if ordered else 1)
    start = _start(head, rows, found, path)
    programme = CutList.of_cuts(ordered, found, end, start, str(head.get("film") or head.get("title") or ""))
    return replace(programme, markers=_markers(head, end, path))


def written(programme: CutList, suffix: str = ".csv") -> str:
    """The table as text: CSV with a column for the timecode too, or JSON."""
    if suffix == ".json":
        return _json(programme)
    out = StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for cut in programme.cuts:
        at = str(programme.start + cut.frame)
        # nine places tell 23.976 from 24 on the first frame
        table.writerow((cut.frame, f"{float(cut.time):.9f}", cut.kind, cut.length, cut.confidence, cut.strength, at))
    return out.getvalue()


def _json(programme: CutList) -> str:
    cuts = [
        {"frame": c.frame, "time_s": round(float(c.time), 9), "kind": c.kind, "confidence": c.confidence}
        | {"strength": c.strength, "length": c.length}
        for c in programme.cuts
    ]
    head = {"film": programme.title, "rate": str(programme.rate), "frames": programme.frames, "start": str(programme.start)}
    return json.dumps({**head, "duration_s": float(programme.frames / programme.rate), "cuts": cuts}, indent=1) + "\n"


def _markers(head: Mapping[str, object], frames: int, path: Path) -> tuple[Marker, ...]:
    """What the script in an editor hands over beside its cuts; markers outside the programme are left out."""
    rows = head.get("markers") or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise CutListError("its markers are no list", where=path, cure="hand the cuts over again")
    out = []
    for number, row in enumerate(rows, 1):
        frame, length = (_number(row.get(key) or 0, key, f"marker {number}", path) for key in ("frame", "length"))
        words = {key: str(row.get(key) or "") for key in ("name", "comment", "colour")}
        if 0 <= frame < frames:
            out.append(Marker(floor(frame), length=max(0, floor(length)), **words))
    return tuple(sorted(out, key=lambda marker: marker.frame))


def _csv_rows(content: str, path: Path) -> tuple[list[_Row], list[str]]:
    lines = content.lstrip("\ufeff").splitlines()
    first = next((line for line in lines if line.strip()), "")
    divider = max(",;\t", key=first.count)
    table = csv.reader(lines, delimiter=divider)
    header: list[str] = []
    rows: list[_Row] = []
    places: list[str] = []
    try:
        for values in table:
            cells = [value.strip() for value in values]
            if not any(cells) or cells[0].startswith("#"):
                continue
            if not header:
                header = [cell.lower() for cell in cells]
                if "frame" not in header and "time_s" not in header:
                    cure = "the first line must be frame,time_s,kind"
                    raise CutListError(f"no column is called frame or time_s: {first[:60]!r}", where=path, cure=cure)
                continue
            rows.append(dict(zip(header, cells, strict=False)))
            places.append(f"line {table.line_num}")
    except csv.Error as error:
        raise CutListError(f"line {table.line_num}: {error}", where=path, cure="save the table as CSV again") from None
    return rows, places


def _json_rows(content: str, path: Path) -> tuple[dict[str, object], list[_Row], list[str]]:
    try:
        data = json.loads(content.lstrip("\ufeff"))
    except (json.JSONDecodeError, RecursionError, ValueError) as error:
        raise CutListError(f"the JSON is broken or cut short: {error}", where=path, cure="save it again") from None
    head = data if isinstance(data, dict) else {"cuts": data}
    cuts = head.get("cuts")
    if not isinstance(cuts, list) or not all(isinstance(cut, dict) for cut in cuts):
        cure = 'give {"rate": ..., "cuts": [{"frame": ..., "time_s": ..., "kind": ...}]}, as shots --json prints it'
        raise CutListError("there is no list of cuts in this JSON", where=path, cure=cure)
    return head, cuts, [f"cut {number}" for number in range(1, len(cuts) + 1)]


def _exact(value: object) -> Fraction | None:
    """A number as it is written, None for what is none."""
    text = str(value).strip().replace(",", ".")
    return Fraction(text) if not isinstance(value, bool) and _NUMBER.fullmatch(text) else None


def _on_grid(rows: Sequence[_Row], rate: Fraction) -> bool:
    """Whether every frame number falls on its time at ``rate``, as finely as the time is written."""
    for row in rows:
        frame, time = _exact(row.get("frame", "")), _exact(row.get("time_s", ""))
        places = len(str(row.get("time_s", "")).replace(",", ".").partition(".")[2])
        if frame is not None and time is not None and abs(frame / rate - time) > Fraction(6, 10) / 10 ** min(places, 12):
            return False
    return True


def _rate_of(rows: Sequence[_Row]) -> Fraction | None:
    """The one common rate at which every frame falls on its time; None if there is none or more than one."""
    counted = [row for row in rows if (_exact(row.get("frame", "")) or 0) > 0 and _exact(row.get("time_s", "")) is not None]
    fitting = [rate for rate in _RATES if counted and _on_grid(counted, rate)]
    return fitting[0] if len(fitting) == 1 else None


def _cut(row: _Row, place: str, rate: Fraction, path: Path, on_grid: bool) -> Cut:
    time = None if row.get("time_s") in (None, "") else _number(row["time_s"], "time_s", place, path)
    if row.get("frame") not in (None, ""):
        frame = _number(row["frame"], "frame", place, path)
    elif time is not None:
        frame = Fraction(floor(time * rate + Fraction(1, 2)))
    else:
        raise CutListError(f"{place}: neither a frame nor a time", where=path, cure="fill in the column frame")
    if frame.denominator != 1 or not 0 <= frame <= LONGEST_PROGRAMME * rate:
        raise CutListError(f"{place}: there is no frame {row.get('frame')}", where=path, cure="frames count 0, 1, 2 and so on")
    kind = str(row.get("kind") or "cut").lower()
    doubtful = kind == "ambiguous"  # two people would call it either way
    kind = "cut" if doubtful else kind
    if kind not in get_args(CutKind):
        raise CutListError(f"{place}: {kind[:30]!r} is no kind of cut", where=path, cure="write cut, dissolve or fade")
    # a film of variable rate has times of its own
    at = frame / rate if on_grid or time is None else time
    given = {key: row[key] for key in ("length", "confidence", "strength") if row.get(key) not in (None, "")}
    values = {key: _number(value, key, place, path) for key, value in given.items()}
    length = max(0, int(values.get("length", 0)))
    confidence, strength = (
        float(min(max(values.get(key, DOUBT if doubtful else 1), 0), 1)) for key in ("confidence", "strength")
    )
    return Cut(int(frame), at, cast(CutKind, kind), confidence, strength, length)


def _number(value: object, column: str, place: str, path: Path) -> Fraction:
    number = _exact(value)
    if number is None:
        what = f"{place}: {column} is {str(value)[:30]!r}, which is no number"
        raise CutListError(what, where=path, cure="correct that row")
    return number


def _start(head: Mapping[str, object], rows: Sequence[_Row], rate: Fraction, path: Path) -> Timecode | None:
    label, back = head.get("start"), 0
    if not label and rows and rows[0].get("timecode"):
        label, back = rows[0]["timecode"], int(_number(rows[0].get("frame", 0), "frame", "the first row", path))
    if not label:
        return None
    try:
        return Timecode.parse(str(label), rate) + -back
    except OptionError as error:
        raise CutListError(error.what, where=path, cure=error.cure) from None
