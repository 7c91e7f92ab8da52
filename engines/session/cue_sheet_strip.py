"""The cue along its film as one drawing (SVG): scenes as blocks, the music as a bar, hits as strokes as tall as they are heavy."""

from __future__ import annotations

from html import escape

from engines.session.cue_sheet import CueSheet, HitRow

WIDTH, TOP, SCENES, FLOOR, HEIGHT = 1000, 14, 46, 70, 92  # units of the drawing, the page's width wide
_NUMBER = 16  # units that a scene's number needs
_RED = "#b00000"


def strip(sheet: CueSheet) -> str:
    """The drawing; the tables say the same in words. A missed hit has a cross on top, a soft one is a broken line."""
    frames = max(1, sheet.film.frames)
    zero = sheet.start.frame

    def at(frame: int) -> float:
        return round(min(1.0, max(0.0, frame / frames)) * WIDTH, 2)

    parts = []
    for scene in sheet.scenes:
        left, right = at(scene.stretch.start.frame - zero), at(scene.stretch.end.frame - zero)
        fill = "#ececec" if scene.number % 2 else "#fafafa"
        parts.append(
            f"<rect x='{left}' y='{SCENES}' width='{round(right - left, 2)}' height='{FLOOR - SCENES}' fill='{fill}' stroke='#888'/>"
        )
        if right - left >= _NUMBER:
            parts.append(f"<text x='{left + 4}' y='{FLOOR - 7}' font-size='13' fill='#333'>{scene.number}</text>")
    if sheet.stretch is not None:
        left, right = at(sheet.stretch.start.frame - zero), at(sheet.stretch.end.frame - zero)
        parts.append(f"<rect x='{left}' y='{FLOOR}' width='{round(right - left, 2)}' height='3' fill='#111'/>")
    thick = min(1.0, max(0.4, 120 / max(1, len(sheet.hits))))
    parts += [_stroke(row, at(row.hit.frame), thick) for row in sheet.hits]
    ends = ((0, "start", sheet.film.start), (WIDTH, "end", sheet.film.end))
    parts += [
        f"<text x='{x}' y='{HEIGHT - 3}' font-size='13' fill='#333' font-family='monospace' text-anchor='{anchor}'>"
        f"{escape(str(label))}</text>"
        for x, anchor, label in ends
    ]
    told = f"{len(sheet.scenes)} scenes and {len(sheet.hits)} hits along the film"
    return f"<svg viewBox='-1 0 {WIDTH + 2} {HEIGHT}' role='img' aria-label='{told}'>{''.join(parts)}</svg>\n"


def _stroke(row: HitRow, x: float, thick: float) -> str:
    """One hit above the scenes; ``thick`` is less than 1 where they stand close."""
    high = round(SCENES - 6 - row.hit.weight * (SCENES - 6 - TOP), 2)
    missed = row.line.verdict == "missed"
    colour = _RED if missed else "#111"
    dash = "" if row.hit.hard else " stroke-dasharray='4 3'"
    width = round((2.4 if row.hit.hard else 1.6) * thick, 2)
    line = f"<line x1='{x}' y1='{high}' x2='{x}' y2='{SCENES}' stroke='{colour}' stroke-width='{width}'{dash}/>"
    if not missed:
        return line
    low, up, arm = high - 2, round(high - 2 - 10 * thick, 2), 5 * thick
    left, right = round(x - arm, 2), round(x + arm, 2)
    cross = f"M{left} {up}L{right} {low}M{right} {up}L{left} {low}"
    return f"{line}<path d='{cross}' stroke='{_RED}' stroke-width='{width}' fill='none'/>"
