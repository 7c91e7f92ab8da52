"""Ports of JACK: messages out at exactly the sample they are due at, in with exactly the sample they came at."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from threading import Event
from typing import Any

from bridge.jack_client import JackClient
from bridge.ports import Heard, QueuedPort
from engines.errors import PortError

_QUIET = 2  # periods without a message, after which the last one was heard by everybody
_SLIPPED_S, _AGAIN_S = 2, 0.5  # how long before JACK told of it a period may have been missed, and after it one is missed still
_MOST_ENDS = 512  # note-offs remembered
_FAREWELL_S = 2.0  # for the last note-offs: some periods, however busy the machine, and less than whoever ends us waits


def _refused(name: str, error: Exception) -> PortError:
    return PortError(f"JACK makes no port of that name ({error})", where=name, cure="choose another name")


class JackPort(QueuedPort):
    """A MIDI port out of a `JackClient`. What is due before the period that is being filled is late, and goes out at its first sample.

    ``connect`` names the ports of other programs that it is connected to as soon as they are there, once.
    """

    def __init__(
        self, jack: JackClient, name: str, connect: Iterable[str] = (), board: bytearray | memoryview | None = None
    ) -> None:  # fmt: skip
        super().__init__(jack.clock, board)
        self.jack, self.name = jack, name
        self._wanted = list(connect)
        self._port: Any = None
        self._at_once: set[int] = set()  # what nobody gave a moment cannot be late
        self._quiet, self._settled = 0, Event()
        self._ended: deque[tuple[int, bytes]] = deque(
            maxlen=_MOST_ENDS
        )  # the newest note-offs, and the samples that they were due at
        self._upset = jack.slips, jack.turns
        self._again: list[int] = []  # samples from which on ends are said once more, because somebody may have missed them

    def __str__(self) -> str:
        return f"JACK port {self.name}"

    @property
    def commit_ns(self) -> int:  # type: ignore[override]
        """The period that is being filled, and the one that JACK may be ahead of its own clock."""
        return 2 * self.jack.period_ns

    @property
    def peers(self) -> tuple[str, ...]:
        """What it is connected to."""
        return self.jack.peers(self.name) if self._is_open else ()

    def reach(self) -> None:
        """Connects to whatever it was told to and has not yet found."""
        self._wanted = [name for name in self._wanted if not self.jack.connect(self.name, name, outwards=True)]

    def send(self, message: bytes, due_ns: int | None = None) -> None:
        """Sends when due; see `Port`."""
        if self.jack.gone:
            raise PortError(f"JACK went away ({self.jack.gone})", where=self, cure="start it again")
        with self._guard:
            if due_ns is None:
                self._at_once.add(self._next)
            super().send(message, due_ns)

    def service(self) -> int | None:
        """Nothing: JACK calls when it wants the messages."""
        return None

    def _open(self) -> None:
        try:
            self._port = self.jack.client.midi_outports.register(self.name)
        except self.jack.jack.JackError as error:
            raise _refused(self.name, error) from error
        self.jack.add(self._fill)
        self.reach()

    def _fill(self, first: int, frames: int) -> None:
        """Writes a period, in JACK's thread."""
        self._port.clear_buffer()
        jack = self.jack
        offset, clock = 0, jack.clock
        with self._guard:
            upset = jack.slips, jack.turns
            self._quiet = 0 if self._waiting or self._upset != upset else self._quiet + 1
            if self._upset != upset:
                self._upset = upset
                self._again = [first, first + round(_AGAIN_S * jack.rate)]
            if self._again and first >= self._again[0]:
                del self._again[0]
                self._end_again(first - _SLIPPED_S * jack.rate)
            while self._waiting and (sample := clock.sample(self._waiting[0][0])) < first + frames:
                _, order, message = self._waiting[0]
                offset = max(offset, sample - first)
                if message[0] & 0xF0 == 0x80:
                    self._ended.append((first + offset, message))
                self._mark(message, sounds=True)
                try:
                    self._port.write_midi_event(offset, message)
                except self.jack.jack.JackError:
                    break  # the period holds no more: the rest goes into the next one
                self._mark(message, sounds=False)
                heapq.heappop(self._waiting)
                if order not in self._at_once:
                    self.late.add(max(0, first - sample) * self.jack.nanoseconds_a_sample)
                self._at_once.discard(order)
        if self._quiet >= _QUIET:
            self._settled.set()

    def _end_again(self, since: int) -> None:
        """A period was missed by somebody: the note-offs since then are said once more, each once, or a note may hang elsewhere."""
        silent = {message: None for sample, message in self._ended if sample >= since}
        for message in silent:
            if not self.board[128 * (message[0] & 0x0F) + message[1]]:
                with suppress(self.jack.jack.JackError):  # a period that is full holds what is due
                    self._port.write_midi_event(0, message)

    def _out(self, message: bytes) -> None:
        heapq.heappush(self._waiting, (self.clock.now_ns(), self._number(), message))

    def _shut(self) -> None:
        if not self.jack.gone:
            self._quiet = 0
            self._settled.clear()
            self._settled.wait(_FAREWELL_S)
        self.jack.drop(self._fill)
        if not self.jack.gone:
            self._port.unregister()


class JackInput:
    """A MIDI port in of a `JackClient`: `drain` hands on what came since, each message with the moment of its sample."""

    def __init__(self, jack: JackClient, name: str, heard: Heard, connect: Iterable[str] = ()) -> None:
        self.jack, self.name, self.heard = jack, name, heard
        self._wanted = list(connect)
        self._came: deque[tuple[bytes, int]] = deque()
        self._port: Any = None

    def open(self) -> None:
        """Opens it; PortError if that cannot be."""
        if self._port is None:
            try:
                self._port = self.jack.client.midi_inports.register(self.name)
            except self.jack.jack.JackError as error:
                raise _refused(self.name, error) from error
            self.jack.add(self._take)
            self.reach()

    def reach(self) -> None:
        """Connects to whatever it was told to and has not yet found."""
        self._wanted = [name for name in self._wanted if not self.jack.connect(self.name, name, outwards=False)]

    @property
    def peers(self) -> tuple[str, ...]:
        """What it is connected to."""
        return self.jack.peers(self.name) if self._port is not None else ()

    def drain(self) -> None:
        """Hands on what came."""
        for message, moment in self._waiting():
            self.heard(message, moment)

    def close(self) -> None:
        """Closes it; a second time does nothing."""
        port, self._port = self._port, None
        if port is not None:
            self.jack.drop(self._take)
            if not self.jack.gone:
                port.unregister()

    def _waiting(self) -> Iterator[tuple[bytes, int]]:
        while self._came:
            yield self._came.popleft()

    def _take(self, first: int, frames: int) -> None:
        port = self._port
        if port is not None:
            for offset, message in port.incoming_midi_events():
                self._came.append((bytes(message), self.jack.clock.nanoseconds(first + offset)))
