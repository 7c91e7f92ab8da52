"""The sockets themselves: so many and no more, and none that stays open while nothing comes or nothing is taken from it.

Beyond so many, the one goes that has said least for longest: whoever opens sockets and says nothing locks nobody out.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

MOST = 200
"""Sockets that are open at the same time."""

HEAD_S = 10.0
"""Seconds in which the head of a request must have come."""

STALLED_S = 15.0
"""Seconds for which a peer may take nothing of what is sent to it."""


class Deadline:
    """Breaks a socket off, whatever is still to be written, unless it is lifted in time."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def set(self, transport: Any, seconds: float) -> None:
        """From now on, if it is not set already."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, transport.abort)

    def lift(self) -> None:
        """All is well."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class HttpLine(H11Protocol):
    """uvicorn's HTTP, with deadlines for requests that do not come and answers that are not taken."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._head, self._stalled = Deadline(), Deadline()
        self._since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._since = time.monotonic()
        if len(self.connections) > MOST:
            self._make_room()
        self._head.set(transport, HEAD_S)

    def _make_room(self) -> None:
        """Breaks off the socket that has been waited for longest; the one that has just come, where each is at work."""
        others = [line for line in self.connections if isinstance(line, HttpLine) and line is not self and line.waits]
        min(others, key=lambda line: line._since, default=self).transport.abort()

    @property
    def waits(self) -> bool:
        """Whether no whole request has come, of which the answer is not sent yet."""
        if self.transport.is_closing() or self.transport.get_protocol() is not self:
            return False
        return self.cycle is None or self.cycle.response_complete or self.cycle.more_body

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.get_protocol() is not self or (self.cycle is not None and not self.cycle.response_complete):
            self._head.lift()
        else:
            self._head.set(self.transport, HEAD_S)

    def send_400_response(self, msg: str) -> None:
        super().send_400_response(msg)
        if self.cycle is not None:
            self.cycle.disconnected = True  # the request has its answer; what its task says now would come after the end

    def on_response_complete(self) -> None:
        self._head.lift()  # from here on uvicorn's own limit for idle sockets holds
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled.set(self.transport, STALLED_S)

    def resume_writing(self) -> None:
        self._stalled.lift()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head.lift()
        self._stalled.lift()
        super().connection_lost(exc)


class EventLine(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, with a deadline for a subscriber that takes nothing."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._stalled = Deadline()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled.set(self.transport, STALLED_S)

    def resume_writing(self) -> None:
        self._stalled.lift()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stalled.lift()
        super().connection_lost(exc)
