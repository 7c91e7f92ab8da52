"""The editor's cut list: shots, cuts and markers of a programme, read from and written to the formats of other programs."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module
from math import ceil, floor
from pathlib import Path

from engines import files
from engines.errors import CutListError, OptionError, OutputError
from engines.picture.cut import Cut
from engines.picture.timecode import Timecode, drops, nominal, parse_rate
from engines.picture.timing import Timing

LARGEST_TEXT = 64 * 2**20
"""Bytes of a cut list in text or XML beyond which it is taken for something else; a feature film's takes about 10 MB."""

LONGEST_PROGRAMME = 7 * 24 * 3600
"""Seconds beyond which a programme's length is taken for a slip: a week."""


SLACK = Fraction(1, 8)
"""Of an even frame: films whose containers round their times to milliseconds are early or late by so much at most (120 a second)."""


@dataclass(frozen=True)
class Shot:
    """What is seen from frame ``start`` up to ``end`` (exclusive), counted from the programme's first frame.

    ``source_in`` is the source's own time at ``start`` in exact seconds, None where the list does not say; ``speed`` is 1 for
    normal, 0 for a freeze, negative for reverse. ``black`` is true for gaps, black and slugs.
    """

    start: int
    end: int
    name: str = ""
    reel: str = ""
    source_in: Fraction | None = None
    speed: Fraction = Fraction(1)
    black: bool = False


@dataclass(frozen=True)
class Marker:
    """A remark at a frame of the programme; ``length`` in frames, ``colour`` in the words of the program that wrote it."""

    frame: int
    name: str = ""
    comment: str = ""
    colour: str = ""
    length: int = 0


