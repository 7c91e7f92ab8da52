"""An engine that composes when the test lets it, so that something can be done meanwhile; the fixture ``slow`` puts it into the list."""

from __future__ import annotations

from threading import Event as Flag
from typing import Any

from sittings import Trio

from engines.errors import Cancelled


class Slow(Trio):
    """Composes when it is told to, looks at ``cancelled`` while it waits, and counts how often it was asked."""

    began, go, asked = Flag(), Flag(), 0

    def compose(self, *args: Any, **named: Any) -> Any:
        type(self).asked += 1
        cancelled = named.get("cancelled") or args[4]
        self.began.set()
        while not self.go.wait(0.01):
            if cancelled and cancelled():
                raise Cancelled
        return super().compose(*args, **named)
