"""The player as the rest of the program sees it: a handle on the process that plays."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

from bridge.clock import SECOND
from bridge.events import Subscribers
from bridge.player import process
from bridge.player.latencies import latencies
from bridge.player.messages import (
    Follow,
    Hear,
    Inlet,
    Lead,
    Listen,
    Load,
    Locate,
    LoopOver,
    Message,
    Order,
    Origins,
    Outlet,
    Panic,
    Patch,
    Play,
    Quit,
    Route,
    Status,
    Stop,
    Swap,
    Vary,
)
from bridge.player.outbox import Outbox
from bridge.player.programme import Programme
from bridge.ports import BOARD
from bridge.signals import held_back
from bridge.transport import Report
from engines.errors import OptionError, PortError

Listener = Callable[[Status], None]
"""Called with each status, in a thread of the player's."""

MOST_OUTLETS = 16
"""Boards that are shared with the process."""

PATIENCE_S = 20.0
"""Seconds within which the process must answer, on however busy a machine."""

SILENCE_S = 3.0
"""A process that is to end and has said nothing for so long, though it speaks a dozen times a second, hangs and is killed."""

_FAREWELL_S = 1.0  # what it has to end in any case

_DEATHS = 3  # within a minute: what kills the process would kill the next one too
_AFTER = {
    (True, True): "another one takes over",
    (False, True): "another one ends its notes and plays nothing until it is asked to",
    (False, False): "it is not started again until it is asked to play",
}


def nanoseconds(seconds: Fraction | float) -> int:
    """Seconds as whole nanoseconds, the nearest there are."""
    return round(Fraction(seconds) * SECOND)


