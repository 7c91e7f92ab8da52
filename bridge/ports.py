"""MIDI ports: out at the moment a message is due, in with the moment it came; one of memory, and the system's own.

A port out holds what is not due yet. It has no thread: whoever plays calls `service` when the time has come that the last call named.
"""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import Any, Protocol

from bridge.clock import Clock, MonotonicClock
from engines.errors import MissingLibraryError, PortError

Heard = Callable[[bytes, int], None]
"""Called with each whole MIDI message and the moment it came, in nanoseconds of the port's clock; perhaps in a thread of the system's."""


class Port(Protocol):
    """What a port out owes. A message that is due in the past, or has no ``due_ns``, goes out at once."""

    def open(self) -> None:
        """Opens it; PortError if that cannot be."""

    def send(self, message: bytes, due_ns: int | None = None) -> None:
        """Sends one whole MIDI message when it is due; messages of the same moment keep their order. PortError if it is not open."""

    def service(self) -> int | None:
        """Lets out what is due by now; the moment when the next one is, None if nothing waits."""

    def close(self) -> None:
        """Drops what waits, ends every note that sounds, and closes; a second time does nothing."""


class QueuedPort(ABC):
    """The queue that every port out has; a port owes ``_open``, ``_out`` and ``_shut``."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or MonotonicClock()
        self._waiting: list[tuple[int, int, bytes]] = []
        self._order = count()
        self._sounding: set[tuple[int, int]] = set()  # channel, pitch
        self._is_open = False

    def open(self) -> None:
        """Opens it; PortError if that cannot be."""
        if not self._is_open:
            self._open()
            self._is_open = True

    def send(self, message: bytes, due_ns: int | None = None) -> None:
        """Sends when due; see `Port`."""
        if not self._is_open:
            raise PortError("the port is not open", where=self, cure="open it before sending")
        if not message or message[0] < 0x80:
            raise PortError(f"{message[:8].hex(' ') or 'nothing'} is no MIDI message", where=self, cure="send whole messages")
        now = self.clock.now_ns()
        heapq.heappush(self._waiting, (now if due_ns is None else due_ns, next(self._order), bytes(message)))
        self.service()

    def service(self) -> int | None:
        """Lets out what is due; see `Port`."""
        while self._waiting and self._waiting[0][0] <= self.clock.now_ns():
            message = heapq.heappop(self._waiting)[2]
            self._out(message)
            self._note(message)
        return self._waiting[0][0] if self._waiting else None

    def close(self) -> None:
        """Ends every note that sounds and closes; see `Port`."""
        if not self._is_open:
            return
        self._waiting.clear()
        try:
            for channel, pitch in sorted(self._sounding):
                self._out(bytes((0x80 | channel, pitch, 0)))
        finally:
            self._sounding.clear()
            self._is_open = False
            self._shut()

    def _note(self, message: bytes) -> None:
        kind, voice = message[0] & 0xF0, (message[0] & 0x0F, message[1] if len(message) > 1 else 0)
        if kind == 0x90 and message[2]:
            self._sounding.add(voice)
        elif kind in (0x80, 0x90):
            self._sounding.discard(voice)

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def _out(self, message: bytes) -> None: ...

    @abstractmethod
    def _shut(self) -> None: ...


class MemoryPort(QueuedPort):
    """A port to nowhere that writes down what went out and when: ``sent`` holds (nanoseconds, message)."""

    def __init__(self, clock: Clock | None = None, heard: Heard | None = None) -> None:
        super().__init__(clock)
        self.heard = heard
        self.sent: list[tuple[int, bytes]] = []

    def __str__(self) -> str:
        return "memory"

    def _open(self) -> None:
        pass

    def _out(self, message: bytes) -> None:
        now = self.clock.now_ns()
        self.sent.append((now, message))
        if self.heard is not None:
            self.heard(message, now)

    def _shut(self) -> None:
        pass


Backends = Callable[[], Iterable[tuple[str, Any]]]
"""Names and mido back ends of the MIDI systems to try, in this order."""


def systems() -> Iterator[tuple[str, Any]]:
    """The MIDI systems that rtmidi was built with here, as mido back ends: CoreMIDI, ALSA, JACK, Windows' own."""
    try:
        import mido
        from mido.backends import rtmidi
    except ImportError as error:
        raise MissingLibraryError(f"live MIDI needs {error.name}", cure="pip install mido python-rtmidi") from error
    for api in rtmidi.get_api_names():
        if api != "RTMIDI_DUMMY":  # it opens whatever it is asked for, and sends nothing
            yield api, mido.Backend(f"mido.backends.rtmidi/{api}")


