"""The film's sound as it is needed: decoded in a thread of its own, a few seconds around the playhead in hand."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal

from engines.errors import FilmError
from engines.picture.reel import Reel
from engines.picture.soundtrack import RATE, Block, Samples, held_open

AHEAD, BEHIND = 3 * RATE, RATE // 2
"""Samples in hand after the one that is heard, and before it."""
NEAR = 2 * RATE
"""Samples ahead up to which decoding on is quicker than going there."""


class FilmSound(QObject):
    """The sound of one reel. Every method may be called from the window's thread and returns at once; what is not in hand is silent."""

    failed = pyqtSignal(object)  # the FilmError that ended it

    def __init__(self, reel: Reel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.reel = reel
        self._news = threading.Condition()
        self._held: deque[Block] = deque()
        self._goal = 0
        self._from, self._to = 0, 0  # what was decoded in one go, silence of the film included
        self._over = self._closing = False
        self._thread = threading.Thread(target=self._work, name="film sound", daemon=True)

    def want(self, sample: int) -> None:
        """Asks for the sound from a sample on, before it is to be heard."""
        with self._news:
            self._goal = max(0, sample)
            self._news.notify()
            if self._thread.ident is None:
                self._thread.start()

    def read(self, first: int, count: int) -> Samples:
        """So many samples from one on."""
        out = np.zeros((count, 2), np.int16)
        with self._news:
            self._goal = max(0, first)
            self._news.notify()
            for at, samples in self._held:
                a, b = max(first, at), min(first + count, at + len(samples))
                if a < b:
                    out[a - first : b - first] = samples[a - at : b - at]
        return out

    def has(self, first: int, count: int) -> bool:
        """Whether all that there is of these samples is in hand."""
        with self._news:
            return self._from <= first and (self._over or first + count <= self._to)

    def close(self, wait: bool = True) -> None:
        """Ends the thread and lets go of the film."""
        with self._news:
            self._closing = True
            self._held.clear()
            self._news.notify()
        if wait and self._thread.ident is not None:
            self._thread.join()

    def _work(self) -> None:
        try:
            with held_open(self.reel) as run:
                self._serve(run)
        except FilmError as error:
            with self._news:
                closing = self._closing
            if not closing:
                self.failed.emit(error)

    def _serve(self, run: Callable[[int], Iterator[Block]]) -> None:
        blocks: Iterator[Block] | None = None
        while True:
            with self._news:
                while not self._closing and blocks is not None and not self._elsewhere() and not self._short():
                    self._news.wait()
                if self._closing:
                    return
                anew = blocks is None or self._elsewhere()
                if anew:
                    self._held.clear()
                    self._from = self._to = self._goal
                    self._over = False
                begins = self._from
            if anew:
                blocks = run(begins)
            assert blocks is not None
            self._take(self._next(blocks))

    def _next(self, blocks: Iterator[Block]) -> Block | None:
        from av.error import FFmpegError

        try:
            return next(blocks, None)
        except FFmpegError as error:
            said = f"the film's sound cannot be decoded at {self._to / RATE:.2f} s ({error.strerror})"
            raise FilmError(
                said, where=self.reel.path, cure="the picture plays on; copy the film again from its source"
            ) from None

    def _take(self, block: Block | None) -> None:
        with self._news:
            if block is None:
                self._over = True
                return
            self._held.append(block)
            self._to = max(self._to, block.first + len(block.samples))
            while self._held and self._held[0].first + len(self._held[0].samples) < self._goal - BEHIND:
                gone = self._held.popleft()
                self._from = gone.first + len(gone.samples)

    def _elsewhere(self) -> bool:
        return self._goal < self._from or (self._goal > self._to + NEAR and not self._over)

    def _short(self) -> bool:
        return not self._over and self._to < self._goal + AHEAD
