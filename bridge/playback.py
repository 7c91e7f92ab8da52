"""What is heard: the player with the open session in it. What is composed while it rolls is swapped in at the next bar."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from threading import RLock
from typing import TYPE_CHECKING, Any

from bridge.events import Event, Message, SessionChanged, Subscribers, TransportRead
from bridge.latest import Latest
from bridge.ports import CLOCK, TIMECODE
from bridge.transport import Report
from engines.errors import OptionError, PortError, SessionError
from engines.session.model import Session

if TYPE_CHECKING:
    from bridge.player import Inlet, Outlet, Player, Programme, Route, Status

OUTLETS = ("auto", "jack", "virtual", "system")
INLETS = ("auto", "virtual", "system", "jack", "jack transport", "link")
SENT = {"timecode": TIMECODE, "clock": CLOCK}
"""Our own port for whatever is sent to those who follow."""

ANSWER_S = 2.0
"""Seconds for which a wire waits until the player confirms what it was told."""

STARTS_S, SLICE_S = 20.0, 0.05
"""Seconds within which the player must be at work, on however busy a machine; between two looks whether that is still wanted."""


class Playback:
    """Holds a `Player` once something is to be played or followed, and keeps the session of the studio in it.

    ``make`` makes the player; ``session`` gives the open session, None where there is none.
    """

    def __init__(
        self, events: Subscribers[Event], session: Callable[[], Session | None], make: Callable[..., Player] | None = None
    ) -> None:
        self.elsewhere: Callable[[], bool] = lambda: False
        """Whether the music is heard without a port: then one of ours, which nobody named, may fail without a word. From any thread."""
        self._events, self._session, self._make = events, session, make
        self._lock = RLock()
        self._player: Player | None = None
        self._loaded: Programme | None = None
        self._named = False  # whether somebody has said where notes go
        self._inlets: tuple[Inlet, ...] | None = None  # None: nobody has said where transports are heard
        self._sends: dict[str, Outlet | None] = {}
        self._at: Fraction | None = None
        self._song_step: Fraction | None = None
        self._said: TransportRead | None = None
        self._faults: frozenset[str] = frozenset()
        self._notes = Latest(self._renew, lambda error: events.publish(Message(f"not heard: {error}", "error")), "playback")
        self._leave = events.subscribe(self._happened)

    @property
    def status(self) -> Status | None:
        """How the player does; None while there is none."""
        return None if self._player is None else self._player.status

    @property
    def sounds(self) -> tuple[str, ...]:
        """The ports at which the music is heard, as far as anybody can tell: open, and named by somebody or connected to something. Of
        a port of ours that other programs may listen to, nobody knows whether one does."""
        status = self.status
        ports = () if status is None or not status.alive else status.outlets
        return tuple(port.name for port in ports if not port.fault and (self._named or port.peers))

    def open(self, routes: Sequence[Route] = (), inlets: Sequence[Inlet] | None = None) -> Player:
        """The player, with these ports from now on; none given leaves them as they are. Begins with one virtual port, or JACK's."""
        with self._lock:
            if routes:
                self._named = any(route.outlet.kind != "auto" for route in routes)
            if inlets is not None:
                self._inlets = tuple(inlets)
            if self._player is not None:
                if routes:
                    self._player.patch(routes)
                if inlets is not None:
                    self._player.listen(self._stepped)
                return self._player
            from bridge.player import Outlet, Player, Route
            from bridge.player.latencies import latencies

            make = self._make or Player
            self._player = make(routes=tuple(routes) or (Route(Outlet()),), inlets=self._stepped, on_status=self._heard)
            fault = latencies().fault
            if fault:
                self._events.publish(Message(fault, "error"))
            if self._at is not None:
                self._player.origins(self._at)
            if self.sends:
                self._player.lead(**self._sends)
            self._notes.touch()
            return self._player

    def lead(self, **sends: Outlet | None) -> None:
        """Sends ``timecode`` and ``clock`` out of these ports from now on while the player leads, None for nowhere; what is not named goes
        on."""
        with self._lock:
            self._sends |= sends
            if self._player is not None:
                self._player.lead(**self._sends)

    @property
    def sends(self) -> Mapping[str, Outlet]:
        """Where timecode and clock are sent; what is not sent is not in it."""
        return {what: outlet for what, outlet in self._sends.items() if outlet is not None}

    def lie(self, at: Fraction | None, song_step: Fraction | None = None) -> None:
        """The film's first frame lies ``at`` seconds of the DAW's project from now on (see `bridge.player.messages.Origins`), whose song
        positions count ``song_step`` beats; None as the ports' names say."""
        with self._lock:
            moved, stepped = at != self._at, song_step != self._song_step
            self._at, self._song_step = at, song_step
            if self._player is not None and moved:
                self._player.origins(at)
            if self._player is not None and stepped and self._inlets is not None:
                self._player.listen(self._stepped)

    @property
    def _stepped(self) -> tuple[Inlet, ...]:
        return tuple(replace(inlet, song_step=inlet.song_step or self._song_step) for inlet in self._inlets or ())

    def play(self) -> None:
        """Rolls from where it is. Raises SessionError where no session is open."""
        if self._session() is None:
            raise SessionError("no session is open", where="transport", cure="open one first")
        player = self.open()
        self._notes.flush()
        player.play()

    def join(self, place: Callable[[], Fraction | None]) -> bool:
        """Rolls with a picture that rolls already, from where that is once the player is at work: ``place`` says where, None when it
        rolls no longer, or elsewhere. Whether it came to that. Raises SessionError where no session is open, and PortError where the
        player does not answer."""
        if self._session() is None:
            raise SessionError("no session is open", where="transport", cure="open one first")
        player = self.open()
        self._notes.flush()
        if not self._obeyed_while(player, place):
            return False
        here = place()
        if here is None:
            return False
        player.locate(here)
        player.play()
        return self._obeyed_while(player, place)

    def _obeyed_while(self, player: Player, place: Callable[[], Fraction | None]) -> bool:
        """Waits until the player has obeyed every order, or somebody else has something better for it to do."""
        until = time.monotonic() + STARTS_S
        while place() is not None:
            try:
                player.settle(timeout=SLICE_S)
            except PortError:
                if time.monotonic() > until:
                    raise
            else:
                return True
        return False

    def stop(self) -> None:
        """Stands; no note is left sounding."""
        if self._player is not None:
            self._player.stop()

    def locate(self, seconds: Fraction | float) -> None:
        """Goes to a place in the film. Raises OptionError for one before its first frame."""
        if seconds < 0:
            raise OptionError(f"{float(seconds):g} s lie before the film", where="transport", cure="count from its first frame")
        self.open().locate(seconds)

    def loop(self, start: Fraction | float | None = None, end: Fraction | float | None = None) -> None:
        """Plays seconds of the film over and over; none given ends that. Raises OptionError for one end without the other."""
        if (start is None) != (end is None):
            raise OptionError("a loop has two ends", where="transport", cure="give start and end, or neither to end it")
        self.open().loop(start, end)

    def vary(self, speed: Fraction | float) -> None:
        """Another speed."""
        self.open().vary(speed)

    def follow(self, source: str | None = None, midi: bool = True) -> None:
        """Goes with the DAW; ``source`` says who leads, None leaves that to the chase. Where nobody has named a port in which the DAW is
        heard, one of ours is opened for it, unless ``midi`` is False."""
        with self._lock:
            player = self.open()
            if midi and self._inlets is None:
                from bridge.player import Inlet

                player = self.open(inlets=(Inlet("auto"),))
        player.follow(source)

    def renew(self) -> None:
        """Plays with what is kept of latencies now; see `Player.renew`."""
        if self._player is not None:
            self._player.renew()

    def panic(self) -> None:
        """Stands, and silences every channel of every port."""
        if self._player is not None:
            self._player.panic()

    def hear(self, report: Report) -> None:
        """Hands in what somebody heard of a DAW's transport; forgotten while there is no player."""
        if self._player is not None:
            self._player.hear(report)

    def settle(self) -> None:
        """Waits until the session as it is now is in the player, and every order was obeyed."""
        self._notes.flush()
        if self._player is not None:
            self._player.settle()

    def obeyed(self, patience_s: float = ANSWER_S) -> Status | None:
        """How the player does once it has obeyed every order, or after so many seconds as it is, with a word that says so."""
        if self._player is None:
            return None
        try:
            return self._player.settle(timeout=patience_s)
        except PortError:
            return replace(self._player.status, word=f"the player has not answered within {patience_s:g} s")

    def close(self) -> None:
        """Ends every note and the player; a second time does nothing."""
        self._leave()
        self._notes.close()
        with self._lock:
            if self._player is not None:
                self._player.close()

    def _happened(self, event: Event) -> None:
        if isinstance(event, SessionChanged) and event.change != "saved" and self._player is not None:
            self._notes.touch()

    def _renew(self) -> None:
        """The session as it is now into the player: at the next bar line while it rolls, at once while it stands."""
        session, player = self._session(), self._player
        if player is None:
            return
        from bridge.player.programme import SILENCE
        from bridge.player.writing import programme_of

        programme = SILENCE if session is None else programme_of(session)
        if programme == self._loaded:
            return
        if self._loaded is not None and self._loaded.title == programme.title and player.status.rolling:
            player.swap(programme)
        else:
            player.load(programme)
        self._loaded = programme

    def _heard(self, status: Status) -> None:
        reading = status.reading if status.follows else None
        leader, why = ("Hitpoint", "") if reading is None else (reading.leader or "Hitpoint", reading.because)
        moment = time.monotonic_ns() if status.moment is None else status.moment
        read = TransportRead(float(status.seconds), status.rolling, float(status.speed), leader, why, moment)
        if read != self._said:
            self._said = read
            self._events.publish(read)
        missed = () if not self._named and self.elsewhere() else status.outlets
        unmissed = {"", *(port.fault for port in status.outlets if port not in missed)}
        ports = *missed, *status.inlets, *(sender.socket for sender in status.senders)
        faults = frozenset(f"{port.name}: {port.fault}" for port in ports if port.fault)
        faults |= {status.word} - unmissed
        fresh, self._faults = faults - self._faults, faults
        for fault in sorted(fresh):
            self._events.publish(Message(fault, "error", lambda fault=fault: fault in self._faults))  # type: ignore[misc]