@dataclass(frozen=True)
class CutList:
    """A programme as its editor cut it.

    ``start`` is the timecode of frame 0, its first frame; ``frames`` its length. ``shots`` lie end to end from 0 to ``frames``
    (black between them counts as one), and every place where two meet is one of ``cuts``: at the middle of a dissolve or wipe,
    where a fade from black begins, where a fade to black ends.
    """

    rate: Fraction
    start: Timecode
    frames: int
    cuts: tuple[Cut, ...] = ()
    shots: tuple[Shot, ...] = ()
    markers: tuple[Marker, ...] = ()
    title: str = ""

    @classmethod
    def of_cuts(cls, cuts: Iterable[Cut], rate: Fraction, frames: int, start: Timecode | None = None, title: str = "") -> CutList:
        """The list of a finished film in which cuts were found; its shots are spans of that one film."""
        ordered = tuple(sorted(cut for cut in cuts if 0 < cut.frame < frames))
        edges = [0, *(cut.frame for cut in ordered), frames]
        start = start or Timecode(0, rate)
        shots = tuple(Shot(a, b, source_in=(start + a).seconds) for a, b in itertools.pairwise(edges))
        return cls(rate, start, frames, ordered, shots, title=title)

    def at_rate(self, rate: Fraction) -> CutList:
        """The same programme counted at another rate.

        Between a whole rate and its pulled-down twin (24 and 24000/1001) every frame stays a frame; between others a cut keeps
        its time in seconds, to the nearest frame, and the start keeps its label.
        """
        if rate == self.rate:
            return self
        ratio = Fraction(1) if nominal(rate) == nominal(self.rate) else rate / self.rate
        start = _relabelled(self.start, rate, self.start.drop and drops(rate) > 0)

        def scaled(frame: int) -> int:
            return floor(frame * ratio + Fraction(1, 2))

        def cut_at(cut: Cut) -> Cut:
            return replace(cut, frame=scaled(cut.frame), time=scaled(cut.frame) / rate, length=scaled(cut.length))

        frame_count = max(1, scaled(self.frames))
        cuts = {cut.frame: cut for cut in map(cut_at, self.cuts) if 0 < cut.frame < frame_count}
        shots = (replace(shot, start=scaled(shot.start), end=scaled(shot.end)) for shot in self.shots)
        return replace(
            self,
            rate=rate,
            start=start,
            frames=frame_count,
            cuts=tuple(cuts.values()),
            shots=tuple(shot for shot in shots if shot.start < shot.end),
            markers=tuple(replace(m, frame=scaled(m.frame), length=scaled(m.length)) for m in self.markers),
        )

    def on_film(
        self, rate: Fraction, start: Timecode | None = None, frames: int | None = None, timing: Timing | None = None
    ) -> CutList:
        """The list counted from the first frame of a film of ``rate`` that starts at ``start`` and has ``frames`` frames.

        Frames are matched by timecode where the list lies inside the film; else the whole hours of the list's own start are
        left out (a list from 01:00:00:00 on a film from 00:00:00:00); else the list's first frame is the film's. Where the
        list starts later than the film, its first shot begins with a cut; its last shot lasts to the film's end.

        A film whose ``timing`` varies is played by its clock on an editor's even frames: a cut goes to the frame that is on the
        screen at its time, and takes that frame's own time. A list with uneven times of its own (`shots` wrote it) counts the
        film's frames already. Raises CutListError if the rates differ, or if the list has cuts beyond the film's end.
        """
        if rate != self.rate:
            raise CutListError(
                f"the cut list counts {self.rate} frames a second, the film has {rate}",
                where=self.title or None,
                cure=f"export the list at the film's rate, or pass --rate {rate} to carry its times over",
            )
        if timing is not None and timing.variable and not self._uneven:
            frames = max(timing.frames, ceil(timing.duration * rate))
        hour = nominal(rate) * 3600 if not self.start.drop else Timecode.parse("01:00:00;00", rate).frame
        own = self.start if start is None or start.drop == self.start.drop else _relabelled(self.start, rate, start.drop)
        by_timecode = own.frame - start.frame if start else -1
        for offset in (by_timecode, self.start.frame % hour, 0):
            end = offset + self._reach
            if offset >= 0 and (end <= frames if frames is not None else offset < hour):
                placed = self._moved(offset, frames or offset + self.frames, start or Timecode(0, rate))
                return placed if timing is None or not timing.variable else placed._timed(timing, self._uneven)
        raise CutListError(
            f"the last cut is at frame {self._reach - 1}, but the film has {frames} frames",
            where=self.title or None,
            cure="give the cut list of this film, or the whole film",
        )

    @property
    def _reach(self) -> int:
        """One more than the last frame that matters."""
        return max((cut.frame for cut in self.cuts), default=0) + 1

    def _moved(self, offset: int, frames: int, start: Timecode) -> CutList:
        if offset == 0 and frames == self.frames and start == self.start:
            return self
        cuts = [replace(cut, frame=cut.frame + offset, time=cut.time + offset / self.rate) for cut in self.cuts]
        shots = [replace(shot, start=shot.start + offset, end=min(shot.end + offset, frames)) for shot in self.shots]
        if offset:
            first_black = bool(self.shots) and self.shots[0].black
            if not first_black:
                cuts.insert(0, Cut(offset, offset / self.rate))
            shots.insert(0, Shot(0, offset, black=True))
        if shots:
            shots[-1] = replace(shots[-1], end=frames)  # a table of cuts does not say where the film ends
        markers = (replace(marker, frame=marker.frame + offset) for marker in self.markers)
        return replace(
            self,
            start=start,
            frames=frames,
            cuts=tuple(cuts),
            shots=tuple(shot for shot in shots if shot.start < shot.end),
            markers=tuple(marker for marker in markers if 0 <= marker.frame < frames),
        )

    @property
    def _uneven(self) -> bool:
        """Whether the cuts have times of their own, off the even frames of the rate."""
        return any(cut.time != cut.frame / self.rate for cut in self.cuts)

    def _timed(self, timing: Timing, counted: bool) -> CutList:
        """The list on the frames and times of a film that varies; ``counted`` if its frames are the film's already."""

        def at(frame: int) -> int:
            if frame >= self.frames:
                return timing.frames
            return min(frame, timing.frames - 1) if counted else timing.at((frame + SLACK) / self.rate)

        def cut_at(cut: Cut) -> Cut:
            frame, half = at(cut.frame), cut.length // 2
            length = cut.length if counted else at(cut.frame - half + cut.length) - at(max(0, cut.frame - half))
            return replace(cut, frame=frame, time=timing.time(frame), length=length)

        cuts = {cut.frame: cut for cut in map(cut_at, self.cuts) if cut.frame > 0}
        shots = (replace(shot, start=at(shot.start), end=at(shot.end)) for shot in self.shots)
        return replace(
            self,
            frames=timing.frames,
            cuts=tuple(cuts.values()),
            shots=tuple(shot for shot in shots if shot.start < shot.end),
            markers=tuple(replace(marker, frame=at(marker.frame)) for marker in self.markers),
        )

    def _even(self) -> CutList:
        """The list counted in even frames of its rate, as editing programs count: each cut at the first one that shows it."""
        if not self._uneven:
            return self
        moved = {cut.frame: ceil(cut.time * self.rate - SLACK) for cut in self.cuts}
        last = self.cuts[-1].frame
        cuts = {moved[cut.frame]: replace(cut, frame=moved[cut.frame], time=moved[cut.frame] / self.rate) for cut in self.cuts}
        return CutList.of_cuts(
            (cut for frame, cut in cuts.items() if frame > 0), self.rate, moved[last] + self.frames - last, self.start, self.title
        )


