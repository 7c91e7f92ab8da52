"""Calibration: how late a port is, by notes that go round through the DAW or by a recording of its; kept for the port if it shall be.

Notes that are sent round go out as they are, without what is kept: what they tell takes its place. A recording was played by `play`,
with what was kept: what it tells is what remains, and is added to that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from bridge.clock import SECOND, Clock, FineClock
from bridge.jack_client import JackClient
from bridge.jack_port import JackInput
from bridge.places import place_of
from bridge.playback import inlets_of, routes_of
from bridge.player.calibration import Measured, Ring, measured
from bridge.player.latencies import STEM, Latencies, Written, called, keep, key_of, latencies, signed, stem_key
from bridge.player.messages import EVERY, Inlet, Outlet
from bridge.player.plug import Plug
from bridge.player.priority import raised
from bridge.player.programme import Part
from bridge.ports import BOARD, SystemInput
from engines import files
from engines.errors import HitpointError, OptionError, PortError
from engines.picture.timecode import Timecode
from engines.score.notes import STEMS

RETURN = "auto:Hitpoint return"
"""Where notes come back in unless another port is named: of JACK's where the port that is measured is."""

ROUNDS = 4
"""In which notes are sent round. Each is measured by itself: where they differ, none of them is what the port will do next time."""

_CLICKS, _APART_NS = 10, 250_000_000
_CONNECT_S = 60.0
_LARGEST = 1 << 30  # bytes of a recording: whoever reads its notes sets a bound of his own


@dataclass(frozen=True)
class Aim:
    """What is calibrated, as `play` names it: an ``outlet``, or of what goes there only one ``stem``."""

    outlet: Outlet
    stem: str = EVERY

    @classmethod
    def of(cls, text: str) -> Aim:
        """Raises OptionError for a port that `play` would not take, for none, and for more than one."""
        routes = routes_of(text)
        if len(routes) != 1:
            what = "one port is measured at a time" if routes else "no port is named"
            raise OptionError(what, where="calibrate", cure="name one: jack:NAME, virtual:NAME, system:NAME")
        return cls(routes[0].outlet, routes[0].stem)

    def key(self, kind: str | None = None) -> str:
        """Under which its latency is kept, opened as ``kind`` or as it would be now."""
        return key_of(kind or opened_as(self.outlet), self.outlet.name, self.stem)


@dataclass(frozen=True)
class Calibrated:
    """How late the port of ``key`` is. ``latency_ms`` makes up for that, ``was_ms`` is what was kept before (None: nothing), and
    ``written`` where it is kept now. ``doubt`` says why no one latency makes up for it, empty where one does. ``adds``: what was found
    is what remained. ``said`` is what is wrong with the file that keeps it, or what became of it."""

    key: str
    found: Measured
    latency_ms: float
    was_ms: float | None
    written: Written | None = None
    doubt: str = ""
    adds: bool = False
    said: str = ""

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        found, written = self.found, self.written
        return {
            "port": self.key,
            "late_ms": round(found.late_ms, 4),
            "spread_ms": round(found.spread_ms, 4),
            "range_ms": round(found.range_ms, 4),
            "rounds_ms": [round(ms, 4) for ms in found.rounds_ms],
            "found": found.found,
            "sent": found.sent,
            "latency_ms": round(self.latency_ms, 3),
            "was_ms": self.was_ms,
            "kept": None if written is None else str(written.path),
            "doubt": self.doubt,
            "said": self.said,
        }

    def text(self) -> str:
        """As a person reads it."""
        words = [self.found.text() + (", beside what is made up for already" if self.adds and self.was_ms else "")]
        if self.written is not None:
            words.append(_kept(self.latency_ms, self.key, self.was_ms) + (f", though {self.doubt}" if self.doubt else ""))
        elif self.doubt:
            exact = "" if "jack:" in self.key else ", choose a port of JACK's"
            words.append(f"nothing was kept: {self.doubt}; calibrate again{exact}, or keep it all the same: --anyway")
        else:
            words.append(f"nothing was kept; it would be {signed(self.latency_ms)} for {called(self.key)}")
        return "\n".join(filter(None, [*words, self.said]))


