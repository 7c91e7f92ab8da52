"""Ardour 7: transport over OSC, markers from its session's file, and clips written into a session that is closed.

Ardour lists no markers over OSC and takes no clips: both are in the session's own file, which it writes when asked to. To switch OSC
on: Edit, Preferences, Control Surfaces, Open Sound Control (OSC); it listens on port 3819.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from bridge.daw import Address, Cue, Placed, ProjectMarker, Reach, Transport, with_project
from bridge.daws.ardour_file import ArdourFile
from bridge.daws.ardour_lua import LuaSession, window_runs
from bridge.daws.ardour_place import place as place_in_file
from bridge.daws.following import Following, hearing
from bridge.daws.osc_peer import OscPeer
from bridge.osc_transport import ArdourTransport, number
from bridge.transport import Report
from engines.errors import DawError

PORT = 3819

FEEDBACK = 1 | 8 | 16 | 32 | 64 | 1024 | 16384
"""What Ardour is asked to tell by itself: buttons, heartbeat, transport, bars and beats, timecode, samples, legal reply addresses."""

STRIPS = 159
"""The kinds of strips it may list; without any it tells nothing."""

_AGAIN_S = 0.5
_LOOK_S = 1.0  # between two looks whether it still tells
_LOADING_S = 1.0  # it opens its port some tenths of a second before its session is there
_SILENT_S = 2.5  # it sends a heartbeat every second: after two that are missing, it is asked to tell again


class Ardour:
    """Ardour at its OSC port; ``project`` is the folder of its session (or its ``.ardour`` file)."""

    name = "ardour"

    def __init__(self, address: Address) -> None:
        self.peer = OscPeer(self.name, address.port or PORT, 0, address.host, address.timeout_s, _LOADING_S)
        self.project = address.project
        self._timeout_s = address.timeout_s
        self._session: str | None = None
        self._heard_ns = 0
        self._asked = False
        self._following = Following(self.name)
        self.peer.listeners.append(self._notice)

    def reach(self) -> Reach:
        """Asks for its tracks: the answer ends with the session's sample rate. Its session's file is looked at where one was named."""
        reach = self._reached()
        if self.project is None:
            return reach
        closed = "" if reach.there else f"its session {self.project} can be read while it is closed"
        return with_project(reach, lambda: ArdourFile.read(self._file()), closed)

    def _reached(self) -> Reach:
        try:
            rows = self._strips()
        except DawError as error:
            return Reach(self.name, False, error.what, "start Ardour and switch OSC on in Preferences, Control Surfaces")
        tracks = [str(row[1]) for row in rows[:-1] if row[:1] in (("MT",), ("AT",))]
        rate = int(rows[-1][1])
        facts = {"session": self._session, "sample_rate": rate, "tracks": tracks}
        named = f" with the session {self._session}" if self._session else ""
        return Reach(self.name, True, f"answers{named}, {len(tracks)} tracks at {rate} Hz", facts=facts)

    def place(self, cue: Cue, at: Fraction) -> Placed:
        """Writes the cue's clips into the closed session: a track a stem, a region a scene. Raises DawError while Ardour has it open."""
        path = self._file()
        if self._open_here(path):
            cure = "close the session in Ardour, place, open it again; or record the cue live: arm the tracks and play"
            raise DawError("has this session open, and would write over what is placed", where=path, cure=cure)
        if self._session is None and window_runs():
            what = "may be open in the Ardour that runs here and does not answer, which would write over what is placed"
            raise DawError(what, where=path, cure="switch that Ardour's OSC on, or quit it")
        return place_in_file(path, cue, at, LuaSession.find())

    def markers(self) -> tuple[ProjectMarker, ...]:
        """From the session's file, which Ardour is asked to write first if it has the session open."""
        path = self._file()
        if self._open_here(path):
            self._save(path)
        return ArdourFile.read(path).markers()

    def transport(self) -> Transport:
        """Its playhead, to the sample, and its speed; tempo and metre at the start come from the session's file where that is known."""
        rate = self._rate()
        sample = number(self.peer.ask("/transport_frame"))
        bpm = metre = None
        if self.project is not None:
            file = ArdourFile.read(self._file())
            bpm, metre = float(file.tempi[0].bpm), file.metre
        return Transport(None if sample is None else sample / rate, self._rolls(), bpm, metre)

    def go(self, seconds: Fraction | None = None, rolling: bool | None = None) -> Transport:
        """Locates to the nearest sample, then plays or stops (or goes on as it did), and waits until Ardour says so."""
        if rolling is False:
            self._roll(False)
        if seconds is not None:
            self._locate(max(Fraction(0), seconds))
        if rolling:
            self._roll(True)
        return self.transport()

    def follow(self, hear: Callable[[Report], None]) -> None:
        """Asks it to tell its transport ten times a second, and asks again whenever it was away."""
        self._asked = False  # a reader that has just come knows neither sample rate nor place
        self.peer.listeners.append(hearing(ArdourTransport(), hear))
        self._following.begin(self._ask_again)

    def close(self) -> None:
        """Ends its threads and closes its socket."""
        self._following.end()
        self.peer.close()

    def _ask_again(self) -> float:
        if not self._asked or time.monotonic_ns() - self._heard_ns > _SILENT_S * 1_000_000_000:
            try:
                self.peer.send("/strip/list")  # brings the sample rate, which a place in samples needs
                self._subscribe()
                self._asked = True
            except DawError:
                pass  # it is away: the doctor says so, and it is asked again
        return _LOOK_S

    def _subscribe(self) -> None:
        self.peer.send("/set_surface", 0, STRIPS, FEEDBACK, 0, 0, 0)

    def _notice(self, address: str, args: tuple[Any, ...], now_ns: int) -> None:
        self._heard_ns = now_ns
        if address == "/session_name" and args:
            self._session = str(args[0])

    def _strips(self) -> list[tuple[Any, ...]]:
        self._subscribe()
        rows = self.peer.gather("/strip/list", answer="/reply", last=lambda row: row[:1] == ("end_route_list",))
        if len(rows[-1]) < 2 or not number(rows[-1], 1):
            raise DawError("does not say its sample rate", where=self.name, cure="open a session in it")
        return rows

    def _rate(self) -> int:
        return int(self._strips()[-1][1])

    def _locate(self, seconds: Fraction) -> None:
        """Goes to the nearest sample, and rolls on from there if it rolled."""
        rate, rolls = self._rate(), self._rolls()
        sample, sent = round(seconds * rate), time.monotonic()
        self.peer.send("/locate", sample, int(rolls))

        def there() -> bool:
            where, passed = self._where(), (time.monotonic() - sent) * rate
            return where == sample or (rolls and where is not None and sample <= where <= sample + passed + rate)

        if not self.peer.until(there):
            cure = "is it recording, or does it follow another clock?"
            raise DawError("did not go where it was sent", where=self.name, cure=cure)

    def _where(self) -> Fraction | None:
        return number(self.peer.ask("/transport_frame"))

    def _roll(self, rolling: bool) -> None:
        """Said again while it does not happen: Ardour passes over a start that comes while it still locates."""
        end = time.monotonic() + self.peer.timeout_s
        while time.monotonic() < end:
            self.peer.send("/transport_play" if rolling else "/transport_stop")
            again = time.monotonic() + _AGAIN_S
            if self.peer.until(partial(self._settled, rolling, again)) and self._rolls() is rolling:
                return
        verb = "start" if rolling else "stop"
        raise DawError(f"does not {verb}", where=self.name, cure="does it follow an external clock that stands?")

    def _settled(self, rolling: bool, patience: float) -> bool:
        return self._rolls() is rolling or time.monotonic() > patience

    def _rolls(self) -> bool:
        return bool(number(self.peer.ask("/transport_speed")))

    def _file(self) -> Path:
        """The session's file. Raises DawError where it is not known."""
        path, found = self.project, list[Path]()
        if path is not None and path.is_dir():
            path = path / f"{path.absolute().name}.ardour"
            if not path.is_file():
                found = sorted(path.parent.glob("*.ardour"))
                path = found[0] if len(found) == 1 else path
        if path is None:
            raise DawError("keeps markers and clips in its session's file", where=self.name, cure="say where: --project FOLDER")
        if not path.is_file():
            gone = "is not there" if self.project is not None and not self.project.exists() else "is no session of Ardour's"
            what = f"holds {len(found)} sessions of Ardour" if found else gone
            cure = "give the session's .ardour file: --project FILE" if found else "give the session's folder: --project FOLDER"
            raise DawError(what, where=self.project, cure=cure)
        return path

    def _open_here(self, path: Path) -> bool:
        """Whether an Ardour that answers has the session of that name open."""
        try:
            self._strips()
        except DawError:
            return False
        self.peer.until(lambda: self._session is not None)
        return self._session in (None, path.stem)

    def _save(self, path: Path) -> None:
        before = path.stat().st_mtime_ns
        self.peer.send("/save_state")
        if not self.peer.until(lambda: path.exists() and path.stat().st_mtime_ns != before):
            raise DawError("did not write its session when asked", where=path, cure="is it the session that Ardour has open?")
