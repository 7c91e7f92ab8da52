"""Rubbish that refers to itself is gathered on the window's thread, a little at a time.

Left alone, Python looks through everything that lives (of a session of two hours, a second's worth) in whichever thread happens to
allocate next, and nobody else runs meanwhile; where it finds an object of Qt there, it destroys it in a thread that is not Qt's.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import monotonic, thread_time

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtWidgets import QApplication

TURN_MS = 50
LATE_S = 0.2
MANY = 10_000
"""What was made faster, or since longer, than this is not looked at: a session being read or composed is made so, and lasts."""
ENOUGH_S = 0.004
"""Seconds of looks whose survivors are looked at once more, which takes about as long again."""
UNSEEN_S = 600.0
"""Seconds between two looks through everything, each while no window is on the screen."""


class Gathering(QObject):
    """Takes Python's own collector's place from when it is made until `end`. What has outlived two looks is not looked at again until
    nobody would notice; so no look takes long, however much is open. ``clock`` gives seconds that never go back."""

    def __init__(self, parent: QObject | None = None, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(parent)
        self._by_itself = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._clock = clock
        self._lived, self._last, self._everything = 0.0, clock(), clock()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(TURN_MS)

    def look(self) -> None:
        """One turn. Its timer calls it. Nothing here may ask for the objects themselves: a tuple that another thread is still filling
        must not be held by anybody else."""
        now = self._clock()
        late, self._last = now - self._last > LATE_S, now
        if late or gc.get_count()[0] > MANY:
            gc.freeze()
            self._lived = 0.0
        else:
            self._lived += _spent(1)
        if self._lived > ENOUGH_S:
            gc.collect()
            gc.freeze()
            self._lived = 0.0
        if now - self._everything > UNSEEN_S and not _seen():
            self.all()

    def all(self) -> None:
        """Looks through everything, however long it takes."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._lived, self._everything = 0.0, self._clock()

    def end(self) -> None:
        """Gives Python its own collector back."""
        self._timer.stop()
        gc.unfreeze()
        if self._by_itself:
            gc.enable()


def _spent(generation: int) -> float:
    """Looks through what was made since the last look; how long it took, in seconds of this thread."""
    began = thread_time()
    gc.collect(generation)
    return thread_time() - began


def _seen() -> bool:
    """Whether any window is on the screen."""
    return any(window.isVisible() and not window.isMinimized() for window in QApplication.topLevelWidgets())
