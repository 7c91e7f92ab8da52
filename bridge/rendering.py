"""A process that renders: stretches of a cue's music as sound, for whoever must neither compute it nor wait for the interpreter's lock."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from bridge.jobs import fault
from bridge.signals import heed, held_back
from engines.errors import HitpointError

if TYPE_CHECKING:
    from engines.picture.soundtrack import Samples
    from engines.score.stretch import Rows

WAVES = 16 << 20
"""Samples of resampled waves (four bytes each) that the process keeps."""
DEATHS = 3
"""In a minute, after which it is not begun again."""
_FAREWELL_S = 2.0


class Renderer:
    """Begins its process with the first stretch. For one thread; `close` may come from another, and ends what is being rendered."""

    def __init__(self) -> None:
        self._ending = Lock()
        self._closed = self._asking = False
        self._child: Any = None
        self._wire: Connection[Any, Any] | None = None
        self._deaths: list[float] = []

    def stretch(self, rows: Rows, first: int, count: int) -> Samples:
        """So many samples of the music from ``first`` on, (samples, 2): waits for them. Raises HitpointError."""
        answer = None
        while answer is None:
            wire = self._begun()
            try:
                wire.send((rows.tobytes(), first, count))
                answer = wire.recv()
            except (EOFError, OSError):
                self._mourn()
            finally:
                self._asked()
        if isinstance(answer, HitpointError):
            raise answer
        return np.frombuffer(answer, np.int16).reshape(-1, 2)

    @property
    def pid(self) -> int | None:
        """The number of the process; None while there is none."""
        return getattr(self._child, "pid", None)

    def close(self) -> None:
        """Ends the process, whatever it does; a second time does nothing."""
        with self._ending:
            self._closed = True
            self._finish()

    def _begun(self) -> Connection[Any, Any]:
        with self._ending:
            if self._closed:
                raise HitpointError("the music is rendered no longer")
            if self._wire is None:
                context = get_context("spawn")
                mine, its = context.Pipe()
                with held_back():
                    self._child = context.Process(target=render, args=(its,), name="Hitpoint music", daemon=True)
                    self._child.start()
                its.close()  # so that the pipe ends with the process
                self._wire = mine
            self._asking = True
            return self._wire

    def _asked(self) -> None:
        with self._ending:
            self._asking = False
            if self._closed:
                self._finish()

    def _mourn(self) -> None:
        """The process died while it rendered: another one begins, unless that helps nothing."""
        with self._ending:
            if self._closed:
                return
            self._child.join(_FAREWELL_S)
            code = self._child.exitcode
            self._asking = False
            self._finish()
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < 60] + [now]
        if len(self._deaths) >= DEATHS:
            cure = "see whether there is memory enough, then switch the music off and on"
            raise HitpointError(f"the music cannot be rendered: its process ended again and again ({code})", cure=cure)

    def _finish(self) -> None:
        if self._child is not None:
            if self._child.is_alive():
                self._child.kill()
            self._child.join()
        if self._wire is not None and not self._asking:  # one that is read from would be closed under the reader's hands
            self._wire.close()
            self._child = self._wire = None


def render(wire: Connection[Any, Any]) -> None:
    """The process: one stretch after another, until whoever asks is gone."""
    heed(lambda: sys.exit(0))
    with suppress(EOFError, OSError):
        work(wire)


def work(wire: Connection[Any, Any]) -> None:
    """Answers with sound, or with the error that there is instead."""
    from engines.score.sampler import Sampler
    from engines.score.soundfont import SoundFont, bundled_soundfont
    from engines.score.stretch import ROW, stretch

    sampler: Sampler | None = None
    while True:
        packed, first, count = wire.recv()
        try:
            sampler = sampler or Sampler(SoundFont(bundled_soundfont()), WAVES)
            sound = stretch(sampler, np.frombuffer(packed, ROW), first, count)
        except HitpointError as error:
            wire.send(error)
        except Exception as unforeseen:  # noqa: BLE001  told where somebody reads it
            wire.send(fault(unforeseen))
        else:
            wire.send(sound.tobytes())
