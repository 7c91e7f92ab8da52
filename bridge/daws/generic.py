"""Any DAW (Logic, Cubase, Pro Tools, Studio One, Bitwig): timecode, clock and machine control over MIDI, and files to drag in.

Nothing that such a DAW says over MIDI tells what lies on its tracks: what is placed is a folder of files, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction
from math import floor

from bridge import mmc
from bridge.chase import Chase
from bridge.clock import Clock, MonotonicClock
from bridge.daw import Address, Cue, Placed, ProjectMarker, Reach, Transport
from bridge.daws.folder import Folder
from bridge.midi_clock import ClockReader
from bridge.mtc import MtcReader, code_of
from bridge.ports import CONTROL, SYNC, Port, SystemInput, SystemPort
from bridge.transport import MidiReader, Report
from engines.errors import DawError, OptionError, PortError
from engines.picture.timecode import Timecode, nominal

_DOUBLE = (48, 50, 60)  # frames a second that machine control has no code for, and their half has one
_SYSTEM, _VIRTUAL = "system:", "virtual:"


class Generic:
    """A DAW that is followed and told to go by MIDI. ``out`` carries machine control, `heard` takes what comes in.

    Without ports given, virtual ones are made when they are first needed: `CONTROL` out, `SYNC` in. Machine control counts in frames
    of the film, `Address.film`, or of ``picture`` where that is not known; in every second one where the film has too many for it.
    """

    name = "generic"

    def __init__(
        self, address: Address, out: Port | None = None, picture: Fraction = Fraction(25), clock: Clock | None = None
    ) -> None:
        self.files = Folder(address)
        film = address.film or Timecode(0, picture)
        self.picture, self.clock = film.rate, clock or MonotonicClock()
        self._rate, self._drop = (film.rate / 2 if nominal(film.rate) in _DOUBLE else film.rate), film.drop
        self.chase = Chase(self.picture)
        self._readers: tuple[MidiReader, ...] = (
            MtcReader(f"MTC into {SYNC}", self.picture),
            ClockReader(f"MIDI clock into {SYNC}"),
            mmc.MmcReader(f"MMC into {SYNC}", self.picture),
        )
        self._midi = address.midi or f"{_VIRTUAL}{CONTROL}"
        self._out, self._is_open = out, False
        self._into: SystemInput | None = None
        self._hear: list[Callable[[Report], None]] = []

    def heard(self, message: bytes, received_ns: int) -> None:
        """Takes one MIDI message of the DAW's."""
        for reader in self._readers:
            report = reader.feed(message, received_ns)
            if report is not None:
                self.chase.hear(report)
                for hear in self._hear:
                    hear(report)

    def reach(self) -> Reach:
        """Nobody can know whether a DAW is at the other end, unless something came from it."""
        standings = self.chase.standings(self.clock.now_ns())
        living = [standing.source for standing in standings if standing.fix.state != "lost"]
        if living:
            return Reach(self.name, True, f"it speaks: {', '.join(living)}")
        cure = f"follow it, and have it send MTC or clock to the port {SYNC!r}; it obeys machine control (MMC) from {CONTROL!r}"
        return Reach(self.name, None, "nothing has come from it over MIDI; files can be dragged into it", cure)

    def place(self, cue: Cue, at: Fraction) -> Placed:
        """Writes the files to drag in; what the DAW then has of them, it cannot tell."""
        placed = self.files.place(cue, at)
        said = f"nothing can be placed in this DAW from outside, and nothing read back; {placed.said}"
        return replace(placed, daw=self.name, said=said, clips=(), confirmed=False)

    def markers(self) -> tuple[ProjectMarker, ...]:
        """Those of the MIDI file that was exported into the folder."""
        return self.files.markers()

    def transport(self) -> Transport:
        """Where the sources that were heard say it is."""
        reading = self.chase.at(self.clock.now_ns())
        bpm = next((s.bpm for s in self.chase.standings(self.clock.now_ns()) if s.bpm is not None), None)
        if reading.state == "lost":
            return Transport(bpm=bpm)
        return Transport(reading.seconds, reading.state != "stopped", bpm)

    def go(self, seconds: Fraction | None = None, rolling: bool | None = None) -> Transport:
        """Sends machine control; the answer is what was heard so far, since MMC answers nothing. Raises PortError, DawError."""
        port = self._opened()
        for message in self._commands(seconds, rolling):
            port.send(message)
        return self.transport()

    def follow(self, hear: Callable[[Report], None]) -> None:
        """Opens the port in, and hands on what comes; raises PortError where the system has no such ports."""
        self._hear.append(hear)
        if self._into is None and self._out is None:
            into = SystemInput(SYNC, self.heard, virtual=True)
            into.open()
            self._into = into

    def close(self) -> None:
        """Closes its ports."""
        if self._into is not None:
            self._into.close()
            self._into = None
        if self._out is not None and self._is_open:
            self._out.close()
            self._is_open = False
        self._hear.clear()

    def _opened(self) -> Port:
        if self._out is None:
            virtual = self._midi.startswith(_VIRTUAL)
            self._out = SystemPort(self._midi.removeprefix(_VIRTUAL if virtual else _SYSTEM), virtual=virtual)
        if not self._is_open:
            try:
                self._out.open()
            except PortError as error:
                raise DawError(error.what, where=self.name, cure=error.cure) from error
            self._is_open = True
        return self._out

    def _commands(self, seconds: Fraction | None, rolling: bool | None) -> Iterable[bytes]:
        if rolling is False:
            yield mmc.build("stop")
        if seconds is not None:
            try:
                code_of(self._rate, self._drop)
            except OptionError as error:
                raise DawError(error.what, where=self.name, cure=error.cure) from error
            exact = seconds * self._rate
            yield mmc.build("locate", Timecode(floor(exact), self._rate, self._drop), subframes=floor(exact % 1 * 100))
        if rolling:
            yield mmc.build("play" if seconds is None else "deferred play")  # deferred: once it is where it was sent
