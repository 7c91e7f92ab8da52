"""A process that must not be late asks the system for precedence over those that compute; where that is refused it does without."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_LINUX_PRIORITY = 20  # of 99: above everything that computes, below the sound system's own threads
_WINDOWS_HIGHEST = 2  # THREAD_PRIORITY_HIGHEST
_MAC_INTERACTIVE = 0x21  # QOS_CLASS_USER_INTERACTIVE
_FINEST_MS = 1  # of Windows' timer, which otherwise wakes nobody more often than every 16 ms


@contextmanager
def raised() -> Iterator[bool]:
    """Raises this thread, and those that it starts, while it lasts; tells whether the system granted it."""
    if sys.platform == "win32":
        with _on_windows() as granted:
            yield granted
    elif sys.platform == "darwin":
        yield _on_mac()
    else:
        yield _on_linux()


def _on_linux() -> bool:
    scheduler: Any = getattr(os, "sched_setscheduler", None)
    if scheduler is None:
        return False
    with suppress(PermissionError):
        scheduler(0, os.SCHED_RR, os.sched_param(_LINUX_PRIORITY))
        return True
    with suppress(PermissionError):
        os.nice(-11)
        return True
    return False


def _on_mac() -> bool:
    try:
        return bool(ctypes.CDLL(None).pthread_set_qos_class_self_np(_MAC_INTERACTIVE, 0) == 0)
    except (AttributeError, OSError):
        return False


@contextmanager
def _on_windows() -> Iterator[bool]:
    library: Any = ctypes.__dict__["WinDLL"]  # there on Windows alone
    timer, kernel = library("winmm"), library("kernel32")
    timer.timeBeginPeriod(_FINEST_MS)
    try:
        yield bool(kernel.SetThreadPriority(kernel.GetCurrentThread(), _WINDOWS_HIGHEST))
    finally:
        timer.timeEndPeriod(_FINEST_MS)
