"""The doctor: every link between Hitpoint and the other programs, in words a composer understands, each with what to do.

A finding is a value: the command line prints it, the server sends it, the window shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from importlib import import_module
from shutil import which
from typing import Any, Literal

from bridge.chase import Standing
from bridge.daw import Reach
from bridge.ports import SYNC, SYSTEMS, names
from engines.errors import HitpointError, MissingLibraryError
from engines.picture.timecode import drops, nominal
from engines.runtime import choose

State = Literal["well", "odd", "broken", "absent"]
"""Works; works and should be looked at; does not work though it should; is not there, which may be as the composer wants it."""

JITTERY_MS = 10.0
"""99th percentile of a source's jitter beyond which it is called restless: the estimator smooths it, live notes are late by as much."""

AWAY_MS = 50.0
"""A source that is so far from the one that leads is odd: a frame or more."""


@dataclass(frozen=True)
class Finding:
    """One link: what it is, how it does, what was seen, and what to do. ``facts`` are plain JSON values with units in their names."""

    link: str
    state: State
    said: str
    cure: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The finding in one line, with what to do."""
        mark = {"well": "well", "odd": "look", "broken": "FAULT", "absent": "-"}[self.state]
        return f"{mark:<6}{self.link}: {self.said}{f'; {self.cure}' if self.cure else ''}"


@dataclass(frozen=True)
class Diagnosis:
    """All links."""

    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        """The worst that was found; what is absent does not count."""
        found = {finding.state for finding in self.findings}
        return "broken" if "broken" in found else "odd" if "odd" in found else "well"

    @property
    def words(self) -> str:
        """A line a link."""
        return "\n".join(finding.words for finding in self.findings)

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        return {"state": self.state, "links": [asdict(finding) for finding in self.findings]}


Ports = Callable[[], Mapping[str, tuple[list[str], list[str]] | str]]
"""MIDI systems with their ports in and out, or why one says nothing; see `bridge.ports.names`."""


def examine(
    standings: Sequence[Standing] | None = None,
    picture: Fraction | None = None,
    reaches: Iterable[Reach] = (),
    others: Iterable[Finding] = (),
    ports: Ports = names,
    sound: bool = True,
    late: int = 0,
    drop: bool | None = None,
) -> Diagnosis:
    """Looks at every link: MIDI, JACK, the sources of transport that were heard (``standings``, as `Chase.standings` gives them), beside
    the ``picture``'s rate and whether its timecode counts ``drop``-frame, the DAWs that were reached, what the caller knows of ``others``
    (the server, editors), and the engines' provider. None for ``standings`` and False for ``sound`` (JACK) leave them out. ``late`` is
    how often JACK was late with a period."""
    found = [*midi(ports)]
    if sound:
        found.append(jack(late))
    found += sources(standings, picture, drop) if standings is not None else ()
    found += [daw(reach) for reach in reaches]
    found += others
    found.append(provider())
    return Diagnosis(tuple(found))


def midi(ports: Ports = names) -> tuple[Finding, ...]:
    """One finding a MIDI system that answers; one for all where none does."""
    try:
        systems = ports()
    except MissingLibraryError as error:
        return (Finding("MIDI", "broken", error.what, error.cure or ""),)
    found, silent = [], {}
    for system, seen in systems.items():
        if isinstance(seen, str):
            silent[system] = seen
            continue
        into, out = seen
        listed = "; ".join(f"{way}: {', '.join(ports) or 'none'}" for way, ports in (("from", into), ("to", out)))
        state: State = "well" if into or out else "absent"
        cure = "" if into or out else "start the DAW; a port that we make ourselves is seen in its MIDI settings"
        found.append(Finding(f"MIDI {SYSTEMS.get(system, system)}", state, listed, cure, {"in": into, "out": out}))
    if not found:
        why = ", ".join(silent.values()) or "no MIDI system is known here"
        cure = "on Linux start JACK or PipeWire, or load the module snd-seq; notes can be placed as files in any case"
        found.append(Finding("MIDI", "broken", why, cure))
    return tuple(found)


def jack(late: int = 0) -> Finding:
    """Whether a JACK server runs: with it, live notes go out on their exact sample. ``late`` is how often it was late with a period."""
    client = _jack_client()
    if isinstance(client, str):
        return Finding("JACK", "absent", f"{client}; live notes go through the system's own MIDI")
    try:
        facts = {
            "sample_rate": client.samplerate,
            "period_frames": client.blocksize,
            "late_periods": late,
            "midi_in": sorted(port.name for port in client.get_ports(is_midi=True, is_output=True)),
            "midi_out": sorted(port.name for port in client.get_ports(is_midi=True, is_input=True)),
        }
    finally:
        client.close()
    period_ms = 1000 * facts["period_frames"] / facts["sample_rate"]
    said = f"runs at {facts['sample_rate']} Hz, a period lasts {period_ms:.1f} ms"
    if late:
        times = "once" if late == 1 else f"{late} times"
        cure = f"give it a longer one: {2 * facts['period_frames']} frames (-p of jackd, the quantum of PipeWire), or close what computes"
        return Finding("JACK", "odd", f"{said}, and {times} one came late: notes may be late or torn", cure, facts)
    return Finding("JACK", "well", f"{said}, notes go out on their exact sample", facts=facts)


@contextmanager
def late_periods() -> Iterator[Callable[[], int]]:
    """Counts while the block lasts how often JACK tells its programs that it was late with a period; 0 where none runs."""
    client, count = _jack_client(), [0]

    def slipped(delayed_us: float) -> None:
        count[0] += 1

    if isinstance(client, str):
        yield lambda: 0
        return
    try:
        client.set_xrun_callback(slipped)
        client.activate()
        yield lambda: count[0]
    finally:
        client.close()


def _jack_client() -> Any:
    """A client of the running JACK server, or why there is none."""
    try:
        library: Any = import_module("jack")
    except (ImportError, OSError):
        return "its library is not on this system"
    library.set_error_function(lambda _: None)  # it would write to standard error by itself
    library.set_info_function(lambda _: None)
    try:
        return library.Client("hitpoint doctor", no_start_server=True)
    except library.JackError:
        return "no server runs"


def sources(standings: Sequence[Standing], picture: Fraction | None, drop: bool | None = None) -> tuple[Finding, ...]:
    """One finding a source of transport that was ever heard, the leader first; one that says so where none was."""
    if not standings:
        cure = f"follow the DAW, and have it send MIDI timecode or clock to the port {SYNC!r}, or switch its OSC on"
        return (Finding("transport", "absent", "nothing has been heard from any DAW yet", cure),)
    return tuple(source(standing, picture, drop) for standing in standings)


def source(standing: Standing, picture: Fraction | None, drop: bool | None = None) -> Finding:
    """One source: rate against the picture's, as it is named and as it runs, drop-frame against the film's (``drop``, None where that is
    not known), how far it is from the leader, how restless."""
    fix, rate = standing.fix, standing.rate
    facts = {
        "state": fix.state,
        "leads": standing.leads,
        "why": standing.why,
        "kind": standing.kind,
        "rate": None if rate is None else str(rate),
        "picture_rate": None if picture is None else str(picture),
        "real_rate": None if standing.real is None else str(standing.real),
        "drop": standing.drop,
        "picture_drop": drop,
        "bpm": standing.bpm,
        "speed": fix.speed,
        "offset_ms": round(fix.offset_ms, 3),
        "jitter_p99_ms": round(fix.jitter_ms, 3),
        "away_ms": None if standing.away_ms is None else round(standing.away_ms, 3),
        "silent_s": round(fix.silent_s, 3),
    }
    words: list[str] = [fix.state]
    if rate is not None and standing.pace is None and standing.kind == "mtc" and not standing.drop and rate != nominal(rate):
        words.append(f"{float(rate):.5g} or {nominal(rate)} fps (its speed tells once it rolls)")
    elif rate is not None:
        words.append(f"{float(standing.real or rate):.5g} fps{' drop' if standing.drop else ''}")
    if standing.bpm is not None:
        words.append(f"{standing.bpm:.2f} bpm")
    if fix.state == "locked":
        words.append(f"offset {fix.offset_ms:+.1f} ms, jitter {fix.jitter_ms:.1f} ms (p99)")
    if standing.why:
        words.append(f"leads: {standing.why}" if standing.leads else f"does not lead: {standing.why}")
    state, cure = _judge(standing, picture, drop)
    return Finding(f"transport, {standing.source}", state, ", ".join(words), cure, facts)


def _judge(standing: Standing, picture: Fraction | None, drop: bool | None) -> tuple[State, str]:
    fix, rate, real = standing.fix, standing.rate, standing.real
    if fix.state == "lost":
        return "broken", f"{standing.remark}: is the DAW still there, and does it still send?"
    if rate is not None and picture is not None and rate != picture:
        return "broken", f"{standing.remark}: set the project's frame rate in the DAW to {float(picture):.5g}"
    counted = _counted(standing, drop)
    if counted:
        return "broken", counted
    if rate is not None and rate == picture and real is not None and real > rate:
        cure = f"set the project's frame rate in the DAW to {float(rate):.5g}, or pull the film up to {float(real):.5g}"
        return "broken", f"{standing.remark}: {cure}"
    if standing.remark:
        return "odd", standing.remark
    if standing.away_ms is not None and abs(standing.away_ms) > AWAY_MS:
        return "odd", f"it is {standing.away_ms:+.0f} ms from the source that leads: does its project begin elsewhere?"
    if fix.state == "locked" and fix.jitter_ms > JITTERY_MS:
        return "odd", "it is restless: raise the DAW's buffer, or send timecode instead"
    return "well", ""


def _counted(standing: Standing, drop: bool | None) -> str:
    """What is wrong with how timecode counts, and what to do; nothing where it counts as the film does."""
    rate = standing.rate
    if standing.kind != "mtc" or rate is None or drop is None or standing.drop == drop or not drops(rate):
        return ""
    frames = 54 * drops(rate)  # six minutes of an hour keep all their labels
    away = f"{frames} frames ({float(frames / rate):.1f} s) away for every hour"
    if standing.drop:
        cure = f"set the DAW's project to {float(rate):.5g} non-drop, or say where the film lies in it with ; before the frames"
        return f"it counts drop-frame and the film does not, {away}: {cure}"
    cure = f"set the DAW's project to {float(rate):.5g} drop-frame, or say where the film lies in it with ndf behind the place"
    return f"it counts non-drop and the film drop-frame, {away}: {cure}"


def daw(reach: Reach) -> Finding:
    """One DAW. That one is not running is no fault; a project of its that is not there is one."""
    state: State = "broken" if reach.wrong else "well" if reach.there or reach.there is None else "absent"
    return Finding(f"DAW {reach.daw}", state, reach.said, reach.cure, dict(reach.facts))


def provider() -> Finding:
    """What the engines compose on."""
    try:
        chosen = choose()
    except HitpointError as error:
        return Finding("engine", "broken", error.what, error.cure or "")
    # a card's driver brings nvidia-smi: without a card there is nothing to put right
    if "does not load" in chosen.said and which("nvidia-smi"):
        cure = "install CUDA and cuDNN as onnxruntime asks for them; until then the processor composes"
        return Finding("engine", "odd", chosen.said, cure, {"provider": chosen.name})
    return Finding("engine", "well", chosen.said, facts={"provider": chosen.name})
