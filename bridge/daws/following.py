"""Following a DAW: a thread that keeps it telling of its transport, again and again where it was away, until it is to end."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

from bridge.daws.osc_peer import Heard
from bridge.osc_transport import OscTransport
from bridge.transport import Report

PATIENCE_S = 5.0
"""Seconds that a turn may still take when it is to end: it may wait for an answer."""


class Following:
    """At most one thread, named after its ``daw``."""

    def __init__(self, daw: str) -> None:
        self._name = f"{daw} watch"
        self._thread: Thread | None = None
        self._ended = Event()

    def begin(self, turn: Callable[[], float]) -> None:
        """Takes a ``turn`` at once, and again after as many seconds as it says, in a thread; what was begun before ends."""
        self.end()
        self._ended = Event()
        self._thread = Thread(target=_go_on, args=(turn, self._ended), name=self._name, daemon=True)
        self._thread.start()

    def end(self) -> bool:
        """Ends it; whether there was anything to end."""
        self._ended.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(PATIENCE_S)
        return thread is not None

    def rest(self, seconds: float) -> None:
        """Waits, no longer than until it is ended."""
        self._ended.wait(seconds)


def _go_on(turn: Callable[[], float], ended: Event) -> None:
    while not ended.is_set():
        ended.wait(turn())


def hearing(reader: OscTransport, hear: Callable[[Report], None]) -> Heard:
    """A listener of an `OscPeer` that hands on what ``reader`` makes of its messages."""

    def heard(address: str, args: tuple[Any, ...], now_ns: int) -> None:
        report = reader.feed(address, args, now_ns)
        if report is not None:
            hear(report)

    return heard
