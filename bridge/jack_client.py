"""A client of JACK: its sample clock as the clock that everything runs by, and the callback in which ports are filled and emptied.

JACK numbers its samples; what is written at a sample's offset in a period is heard at just that sample. A client that runs by this
clock has no second one to drift against: nanoseconds here are samples, counted on through the 24 hours after which JACK's count wraps.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module
from threading import Event, Lock
from types import ModuleType
from typing import Any

from bridge.clock import SECOND
from engines.errors import MissingLibraryError, PortError

NAME = "Hitpoint"
"""What JACK calls us, unless somebody else is called so."""

HEARING = "Hitpoint in"
"""What JACK calls the client that hears. A DAW that hears our notes and whose timecode we hear would close a ring, were both ends one
client: JACK opens a ring anywhere, by a period, at another place each time that ports are connected. Two clients make no ring."""

_WRAP = 1 << 32  # samples

Period = Callable[[int, int], None]
"""Called in JACK's thread with the number of a period's first sample, and how many it has. It must neither wait nor raise."""


def library() -> ModuleType:
    """The module ``jack``. Raises MissingLibraryError without it, PortError where JACK itself is not installed."""
    try:
        return import_module("jack")
    except ImportError as error:
        raise MissingLibraryError("JACK needs the module JACK-Client", cure="pip install JACK-Client") from error
    except OSError as error:
        cure = "install JACK (jackd2, PipeWire or jackaudio.org), or choose another kind of port"
        raise PortError("JACK is not installed", where="jack", cure=cure) from error


class JackClock:
    """JACK's samples as nanoseconds that never go back. ``read`` gives the sample of now, as JACK counts them (32 bits)."""

    def __init__(self, rate: int, read: Callable[[], int]) -> None:
        self.rate, self._read = rate, read
        self._guard = Lock()
        self._newest = read()

    def now_ns(self) -> int:
        """The moment, in nanoseconds of JACK's samples."""
        return self.nanoseconds(self.whole(self._read()))

    def whole(self, sample: int) -> int:
        """The number of the sample of now, counted on through the wraps: the newest that there was if it lies before it."""
        with self._guard:
            ahead = (sample - self._newest) % _WRAP
            if ahead < _WRAP // 2:
                self._newest += ahead
            return self._newest

    def placed(self, sample: int) -> int:
        """A sample's number counted on through the wraps, for one near the newest, before it or after."""
        ahead = (sample - self._newest) % _WRAP
        return self._newest + (ahead if ahead < _WRAP // 2 else ahead - _WRAP)

    def nanoseconds(self, sample: int) -> int:
        """When a sample is heard: the first nanosecond that is not before it."""
        return -(-sample * SECOND // self.rate)

    def sample(self, ns: int) -> int:
        """The sample that is nearest to a moment."""
        return (2 * ns * self.rate + SECOND) // (2 * SECOND)


class JackClient:
    """A client of a running JACK server (of ``server``, or of the one that JACK_DEFAULT_SERVER names). Raises PortError without one.

    All its requests must come from one thread; what `add` adds is called in JACK's own. ``clock`` is that of another client of the same
    server, by which both count alike.
    """

    def __init__(self, name: str = NAME, server: str | None = None, clock: JackClock | None = None) -> None:
        self.jack: Any = library()
        said: list[str] = []
        self.jack.set_error_function(said.append)  # libjack would print it
        self.jack.set_info_function(lambda line: None)
        try:
            self.client: Any = self.jack.Client(name, no_start_server=True, servername=server)
        except self.jack.JackOpenError as error:
            cure = "start JACK (jackd or PipeWire), or choose another kind of port"
            raise PortError(f"no JACK server runs ({'; '.join(said[-1:]) or error})", where=name, cure=cure) from error
        self.rate = int(self.client.samplerate)
        self.clock = clock or JackClock(self.rate, lambda: int(self.client.frame_time))
        self._periods: tuple[Period, ...] = ()
        self.gone = ""
        self.slips = 0
        """How often JACK was late with a period: some program may have missed it."""
        self.turns = 0
        """How often programs came to another order, as ports are connected: one that was moved may have missed a period, too."""
        self.client.set_process_callback(self._period)
        self.client.set_shutdown_callback(self._shutdown)
        self.client.set_xrun_callback(self._slipped)
        self._other = Event()
        self.client.set_graph_order_callback(self._reordered)
        self.client.activate()

    @property
    def nanoseconds_a_sample(self) -> int:
        """How long a sample lasts."""
        return SECOND // self.rate

    @property
    def period_ns(self) -> int:
        """How long a period lasts."""
        return int(self.client.blocksize) * SECOND // self.rate

    def await_change(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Waits until something is so that changes only as ports are connected; whether it came to be in time."""
        end = time.monotonic() + timeout_s
        while not until():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self._other.wait(left)
            self._other.clear()
        return True

    def add(self, period: Period) -> None:
        """Calls this in every period from now on."""
        self._periods = (*self._periods, period)

    def drop(self, period: Period) -> None:
        """Calls it no more; it may be called once more just now."""
        self._periods = tuple(other for other in self._periods if other != period)

    def close(self) -> None:
        """Leaves JACK: a client that is not closed stalls the whole graph until JACK's patience ends."""
        self._periods = ()
        self.client.deactivate()
        self.client.close()

    def connect(self, ours: str, theirs: str, outwards: bool) -> bool:
        """Connects a port of ours with another program's; whether they are connected now."""
        here = f"{self.client.name}:{ours}"
        if theirs in self.peers(ours):
            return True
        try:
            self.client.connect(*((here, theirs) if outwards else (theirs, here)))
        except self.jack.JackError:
            return False
        return True

    def peers(self, ours: str) -> tuple[str, ...]:
        """What a port of ours is connected to."""
        try:
            port = self.client.get_port_by_name(f"{self.client.name}:{ours}")
            return tuple(other.name for other in self.client.get_all_connections(port))
        except self.jack.JackError:
            return ()

    def _period(self, frames: int) -> None:
        first = self.clock.placed(int(self.client.last_frame_time))
        for period in self._periods:
            period(first, frames)

    def _slipped(self, delayed_us: float) -> None:
        self.slips += 1

    def _reordered(self) -> None:
        self.turns += 1
        self._other.set()

    def _shutdown(self, status: Any, reason: str) -> None:
        self.gone = reason or "it was ended"
