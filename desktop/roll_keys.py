"""The keys of the piano roll: from note to note, from bar to bar, and what is done with what they select."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QKeyEvent

from desktop.roll_notes import Placed, Stage
from desktop.roll_paint import Looks
from desktop.roll_select import Selection
from engines.session.model import Session

Key, Mod = Qt.Key, Qt.KeyboardModifier


def meaning(event: QKeyEvent) -> str | None:
    """What a key asks of the roll; None for keys that are the window's.

    Arrows go from note to note (up and down within a chord), with Ctrl from bar to bar; Shift adds to what is selected.
    """
    key, held = Key(event.key()), event.modifiers() & ~Mod.KeypadModifier
    shift = bool(held & Mod.ShiftModifier)
    ctrl = bool(held & Mod.ControlModifier)
    if held & (Mod.AltModifier | Mod.MetaModifier):
        return None
    if key in (Key.Key_Left, Key.Key_Right):
        what = "bar" if ctrl else "note"
        return f"{what} {'-' if key == Key.Key_Left else '+'}{' more' if shift else ''}"
    if key in (Key.Key_Up, Key.Key_Down) and not ctrl:
        return f"note {'up' if key == Key.Key_Up else 'down'}{' more' if shift else ''}"
    if ctrl:
        return {Key.Key_A: "all", Key.Key_C: "copy"}.get(key) if not shift else None
    if shift:
        return {Key.Key_K: "keep", Key.Key_Plus: "closer"}.get(key)
    return {
        Key.Key_Escape: "clear",
        Key.Key_Plus: "closer",
        Key.Key_Equal: "closer",
        Key.Key_Minus: "further",
        Key.Key_F: "fit",
        Key.Key_PageUp: "up",
        Key.Key_PageDown: "down",
        Key.Key_Return: "refill",
        Key.Key_Enter: "refill",
    }.get(key)


def next_bar(session: Session, looks: Looks, said: str) -> Selection:
    """The bar after (or before) the selected ones, or one more of them."""
    span = session.span(max(1, looks.scene)) if session.scenes else None
    old = looks.selection.bars
    if old is None:
        first = 1 if span is None else span.first + 1
        return Selection(bars=(first, first), stems=looks.stems)
    way = 1 if "+" in said else -1
    if "more" in said:
        low, high = (old[0], old[1] + way) if way > 0 or old[1] > old[0] else (old[0] - 1, old[1])
    else:
        low = high = (old[1] if way > 0 else old[0]) + way
    last = len(session.bars)
    return Selection(bars=(min(last, max(1, low)), min(last, max(1, high, low))), stems=looks.stems)


def next_note(stage: Stage, looks: Looks, said: str, playhead: float) -> Selection:
    """The note after (or before) the last one that was selected, or above (or below) it in its chord; from the playhead where none is."""
    rows = _in_order(stage, looks)
    if not rows:
        return looks.selection
    picked = [k for k, row in enumerate(rows) if row[2:] in looks.selection.notes]
    if not picked:
        at = next((k for k, row in enumerate(rows) if row[0] >= playhead), len(rows) - 1)
    elif "up" in said or "down" in said:
        here = rows[picked[-1]]
        chord = [k for k, row in enumerate(rows) if abs(row[0] - here[0]) < 0.03]  # seconds: played together
        chord.sort(key=lambda k: rows[k][1])
        at = chord[min(len(chord) - 1, max(0, chord.index(picked[-1]) + (1 if "up" in said else -1)))]
    else:
        way = 1 if "+" in said else -1
        at = min(len(rows) - 1, max(0, picked[-1 if way > 0 else 0] + way))
    one = frozenset({rows[at][2:]})
    return Selection(notes=looks.selection.notes | one if "more" in said else one)


def _in_order(stage: Stage, looks: Looks) -> list[tuple[float, int, str, int]]:
    """The notes in sight of the current scene and those beside it: when, pitch, scene, row."""
    out: list[tuple[float, int, str, int]] = []
    for span in stage.session.spans:
        near = not looks.scene or abs(span.number - looks.scene) <= 1
        placed: Placed | None = stage.scene(span) if near else None
        if placed is not None:
            shape = placed.shape
            out += [
                (float(placed.start[row]), int(shape.pitch[row]), span.scene.id, row)
                for row in range(len(shape.rows))
                if shape.stems[shape.stem[row]] in looks.stems
            ]
    return sorted(out)
