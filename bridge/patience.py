"""Waiting for another program within a job that may be cancelled: whoever cancels waits no longer, whatever that program does."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from time import monotonic
from typing import TypeVar

from engines.errors import Cancelled, SessionError
from engines.watch import Watch

T = TypeVar("T")

LONGEST_S = 10.0
"""For which one thread waits for another that reads a disk."""

STEP_S = 0.05
"""Between two looks for a cancel."""


def patient(call: Callable[[], T], watch: Watch) -> T:
    """What ``call`` returns, or raises. Raises Cancelled within a step; then the call may go on in a thread of its own, unheard."""
    if watch.cancelled is None:
        return call()
    came: list[T] = []
    failed: list[BaseException] = []
    done = Event()

    def run() -> None:
        try:
            came.append(call())
        except BaseException as error:  # noqa: BLE001  raised again where it is waited for
            failed.append(error)
        finally:
            done.set()

    Thread(target=run, name="hitpoint waits", daemon=True).start()
    while not done.wait(STEP_S):
        if watch.cancelled():
            raise Cancelled
    if failed:
        raise failed[0]
    return came[0]


class Alone:
    """A block that one thread at a time may be in. Raises SessionError, which says ``what`` goes on in it, for whoever would have to
    wait for long: the disk that it reads may be gone."""

    def __init__(self, what: str) -> None:
        self._what, self._lock = what, Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(timeout=LONGEST_S):
            raise SessionError(self._what, cure="wait until it is; a disk that does not answer has to be connected again")

    def __exit__(self, *ended: object) -> None:
        self._lock.release()


def rested(seconds: float, watch: Watch) -> None:
    """Waits so long. Raises Cancelled within a step."""
    end, never = monotonic() + seconds, Event()
    while (left := end - monotonic()) > 0:
        if watch.cancelled and watch.cancelled():
            raise Cancelled
        never.wait(min(left, STEP_S))
