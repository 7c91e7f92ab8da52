"""MIDI ports: out at the moment a message is due, in with the moment it came; one of memory, one of a file, and the system's own.

A port out holds what is not due yet. It has no thread: whoever plays calls `service` when the time has come that the last call named.
"""

from __future__ import annotations

import heapq
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any, Protocol

from bridge.clock import Clock, MonotonicClock
from bridge.hush import hushed
from bridge.lateness import LatenessLog
from engines.errors import MissingLibraryError, PortError

BOARD = 16 * 128
"""Bytes that say which notes sound: one a channel and pitch."""

SYNC = "Hitpoint sync"
"""Our port into which a DAW sends timecode, clock and machine control. The one it gets notes from is called ``Hitpoint``."""

CONTROL = "Hitpoint control"
"""Our port out of which a DAW gets machine control."""

TIMECODE, CLOCK = "Hitpoint timecode", "Hitpoint clock"
"""Our ports out of which whoever follows us gets timecode and beat clock."""

Heard = Callable[[bytes, int], None]
"""Called with each whole MIDI message and the moment it came, in nanoseconds of the port's clock; perhaps in a thread of the system's."""


class Port(Protocol):
    """What a port out owes. A message that is due in the past, or has no ``due_ns``, goes out at once. ``commit_ns`` is how far ahead of
    now messages may be out already."""

    @property
    def commit_ns(self) -> int: ...

    def open(self) -> None:
        """Opens it; PortError if that cannot be."""

    def send(self, message: bytes, due_ns: int | None = None) -> None:
        """Sends one whole MIDI message when it is due; messages of the same moment keep their order. PortError if it is not open."""

    def service(self) -> int | None:
        """Lets out what is due by now; the moment when the next one is, None if nothing waits or the port needs nobody for that."""

    def recall(self, channel: int) -> tuple[tuple[int, bytes], ...]:
        """Takes back what is not out yet on a channel (0 to 15), as (due, message) in the order of their moments."""

    def take_back(self, kinds: Container[int]) -> tuple[tuple[int, bytes], ...]:
        """The same for all messages that begin with one of these bytes, such as timecode's."""

    def sounding(self, channel: int) -> tuple[int, ...]:
        """The pitches that sound on a channel: their note-on is out, their note-off is not."""

    def close(self) -> None:
        """Drops what waits, but for words of the transport that are due, ends every note that sounds, and closes; a second time does
        nothing."""


class QueuedPort(ABC):
    """The queue that every port out has; a port owes ``_open``, ``_out`` and ``_shut``.

    ``board`` holds 16 x 128 bytes, not zero where a note sounds; who gives one that is shared between processes can still end the
    notes of a process that died. Any thread may call.
    """

    commit_ns: int = 0

    def __init__(self, clock: Clock | None = None, board: bytearray | memoryview | None = None) -> None:
        self.clock: Clock = clock or MonotonicClock()
        self.board: bytearray | memoryview = bytearray(BOARD) if board is None else board
        self.late = LatenessLog()
        self._waiting: list[tuple[int, int, bytes]] = []
        self._next = 0
        self._is_open = False
        self._guard = RLock()

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
        with self._guard:
            now = self.clock.now_ns()
            heapq.heappush(self._waiting, (now if due_ns is None else due_ns, self._number(), bytes(message)))
        self.service()

    def service(self) -> int | None:
        """Lets out what is due; see `Port`."""
        with self._guard:
            while self._waiting and self._waiting[0][0] <= (now := self.clock.now_ns()):
                due, _, message = heapq.heappop(self._waiting)
                self._mark(message, sounds=True)  # before it is out: what dies in between has one note-off too many
                self._out(message)
                self._mark(message, sounds=False)
                self.late.add(now - due)
            return self._waiting[0][0] if self._waiting else None

    def recall(self, channel: int) -> tuple[tuple[int, bytes], ...]:
        """Takes back what waits on a channel; see `Port`."""
        return self.take_back(range(0x80 | channel, 0xF0, 16))

    def take_back(self, kinds: Container[int]) -> tuple[tuple[int, bytes], ...]:
        """Takes back what waits and begins with one of these bytes; see `Port`."""
        with self._guard:
            mine = [entry for entry in self._waiting if entry[2][0] in kinds]
            if mine:
                taken = {order for _, order, _ in mine}
                self._waiting = [entry for entry in self._waiting if entry[1] not in taken]
                heapq.heapify(self._waiting)
            return tuple((due, message) for due, _, message in sorted(mine))

    def sounding(self, channel: int) -> tuple[int, ...]:
        """What sounds on a channel; see `Port`."""
        row = bytes(self.board[128 * channel : 128 * channel + 128])
        return tuple(pitch for pitch, sounds in enumerate(row) if sounds) if any(row) else ()

    def close(self) -> None:
        """Ends every note that sounds and closes; see `Port`."""
        if not self._is_open:
            return
        with self._guard:
            now = self.clock.now_ns()
            said = [message for due, _, message in sorted(self._waiting) if due <= now and message[0] >= 0xF0]
            self._waiting.clear()
        try:
            for message in (*said, *self._endings()):
                self._out(message)
                self._mark(message, sounds=False)
        finally:
            self._is_open = False
            self._shut()

    def _number(self) -> int:
        """The place of a message among those of its moment."""
        self._next += 1
        return self._next - 1

    def _endings(self) -> list[bytes]:
        """A note-off for every note that sounds."""
        return [bytes((0x80 | channel, pitch, 0)) for channel in range(16) for pitch in self.sounding(channel)]

    def _mark(self, message: bytes, sounds: bool) -> None:
        """Writes a note-on (``sounds``) or a note-off on the board; other messages leave it alone."""
        kind = message[0] & 0xF0
        strikes = kind == 0x90 and len(message) == 3 and message[2] > 0
        if strikes is sounds and kind in (0x80, 0x90) and len(message) == 3:
            self.board[128 * (message[0] & 0x0F) + message[1]] = strikes

    @abstractmethod
    def _open(self) -> None: ...

    @abstractmethod
    def _out(self, message: bytes) -> None: ...

    @abstractmethod
    def _shut(self) -> None: ...


