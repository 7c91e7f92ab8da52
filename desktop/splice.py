"""Stretches of sound end to end, as they come to hand: wherever what is heard changes, one fades into the other, so that nothing clicks."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.picture.soundtrack import RATE, Samples

FADE = RATE // 100
"""Samples of a fade: ten milliseconds."""
BEGIN = RATE // 500
"""Samples of the fade out of silence where playing begins: the head of a note that is struck there stays."""
OVER = 2 * FADE
"""Samples that a stretch has beyond its end: a fade may end there, and another begins."""

Pick = Callable[[int], "Samples | None"]
"""The stretch of a number as it is to be heard now, `OVER` included; None where there is silence, or nothing in hand."""


class _Source(NamedTuple):
    """What is heard: sample 0 of ``sound`` goes out as sample ``origin``, counted from the beginning."""

    sound: Samples | None
    origin: int

    def same(self, other: _Source) -> bool:
        return self.sound is other.sound and (self.sound is None or self.origin == other.origin)

    def at(self, first: int, count: int) -> NDArray[np.float32]:
        """So many samples that go out from ``first`` on."""
        out = np.zeros((count, 2), np.float32)
        if self.sound is not None:
            begin = first - self.origin
            some = self.sound[max(0, begin) : max(0, begin + count)]
            out[max(0, -begin) : max(0, -begin) + len(some)] = some
        return out


_SILENCE = _Source(None, 0)


class Splice:
    """Reads stretches of ``size`` samples. It goes wherever it is told to: a place that does not follow on the last is faded to."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.begin()

    def begin(self) -> None:
        """What is read next comes after silence."""
        self._old = self._now = _SILENCE
        self._out = self._left = 0
        self._fade = self._length = BEGIN

    def read(self, first: int, count: int, pick: Pick) -> NDArray[np.float32]:
        """So many samples, from one of the film's on."""
        out = np.zeros((count, 2), np.float32)
        done = 0
        while done < count:
            number, within = divmod(first + done, self._size)
            if not self._left:
                self._turn_to(_Source(pick(number), self._out - within))
            some = min(count - done, self._left or self._size - within)  # the end of a fade may lie beyond that of its stretch
            out[done : done + some] = self._mixed(some)
            self._out += some
            done += some
        return out

    def _turn_to(self, source: _Source) -> None:
        if source.same(self._now):
            return
        self._old, self._now, self._left = self._now, source, self._fade
        self._length, self._fade = self._fade, FADE

    def _mixed(self, count: int) -> NDArray[np.float32]:
        heard = self._now.at(self._out, count)
        if self._left:
            before = self._old.at(self._out, count)
            done = self._length - self._left
            share = np.arange(done, done + count, dtype=np.float32)[:, None] / np.float32(self._length)
            heard = before + (heard - before) * share
            self._left -= count
        return heard
