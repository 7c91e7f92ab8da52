"""What stands before every request: who asks, from where, how much, and how long it may take. What does not belong gets one line.

A web page that a person looks at can send requests to this machine. It cannot set the Host that we go by (a name of its own that
resolves to 127.0.0.1 is told apart by it), it tells its Origin, and it does not know the token.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from bridge.server.door import Door

LARGEST_HEAD = 16_384
"""Bytes of the names and values that head a request."""

LARGEST_BODY = 65_536
"""Bytes of a request."""

BODY_S = 10.0
"""Seconds in which a request must have come whole."""

MOST_AT_ONCE = 64
"""Requests that are answered at the same time; each is short, long work is a job."""

SAFE = ("GET", "HEAD", "OPTIONS")

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Refused(Exception):
    """A request that is not let in: the status, and what is wrong with it in words."""

    def __init__(self, status: int, what: str, cure: str) -> None:
        super().__init__(what)
        self.status, self.what, self.cure = status, what, cure


class Guard:
    """Lets in to ``app`` what comes from this machine (to one of ``hosts``), is not too much, and may do what it asks."""

    def __init__(self, app: App, door: Door, hosts: Iterable[str]) -> None:
        self._app, self._door = app, door
        self._hosts = frozenset(hosts)
        self._origins = frozenset(f"http://{host}" for host in self._hosts)
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            if scope["type"] == "http":
                receive = await _whole(scope, receive)
        except Refused as refused:
            await _refuse(scope, send, refused)
            return
        except ConnectionAbortedError:
            return  # nobody is left to be answered
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        if self._now >= MOST_AT_ONCE:
            await _refuse(scope, send, Refused(429, "too many requests at once", "ask again in a moment"))
            return
        self._now += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._now -= 1

    def _check(self, scope: Scope) -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
            raise Refused(431, f"a head of more than {LARGEST_HEAD} bytes", "send less")
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]

        def one(name: bytes) -> str | None:
            found = [value for key, value in headers if key == name]
            if len(found) > 1:
                raise Refused(400, f"two {name.decode()} headers", "send one")
            return found[0] if found else None

        if (one(b"host") or "").lower() not in self._hosts:
            raise Refused(421, "this server answers to 127.0.0.1 alone", "ask it by its address, not by a name")
        origin, site = one(b"origin"), one(b"sec-fetch-site")
        if (origin is not None and origin.lower() not in self._origins) or site in ("cross-site", "same-site"):
            raise Refused(403, "a web page may not ask here", "ask from a program, or from a page of this server")
        authorization = one(b"authorization")
        if scope["type"] == "http" and scope["method"] not in SAFE and not self._door.admits(authorization):
            cure = "send the header Authorization: Bearer TOKEN; serve says the token and the file it is in"
            raise Refused(401, "no token, or another one", cure)


async def _whole(scope: Scope, receive: Receive) -> Receive:
    """The request's body, read in time and within bounds, to be read again. Raises ConnectionAbortedError for one broken off."""
    length = dict(scope["headers"]).get(b"content-length", b"0")
    if not length.isdigit() or int(length[:20]) > LARGEST_BODY:
        raise Refused(413, f"more than {LARGEST_BODY} bytes", "send less: paths of files, not the files")
    body, more = bytearray(), True
    try:
        async with asyncio.timeout(BODY_S):
            while more:
                part = await receive()
                if part["type"] == "http.disconnect":
                    raise ConnectionAbortedError
                body += part.get("body", b"")
                more = part.get("more_body", False)
                if len(body) > LARGEST_BODY:
                    raise Refused(413, f"more than {LARGEST_BODY} bytes", "send less: paths of files, not the files")
    except TimeoutError:
        raise Refused(408, f"the request did not come whole within {BODY_S:g} s", "send it again") from None
    parts = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def again() -> dict[str, Any]:
        return parts.pop() if parts else await receive()

    return again


async def _refuse(scope: Scope, send: Send, refused: Refused) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": refused.what[:100]})  # before accepting it: HTTP 403
        return
    body = json.dumps({"error": refused.what, "where": scope["path"][:200], "cure": refused.cure}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
