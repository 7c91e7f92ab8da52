"""An ear: one inlet, open or to be opened again, and the reports of what is heard there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from bridge.clock import SECOND, Clock
from bridge.jack_client import JackClient
from bridge.jack_port import JackInput
from bridge.jack_transport import JackTransport
from bridge.link import LinkTransport
from bridge.midi_clock import ClockReader, song_step
from bridge.mmc import MmcReader
from bridge.mtc import MtcReader
from bridge.player.messages import Inlet, Socket
from bridge.ports import SystemInput
from bridge.transport import MidiReader, Report
from engines.errors import HitpointError, PortError

AGAIN_NS = 2 * SECOND
"""How long an inlet that is gone is left alone before it is tried again."""

_MOST = 10_000  # messages kept while nobody drains


class Ear:
    """One inlet. `drain` gives what was heard since, in its order. ``picture`` is the film's rate, which timecode needs to know."""

    def __init__(self, inlet: Inlet, clock: Clock, jack: JackClient | None, picture: Fraction | None) -> None:
        self.inlet, self.clock, self.jack = inlet, clock, jack
        self.fault = ""
        self._heard: deque[tuple[bytes, int]] = deque(maxlen=_MOST)
        self._mtc, self._mmc = MtcReader(f"timecode on {inlet}", picture), MmcReader(f"machine control on {inlet}", picture)
        self._clock = ClockReader(f"clock on {inlet}", inlet.song_step or song_step(inlet.name))
        self._readers: tuple[MidiReader, ...] = (self._mtc, self._clock, self._mmc)
        self._source: Any = None
        self._tried = clock.now_ns()

    def picture(self, rate: Fraction | None) -> None:
        """The film's rate is another."""
        self._mtc.picture = self._mmc.picture = rate

    def open(self) -> None:
        """Opens it; what is wrong is said in `socket`."""
        self._tried = self.clock.now_ns()
        try:
            self._source, self.fault = self._made(), ""
        except HitpointError as error:
            self._source, self.fault = None, str(error)

    def mend(self) -> None:
        """Opens it again if it is gone, and the time for another try has come."""
        if self.clock.now_ns() - self._tried > AGAIN_NS:
            self._tried = self.clock.now_ns()
            if self._source is None:
                self.open()
            elif isinstance(self._source, JackInput):
                self._source.reach()
                if self.inlet.song_step is None:
                    self._clock.song_step = song_step(" ".join((self.inlet.name, *self._source.peers)))

    def drain(self) -> Iterator[Report]:
        """What was heard since."""
        if isinstance(self._source, JackTransport | LinkTransport):
            report = self._source.poll()
            if report is not None:
                yield report
        elif isinstance(self._source, JackInput):
            self._source.drain()
        while self._heard:
            message, moment = self._heard.popleft()
            for reader in self._readers:
                report = reader.feed(message, moment)
                if report is not None:
                    yield report

    def close(self) -> None:
        """Closes it; a second time does nothing."""
        source, self._source = self._source, None
        if source is not None:
            source.close()

    @property
    def exact(self) -> bool:
        """Whether it is a port of JACK's."""
        return isinstance(self._source, JackInput)

    @property
    def socket(self) -> Socket:
        """How it does."""
        kind = type(self._source).__name__ if self._source is not None else "closed"
        return Socket(str(self.inlet), kind, self.fault, tuple(getattr(self._source, "peers", ())))

    def _made(self) -> Any:
        kind = self.inlet.kind
        if kind == "link":
            return LinkTransport(self.clock.now_ns)
        if kind in ("jack", "jack transport") or (kind == "auto" and self.jack is not None):
            if self.jack is None:
                cure = "start JACK (jackd or PipeWire), or listen at another kind of port"
                raise PortError("no JACK server runs", where=self.inlet, cure=cure)
            if kind == "jack transport":
                return JackTransport(self.jack)
            inlet = JackInput(self.jack, self.inlet.name, self._take, self.inlet.connect)
        else:
            inlet = SystemInput(self.inlet.name, self._take, kind in ("virtual", "auto"), self.clock)  # type: ignore[assignment]
        inlet.open()
        return inlet

    def _take(self, message: bytes, moment: int) -> None:
        if message[0] >= 0xF0:  # notes tell nothing of the transport
            self._heard.append((message, moment))
