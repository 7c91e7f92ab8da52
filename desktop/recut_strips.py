"""The old cut over the new one: two strips of shots on one scale, ribbons from each shot to where it went, and the bars under them."""

from __future__ import annotations

from collections.abc import Iterable

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import QWidget

from desktop import theme
from desktop.language import words
from desktop.recut_laid import Laid, Recutting, Ribbon
from desktop.recut_rows import COLOURS, LETTERS, PATTERNS
from desktop.scale import Scale

tr = words("recut")

NAMES = 54
"""Pixels on the left, for the names of the strips."""
TALL, LOW, BARS = 72, 18, 18
"""Pixels: a strip at most and at least, and the bars under them."""
EDGE = 7
"""Pixels above the old cut, and under the bars."""
BAND = 5
"""Pixels at the edge of a shot in the colour of its change."""
ZOOMS = {Qt.Key.Key_Plus: 1.5, Qt.Key.Key_Equal: 1.5, Qt.Key.Key_Minus: 1 / 1.5, Qt.Key.Key_0: 0.0}
"""Keys and how much closer they go; 0 shows all."""
LEGIBLE, NARROW = 14, 3
"""Pixels that a shot needs to show its letter and its picture, and to be more than its colour."""


class Strips(QWidget):
    """Both cuts. Wheel scrolls, with Ctrl it zooms; a click selects a change."""

    selected = pyqtSignal(int)  # the number of a change
    wanted = pyqtSignal(object, object)  # frames of the old film and of the new one whose pictures are in view

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("The old cut over the new one"))
        self.setMinimumSize(3 * NAMES, 3 * LOW + BARS + 2 * EDGE)
        self.setMouseTracking(True)
        self._recutting: Recutting | None = None
        self._bars: list[tuple[float, float, str]] = []
        self._images: tuple[dict[int, QImage], dict[int, QImage]] = ({}, {})
        self._current = 0
        self.scale = Scale()

    def sizeHint(self) -> QSize:  # noqa: N802  Qt's name
        return QSize(900, 180)

    @property
    def _shot(self) -> int:
        """How high a strip is here; they lie as far apart as is left."""
        return min(TALL, (self.height() - BARS - 2 * EDGE) // 3)

    @property
    def _tops(self) -> tuple[float, float]:
        """The upper edges of the strips."""
        return float(EDGE), float(self.height() - EDGE - BARS - self._shot)

    def show_recut(self, recutting: Recutting | None) -> None:
        """Another recut, or the same with something else refused."""
        fresh = recutting is None or self._recutting is None or recutting.offer is not self._recutting.offer
        self._recutting = recutting
        self._bars = [] if recutting is None else recutting.bars()
        if fresh:
            self._images = ({}, {})
            self.scale = Scale(0.0, 1.0, max(1, self.width() - NAMES), 1.0 if recutting is None else recutting.length).fitted()
        self._changed()

    def show_image(self, new: bool, frame: int, image: QImage) -> None:
        """A picture of one of the films."""
        self._images[new][frame] = image
        self.update()

    def select(self, number: int) -> None:
        """Another change, brought into view."""
        self._current = number
        strips = () if self._recutting is None else (self._recutting.here, self._recutting.there)
        shot = next((shot for strip in strips for shot in strip.shots if shot.row.number == number), None)
        if shot is not None and not (self.scale.left <= shot.start and shot.end <= self.scale.right):
            self.scale = self.scale.moved((shot.start + shot.end - self.scale.right + self.scale.left) / 2)
        self._changed()

    def _changed(self) -> None:
        self.update()
        self.wanted.emit(*([shot.frame for shot in shown if self._wide(shot) >= LEGIBLE] for shown in self._shown()))

    def _shown(self) -> tuple[tuple[Laid, ...], tuple[Laid, ...]]:
        """The shots in view: of the old cut, of the new one."""
        if self._recutting is None:
            return (), ()
        left, right = self.scale.left, self.scale.right
        return self._recutting.there.between(left, right), self._recutting.here.between(left, right)

    def _wide(self, shot: Laid) -> float:
        """Pixels."""
        return (shot.end - shot.start) / self.scale.step

    # hands

    def resizeEvent(self, event: object) -> None:  # noqa: N802  Qt's name
        whole = self.scale.step >= self.scale.widest - 1e-12
        self.scale = Scale(self.scale.left, self.scale.step, max(1, self.width() - NAMES), self.scale.length).held()
        if whole:
            self.scale = self.scale.fitted()
        self._changed()

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  Qt's name
        if event is None:
            return
        turn = event.angleDelta().y() or -event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.scale = self.scale.zoomed(1.2 ** (turn / 120), event.position().x() - NAMES)
        else:
            self.scale = self.scale.moved(self.scale.left - turn / 120 * 60 * self.scale.step)
        self._changed()
        event.accept()

    def event(self, event: QEvent | None) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.ShortcutOverride and Qt.Key(event.key()) in ZOOMS:
            event.accept()  # else the timeline would zoom
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        if event is None:
            return
        key = Qt.Key(event.key())
        if ZOOMS.get(key):
            self.scale = self.scale.zoomed(ZOOMS[key], self.scale.width / 2)
        elif key == Qt.Key.Key_0:
            self.scale = self.scale.fitted()
        else:
            super().keyPressEvent(event)
            return
        self._changed()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        shot = None if event is None else self._at(event.position())
        if shot is not None:
            self._current = shot.row.number
            self.selected.emit(shot.row.number)
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        shot = None if event is None else self._at(event.position())
        self.setToolTip("" if shot is None else f"{LETTERS[shot.row.change.kind]} {shot.row.what}".strip())

    def _at(self, place: QPointF) -> Laid | None:
        if self._recutting is None:
            return None
        above = place.y() < sum(self._tops) / 2 + self._shot / 2
        strip = self._recutting.there if above else self._recutting.here
        return strip.at(self.scale.seconds(place.x() - NAMES))

    # paint

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        look = theme.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), look.colour("ground"))
        tops, high = self._tops, self._shot
        painter.setPen(look.colour("dim"))
        small = self.font()
        small.setPointSizeF(8.0)
        painter.setFont(small)
        middle = Qt.AlignmentFlag.AlignVCenter
        for text, top, tall in (
            (tr("old cut"), tops[0], high),
            (tr("new cut"), tops[1], high),
            (tr("bars"), tops[1] + high + 3, BARS),
        ):
            painter.drawText(QRectF(6, top, NAMES - 8, tall), middle, text)
        painter.setClipRect(QRectF(NAMES, 0, self.width() - NAMES, self.height()))
        painter.translate(NAMES, 0)
        if self._recutting is not None:
            for ribbon in self._recutting.ribbons:
                self._paint_ribbon(painter, ribbon, tops, look)
            for new, (shots, top) in enumerate(zip(self._shown(), tops, strict=True)):
                self._paint_narrow(painter, [shot for shot in shots if self._narrow(shot)], top, bool(new), look)
                for shot in shots:
                    if not self._narrow(shot):
                        self._paint_shot(painter, shot, self._images[new].get(shot.frame), top, bool(new), look)
            self._paint_bars(painter, tops[1] + high + 3, look)
        painter.end()

    def _paint_ribbon(self, painter: QPainter, ribbon: Ribbon, tops: tuple[float, float], look: theme.Theme) -> None:
        xs = [self.scale.x(at) for at in (*ribbon.above, *ribbon.below)]
        if max(xs) < 0 or min(xs) > self.scale.width:
            return
        above, below = tops[0] + self._shot, tops[1]
        path = QPainterPath(QPointF(xs[0], above))
        bend = (below - above) / 2
        path.cubicTo(QPointF(xs[0], above + bend), QPointF(xs[2], below - bend), QPointF(xs[2], below))
        path.lineTo(xs[3], below)
        path.cubicTo(QPointF(xs[3], below - bend), QPointF(xs[1], above + bend), QPointF(xs[1], above))
        path.closeSubpath()
        name = COLOURS[ribbon.kind]
        chosen = ribbon.first <= self._current <= ribbon.last
        painter.fillPath(path, look.colour(name, 120 if chosen else 46))
        painter.setPen(QPen(look.colour(name, 220 if chosen else 110), 1))
        painter.drawPath(path)

    def _narrow(self, shot: Laid) -> bool:
        """Whether there is room for its colour alone."""
        return self._wide(shot) < NARROW and shot.row.number != self._current

    def _paint_narrow(self, painter: QPainter, shots: list[Laid], top: float, new: bool, look: theme.Theme) -> None:
        """The colours of many shots; what is of one colour and meets is painted at once."""
        edge = top if new else top + self._shot - BAND
        runs: list[tuple[str, float, float]] = []
        for shot in shots:
            kind: str = shot.row.change.kind
            if runs and runs[-1][0] == kind and self.scale.x(shot.start) - self.scale.x(runs[-1][2]) < 1:
                runs[-1] = runs[-1][0], runs[-1][1], shot.end
            else:
                runs.append((kind, shot.start, shot.end))
        for name, start, end in runs:
            x = self.scale.x(start)
            painter.fillRect(QRectF(x, edge, max(1.0, self.scale.x(end) - x), BAND), look.colour(COLOURS[name]))

    def _paint_shot(self, painter: QPainter, shot: Laid, image: QImage | None, top: float, new: bool, look: theme.Theme) -> None:
        x, end = self.scale.x(shot.start), self.scale.x(shot.end)
        box = QRectF(x, top, max(1.0, end - x - 1), self._shot)
        kind = shot.row.change.kind
        colour = look.colour(COLOURS[kind], 110 if shot.row.along else 255)  # what only slid along is calmer than what was moved
        painter.fillRect(box, look.colour("raised"))
        picture = QRectF(box.left(), box.top() + (BAND if new else 0), box.width(), self._shot - BAND)
        if image is not None and image.height():
            wide = picture.height() * image.width() / image.height()
            shown = QRectF(picture.left(), picture.top(), min(wide, picture.width()), picture.height())
            source = QRectF(0, 0, image.width() * shown.width() / wide, image.height())
            painter.drawImage(shown, image, source)
        if kind != "unmoved" and not shot.row.along:
            faded = QBrush(look.colour(COLOURS[kind], 120), PATTERNS[kind])
            painter.fillRect(
                picture, faded if image is None or kind == "gone" else QBrush(look.colour(COLOURS[kind], 40), PATTERNS[kind])
            )
        painter.fillRect(QRectF(box.left(), box.top() if new else box.bottom() - BAND, box.width(), BAND), colour)
        if box.width() >= LEGIBLE:
            tab = QRectF(box.left() + 2, picture.bottom() - 16 if new else picture.top() + 2, 14, 14)
            painter.fillRect(tab, look.colour("shade", 200))
            painter.setPen(look.colour("text") if kind == "unmoved" else colour)
            painter.drawText(tab, Qt.AlignmentFlag.AlignCenter, LETTERS[kind])
        if shot.row.number == self._current:
            painter.setPen(QPen(look.colour("text"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_bars(self, painter: QPainter, top: float, look: theme.Theme) -> None:
        """Kept bars are hollow, bars to be composed filled, bars left to the composer hatched."""
        colours = {kind: look.colour(name) for kind, name in (("kept", "raised"), ("composed", "accent"), ("by hand", "near"))}
        crowded = len(self._bars) and self.scale.length / len(self._bars) / self.scale.step < NARROW
        for start, end, kind in together(self._bars) if crowded else self._bars:
            x, right = self.scale.x(start), self.scale.x(end)
            if right < 0 or x > self.scale.width:
                continue
            box = QRectF(x, top, max(1.0, right - x - 1), BARS - 4)
            if kind != "by hand":
                painter.fillRect(box, colours[kind])
            else:
                painter.fillRect(box, QBrush(colours[kind], Qt.BrushStyle.BDiagPattern))
                painter.setPen(QPen(colours[kind], 1))
                painter.drawRect(box)


def together(bars: Iterable[tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """Bars of one kind in a row as one."""
    out: list[tuple[float, float, str]] = []
    for start, end, kind in bars:
        if out and out[-1][2] == kind:
            out[-1] = out[-1][0], end, kind
        else:
            out.append((start, end, kind))
    return out
