"""Waiting for another program within a job that may be cancelled: whoever cancels waits no longer, whatever that program does."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from time import monotonic
from typing import TypeVar

from engines.errors import Cancelled
from engines.watch import Watch

T = TypeVar("T")

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


def rested(seconds: float, watch: Watch) -> None:
    """Waits so long. Raises Cancelled within a step."""
    end, never = monotonic() + seconds, Event()
    while (left := end - monotonic()) > 0:
        if watch.cancelled and watch.cancelled():
            raise Cancelled
        never.wait(min(left, STEP_S))
