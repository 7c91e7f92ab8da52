"""A plug: an outlet's port that heals itself. What it cannot send is dropped, its fault is said, and it is opened again by and by."""

from __future__ import annotations

from collections.abc import Container, Sequence

from bridge.clock import SECOND, Clock
from bridge.jack_client import JackClient
from bridge.jack_port import JackPort
from bridge.lateness import LatenessLog
from bridge.player.messages import Outlet, Socket
from bridge.ports import FilePort, MemoryPort, QueuedPort, SystemPort
from engines.errors import HitpointError, PortError

Board = memoryview

AGAIN_NS = 2 * SECOND
"""How long a port that is gone is left alone before it is tried again."""


def _made(outlet: Outlet, clock: Clock, board: Board, jack: JackClient | None, peers: Sequence[str]) -> list[QueuedPort]:
    """The ports that an outlet may be, the best first."""
    exact: list[QueuedPort] = [JackPort(jack, outlet.name, peers, board)] if jack is not None else []
    match outlet.kind:
        case "jack":
            return exact
        case "auto":
            return [*exact, SystemPort(outlet.name, True, clock, board=board)]
        case "file":
            return [FilePort(outlet.name, clock, board)]
        case "memory":
            return [MemoryPort(clock, board=board)]
    return [SystemPort(outlet.name, outlet.kind == "virtual", clock, board=board)]


class Plug:
    """The port of one outlet, as a lane sees it: it never raises. ``board`` is shared with who ends its notes if this process dies."""

    def __init__(self, outlet: Outlet, clock: Clock, board: Board, jack: JackClient | None, peers: tuple[str, ...] = ()) -> None:
        self.outlet, self.clock, self.board, self.jack = outlet, clock, board, jack
        self.fault = ""
        self.late = LatenessLog()
        self.openings = 0
        """How often it was opened: what waited at the last port is gone with it."""
        self._port: QueuedPort | None = None
        self._tried = clock.now_ns()
        self._peers: tuple[str, ...] = (*dict.fromkeys((*outlet.connect, *peers)),)

    def __str__(self) -> str:
        return str(self.outlet)

    def open(self) -> None:
        """Opens it, and ends what somebody before us left sounding; the fault is said in `socket`."""
        self._tried = self.clock.now_ns()
        said = []
        for port in _made(self.outlet, self.clock, self.board, self.jack, self._peers):
            try:
                port.open()
                port.late = self.late
                self._port, self.fault = port, ""
                self.openings += 1
                for channel in range(16):
                    for pitch in port.sounding(channel):
                        port.send(bytes((0x80 | channel, pitch, 0)))
                return
            except HitpointError as error:
                said.append(str(error))
        nothing = f"{self.outlet}: no JACK server runs; start JACK (jackd or PipeWire), or choose another kind of port"
        self._port, self.fault = None, "; ".join(said) or nothing

    def mend(self) -> None:
        """Opens it again if it is gone, and the time for another try has come."""
        if self.clock.now_ns() - self._tried > AGAIN_NS:
            self._tried = self.clock.now_ns()
            if self._port is None:
                self.open()
            elif isinstance(self._port, JackPort):
                self._port.reach()

    @property
    def exact(self) -> bool:
        """Whether it is a port of JACK's."""
        return isinstance(self._port, JackPort)

    @property
    def commit_ns(self) -> int:
        """How far ahead of now messages may be out already."""
        return self._port.commit_ns if self._port is not None else 0

    def send(self, message: bytes, due_ns: int | None = None) -> None:
        """Sends, or drops if the port is gone."""
        if self._port is not None:
            try:
                self._port.send(message, due_ns)
            except PortError as error:
                self._gone(error)

    def service(self) -> int | None:
        """Lets out what is due; see `Port`."""
        if self._port is not None:
            try:
                return self._port.service()
            except PortError as error:
                self._gone(error)
        return None

    def recall(self, channel: int) -> tuple[tuple[int, bytes], ...]:
        """Takes back what waits on a channel."""
        return self._port.recall(channel) if self._port is not None else ()

    def take_back(self, kinds: Container[int]) -> tuple[tuple[int, bytes], ...]:
        """Takes back what waits and begins with one of these bytes."""
        return self._port.take_back(kinds) if self._port is not None else ()

    def sounding(self, channel: int) -> tuple[int, ...]:
        """What sounds on a channel."""
        return self._port.sounding(channel) if self._port is not None else ()

    def close(self) -> None:
        """Ends what sounds and closes; see `Port`."""
        port, self._port = self._port, None
        if port is not None:
            if isinstance(port, JackPort) and not port.jack.gone:
                self._peers = port.peers or self._peers
            try:
                port.close()
            except PortError as error:
                self.fault = str(error)

    @property
    def socket(self) -> Socket:
        """How it does."""
        kind = type(self._port).__name__ if self._port is not None else "closed"
        return Socket(self.outlet.name, kind, self.fault, tuple(getattr(self._port, "peers", ())))

    def _gone(self, error: PortError) -> None:
        self.close()
        self.fault = str(error)