def routes_of(text: str) -> list[Route]:
    """Where stems go, as a client writes it: ``virtual:Hitpoint; melody=system:IAC Bus 1``. Raises OptionError."""
    from bridge.player import EVERY, Outlet, Route

    routes = []
    for word in filter(None, map(str.strip, text.split(";"))):
        stem, has_stem, port = word.rpartition("=")
        kind, name = _port(port, OUTLETS, "out")
        outlet = Outlet(kind, name) if name else Outlet(kind)  # type: ignore[arg-type]
        routes.append(Route(outlet, stem.strip() if has_stem else EVERY))
    return routes


OFF = "off"
"""In place of a port: nothing is sent."""


def lead_of(text: str, what: str) -> Outlet | None:
    """Where ``timecode`` or ``clock`` is sent, as a client writes it: ``auto``, ``system:IAC Bus 1``; ``off`` for nowhere. Raises
    OptionError."""
    from bridge.player import Outlet

    if text.strip() == OFF:
        return None
    kind, name = _port(text, OUTLETS, f"send {what}")
    return Outlet(kind, name or SENT[what])  # type: ignore[arg-type]


def inlets_of(text: str) -> list[Inlet]:
    """Where transports are heard: ``virtual; system:IAC Bus 2; jack transport; link``. Raises OptionError."""
    from bridge.player import Inlet

    inlets = []
    for word in filter(None, map(str.strip, text.split(";"))):
        kind, name = _port(word, INLETS, "sync")
        inlets.append(Inlet(kind, name) if name else Inlet(kind))  # type: ignore[arg-type]
    return inlets


