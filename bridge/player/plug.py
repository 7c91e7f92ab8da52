"""A plug: an outlet's port that heals itself. What it cannot send is dropped, its fault is said, and it is opened again by and by."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.clock import SECOND, Clock
from bridge.lateness import LatenessLog
from bridge.player.messages import Outlet, Socket
from bridge.ports import FilePort, MemoryPort, QueuedPort, SystemPort
from engines.errors import HitpointError, PortError

Board = memoryview

AGAIN_NS = 2 * SECOND
"""How long a port that is gone is left alone before it is tried again."""


def _memory(outlet: Outlet, clock: Clock, board: Board, peers: Sequence[str]) -> QueuedPort:
    return MemoryPort(clock, board=board)


def _file(outlet: Outlet, clock: Clock, board: Board, peers: Sequence[str]) -> QueuedPort:
    return FilePort(outlet.name, clock, board)


def _system(outlet: Outlet, clock: Clock, board: Board, peers: Sequence[str]) -> QueuedPort:
    return SystemPort(outlet.name, outlet.kind != "system", clock, board=board)


PORTS: dict[str, tuple[Callable[[Outlet, Clock, Board, Sequence[str]], QueuedPort], ...]] = {
    "memory": (_memory,),
    "file": (_file,),
    "system": (_system,),
    "virtual": (_system,),
    "auto": (_system,),
}
"""What each kind of outlet is made of; of several the first that opens."""


class Plug:
    """The port of one outlet, as a lane sees it: it never raises. ``board`` is shared with who ends its notes if this process dies."""

    def __init__(self, outlet: Outlet, clock: Clock, board: Board, peers: tuple[str, ...] = ()) -> None:
        self.outlet, self.clock, self.board = outlet, clock, board
        self.fault = ""
        self.late = LatenessLog()
        self._port: QueuedPort | None = None
        self._tried = clock.now_ns()
        self._peers: tuple[str, ...] = (*dict.fromkeys((*outlet.connect, *peers)),)

    def open(self) -> None:
        """Opens it, and ends what somebody before us left sounding; the fault is said in `socket`."""
        self._tried = self.clock.now_ns()
        said = []
        for make in PORTS[self.outlet.kind]:
            port = make(self.outlet, self.clock, self.board, self._peers)
            try:
                port.open()
                port.late = self.late
                self._port, self.fault = port, ""
                for channel in range(16):
                    for pitch in port.sounding(channel):
                        port.send(bytes((0x80 | channel, pitch, 0)))
                return
            except HitpointError as error:
                said.append(str(error))
        self._port, self.fault = None, "; ".join(said)

    def mend(self) -> None:
        """Opens it again if it is gone, and the time for another try has come."""
        if self._port is None and self.clock.now_ns() - self._tried > AGAIN_NS:
            self.open()

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

    def sounding(self, channel: int) -> tuple[int, ...]:
        """What sounds on a channel."""
        return self._port.sounding(channel) if self._port is not None else ()

    def close(self) -> None:
        """Ends what sounds and closes; see `Port`."""
        port, self._port = self._port, None
        if port is not None:
            self._peers = tuple(getattr(port, "peers", ())) or self._peers
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
