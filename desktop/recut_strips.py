"""The old cut over the new one: two strips of shots on one scale, ribbons from each shot to where it went, and the bars under them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QWheelEvent
from PyQt6.QtWidgets import QWidget

from desktop import theme
from desktop.language import words
from desktop.recut_rows import COLOURS, LETTERS, PATTERNS, Recutting, Row
from desktop.scale import Scale

tr = words("recut")

NAMES = 54
"""Pixels on the left, for the names of the strips."""
TALL, LOW, BARS = 72, 30, 18
"""Pixels: a strip at most and at least, and the bars under them."""
EDGE = 7
"""Pixels above the old cut, and under the bars."""
BAND = 5
"""Pixels at the edge of a shot in the colour of its change."""
LEGIBLE = 14
"""Pixels that a shot needs to show its letter."""


@dataclass(frozen=True)
class Laid:
    """A shot in a strip: its change, seconds of its cut, and its first frame. ``beside`` are seconds of both cuts at which its neighbours
    meet without it: where it was put in, or taken out."""

    row: Row
    start: float
    end: float
    frame: int
    beside: tuple[float, float] = (0.0, 0.0)


class Strips(QWidget):
    """Both cuts. Wheel scrolls, with Ctrl it zooms; a click selects a change."""

    selected = pyqtSignal(int)  # the number of a change
    wanted = pyqtSignal(object, object)  # frames of the old film and of the new one whose pictures are in view

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(tr("The old cut over the new one"))
        self.setMinimumHeight(3 * LOW + BARS + 2 * EDGE)
        self.setMouseTracking(True)
        self._recutting: Recutting | None = None
        self._old: list[Laid] = []
        self._new: list[Laid] = []
        self._bars: list[tuple[float, float, str]] = []
        self._edges: list[float] = []
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
        self._old, self._new, self._bars = [], [], []
        if recutting is not None:
            old, new = recutting.old, recutting.offer.new.programme
            beside = 0.0, 0.0
            for row in recutting.rows:
                was, now = row.change.old, row.change.new
                for place, laid, rate in ((was, self._old, old.rate), (now, self._new, new.rate)):
                    if place is not None:
                        laid.append(Laid(row, float(place.start / rate), float(place.end / rate), place.start, beside))
                ends = (float(was.end / old.rate) if was else beside[0], float(now.end / new.rate) if now else beside[1])
                beside = ends
            self._old.sort(key=lambda shot: shot.start)
            if fresh:
                self._edges = edges_of(recutting)
            self._bars = bars_of(recutting, self._edges)
            length = float(max(old.frames / old.rate, new.frames / new.rate))
            if fresh:
                self._images = ({}, {})
                self.scale = Scale(0.0, 1.0, max(1, self.width() - NAMES), length).fitted()
        self._changed()

    def show_image(self, new: bool, frame: int, image: QImage) -> None:
        """A picture of one of the films."""
        self._images[new][frame] = image
        self.update()

    def select(self, number: int) -> None:
        """Another change, brought into view."""
        self._current = number
        shot = next((shot for shot in (*self._new, *self._old) if shot.row.number == number), None)
        if shot is not None and not (self.scale.left <= shot.start and shot.end <= self.scale.right):
            self.scale = self.scale.moved((shot.start + shot.end - self.scale.right + self.scale.left) / 2)
        self._changed()

    def _changed(self) -> None:
        self.update()
        shown = ([shot.frame for shot in self._in_view(strip)] for strip in (self._old, self._new))
        self.wanted.emit(*shown)

    def _in_view(self, strip: Iterable[Laid]) -> list[Laid]:
        return [shot for shot in strip if shot.end > self.scale.left and shot.start < self.scale.right]

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

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        if event is None:
            return
        keys = {Qt.Key.Key_Plus: 1.5, Qt.Key.Key_Equal: 1.5, Qt.Key.Key_Minus: 1 / 1.5}
        key = Qt.Key(event.key())
        if key in keys:
            self.scale = self.scale.zoomed(keys[key], self.scale.width / 2)
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
        strip = self._old if place.y() < sum(self._tops) / 2 + self._shot / 2 else self._new
        at = self.scale.seconds(place.x() - NAMES)
        return next((shot for shot in strip if shot.start <= at < shot.end), None)

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
            for shot in (*self._new, *(shot for shot in self._old if shot.row.change.new is None)):
                self._ribbon(painter, shot, tops, look)
            for strip, images, top in ((self._old, self._images[0], tops[0]), (self._new, self._images[1], tops[1])):
                for shot in self._in_view(strip):
                    self._paint_shot(painter, shot, images.get(shot.frame), top, strip is self._new, look)
            self._paint_bars(painter, tops[1] + high + 3, look)
        painter.end()

    def _ribbon(self, painter: QPainter, shot: Laid, tops: tuple[float, float], look: theme.Theme) -> None:
        change = shot.row.change
        if self._recutting is None:
            return
        xs = [self.scale.x(at) for at in ribbon(self._recutting, shot)]
        if max(xs) < 0 or min(xs) > self.scale.width:
            return
        above, below = tops[0] + self._shot, tops[1]
        path = QPainterPath(QPointF(xs[0], above))
        bend = (below - above) / 2
        path.cubicTo(QPointF(xs[0], above + bend), QPointF(xs[2], below - bend), QPointF(xs[2], below))
        path.lineTo(xs[3], below)
        path.cubicTo(QPointF(xs[3], below - bend), QPointF(xs[1], above + bend), QPointF(xs[1], above))
        path.closeSubpath()
        name = COLOURS[change.kind]
        chosen = shot.row.number == self._current
        painter.fillPath(path, look.colour(name, 120 if chosen else 46))
        painter.setPen(QPen(look.colour(name, 220 if chosen else 110), 1))
        painter.drawPath(path)

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
        for start, end, kind in self._bars:
            x, right = self.scale.x(start), self.scale.x(end)
            if right < 0 or x > self.scale.width:
                continue
            box = QRectF(x, top, max(1.0, right - x - 1), BARS - 4)
            if kind == "kept":
                painter.fillRect(box, look.colour("raised"))
            elif kind == "composed":
                painter.fillRect(box, look.colour("accent"))
            else:
                painter.fillRect(box, QBrush(look.colour("near"), Qt.BrushStyle.BDiagPattern))
                painter.setPen(QPen(look.colour("near"), 1))
                painter.drawRect(box)


def ribbon(recutting: Recutting, shot: Laid) -> tuple[float, float, float, float]:
    """Seconds in the old cut (from, to) and in the new one of what both show of a shot; of a shot that is in one of them alone, it and the
    place where it is missing."""
    change, there, here = shot.row.change, recutting.old.rate, recutting.offer.new.programme.rate
    if change.old is None:
        return shot.beside[0], shot.beside[0], shot.start, shot.end
    if change.new is None:
        return shot.start, shot.end, shot.beside[1], shot.beside[1]
    head, tail = change.head / here, change.tail / here  # they count in frames of the new cut
    zero = Fraction(0)
    first, last = change.old.start / there + max(zero, head), change.old.end / there - max(zero, tail)
    return float(first), float(last), shot.start - float(min(zero, head)), shot.end + float(min(zero, tail))


def edges_of(recutting: Recutting) -> list[float]:
    """The bar lines of the new map in seconds, and the end of the new cut."""
    tempo_map, programme = recutting.offer.recut.tempo_map, recutting.offer.new.programme
    end = programme.frames / programme.rate
    return [*(float(tempo_map.seconds(bar.start)) for bar in tempo_map.bars_until(tempo_map.beat(end))), float(end)]


def bars_of(recutting: Recutting, edges: Sequence[float]) -> list[tuple[float, float, str]]:
    """Seconds of every new bar, and whether it is ``kept``, ``composed`` or left ``by hand``."""
    hand = {bar for first, end in recutting.by_hand for bar in range(first, end)}
    return [
        (edges[k], edges[k + 1], "kept" if old is not None else "by hand" if k in hand else "composed")
        for k, old in enumerate(recutting.offer.recut.bars[: len(edges) - 1])
    ]
