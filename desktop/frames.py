"""Frames of the film as they are needed: decoded in a thread of their own, with as many in hand around the playhead as memory allows."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtGui import QImage
from PyQt6.sip import voidptr

from desktop.ending import outlive
from desktop.groups import Groups
from engines.errors import FilmError
from engines.picture.reel import Reel

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

BUDGET = 256 * 2**20
"""Bytes of pictures in hand: a hundred of 960 x 540, thirty of 1080p."""
AHEAD, BEHIND = 64, 32
"""Frames in hand in the direction of travel and against it, as far as the budget reaches."""
BLOCK = 16
"""Frames fetched at once when going back: one search for a key frame gives so many."""
ROUGH, EVERY, ROUGHS = 320, 12, 240
"""Small pictures of what a search decodes on its way: their width in pixels, every how many frames there is one, how many are held
(50 MB of films twice as wide as high)."""
WIDEST = 1920
"""Pixels to which pictures of small films are made larger here, so that the window only has to copy them."""


class Stretch(NamedTuple):
    """Frames to fetch in one go: decoded from ``start``, kept from ``start`` up to ``stop``."""

    start: int
    stop: int


class Frames(QObject):
    """The pictures of one reel, upright and with square pixels, scaled to the size at which they are shown.

    Every method may be called from the window's thread and returns at once. `arrived` tells of each frame that has come in, `passed` of
    one on the way to the frame that is asked for, of which there is a small picture.
    """

    arrived = pyqtSignal(int)
    passed = pyqtSignal(int)
    failed = pyqtSignal(object)  # the FilmError that ended it

    def __init__(self, reel: Reel, width: int, budget: int = BUDGET, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reel = reel
        self._budget = budget
        self._news = threading.Condition()
        self._held: dict[int, QImage] = {}
        self._rough: OrderedDict[int, QImage] = OrderedDict()
        self._groups = Groups()
        self._goal, self._way, self._closing = 0, 0, False
        self._width = self._fitted(width)
        self._thread = threading.Thread(target=self._work, name="frames", daemon=True)

    @property
    def bytes_held(self) -> int:
        """Memory of the pictures in hand."""
        with self._news:
            return sum(image.sizeInBytes() for image in self._held.values())

    def image(self, frame: int) -> QImage | None:
        """The picture of a frame, if it is in hand."""
        with self._news:
            return self._held.get(frame)

    def nearest(self, frame: int) -> tuple[int, QImage] | None:
        """Of all pictures in hand, the small ones too, the one nearest to a frame, with its number."""
        with self._news:
            best = min((*self._held, *self._rough), key=lambda k: abs(k - frame), default=None)
            return None if best is None else (best, self._held.get(best) or self._rough[best])

    def want(self, frame: int, speed: float = 0) -> None:
        """Asks for a frame first of all, then for what lies around it, in the direction of travel first."""
        with self._news:
            self._goal, self._way = frame, (speed > 0) - (speed < 0)
            self._news.notify()
            if self._thread.ident is None:  # not before somebody hears what it says
                self._thread.start()

    def show_at(self, width: int) -> None:
        """The width in pixels at which pictures are shown from now on."""
        with self._news:
            if (fitted := self._fitted(width)) != self._width:
                self._width = fitted
                self._held.clear()
                self._news.notify()

    def close(self, wait: bool = True) -> None:
        """Ends the thread and lets go of the film; without ``wait`` as soon as the frame is decoded that it is at."""
        with self._news:
            self._closing = True
            self._held.clear()
            self._rough.clear()
            self._news.notify()
        if wait and self._thread.ident is not None:
            self._thread.join()
        outlive(self._thread, self)

    def _fitted(self, width: int) -> int:
        return max(1, min(width, max(self.reel.width, WIDEST)))

    def _work(self) -> None:
        try:
            with self.reel.held_open() as run:
                self._serve(run)
        except FilmError as error:
            with self._news:
                closing = self._closing
            if not closing:
                self.failed.emit(error)

    def _serve(self, run: Callable[[int], Iterator[tuple[int, VideoFrame]]]) -> None:
        from av.error import FFmpegError

        frames: Iterator[tuple[int, VideoFrame]] = iter(())
        at, width = -1, 0  # the frame that comes next, -1 where none does; the width that the scaler was made for
        shape = self.reel.height / self.reel.width
        sketch = painted(self.reel, ROUGH, max(1, round(ROUGH * shape)))
        while (stretch := self._next()) is not None:
            if width != self._width:
                width = self._width
                paint = painted(self.reel, width, max(1, round(width * shape)))
            if not self._groups.worth(at, stretch.start):
                frames, at = self._learning(run(stretch.start)), stretch.start
            try:
                at = self._fetch(frames, stretch, paint, sketch, width)
            except FFmpegError as error:
                said = f"the picture cannot be decoded at frame {stretch.start} ({error.strerror})"
                raise FilmError(said, where=self.reel.path, cure="copy the film again from its source") from None

    def _learning(self, frames: Iterator[tuple[int, VideoFrame]]) -> Iterator[tuple[int, VideoFrame]]:
        """The same frames, while what they tell of key frames is noted."""
        first = True
        for index, frame in frames:
            self._groups.met(index, bool(frame.key_frame), first)
            first = False
            yield index, frame

    def _fetch(
        self,
        frames: Iterator[tuple[int, VideoFrame]],
        stretch: Stretch,
        scale: Callable[[VideoFrame], QImage],
        sketch: Callable[[VideoFrame], QImage],
        width: int,
    ) -> int:
        """Keeps what a stretch asks for, until something more urgent is asked; the frame that comes next, -1 where none does."""
        index = stretch.start - 1
        for met, (index, frame) in enumerate(frames):
            if index < stretch.start:
                if met % EVERY == 0:
                    self._pass(index, frame, sketch)
                kept = True
            else:
                kept = self._keep(index, scale(frame), width)
            if not kept or index + 1 >= stretch.stop or self._hurried(index + 1, stretch.stop):
                return index + 1
        self._lacking(index + 1, stretch.stop)
        return -1

    def _pass(self, index: int, frame: VideoFrame, sketch: Callable[[VideoFrame], QImage]) -> None:
        """Has a small picture of a frame on the way, to be shown until the right one is there, and held for the next search."""
        with self._news:
            there = index in self._rough or index in self._held
        image = None if there else sketch(frame)
        with self._news:
            if self._closing:
                return
            if image is not None:
                self._rough[index] = image
                while len(self._rough) > ROUGHS:
                    self._rough.popitem(last=False)
        self.passed.emit(index)

    def _keep(self, index: int, image: QImage, width: int) -> bool:
        """Takes a frame in, unless it has another size than is shown now; the furthest from the playhead goes out for it."""
        with self._news:
            if width != self._width or self._closing:
                return False
            self._held[index] = image
            room = max(2, self._budget // max(1, image.sizeInBytes()))
            while len(self._held) > room:
                del self._held[max(self._held, key=self._distance)]
        self.arrived.emit(index)
        return True

    def _distance(self, frame: int) -> float:
        """How dispensable a frame is: those behind count double, since the playhead goes away from them."""
        ahead = (frame - self._goal) * (self._way or 1)
        return ahead if ahead >= 0 else -2 * ahead

    def _hurried(self, following: int, stop: int) -> bool:
        """Whether the frame that is asked for first is missing and does not come soon."""
        with self._news:
            return self._closing or (self._goal not in self._held and not following <= self._goal <= stop)

    def _lacking(self, start: int, stop: int) -> None:
        """Frames that the film promised and the decoder did not give show the last one that it gave."""
        with self._news:
            last = self._held.get(start - 1)
            if last is None:
                return
            for index in range(start, min(stop, self.reel.frames)):
                self._held[index] = last
        self.arrived.emit(start)

    def _next(self) -> Stretch | None:
        """Waits until some frame is missing, and says which to fetch; None when the film is closed."""
        with self._news:
            while True:
                if self._closing:
                    return None
                if (stretch := self._missing()) is not None:
                    return stretch
                self._news.wait()

    def _missing(self) -> Stretch | None:
        goal, last = self._goal, self.reel.frames - 1
        size = next(iter(self._held.values())).sizeInBytes() if self._held else self._width**2 * 4
        room = max(2, self._budget // max(1, size)) - 1
        near, far = min(AHEAD, room * 2 // 3), min(BEHIND, room // 3)
        ahead, behind = (near, far) if self._way >= 0 else (far, near)
        if goal not in self._held:
            start = max(0, goal - min(BLOCK, behind) + 1) if self._way < 0 else goal
            return Stretch(start, goal + 1)
        onwards = next((k for k in range(goal, min(last, goal + ahead) + 1) if k not in self._held), None)
        backwards = next((k for k in range(goal, max(0, goal - behind) - 1, -1) if k not in self._held), None)
        forward = onwards is not None and Stretch(onwards, min(last, goal + ahead) + 1)
        backward = backwards is not None and Stretch(max(0, goal - behind, backwards - BLOCK + 1), backwards + 1)
        first, second = (forward, backward) if self._way >= 0 else (backward, forward)
        return first or second or None


def painted(reel: Reel, width: int, height: int) -> Callable[[VideoFrame], QImage]:
    """Turns decoded frames of a reel into upright pictures of that size, 32 bits a pixel, as the screen has them."""
    from av.video.reformatter import Interpolation, VideoReformatter

    reformatter, turns = VideoReformatter(), reel.rotation // 90
    wide, high = (height, width) if turns % 2 else (width, height)

    def paint(frame: VideoFrame) -> QImage:
        smaller = wide * high < frame.width * frame.height
        how = Interpolation.AREA if smaller else Interpolation.BILINEAR
        pixels: NDArray[Any] = reformatter.reformat(frame, wide, high, "bgra", interpolation=how).to_ndarray()
        pixels = np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
        rows, columns = pixels.shape[:2]
        place: Any = voidptr(pixels.ctypes.data, pixels.nbytes)  # PyQt6.sip and the stubs of Qt name one type twice
        image: QImage = QImage(place, columns, rows, pixels.strides[0], QImage.Format.Format_RGB32).copy()
        return image

    return paint
