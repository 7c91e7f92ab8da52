"""A watchdog of the window's thread: how long it works at a stretch, and how long it stands at one place of its code."""

from __future__ import annotations

import faulthandler
import tempfile
import threading
import time
from dataclasses import dataclass
from typing import TextIO

from PyQt6.QtCore import QObject, Qt, QTimer

TICK_MS = 5


@dataclass
class Away:
    """The longest times, in ms.

    ``busy`` is processor time of the window's own thread between two turns of its loop, which no other program lengthens by more
    than sharing a core does. ``stuck`` is real time at one and the same place of our code, as in a lock, a disk or a wire; Qt's own
    loop is none. ``clock`` is real time between two turns, which a busy machine lengthens; ``beside`` is how long a thread that only
    sleeps was kept waiting: what the machine does to anybody.
    """

    busy: float = 0.0
    stuck: float = 0.0
    clock: float = 0.0
    beside: float = 0.0
    ticks: int = 0
    where: str = ""


class Watchdog(QObject):
    """Ticks on the window's thread while it is entered, and looks at that thread from another."""

    def __init__(self) -> None:
        super().__init__()
        self.away = Away()
        self._window = threading.get_ident()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._end = threading.Event()
        self._other = threading.Thread(target=self._beside, name="watchdog", daemon=True)

    def __enter__(self) -> Away:
        self._last = time.perf_counter(), time.thread_time()
        self._timer.start(TICK_MS)
        self._other.start()
        return self.away

    def __exit__(self, *_: object) -> None:
        self._timer.stop()
        self._end.set()
        self._other.join()

    def _tick(self) -> None:
        now = time.perf_counter(), time.thread_time()
        self.away.clock = max(self.away.clock, (now[0] - self._last[0]) * 1000 - TICK_MS)
        self.away.busy = max(self.away.busy, (now[1] - self._last[1]) * 1000)
        self.away.ticks += 1
        self._last = now

    def _beside(self) -> None:
        last = since = time.perf_counter()
        place: tuple[object, ...] = ()
        turn = -1
        with tempfile.TemporaryFile("w+") as file:
            while not self._end.wait(TICK_MS / 1000):
                now = time.perf_counter()
                self.away.beside = max(self.away.beside, (now - last) * 1000 - TICK_MS)
                last = now
                if self.away.ticks != turn:  # it turns: nobody has to look at it, nor at threads that come and go meanwhile
                    turn, place = self.away.ticks, ()
                    continue
                where = self._where(file)
                if (here := (turn, where)) != place:
                    place, since = here, now
                elif (now - since) * 1000 > self.away.stuck and not where.split("\n")[0].endswith(" in exec"):
                    self.away.stuck, self.away.where = (now - since) * 1000, where

    def _where(self, file: TextIO) -> str:
        """The innermost calls of the window's thread. A frame that this thread held could be the last to hold what Qt gave, and would
        destroy it in the wrong thread: hence a traceback as text. To write it Python walks the list of threads unguarded; one that C
        code makes just then can end the process, so that it is asked for only while the window does not turn."""
        file.seek(0)
        file.truncate()
        faulthandler.dump_traceback(file)
        file.seek(0)
        _, _, mine = file.read().partition(f"hread 0x{self._window:016x} ")
        return "".join(mine.splitlines(keepends=True)[1:5])
