"""The scenes: what is scored together, which take is heard, and what is kept."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QPainter

from desktop.lanes.lane import Ink, Lane
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import SceneMark, Sheet

tr = words("timeline")
LEAST = 14
"""Pixels of a scene below which it has no number."""


class Scenes(Lane):
    """A block a scene; that under the playhead, which Enter refills, has a line in the accent."""

    height = 24

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.current: int | None = None

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        boxes = [(self._box(scene, scale, sheet), scene) for scene in sheet.scenes]
        boxes = [(box, scene) for box, scene in boxes if box.right() > 0 and box.left() < scale.width]
        for colour, wanted in (("raised", True), ("ground", False)):
            alike = [box for box, scene in boxes if (scene.take is not None) == wanted]
            if alike:
                painter.setBrush(ink.colour(colour))
                painter.setPen(ink.pen("line"))
                painter.drawRects(*alike)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for box, scene in boxes:
            if scene.number == self.current:
                painter.setPen(ink.pen("accent"))
                painter.drawRect(box)
            if scene.kept:
                under = box.left() + 2, box.bottom() - 1, box.right() - 2, box.bottom() - 1
                ink.lines(painter, [under], ink.pen("accent", 2))
            if box.width() > LEAST:
                self._write(painter, box, scene, ink)

    def _box(self, scene: SceneMark, scale: Scale, sheet: Sheet) -> QRectF:
        left, right = scale.x(scene.start), scale.x(min(scene.end, sheet.duration))
        return QRectF(round(left) + 1.5, 2.5, max(1.0, round(right) - round(left) - 3), self.height - 6)

    def _write(self, painter: QPainter, box: QRectF, scene: SceneMark, ink: Ink) -> None:
        x = max(box.left(), 0.0) + 6
        room = box.right() - x - 4
        name = f"{scene.number}  {scene.name}" if scene.name else str(scene.number)
        text = next((words for words in (name, str(scene.number)) if ink.width(words) <= room), "")
        if not text:
            return
        used = ink.write(painter, x, box.top() + 2, text, "text" if scene.take is not None else "dim")
        state = self._state(scene)
        if used + 14 + ink.width(state) < room:
            ink.write(painter, x + used + 12, box.top() + 2, state, "dim")

    def _state(self, scene: SceneMark) -> str:
        if scene.take is not None:
            return tr("take {} of {}").format(scene.take, scene.takes)
        return tr("silent") if scene.takes else tr("not scored")

    def tip(self, x: float, y: float, scale: Scale, sheet: Sheet) -> str:
        scene = sheet.scene_at(scale.seconds(x))
        if scene is None:
            return ""
        bars = tr("Scene {}, bars {} to {}").format(scene.number, scene.first_bar + 1, scene.first_bar + scene.bars)
        return f"{bars}: {self._state(scene)}{tr('; something is kept') if scene.kept else ''}"
