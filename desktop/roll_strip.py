"""Upright lines, however many, as one picture of a single row of pixels that is drawn out to their height."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter

from desktop.roll_notes import Floats

Pixels = npt.NDArray[np.uint32]
DASH, DOT = 6, 3
"""Pixels of a dash, and of what lies between two."""


def premultiplied(colour: QColor, alpha: float | Floats | None = None) -> Pixels:
    """A colour as `QImage.Format.Format_ARGB32_Premultiplied` has it, at its own opacity or at others (0..255)."""
    a = np.asarray(colour.alpha() if alpha is None else alpha, np.float64)
    parts = [np.round(part * a / 255).astype(np.uint32) for part in (255, colour.red(), colour.green(), colour.blue())]
    return (parts[0] << 24 | parts[1] << 16 | parts[2] << 8 | parts[3]).astype(np.uint32)


class Strip:
    """Lines between two edges (pixels of the widget). A line of its own costs Qt a tenth of a millisecond; a strip costs no more than
    three of them. Where lines meet, the last that was added is seen."""

    def __init__(self, left: float, width: float, ratio: float) -> None:
        self._left, self._width, self._ratio = left, width, ratio
        self._row = np.zeros(max(1, round(width * ratio)), np.uint32)

    def add(self, xs: Floats, colour: Pixels, thick: float = 1.0) -> None:
        """Lines whose left edges are at these pixels, in one colour or each in its own (`premultiplied`)."""
        columns = np.floor((np.asarray(xs) - self._left) * self._ratio + 0.5).astype(np.int64)
        colours = np.broadcast_to(colour, columns.shape)
        for k in range(max(1, round(thick * self._ratio))):
            seen = (columns + k >= 0) & (columns + k < len(self._row))
            self._row[columns[seen] + k] = colours[seen]

    def draw(self, painter: QPainter, top: float, bottom: float, dashed: bool = False) -> None:
        """From one height to another."""
        if not self._row.any() or bottom <= top:
            return
        image = QImage(self._row.tobytes(), len(self._row), 1, 4 * len(self._row), QImage.Format.Format_ARGB32_Premultiplied)
        source = QRectF(0, 0, len(self._row), 1)
        ends = np.arange(top, bottom, DASH + DOT).tolist() if dashed else [top]
        for y in ends:
            tall = min(float(DASH), bottom - y) if dashed else bottom - top
            painter.drawImage(QRectF(self._left, y, self._width, tall), image, source)
