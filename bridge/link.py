"""Ableton Link as a source for the chase: tempo, beat and start/stop that all peers of a network share. Needs the extra ``link``.

Link knows beats and no song position: a beat counts from where the session was started, so that beat 0 is the start.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from fractions import Fraction
from importlib import import_module
from typing import Any, Protocol

from bridge.transport import Report
from engines.errors import MissingLibraryError

QUANTUM = 4.0
"""Beats of a bar, which peers begin together."""

_FINEST = 1_000_000  # parts of a beat that Link counts in: microbeats


class Session(Protocol):
    """What is read of a Link session at one moment."""

    beat: float
    tempo: float
    playing: bool
    num_peers: int


class LinkReader:
    """Reads a Link session as reports: beats while it plays, its tempo always. Alone in the network it tells nothing, as nobody leads
    then; peers that do not share starts and stops tell their tempo alone."""

    def __init__(self, source: str = "Ableton Link") -> None:
        self.source = source
        self._rolling: bool | None = None
        self._last: Fraction | None = None

    def feed(self, session: Session, received_ns: int) -> Report | None:
        """Reads it as it is at a moment."""
        if session.num_peers == 0:
            self._rolling, self._last = None, None
            return None
        beat = Fraction(round(session.beat * _FINEST), _FINEST)
        rolling = bool(session.playing) and beat >= 0  # before, peers count themselves in
        located = rolling and (self._rolling is not True or (self._last is not None and beat < self._last))
        self._rolling, self._last = rolling, beat if rolling else None
        return Report(
            self.source, "link", received_ns, beats=beat if rolling else None, rolling=rolling, located=located,
            bpm=float(session.tempo),
        )  # fmt: skip


class LinkTransport:
    """A peer in the Link session of this network: `poll` reports what the session does. Raises MissingLibraryError without aalink."""

    def __init__(self, now_ns: Callable[[], int], source: str = "Ableton Link", tempo: float = 120.0) -> None:
        try:
            aalink = import_module("aalink")
        except ImportError as error:
            cure = 'pip install "hitpoint[link]"'
            raise MissingLibraryError("Ableton Link needs the module aalink", cure=cure) from error
        self._now_ns, self._reader = now_ns, LinkReader(source)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="Ableton Link", daemon=True)
        self._thread.start()
        self._started = False
        self._link: Any = asyncio.run_coroutine_threadsafe(self._join(aalink, tempo), self._loop).result()

    def poll(self) -> Report | None:
        """What the session does now, if there is one."""
        playing = bool(self._link.playing)
        if playing and not self._started:
            # the peer that started the session has its beat 0 there; ours counts from when we joined until it is told
            self._link.request_beat_at_start_playing_time(0.0)
        self._started = playing
        now = self._now_ns()
        return self._reader.feed(self._link, now)

    def close(self) -> None:
        """Leaves the session; a second time does nothing."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._leave(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _join(self, aalink: Any, tempo: float) -> Any:
        link = aalink.Link(tempo)
        link.quantum = QUANTUM
        link.start_stop_sync_enabled = True
        link.enabled = True
        return link

    async def _leave(self) -> None:
        self._link.enabled = False
