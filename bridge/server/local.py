"""The local server as a whole: bound to the loopback, in a thread of its own, from start to close."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn

from bridge.server.door import Door
from bridge.server.guard import LARGEST_HEAD, Guard
from bridge.server.lines import EventLine, HttpLine
from bridge.server.routes import app_of
from bridge.studio import Studio
from engines.errors import PortError

LOOPBACK = "127.0.0.1"

LARGEST_MESSAGE = 4096
"""Bytes of a WebSocket message from a subscriber, who has nothing to say."""

IDLE_S = 5
"""Seconds for which a socket may stay open between two requests."""

for _name in ("uvicorn.error", "uvicorn.access"):
    logging.getLogger(_name).addHandler(logging.NullHandler())
    logging.getLogger(_name).propagate = False  # nothing of it belongs on the terminal
    logging.getLogger(_name).setLevel(logging.ERROR)  # what a peer does wrong is no news at all


class LocalServer:
    """Serves a studio on one port of the loopback (0: a free one) until it is closed. Raises PortError where the port is taken."""

    def __init__(self, studio: Studio, port: int = 0) -> None:
        self._socket = _bound(port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.door = Door()
        self.app = app_of(studio)
        hosts = (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}")
        self._server = uvicorn.Server(
            uvicorn.Config(
                Guard(self.app, self.door, hosts),  # type: ignore[arg-type]
                http=HttpLine,
                ws=EventLine,
                ws_max_size=LARGEST_MESSAGE,
                ws_per_message_deflate=False,
                h11_max_incomplete_event_size=LARGEST_HEAD,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=2,
                proxy_headers=False,
                server_header=False,
                access_log=False,
                log_config=None,
                lifespan="off",
            )
        )
        self._thread = Thread(target=self._server.run, args=([self._socket],), name="hitpoint server", daemon=True)
        self._thread.start()

    def post(self, facts: Mapping[str, Any], folder: Path | None = None) -> Path:
        """Tells the person's own programs where it is and how to come in; see `Door.post`."""
        return self.door.post(self.port, {"url": self.url, **facts}, folder)

    def close(self) -> None:
        """Answers nobody any more; subscribers are told. A second time does nothing."""
        self.door.shut()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, so that asyncio sends without delay
    if os.name == "posix":  # elsewhere the option lets a second program take the port
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
        made.listen(128)  # whoever connects from now on is answered once the thread is there
    except OSError as error:
        made.close()
        raise PortError(f"port {port} is taken", where="server", cure="choose another: --port 0 takes a free one") from error
    return made
