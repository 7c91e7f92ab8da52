"""Calibration: how late a port is, by notes that go round through the DAW or by a recording of its; kept for the port if it shall be."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from bridge.clock import SECOND, Clock, FineClock
from bridge.jack_client import JackClient
from bridge.jack_port import JackInput, JackPort
from bridge.playback import inlets_of, routes_of
from bridge.player.calibration import Measured, Onset, Ring, keep, measured, signed
from bridge.player.priority import raised
from bridge.ports import SystemInput, SystemPort
from engines.errors import OptionError, PortError

RETURN = "virtual:Hitpoint return"
"""Where notes come back in unless another port is named."""

_CLICKS, _APART_NS = 40, 250_000_000
_CONNECT_S = 60.0


@dataclass(frozen=True)
class Calibrated:
    """How late a ``port`` is, and the file in which that is ``kept``."""

    port: str
    found: Measured
    kept: Path | None

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        found = self.found
        return {
            "port": self.port,
            "late_ms": round(found.late_ms, 4),
            "spread_ms": round(found.spread_ms, 4),
            "range_ms": round(found.range_ms, 4),
            "found": found.found,
            "sent": found.sent,
            "latency_ms": round(found.latency_ms, 3),
            "kept": None if self.kept is None else str(self.kept),
        }

    def text(self) -> str:
        """As a person reads it."""
        kept = f"from now on {self.port} is played {signed(self.found.latency_ms)}" if self.kept else "nothing was kept"
        return f"{self.found.text()}\n{kept}"


def calibrated(out: str, into: str, midi: Path | None, expected: Path | None, begin: Fraction, keeps: bool) -> Calibrated:
    """Measures a port: by what the DAW recorded (``midi``, which begins at ``begin`` seconds of the film) beside what was played to it
    (``expected``), or by notes sent out and heard where they come back in. Raises OptionError, PortError, OutputError."""
    if midi is None and expected is None:
        found = round_trip(out, into, _CLICKS, _APART_NS, _CONNECT_S)
    elif midi is None or expected is None:
        raise OptionError("one of two is missing", where="calibrate", cure="give --midi RECORDED and --expected CUE")
    else:
        found = measured(_onsets(expected, Fraction(0)), _onsets(midi, begin))
    name = out.partition(":")[2] or "Hitpoint"
    return Calibrated(name, found, keep(name, found.latency_ms) if keeps else None)


def _onsets(path: Path, begin: Fraction) -> list[Onset]:
    """The notes of a MIDI file or of a session, in seconds of the film."""
    if path.suffix == ".hitpoint":
        from bridge.player.writing import programme_of
        from engines.session.working import look_at

        parts = programme_of(look_at(path).session).parts
        return sorted((Fraction(note.on, SECOND), note.pitch) for part in parts for note in part.notes)
    from engines.score.smf import read_smf

    return sorted((note.start + begin, note.pitch) for note in read_smf(path).notes)


def round_trip(out: str, into: str, count: int, apart_ns: int, connect_s: float) -> Measured:
    """Sends notes out of the port ``out`` and measures when they come in at ``into``, both as a person names them. JACK's are waited
    for until something is connected to them. Raises PortError, OptionError."""
    outlet = next((route.outlet for route in routes_of(out)), None)
    inlet = next(iter(inlets_of(into)), None)
    if outlet is None or inlet is None:
        raise OptionError("a port is missing", where="calibrate", cure="name one to send to and one where the notes come back in")
    if inlet.kind not in ("virtual", "system", "jack"):
        raise PortError("no notes come in there", where=into, cure="give virtual:NAME, system:NAME or jack:NAME")
    with ExitStack() as opened:
        jack = JackClient() if "jack" in (outlet.kind, inlet.kind) else None
        if jack is not None:
            opened.callback(jack.close)
        clock: Clock = jack.clock if jack is not None else FineClock()
        ring = Ring(clock)
        back: JackInput | SystemInput
        if inlet.kind == "jack":
            assert jack is not None
            back = JackInput(jack, inlet.name, ring.heard)
        else:
            back = SystemInput(inlet.name, ring.heard, inlet.kind == "virtual", clock)
        port: JackPort | SystemPort
        if outlet.kind == "jack":
            assert jack is not None
            port = JackPort(jack, outlet.name)
        else:
            port = SystemPort(outlet.name, outlet.kind != "system", clock)
        for one in (back, port):
            opened.callback(one.close)
            one.open()
        ours = [one for one in (port, back) if isinstance(one, JackPort | JackInput)]
        if jack is not None and not jack.await_change(lambda: all(one.peers for one in ours), connect_s):
            raise PortError("nothing was connected to it", where=f"{out}, {into}", cure="connect both in the DAW or in JACK")
        with raised():
            return ring.send(port, count, apart_ns, back.drain if isinstance(back, JackInput) else lambda: None)