@dataclass(frozen=True)
class Recording:
    """What a DAW recorded (``midi``) of what was played to it (``expected``), and the place of the film at which it begins: seconds, or
    timecode counted from the film's first frame, at ``rate`` or as the session that was played counts it."""

    midi: Path
    expected: Path
    at: str = "0"
    rate: Fraction | None = None

    @classmethod
    def of(cls, midi: Path | None, expected: Path | None, at: str | None, rate: Fraction | None) -> Recording | None:
        """None where notes are to be sent round. Raises OptionError where only half of it is given."""
        if midi is not None and expected is not None:
            return cls(midi, expected, at or "0", rate)
        if midi is not None or expected is not None:
            raise OptionError("one of two is missing", where="calibrate", cure="give --midi RECORDED and --expected CUE")
        if at is not None:
            raise OptionError(
                "nothing was recorded that could begin there", where="--at", cure="give --midi and --expected with it"
            )
        return None

    @property
    def mark(self) -> str:
        """By what it is known again, whatever its name. Raises OptionError where it cannot be read."""
        try:
            return hashlib.sha256(files.read(self.midi, _LARGEST)).hexdigest()[:32]
        except OSError as error:
            raise OptionError("cannot be read", where=self.midi, cure="export the recording again") from error

    def measured(self, stem: str, known: Latencies) -> Measured:
        """How late it is beside what was played, each stem with a latency of its own where that puts it. Raises OptionError, and the
        errors of whatever the files are."""
        from engines.score.smf import read_smf

        parts, film = _played(self.expected)
        chosen = [part for part in parts if stem in (EVERY, part.stem)]
        if not chosen:
            stems = ", ".join(sorted({part.stem for part in parts})) or "none"
            raise OptionError(f"there is no stem {stem[:40]!r}", where=self.expected, cure=f"its stems: {stems}")
        slow = {part.stem: Fraction(known.values.get(f"{STEM}:{part.stem}", 0.0)) / 1000 for part in chosen}
        begin = self._begin(film)
        played = sorted((Fraction(note.on, SECOND) + slow[part.stem], note.pitch) for part in chosen for note in part.notes)
        return measured(played, sorted((note.start + begin, note.pitch) for note in read_smf(self.midi).notes))

    def _begin(self, film: Timecode | None) -> Fraction:
        if not {":", ";"} & set(self.at):
            return place_of(self.at, Fraction(24))  # seconds have no rate
        rate = self.rate or (None if film is None else film.rate)
        if rate is None:
            cure = "give seconds, the session as --expected, or --rate"
            raise OptionError(f"nothing says how many frames a second {self.at!r} counts", where="--at", cure=cure)
        drops = film is not None and film.drop and film.rate == rate
        return place_of(self.at, rate, drops)


def _played(path: Path) -> tuple[tuple[Part, ...], Timecode | None]:
    """The stems of a session or of a MIDI file as `play` plays them, and of a session the timecode that it begins with."""
    if path.suffix.lower() == ".hitpoint":
        from bridge.player.writing import programme_of
        from engines.session.working import look_at

        with look_at(path) as desk:
            session = desk.session
        return programme_of(session).parts, session.start
    from bridge.player.from_midi import programme_of_midi
    from engines.score.smf_reader import read_smf

    return programme_of_midi(read_smf(path), path.stem).parts, None


