"""A check-up from the command line: opens every MIDI port in, listens for a moment, asks every DAW, and has the doctor judge."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from bridge.chase import Chase, Standing
from bridge.clock import SECOND, MonotonicClock
from bridge.daw import Address, Reach, open_daw
from bridge.daws import DAWS
from bridge.doctor import Diagnosis, Finding, examine, late_periods
from bridge.editors.watched import editor
from bridge.hush import hushed
from bridge.midi_clock import ClockReader, song_step
from bridge.mmc import MmcReader
from bridge.mtc import MtcReader
from bridge.patience import patient, rested
from bridge.ports import Heard, SystemInput, systems
from bridge.project import Project
from bridge.transport import MidiReader
from engines.errors import HitpointError, PortError
from engines.session.desk import Desk
from engines.watch import Watch

PATIENCE_S = 1.0
"""Seconds within which a DAW that is there answers."""

LONGER_NS = 6 * SECOND
"""How much longer is listened to timecode whose speed does not tell yet whether it is film of 24 or of 23.976."""

_LOOK_S = 0.25

LARGEST_ANSWER = 1 << 20
"""Bytes of an answer to a ping; a longer one is none of ours."""

SERVER_PORT = 4747
"""Where the local server listens by default."""


def checkup(
    session: Path | None,
    daws: tuple[str, ...],
    listen_s: float,
    address: Address,
    heard: Sequence[Standing] | None = None,
    others: Sequence[Finding] = (),
    watch: Watch | None = None,
    late: int = 0,
) -> Diagnosis:
    """Looks at every link; ``session`` tells the picture's rate. Raises SessionError for a file that is none.

    ``heard`` is what a player that is at work hears of the DAWs: then no port is opened beside it. ``others`` is what the caller knows.
    ``late`` is how often that player was told that JACK was late with a period.
    Raises Cancelled within a step of its ``watch``.
    """
    watch = watch or Watch()
    project = Project() if session is None else Project.of(session)
    (chase, drop), clock = _chase(session, project), MonotonicClock()
    if session is not None:
        address = replace(address, folder=address.folder or session.parent / f"{session.stem}-midi")
    address = replace(address, timeout_s=min(PATIENCE_S, address.timeout_s))
    refused: list[Finding] = []
    if heard is None:
        with listening(chase) as refused, late_periods() as counted:
            rested(listen_s, watch)  # what comes in this time is what is judged
            end = clock.now_ns() + LONGER_NS
            while listen_s and clock.now_ns() < end and any(one.undecided for one in chase.standings(clock.now_ns())):
                rested(_LOOK_S, watch)
            heard, late = chase.standings(clock.now_ns()), late + counted()
    reaches = []
    for name in daws or tuple(DAWS):
        daw = open_daw(name, replace(address, project=_meant(name, daws, address.project, project)))
        try:
            reaches.append(patient(daw.reach, watch))
        finally:
            daw.close()
    return examine(
        heard,
        chase.picture,
        reaches,
        [*_gone(address.project, reaches), *refused, editor(), server(), *others],
        late=late,
        drop=drop,
    )


def _meant(name: str, daws: tuple[str, ...], given: Path | None, project: Project) -> Path | None:
    """The project's file or folder, where it is this DAW's: as was said, else as its name tells. What is kept belongs to the DAW that it
    was kept for."""
    kept = project.file if project.daw in (None, name) else None
    path = kept if given is None else given
    if path is None or daws == (name,) or (given is None and project.daw == name):
        return path
    return path if name == ("reaper" if path.suffix.lower() == ".rpp" else "ardour") else None


def _gone(given: Path | None, reaches: Sequence[Reach]) -> Iterator[Finding]:
    """A project that was named and is not there, where no DAW was asked that would have said so."""
    if given is not None and not given.exists() and not any(reach.wrong for reach in reaches):
        yield Finding("project", "broken", f"{given} is not there", "give the folder of an Ardour session, or a .RPP file")


def _chase(session: Path | None, project: Project) -> tuple[Chase, bool | None]:
    """A chase for the film of a session, and whether timecode should be drop-frame; nothing is known of that without one."""
    if session is None:
        return Chase(), None
    from bridge.player.writing import file_map
    from engines.session.deliver import score_of

    with Desk.open(session, read_only=True) as desk:
        cue, at = desk.session, project.at
        start, zero = (cue.start.seconds, cue.start.seconds) if at is None else (at, Fraction(0))
        beats = file_map(score_of(cue))
        chase = Chase(cue.film.rate, start, lambda beat: start + beats.seconds(beat), zero=zero)
        return chase, project.counting(cue.start).drop


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
        ClockReader(f"MIDI clock from {name}", song_step(name)),
        MmcReader(f"MMC from {name}", picture),
    )

    def heard(message: bytes, received_ns: int) -> None:
        for reader in readers:
            report = reader.feed(message, received_ns)
            if report is not None:
                chase.hear(report)

    return heard


def server(port: int = SERVER_PORT) -> Finding:
    """Whether our own server answers on this machine: whatever else listens there is another program's."""
    facts: dict[str, int | str] = {"port": port}
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        link.request("GET", "/hitpoint/ping")
        told = json.loads(link.getresponse().read(LARGEST_ANSWER))
        version = told["hitpoint"]
    except ConnectionRefusedError:
        return Finding("server", "absent", "does not run", "start it with: python main.py serve", facts)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        cure = "our server can take another: python main.py serve --port 0"
        return Finding("server", "odd", f"another program listens on port {port}, or does not answer", cure, facts)
    finally:
        link.close()
    return Finding("server", "well", f"answers on port {port}, version {version}", facts=facts | {"version": str(version)[:40]})
