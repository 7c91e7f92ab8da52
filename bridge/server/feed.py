"""Events to subscribers over WebSocket. Each has a queue of its own; one that does not keep up is dropped, and holds up nobody."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from bridge.calls import ping
from bridge.events import Event
from bridge.studio import Studio

MOST = 32
"""Subscribers at the same time."""

LONGEST_QUEUE = 512
"""Events that may wait for a subscriber."""

TRY_AGAIN, TAKES_NOTHING = 1013, 1003
"""What a closed WebSocket is told (RFC 6455, 7.4)."""


class Feed:
    """All subscribers of a studio."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self.subscribers = 0
        self.dropped = 0

    async def serve(self, socket: WebSocket, only: frozenset[str]) -> None:
        """Tells one subscriber of everything (or of the kinds of event in ``only``) until it goes, speaks, or falls behind."""
        await socket.accept()
        if self.subscribers >= MOST:
            await socket.close(TRY_AGAIN, "too many subscribers")
            return
        self.subscribers += 1
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[Event] = asyncio.Queue(LONGEST_QUEUE)
        behind = asyncio.Event()

        def put(event: Event) -> None:
            try:
                queue.put_nowait(event)
            except asyncio.QueueFull:
                behind.set()

        def hear(event: Event) -> None:
            if not behind.is_set():
                loop.call_soon_threadsafe(put, event)

        leave = self._studio.subscribe(hear)
        tasks = [asyncio.ensure_future(work) for work in (self._tell(socket, queue, only), _gone(socket), behind.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leave()
            self.subscribers -= 1
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        if tasks[2] in done:
            self.dropped += 1
            await _close(socket, TRY_AGAIN, "too slow; subscribe again and ask how things stand")
        elif ended[1] is True:
            await _close(socket, TAKES_NOTHING, "events come here; calls go over HTTP")

    async def _tell(self, socket: WebSocket, queue: asyncio.Queue[Event], only: frozenset[str]) -> None:
        await socket.send_text(json.dumps({"event": "hello", **ping(self._studio)}))
        while True:
            told: dict[str, Any] = (await queue.get()).json()
            if not only or told["event"] in only:
                await socket.send_text(json.dumps(told, ensure_ascii=False))


async def _gone(socket: WebSocket) -> bool:
    """Waits until the subscriber says something (True), or has gone."""
    return bool((await socket.receive())["type"] == "websocket.receive")


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    try:
        async with asyncio.timeout(1):
            await socket.close(code, reason)
    except (TimeoutError, RuntimeError, WebSocketDisconnect):  # it has gone, or takes not even that: its line is broken off
        return