def calibrated(
    aim: Aim,
    into: str = RETURN,
    recording: Recording | None = None,
    keeps: bool = True,
    anyway: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Calibrated:
    """Measures a port: by a recording of what was played to it, or by notes that are sent out and heard where they come back in. It is
    kept if it shall be and nothing is in doubt, or ``anyway``. Raises OptionError, PortError, OutputError."""
    if recording is None:
        kind, found = round_trip(aim.outlet, into, _CLICKS, _APART_NS, _CONNECT_S, say)
        known, mark = latencies(), ""
    else:
        kind, known = opened_as(aim.outlet), latencies()
        found, mark = recording.measured(aim.stem, known), recording.mark
        if keeps and mark in known.recordings.get(aim.key(kind), ()):
            cure = f"play and record the cue again, or first --forget {aim.key(kind)!r}"
            raise OptionError("this very recording is made up for already", where=recording.midi, cure=cure)
    key, was = aim.key(kind), known.port(kind, aim.outlet.name, aim.stem)
    latency = found.latency_ms + (0.0 if recording is None else was or 0.0)
    written = keep(key, latency, mark) if keeps and (anyway or not found.doubt) else None
    said = known.fault if written is None else written.said
    return Calibrated(key, found, latency, was, written, found.doubt, recording is not None, said)


@dataclass(frozen=True)
class Told:
    """A latency that somebody told: ``key`` has ``latency_ms`` from now on, before it ``was_ms`` (None: nothing). ``note`` says what may
    not be meant."""

    key: str
    latency_ms: float
    was_ms: float | None
    written: Written
    note: str = ""

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        written = self.written
        kept = {"kept": str(written.path), "said": written.said, "note": self.note}
        return {"port": self.key, "latency_ms": round(self.latency_ms, 3), "was_ms": self.was_ms, **kept}

    def text(self) -> str:
        """As a person reads it."""
        return "\n".join(filter(None, [_kept(self.latency_ms, self.key, self.was_ms), self.note, self.written.said]))


def told(ms: float, port: str | None = None, stem: str | None = None) -> Told:
    """Keeps a latency that somebody tells, in milliseconds: of a stem wherever it goes, or of a port as `play` names it. Raises
    OptionError, OutputError."""
    known = latencies()
    if stem is None:
        aim = Aim.of(port or "auto")
        kind = opened_as(aim.outlet)
        key = aim.key(kind)
        return Told(key, ms, known.port(kind, aim.outlet.name, aim.stem), keep(key, ms))
    if port is not None:
        cure = "give one of them; for one stem at one port: --out melody=virtual:NAME"
        raise OptionError("a stem's latency holds at every port", where="calibrate", cure=cure)
    key = stem_key(stem)
    usual = (
        ""
        if stem.strip() in STEMS
        else f"stems of sessions are {', '.join(STEMS)}; others are tracks of a MIDI file that is played"
    )
    return Told(key, ms, known.values.get(key), keep(key, ms), usual)


def _kept(ms: float, key: str, was: float | None) -> str:
    return f"kept {signed(ms)} for {called(key)}" + ("" if was is None else f"; was {signed(was)}")


def opened_as(outlet: Outlet) -> str:
    """The kind of port that an outlet is opened as now: one that may be JACK's is, where JACK runs."""
    if outlet.kind != "auto":
        return outlet.kind
    try:
        JackClient().close()
    except HitpointError:
        return "virtual"
    return "jack"


def round_trip(
    outlet: Outlet, into: str, count: int, apart_ns: int, connect_s: float, say: Callable[[str], None] = lambda line: None
) -> tuple[str, Measured]:
    """Sends notes out of an outlet, opened just as `play` opens it, and measures when they come in at the port ``into``, as a person
    names it. JACK's are waited for until something is connected to them. The kind that it was opened as, and what was measured.
    Raises PortError, OptionError."""
    inlet = next(iter(inlets_of(into)), None)
    if inlet is None:
        raise OptionError("a port is missing", where="calibrate", cure="name one where the notes come back in")
    if inlet.kind not in ("auto", "virtual", "system", "jack"):
        raise PortError("no notes come in there", where=into, cure="give virtual:NAME, system:NAME or jack:NAME")
    with ExitStack() as opened:
        jack = _jack(outlet, inlet)
        if jack is not None:
            opened.callback(jack.close)
        clock: Clock = jack.clock if jack is not None else FineClock()
        ring, plug = Ring(clock), Plug(outlet, clock, memoryview(bytearray(BOARD)), jack)
        opened.callback(plug.close)
        plug.open()
        if plug.fault:
            raise PortError(plug.fault)
        back = _return(inlet, ring, clock, jack if plug.exact or inlet.kind == "jack" else None)
        opened.callback(back.close)
        back.open()
        _await(jack, plug, back, connect_s, say)
        drain = back.drain if isinstance(back, JackInput) else lambda: None
        try:
            with raised():
                found = ring.send(plug, count, apart_ns, drain, rounds=ROUNDS)
        except PortError as error:
            if plug.fault:  # it went away meanwhile
                raise PortError(plug.fault) from error
            raise
        return "jack" if plug.exact else "system" if outlet.kind == "system" else "virtual", found


def _jack(outlet: Outlet, inlet: Inlet) -> JackClient | None:
    """Our client of JACK, where one of the ports is JACK's, or may be and JACK runs. Raises PortError where it is and JACK does not."""
    if "jack" in (outlet.kind, inlet.kind):
        return JackClient()
    if outlet.kind == "auto":
        with suppress(HitpointError):
            return JackClient()
    return None


def _return(inlet: Inlet, ring: Ring, clock: Clock, jack: JackClient | None) -> JackInput | SystemInput:
    if jack is not None and inlet.kind in ("jack", "auto"):
        return JackInput(jack, inlet.name, ring.heard)
    return SystemInput(inlet.name, ring.heard, inlet.kind != "system", clock)


def _await(
    jack: JackClient | None, plug: Plug, back: JackInput | SystemInput, connect_s: float, say: Callable[[str], None]
) -> None:
    """Waits until those of the ports that are JACK's are connected. Raises PortError where nothing was in so many seconds."""
    ours: dict[str, Callable[[], tuple[str, ...]]] = {str(plug): lambda: plug.socket.peers} if plug.exact else {}
    if isinstance(back, JackInput):
        ours[back.name] = lambda: back.peers
    if jack is None or all(peers() for peers in ours.values()):
        return
    say(f"waiting {connect_s:g} s until something is connected in JACK: {', '.join(ours)}")
    if not jack.await_change(lambda: all(peers() for peers in ours.values()), connect_s):
        raise PortError("nothing was connected to it", where=", ".join(ours), cure="connect both in the DAW or in JACK")
