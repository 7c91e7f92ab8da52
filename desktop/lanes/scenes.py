"""The scenes: what is scored together, which take is heard, and what is kept."""

from __future__ import annotations

from PyQt6.QtCore import QLineF, QRectF
from PyQt6.QtGui import QPainter

from desktop.lanes.lane import Ink, Lane
from desktop.language import words
from desktop.scale import Scale
from desktop.sheet import SceneMark, Sheet

tr = words("timeline")


class Scenes(Lane):
    """A block a scene; that under the playhead, which Enter refills, has a line in the accent."""

    height = 24

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.current: int | None = None

    def paint(self, painter: QPainter, scale: Scale, sheet: Sheet, ink: Ink) -> None:
        for scene in sheet.scenes:
            left, right = scale.x(scene.start), scale.x(min(scene.end, sheet.duration))
            if right < 0 or left > scale.width:
                continue
            self._block(painter, QRectF(left + 1, 2, max(1.0, right - left - 2), self.height - 4), scene, ink)

    def _block(self, painter: QPainter, box: QRectF, scene: SceneMark, ink: Ink) -> None:
        here = scene.number == self.current
        painter.fillRect(box, ink.colour("raised" if scene.take is not None else "ground"))
        painter.setPen(ink.pen("accent" if here else "line"))
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        text = f"{scene.number}" if not scene.name else f"{scene.number}  {scene.name}"
        x = max(box.left(), 0.0) + 6
        room = box.right() - x - 4
        if room < ink.width(text):
            text = str(scene.number)
        if room < ink.width(text):
            return
        used = ink.write(painter, x, box.top() + 3, text, "text" if scene.take is not None else "dim")
        state = self._state(scene)
        if used + 14 + ink.width(state) < room:
            ink.write(painter, x + used + 12, box.top() + 3, state, "dim")
        if scene.kept:
            painter.setPen(ink.pen("accent", 2))
            painter.drawLine(QLineF(box.left() + 2, box.bottom() - 1, box.right() - 2, box.bottom() - 1))

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
