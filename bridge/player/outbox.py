"""Orders on their way to the player's process. Whoever gives one never waits for it, not even for a process that has come to a stand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from multiprocessing.connection import Connection
from typing import Any

from bridge.player.messages import Hear, Order, Quit
from engines.errors import PortError

MOST = 256
"""Orders that may wait: a process that is well takes each of them at once."""


class Outbox:
    """Sends in a thread of its own what `put` is given, in that order; `close` ends it.

    Of what is reported of a transport only the newest waits: an older report of the same source that tells the same kinds of things
    is dropped for it. Once nobody is at the other end, everything is dropped.
    """

    def __init__(self, wire: Connection[Order, Any]) -> None:
        self._wire = wire
        self._changed = threading.Condition()
        self._waiting: OrderedDict[object, Order] = OrderedDict()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="Hitpoint player's orders", daemon=True)
        self._thread.start()

    def put(self, order: Order) -> None:
        """Sends an order by and by. Raises PortError where too many wait already."""
        with self._changed:
            if self._ending:
                return
            key = _key(order)
            self._waiting.pop(key, None)
            bounded = not isinstance(order.message, Hear | Quit)  # sources are few, and their reports replace each other
            if bounded and len(self._waiting) >= MOST:
                cure = "see whether the machine is overloaded; close the player and open it again"
                raise PortError(f"the player does not answer: {MOST} orders wait for it", where="player", cure=cure)
            self._waiting[key] = order
            self._changed.notify_all()

    def close(self, patience_s: float) -> None:
        """Drops what waits, and waits until what is on its way is out, or its reader is gone."""
        with self._changed:
            self._ending = True
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join(patience_s)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ending)
                if self._ending:
                    return
                _, order = self._waiting.popitem(last=False)
            try:
                self._wire.send(order)
            except OSError:  # the process is gone: who hears of it starts another, and tells it what it must know
                with self._changed:
                    self._ending = True
                    self._waiting.clear()
                return


def _key(order: Order) -> object:
    """What two orders share of which only the newer is worth sending: its number where there is no such other."""
    if not isinstance(order.message, Hear):
        return order.number, type(order.message)
    report = order.message.report
    told = (report.seconds is None, report.beats is None, report.rolling, report.located)
    return report.source, report.kind, told
