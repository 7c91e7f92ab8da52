"""The timeline: lanes under one ruler, a playhead over them; it scrolls and zooms, and hands over what is done to hits and bars.

Everything that does not move is painted once into a picture of the lanes; the playhead crosses that picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from PyQt6.QtCore import QEvent, QLineF, QPoint, QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPixmap, QPolygonF, QResizeEvent, QWheelEvent
from PyQt6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from desktop.lanes.hits import Hits
from desktop.lanes.intensity import Intensity
from desktop.lanes.lane import Grip, Ink, Lane
from desktop.lanes.ruler import Ruler, say_locked
from desktop.lanes.scenes import Scenes
from desktop.lanes.shots import Shots
from desktop.lanes.tempo import Tempo
from desktop.language import is_another, words
from desktop.scale import Scale
from desktop.sheet import Sheet
from desktop.thumbnails import Thumbnails
from desktop.transport import Transport
from engines.picture.reel import Reel

tr = words("timeline")
HEADER = 78
"""Pixels of the column with the names of the lanes."""
ZOOM = 1.25
"""One notch of the wheel, one press of a key."""
LOOKS = {QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange}
NOTCH = 120
"""Eighths of a degree: one notch of a mouse wheel."""


class Timeline(QAbstractScrollArea):
    """What it shows comes by `draw`; what the composer does leaves as signals."""

    hit_selected = pyqtSignal(object)  # the frame of the selected hit, None where none is
    hit_moved = pyqtSignal(int, int)  # a hit's frame, and the frame to which it was dragged
    hit_weighed = pyqtSignal(int, float)  # a hit's frame, and its new weight 0..1
    hit_wanted = pyqtSignal(int)  # a frame on which a hit shall be
    bars_freed = pyqtSignal(int, int)  # first and last bar, from 1, that shall be locked no longer
    shaped = pyqtSignal(object)  # {bar from 0: energy 0..1, None for back to the picture}
    scaled = pyqtSignal(object)  # Scale: what is in view from now on

    def __init__(self, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.transport = transport
        self.ruler, self.scenes, self.shots = Ruler(""), Scenes(""), Shots("")
        self.hits, self.tempo, self.intensity = Hits(""), Tempo(""), Intensity("")
        self.lanes: tuple[Lane, ...] = (self.ruler, self.scenes, self.shots, self.hits, self.tempo, self.intensity)
        self.ruler.on_free = self.bars_freed.emit
        self.hits.on_select = self.hit_selected.emit
        self.hits.on_move = self.hit_moved.emit
        self.hits.on_weigh = self.hit_weighed.emit
        self.intensity.on_shape = self._shaped
        self.scale = Scale()
        self.sheet: Sheet | None = None
        self._ink: Ink | None = None
        self._still: QPixmap | None = None
        self._stale = True
        self._grip: Grip | None = None
        self._grip_lane: Lane | None = None
        self._head = 0
        self._thumbnails: Thumbnails | None = None
        self._names = _Names(self)
        self.speak()
        self.setViewportMargins(HEADER, 0, 0, 0)
        view = self.viewport()
        assert view is not None
        view.setMouseTracking(True)
        view.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        bar = self.horizontalScrollBar()
        assert bar is not None
        bar.valueChanged.connect(self._scrolled)
        transport.moved.connect(self._moved)
        transport.rolled.connect(self._rolled)
        height = self.rows + bar.sizeHint().height()
        self.setMinimumHeight(height)
        self.setMaximumHeight(height)

    @property
    def rows(self) -> int:
        """Pixels of all lanes."""
        return sum(lane.height for lane in self.lanes)

    # what is shown

    def draw(self, sheet: Sheet | None) -> None:
        """Shows another sheet; the same film keeps its place and zoom."""
        same = sheet is not None and self.sheet is not None and sheet.duration == self.sheet.duration
        self.sheet = sheet
        if sheet is not None and self.hits.selected not in {mark.hit.frame for mark in sheet.marks}:
            self.select(None)
        if sheet is not None and not same:
            self.scale = Scale(0.0, 1.0, self._wide(), max(sheet.duration, 1e-3)).fitted()
            self.scaled.emit(self.scale)
        self.speak()
        self._set_bar()
        self._under_playhead()
        self.refresh()

    def speak(self) -> None:
        """Names itself and its lanes in the language that the window speaks now."""
        self.setAccessibleName(tr("Timeline"))
        titles = ("", tr("Scenes"), tr("Shots"), tr("Hits"), tr("Tempo"), tr("Intensity"))
        for lane, title in zip(self.lanes, titles, strict=True):
            lane.title = title
        sheet = self.sheet
        self.setAccessibleDescription(" ".join(say_locked(run, sheet) for run in sheet.locked) if sheet is not None else "")

    def open(self, reel: Reel | None) -> None:
        """Takes the thumbnails of another film."""
        self.close_film()
        self.shots.pictures = {}
        for lane in self.lanes:
            lane.timing = None if reel is None else reel.timing
        if reel is not None:
            self._thumbnails = Thumbnails(reel)
            self._thumbnails.made.connect(self._pictured)
            self.transport.located.connect(self._thumbnails.hush)
        self.refresh()

    def close_film(self, wait: bool = False) -> None:
        """Lets go of the film and ends the thread of its thumbnails."""
        if self._thumbnails is not None:
            self._thumbnails.made.disconnect(self._pictured)
            self.transport.located.disconnect(self._thumbnails.hush)
            self._thumbnails.close(wait)
            self._thumbnails = None

    def refresh(self) -> None:
        """Paints all of it anew."""
        self._stale = True
        view = self.viewport()
        if view is not None:
            view.update()

    def select(self, frame: int | None) -> None:
        """Selects the hit on a frame."""
        if frame != self.hits.selected:
            self.hits.selected = frame
            self.hit_selected.emit(frame)
            self.refresh()

    def zoom(self, factor: float, x: float | None = None) -> None:
        """Closer by a factor, about a pixel, or about the playhead where it is in view, else the middle."""
        if x is None:
            head = self.scale.x(float(self.transport.seconds))
            x = head if 0 <= head <= self.scale.width else self.scale.width / 2
        self._show(self.scale.zoomed(factor, x))

    def fit(self) -> None:
        """The whole film in view."""
        self._show(self.scale.fitted())

    def reveal(self, seconds: float) -> None:
        """Scrolls until a moment is in view."""
        self._show(self.scale.follow(seconds))

    def _show(self, scale: Scale) -> None:
        if scale != self.scale:
            self.scale = scale
            self._set_bar()
            self.refresh()
            self.scaled.emit(scale)

    def _wide(self) -> int:
        view = self.viewport()
        return max(1, view.width() if view is not None else 1)

    def _set_bar(self) -> None:
        bar = self.horizontalScrollBar()
        assert bar is not None
        bar.blockSignals(True)
        whole = round(self.scale.length / self.scale.step)
        bar.setRange(0, max(0, whole - self.scale.width))
        bar.setPageStep(self.scale.width)
        bar.setSingleStep(max(1, self.scale.width // 20))
        bar.setValue(round(self.scale.left / self.scale.step))
        bar.blockSignals(False)

    def _scrolled(self, value: int) -> None:
        self.scale = self.scale.moved(value * self.scale.step)
        self.refresh()
        self.scaled.emit(self.scale)

    def _pictured(self, frame: int, image: QImage) -> None:
        self.shots.pictures[frame] = image
        self.refresh()

    def _shaped(self, drawn: Mapping[int, float | None]) -> None:
        self.shaped.emit(dict(drawn))

    # the playhead

    def _moved(self, frame: int) -> None:
        seconds = float(self.transport.seconds)
        before = self._head
        if self._grip is None and not self.scale.left <= seconds < self.scale.right:
            self.reveal(seconds)
        self._head = round(self.scale.x(seconds))
        if self._under_playhead():
            self.refresh()
        view = self.viewport()
        if view is not None:
            for x in (before, self._head):
                view.update(QRect(x - 6, 0, 13, self.rows))

    def _rolled(self, speed: float) -> None:
        if self._thumbnails is not None:
            self._thumbnails.rest(speed != 0)

    def _under_playhead(self) -> bool:
        """Marks the scene under the playhead; whether it is another than before."""
        scene = None if self.sheet is None else self.sheet.scene_at(float(self.transport.seconds))
        number = None if scene is None else scene.number
        changed = number != self.scenes.current
        self.scenes.current = number
        return changed

    # painting

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        view = self.viewport()
        assert view is not None
        assert event is not None
        if self._stale or self._still is None:
            self._still = self._paint(view.devicePixelRatioF())
            self._stale = False
        painter = QPainter(view)
        ratio, part = self._still.devicePixelRatio(), event.rect()
        source = QRect(*(round(n * ratio) for n in (part.x(), part.y(), part.width(), part.height())))
        painter.drawPixmap(part, self._still, source)
        self._paint_head(painter)

    def _paint(self, ratio: float) -> QPixmap:
        """The lanes as they are in view."""
        if self._ink is None:
            self._ink = Ink.fresh()
        view = self.viewport()
        assert view is not None
        size = QSize(round(view.width() * ratio), round(view.height() * ratio))
        still = self._still
        if still is None or still.size() != size or still.devicePixelRatio() != ratio:
            still = QPixmap(size)
            still.setDevicePixelRatio(ratio)
        still.fill(self._ink.colour("ground"))
        if self.sheet is None:
            return still
        painter = QPainter(still)
        top = 0
        for lane in self.lanes:
            painter.save()
            painter.translate(0, top)
            painter.setClipRect(0, 0, view.width(), lane.height)
            lane.paint(painter, self.scale, self.sheet, self._ink)
            painter.restore()
            top += lane.height
        painter.end()
        if self._thumbnails is not None and self.shots.wanted:
            self._thumbnails.want(self.shots.wanted)
        return still

    def _paint_head(self, painter: QPainter) -> None:
        if self.sheet is None:
            return
        assert self._ink is not None
        x = round(self.scale.x(float(self.transport.seconds)))
        painter.setPen(self._ink.pen("text", 1))
        painter.drawLine(QLineF(x + 0.5, 0, x + 0.5, self.rows))
        painter.setBrush(self._ink.colour("text"))
        painter.drawPolygon(QPolygonF([QLineF(x - 4, 0, x, 0).p1(), QLineF(x + 5, 0, x, 0).p1(), QLineF(x + 0.5, 6, x, 0).p1()]))

    # what the composer does

    def _lane_at(self, y: float) -> tuple[Lane | None, float]:
        for lane in self.lanes:
            if y < lane.height:
                return lane, y
            y -= lane.height
        return None, y

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        if event is None or self.sheet is None or event.button() != Qt.MouseButton.LeftButton:
            return
        at = event.position()
        lane, y = self._lane_at(at.y())
        self.intensity.back = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        self._grip = lane.press(at.x(), y, self.scale, self.sheet) if lane is not None else None
        self._grip_lane = lane
        if self._grip is None:
            self._grip = Grip(lambda x, y: self._scrub(x), lambda: None)
            self._scrub(at.x())
        self.refresh()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        if event is None or self._grip is None:
            return
        y = event.position().y()
        for lane in self.lanes:
            if lane is self._grip_lane:
                break
            y -= lane.height
        self._grip.move(event.position().x(), y)
        self.refresh()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        grip, self._grip = self._grip, None
        if grip is not None:
            grip.drop()
            self.refresh()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802  Qt's name
        if event is None or self.sheet is None:
            return
        lane, _ = self._lane_at(event.position().y())
        if lane is self.hits and self.hits.at(event.position().x(), self.scale, self.sheet) is None:
            self.hit_wanted.emit(self._frame_at(event.position().x()))
        else:
            self.mousePressEvent(event)

    def _frame_at(self, x: float) -> int:
        return self.transport.timing.at(Fraction(max(0.0, self.scale.seconds(x))))

    def _scrub(self, x: float) -> None:
        self.transport.locate(self._frame_at(x))

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802  Qt's name
        if event is None:
            return
        turn = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(ZOOM ** (turn.y() / NOTCH), event.position().x())
        else:
            pixels = event.pixelDelta()
            by = pixels.x() or pixels.y() or (turn.x() or turn.y()) * self.scale.width / NOTCH / 10
            self._show(self.scale.moved(self.scale.left - by * self.scale.step))
        event.accept()

    def viewportEvent(self, event: QEvent | None) -> bool:  # noqa: N802  Qt's name
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self.sheet is not None:
            lane, y = self._lane_at(event.y())
            said = lane.tip(event.x(), y, self.scale, self.sheet) if lane is not None else ""
            QToolTip.showText(event.globalPos(), said, self)
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        fitted = self.scale.step >= self.scale.widest - 1e-12
        self.scale = Scale(self.scale.left, self.scale.step, self._wide(), self.scale.length).held()
        if fitted:
            self.scale = self.scale.fitted()
        self._names.setGeometry(
            QRect(QPoint(0, 0), self.size().boundedTo(self.size())).intersected(QRect(0, 0, HEADER, self.rows))
        )
        self._set_bar()
        self.refresh()
        self.scaled.emit(self.scale)

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        another = is_another(event)
        if another:
            self.speak()
        if another or (event is not None and event.type() in LOOKS):
            self._ink = None
            self.refresh()
            self._names.update()
        super().changeEvent(event)


class _Names(QWidget):
    """The names of the lanes, which do not scroll."""

    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline)
        self._timeline = timeline

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        painter, ink, top = QPainter(self), Ink.fresh(), 0
        painter.fillRect(self.rect(), ink.colour("panel"))
        for lane in self._timeline.lanes:
            if lane.title:
                ink.write(painter, 10, top + lane.height / 2 - 7, lane.title, "dim")
            painter.setPen(ink.pen("line"))
            top += lane.height
            painter.drawLine(QLineF(0, top - 0.5, self.width(), top - 0.5))
        painter.drawLine(QLineF(self.width() - 0.5, 0, self.width() - 0.5, top))