class Player:
    """Plays takes in a process of its own; see `bridge.player`. Every method may be called from any thread, and returns at once.

    ``routes`` and ``inlets`` as in `patch` and `listen`. ``on_status`` is told every status. ``own_process=False`` plays in a thread
    of this process instead: for tests, and good enough to hear something.
    """

    def __init__(
        self,
        routes: Iterable[Route] = (Route(Outlet()),),
        inlets: Iterable[Inlet] = (),
        on_status: Listener | None = None,
        own_process: bool = True,
    ) -> None:
        routes, inlets = tuple(routes), tuple(inlets)
        _counted(routes)
        self._context = get_context("spawn")
        self._own = own_process
        self._listeners: Subscribers[Status] = Subscribers()
        if on_status is not None:
            self._listeners.subscribe(on_status)
        self._boards = self._context.RawArray("B", MOST_OUTLETS * BOARD)
        self._routes: tuple[Route, ...] = ()
        self._numbers: dict[Outlet, int] = {}
        self._kept: dict[type, Message] = {}  # what a fresh process must be told first
        self._news = threading.Condition()
        self._sending = threading.Lock()
        self._status, self._count, self._deaths = Status(), 0, list[float]()
        self._closed = self._bare = False
        try:
            self._start()
            self.patch(routes)
            self.listen(inlets)
        except BaseException:  # Ctrl-C, too: nobody will ever hold what was begun
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def status(self) -> Status:
        """How it did when it last said so, a tenth of a second ago at most."""
        return self._status

    @property
    def pid(self) -> int | None:
        """The number of the process that plays; None without one of its own."""
        return getattr(self._child, "pid", None)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Tells every status to a listener; what is returned ends that."""
        return self._listeners.subscribe(listener)

    def patch(self, routes: Iterable[Route]) -> int:
        """Where stems go from now on; what sounds is ended. Raises OptionError for more outlets than there is room for."""
        given = tuple(routes)
        routes = latencies().routed(given)
        outlets = _counted(routes)
        self._routes = given
        with self._sending:
            for gone in [o for o in self._numbers if o not in outlets]:
                del self._numbers[gone]
            for outlet in outlets:
                free = set(range(MOST_OUTLETS)) - set(self._numbers.values())
                self._numbers.setdefault(outlet, min(free or {0}))
            boards = tuple(self._numbers.items())
        return self._send(Patch(routes, boards))

    def renew(self) -> None:
        """Takes what is kept of latencies now; where that is something else than before, what sounds is ended."""
        known = self._kept.get(Patch)
        if not self._closed and isinstance(known, Patch) and latencies().routed(self._routes) != known.routes:
            self.patch(self._routes)

    def lead(self, timecode: Outlet | None = None, clock: Outlet | None = None) -> int:
        """Where timecode and beat clock go from now on while it moves by itself; None for nowhere."""
        return self._send(Lead(timecode, clock))

    def listen(self, inlets: Iterable[Inlet]) -> int:
        """Where transports are heard from now on."""
        return self._send(Listen(tuple(inlets)))

    def origins(self, at: Fraction | None = None, seconds: Mapping[str, Fraction] | None = None) -> int:
        """Where the film's first frame lies in the DAW's project, and what to add to what single sources say; see `Origins`."""
        return self._send(Origins(tuple(sorted((seconds or {}).items())), at))

    def load(self, programme: Programme) -> int:
        """Plays this from now on; what sounds is ended."""
        return self._send(Load(programme))

    def swap(self, programme: Programme, at: str = "bar") -> int:
        """Plays this from the next bar line on, or ``now``; a note that both hold sounds through. Raises OptionError for another word."""
        if at not in ("bar", "now"):
            raise OptionError(f"nothing is swapped at {at!r}", cure="say bar or now")
        return self._send(Swap(programme, at))  # type: ignore[arg-type]

    def play(self, at: Fraction | float | None = None, speed: Fraction | float = 1) -> int:
        """Rolls by itself, from ``at`` seconds of the film or from where it is. Raises OptionError for a speed that is not forwards."""
        order = Play(None if at is None else nanoseconds(at), _forwards(speed))
        self.renew()
        return self._send(order)

    def stop(self) -> int:
        """Stands, by itself; what sounds is ended."""
        return self._send(Stop())

    def locate(self, seconds: Fraction | float) -> int:
        """Goes to a place in the film, by itself; it rolls on if it rolled."""
        return self._send(Locate(nanoseconds(seconds)))

    def loop(self, start: Fraction | float | None, end: Fraction | float | None = None) -> int:
        """Plays seconds of the film over and over; ``loop(None)`` ends that. Raises OptionError for a loop shorter than 10 ms."""
        if start is None or end is None:
            return self._send(LoopOver(None))
        span = nanoseconds(start), nanoseconds(end)
        if span[1] - span[0] < SECOND // 100 or span[0] < 0:
            raise OptionError(f"{float(start):g} to {float(end):g} s is no loop", cure="let it end after it begins")
        return self._send(LoopOver(span))

    def vary(self, speed: Fraction | float) -> int:
        """Another speed, while it rolls by itself. Raises OptionError for one that is not forwards."""
        return self._send(Vary(_forwards(speed)))

    def follow(self, source: str | None = None) -> int:
        """Goes with what is heard of the DAWs; ``source`` says who leads, None leaves that to the chase."""
        self.renew()
        return self._send(Follow(source))

    def hear(self, report: Report) -> int:
        """Hands in what a source said over OSC."""
        return self._send(Hear(report))

    def panic(self) -> int:
        """Stands, and silences every channel of every port."""
        return self._send(Panic())

    def settle(self, order: int | None = None, timeout: float = PATIENCE_S) -> Status:
        """Waits until an order (as the methods return it; by default the last one) was obeyed. Raises PortError if it is not in time."""
        number = self._count if order is None else order
        return self.wait(lambda status: status.heard >= number, timeout)

    def wait(self, until: Callable[[Status], bool], timeout: float = PATIENCE_S) -> Status:
        """Waits for a status. Raises PortError if there is none in ``timeout`` seconds."""
        with self._news:
            if not self._news.wait_for(lambda: until(self._status), timeout):
                cure = "see whether the machine is overloaded"
                raise PortError(
                    f"nothing came in {timeout:g} s ({self._status.word or 'no fault is known'})", where="player", cure=cure
                )
            return self._status

    def close(self) -> None:
        """Ends every note, the ports and the process; a second time does nothing. A process that hangs is killed, and another one ends
        the notes that it left sounding."""
        if self._closed:
            return
        self._closed = True
        if not hasattr(self, "_child"):
            return
        self._send(Quit())
        if not self._ended() and self._own:
            self._finish(kill=True)
            if bytes(self._boards).strip(b"\0"):
                with self._sending:
                    self._start()
                    self._tell_again(self._status, whole=False)
                self._child.join(PATIENCE_S)
        self._finish(kill=self._own)

    def _ended(self) -> bool:
        """Waits for the child to end for as long as it says that it is at work; whether it ended."""
        asked = time.monotonic()
        while self._child.is_alive():
            now = time.monotonic()
            until = (
                min(max(asked + _FAREWELL_S, self._spoke + SILENCE_S), asked + PATIENCE_S) if self._own else asked + PATIENCE_S
            )
            if now >= until:
                return False
            self._child.join(until - now)
        return True

    def _finish(self, kill: bool) -> None:
        """Lets go of the child, which has ended or ends here."""
        if kill and self._child.is_alive():
            self._child.kill()
            self._child.join()
        self._ears.join(PATIENCE_S)
        self._outbox.close(PATIENCE_S)
        self._wire.close()

    def _start(self) -> None:
        with held_back():  # all of it: Ctrl-C finds it begun, or not
            self._begin()

    def _begin(self) -> None:
        mine, its = self._context.Pipe()
        self._wire: Connection[Order, Status] = mine
        self._spoke = time.monotonic()
        if self._own:
            self._child: Any = self._context.Process(
                target=process.run, args=(its, self._boards), name="Hitpoint player", daemon=True
            )
        else:
            self._child = threading.Thread(target=process.perform, args=(its, self._boards), name="Hitpoint player", daemon=True)
        self._child.start()
        if self._own:
            its.close()  # so that the pipe ends with the process
        self._outbox = Outbox(mine)
        self._ears = threading.Thread(target=self._hear_out, args=(mine,), name="Hitpoint player's words", daemon=True)
        self._ears.start()

    def _send(self, message: Message) -> int:
        with self._sending:
            if self._closed and not isinstance(message, Quit):
                raise PortError("the player is closed", cure="open another one")
            if self._bare and isinstance(message, Play | Follow | Load | Swap):
                self._equip()
            self._outbox.put(Order(self._count + 1, message))
            self._count += 1
            kept = Load(message.programme) if isinstance(message, Swap) else message
            if isinstance(kept, Patch | Lead | Listen | Origins | Load):
                self._kept[type(kept)] = kept
            return self._count

    def _hear_out(self, wire: Connection[Order, Status]) -> None:
        while True:
            try:
                self._say(wire.recv())
            except (EOFError, OSError):
                break
        if not self._closed:
            self._revive()

    def _say(self, status: Status) -> None:
        with self._news:
            self._status, self._spoke = status, time.monotonic()
            self._news.notify_all()
        self._listeners.publish(status)

    def _revive(self) -> None:
        """The process died: another one ends the notes that it left sounding, and stands where it was or follows as it did. The one after
        the third death in a minute only ends notes, and there is none after that."""
        self._child.join(PATIENCE_S)
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < 60] + [now]
        whole, again = len(self._deaths) < _DEATHS, len(self._deaths) <= _DEATHS
        code = getattr(self._child, "exitcode", None)
        last = self._status
        own = last.word if last.alive else ""  # else it was said of the death before: this one never said a word
        why = f"{code}: {own}" if own else str(code)
        word = f"the player's process ended ({why}); {_AFTER[whole, again]}"
        with self._sending:
            self._bare = not whole
        self._say(replace(last, heard=0, alive=False, bare=not whole, rolling=False, speed=0.0, sounding=(), word=word))
        with self._sending:
            # whoever heard of it may have asked for another one already
            if again and not self._closed and not self._child.is_alive():
                self._start()
                self._tell_again(last, whole)

    def _equip(self) -> None:
        """Somebody asks for music after all: a process that has everything it needs, however many died before it."""
        self._bare, self._deaths = False, []
        known: tuple[type[Message], ...] = (Lead, Listen, Origins, Load)
        if not self._child.is_alive():
            self._start()
            known = (Patch, *known)
        for kind in known:
            if kind in self._kept:
                self._outbox.put(Order(0, self._kept[kind]))

    def _tell_again(self, last: Status, whole: bool) -> None:
        """Tells a fresh process all that it must know, or no more than it needs to end the notes of the last one; its answer to the
        last word is the answer to every order so far."""
        sockets = *last.outlets, *(sender.socket for sender in last.senders)
        peers = tuple((socket.name, socket.peers) for socket in sockets if socket.peers)
        known = (Patch, Lead, Listen, Origins, Load) if whole else (Patch,)
        kept = [self._kept[kind] for kind in known if kind in self._kept]
        end = Quit() if self._closed else Follow() if last.follows else Locate(nanoseconds(last.seconds))
        for message in (*kept, end):
            told = replace(message, peers=peers) if isinstance(message, Patch | Lead) else message
            self._outbox.put(Order(self._count if message is end else 0, told))


def _counted(routes: Iterable[Route]) -> dict[Outlet, None]:
    """The outlets of routes, once each. Raises OptionError for more than there is room for."""
    outlets = dict.fromkeys(route.outlet for route in routes)
    if len(outlets) > MOST_OUTLETS:
        raise OptionError(f"{len(outlets)} ports are more than {MOST_OUTLETS}", cure="let stems share a port")
    return outlets


def _forwards(speed: Fraction | float) -> Fraction:
    speed = Fraction(speed).limit_denominator(1_000_000)
    if not 0 < speed <= 16:
        raise OptionError(f"the player cannot run at {float(speed):g} times the speed", cure="choose more than 0, up to 16")
    return speed
