"""What a long job owes to whoever waits for it: progress, a way to stop it, and the seconds that it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from engines.errors import Cancelled

StageProgress = Callable[[str, float, float], None]
"""Called with (stage, done, total)."""


@dataclass
class Watch:
    """Progress, cancel, the seconds that each stage took, and ``said``: what the person should know of it, a line each."""

    on_progress: StageProgress | None = None
    cancelled: Callable[[], bool] | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Callable[[float, float], None]]:
        """Times a stage; yields its progress callback."""
        if self.cancelled and self.cancelled():
            raise Cancelled
        began = time.perf_counter()
        try:
            yield lambda done, total: self.on_progress(name, done, total) if self.on_progress else None
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def part(self, before: float, share: float, whole: float) -> Watch:
        """A watch over one of several like jobs, which is ``share`` of ``whole`` with ``before`` done already."""
        told = self.on_progress

        def progress(stage: str, done: float, total: float) -> None:
            if told:
                told(stage, before + share * done / total if total else before, whole)

        return Watch(progress, self.cancelled, self.seconds, self.said)