def _relabelled(code: Timecode, rate: Fraction, drop: bool) -> Timecode:
    """The frame with the same label at another rate or way of counting; the frames of the label keep their part of a second."""
    hours, minutes, seconds, frames = code.fields
    frames = min(frames * nominal(rate) // nominal(code.rate), nominal(rate) - 1)
    skipped = drops(rate) if drop and seconds == 0 and minutes % 10 else 0
    label = f"{'-' if code.frame < 0 else ''}{hours}:{minutes}:{seconds}:{max(frames, skipped)}"
    return Timecode.parse(label, rate, drop)


READERS = {
    "edl": "engines.picture.cutlists.edl",
    "otio": "engines.picture.cutlists.otio",
    "fcpxml": "engines.picture.cutlists.fcpxml",
    "xmeml": "engines.picture.cutlists.fcp7",
    "aaf": "engines.picture.cutlists.aaf",
    "csv": "engines.picture.cutlists.table",
    "json": "engines.picture.cutlists.table",
}
"""The module of each format; loaded when a file of it is read or written."""

WRITERS = {".edl": "edl_writer", ".otio": "otio_writer", ".csv": "table", ".json": "table"}
"""Formats that are written, by the suffix of the file."""


def read(path: str | Path, rate: str | int | float | Fraction | None = None, assume: Fraction | None = None) -> CutList:
    """The cut list in a file of any format that is known by its content: EDL, OTIO, FCPXML, FCP7 XML, AAF, CSV, JSON.

    ``rate`` (as `parse_rate` takes it) says what an EDL or a table counts at, and carries a list of another rate over
    (see `CutList.at_rate`). ``assume`` is the rate to take where neither the caller nor the file says one: the film's.
    Raises CutListError, naming file and place, for what cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() == ".fcpxmld" and os.path.isdir(path):
        path /= "Info.fcpxml"  # newer Final Cuts export a bundle
    wanted = None if rate is None else parse_rate(rate)
    reader = import_module(READERS[_format(path)])
    try:
        programme: CutList = reader.read(path, wanted, assume)
    except RecursionError:
        raise CutListError("nests too deep to be a cut list", where=path, cure="export the cut list again") from None
    except OptionError as error:
        raise CutListError(error.what, where=path, cure=error.cure) from None
    return programme if wanted is None else programme.at_rate(wanted)


def write(programme: CutList, path: str | Path) -> Path:
    """Write an EDL, OTIO, CSV or JSON, as the suffix says. Raises OutputError for other suffixes and unwritable places."""
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise OutputError(
            f"cut lists are not written as {path.suffix or 'a file without a suffix'}",
            where=path,
            cure=f"choose one of: {', '.join(WRITERS)}",
        )
    return files.write(path, text_of(programme, path.suffix.lower()))


def text_of(programme: CutList, suffix: str) -> str:
    """The list as a file with that suffix, one of `WRITERS`, holds it.

    Tables keep the frames and times of a film whose rate varies; an EDL and an OTIO count even frames, as editing programs do.
    """
    if suffix in (".edl", ".otio"):
        programme = programme._even()
    if not programme.shots:
        spans = CutList.of_cuts(programme.cuts, programme.rate, programme.frames, programme.start).shots
        programme = replace(programme, shots=spans)
    content: str = import_module(f"engines.picture.cutlists.{WRITERS[suffix]}").written(programme, suffix)
    return content


_KNOWN = "give an EDL, OTIO, FCPXML, FCP7 XML, AAF, CSV or JSON file"
_PROJECTS = (".prproj", ".drp", ".avb", ".avp", ".veg", ".blend", ".kdenlive", ".fcpbundle")


def _format(path: Path) -> str:
    """The format by what the file holds, not by what it is called. Raises CutListError for a format that is not known."""
    suffix = path.suffix.lower()
    try:
        if suffix in _PROJECTS and path.exists():
            raise CutListError("is an editor's project", where=path, cure="export an EDL, AAF or XML of the programme from it")
        if path.exists() and not path.is_file():
            raise CutListError("is a folder" if path.is_dir() else "is no file", where=path, cure=_KNOWN)
        with files.opened(path) as file:
            head = file.read(65536)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CutListError(f"cannot be read ({reason})", where=path, cure="check the path") from None
    if head.startswith(bytes.fromhex("d0cf11e0a1b11ae1")):
        return "aaf"
    words = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x1a")
    if not words:
        raise CutListError("the file is empty", where=path, cure="export the cut list again")
    if words.startswith(b"<"):
        return "fcpxml" if b"<fcpxml" in words else "xmeml"
    if words.startswith((b"{", b"[")):
        return "otio" if b"OTIO_SCHEMA" in words else "json"
    first = words.splitlines()[0].lower()
    if suffix != ".edl" and b"frame" in first and re.search(rb"[,;\t]", first):
        return "csv"
    if suffix == ".edl" or re.search(rb"(?m)^\s*(TITLE:|FCM:|\d{3,6}\s+\S+\s+.*\d\d[:;]\d\d)", words):
        return "edl"
    if suffix in (".aaf", ".otio", ".fcpxml", ".csv", ".json"):
        return suffix[1:]
    raise CutListError("is no cut list of a known format", where=path, cure=_KNOWN)