class MemoryPort(QueuedPort):
    """A port to nowhere that writes down what went out and when: ``sent`` holds (nanoseconds, message)."""

    def __init__(
        self, clock: Clock | None = None, heard: Heard | None = None, board: bytearray | memoryview | None = None
    ) -> None:
        super().__init__(clock, board)
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


class FilePort(QueuedPort):
    """A port that adds what goes out to a file, one line a message: nanoseconds, then its bytes in hex. Each line is on its way to the
    disk before the next message goes out, so that the file outlives whoever writes it."""

    def __init__(
        self, path: str | Path, clock: Clock | None = None, board: bytearray | memoryview | None = None
    ) -> None:  # fmt: skip
        super().__init__(clock, board)
        self.path = Path(path)
        self._file: int | None = None

    def __str__(self) -> str:
        return str(self.path)

    def _open(self) -> None:
        try:
            self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise PortError(
                f"cannot be written ({error.strerror})", where=self, cure="name a file in a folder of yours"
            ) from error

    def _out(self, message: bytes) -> None:
        assert self._file is not None
        try:
            os.write(self._file, f"{self.clock.now_ns()} {message.hex()}\n".encode())
        except OSError as error:
            raise PortError(f"cannot be written ({error.strerror})", where=self, cure="make room on the disk") from error

    def _shut(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


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


SYSTEMS = {"UNIX_JACK": "JACK", "LINUX_ALSA": "ALSA", "MACOSX_CORE": "CoreMIDI", "WINDOWS_MM": "Windows"}
"""MIDI systems as people know them."""
_REFUSALS = (
    ("JACK server not running", "no JACK server runs"),
    ("error creating ALSA sequencer client", "ALSA's sequencer is not there"),
)
_CALL = re.compile(r"^\w+::\w+: *")


def refusal(api: str, error: Exception) -> str:
    """Why a MIDI system opens nothing, without the names of functions that rtmidi puts before it."""
    text = str(error)
    known = next((plain for said, plain in _REFUSALS if said in text), None)
    return known or f"{SYSTEMS.get(api, api)}: {_CALL.sub('', text).rstrip('. ')}"


def _opened(name: str, virtual: bool, backends: Backends, open_with: Callable[[Any], Any]) -> Any:
    """What the first MIDI system opens that can; PortError with what each of them said if none can."""
    refusals = []
    for api, backend in backends():
        try:
            with hushed():
                return open_with(backend)
        except (OSError, ValueError, NotImplementedError) as error:  # rtmidi's own errors are OSErrors
            refusals.append(refusal(api, error))
            if virtual and api.startswith("WINDOWS"):
                cure = "install loopMIDI, make a port in it, and give that port's name without asking for a virtual one"
                raise PortError("Windows has no virtual MIDI ports of its own", where=name, cure=cure) from error
    said = ", ".join(refusals) or "this rtmidi knows no MIDI system"
    raise PortError(
        f"no MIDI system opens it ({said})", where=name, cure="start the DAW or its MIDI driver, and give a port that it lists"
    )


class SystemPort(QueuedPort):
    """A port out of the system's, or with ``virtual`` a new one that other programs see under ``name``."""

    def __init__(
        self,
        name: str,
        virtual: bool = False,
        clock: Clock | None = None,
        backends: Backends = systems,
        board: bytearray | memoryview | None = None,
    ) -> None:
        super().__init__(clock, board)
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
            with hushed():
                found[api] = sorted(set(backend.get_input_names())), sorted(set(backend.get_output_names()))
        except OSError as error:
            found[api] = refusal(api, error)
    return found
