"""The music with the picture: what the window plays the player plays, and what the player or the DAW does the picture follows."""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction

from PyQt6.QtCore import QObject

from bridge.chase import Reading
from bridge.events import TransportRead
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

    def __init__(
        self,
        document: Document,
        transport: Transport,
        clock: Callable[[], int] = time.monotonic_ns,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.on = True
        self.driven = Driven(document, transport, self)
        self._document, self._transport, self._clock = document, transport, clock
        self._playing = False
        self._read: tuple[TransportRead, int] | None = None
        transport.rolled.connect(self._rolled)
        transport.located.connect(self._located)
        document.transport_read.connect(self._heard)

    def switch(self, on: bool) -> None:
        """Music with the picture, or the picture alone."""
        self.on = on
        if not on and self._playing:
            self._stop()

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
        if self._read is None or self._read[0].seconds is None or told is None:
            why = "" if told is None else told.why
            return Reading("lost", None, None, None, 0.0, 0.0, 0.0, None, why)
        read, moment = self._read
        run = Fraction(read.speed) * Fraction(self._clock() - moment, _SECOND) if read.rolling else Fraction(0)
        seconds = max(Fraction(0), Fraction(read.seconds or 0) + run)
        frame = self._transport.timing.at(seconds)
        return Reading(
            told.state, seconds, told.timecode, frame, read.speed, told.offset_ms, told.jitter_ms, told.leader, told.why
        )  # fmt: skip

    def _rolled(self, speed: float) -> None:
        if speed == 1 and self.on and self._document.now is not None:
            self._playing = True
            playback, seconds = self._document.studio.playback, self._transport.seconds

            def play() -> None:
                playback.locate(seconds)
                playback.play()

            self._document.hear(play)
        elif self._playing:
            self._stop()

    def _located(self, frame: int) -> None:
        told = (
            self._document.now is not None
            and self.on
            and not self._transport.follows
            and bool(self._document.studio.playback.sends)
        )
        if self._playing or told:
            seconds = self._transport.seconds
            self._document.hear(lambda: self._document.studio.playback.locate(seconds))

    def _stop(self) -> None:
        self._playing = False
        self._document.hear(self._document.studio.playback.stop)

    def _heard(self, read: TransportRead) -> None:
        self._read = read, self._clock()
        if self._playing and read.rolling and read.seconds is not None and not self._transport.follows:
            self._transport.set_right(Fraction(read.seconds), APART)
