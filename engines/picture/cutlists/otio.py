"""OpenTimelineIO timelines, read from their JSON.

Source: the OpenTimelineIO schema reference. The library itself is not asked, because it refuses files of any newer schema (the
colours of Marker.3, say) though not one number in them has changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from pathlib import Path

from engines.errors import CutListError, OptionError
from engines.picture.cutlist import CutList, Marker
from engines.picture.cutlists.assembly import Layer, Mix, Piece, assemble, whole, within
from engines.picture.cutlists.document import text
from engines.picture.timecode import Timecode, drops, parse_rate

_Item = Mapping[str, object]
_COMPOSITIONS = ("Stack", "Track", "Sequence")  # Sequence and Filler are the names of Track and Gap before 2018


def read(path: Path, rate: Fraction | None = None, assumed: Fraction | None = None) -> CutList:
    """The programme of the first timeline in an OTIO file, nested stacks and tracks flattened.

    Raises CutListError naming the item for JSON or times that are broken, and for a file without a timeline.
    """
    root = _parsed(text(path), path)
    timeline = _timeline(root)
    if timeline is None:
        raise CutListError("there is no timeline in this OTIO file", where=path, cure="export the timeline again")
    reader = _Reader(path)
    stack = timeline.get("tracks") if _kind(timeline) == "Timeline" else timeline
    if not isinstance(stack, Mapping):
        raise CutListError("the timeline has no tracks", where=path, cure="export the timeline again")
    start = timeline.get("global_start_time")
    with_rate = start if isinstance(start, Mapping) else next(_times(stack), None)
    reader.rate = reader.exact_rate(with_rate, "the timeline") if with_rate else rate or assumed or Fraction(24)
    layers, markers, length = reader.placed(stack)
    first = whole(reader.frames(start, "the timeline")) if isinstance(start, Mapping) else reader.record_start
    drop = _counts_drop(timeline, Timecode(first, reader.rate))
    title = str(timeline.get("name") or "")
    return assemble(layers, Timecode(first, reader.rate, drop), whole(length), markers, title, path)


def _counts_drop(timeline: _Item, start: Timecode) -> bool:
    """Whether labels drop frames: OTIO does not say, but a programme starts at a round label, and only one of two is."""
    note = timeline.get("metadata")
    ours = note.get("hitpoint") if isinstance(note, Mapping) else None
    if not drops(start.rate):
        return False
    if isinstance(ours, Mapping) and isinstance(ours.get("drop"), bool):
        return bool(ours["drop"])
    dropped = Timecode(start.frame, start.rate, drop=True)
    return dropped.fields[2:] == (0, 0) != start.fields[2:]


def _parsed(content: str, path: Path) -> object:
    try:
        try:
            return json.loads(content.lstrip("\ufeff"))
        except json.JSONDecodeError:
            # the library writes infinity in a way of its own
            return json.loads(re.sub(r"(:\s*-?)Inf(?=\s*[,}\]])", r"\1Infinity", content.lstrip("\ufeff")))
    except (json.JSONDecodeError, ValueError) as error:
        raise CutListError(f"the JSON is broken or cut short: {error}", where=path, cure="export the timeline again") from None


def _kind(item: object) -> str:
    return str(item.get("OTIO_SCHEMA", "")).partition(".")[0] if isinstance(item, Mapping) else ""


def _timeline(root: object) -> _Item | None:
    """The first timeline; a bare stack, track or clip counts as one."""
    if isinstance(root, Mapping):
        if _kind(root) in ("Timeline", *_COMPOSITIONS):
            return root
        if _kind(root) == "Clip":
            return {"OTIO_SCHEMA": "Track.1", "children": [root]}
        found = (_timeline(child) for child in _children(root))
        return next((timeline for timeline in found if timeline), None)
    return None


def _children(item: _Item) -> Sequence[_Item]:
    children = item.get("children")
    return [child for child in children if isinstance(child, Mapping)] if isinstance(children, list) else []


def _times(item: _Item) -> Iterator[_Item]:
    """The first time of every clip and gap below: they tell the rate of a timeline that does not say where it starts."""
    for child in _children(item):
        span = _span(child)
        duration = span.get("duration") if span else None
        if _kind(child) in ("Clip", "Gap", "Filler") and isinstance(duration, Mapping):
            yield duration
        yield from _times(child)


def _span(item: _Item) -> _Item | None:
    """The range of its source that an item plays: its own, else all that its media has."""
    own = item.get("source_range")
    if isinstance(own, Mapping):
        return own
    media = item.get("media_reference")
    chosen = item.get("media_references")
    if isinstance(chosen, Mapping):
        media = chosen.get(str(item.get("active_media_reference_key", "DEFAULT_MEDIA")))
    available = media.get("available_range") if isinstance(media, Mapping) else None
    return available if isinstance(available, Mapping) else None


class _Reader:
    """Items to layers, all in frames of one rate."""

    def __init__(self, path: Path) -> None:
        self.path, self.rate = path, Fraction(24)
        self.record_start = 0

    def exact_rate(self, time: object, name: str) -> Fraction:
        """The exact rate of a RationalTime, which keeps it as a float."""
        try:
            written = time.get("rate")  # type: ignore[attr-defined]
            simple = Fraction(written).limit_denominator(1001) if isinstance(written, float) and isfinite(written) else None
            return parse_rate(simple if simple is not None and float(simple) == written else written)
        except (OptionError, AttributeError) as error:
            raise self._broken(name, f"has a time without a rate ({error})") from None

    def seconds(self, time: object, name: str) -> Fraction:
        """A RationalTime in exact seconds."""
        value = time.get("value") if isinstance(time, Mapping) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
            raise self._broken(name, "has a time without a value")
        try:
            return Fraction(value) / self.exact_rate(time, name)
        except (OverflowError, ValueError):
            raise self._broken(name, f"has a time of {value}") from None

    def frames(self, time: object, name: str) -> Fraction:
        """A RationalTime in frames of the programme."""
        return self.seconds(time, name) * self.rate

    def _broken(self, name: str, what: str) -> CutListError:
        return CutListError(f"item {name!r} {what}", where=self.path, cure="export the timeline again")

    def placed(self, item: _Item) -> tuple[list[Layer], list[Marker], Fraction]:
        """Layers, markers and length of an item as its parent sees it: from 0, trimmed to its source range."""
        if _kind(item) == "Timeline" and isinstance(item.get("tracks"), Mapping):
            return self.placed(item["tracks"])  # type: ignore[arg-type]
        name = str(item.get("name") or _kind(item))
        span = _span(item)
        begin = self.frames(span.get("start_time"), name) if span else Fraction(0)
        if span and _kind(item) in ("Track", "Sequence") and begin + self.frames(span.get("duration"), name) <= 0:
            # how the library's own EDL reader once kept the record start: nothing could be seen of such a track
            self.record_start, begin = whole(-begin), Fraction(0)
        if _kind(item) in _COMPOSITIONS:
            layers, inner, length = self._track(item) if _kind(item) != "Stack" else self._stack(item)
        else:
            layers, inner, length = self._clip(item, name, span, begin), [], begin
        if span:
            length = self.frames(span.get("duration"), name)
        if length < 0:
            raise self._broken(name, "has a length below zero")
        speed = _speed(item) if _kind(item) in _COMPOSITIONS else Fraction(1)
        layers = [_trimmed(layer, begin, length, speed, self.rate) for layer in layers]
        markers = [replace(marker, frame=marker.frame - whole(begin)) for marker in [*inner, *self._markers(item, name)]]
        return layers, markers if item.get("enabled", True) is not False else [], length

    def _clip(self, item: _Item, name: str, span: _Item | None, begin: Fraction) -> list[Layer]:
        if _kind(item) != "Clip" or span is None or item.get("enabled", True) is False:
            return []
        length = self.frames(span.get("duration"), name)
        source = self.seconds(span.get("start_time"), name)
        media, note = item.get("media_reference"), item.get("metadata")
        generated = str(media.get("generator_kind", "")).lower() if isinstance(media, Mapping) else ""
        ours = note.get("cmx_3600") if isinstance(note, Mapping) else None
        reel = str(ours.get("reel", "")) if isinstance(ours, Mapping) else ""
        premiere = note.get("fcp_xml") if isinstance(note, Mapping) else None
        clear = isinstance(premiere, Mapping) and str(premiere.get("alphatype", "none")).lower() != "none"
        name = str(item.get("name") or "")
        piece = Piece(begin, begin + length, name, reel, source, _speed(item), generated == "black", clear)
        return [Layer((piece,))]

    def _track(self, item: _Item) -> tuple[list[Layer], list[Marker], Fraction]:
        """Children one after the other; transitions lie over the places where two meet."""
        at = Fraction(0)
        pieces: list[Piece] = []
        mixes: list[Mix] = []
        above: list[Layer] = []
        markers: list[Marker] = []
        for child in _children(item):
            name = str(child.get("name") or _kind(child))
            if _kind(child) == "Transition":
                before, after = (self.frames(child.get(key), name) for key in ("in_offset", "out_offset"))
                ours = child.get("metadata")
                rises = isinstance(ours, Mapping) and ours.get("hitpoint") == "fade"
                mixes.append(Mix(at - before, at + after, at, "rise" if rises else "mix"))
                continue
            layers, inner, length = self.placed(child)
            moved = [within(layer, (at, at + length), at, self.rate) for layer in layers]
            if moved and child.get("enabled", True) is not False:
                pieces += moved[0].pieces
                mixes += moved[0].mixes
                above += moved[1:]
            for marker in inner:
                source = _span(child) or {}
                by = self.frames(source.get("start_time"), name) - self.record_start if self.record_start else at
                markers.append(replace(marker, frame=marker.frame + whole(by)))
            at += length
        base = Layer(tuple(pieces), tuple(mixes))
        return [base, *(Layer(layer.pieces, (*mixes, *layer.mixes)) for layer in above)], markers, at

    def _stack(self, item: _Item) -> tuple[list[Layer], list[Marker], Fraction]:
        """Children one above the other, the last on top; tracks of sound are passed over."""
        layers: list[Layer] = []
        markers: list[Marker] = []
        longest = Fraction(0)
        for child in _children(item):
            if _kind(child) in ("Track", "Sequence") and str(child.get("kind") or "Video").lower() != "video":
                continue
            inner, marks, length = self.placed(child)
            longest = max(longest, length)
            if child.get("enabled", True) is not False:
                layers += inner
                markers += marks
        return layers, markers, longest

    def _markers(self, item: _Item, name: str) -> Iterator[Marker]:
        marks = item.get("markers")
        for mark in marks if isinstance(marks, list) else ():
            span = mark.get("marked_range") if isinstance(mark, Mapping) else None
            if not isinstance(span, Mapping):
                continue
            colour = mark.get("color")
            colour = colour.get("name") if isinstance(colour, Mapping) else colour
            start, length = (whole(self.frames(span.get(key), name)) for key in ("start_time", "duration"))
            yield Marker(start, str(mark.get("name") or ""), str(mark.get("comment") or ""), str(colour or ""), length)


def _speed(item: _Item) -> Fraction:
    """The product of an item's linear time warps; a freeze is 0."""
    speed = Fraction(1)
    effects = item.get("effects")
    for effect in effects if isinstance(effects, list) else ():
        scalar = effect.get("time_scalar") if isinstance(effect, Mapping) else None
        if _kind(effect) in ("LinearTimeWarp", "FreezeFrame") and isinstance(scalar, int | float) and abs(scalar) < 1e6:
            speed *= Fraction(scalar).limit_denominator(10**6)
    return speed


def _trimmed(layer: Layer, begin: Fraction, length: Fraction, speed: Fraction, rate: Fraction) -> Layer:
    """What a composition shows from ``begin`` for ``length`` frames, counted from 0; its own speed stretches what is inside."""
    if speed == 0:
        held = (piece for piece in layer.pieces if piece.start <= begin < piece.end)
        return Layer(tuple(replace(piece, start=Fraction(0), end=length, speed=speed) for piece in held))
    out = within(layer, (Fraction(0), length), -begin / speed, rate, 1 / speed, speed)
    # a stretched clip ends between two frames
    stretched = (replace(piece, end=length) if speed != 1 and length - 1 < piece.end else piece for piece in out.pieces)
    return Layer(tuple(stretched), out.mixes)
