"""OSC in and out: every address of the table over UDP on this machine, and what changes told to whoever subscribed.

OSC has no token: whatever program runs on this machine may speak to the port. So there is none unless the composer asks for one, it is
bound to the loopback alone, and it can be told to take nothing that changes anything. A packet that is no OSC, or goes beyond the
bounds of `bridge.osc_packet`, is counted and forgotten. Calls are done in their turn (`bridge.turns`), beside the thread that listens:
one that waits for a disk holds up those after it, but neither a ping nor a stop. What floods in faster than it is done is refused, or
thrown away by the system's own buffer: that and the calls that may wait are all the memory that it can fill.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import Any

from bridge.address import Address
from bridge.addresses import BY_ADDRESS
from bridge.calls import answer
from bridge.events import LOG, Event, FilmChanged, JobProgressed, SessionChanged, TransportRead
from bridge.jobs import fault
from bridge.osc_ear import OscEar
from bridge.osc_packet import LARGEST, Malformed, build, read
from bridge.studio import Studio
from bridge.told import TOLD
from bridge.turns import Turns
from bridge.wire_words import said
from engines.errors import HitpointError, OptionError, PortError

LOOPBACK = "127.0.0.1"

MOST_SUBSCRIBERS = 32
"""The one that was silent longest goes first."""

LEASE = 3600.0
"""Seconds after the last word of a subscriber until it is taken for gone: UDP does not tell."""

MOST_ASKERS = 256
"""Jobs of which it is remembered who asked for them."""

MOST_WAITING = 512
"""Messages that may wait for their turn; a fader sends a hundred a second."""

AT_ONCE = frozenset(
    f"/hitpoint/{name}" for name in ("ping", "jobs", "job", "job/cancel", "jobs/cancel", "subscribe", "unsubscribe", "transport")
)
"""Answered before everything that waits, by the thread that listens: none of these waits for anything."""

STOPS = frozenset(f"/hitpoint/{name}" for name in ("transport/stop", "transport/panic"))
"""Done before everything that waits, in turns of their own: the player is waited for."""

LAST_WORDS = STOPS | {"/hitpoint/jobs/cancel"}
"""Done once more in their turn, unanswered, where something waits before them: what that begins is to stop, too."""

_TOLD = frozenset(row.address for row in TOLD)

_NUMBER = re.compile(r"/(\d{1,6})(?=/|$)")

Peer = tuple[str, int]
Elsewhere = Callable[[str, Sequence[Any], int], None]
"""Given what came to addresses that are not ours (a DAW's own transport), with the moment in nanoseconds of the monotonic clock."""


class OscServer:
    """Listens on one port of the loopback (0: a free one, see ``port``) until it is closed. Raises PortError where it is taken.

    What comes to addresses that are not ours is handed ``elsewhere``: to the player, as a DAW's transport, where nothing else is given.
    ``read_only`` answers what is asked, changes nothing, and hands nothing on. ``heard`` and ``malformed`` count packets.
    """

    def __init__(self, studio: Studio, port: int = 0, read_only: bool = False, elsewhere: Elsewhere | None = None) -> None:
        self._studio, self._read_only, self._elsewhere = studio, read_only, elsewhere or OscEar(studio.playback.hear)
        self.heard = self.malformed = 0
        self._lock = Lock()
        self._subscribers: OrderedDict[Peer, float] = OrderedDict()
        self._askers: OrderedDict[int, Peer] = OrderedDict()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((LOOPBACK, port))
        except OSError as error:
            self._socket.close()
            raise PortError(f"port {port} is taken", where="OSC", cure="choose another: --osc-port") from error
        self.port: int = self._socket.getsockname()[1]
        self._closing = False
        self._deaf = False
        self._turns, self._stops = Turns("osc calls", MOST_WAITING), Turns("osc stops", MOST_WAITING)
        self._leave = studio.subscribe(self._happened)
        self._thread = Thread(target=self._listen, name="hitpoint osc", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops listening; a second time does nothing."""
        if self._closing:
            return
        self._closing = True
        self._leave()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:  # ends the wait, on every system
            waker.sendto(b"", (LOOPBACK, self.port))
        self._thread.join()
        for turns in (self._turns, self._stops):
            turns.close()
        self._socket.close()

    def _listen(self) -> None:
        while not self._closing:
            try:
                data, peer = self._socket.recvfrom(LARGEST + 1)
            except OSError:  # Windows: an earlier answer found nobody, or the packet is longer than what is read
                self.malformed += 1
                continue
            if data:
                self._packet(data, peer, time.monotonic_ns())

    def _packet(self, data: bytes, peer: Peer, received_ns: int) -> None:
        self.heard += 1
        try:
            messages = read(data)
        except Malformed:
            self.malformed += 1
            return
        for address, args in messages:
            if address in _TOLD:
                continue  # another server's answer: to answer it would have no end
            if address.startswith("/hitpoint/") or address == "/hitpoint":
                self._asked(address, args, peer)
            elif not self._read_only:
                self._hand_on(address, args, received_ns)

    def _hand_on(self, address: str, args: Sequence[Any], received_ns: int) -> None:
        try:
            self._elsewhere(address, args, received_ns)
        except Exception:  # noqa: BLE001  another program's word: logged, and the next packet is heard
            if not self._deaf:  # told once: what comes a hundred times a second would fill the log
                LOG.exception("OSC %s of another program was not understood", address[:200])
            self._deaf = True

    def _asked(self, address: str, args: Sequence[Any], peer: Peer) -> None:
        with self._lock:
            if peer in self._subscribers:
                self._subscribers[peer] = time.monotonic()
                self._subscribers.move_to_end(peer)
        name = _NUMBER.sub("", address)
        if name in LAST_WORDS and self._turns.busy:
            self._turns.take(lambda: self._repeat(address, args))
        turns = self._stops if name in STOPS else self._turns
        if name in AT_ONCE:
            self._do(address, args, peer)
        elif not turns.take(lambda: self._do(address, args, peer)):
            cure = "wait for the answers to earlier ones"
            self._refuse(peer, address, OptionError(f"{MOST_WAITING} messages wait already", where=address[:200], cure=cure))

    def _do(self, address: str, args: Sequence[Any], peer: Peer) -> None:
        try:
            told = self._answer(address, args, peer)
            if told is not None:
                self._send(peer, "/hitpoint/answer", (address, json.dumps(told, ensure_ascii=False)))
        except HitpointError as refused:
            self._refuse(peer, address, refused)
        except Exception as unforeseen:  # noqa: BLE001  told and logged; the next packet is answered
            LOG.exception("OSC %s failed", address)
            self._refuse(peer, address, fault(unforeseen))

    def _repeat(self, address: str, args: Sequence[Any]) -> None:
        try:
            row, rest = understood(address, args)
            if row is not None and not self._read_only:
                answer(self._studio, row.address, row.named(rest))
        except Exception as told:  # noqa: BLE001  it was answered the first time
            LOG.debug("OSC %s failed again: %s", address[:200], told)

    def _refuse(self, peer: Peer, address: str, error: HitpointError) -> None:
        what, where, cure = said(error)
        self._send(peer, "/hitpoint/error", (address[:200], what[:500], (where or "")[:500], (cure or "")[:500]))

    def _answer(self, address: str, args: Sequence[Any], peer: Peer) -> dict[str, Any] | None:
        row, args = understood(address, args)
        if row is None:
            return None
        if row.address == "/hitpoint/subscribe":
            with self._lock:
                self._subscribers[peer] = time.monotonic()
                while len(self._subscribers) > MOST_SUBSCRIBERS:
                    self._subscribers.popitem(last=False)
            return {"subscribed_s": LEASE}
        if row.address == "/hitpoint/unsubscribe":
            with self._lock:
                self._subscribers.pop(peer, None)
            return {}
        if row.changes and self._read_only:
            raise OptionError("OSC may change nothing here", where=row.address, cure="start without --osc-read-only, or use HTTP")
        told = answer(self._studio, row.address, row.named(args))
        if "job" in told and row.changes:
            with self._lock:
                self._askers[told["job"]] = peer
                while len(self._askers) > MOST_ASKERS:
                    self._askers.popitem(last=False)
            reading = self._studio.jobs.job(told["job"]).reading
            if reading.ended:  # before we knew who had asked
                self._happened(JobProgressed(reading))
        return told

    def _happened(self, event: Event) -> None:
        now = time.monotonic()
        with self._lock:
            peers = {peer for peer, heard in self._subscribers.items() if now - heard < LEASE}
            if isinstance(event, JobProgressed) and event.reading.ended:
                asker = self._askers.pop(event.reading.number, None)
                peers |= {asker} if asker else set()
        address, args = told(event)
        for peer in peers:
            self._send(peer, address, args)

    def _send(self, peer: Peer, address: str, args: Sequence[Any]) -> None:
        try:
            self._socket.sendto(build(address, args), peer)
        except OSError as error:  # nobody listens there any more, or its buffer is full: UDP promises nothing
            LOG.debug("an answer to %s was lost: %s", peer, error)


def told(event: Event) -> tuple[str, tuple[Any, ...]]:
    """An event as subscribers hear it: see `bridge.told`."""
    if isinstance(event, SessionChanged):
        return "/hitpoint/told/session", (event.change, event.sentence, " ".join(map(str, event.scenes)))
    if isinstance(event, JobProgressed):
        job = event.reading
        share = 1.0 if job.state == "done" else job.done / job.total if job.total else 0.0
        return "/hitpoint/told/job", (job.number, job.state, float(share), job.words)
    if isinstance(event, FilmChanged):
        return "/hitpoint/told/film", (event.film, event.frames, event.cuts, event.candidates)
    if isinstance(event, TransportRead):
        return "/hitpoint/told/transport", (event.seconds, int(event.rolling), float(event.speed), event.leader, event.why)
    return "/hitpoint/told/message", (event.text, event.level)


def understood(address: str, args: Sequence[Any]) -> tuple[Address | None, Sequence[Any]]:
    """The row of an address, and its arguments; None for a button that was let go. Raises OptionError for one that there is not.

    Numbers may stand in the address for the first arguments, for buttons that can send none: ``/hitpoint/scene/3/refill``. The 1 that
    a button sends when it is pressed and the 0 when it is let go are no arguments: see `_button`.
    """
    inside = [int(number) for number in _NUMBER.findall(address)]
    row = BY_ADDRESS.get(_NUMBER.sub("", address))
    if row is None:
        raise OptionError("there is no such address", where=address[:200], cure="see bridge/OSC.md")
    pressed = _button(row, len(inside), args)
    if pressed is None:
        return row, (*inside, *args)
    return (row, (*inside, *args[:-1])) if pressed else (None, ())


def _button(row: Address, inside: int, args: Sequence[Any]) -> bool | None:
    """Whether what came last is a button's 1 (pressed) or 0 (let go), with ``inside`` numbers in its address; None for an argument.

    Alone it is a button's, unless the address needs it, or takes a number first and has none inside. After other arguments it is where
    no number but a whole one could stand, and it came as a float or a truth, as controllers send it: ``3 0.0``, but not ``3 0``.
    """
    if not args or not isinstance(args[-1], int | float) or args[-1] not in (0, 1):
        return None
    place = inside + len(args) - 1
    if place < sum(argument.needed for argument in row.arguments):
        return None
    kind = row.arguments[place].kind if place < len(row.arguments) else None
    if len(args) == 1:
        return bool(args[0]) if inside or kind not in ("int", "float") else None
    return bool(args[-1]) if isinstance(args[-1], bool | float) and kind in (None, "int", "path") else None
