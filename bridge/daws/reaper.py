"""REAPER: its web interface for transport, markers and regions, and a ReaScript that puts MIDI items at their exact places.

The web interface (Preferences, Control/OSC/web, Add, Web browser interface; port 8080) answers ``/_/COMMAND;COMMAND`` with lines of
words between tabs. The script ``reaper_companion.lua`` says where to copy it; it can do all that the web interface can, so one of the
two is enough for everything but placing, which needs the script.
"""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path

from bridge.daw import Address, Clip, Cue, Placed, ProjectMarker, Reach, Sound, Transport, confirm, with_project
from bridge.daws import reaper_project
from bridge.daws.following import Following
from bridge.daws.mailbox import Mailbox, Row
from bridge.transport import Report
from engines.errors import DawError
from engines.spotting.tempo import Metre

PORT = 8080
"""Of the web interface, where the person chose no other."""

COMPANION = Path(__file__).with_name("reaper_companion.lua")
"""The script to copy into REAPER."""

PLAY, STOP = "1007", "1016"
"""Command ids of REAPER's transport."""

_FINEST = Fraction(1, 500)  # s: 960 ticks a quarter note; half of one at 30 bpm is 1 ms
_LARGEST = 4 << 20
_FOLLOW_S = 0.05
_AWAY_S = 1.0
_NUMBER = re.compile(r"-?\d{1,12}(\.\d{0,15})?")


class Reaper:
    """REAPER at its web interface's port, and at the folder that its script looks into."""

    name = "reaper"

    def __init__(self, address: Address) -> None:
        self.host, self.port, self.timeout_s = address.host, address.port or PORT, address.timeout_s
        self.box = Mailbox(self.name, address.box or Path.home() / ".hitpoint" / "reaper", address.timeout_s, COMPANION)
        self.project = address.project
        self._following = Following(self.name)

    def reach(self) -> Reach:
        """Asks the web interface and the script. Its project's file is looked at where one was named."""
        reach, project = self._reached(), self.project
        return reach if project is None else with_project(reach, lambda: reaper_project.markers(project))

    def _reached(self) -> Reach:
        facts: dict[str, object] = {"web_port": self.port, "folder": str(self.box.folder)}
        web, script = self._answers(lambda: self._web("TRANSPORT")), self._answers(lambda: self.box.ask("hello"))
        facts |= {"web": web is not None, "script": script is not None}
        cure = f"load {COMPANION} in REAPER's action list and run it"
        if script is None and web is None:
            return Reach(self.name, False, "does not answer", f"start it, {cure}", facts)
        if script is None:
            return Reach(
                self.name, True, "answers on its web interface, its script does not run: nothing can be placed", cure, facts
            )
        project = next((row[8] for row in script if row[0] == "transport" and len(row) > 8), "")
        said = f"its script answers, project {project or 'without a name'}{', and its web interface' if web else ''}"
        return Reach(self.name, True, said, facts=facts | {"project": project})

    @staticmethod
    def _answers(ask: Callable[[], list[list[str]]]) -> list[list[str]] | None:
        try:
            return ask()
        except DawError:
            return None

    def place(self, cue: Cue, at: Fraction) -> Placed:
        """A MIDI item a scene and stem, on tracks named like the stems; earlier ones of the same are replaced, in one undo step."""
        rows: list[Row] = [("cue", cue.number, "whole" if cue.whole else "part")]
        for clip in cue.clips:
            rows.append(("clip", clip.key, clip.track, _text(clip.begins(at)), _text(clip.end + at), clip.name))
            rows += [("note", _text(s.start + at), _text(s.end + at), str(s.pitch), str(s.velocity)) for s in clip.sounds]
        answer = self.box.ask("place", rows)
        clips, worst = confirm(self.name, cue.clips, _clips(answer, cue.clips, at, self._number), _FINEST)
        said = f"{len(clips)} items hold their notes, from {float(min(c.start for c in clips) + at):.3f} s of the project on"
        return Placed(self.name, said, clips, True, (), worst)

    def markers(self) -> tuple[ProjectMarker, ...]:
        """Markers and regions, in order: from the web interface, else the script, else the project's file (``--project``)."""
        try:
            rows = self._web("MARKER;REGION")
        except DawError:
            try:
                rows = [_as_web(row) for row in self.box.ask("markers")]
            except DawError:
                if self.project is None:
                    raise
                return reaper_project.markers(self.project)
        out = []
        for row in rows:
            if row[0] == "MARKER" and len(row) > 3:
                out.append(ProjectMarker(self._number(row[3]), _unescaped(row[1])))
            elif row[0] == "REGION" and len(row) > 4:
                out.append(ProjectMarker(self._number(row[3]), _unescaped(row[1]), self._number(row[4])))
        return tuple(sorted(out, key=lambda marker: (marker.start, marker.end is None, marker.name)))

    def transport(self) -> Transport:
        """Where it is, whether it rolls; metre from the web interface, tempo and metre from the script."""
        try:
            rows = self._web("TRANSPORT;BEATPOS")
        except DawError:
            return self._told(self.box.ask("transport"))
        return self._seen(rows)

    def go(self, seconds: Fraction | None = None, rolling: bool | None = None) -> Transport:
        """Goes to a place, then plays or stops, and waits until REAPER says so."""
        place = None if seconds is None else max(Fraction(0), seconds)
        if self._answers(lambda: self._web("TRANSPORT")) is None:
            rows: list[Row] = [("stop",)] if rolling is False else []
            rows += [("locate", _text(place))] if place is not None else []
            rows += [("play",)] if rolling else []
            return self._told(self.box.ask("go", rows))
        steps = [STOP] if rolling is False else []
        steps += [f"SET/POS/{_text(place)}"] if place is not None else []
        steps += [PLAY] if rolling else []
        self._web(";".join(steps or ["TRANSPORT"]))
        end = time.monotonic() + self.timeout_s
        while time.monotonic() < end:
            now = self._seen(self._web("TRANSPORT;BEATPOS"))
            there = place is None or now.rolling or (now.seconds is not None and abs(now.seconds - place) < _FINEST)
            if there and (rolling is None or now.rolling is rolling):
                return now
            self._following.rest(_FOLLOW_S)
        raise DawError("did not go where it was sent", where=self.name, cure="is it recording, or locked to another clock?")

    def follow(self, hear: Callable[[Report], None]) -> None:
        """Asks the web interface for its transport twenty times a second; goes on asking where it is away."""
        self._following.begin(partial(self._ask_on, hear))

    def close(self) -> None:
        """Ends the thread that follows."""
        self._following.end()

    def _ask_on(self, hear: Callable[[Report], None]) -> float:
        before = time.monotonic_ns()
        try:
            now = self._seen(self._web("TRANSPORT"))
        except DawError:
            return _AWAY_S
        middle = (before + time.monotonic_ns()) // 2
        hear(Report("web interface of Reaper", "osc", middle, now.seconds, rolling=now.rolling, located=now.rolling is False))
        return _FOLLOW_S

    def _web(self, commands: str) -> list[list[str]]:
        """The rows that the web interface answers. Raises DawError where it does not."""
        link = http.client.HTTPConnection(self.host, self.port, timeout=self.timeout_s)
        try:
            link.request("GET", f"/_/{commands}")
            answer = link.getresponse()
            body = answer.read(_LARGEST)
        except (OSError, http.client.HTTPException) as error:
            raise DawError(
                f"its web interface does not answer on port {self.port}", where=self.name,
                cure="add it in Preferences, Control/OSC/web: Web browser interface",
            ) from error  # fmt: skip
        finally:
            link.close()
        if answer.status == 401:
            raise DawError("its web interface asks for a password", where=self.name, cure="take the password off it; it is local")
        rows = [line.split("\t") for line in body.decode("utf-8", "replace").splitlines() if line]
        if answer.status != 200 or (rows and rows[0][0].startswith("<")):
            raise DawError(f"what answers on port {self.port} is not REAPER", where=self.name, cure="give its port: --port")
        return rows

    def _seen(self, rows: Iterable[Sequence[str]]) -> Transport:
        out = Transport()
        for row in rows:
            if row[0] == "TRANSPORT" and len(row) > 2:
                out = replace(out, seconds=self._number(row[2]), rolling=row[1] in ("1", "5"))
            elif row[0] == "BEATPOS" and len(row) > 7 and row[6].isdecimal() and row[7].isdecimal():
                out = replace(out, metre=Metre(int(row[6]), int(row[7])))
        if out.seconds is None:
            raise DawError(f"what answers on port {self.port} is not REAPER", where=self.name, cure="give its port: --port")
        return out

    def _told(self, rows: Iterable[Sequence[str]]) -> Transport:
        for row in rows:
            if row[0] == "transport" and len(row) > 5:
                at, state, bpm, beats, unit = (self._number(word) for word in row[1:6])
                return Transport(at, int(state) % 2 == 1, float(bpm), Metre(int(beats), int(unit)))
        raise DawError(
            "its script says nothing of its transport", where=self.name, cure="copy the companion script into it again"
        )

    def _number(self, text: str) -> Fraction:
        if not _NUMBER.fullmatch(text):
            raise DawError(f"says {text[:20]!r} where a number belongs", where=self.name, cure="bring REAPER up to date")
        return Fraction(text)


