"""The music as it is needed: the chosen takes rendered by the stretch in a process of its own, a few seconds around the playhead in hand,
and whatever was heard lately."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from typing import TYPE_CHECKING, Protocol

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from bridge.events import LOG
from bridge.jobs import fault
from desktop.splice import FADE, OVER, Splice
from engines.errors import HitpointError
from engines.picture.soundtrack import RATE, Samples
from engines.session.voices import Voices

if TYPE_CHECKING:
    from engines.score.stretch import Rows
    from engines.session.model import Session

STRETCH = 2 * RATE
"""Samples that are rendered at once: some milliseconds of work."""
AHEAD = 10
"""Stretches that are rendered beyond the one that is heard."""
MEMORY = 128 << 20
"""Bytes of sound in hand; the process that renders keeps half as much again."""
SAMPLE = 4
"""Bytes of one sample of both sides."""
SILENT = b""
"""The key of a stretch in which nothing sounds."""


class Rendering(Protocol):
    """What renders, as `bridge.rendering.Renderer` does."""

    def stretch(self, rows: Rows, first: int, count: int) -> Samples:
        """So many samples of the music from ``first`` on. Raises HitpointError."""

    def close(self) -> None:
        """Ends it, whatever it does."""


def renderer() -> Rendering:
    """A process that renders, from its first stretch on."""
    from bridge.rendering import Renderer

    return Renderer()


class _State:
    """The music at one state of the session: which sound each stretch has."""

    def __init__(self, voices: Voices) -> None:
        self.voices = voices
        self.keys: dict[int, bytes] = {}

    def rows(self, number: int) -> Rows:
        """What sounds in a stretch, from its own first sample on: the same music is the same sound wherever it lies."""
        rows = self.voices.between(number * STRETCH, (number + 1) * STRETCH + OVER).copy()
        rows["start"] -= number * STRETCH
        return rows

    def key(self, number: int) -> bytes:
        """By which the sound of a stretch is known; worked out once."""
        if number not in self.keys:
            rows = self.rows(number)
            self.keys[number] = blake2b(rows.tobytes(), digest_size=16).digest() if len(rows) else SILENT
        return self.keys[number]


class MusicSound(QObject):
    """The music of one session after the other. Every method may be called from the window's thread and returns at once; what is not in
    hand is silent, or what it was before."""

    failed = pyqtSignal(object)  # the HitpointError for which nothing is rendered until `mend`

    def __init__(self, make: Callable[[], Rendering] = renderer, memory: int = MEMORY, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.there = False
        """Whether there is any music."""
        self.fault = ""
        """Why it is not rendered; empty where it is."""
        self._rendering = make()
        self._most = max(4, memory // ((STRETCH + OVER) * SAMPLE))
        self._news = threading.Condition()
        self._session: Session | None = None
        self._asked: Session | None = None  # the same, until its voices are known
        self._now: _State | None = None
        self._heard: _State | None = None  # the last that had what was read
        self._last: Voices | None = None
        self._store: OrderedDict[bytes, Samples] = OrderedDict()
        self._goal = 0
        self._stale = self._closing = False
        self._splice = Splice(STRETCH)
        self._level: float | None = None
        self._thread = threading.Thread(target=self._work, name="music", daemon=True)

    # what there is to hear

    def show(self, session: Session | None, anew: bool = False) -> None:
        """Another session (``anew``), or the same after an act: then what it was sounds on until it is rendered as it is."""
        with self._news:
            self._session = self._asked = session
            self.there = session is not None and any(scene.chosen is not None for scene in session.scenes)
            if anew or session is None:
                self._now = self._heard = None
            self._touch()

    def want(self, sample: int) -> None:
        """Asks for the music from a sample of the film on, before it is to be heard."""
        with self._news:
            self._goal = max(0, sample)
            self._touch()
            self._wake()

    def mend(self) -> None:
        """Tries again what failed."""
        self.fault = ""
        with self._news:
            self._touch()

    def close(self, wait: bool = True) -> None:
        """Ends thread and process."""
        with self._news:
            self._closing = True
            self._news.notify()
        self._rendering.close()
        if wait and self._thread.ident is not None:
            self._thread.join()

    def _touch(self) -> None:
        self._stale = True
        self._news.notify()

    def _wake(self) -> None:
        """Nothing is begun before it is wanted."""
        if self._thread.ident is None and not self._closing:
            self._thread.start()

    # what is heard

    def begin(self) -> None:
        """What is read next comes after silence."""
        with self._news:
            self._splice.begin()
            self._level = None

    def read(self, first: int, count: int, level: float = 1.0) -> Samples:
        """So many samples, from one of the film's on, at a level from 0 to 1; another one than before is faded to. At 0 nothing is
        rendered."""
        with self._news:
            if not (level or self._level):
                self._level = level
                self._splice.begin()
                return np.zeros((count, 2), np.int16)
            self._wake()
            goal, self._goal = self._goal, max(0, first)
            if goal // STRETCH != self._goal // STRETCH:
                self._touch()
            sound = self._splice.read(first, count, self._pick)
            was, self._level = level if self._level is None else self._level, level
        gains = np.full((count, 1), level, np.float32)
        gains[:FADE, 0] = np.linspace(was, level, FADE, dtype=np.float32)[:count]
        heard: Samples = np.rint(sound * gains).astype(np.int16)
        return heard

    def has(self, first: int, count: int) -> bool:
        """Whether all that there is of these samples is in hand as the session is now."""
        with self._news:
            if self._now is None or self._now.voices.session is not self._session:
                return False
            keys = [self._now.keys.get(number) for number in range(first // STRETCH, (first + count - 1) // STRETCH + 1)]
            return all(key is not None and (key == SILENT or key in self._store) for key in keys)

    def _pick(self, number: int) -> Samples | None:
        for state in (self._now, self._heard):
            key = None if state is None else state.keys.get(number)
            if key is not None and (key == SILENT or key in self._store):
                self._heard = state
                return self._store.get(key)
        return None

    # in a thread of its own

    def _work(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._closing or self._stale)
                if self._closing:
                    return
                self._stale = False
                asked, self._asked = self._asked, None
                state, number, broken = self._now, self._goal // STRETCH, bool(self.fault)
            try:
                if asked is not None:
                    self._take_up(asked)
                elif state is not None and not broken:
                    self._fetch(state, number)
            except HitpointError as error:
                self._fail(error)
            except Exception as unforeseen:  # noqa: BLE001  a thread's end would be silent; the log has it
                LOG.exception("the music cannot be rendered")
                self._fail(fault(unforeseen))

    def _take_up(self, session: Session) -> None:
        self._last = voices = Voices(session, self._last)
        with self._news:
            if session is self._session:
                self._now = _State(voices)
                self._touch()

    def _fetch(self, state: _State, number: int) -> None:
        """Renders the stretch that is wanted most and is not in hand."""
        for wanted in (*range(number, number + min(AHEAD, self._most - 3) + 1), max(0, number - 1)):
            key = state.key(wanted)
            with self._news:
                if key in self._store:
                    self._store.move_to_end(key)
            if key == SILENT or key in self._store:
                continue
            sound = self._rendering.stretch(state.rows(wanted), 0, STRETCH + OVER)
            with self._news:
                self._store[key] = sound
                while len(self._store) > self._most:
                    self._store.popitem(last=False)
                self._touch()
            return

    def _fail(self, error: HitpointError) -> None:
        with self._news:
            closing, self.fault = self._closing, str(error)
        if not closing:
            self.failed.emit(error)
