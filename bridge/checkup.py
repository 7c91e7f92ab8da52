"""A check-up from the command line: opens every MIDI port in, listens for a moment, asks every DAW, and has the doctor judge."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import Event

from bridge.chase import Chase, Standing
from bridge.clock import MonotonicClock
from bridge.daw import Address, open_daw
from bridge.daws import DAWS
from bridge.doctor import Diagnosis, Finding, examine
from bridge.editors.watched import editor
from bridge.hush import hushed
from bridge.midi_clock import ClockReader
from bridge.mmc import MmcReader
from bridge.mtc import MtcReader
from bridge.ports import Heard, SystemInput, systems
from bridge.transport import MidiReader
from engines.errors import HitpointError, PortError
from engines.session.desk import Desk

PATIENCE_S = 1.0
"""Seconds within which a DAW that is there answers."""

SERVER_PORT = 4747
"""Where the local server listens by default."""


def checkup(
    session: Path | None,
    daws: tuple[str, ...],
    listen_s: float,
    address: Address,
    heard: Sequence[Standing] | None = None,
    others: Sequence[Finding] = (),
) -> Diagnosis:
    """Looks at every link; ``session`` tells the picture's rate. Raises SessionError for a file that is none.

    ``heard`` is what a player that is at work hears of the DAWs: then no port is opened beside it. ``others`` is what the caller knows.
    """
    chase, clock = _chase(session), MonotonicClock()
    if session is not None and address.folder is None:
        address = replace(address, folder=session.parent / f"{session.stem}-midi")
    address = replace(address, timeout_s=min(PATIENCE_S, address.timeout_s))
    refused: list[Finding] = []
    if heard is None:
        with listening(chase) as refused:
            Event().wait(listen_s)  # nothing ends it early: what comes in this time is what is judged
            heard = chase.standings(clock.now_ns())
    reaches = []
    for name in daws or tuple(DAWS):
        daw = open_daw(name, address)
        try:
            reaches.append(daw.reach())
        finally:
            daw.close()
    return examine(heard, chase.picture, reaches, [*refused, editor(), server(), *others])


def _chase(session: Path | None) -> Chase:
    if session is None:
        return Chase()
    with Desk.open(session, read_only=True) as desk:
        cue = desk.session
        return Chase(cue.film.rate, cue.start.seconds, lambda beat: cue.start.seconds + cue.tempo_map.seconds(beat))


@contextmanager
def listening(chase: Chase) -> Iterator[list[Finding]]:
    """Every port in of the first MIDI system that has any is heard while the block lasts; gives what could not be opened."""
    refused: list[Finding] = []
    with ExitStack() as opened:
        for name in _inputs():
            port = SystemInput(name, _hears(chase, name))
            try:
                port.open()
                opened.callback(port.close)
            except PortError as error:
                refused.append(Finding(f"MIDI port {name}", "broken", error.what, error.cure or ""))
        yield refused


def _inputs() -> list[str]:
    """The ports in of the first MIDI system that has any."""
    try:
        for _, backend in systems():
            try:
                with hushed():
                    found = sorted(set(backend.get_input_names()))
            except OSError:
                continue
            if found:
                return found
    except HitpointError:
        return []  # the doctor says of MIDI what is wrong
    return []


def _hears(chase: Chase, name: str) -> Heard:
    picture: Fraction | None = chase.picture
    readers: tuple[MidiReader, ...] = (
        MtcReader(f"MTC from {name}", picture),
        ClockReader(f"MIDI clock from {name}"),
        MmcReader(f"MMC from {name}", picture),
    )

    def heard(message: bytes, received_ns: int) -> None:
        for reader in readers:
            report = reader.feed(message, received_ns)
            if report is not None:
                chase.hear(report)

    return heard


def server(port: int = SERVER_PORT) -> Finding:
    """Whether our own server answers on this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return Finding("server", "well", f"something listens on port {port}", facts={"port": port})
    except OSError:
        return Finding("server", "absent", "does not run", "start it with: python main.py serve", {"port": port})
