"""What lies under a pixel of the piano roll: notes, bars, and all that a rubber band touches."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF

from desktop.language import words
from desktop.roll_notes import Placed, Stage
from desktop.roll_paint import RING, Frame, Looks, pitch_name
from desktop.roll_select import Selection

tr = words("roll")


def note_at(place: QPointF, frame: Frame, stage: Stage, looks: Looks) -> tuple[Placed, int] | None:
    """The note under a pixel with its row, the shortest of those that lie over one another."""
    if not frame.notes.contains(place):
        return None
    second, pitch = frame.seconds(place.x()), frame.pitch(place.y())
    found: list[tuple[float, Placed, int]] = []
    for placed in stage.scenes(second - 0.01, second + 0.01):
        shape = placed.shape
        here = (placed.start <= second) & (placed.end > second) & (shape.pitch == pitch)
        found += [
            (float(placed.end[row] - placed.start[row]), placed, int(row))
            for row in np.flatnonzero(here)
            if shape.stems[shape.stem[row]] in looks.stems
        ]
    return min(found, key=lambda f: f[0])[1:] if found else None


def bar_at(x: float, frame: Frame, stage: Stage) -> int:
    """The bar of the cue (from 1) at a pixel, the nearest beyond the ends."""
    starts = stage.bar_starts
    beat = float(stage.clock.beat(frame.seconds(x)))
    return min(len(starts), max(1, int(np.searchsorted(starts, beat + 1e-9, side="right"))))


def inside(band: QRectF, frame: Frame, stage: Stage, looks: Looks) -> Selection:
    """The notes that a rubber band touches."""
    begin, end = frame.seconds(band.left()), frame.seconds(band.right())
    high, low = frame.pitch(band.top()), frame.pitch(band.bottom())
    out: dict[str, list[int]] = {}
    for placed in stage.scenes(begin, end):
        shape = placed.shape
        here = (placed.start < end) & (placed.end > begin) & (shape.pitch >= low) & (shape.pitch <= high)
        here &= np.isin(shape.stem, [k for k, stem in enumerate(shape.stems) if stem in looks.stems])
        if here.any():
            out[placed.span.scene.id] = np.flatnonzero(here).tolist()
    return Selection.of(out)


def is_placed(band: QRectF, frame: Frame, stage: Stage) -> bool:
    """Whether everything that a rubber band could touch was worked out already."""
    spans = stage.spans(frame.seconds(band.left()), frame.seconds(band.right()), RING)
    return all(stage.is_placed(span) for span in spans)


def note_words(placed: Placed, row: int, stage: Stage) -> str:
    """A note as a musician says it: stem, pitch, bar and beat, velocity."""
    note, session = placed.take.notes[row].note, stage.session
    beat = note.start + placed.span.start
    bar = session.tempo_map.bar_at(beat)
    place = f"{bar.index + 1}|{float((beat - bar.start) * bar.metre.unit / 4) + 1:g}"
    loud = tr("velocity {}").format(placed.take.notes[row].played.velocity)
    kept = f", {tr('kept')}" if stage.shapes.kept(placed.span, placed.take)[row] else ""
    return f"{tr(note.stem)}  {pitch_name(note.pitch)}  {place}  {loud}{kept}"