NAMELESS = ("link", "jack transport")
"""Kinds of which a machine has one."""


def _port(text: str, kinds: Sequence[str], where: str) -> tuple[str, str]:
    kind, _, name = (part.strip() for part in text.partition(":"))
    if kind not in kinds:
        raise OptionError(f"no kind of port is named {kind[:40]!r}", where=where, cure=f"choose from {', '.join(kinds)}")
    if name and kind in NAMELESS:
        raise OptionError(f"there is one {kind}, without a name", where=where, cure=f"say {kind} alone")
    return kind, name


def status_json(status: Status | None) -> dict[str, Any]:
    """How the player does, as other programs read it."""
    if status is None:
        return {"player": False}
    reading = status.reading
    return {
        "player": status.alive,
        "rolling": status.rolling,
        "seconds": round(float(status.seconds), 6),
        "speed": status.speed,
        "title": status.title,
        "follows": status.follows,
        "loop": None if status.loop is None else [round(float(second), 6) for second in status.loop],
        "swap_at_s": None if status.seam is None else round(float(status.seam), 6),
        "sounding": [list(note) for note in status.sounding],
        "leader": None if reading is None else reading.leader,
        "why": None if reading is None else reading.why,
        "because": None if reading is None else reading.because,
        "sources": [standing.source for standing in status.standings],
        "standings": [
            {
                "source": standing.source,
                "kind": standing.kind,
                "state": standing.fix.state,
                "leads": standing.leads,
                "why": standing.why,
                "away_ms": None if standing.away_ms is None else round(standing.away_ms, 3),
            }
            for standing in status.standings
        ],
        "out": [{"name": port.name, "kind": port.kind, "fault": port.fault} for port in status.outlets],
        "sync": [{"name": port.name, "kind": port.kind, "fault": port.fault} for port in status.inlets],
        "send": {
            sender.what: {
                "name": sender.socket.name,
                "kind": sender.socket.kind,
                "fault": sender.socket.fault,
                "counts": sender.counts,
            }
            for sender in status.senders
        },
        "late_periods": status.slips,
        "said": status.word,
    }
