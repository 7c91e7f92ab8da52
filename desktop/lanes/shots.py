"""The shots: where the picture cuts, each with a picture of itself where there is room."""

from __future__ import annotations

from math import ceil, log2

import numpy as np
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter

from desktop.lanes.lane import Ink, Lane, in_view, thinned
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import Sheet

tr = words("timeline")
FIRST = 6
"""Frames between two pictures of one shot, closest."""
LEAST = 14
"""Pixels of a shot below which it has no picture."""


class Shots(Lane):
    """A strip of thumbnails between lines at the cuts; ``wanted`` lists the frames whose pictures were missing at the last painting."""

    height = 52

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.pictures: dict[int, QImage] = {}
        self.wanted: list[int] = []
        self.shape = 16 / 9

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        painter.fillRect(QRectF(0, 0, scale.width, self.height), ink.colour("shade"))
        shown = in_view(sheet.cuts, scale)
        edges = np.concatenate(([0.0], sheet.cuts, [sheet.duration]))
        frames = np.concatenate(([0], sheet.cut_frames))
        self.wanted = []
        lefts = (edges[shown.start : shown.stop + 2] - scale.left) / scale.step
        roomy = (np.diff(lefts) >= LEAST) & (lefts[1:] > 0) & (lefts[:-1] < scale.width)
        for k in np.flatnonzero(roomy).tolist():
            self._fill(painter, float(lefts[k]), float(lefts[k + 1]), int(frames[shown.start + k]), scale, sheet)
        xs = (sheet.cuts[shown] - scale.left) / scale.step
        crowd = 1.0 if len(xs) < scale.width / 2 else 2.0
        ink.uprights(painter, np.floor(xs[thinned(xs, crowd)]) + 0.5, 0.0, self.height, ink.pen("text", alpha=150))

    def _fill(self, painter: QPainter, left: float, right: float, frame: int, scale: Scale, sheet: Sheet) -> None:
        """A shot's first picture, and further ones as far as it is long: at steps that double, so that a zoom finds them again."""
        high = self.height - 4
        wide = self.shape * high
        each = 1 / float(sheet.rate) / scale.step  # pixels of a frame
        step = FIRST * 2 ** max(0, ceil(log2(max(1.0, wide) / each / FIRST)))
        skipped = max(0, int((-wide - left) / each / step))
        at, x = frame + skipped * step, left + skipped * step * each
        while x < min(right - LEAST, scale.width):
            self._picture(painter, x, min(right, x + step * each), at)
            at, x = at + step, x + step * each

    def _picture(self, painter: QPainter, left: float, right: float, frame: int) -> None:
        image = self.pictures.get(frame)
        if image is None:
            self.wanted.append(frame)
            return
        high = self.height - 4
        self.shape = image.width() / image.height()
        wide = image.width() * high / image.height()
        part = min(wide, right - left - 1)
        source = QRectF(0, 0, image.width() * part / wide, image.height())
        painter.drawImage(QRectF(left + 1, 2, part, high), image, source)

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        at = scale.seconds(x)
        k = int(np.searchsorted(sheet.cuts, at, side="right"))
        frame = int(sheet.cut_frames[k - 1]) if k else 0
        return tr("Shot {} from {}").format(k + 1, sheet.start + frame)
