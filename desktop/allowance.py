"""How long one picture may take for what was never worked out before: at least one thing gets done, the rest with the next pictures."""

from __future__ import annotations

from collections.abc import Callable
from time import thread_time
from typing import TypeVar

T = TypeVar("T")


class Allowance:
    """So many ``seconds`` of this thread's own time, which other programs do not use up; ``short`` once something had to be left."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self.short = False

    def spend(self, work: Callable[[], T]) -> T | None:
        """Does it, or leaves it for later (None) where the time is used up."""
        if self._left <= 0:
            self.short = True
            return None
        began = thread_time()
        try:
            return work()
        finally:
            self._left -= thread_time() - began
