"""One DAW at the other end of a UDP socket that speaks OSC: tell it, ask it, hear what it says by itself."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Condition, Thread
from typing import Any

from engines.errors import DawError

Heard = Callable[[str, tuple[Any, ...], int], None]
"""Called in the socket's thread with address, arguments, and the moment in monotonic nanoseconds."""

LARGEST = 65_535
"""Bytes of a datagram."""

_AGAIN_S = 0.6  # a question that got no answer is asked again: datagrams may be lost, and Live looks every 0.1 s
_KNOCK_S = 0.05  # a refusal comes back at once on this machine
_KEPT = 4096  # answers that nobody has asked for yet


class OscPeer:
    """A socket to one program at ``host`` and ``port``. ``bind`` is the port that it answers to; 0 for one that answers to the sender.

    Only what comes from that program is heard. What cannot be read changes nothing. ``shy_s`` is how long a program that has just
    opened its port must be left alone: Ardour 7.3 never answers again when a message comes while it still loads its session.
    """

    def __init__(
        self, name: str, port: int, bind: int = 0, host: str = "127.0.0.1", timeout_s: float = 3.0, shy_s: float = 0.0
    ) -> None:
        self.name, self.port, self.bind, self.host = name, port, bind, host
        self.timeout_s, self.shy_s = timeout_s, shy_s
        self.listeners: list[Heard] = []
        self._socket: socket.socket | None = None
        self._thread: Thread | None = None
        self._came = Condition()
        self._answers: list[tuple[str, tuple[Any, ...]]] = []
        self._dropped = 0  # answers that were let go, so that a place in the row stays a place
        self._refusals = 0
        self._away = self._spoken = False  # it was not there when it was knocked at last; it was ever spoken to

    def knock(self) -> bool:
        """Whether something has the port open. An empty datagram is sent, which no program takes for a message; the system says of one
        that nobody was there for."""
        wire = self._open()
        with self._came:
            before = self._refusals
        for _ in range(2):  # the first may only bring back that an earlier one was refused
            try:
                wire.send(b"")
                break
            except ConnectionRefusedError:
                continue
            except OSError:
                return False
        with self._came:
            return not self._came.wait_for(lambda: self._refusals > before, _KNOCK_S)

    def _approach(self) -> None:
        """For a shy program: waits until it has been there for a while. Raises DawError where nobody is."""
        if not self.shy_s:
            return
        here = self.knock()
        if here and self._away:
            with self._came:
                self._came.wait(self.shy_s)
            here = self.knock()
        self._away = not here
        if not here:
            raise self._silent()

    def send(self, address: str, *args: Any) -> None:
        """Sends one message. Raises DawError where nothing listens, as far as the system says so."""
        from pythonosc.osc_message_builder import OscMessageBuilder

        built = OscMessageBuilder(address)
        for arg in args:
            built.add_arg(arg)
        wire = self._open()
        if self._away or not self._spoken:
            self._approach()
            self._spoken = True
        for _ in range(2):  # the first may only bring back that the one before was refused
            try:
                wire.send(built.build().dgram)
            except ConnectionRefusedError:
                with self._came:
                    self._refusals += 1
                self._away = bool(self.shy_s)
                continue
            except OSError as error:
                raise DawError(f"cannot be told anything ({error.strerror})", where=self.name, cure="is it running?") from error
            return
        raise self._silent()

    def ask(
        self, address: str, *args: Any, answer: str | None = None, fits: Callable[[tuple[Any, ...]], bool] | None = None
    ) -> tuple[Any, ...]:
        """The arguments of the first answer on ``answer`` (the question's address by default) that ``fits``; asked again while it does
        not come. Raises DawError where it never does."""
        expected = answer or address
        with self._came:
            seen = self._dropped + len(self._answers)
        end = time.monotonic() + self.timeout_s
        while time.monotonic() < end:
            self.send(address, *args)
            found = self._wait_for(seen, expected, fits, min(end, time.monotonic() + _AGAIN_S))
            if found is not None:
                return found
        raise self._silent()

    def gather(self, address: str, *args: Any, answer: str, last: Callable[[tuple[Any, ...]], bool]) -> list[tuple[Any, ...]]:
        """All answers on ``answer`` up to the one that is the ``last``. Raises DawError where that never comes."""
        with self._came:
            seen = self._dropped + len(self._answers)
        end = time.monotonic() + self.timeout_s
        self.send(address, *args)
        if self._wait_for(seen, answer, last, end) is None:
            raise self._silent()
        out = []
        with self._came:
            for heard, said in self._answers[max(0, seen - self._dropped) :]:
                if heard == answer:
                    out.append(said)
                    if last(said):
                        break
        return out

    def until(self, true: Callable[[], bool]) -> bool:
        """Waits until something is so, looking whenever a message comes, and twenty times a second."""
        end = time.monotonic() + self.timeout_s
        while not true():
            if time.monotonic() > end:
                return False
            with self._came:
                self._came.wait(0.05)
        return True

    def close(self) -> None:
        """Closes the socket and ends its thread."""
        wire, self._socket = self._socket, None
        if wire is not None:
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in it
            wire.close()
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None

    def _open(self) -> socket.socket:
        if self._socket is None:
            wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            try:
                wire.bind(("127.0.0.1" if self.host.startswith("127.") else "", self.bind))
                wire.connect((self.host, self.port))
            except OSError as error:
                wire.close()
                what = f"answers on port {self.bind}, which another program has ({error.strerror})"
                raise DawError(what, where=self.name, cure="quit that program, or the other Hitpoint") from error
            self._socket = wire
            self._thread = Thread(target=self._listen, args=(wire,), name=f"osc {self.name}", daemon=True)
            self._thread.start()
        return self._socket

    def _listen(self, wire: socket.socket) -> None:
        while wire is self._socket:
            try:
                datagram = wire.recv(LARGEST)
            except ConnectionRefusedError:
                self._away = bool(self.shy_s)
                with self._came:
                    self._refusals += 1
                    self._came.notify_all()
                continue
            except OSError:
                return  # closed
            if not datagram:
                continue
            now = time.monotonic_ns()
            for address, args in messages(datagram):
                with self._came:
                    self._answers.append((address, args))
                    extra = len(self._answers) - _KEPT
                    if extra > 0:
                        del self._answers[:extra]
                        self._dropped += extra
                    self._came.notify_all()
                for listener in tuple(self.listeners):
                    listener(address, args, now)

    def _wait_for(
        self, seen: int, expected: str, fits: Callable[[tuple[Any, ...]], bool] | None, end: float
    ) -> tuple[Any, ...] | None:
        """The first answer after the ``seen`` ones that is the expected one; None after ``end``."""

        def found() -> tuple[Any, ...] | None:
            for address, args in self._answers[max(0, seen - self._dropped) :]:
                if address == expected and (fits is None or fits(args)):
                    return args
            return None

        with self._came:
            refused = self._refusals
            self._came.wait_for(lambda: found() is not None or self._refusals > refused, max(0.0, end - time.monotonic()))
            if found() is None and self._refusals > refused:
                raise self._silent()
            return found()

    def _silent(self) -> DawError:
        return DawError(f"does not answer on port {self.port}", where=self.name, cure="start it, and switch its OSC on")


def messages(datagram: bytes) -> Sequence[tuple[str, tuple[Any, ...]]]:
    """The messages of a datagram, bundles unpacked; none where it is no OSC. Ardour answers some questions on ``#reply``, which is no
    legal address: it is read as ``/reply``."""
    from pythonosc.osc_packet import OscPacket, ParseError

    if datagram[:1] == b"#" and not datagram.startswith(b"#bundle\0"):
        datagram = b"/" + datagram[1:]
    try:
        return [(timed.message.address, tuple(timed.message.params)) for timed in OscPacket(datagram).messages]
    except (ParseError, ValueError, IndexError, UnicodeError, OverflowError):
        return []
