"""The playhead: where the picture is and how fast it goes, led by the window itself or by whatever it follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal

from engines.picture.timing import Timing

if TYPE_CHECKING:
    from bridge.chase import Reading

FASTEST = 8
"""Times normal speed, after pressing L or J that often."""
FINEST_MS, COARSEST_MS = 4, 20
"""Between two looks at the clock: half a frame, held within these."""
_SECOND = 1_000_000_000


def even(rate: Fraction, frames: int) -> Timing:
    """When the frames of a film are shown that is not at hand: at its rate."""
    return Timing(rate, False, 1 / rate, np.arange(frames, dtype=np.int64))


class Transport(QObject):
    """Position in frames of the film. It shows time, and never makes it for music: the player has a clock of its own."""

    moved = pyqtSignal(int)  # the frame to be shown
    located = pyqtSignal(int)  # the person went to a frame, rolling or not
    rolled = pyqtSignal(float)  # the speed from now on, 0 at rest
    righted = pyqtSignal(object)  # Fraction seconds on or back, to where the music is: other sound with the picture goes along
    followed = pyqtSignal(object)  # the Reading of what it follows, at every look; None when it leads again

    def __init__(self, clock: Callable[[], int] = time.monotonic_ns, parent: QObject | None = None) -> None:
        """``clock`` gives nanoseconds that never go back."""
        super().__init__(parent)
        self._clock = clock
        self._timing = even(Fraction(24), 1)
        self._frame, self._speed = 0, Fraction(0)
        self._from: tuple[Fraction, int] = (Fraction(0), 0)  # seconds of the film at a moment of the clock
        self._source: Callable[[], Reading] | None = None
        self._heard: Callable[[], Fraction | None] | None = None
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.look)

    @property
    def timing(self) -> Timing:
        """When each frame of the film is shown."""
        return self._timing

    @property
    def frame(self) -> int:
        """The frame to be shown now."""
        return self._frame

    @property
    def seconds(self) -> Fraction:
        """The time of that frame in exact seconds of the film."""
        return self._timing.time(self._frame)

    @property
    def moment(self) -> Fraction:
        """The exact second of the film that it is now: while it rolls within a frame, at rest its beginning."""
        if not self._speed:
            return self.seconds
        since, moment = self._from
        return since + self._speed * Fraction(self._clock() - moment, _SECOND)

    @property
    def speed(self) -> float:
        """1 is normal, negative backwards, 0 at rest."""
        return float(self._speed)

    @property
    def follows(self) -> bool:
        """Whether something else leads."""
        return self._source is not None

    def load(self, timing: Timing) -> None:
        """Another film, at rest on its first frame; on the same frame where it is as long as the last."""
        self.stop()
        same = timing.frames == self._timing.frames
        self._timing, self._frame = timing, self._frame if same else 0
        self._timer.setInterval(min(COARSEST_MS, max(FINEST_MS, round(500 / timing.rate))))
        self.moved.emit(self._frame)

    def follow(self, source: Callable[[], Reading] | None) -> None:
        """Lets something else lead, which says where it is whenever it is asked; None leads again from where it stopped."""
        self.stop()
        self._source = source
        if source is None:
            self._timer.stop()
            self.followed.emit(None)
        else:
            self._timer.start()

    def go_by(self, heard: Callable[[], Fraction | None] | None) -> None:
        """Lets the film's sound be the clock of a picture that rolls: it tells the seconds that are heard, None where it stopped."""
        self._heard = heard

    def locate(self, frame: int) -> None:
        """Goes to a frame, held within the film; a rolling picture rolls on from there."""
        if self.follows:
            return
        self._show(frame)
        self._from = self.seconds, self._clock()
        self.located.emit(self._frame)

    def step(self, frames: int) -> None:
        """So many frames on or back, at rest."""
        self.stop()
        self.locate(self._frame + frames)

    def play(self, speed: float = 1) -> None:
        """Rolls at a speed; 0 stops on the frame that is shown."""
        if self.follows or Fraction(speed) == self._speed:
            return
        if speed > 0 and self._speed == 0 and self._frame >= self._timing.frames - 1:
            self.locate(0)  # at the end, play means again
        self._from, self._speed = (self.seconds, self._clock()), Fraction(speed)
        if speed:
            self._timer.start()
        else:
            self._timer.stop()
        self.rolled.emit(float(speed))

    def stop(self) -> None:
        """Rests on the frame that is shown."""
        self.play(0)

    def toggle(self) -> None:
        """Space: rolls at normal speed, or rests."""
        self.play(0 if self._speed else 1)

    def shuttle(self, way: int) -> None:
        """L (1) and J (-1): rolls that way, and faster each time; against the way it rolls, first normal speed that way."""
        same = self._speed * way > 0
        self.play(float(way * min(FASTEST, abs(self._speed) * 2 if same else 1)))

    def set_right(self, seconds: Fraction, apart: Fraction, went_back: bool = False) -> None:
        """Where the music is, by its own clock: the picture goes there if it is further than ``apart`` seconds from it. One that is ahead
        waits for the music, unless that ``went_back`` itself."""
        by = seconds - self.moment
        if self._speed and abs(by) > apart:
            self._from = seconds, self._clock()
            if went_back:
                self._show(self._timing.at(max(Fraction(0), seconds)))
            self.righted.emit(by)

    def look(self) -> None:
        """Looks at the clock, or at what it follows, and moves to the frame of that moment. Its timer calls it."""
        if self._source is not None:
            reading = self._source()
            self.followed.emit(reading)
            if reading.frame is not None:
                self._show(reading.frame)
            return
        heard = None if self._heard is None else self._heard()
        if heard is not None:
            self._from = heard, self._clock()  # where it ends, the machine's clock goes on from there
        at = self.moment
        frame = self._timing.at(max(Fraction(0), at))
        self._show(max(frame, self._frame) if self._speed > 0 else min(frame, self._frame))  # it never rolls against its way
        if not 0 <= at < self._timing.duration:
            self.stop()

    def _show(self, frame: int) -> None:
        frame = min(max(0, frame), self._timing.frames - 1)
        if frame != self._frame:
            self._frame = frame
            self.moved.emit(frame)
