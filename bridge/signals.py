"""What ends a process of ours from outside: heard from its very first moment, and then in order, with every note ended."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

ENDING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGBREAK") if hasattr(signal, name)
)  # fmt: skip
"""The system's request, a terminal that was closed, Ctrl-\\; Ctrl-Break and a console that was closed on Windows."""

_ALL = (signal.SIGINT, *ENDING)
_mask: Any = getattr(signal, "pthread_sigmask", None)


@contextmanager
def held_back() -> Iterator[None]:
    """A process that this thread begins meanwhile hears none of them until it has said with `heed` what they are to do: what is sent
    before waits for that. Nothing is held back on Windows, which knows no such thing."""
    if _mask is None:
        yield
        return
    from multiprocessing.resource_tracker import ensure_running

    ensure_running()  # begun by a process it would let them through again in this thread
    before = _mask(signal.SIG_BLOCK, _ALL)
    try:
        yield
    finally:
        _mask(signal.SIG_SETMASK, before)


def heed(end: Callable[[], object]) -> None:
    """In the process that was begun: Ctrl-C is left to the parent, whom it reaches too and who ends us; everything else calls ``end``,
    in the main thread, wherever that is. What whoever started us had ignored (``nohup``) stays ignored."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: end())
    if _mask is not None:
        _mask(signal.SIG_UNBLOCK, _ALL)
