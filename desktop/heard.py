"""The music with the picture: what the window plays the player plays, and what the player or the DAW does the picture follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from PyQt6.QtCore import QObject, pyqtSignal

from bridge.chase import Reading
from bridge.events import SessionChanged, TransportRead
from desktop.document import Document
from desktop.driven import Driven
from desktop.transport import Transport

APART = Fraction(1, 50)
"""Seconds that picture and music may be apart before the picture is set right: less than half a frame of film."""
_SECOND = 1_000_000_000


class Heard(QObject):
    """Between the window's transport and the studio's playback. Music sounds at normal speed alone; a shuttle is silent.

    ``clock`` gives nanoseconds, as the transport's.
    """

    switched = pyqtSignal(bool)  # music with the picture, or the picture alone

    def __init__(
        self,
        document: Document,
        transport: Transport,
        clock: Callable[[], int] = time.monotonic_ns,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.on = True
        self.leads: Callable[[], bool] = lambda: True
        """Whether the picture keeps to the player: not while the music is heard elsewhere."""
        self.driven = Driven(document, transport, self)
        self._document, self._transport, self._clock = document, transport, clock
        self._playing = self._together = False
        """Whether the music shall play, and whether it does, from where the picture is: what was said of it before is of another place."""
        self._turn = 0
        self._last: float | None = None  # where the music was, as it said last since then
        self._read: TransportRead | None = None
        transport.rolled.connect(self._rolled)
        transport.located.connect(self._located)
        document.transport_read.connect(self._heard)
        document.session_changed.connect(self._changed)

    def switch(self, on: bool) -> None:
        """Music with the picture, or the picture alone."""
        self.on = on
        if not on and self._playing:
            self._stop()
        self.switched.emit(on)

    def follow(self, follow: bool) -> None:
        """Lets the DAW lead, or leads again."""
        playback = self._document.studio.playback
        if follow:
            self._read = None
            self._document.hear(lambda: playback.follow())
            self._transport.follow(self.reading)
        else:
            self._transport.follow(None)
            self._document.hear(playback.stop)

    def reading(self) -> Reading:
        """Where the one that leads is now, from what it said last."""
        status = self._document.studio.playback.status
        told = None if status is None else status.reading
        read = self._read
        if read is None or read.seconds is None or told is None:
            why = "" if told is None else told.why
            return Reading("lost", None, None, None, 0.0, 0.0, 0.0, None, why)
        seconds = max(Fraction(0), self._now(read))
        frame = self._transport.timing.at(seconds)
        return Reading(
            told.state, seconds, told.timecode, frame, read.speed, told.offset_ms, told.jitter_ms, told.leader, told.why
        )  # fmt: skip

    def _now(self, read: TransportRead) -> Fraction:
        """Where it is now that was there when it was read."""
        run = Fraction(read.speed) * Fraction(self._clock() - read.moment, _SECOND) if read.rolling else Fraction(0)
        return Fraction(read.seconds or 0) + run

    def _rolled(self, speed: float) -> None:
        now = self._document.now
        if speed == 1 and self.on and now is not None and any(scene.chosen for scene in now.session.scenes):
            self._join()
        elif self._playing:
            self._stop()

    def _changed(self, event: SessionChanged) -> None:
        """The first notes of a session that was silent are heard at once where the picture rolls."""
        if not self._playing and event.change in ("opened", "acted", "redone"):
            self._rolled(self._transport.speed)

    def _located(self, frame: int) -> None:
        if self._playing:
            self._join()
            return
        told = (
            self._document.now is not None
            and self.on
            and not self._transport.follows
            and bool(self._document.studio.playback.sends)
        )
        if told:  # those who follow us go along
            seconds = self._transport.seconds
            self._document.hear(lambda: self._document.studio.playback.locate(seconds))

    def _join(self) -> None:
        """Has the music begin where the picture is by the time the player can: it may have to be started first, and the picture rolls."""
        self._playing, self._together, self._last = True, False, None
        self._turn += 1
        turn, playback, transport = self._turn, self._document.studio.playback, self._transport

        def place() -> Fraction | None:
            return transport.moment if turn == self._turn else None

        def joined(rolls: bool) -> None:
            self._together = rolls and turn == self._turn

        self._document.hear(lambda: playback.join(place), joined)

    def _stop(self) -> None:
        self._playing = self._together = False
        self._turn += 1
        self._document.hear(self._document.studio.playback.stop)

    def _heard(self, read: TransportRead) -> None:
        self._read = read
        if not self._together or not read.rolling or read.seconds is None or self._transport.follows or not self.leads():
            return
        went_back = self._last is not None and read.seconds < self._last  # round a loop, or somebody else took it there
        self._last = read.seconds
        self._transport.set_right(self._now(read), APART, went_back)
