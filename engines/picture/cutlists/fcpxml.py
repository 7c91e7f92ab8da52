"""Final Cut Pro X XML (FCPXML, versions 1.0 to 1.13): projects, events and libraries, compound, synchronised and multicam clips.

Source: Apple, FCPXML Reference. Everything is in exact rational seconds until the programme is put together: a clip's ``start``
opens a timeline of its own, on which what it holds and what is connected to it lies by ``offset``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import floor
from pathlib import Path
from xml.etree.ElementTree import Element

from engines.errors import CutListError
from engines.picture.cutlist import CutList, Marker
from engines.picture.cutlists.assembly import MOST_PIECES, Layer, Mix, Piece, assemble, whole, within
from engines.picture.cutlists.document import xml
from engines.picture.timecode import Timecode, drops, nominal, parse_rate

_TIME = re.compile(r"(-?\d{1,18})(?:/(\d{1,18})|\.(\d{1,12}))?s?")
_CLIPS = ("asset-clip", "video", "title", "clip", "sync-clip", "ref-clip", "mc-clip", "gap", "audio", "audition", "spine")
_HOLDERS = ("clip", "sync-clip")  # what they hold has offsets of its own, on lane 0 and others
_MARKS = {"marker": "blue", "chapter-marker": "orange"}  # the colours that Final Cut shows them in
_ANYWHERE = (Fraction(-(10**9)), Fraction(10**9))
_TRANSITION_START = 3600  # where the timeline of a transition's own begins, in seconds
_DEEPEST = 20  # clips inside one another
_SECOND = Fraction(1)


@dataclass(frozen=True)
class Story:
    """What an element shows: layers by lane, and markers, in seconds of the timeline that it lies on."""

    lanes: dict[int, list[Layer]] = field(default_factory=dict)
    marks: list[tuple[Fraction, Element]] = field(default_factory=list)
    end: Fraction = Fraction(0)

    @property
    def layers(self) -> list[Layer]:
        """Lowest first."""
        return [layer for lane in sorted(self.lanes) for layer in self.lanes[lane]]


def read(path: Path, rate: Fraction | None = None, assumed: Fraction | None = None) -> CutList:
    """The programme of the first project, or, in an export of clips, of the first compound clip.

    Raises CutListError naming the element for XML that is broken or holds neither.
    """
    root = xml(path)
    if root.tag != "fcpxml":
        what = f"the XML is <{root.tag[:40]}>, not FCPXML"
        raise CutListError(what, where=path, cure="export the project as XML again")
    reader = _Reader(path, root)
    sequence, title = reader.programme(root)
    exact = reader.rate(sequence) or rate or assumed
    if exact is None:
        raise reader.broken(sequence, "no format says its frame rate")
    origin = reader.time(sequence, "tcStart", Fraction(0))
    drop = (sequence.get("tcFormat") or "").upper() == "DF" and drops(exact) > 0
    spine = sequence.find("spine")
    story = reader.story(spine if spine is not None else (), 0, exact)
    layers = [within(layer, _frames_of(_ANYWHERE, exact), -origin * exact, exact, exact) for layer in story.layers]
    length = reader.time(sequence, "duration", story.end - origin) * exact
    markers = [_marker(mark, at - origin, exact) for at, mark in story.marks]
    return assemble(layers, Timecode(whole(origin * exact), exact, drop), floor(length), markers, title, path)


def _frames_of(span: tuple[Fraction, Fraction], rate: Fraction) -> tuple[Fraction, Fraction]:
    return span[0] * rate, span[1] * rate


def _marker(mark: Element, at: Fraction, rate: Fraction) -> Marker:
    colour = {"0": "red", "1": "green"}.get(mark.get("completed", ""), _MARKS[mark.tag])
    return Marker(whole(at * rate), mark.get("value", ""), mark.get("note", ""), colour)


class _Reader:
    """Elements to stories. Every resource is looked up by its id."""

    def __init__(self, path: Path, root: Element) -> None:
        self.path = path
        self.pieces = 0
        self.compounds: dict[str, Story] = {}
        self.formats = {found.get("id"): found for found in root.iter("format")}
        self.assets = {found.get("id"): found for found in root.iter("asset")}
        self.media = {found.get("id"): found for found in root.iter("media")}

    def broken(self, element: Element, what: str) -> CutListError:
        """The error for an element, named as a person finds it in the file."""
        place = f"<{element.tag}> {(element.get('name') or '')[:40]!r} at offset {element.get('offset', '0s')[:40]}"
        return CutListError(f"{place}: {what}", where=self.path, cure="export the project as XML again")

    def programme(self, root: Element) -> tuple[Element, str]:
        """The sequence to read, and its title: a project with a picture before an empty one before a compound clip."""
        projects = [(project.find("sequence"), project.get("name", "")) for project in root.iter("project")]
        found = [(sequence, name) for sequence, name in projects if sequence is not None]
        if not found:
            compound = (self.media.get(clip.get("ref")) for clip in root.iter("ref-clip"))
            held = [*(media for media in compound if media is not None), *root.iter("media")]
            parts = ((media.find("sequence"), media.get("name", "")) for media in held)
            found = [(sequence, name) for sequence, name in parts if sequence is not None]
        if not found:
            what = "there is no project in this FCPXML, only clips" if len(root) else "this FCPXML is empty"
            raise CutListError(what, where=self.path, cure="select the project in Final Cut, then File > Export XML")
        return next(((s, name) for s, name in found if len(s.findall("spine/*"))), found[0])

    def time(self, element: Element, name: str, default: Fraction) -> Fraction:
        """An attribute such as ``1001/24000s`` in exact seconds."""
        text = element.get(name)
        if not text:
            return default
        found = _TIME.fullmatch(text.strip())
        if not found or (found[2] is not None and not int(found[2])):
            raise self.broken(element, f"{name} is {text[:40]!r}, which is no time")
        if found[3]:
            return Fraction(f"{found[1]}.{found[3]}")
        return Fraction(int(found[1]), int(found[2] or 1))

    def rate(self, sequence: Element) -> Fraction | None:
        """The exact rate of a sequence by its format: by frame duration, else by name (FFVideoFormat1080p2398)."""
        made = self.formats.get(sequence.get("format"))
        if made is None:
            return None
        duration = self.time(made, "frameDuration", Fraction(0))
        if Fraction(1, 1000) <= duration <= 100:
            return 1 / duration
        named = re.search(r"\d([pi])(2398|24|25|2997|30|50|5994|60)$", made.get("name", ""))
        if not named:
            return None
        shown = parse_rate(named[2] if len(named[2]) == 2 else f"{named[2][:2]}.{named[2][2:]}")
        return shown / 2 if named[1] == "i" else shown

    def story(self, elements: Iterable[Element], depth: int, rate: Fraction) -> Story:
        """Elements as a spine holds them: one after the other where they have no offset, connected clips on their lanes."""
        if depth > _DEEPEST:
            raise CutListError("clips nest without end", where=self.path, cure="export the project as XML again")
        lanes: dict[int, list[Layer]] = {}
        marks: list[tuple[Fraction, Element]] = []
        pieces: list[Piece] = []
        above: list[Layer] = []
        transitions: list[tuple[Element, Fraction | None]] = []
        at, joined = Fraction(0), None
        for element in elements:
            if element.tag == "transition":
                transitions.append((element, joined))
            if element.tag not in _CLIPS:
                continue
            chosen = element
            while chosen.tag == "audition" and len(chosen):
                chosen = chosen[0]  # Final Cut plays the first
            lane = self._lane(element)
            offset = self.time(element, "offset", self.time(chosen, "offset", at))
            begin, length, inner = self._clip(chosen, depth, rate)
            by, window = offset - begin, (offset, offset + length)
            if chosen.tag == "spine" and element.get("offset") is None:
                by, window = Fraction(0), _ANYWHERE
            shown = [within(layer, window, by, _SECOND) for layer in inner.lanes.pop(0, [])]
            if lane == 0 and shown:
                pieces += shown[0].pieces
                above += [Layer((), shown[0].mixes), *shown[1:]]
            elif shown:
                lanes.setdefault(lane, []).extend(shown)
            for other, connected in inner.lanes.items():
                moved = [within(layer, _ANYWHERE, by, _SECOND) for layer in connected]
                lanes.setdefault(lane + other, []).extend(moved)
            marks += [(mark_at + by, mark) for mark_at, mark in inner.marks]
            if lane == 0:
                if joined is None:  # transitions before the first clip lie over its beginning
                    transitions = [(found, offset) for found, _ in transitions]
                at = joined = offset + length if chosen.tag != "spine" else max(at, by + inner.end)
        mixes = tuple(self._mixes(transitions, marks))
        inside = tuple(mix for layer in above for mix in layer.mixes)
        stacked = [Layer(layer.pieces, (*layer.mixes, *mixes)) for layer in above if layer.pieces]
        lanes[0] = [Layer(tuple(pieces), (*inside, *mixes)), *stacked]
        return Story(lanes, marks, at)

    def _lane(self, element: Element) -> int:
        text = element.get("lane", "0")
        if not re.fullmatch(r"-?\d{1,4}", text):
            raise self.broken(element, f"lane is {text[:20]!r}, which is no number")
        return int(text)

    def _mixes(
        self, transitions: Sequence[tuple[Element, Fraction | None]], marks: list[tuple[Fraction, Element]]
    ) -> Iterator[Mix]:
        for element, edge in transitions:
            start = self.time(element, "offset", edge or Fraction(0))
            end = start + self.time(element, "duration", Fraction(0))
            marks += [(start - _TRANSITION_START + mark_at, mark) for mark_at, mark in self._marks(element)]
            if element.find("filter-video") is None and element.find("filter-audio") is not None:
                continue  # only the sound is mixed
            dips = element.get("name", "").lower().startswith(("fade to", "dip to"))
            joint = start if edge is None else min(max(edge, start), end)
            yield Mix(start, end, joint, "dip" if dips else "mix")

    def _marks(self, element: Element) -> Iterator[tuple[Fraction, Element]]:
        for mark in element:
            if mark.tag in _MARKS:
                yield self.time(mark, "start", Fraction(0)), mark

    def _clip(self, element: Element, depth: int, rate: Fraction) -> tuple[Fraction, Fraction, Story]:
        """Where a clip's own timeline begins, how long the clip lasts, and what it shows on that timeline."""
        self.pieces += 1
        if self.pieces > MOST_PIECES:
            raise self.broken(element, "more clips than any programme has")
        held, begin = self._held(element, depth, rate)
        begin = self.time(element, "start", begin)
        length = self.time(element, "duration", max(held.end - begin, Fraction(0)))
        marks = [(at, mark) for at, mark in self._marks(element) if begin <= at < begin + length]
        own = held.layers
        connected = Story()
        if element.tag in _HOLDERS:
            own = [_named(layer, element.get("name", "")) for layer in held.lanes.get(0, [])]
            connected = held
        elif element.tag == "spine":
            marks = held.marks
        else:
            connected = self.story((child for child in element if self._lane(child)), depth + 1, rate)
        visible = element.get("enabled", "1") != "0" and element.get("srcEnable", "all") != "audio"
        lanes = {**connected.lanes, 0: own if visible else []}
        return begin, length, Story(lanes, [*connected.marks, *marks], begin + length)

    def _held(self, element: Element, depth: int, rate: Fraction) -> tuple[Story, Fraction]:
        """What is inside a clip, on the clip's own timeline, and where that begins if the clip does not say."""
        if element.tag in ("gap", "audio", "audition"):
            return Story(), Fraction(0)
        if element.tag in ("spine", *_HOLDERS):
            return self.story(element, depth + 1, rate), Fraction(0)
        if element.tag == "ref-clip":
            return self._nested(element, depth, rate)
        if element.tag == "mc-clip":
            return self._angle(element, depth, rate), Fraction(0)
        return self._picture(element), Fraction(0)

    def _picture(self, element: Element) -> Story:
        asset = self.assets.get(element.get("ref"))
        if asset is not None and asset.get("hasVideo", "0" if asset.get("hasAudio") == "1" else "1") == "0":
            return Story()
        begin = self.time(element, "start", Fraction(0))
        whole_asset = Fraction(0) if asset is None else self.time(asset, "duration", Fraction(0))
        end = begin + self.time(element, "duration", whole_asset)
        slope, source = self._warp(element, begin)
        reel = "" if asset is None else asset.get("name", "")
        piece = Piece(begin, end, element.get("name", ""), reel, source, slope, clear=element.tag == "title")
        return Story({0: [Layer((piece,))]}, end=end)

    def _warp(self, element: Element, at: Fraction) -> tuple[Fraction, Fraction]:
        """Speed and source time at ``at`` of a clip's own timeline, by its time map."""
        points = element.findall("timeMap/timept")
        if len(points) < 2:
            return Fraction(1), at
        times = [(self.time(point, "time", Fraction(0)), self.time(point, "value", Fraction(0))) for point in points]
        (first, value), (last, end) = times[0], times[-1]
        if first == last:
            return Fraction(1), at
        slope = (end - value) / (last - first)
        return slope, value + (at - first) * slope

    def _nested(self, element: Element, depth: int, rate: Fraction) -> tuple[Story, Fraction]:
        """A compound clip: its sequence on the clip's timeline, stretched where a time map or another rate says so."""
        media = self.media.get(element.get("ref"))
        sequence = None if media is None else media.find("sequence")
        if sequence is None:
            return self._picture(element), Fraction(0)
        inner_rate = self.rate(sequence) or rate
        spine, ref = sequence.find("spine"), element.get("ref", "")
        if ref not in self.compounds:
            self.compounds[ref] = self.story(spine if spine is not None else (), depth + 1, inner_rate)
        story = self.compounds[ref]
        origin = self.time(sequence, "tcStart", Fraction(0))
        end = origin + self.time(sequence, "duration", story.end - origin)
        begin = self.time(element, "start", origin)
        slope, source = self._warp(element, begin)
        conform = element.find("conform-rate")
        if conform is not None and conform.get("scaleEnabled", "1") != "0" and nominal(inner_rate) == nominal(rate):
            slope *= rate / inner_rate  # frame for frame
        if slope == 0:
            return self._picture(element), origin
        self.pieces += sum(len(layer.pieces) for layer in story.layers)
        if self.pieces > MOST_PIECES:
            raise self.broken(element, "more clips than any programme has")
        layers = [within(layer, _ANYWHERE, begin - source / slope, _SECOND, 1 / slope, slope) for layer in story.layers]
        return Story({0: layers}, end=begin + (end - source) / slope), origin

    def _angle(self, element: Element, depth: int, rate: Fraction) -> Story:
        """A multicam clip: the angle that is switched on for the picture."""
        media = self.media.get(element.get("ref"))
        angles = [] if media is None else media.findall("multicam/mc-angle")
        sources = [s.get("angleID") for s in element.findall("mc-source") if s.get("srcEnable", "all") in ("all", "video")]
        chosen = next((angle for angle in angles if angle.get("angleID") in sources), angles[0] if angles else None)
        if chosen is None:
            return self._picture(element)
        story = self.story(chosen, depth + 1, rate)
        return Story({0: story.layers}, end=story.end)


def _named(layer: Layer, name: str) -> Layer:
    """The name of a clip for what it holds, where that has none."""
    return Layer(tuple(replace(piece, name=piece.name or name) for piece in layer.pieces), layer.mixes)
