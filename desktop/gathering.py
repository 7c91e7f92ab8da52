"""Rubbish that refers to itself is gathered on the window's thread, a little at a time.

Left alone, Python looks through everything that lives (of a session of two hours, a second's worth) in whichever thread happens to
allocate next, and nobody else runs meanwhile; where it finds an object of Qt there, it destroys it in a thread that is not Qt's.
"""

from __future__ import annotations

import gc
from time import monotonic

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtWidgets import QApplication

TURN_MS = 50
FEW, MANY = 2_000, 10_000
"""Objects: fewer new ones than `FEW` are not worth a look. A look at `MANY` takes a few milliseconds; what is made faster than that
is a session being read or composed, which lasts."""
UNSEEN_S = 600.0
"""Seconds between two looks through everything, each while no window is on the screen."""


class Gathering(QObject):
    """Takes Python's own collector's place from when it is made until `end`. What has outlived two looks is not looked at again until
    nobody would notice; so no look takes long, however much is open."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._by_itself = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._lived, self._looked = 0, monotonic()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(TURN_MS)

    def look(self) -> None:
        """One turn. Its timer calls it."""
        more = gc.get_count()[0]  # made, less what was freed: of a tree that is being turned into another it tells nothing
        made = more if more > MANY else len(gc.get_objects(0))
        if made > MANY:
            gc.freeze()
            self._lived = 0
        elif made > FEW:
            self._lived += made - gc.collect(1)
        if self._lived > MANY:
            gc.collect()
            gc.freeze()
            self._lived = 0
        if monotonic() - self._looked > UNSEEN_S and not _seen():
            self.all()

    def all(self) -> None:
        """Looks through everything, however long it takes."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        self._lived, self._looked = 0, monotonic()

    def end(self) -> None:
        """Gives Python its own collector back."""
        self._timer.stop()
        gc.unfreeze()
        if self._by_itself:
            gc.enable()


def _seen() -> bool:
    """Whether any window is on the screen."""
    return any(window.isVisible() and not window.isMinimized() for window in QApplication.topLevelWidgets())