def _opened(name: str, virtual: bool, backends: Backends, open_with: Callable[[Any], Any]) -> Any:
    """What the first MIDI system opens that can; PortError with what each of them said if none can."""
    refusals = []
    for api, backend in backends():
        try:
            return open_with(backend)
        except (OSError, ValueError, NotImplementedError) as error:  # rtmidi's own errors are OSErrors
            refusals.append(f"{api}: {error}")
            if virtual and api.startswith("WINDOWS"):
                cure = "install loopMIDI, make a port in it, and give that port's name without asking for a virtual one"
                raise PortError("Windows has no virtual MIDI ports of its own", where=name, cure=cure) from error
    said = "; ".join(refusals) or "this rtmidi knows no MIDI system"
    raise PortError(
        f"no MIDI system opens it ({said})", where=name, cure="start the DAW or its MIDI driver, and give a port that it lists"
    )


class SystemPort(QueuedPort):
    """A port out of the system's, or with ``virtual`` a new one that other programs see under ``name``."""

    def __init__(self, name: str, virtual: bool = False, clock: Clock | None = None, backends: Backends = systems) -> None:
        super().__init__(clock)
        self.name, self.virtual, self._backends = name, virtual, backends
        self._port: Any = None

    def __str__(self) -> str:
        return self.name

    def _open(self) -> None:
        self._port = _opened(
            self.name, self.virtual, self._backends, lambda system: system.open_output(self.name, virtual=self.virtual)
        )

    def _out(self, message: bytes) -> None:
        from mido import Message

        try:
            self._port.send(Message.from_bytes(message))
        except ValueError as error:
            raise PortError(
                f"{message[:8].hex(' ')} is no MIDI message: {error}", where=self, cure="send whole messages"
            ) from error
        except OSError as error:
            raise PortError(
                f"the port went away: {error}", where=self, cure="plug it in or start its program again, then open it"
            ) from error

    def _shut(self) -> None:
        self._port.close()


class SystemInput:
    """A port in of the system's, or a new one that other programs see: ``heard`` gets every message, timecode and clock too."""

    def __init__(
        self, name: str, heard: Heard, virtual: bool = False, clock: Clock | None = None, backends: Backends = systems
    ) -> None:
        self.name, self.heard, self.virtual = name, heard, virtual
        self.clock: Clock = clock or MonotonicClock()
        self._backends = backends
        self._port: Any = None

    def open(self) -> None:
        """Opens it; PortError if that cannot be."""
        if self._port is None:
            self._port = _opened(
                self.name,
                self.virtual,
                self._backends,
                lambda system: system.open_input(self.name, virtual=self.virtual, callback=self._came),
            )

    def close(self) -> None:
        """Closes it; a second time does nothing."""
        if self._port is not None:
            self._port.close()
            self._port = None

    def _came(self, message: Any) -> None:
        self.heard(bytes(message.bytes()), self.clock.now_ns())


def names(backends: Backends = systems) -> dict[str, tuple[list[str], list[str]] | str]:
    """For every MIDI system the ports in and out that other programs offer, or why it says nothing."""
    found: dict[str, tuple[list[str], list[str]] | str] = {}
    for api, backend in backends():
        try:
            found[api] = sorted(set(backend.get_input_names())), sorted(set(backend.get_output_names()))
        except OSError as error:
            found[api] = str(error)
    return found
