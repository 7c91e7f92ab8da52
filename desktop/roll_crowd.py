"""Notes that are too many and too narrow to be drawn one by one: all of them as one picture, a row a pitch, a column a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

from desktop.roll_notes import Floats, Placed
from desktop.takes_marks import stem_colour
from engines.score.notes import STEMS

CROWD = 1500
"""Notes in view from which on they are drawn as one picture: so many rectangles take a frame at sixty a second."""
PITCHES = 128


def draw_crowd(painter: QPainter, placed: Sequence[Placed], stems: Sequence[str], area: QRectF, lane: QRectF, left: float, step: float,
               top: float, key: float) -> None:  # fmt: skip
    """Draws notes of scenes into ``area`` (a semitone is ``key`` pixels high, the upper edge is pitch ``top``) and their velocities into
    ``lane``; ``left`` is the film time of the left edge, ``step`` seconds a pixel."""
    wide, low = max(1, int(area.width())), max(1, int(lane.height()))
    notes = np.zeros((PITCHES, wide), np.uint32)
    loud = np.zeros((low, wide), np.uint32)
    many = _together(tuple(placed))
    x0 = np.floor((many.start - left) / step).astype(np.int64)
    x1 = np.maximum(x0 + 1, np.ceil((many.end - left) / step).astype(np.int64))
    inside = (x1 > 0) & (x0 < wide)
    x0, x1 = x0.clip(0, wide), x1.clip(0, wide)
    for stem in reversed(stems):  # from the back of the picture to its front
        mine = inside & (many.stem == (STEMS.index(stem) if stem in STEMS else -1))
        if not mine.any():
            continue
        colour = stem_colour(stem, 210).rgba()
        edges = np.zeros((PITCHES, wide + 1), np.int32)
        np.add.at(edges, (many.pitch[mine], x0[mine]), 1)
        np.add.at(edges, (many.pitch[mine], x1[mine]), -1)
        notes[np.cumsum(edges, axis=1)[:, :wide] > 0] = colour
        peaks = np.zeros(wide, np.int64)
        np.maximum.at(peaks, np.minimum(x0[mine], wide - 1), many.velocity[mine])
        loud[np.arange(low)[::-1, None] < peaks[None, :] * (low - 10) // 127] = colour
    painter.save()
    painter.setClipRect(area)
    painter.drawImage(QRectF(area.x(), area.y() + (top - PITCHES + 1) * key, wide, PITCHES * key), _image(notes[::-1]))
    painter.restore()
    painter.drawImage(lane.topLeft(), _image(loud))


class Many(NamedTuple):
    """The notes of some scenes as columns: seconds of the film, pitch, velocity, and the place of the stem in `STEMS` (-1: another)."""

    start: Floats
    end: Floats
    pitch: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.int64]
    stem: npt.NDArray[np.int64]


_LAST: list[tuple[tuple[Placed, ...], Many]] = []


def _together(placed: tuple[Placed, ...]) -> Many:
    """Columns of several scenes as one; those of the last picture are kept, since the next one is often of the same scenes."""
    if _LAST and len(_LAST[0][0]) == len(placed) and all(map(is_, _LAST[0][0], placed)):
        return _LAST[0][1]
    stems = [np.array([STEMS.index(s) if s in STEMS else -1 for s in one.shape.stems], np.int64) for one in placed]
    made = Many(
        np.concatenate([one.start for one in placed]),
        np.concatenate([one.end for one in placed]),
        np.concatenate([one.shape.pitch for one in placed]).astype(np.int64),
        np.concatenate([one.shape.velocity for one in placed]).astype(np.int64),
        np.concatenate([names[one.shape.stem] for names, one in zip(stems, placed, strict=True)]),
    )
    _LAST[:] = [(placed, made)]
    return made


def _image(pixels: npt.NDArray[np.uint32]) -> QImage:
    pixels = np.ascontiguousarray(pixels)
    height, width = pixels.shape
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32).copy()
