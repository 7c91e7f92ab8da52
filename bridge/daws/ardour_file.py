"""The session file of Ardour 7, read: sample rate, tempo map, markers and ranges, MIDI tracks and their playlists.

Times stand there as ``a`` and superclock units (282,240,000 a second) or ``b`` and ticks (1920 a quarter note); a length as
``b480@b960``, which is length and place.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from xml.etree.ElementTree import Element

from bridge.daw import ProjectMarker
from engines.errors import CutListError, DawError
from engines.picture.cutlists.document import xml
from engines.spotting.tempo import Metre

TICKS = 1920
"""Of a quarter note."""

_TIME = re.compile(r"([ab])(-?\d{1,18})")


@dataclass(frozen=True)
class TempoPoint:
    """A tempo from quarter note ``quarter`` on, at exact ``seconds``; ``omega`` is not 0 where it changes until the next point: then
    the tempo grows exponentially with time, so much a second."""

    quarter: Fraction
    seconds: Fraction
    bpm: Fraction
    omega: float = 0.0

    def seconds_at(self, quarter: Fraction) -> Fraction:
        """The time of a quarter note in exact seconds, on a ramp to a microsecond's thousandth."""
        passed = quarter - self.quarter
        if not self.omega:
            return self.seconds + passed * 60 / self.bpm
        grown = math.log1p(float(passed * 60 / self.bpm) * self.omega) / self.omega
        return self.seconds + Fraction(round(grown * 10**9), 10**9)

    def quarter_at(self, seconds: Fraction) -> Fraction:
        """The quarter note at a time."""
        passed = seconds - self.seconds
        if not self.omega:
            return self.quarter + passed * self.bpm / 60
        grown = math.expm1(float(passed) * self.omega) / self.omega
        return self.quarter + Fraction(round(grown * 10**9), 10**9) * self.bpm / 60


@dataclass(frozen=True)
class ArdourFile:
    """A session's file: its ``root`` element, and where it was read."""

    path: Path
    root: Element

    @classmethod
    def read(cls, path: Path) -> ArdourFile:
        """Raises DawError for a file that is no session of Ardour 7 or newer, or damaged."""
        try:
            root = xml(path)
        except CutListError as error:
            raise DawError(error.what, where=path, cure="open the session in Ardour and save it") from error
        version = root.get("version", "")
        if root.tag != "Session" or not version.isdecimal() or int(version) < 7000:
            raise DawError("is no session of Ardour 7 or newer", where=path, cure="open it in Ardour 7 or newer and save it")
        return cls(path, root)

    @cached_property
    def units(self) -> int:
        """Superclock units in a second."""
        return int(self._tempo_map.get("superclocks-per-second", "282240000"))

    @property
    def _tempo_map(self) -> Element:
        found = self.root.find("TempoMap")
        if found is None:
            raise DawError("has no tempo map", where=self.path, cure="open the session in Ardour and save it")
        return found

    @cached_property
    def tempi(self) -> tuple[TempoPoint, ...]:
        """The tempi in their order, at least one."""
        points = []
        try:
            for row in self._tempo_map.iterfind("Tempos/Tempo"):
                beats, _, ticks = row.attrib["quarters"].partition(":")
                quarter = int(beats) + Fraction(int(ticks or 0), TICKS)
                bpm = Fraction(row.attrib["npm"]) * 4 / int(row.attrib["note-type"])
                # omega is of superclock units; ours is of seconds
                omega = float(row.get("omega", "0")) * self.units
                points.append(TempoPoint(quarter, Fraction(int(row.attrib["sclock"]), self.units), bpm, omega))
        except (KeyError, ValueError, ZeroDivisionError) as error:
            raise DawError("has a broken tempo map", where=self.path, cure="open the session in Ardour and save it") from error
        if not points:
            raise DawError("has no tempo", where=self.path, cure="open the session in Ardour and save it")
        return tuple(points)

    @cached_property
    def metre(self) -> Metre | None:
        """The metre at the start."""
        row = self._tempo_map.find("Meters/Meter")
        return None if row is None else Metre(int(row.get("divisions-per-bar", "4")), int(row.get("note-value", "4")))

    def seconds(self, quarter: Fraction) -> Fraction:
        """The time of a quarter note, in seconds from the session's zero."""
        k = max(0, bisect_right([point.quarter for point in self.tempi], quarter) - 1)
        return self.tempi[k].seconds_at(quarter)

    def quarter(self, seconds: Fraction) -> Fraction:
        """The quarter note at a time."""
        k = max(0, bisect_right([point.seconds for point in self.tempi], seconds) - 1)
        return self.tempi[k].quarter_at(seconds)

    def time(self, text: str) -> Fraction:
        """The seconds that a time of the file means. Raises DawError."""
        found = _TIME.match(text)
        if found is None:
            raise DawError(
                f"has a time that is none: {text[:20]!r}", where=self.path, cure="open the session in Ardour and save it"
            )
        if found[1] == "a":
            return Fraction(int(found[2]), self.units)
        return self.seconds(Fraction(int(found[2]), TICKS))

    def markers(self) -> tuple[ProjectMarker, ...]:
        """Marks, and ranges with their ends; the session's own range, punch and loop are none."""
        out = []
        for row in self.root.iterfind("Locations/Location"):
            flags = set(row.get("flags", "").split(","))
            start, end = self.time(row.get("start", "")), self.time(row.get("end", ""))
            if "IsMark" in flags:
                out.append(ProjectMarker(start, row.get("name", "")))
            elif "IsRangeMarker" in flags:
                out.append(ProjectMarker(start, row.get("name", ""), end))
        return tuple(sorted(out, key=lambda marker: (marker.start, marker.name)))

    def playlists(self) -> dict[str, Element]:
        """The playlist of every MIDI track, by the track's name."""
        by_id = {row.get("id"): row for row in self.root.iterfind("Playlists/Playlist")}
        out = {}
        for route in self.root.iterfind("Routes/Route"):
            playlist = by_id.get(route.get("midi-playlist"))
            if route.get("default-type") == "midi" and playlist is not None:
                out[route.get("name", "")] = playlist
        return out

    @property
    def midi_folder(self) -> Path:
        """Where the session keeps its MIDI files."""
        home = self.path.parent / "interchange"
        named = home / self.path.parent.name / "midifiles"
        return named if named.is_dir() else next(iter(sorted(home.glob("*/midifiles"))), named)
