"""The picture: the frame of the playhead, with timecode burnt in, streamers ahead of the hits and a punch on each."""

from __future__ import annotations

from fractions import Fraction

from PyQt6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetricsF, QImage, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PyQt6.QtWidgets import QWidget

from desktop import theme
from desktop.frames import Frames
from desktop.language import is_another, words
from desktop.sheet import Sheet
from desktop.streamers import Streamer, streamers
from desktop.transport import Transport
from engines.picture.reel import Reel
from engines.picture.timecode import Timecode

tr = words("viewer")
SETTLED_MS = 150
"""Milliseconds without a change of size after which pictures are fetched for it."""


class Viewer(QWidget):
    """One view of the film. Several may look at the same `Frames`: the window's and that of a second display."""

    failed = pyqtSignal(object)  # FilmError
    left = pyqtSignal()  # Escape was pressed on the full screen
    settled = pyqtSignal()  # it has another size, and keeps it

    def __init__(self, transport: Transport, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.speak()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setMinimumSize(192, 90)
        self.transport = transport
        self.frames: Frames | None = None
        self.burn_in, self.streamers = True, True
        self.shown: int | None = None
        """The number of the frame that is on the screen, whichever was asked for; None before the first has come."""
        self._image: QImage | None = None
        self._sheet: Sheet | None = None
        self._owns = False
        self._beside: Viewer | None = None
        self._settled = QTimer(self)  # a window that is being resized does not fetch every frame anew at every pixel
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLED_MS)
        self._settled.timeout.connect(self._resized)
        transport.moved.connect(self._moved)

    def open(self, reel: Reel | None) -> None:
        """Shows another film, or none."""
        self._let_go()
        if reel is not None:
            frames = Frames(reel, self._pixels(reel))
            frames.failed.connect(self.failed)
            self._look_at(frames, True)
        self.update()

    def share(self, other: Viewer) -> None:
        """Looks at the film of another view."""
        self._let_go()
        if other.frames is not None:
            self._look_at(other.frames, False)

    def close_film(self, wait: bool = True) -> None:
        """Lets go of the film and ends its thread."""
        self._let_go(wait)

    def draw(self, sheet: Sheet | None) -> None:
        """Takes the hits that streamers run to."""
        self._sheet = sheet
        self.update()

    def _look_at(self, frames: Frames, owns: bool) -> None:
        self.frames, self._owns = frames, owns
        frames.arrived.connect(self._arrived)
        frames.passed.connect(self._passed)
        self._moved(self.transport.frame)

    def _let_go(self, wait: bool = False) -> None:
        if self.frames is not None:
            self.frames.arrived.disconnect(self._arrived)
            self.frames.passed.disconnect(self._passed)
            if self._owns:
                self.frames.failed.disconnect(self.failed)
                self.frames.close(wait)
        self.frames, self.shown, self._image = None, None, None

    def _moved(self, frame: int) -> None:
        if self.frames is None:
            self.update()
            return
        self.frames.want(frame, self.transport.speed)
        self._take(frame)

    def _arrived(self, frame: int) -> None:
        if frame == self.transport.frame or self.shown is None:
            self._take(self.transport.frame)

    def _passed(self, frame: int) -> None:
        if self.shown != self.transport.frame:
            self._take(self.transport.frame)

    def _take(self, frame: int) -> None:
        """Shows the frame if it is in hand, else the nearest that is nearer than what is shown, until it is."""
        assert self.frames is not None
        image = self.frames.image(frame)
        if image is not None:
            self.shown, self._image = frame, image
        elif self.shown is not None:
            near = self.frames.nearest(frame)
            if near is not None and abs(near[0] - frame) < abs(self.shown - frame):
                self.shown, self._image = near
        self.update()

    @property
    def timecode(self) -> Timecode:
        """The label of the frame that is on the screen: the reel's own start and rate, drop-frame where it is."""
        frame = self.transport.frame if self.shown is None else self.shown
        if self._sheet is not None:
            return self._sheet.start + frame
        reel = None if self.frames is None else self.frames.reel
        rate = Fraction(24) if reel is None else reel.rate
        start = reel.start_timecode if reel is not None else None
        return (start or Timecode(0, rate)) + frame

    def place(self, reel: Reel | None = None) -> QRectF:
        """Where the picture (of the film that is shown) lies in the widget, its own shape kept."""
        reel = reel if reel is not None or self.frames is None else self.frames.reel
        if reel is None:
            return QRectF(self.rect())
        scale = min(self.width() / reel.width, self.height() / reel.height)
        wide, high = reel.width * scale, reel.height * scale
        return QRectF(round((self.width() - wide) / 2), round((self.height() - high) / 2), round(wide), round(high))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802  Qt's name
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#000000"))
        place = self.place()
        if self._image is not None:
            wide = round(place.width())
            smooth = self._image.width() != wide and 2 * self._image.width() >= wide  # a small one is there for a moment
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(place, self._image)
        elif self.frames is None:
            painter.setPen(theme.DARK.colour("dim"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, tr("The film is not at hand"))
        if self._sheet is not None and self.streamers:
            self._paint_streamers(painter, place)
        if self.burn_in and (self.frames is not None or self._sheet is not None):
            self._paint_timecode(painter, place)

    def _paint_timecode(self, painter: QPainter, place: QRectF) -> None:
        font = theme.figures(max(8.0, min(18.0, place.height() / 34)), bold=True)
        painter.setFont(font)
        label, metrics = str(self.timecode), QFontMetricsF(font)
        pad = metrics.height() * 0.35
        size = metrics.horizontalAdvance(label) + 2 * pad, metrics.height() + pad
        box = QRectF(place.center().x() - size[0] / 2, place.bottom() - size[1] - pad, *size)
        painter.fillRect(box, QColor(0, 0, 0, 165))
        painter.setPen(QColor("#f2f2f2"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, label)

    def _paint_streamers(self, painter: QPainter, place: QRectF) -> None:
        assert self._sheet is not None
        frame = self.transport.frame if self.shown is None else self.shown
        now = float(self.transport.timing.time(min(frame, self.transport.timing.frames - 1)))
        for streamer in streamers(self._sheet.marks, self._sheet.hit_at, now, frame):
            self._paint_streamer(painter, place, streamer)

    def _paint_streamer(self, painter: QPainter, place: QRectF, streamer: Streamer) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = theme.DARK.colour("accent" if streamer.hard else "near")
        if streamer.punch is not None:
            size = place.height() * (0.09 if streamer.hard else 0.06)
            painter.setBrush(QColor(255, 255, 255, round(255 * streamer.punch)))
            painter.setPen(QPen(colour, max(2.0, place.height() / 160)))
            painter.drawEllipse(place.center(), size, size)
            return
        # a line scribed across the film runs from left to right, its foot ahead of its head
        lean = place.width() * 0.05
        x = place.left() + streamer.way * place.width()
        pen = QPen(colour, max(2.0, place.width() / 260))
        painter.save()
        painter.setClipRect(place)
        painter.setPen(pen)
        painter.drawLine(QPointF(x - lean, place.top()), QPointF(x, place.bottom()))
        painter.restore()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802  Qt's name
        self._settled.start()

    def _resized(self) -> None:
        if self.frames is not None and self._owns:
            self.frames.show_at(self._pixels())
            self.frames.want(self.transport.frame, self.transport.speed)
        self.settled.emit()

    def beside(self, other: Viewer | None) -> None:
        """Fetches pictures as large as another view of them needs; None for itself alone."""
        self._beside = other
        self._settled.start()

    def speak(self) -> None:
        """Says its name again, in the language that the window speaks now."""
        self.setAccessibleName(tr("Picture"))
        if self.isWindow() and self.parent() is None:
            self.setWindowTitle(tr("Picture"))

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802  Qt's name
        if is_another(event):
            self.speak()
            self.update()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802  Qt's name
        if event is not None and event.key() == Qt.Key.Key_Escape and self.isWindow():
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def _pixels(self, reel: Reel | None = None) -> int:
        """Pixels of the screen that the picture is wide."""
        wide = round(self.place(reel).width() * self.devicePixelRatioF())
        return wide if self._beside is None else max(wide, self._beside._pixels(reel))
