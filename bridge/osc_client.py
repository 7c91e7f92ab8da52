"""The other end of our OSC: asks a running `bridge.osc.OscServer` by name of argument, and hears what it tells."""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from bridge.addresses import BY_ADDRESS
from bridge.osc_packet import LARGEST_ANSWER, Malformed, Message, build, read_one
from engines.errors import OptionError, PortError

MOST_KEPT = 10_000
"""Messages that wait to be looked at; the oldest are forgotten first."""


class OscClient:
    """Speaks to the server at ``port`` of this machine; ``told`` holds what came that was no answer, in order."""

    def __init__(self, port: int) -> None:
        self.peer = ("127.0.0.1", port)
        self.told: deque[Message] = deque(maxlen=MOST_KEPT)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))

    def ask(self, address: str, timeout: float = 5.0, **given: Any) -> Any:
        """Asks, and waits for the answer. Raises OptionError for what the server refused, PortError where nobody answers."""
        row = BY_ADDRESS[address]
        args = [given.pop(argument.name, None) for argument in row.arguments]
        if given:
            raise OptionError(f"{next(iter(given))!r} is no argument", where=address, cure=f"give {row.signature or 'none'}")
        while args and args[-1] is None:
            args.pop()
        self.send(address, *args)
        name, rest = self._come(lambda message: message[0].count("/") == 2 and message[1][:1] == (address,), timeout)
        if name == "/hitpoint/error":
            raise OptionError(rest[1], where=rest[2] or None, cure=rest[3] or None)
        return json.loads(rest[1])

    def send(self, address: str, *args: Any) -> None:
        """Sends one message, and waits for nothing."""
        self.post(build(address, args))

    def post(self, data: bytes) -> None:
        """Sends one datagram as it is."""
        self._socket.sendto(data, self.peer)

    def hear(self, wanted: Callable[[Message], bool], timeout: float = 5.0) -> Message:
        """The first message that is ``wanted``, of those in ``told``, which it leaves, or of those to come, of which others are kept there.

        What a call sets off may be told before the call is answered. Raises PortError where none came in ``timeout`` seconds.
        """
        for message in self.told:
            if wanted(message):
                self.told.remove(message)
                return message
        return self._come(wanted, timeout)

    def _come(self, wanted: Callable[[Message], bool], timeout: float) -> Message:
        deadline = time.monotonic() + timeout
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                message = read_one(self._socket.recv(LARGEST_ANSWER))
            except (TimeoutError, Malformed):
                continue
            if wanted(message):
                return message
            self.told.append(message)
        raise PortError("does not answer", where=f"OSC port {self.peer[1]}", cure="start it: python main.py serve --osc-port N")

    def close(self) -> None:
        """Lets go of the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
