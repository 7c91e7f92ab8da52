"""What is heard of the window itself: the film's sound with the picture, and the click of a tempo map, through one output.

While the film's sound plays, the picture goes by it: the output's clock is the master, as in every player. At other speeds than normal
the film is silent, and while a DAW leads it is too, unless the composer asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from desktop.audio_clock import AudioClock
from desktop.click_sound import Beats, rendered
from desktop.film_sound import FilmSound
from desktop.language import words
from desktop.outlet import Mix, Outlet, Part, load, speaker
from desktop.refusals import told
from engines.picture.soundtrack import RATE, Samples

if TYPE_CHECKING:
    from bridge.chase import Reading
    from desktop.transport import Transport
    from engines.errors import HitpointError
    from engines.picture.reel import Reel

tr = words("sound")
DEAD = "The sound output does not answer: the picture plays alone. Sound off and on tries it again."
FASTEST = 2.0
"""Times normal speed beyond which clicks are a rattle; backwards there are none either."""
CUED_MS = 120
"""Milliseconds at rest on a frame after which its sound is fetched, so that play begins with it."""
APART_S = Fraction(9, 200)
"""Seconds that the sound may be from a DAW that leads before it is set right: what lips are seen to be late by."""
STEADY = 0.01
"""Of normal speed, as much may a DAW be off it and still be heard at normal speed."""


class Sound(QObject):
    """One transport's. ``outlet`` is asked when something is to be heard for the first time; ``clock`` gives nanoseconds."""

    changed = pyqtSignal()  # how loud it is, whether it is on, or why nothing can be heard

    def __init__(
        self,
        transport: Transport,
        outlet: Callable[[], Outlet | str] = speaker,
        clock: Callable[[], int] = time.monotonic_ns,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent if parent is not None else transport)
        self.on, self.volume = True, 1.0
        self.while_led = False
        """Whether the film is heard while a DAW leads, too."""
        self.word = ""
        """Why nothing can be heard; empty where it can, or was not tried yet."""
        self.film: FilmSound | None = None
        self._transport, self._make, self._now = transport, outlet, clock
        self._outlet: Outlet | None = None
        self._given_up = self._stood = False
        self._begins = Fraction(0)
        """The second of the film that the first sample of the mix belongs to."""
        self._beats: Beats | None = None
        self._mix: Mix | None = None
        self._clock: AudioClock | None = None
        self._cue, self._search = QTimer(self), QTimer(self)
        for timer, after, call in ((self._cue, CUED_MS, self._cued), (self._search, 0, self._output)):
            timer.setSingleShot(True)
            timer.setInterval(after)
            timer.timeout.connect(call)
        transport.rolled.connect(lambda _: self.restart())
        transport.located.connect(lambda _: self._located())
        transport.righted.connect(self._righted)
        transport.followed.connect(self._led)

    # what there is to hear

    def open(self, reel: Reel | None) -> None:
        """The sound of another film, or of none."""
        self._end()
        if self.film is not None:
            self.film.failed.disconnect(self._failed)
            self.film.close(wait=False)
        self.film = None
        if reel is not None and reel.has_audio:
            self.film = FilmSound(reel)
            self.film.failed.connect(self._failed)
            self._cue.start()
        self.changed.emit()

    def click(self, beats: Beats | None) -> None:
        """Clicks on these beats from now on, whenever the picture rolls forwards; None is silence."""
        self._beats = beats
        if beats is not None:
            self._output()
        self.restart()

    def switch(self, on: bool) -> None:
        """The film's sound with the picture, or not."""
        if on != self.on:
            self.on = on
            self._given_up = False
            self.restart()
            self.changed.emit()

    def turn_to(self, volume: float) -> None:
        """How loud the film is, 0 to 1 of what it is itself."""
        self.volume = min(1.0, max(0.0, volume))
        self.changed.emit()

    def listen_while_led(self, on: bool) -> None:
        """The film's sound while a DAW leads, too, or not."""
        self.while_led = on
        self.restart()

    def close(self) -> None:
        """Is silent, and ends its thread."""
        self._end()
        self._cue.stop()
        self._search.stop()
        if self.film is not None:
            self.film.close()
        self.film = None

    # what is heard

    @property
    def plays_film(self) -> bool:
        """Whether the film is heard now."""
        return self._clock is not None

    @property
    def clicks(self) -> bool:
        """Whether clicks go out now."""
        return self._mix is not None and self._beats is not None

    def restart(self) -> None:
        """Begins anew from where the picture is, with whatever is to be heard there."""
        self._end()
        transport = self._transport
        speed = transport.speed
        if not transport.follows and speed > 0:
            self._begin(transport.moment, self.on and speed == 1, speed)

    def _begin(self, seconds: Fraction, film: bool, speed: float) -> None:
        self._begins, self._stood = seconds, False
        parts: list[Part] = []
        heard = self.film if film else None
        if heard is not None:
            heard.want(round(seconds * RATE))
            parts.append(self._film_part(heard))
        if self._beats is not None and speed <= FASTEST:
            parts.append(self._click_part(self._beats, speed))
        outlet = self._output() if parts else None
        if outlet is None:
            return
        self._mix = Mix(*parts)
        outlet.start(self._mix)
        if heard is not None:
            self._clock = AudioClock(seconds, lambda: outlet.played, self._now)
            if not self._transport.follows:
                self._transport.go_by(self.at)

    def _film_part(self, film: FilmSound) -> Part:
        def part(first: int, count: int) -> Samples:
            heard = film.read(round(self._begins * RATE) + first, count)
            return heard if self.volume == 1 else (heard * self.volume).astype(np.int16)

        return part

    def _click_part(self, beats: Beats, speed: float) -> Part:
        return lambda first, count: np.repeat(rendered(beats, float(self._begins), speed, first, count)[:, None], 2, axis=1)

    def at(self) -> Fraction | None:
        """The moment of the film that is heard now; None where nothing is, or while the output stands: when it goes again, it goes on
        from where the picture is by then."""
        if self._clock is None:
            return None
        at = self._clock.at()
        if at is not None and self._stood and not self._transport.follows:
            by = self._transport.moment - at
            self._righted(by)
            at += by
        self._stood = at is None
        if self._clock.lost:  # unplugged, or it never began
            self._end()
            self._outlet, self._given_up = None, True
            self._silent(tr(DEAD))
        return at

    def _end(self) -> None:
        self._transport.go_by(None)
        if self._mix is not None and self._outlet is not None:
            self._outlet.stop()
        self._mix = self._clock = None

    def _output(self) -> Outlet | None:
        """The output, looked for when it is needed. Where there is none this is said once; one that is plugged in later is found."""
        if self._outlet is None and not self._given_up:
            made = self._make()
            if isinstance(made, str):
                self._silent(made)
            else:
                self._outlet = made
                self._silent("")
        return self._outlet

    def _silent(self, word: str) -> None:
        if word != self.word:
            self.word = word
            self.changed.emit()

    def tell_again(self) -> None:
        """Says why nothing is heard in the language that the window speaks now."""
        if self.word and self._outlet is None:
            word = tr(DEAD) if self._given_up else self._make()
            if isinstance(word, str):
                self._silent(word)

    def _failed(self, error: HitpointError) -> None:
        self._end()
        self.film = None
        self._silent(told(error))

    # going about

    def _located(self) -> None:
        if self._transport.speed:
            self.restart()
        else:
            self._cue.start()

    def _righted(self, by: Fraction) -> None:
        """The picture was set right to the music: what is read from now on lies there, without a pause of the output."""
        self._begins += by
        if self._clock is not None:
            self._clock.shift(by)

    def _cued(self) -> None:
        if self.film is not None and self.on and not self._transport.speed:
            self.film.want(round(self._transport.seconds * RATE))
            if self._outlet is None:
                load()
                self._search.start()  # found before it is needed, in a turn of its own

    def _led(self, reading: Reading | None) -> None:
        """A DAW leads: the film is heard where it is, if the composer asked for that."""
        if reading is None:  # the window leads again
            self.restart()
            return
        asked = self.on and self.while_led and self.film is not None
        if not asked or reading.seconds is None or abs(reading.speed - 1) > STEADY:
            self._end()
            return
        at = self.at()
        if self._mix is None:
            self._begin(reading.seconds, True, 1.0)
        elif at is not None and abs(by := reading.seconds - at) > APART_S:
            self._righted(by)


def sound_of(transport: Transport) -> Sound:
    """The sound of a transport, one for all who ask."""
    return transport.findChild(Sound) or Sound(transport)
