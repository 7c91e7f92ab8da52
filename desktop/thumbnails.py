"""Small pictures of the shots, made one after another in a thread of their own while nothing more urgent is asked of the film."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtGui import QImage

from desktop.ending import outlive
from desktop.frames import painted
from engines.errors import FilmError
from engines.picture.reel import Reel

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

MOST = 800
"""Pictures in hand; the longest unseen goes first."""
HEIGHT = 48
HUSH_MS = 400
"""After the playhead was last moved by hand, before pictures are made again."""


class Thumbnails(QObject):
    """Asked for the frames in view, it gives them one at a time, those asked for last first."""

    made = pyqtSignal(int, QImage)

    def __init__(self, reel: Reel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reel = reel
        self._news = threading.Condition()
        self._wanted: list[int] = []
        self._held: OrderedDict[int, QImage] = OrderedDict()
        self._resting, self._hushed, self._closing = False, False, False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(HUSH_MS)
        self._later.timeout.connect(self._go_on)
        self._thread = threading.Thread(target=self._work, name="thumbnails", daemon=True)
        self._thread.start()

    def want(self, frames: Iterable[int]) -> None:
        """Asks for these and forgets what was asked for before."""
        with self._news:
            self._wanted = [frame for frame in frames if frame not in self._held]
            self._news.notify()

    def rest(self, resting: bool) -> None:
        """Leaves the processor to the picture while it rolls."""
        with self._news:
            self._resting = resting
            self._news.notify()

    def hush(self) -> None:
        """Leaves it to the picture for a moment: it is being searched for."""
        with self._news:
            self._hushed = True
        self._later.start()

    def _go_on(self) -> None:
        with self._news:
            self._hushed = False
            self._news.notify()

    def close(self, wait: bool = True) -> None:
        """Ends the thread; without ``wait`` as soon as the frame is decoded that it is at."""
        with self._news:
            self._closing = True
            self._news.notify()
        if wait:
            self._thread.join()
        outlive(self._thread, self)

    def _work(self) -> None:
        from av.error import FFmpegError

        high = HEIGHT
        scale = painted(self._reel, round(self._reel.width * high / self._reel.height), high)
        try:
            with self._reel.held_open() as run:
                while (frame := self._next()) is not None:
                    self._make(run, frame, scale)
        except (FilmError, FFmpegError):
            return  # the picture itself says what is wrong with the film; a shot without a thumbnail stays grey

    def _make(
        self, run: Callable[[int], Iterator[tuple[int, VideoFrame]]], frame: int, scale: Callable[[VideoFrame], QImage]
    ) -> None:
        for index, picture in run(frame):
            if self._gone():
                return
            if index >= frame:
                image = scale(picture)
                with self._news:
                    self._held[frame] = image
                    while len(self._held) > MOST:
                        self._held.popitem(last=False)
                self.made.emit(frame, image)
                return

    def _gone(self) -> bool:
        """Waits while the film is wanted for more; whether it was closed."""
        with self._news:
            while (self._resting or self._hushed) and not self._closing:
                self._news.wait()
            return self._closing

    def _next(self) -> int | None:
        with self._news:
            while not self._closing:
                if self._wanted and not (self._resting or self._hushed):
                    return self._wanted.pop(0)
                self._news.wait()
            return None
