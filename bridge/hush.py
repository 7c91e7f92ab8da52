"""Silence for libraries of the system that write to standard error whatever they do not find."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

_one = RLock()  # standard error belongs to the whole process: two threads at once would put back each other's


@contextmanager
def hushed() -> Iterator[None]:
    """Keeps the system's MIDI libraries from writing to standard error while they look for what is not there."""
    with _one:
        sys.stderr.flush()
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
