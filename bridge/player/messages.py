"""What the player's process is told, and what it tells: frozen values, one a message."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from bridge.chase import Reading, Standing
from bridge.lateness import Lateness
from bridge.player.programme import Programme
from bridge.ports import SYNC
from bridge.transport import Report

EVERY = "*"
"""The stem of a route that every stem takes which has none of its own."""


@dataclass(frozen=True)
class Outlet:
    """A port to play into. ``kind``: ``jack`` (exact to the sample), ``virtual`` (a new port that other programs see), ``system`` (one
    of theirs), ``auto`` (the best of these that opens), ``file`` and ``memory`` for tests. ``connect`` names JACK ports to connect to."""

    kind: Literal["auto", "jack", "virtual", "system", "file", "memory"] = "auto"
    name: str = "Hitpoint"
    connect: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Route:
    """Where a stem goes. ``latency_ms`` is added to the moment of every message, less than 0 for earlier; None takes what is kept for
    the port and the stem (see `bridge.player.latencies`). ``jack_ms`` holds in its place where the port is JACK's, which one of the
    kind ``auto`` may turn out to be at any time; None is the same."""

    outlet: Outlet
    stem: str = EVERY
    latency_ms: float | None = None
    jack_ms: float | None = None


@dataclass(frozen=True)
class Inlet:
    """Where a transport is heard: timecode, beat clock and machine control of a MIDI port (``system``, ``virtual``, ``jack``, or
    ``auto``: a new port of ours, JACK's where that runs), or ``jack transport``, or ``link`` (Ableton Link). ``song_step`` is what a
    song position counts, in beats (see `ClockReader`); None goes by the name of the port, or of the one that is connected to it."""

    kind: Literal["auto", "system", "virtual", "jack", "jack transport", "link"]
    name: str = SYNC
    song_step: Fraction | None = None
    connect: tuple[str, ...] = ()

    def __str__(self) -> str:
        return {"jack transport": "JACK transport", "link": "Ableton Link"}.get(self.kind, self.name)


@dataclass(frozen=True)
class Patch:
    """The routes of all stems, and for each outlet the number of its board (see `QueuedPort`). ``peers`` are what the JACK ports of
    some names were connected to, if they were there before."""

    routes: tuple[Route, ...]
    boards: tuple[tuple[Outlet, int], ...]
    peers: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True)
class Lead:
    """The ports out of which timecode and beat clock go while the player moves by itself, None for nowhere. ``peers`` as in `Patch`."""

    timecode: Outlet | None = None
    clock: Outlet | None = None
    peers: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def outlets(self) -> tuple[Outlet, ...]:
        """The ports, each once."""
        return tuple(dict.fromkeys(outlet for outlet in (self.timecode, self.clock) if outlet is not None))


@dataclass(frozen=True)
class Listen:
    """The ports in from which transports are heard; those of before are closed."""

    inlets: tuple[Inlet, ...]


@dataclass(frozen=True)
class Origins:
    """Where the film's first frame lies in the DAW's project: ``at`` seconds of its timecode and of its ruler alike. None: at the film's
    own timecode, and at the ruler's zero. ``seconds`` are to be added to what single sources say, see `Chase`."""

    seconds: tuple[tuple[str, Fraction], ...] = ()
    at: Fraction | None = None


@dataclass(frozen=True)
class Load:
    """A programme to play from now on; what sounds is ended."""

    programme: Programme


@dataclass(frozen=True)
class Swap:
    """A programme to play from the next bar line on, or now."""

    programme: Programme
    at: Literal["bar", "now"] = "bar"


@dataclass(frozen=True)
class Play:
    """Roll by itself, from a place in nanoseconds of the film or from where it is."""

    place: int | None = None
    speed: Fraction = Fraction(1)


@dataclass(frozen=True)
class Stop:
    """Stand, by itself."""


@dataclass(frozen=True)
class Locate:
    """Go to a place in nanoseconds of the film, by itself."""

    place: int


@dataclass(frozen=True)
class LoopOver:
    """Play nanoseconds of the film over and over; None ends that."""

    span: tuple[int, int] | None


@dataclass(frozen=True)
class Vary:
    """Another speed, while it rolls by itself."""

    speed: Fraction


@dataclass(frozen=True)
class Follow:
    """Follow the chase. ``source`` lets one lead, None leaves that to the chase."""

    source: str | None = None


@dataclass(frozen=True)
class Hear:
    """What a source said that somebody else heard (OSC), stamped by the system's monotonic clock."""

    report: Report


@dataclass(frozen=True)
class Panic:
    """Stand and be silent, whatever sounds."""


@dataclass(frozen=True)
class Quit:
    """End every note and the process."""


Message = Patch | Lead | Listen | Origins | Load | Swap | Play | Stop | Locate | LoopOver | Vary | Follow | Hear | Panic | Quit


@dataclass(frozen=True)
class Order:
    """A message and its number, counted from 1: what the process answers with (`Status.heard`)."""

    number: int
    message: Message


@dataclass(frozen=True)
class Socket:
    """How one port does: ``fault`` says what is wrong with it in one line, empty if nothing; ``kind`` is what it was opened as, and
    ``peers`` are the JACK ports that it is connected to."""

    name: str
    kind: str
    fault: str = ""
    peers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sender:
    """How one port of those does that `Lead` names: ``what`` is sent there, timecode or clock, and how it counts (``25 fps``)."""

    what: str
    socket: Socket
    counts: str


@dataclass(frozen=True)
class Status:
    """How the player does at one moment.

    ``seconds`` of the film at ``speed``; ``follows`` whether it goes with the chase, whose ``reading`` and ``standings`` are told either
    way. ``seam`` is the place (seconds of the film) at which a programme that was swapped in will begin, None if none is to.
    ``sounding`` are the pitches that sound, by stem. ``heard`` is the number of the last order obeyed, ``word`` the last thing that
    went wrong. ``senders`` are the ports of what is sent to those who follow. ``slips`` is how often JACK was late with a period.
    ``alive`` is False when the process is gone, and ``bare`` says that it died too often: nothing more is played until somebody asks
    for it. All of it was so at ``moment`` of Python's monotonic clock, in nanoseconds.
    """

    heard: int = 0
    alive: bool = True
    bare: bool = False
    rolling: bool = False
    follows: bool = False
    seconds: Fraction = Fraction(0)
    speed: float = 0.0
    title: str = ""
    seam: Fraction | None = None
    loop: tuple[Fraction, Fraction] | None = None
    sounding: tuple[tuple[str, int], ...] = ()
    reading: Reading | None = None
    standings: tuple[Standing, ...] = ()
    lateness: Lateness = field(default_factory=Lateness)
    outlets: tuple[Socket, ...] = ()
    inlets: tuple[Socket, ...] = ()
    senders: tuple[Sender, ...] = ()
    slips: int = 0
    word: str = ""
    moment: int | None = None
