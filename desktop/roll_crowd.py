"""Notes that are too many and too narrow to be drawn one by one: all of them as one picture, a row a pitch, a column a pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import is_
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

from desktop.roll_notes import Floats, Placed
from desktop.roll_select import Selection
from desktop.roll_strip import Pixels, premultiplied
from desktop.takes_marks import stem_colour
from desktop.theme import current
from engines.score.notes import STEMS

if TYPE_CHECKING:
    from desktop.roll_paint import Frame

CROWD = 1500
"""Notes in view from which on they are drawn as one picture: so many rectangles take a frame at sixty a second."""
PITCHES = 128
OPAQUE = 210
"""Of 255: what lies under the notes is seen a little."""


def draw_crowd(
    painter: QPainter,
    placed: Sequence[Placed],
    stems: Sequence[str],
    frame: Frame,
    selection: Selection,
    kept: Mapping[str, npt.NDArray[np.bool_] | None],
) -> None:
    """Draws notes of scenes and their velocities; those that are selected over all others, in the colour of text. ``kept`` says by
    scene which notes a refill may not touch: they stand on an edge of the accent, in the lower half of their row."""
    area, lane = frame.notes, frame.lane
    wide, low = max(1, int(area.width())), max(1, int(lane.height()))
    notes = np.zeros((PITCHES, wide), np.uint32)
    loud = np.zeros((low, wide), np.uint32)
    many = _together(tuple(placed))
    x0 = np.floor((many.start - frame.scale.left) / frame.scale.step).astype(np.int64)
    x1 = np.maximum(x0 + 1, np.ceil((many.end - frame.scale.left) / frame.scale.step).astype(np.int64))
    inside = (x1 > 0) & (x0 < wide)
    x0, x1 = x0.clip(0, wide), x1.clip(0, wide)
    levels = np.arange(low)[::-1, None]
    for stem in [*reversed(stems), None]:  # from the back of the picture to its front, and then what is selected
        if stem is None:
            mine = inside & _lit(many, selection) & np.isin(many.stem, [STEMS.index(s) for s in stems if s in STEMS])
        else:
            mine = inside & (many.stem == (STEMS.index(stem) if stem in STEMS else -1))
        if not mine.any():
            continue
        colour = premultiplied(current().colour("text") if stem is None else stem_colour(stem, OPAQUE))
        notes[_covered(many.pitch[mine], x0[mine], x1[mine], wide)] = colour
        peaks = np.zeros(wide, np.int64)
        peaks[np.minimum(x0[mine], wide - 1)] = many.velocity[mine]  # they rise: the loudest of a column is written last
        loud[levels < peaks[None, :] * (low - 10) // 127] = colour
    painter.save()
    painter.setClipRect(area)
    high = area.y() + (frame.top - PITCHES + 1) * frame.key
    place = QRectF(area.x(), high, wide, PITCHES * frame.key)
    painter.drawImage(place, _image(notes[::-1]))
    mine = inside & _held(many, kept) & np.isin(many.stem, [STEMS.index(s) for s in stems if s in STEMS])
    if mine.any():
        edges = np.zeros((PITCHES, 2, wide), np.uint32)
        edges[:, 1][_covered(many.pitch[mine], x0[mine], x1[mine], wide)[::-1]] = premultiplied(current().colour("accent"))
        painter.drawImage(place, _image(edges.reshape(2 * PITCHES, wide)))
    painter.restore()
    painter.drawImage(lane.topLeft(), _image(loud))


def _covered(
    pitch: npt.NDArray[np.int64], x0: npt.NDArray[np.int64], x1: npt.NDArray[np.int64], wide: int
) -> npt.NDArray[np.bool_]:
    """Which pixels of every pitch a note lies on: one more note from where each begins, one less from where it ends."""
    size, row = PITCHES * (wide + 1), pitch * (wide + 1)
    edges = np.bincount(row + x0, minlength=size) - np.bincount(row + x1, minlength=size)
    return np.asarray(np.cumsum(edges.reshape(PITCHES, wide + 1), axis=1)[:, :wide] > 0)


class Many(NamedTuple):
    """The notes of some scenes as columns, from the softest to the loudest: seconds of the film, pitch, velocity, and the place of the
    stem in `STEMS` (-1: another). ``place`` is where each one is now that was the n-th, ``first`` the n of each scene's first (by id)."""

    start: Floats
    end: Floats
    pitch: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.int64]
    stem: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    first: dict[str, tuple[int, int]]


_LAST: list[tuple[tuple[Placed, ...], Many]] = []
_LIT: list[tuple[Many, Selection, npt.NDArray[np.bool_]]] = []


def _together(placed: tuple[Placed, ...]) -> Many:
    """Columns of several scenes as one; those of the last picture are kept, since the next one is often of the same scenes."""
    if _LAST and len(_LAST[0][0]) == len(placed) and all(map(is_, _LAST[0][0], placed)):
        return _LAST[0][1]
    names = {one.shape.stems: np.array([STEMS.index(s) if s in STEMS else -1 for s in one.shape.stems]) for one in placed}
    velocity = np.concatenate([one.shape.velocity for one in placed]).astype(np.int64)
    order = np.argsort(velocity, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    sizes = [len(one.shape.rows) for one in placed]
    starts = np.cumsum([0, *sizes]).tolist()
    made = Many(
        np.concatenate([one.start for one in placed])[order],
        np.concatenate([one.end for one in placed])[order],
        np.concatenate([one.shape.pitch for one in placed]).astype(np.int64)[order],
        velocity[order],
        np.concatenate([names[one.shape.stems][one.shape.stem] for one in placed])[order],
        place,
        {one.span.scene.id: (start, size) for one, start, size in zip(placed, starts, sizes, strict=False)},
    )
    _LAST[:] = [(placed, made)]
    return made


def _lit(many: Many, selection: Selection) -> npt.NDArray[np.bool_]:
    """Which of them are selected, note by note."""
    if _LIT and _LIT[0][0] is many and _LIT[0][1] is selection:
        return _LIT[0][2]
    lit = np.zeros(len(many.start), bool)
    for name, rows in selection.by_scene.items():
        start, size = many.first.get(name, (0, 0))
        here = np.array(rows)
        lit[many.place[start + here[here < size]]] = True
    _LIT[:] = [(many, selection, lit)]
    return lit


def _held(many: Many, kept: Mapping[str, npt.NDArray[np.bool_] | None]) -> npt.NDArray[np.bool_]:
    """Which of them are kept, note by note."""
    out = np.zeros(len(many.start), bool)
    for name, shut in kept.items():
        if shut is not None and name in many.first:
            start, size = many.first[name]
            out[many.place[start : start + size]] = shut
    return out


def _image(pixels: Pixels) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)  # it holds the bytes