def _text(seconds: Fraction) -> str:
    """Seconds to the picosecond, as REAPER reads them."""
    return f"{float(seconds):.12f}"


def _unescaped(text: str) -> str:
    """A text of the web interface, which writes tabs, line ends and backslashes with a backslash."""
    kinds = {"t": "\t", "n": "\n", "\\": "\\"}
    return re.sub(r"\\(.)", lambda found: kinds.get(found[1], found[1]), text)


def _as_web(row: Sequence[str]) -> list[str]:
    """A marker or region as the script says it, in the order of the web interface; anything else is passed over there."""
    if len(row) < 4 or row[0] not in ("marker", "region"):
        return ["?"]
    name = row[3].replace("\\", "\\\\")
    return ["MARKER", name, "", row[1]] if row[0] == "marker" else ["REGION", name, "", row[1], row[2]]


def _clips(
    rows: Iterable[Sequence[str]], asked: Iterable[Clip], at: Fraction, number: Callable[[str], Fraction]
) -> dict[str, Clip]:
    """What the script read back, by key, in seconds of the film; ``number`` reads one of its numbers."""
    known = {clip.key: clip for clip in asked}
    out: dict[str, Clip] = {}
    sounds: list[Sound] = []
    current: str | None = None

    def finish() -> None:
        if current is not None and current in known:
            out[current] = replace(out[current], sounds=tuple(sorted(sounds)))

    for row in rows:
        if row[0] == "clip" and len(row) > 4:
            finish()
            current, sounds = row[1], []
            if current in known:
                start, end = number(row[3]) - at, number(row[4]) - at
                out[current] = replace(known[current], track=row[2], start=start, end=end, sounds=())
        elif row[0] == "note" and len(row) > 4:
            sounds.append(Sound(number(row[1]) - at, int(number(row[3])), number(row[2]) - at, int(number(row[4]))))
    finish()
    return out
