"""Final Cut Pro 7 XML (xmeml), as Premiere, Resolve, Hiero and Avid still write it.

Source: Apple, Final Cut Pro XML Interchange Format, versions 4 and 5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from engines.errors import CutListError, OptionError
from engines.picture.cutlist import CutList, Marker
from engines.picture.cutlists.assembly import MOST_PIECES, Layer, Mix, Piece, assemble, whole, within
from engines.picture.cutlists.document import xml
from engines.picture.timecode import Timecode, drops

_BLACK = {"SLUG", "BLACK VIDEO"}
_DIPS = ("dip to", "fade to", "fade in fade out")
_DEEPEST = 20  # sequences inside one another


def read(path: Path, rate: Fraction | None = None, assumed: Fraction | None = None) -> CutList:
    """The programme of the first sequence with a picture, nested sequences flattened, disabled clips and tracks left out.

    Raises CutListError naming the element for XML that is broken or holds no sequence.
    """
    root = xml(path)
    if root.tag != "xmeml":
        what = f"the XML is <{root.tag[:40]}>, not a sequence"
        raise CutListError(what, where=path, cure="export the whole sequence as FCP7 XML or FCPXML")
    reader = _Reader(path, root)
    sequence = reader.main(root)
    exact = reader.rate(sequence)
    layers = reader.layers(sequence, 0)
    length = reader.number(sequence, "duration", 0)
    title = sequence.findtext("name") or ""
    return assemble(layers, reader.start(sequence, exact), length, reader.markers(sequence, layers), title, path)


class _Reader:
    """Sequences to layers, each in frames of its own rate."""

    def __init__(self, path: Path, root: Element) -> None:
        self.path = path
        self.pieces = 0
        # an element is written out once, and named by its id from then on
        self.sequences = {s.get("id"): s for s in root.iter("sequence") if s.find("media") is not None}
        self.files = {f.get("id"): f for f in root.iter("file") if len(f)}

    def main(self, root: Element) -> Element:
        """The first sequence that is not part of another; one with a picture before one without."""
        nested = {inner for item in root.iter("clipitem") for inner in item.iter("sequence")}
        found = [s for s in root.iter("sequence") if s not in nested and s.find("rate/timebase") is not None]
        if not found:
            raise CutListError("there is no sequence in this XML", where=self.path, cure="export a sequence, not a clip or a bin")
        return next((s for s in found if next(_items(s), None) is not None), found[0])

    def number(self, element: Element, name: str, default: int | None = None) -> int:
        """A whole number (Hiero writes 12.0); ``default`` where the element is missing or empty."""
        text = (element.findtext(name) or "").strip()
        try:
            if not text and default is not None:
                return default
            return whole(Fraction(text if len(text) < 20 and "e" not in text.lower() else ""))
        except (ValueError, ZeroDivisionError):
            raise self.broken(element, f"<{name}> is {text[:20]!r}, which is no number") from None

    def broken(self, element: Element, what: str) -> CutListError:
        """The error for an element, named as a person finds it in the file."""
        label = element.get("id") or element.findtext("name") or ""
        return CutListError(f"<{element.tag}> {label[:40]!r}: {what}", where=self.path, cure="export the sequence again")

    def rate(self, element: Element) -> Fraction:
        """The exact rate of an element: 24 with NTSC is 24000/1001."""
        base = self.number(element, "rate/timebase")
        if not 0 < base <= 1000:
            raise self.broken(element, f"a timebase of {base}")
        ntsc = (element.findtext("rate/ntsc") or "").strip().upper() == "TRUE"
        return Fraction(base * 1000, 1001) if ntsc and base % 25 else Fraction(base)

    def start(self, sequence: Element, rate: Fraction) -> Timecode:
        """The timecode of the first frame; 00:00:00:00 where the sequence has none."""
        code = sequence.find("timecode")
        if code is None:
            return Timecode(0, rate)
        drop = (code.findtext("displayformat") or "").strip().upper() == "DF" and drops(rate) > 0
        if (code.findtext("frame") or "").strip():
            return Timecode(self.number(code, "frame"), rate, drop)
        try:
            return Timecode.parse(code.findtext("string") or "00:00:00:00", rate, drop)
        except OptionError as error:
            raise self.broken(sequence, error.what) from None

    def layers(self, sequence: Element, depth: int) -> list[Layer]:
        """The video tracks of a sequence, lowest first."""
        if depth > _DEEPEST:
            raise self.broken(sequence, "sequences nest without end")
        out: list[Layer] = []
        for track in sequence.findall("media/video/track"):
            if _enabled(track):
                out += self._track(track, self.rate(sequence), depth)
        return out

    def _track(self, track: Element, rate: Fraction, depth: int) -> list[Layer]:
        items = [item for item in track if item.tag in ("clipitem", "generatoritem", "transitionitem")]
        mixes = tuple(self._mix(items, place) for place, item in enumerate(items) if item.tag == "transitionitem")
        pieces: list[Piece] = []
        above: list[Layer] = []
        for place, item in enumerate(items):
            if item.tag == "transitionitem" or not _enabled(item):
                continue
            start, end = self._start(items, place), self._end(items, place)
            self.pieces += 1
            if self.pieces > MOST_PIECES:
                raise self.broken(track, "more clips than any programme has")
            inner = item.find("sequence")
            nested = None if inner is None else self.sequences.get(inner.get("id"), inner)
            if nested is not None and nested.find("media") is not None:
                for layer in self._nest(item, nested, (start, end), rate, depth):
                    above.append(Layer(layer.pieces, (*mixes, *layer.mixes)))
            else:
                pieces.append(self._piece(item, start, end, rate, start - self._reach(items, place)))
        return [Layer(tuple(pieces), mixes), *above]

    def _bounds(self, transition: Element) -> tuple[int, int]:
        return self.number(transition, "start"), self.number(transition, "end")

    def _start(self, items: Sequence[Element], place: int) -> Fraction:
        """Where an item begins: -1 means in the transition before it."""
        start = self.number(items[place], "start", -1)
        if start >= 0:
            return Fraction(start)
        if place == 0 or items[place - 1].tag != "transitionitem":
            raise self.broken(items[place], "it begins in a transition, and there is none before it")
        first, last = self._bounds(items[place - 1])
        shared = place > 1 and self.number(items[place - 2], "end", -1) < 0
        return Fraction(first + (last - first) // 2 if shared else first)

    def _reach(self, items: Sequence[Element], place: int) -> Fraction:
        """The frame that an item's in point is seen on: a transition before it begins earlier than its cut."""
        if self.number(items[place], "start", -1) < 0:
            return Fraction(self._bounds(items[place - 1])[0])
        return self._start(items, place)

    def _end(self, items: Sequence[Element], place: int) -> Fraction:
        end = self.number(items[place], "end", -1)
        if end >= 0:
            return Fraction(end)
        if place + 1 == len(items) or items[place + 1].tag != "transitionitem":
            raise self.broken(items[place], "it ends in a transition, and there is none after it")
        first, last = self._bounds(items[place + 1])
        shared = place + 2 < len(items) and self.number(items[place + 2], "start", -1) < 0
        return Fraction(first + (last - first) // 2 if shared else last)

    def _mix(self, items: Sequence[Element], place: int) -> Mix:
        first, last = self._bounds(items[place])
        name = (items[place].findtext("effect/name") or "").lower()
        before = self._end(items, place - 1) if place and items[place - 1].tag != "transitionitem" else None
        after = self._start(items, place + 1) if place + 1 < len(items) and items[place + 1].tag != "transitionitem" else None
        inside = [edge for edge in (after, before) if edge is not None and first <= edge <= last]
        edge = inside[0] if inside else Fraction(first)
        return Mix(Fraction(first), Fraction(last), edge, "dip" if name.startswith(_DIPS) else "mix")

    def _piece(self, item: Element, start: Fraction, end: Fraction, rate: Fraction, late: Fraction) -> Piece:
        name = item.findtext("name") or ""
        file = item.find("file")
        if file is not None:
            file = self.files.get(file.get("id"), file)
        own_rate = self.rate(item) if item.find("rate/timebase") is not None else rate
        source = self.number(item, "in", 0) / own_rate
        code = None if file is None else file.find("timecode")
        if code is not None and code.find("rate/timebase") is not None:
            source += self.number(code, "frame", 0) / self.rate(code)
        reel = "" if file is None else file.findtext("timecode/reel/name") or ""
        black = (item.findtext("effect/name") or name).strip().upper() in _BLACK
        has_alpha = (item.findtext("alphatype") or "none").strip().lower() != "none"
        text = (item.findtext("effect/effectcategory") or "").strip().lower() == "text"
        speed = self._speed(item)
        return Piece(start, end, name, reel, source + late / rate * speed, speed, black, clear=has_alpha or text)

    def _speed(self, item: Element) -> Fraction:
        for effect in item.findall("filter/effect"):
            if (effect.findtext("effectid") or "").strip() != "timeremap":
                continue
            found = effect.findall("parameter")
            values = {(p.findtext("parameterid") or "").strip(): (p.findtext("value") or "").strip() for p in found}
            percent = values.get("speed") or "100"
            try:
                speed = Fraction(percent if len(percent) < 20 and "e" not in percent.lower() else "") / 100
            except (ValueError, ZeroDivisionError):
                raise self.broken(item, f"a speed of {percent[:20]!r}") from None
            return -speed if values.get("reverse", "").upper() == "TRUE" else speed
        return Fraction(1)

    def _nest(
        self, item: Element, nested: Element, window: tuple[Fraction, Fraction], rate: Fraction, depth: int
    ) -> Iterator[Layer]:
        """What a nested sequence shows from the item's in point on, in frames of the outer one."""
        ratio = rate / self.rate(nested)
        shift = window[0] - self.number(item, "in", 0) * ratio
        for layer in self.layers(nested, depth + 1):
            moved = within(layer, window, shift, rate, ratio)
            self.pieces += len(moved.pieces)
            yield moved

    def markers(self, sequence: Element, layers: Sequence[Layer]) -> Iterator[Marker]:
        """Markers of the sequence, and of its clips by the frame of the sequence on which they are seen."""
        for mark in sequence.findall("marker"):
            yield self._marker(mark, 0)
        for track in sequence.findall("media/video/track"):
            items = [item for item in track if item.tag in ("clipitem", "generatoritem", "transitionitem")]
            for place, item in enumerate(items):
                for mark in item.findall("marker") if item.tag != "transitionitem" else ():
                    begin, start, end = self.number(item, "in", 0), self._start(items, place), self._end(items, place)
                    made = self._marker(mark, whole(start) - begin)
                    if start <= made.frame < end:
                        yield made

    def _marker(self, mark: Element, by: int) -> Marker:
        first, last = self.number(mark, "in", 0), self.number(mark, "out", -1)
        colour = mark.findtext("pproColor") or ""
        name, comment = mark.findtext("name") or "", mark.findtext("comment") or ""
        return Marker(first + by, name, comment, colour, max(0, last - first))


def _items(sequence: Element) -> Iterator[Element]:
    for track in sequence.findall("media/video/track"):
        yield from (item for item in track if item.tag in ("clipitem", "generatoritem"))


def _enabled(element: Element) -> bool:
    return (element.findtext("enabled") or "TRUE").strip().upper() != "FALSE"
