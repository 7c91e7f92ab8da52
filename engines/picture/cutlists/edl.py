"""CMX 3600 edit decision lists, read by their record times, as an online editor reads them.

The rate is not in the file: drop-frame, frame numbers and the lengths of edits often tell it, else the caller must.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from engines.errors import CutListError, OptionError
from engines.picture.cutlist import CutList, Marker
from engines.picture.cutlists.assembly import Layer, Mix, Piece, assemble
from engines.picture.cutlists.document import text
from engines.picture.cutlists.edl_lines import Event, Listing, parse
from engines.picture.cutlists.edl_rate import check_rate, needed_rate
from engines.picture.timecode import Timecode, drops, nominal


def read(path: Path, rate: Fraction | None = None, assumed: Fraction | None = None) -> CutList:
    """The programme of an EDL at ``rate``, or at the rate that the list itself gives away, or at ``assumed``.

    Raises CutListError naming the line for a list that is broken, one without picture, and one whose rate nothing tells.
    """
    listing = parse(text(path), path)
    pictures = [event for event in listing.events if event.layer is not None]
    if not pictures:
        what = "this EDL holds sound only" if listing.events else "there is no event in this EDL"
        raise CutListError(what, where=path, cure="export the list of the video track")
    rate = needed_rate(listing, pictures, path, assumed) if listing.rate or not rate else rate
    marks = {re.sub(r"\d", "", label)[-1] for event in pictures for label in event.record}
    # Sony writes a point or comma for drop-frame; others write one at any rate, so it alone proves nothing
    drop = ";" in marks or bool(listing.drop) or (listing.drop is None and ":" not in marks and drops(rate) > 0)
    if drop and not drops(rate):
        raise CutListError(f"this list counts drop-frame, which {rate} fps does not have", where=path, cure="pass --rate 29.97")
    check_rate(pictures, rate, path)
    clock = _Clock(path, rate, drop, pictures)
    if all(event.marker and event.source == event.record for event in pictures):
        return _marker_list(listing, pictures, clock)
    tracks = sorted({event.layer for event in pictures if event.layer is not None})
    layers = [_layer([event for event in pictures if event.layer == track], clock) for track in tracks]
    keys = Layer(tuple(clock.piece(event, clear=True) for event in pictures if _is_key(event)))
    first = min(clock.span(event)[0] for event in pictures)
    start = Timecode(first, rate, drop)
    markers = [*_locators(listing, clock), *_event_markers(pictures, clock)]
    shifted = [_shifted(layer, first) for layer in [*layers, keys]]
    return assemble(shifted, start, None, (replace(m, frame=m.frame - first) for m in markers), listing.title, path)


def _is_key(event: Event) -> bool:
    return event.effect in ("K", "KO")


class _Clock:
    """Labels to frames, with the line named where one cannot be read; midnight is passed without a jump."""

    def __init__(self, path: Path, rate: Fraction, drop: bool, events: Sequence[Event]) -> None:
        self.path, self.rate, self.drop = path, rate, drop
        self.day = Timecode.parse("24:00:00:00", rate, drop).frame
        self.origin = self.frame(events[0].record[0], events[0].line)

    def frame(self, label: str, line: int) -> int:
        """The frame of a record label. Raises CutListError naming the line."""
        try:
            return Timecode.parse(_colons(label), self.rate, self.drop).frame
        except OptionError as error:
            raise CutListError(f"line {line}: {error.what}", where=self.path, cure=error.cure) from None

    def span(self, event: Event) -> tuple[int, int]:
        """Record in and out in frames, counted on after midnight."""
        start, end = (self.frame(label, event.line) for label in event.record)
        if start < self.origin - self.day // 2:
            start += self.day
        if end < start - self.day // 2:
            end += self.day
        if end < start:
            cure = "correct the record times, or export the list again"
            raise CutListError(f"line {event.line}: event {event.number} ends before it starts", where=self.path, cure=cure)
        return start, end

    def source(self, label: str) -> int | None:
        """The frame of a source label, None where the source counts at another rate."""
        try:
            return Timecode.parse(_colons(label), self.rate, drops(self.rate) > 0 and ";" in label).frame
        except OptionError:
            return None

    def speed(self, event: Event) -> Fraction:
        """1 for normal speed: an M2 line counts frames a second."""
        return Fraction(1) if event.speed is None else event.speed / nominal(self.rate)

    def piece(self, event: Event, clear: bool = False) -> Piece:
        """What the event shows, in record frames."""
        start, end = self.span(event)
        source = self.source(event.source[0])
        seconds = None if source is None else source / self.rate
        if event.black:
            return Piece(Fraction(start), Fraction(end), event.name, event.reel, black=True)
        return Piece(Fraction(start), Fraction(end), event.name, event.reel, seconds, self.speed(event), clear=clear)


def _colons(label: str) -> str:
    hours, minutes, seconds, frames = re.split(r"[:;.,]", label)
    return f"{hours}:{minutes}:{seconds}:{frames}"


def _layer(events: Sequence[Event], clock: _Clock) -> Layer:
    """The pieces of one track. A line of no length says what a transition leaves: most often the piece before it."""
    pieces: list[Piece] = []
    mixes: list[Mix] = []
    leaving: Event | None = None
    last: Event | None = None  # the event of pieces[-1]
    for event in sorted(events, key=lambda event: clock.span(event)[0]):
        if _is_key(event):
            continue
        start, end = clock.span(event)
        if start == end:
            leaving = event
            continue
        piece = clock.piece(event)
        if event.effect[0] in "DW" and event.length > 0:
            mix = Mix(Fraction(start), Fraction(start + min(event.length, end - start)), Fraction(start))
            left = leaving if leaving and clock.span(leaving)[0] == start else None
            if left and not (last and pieces[-1].end == start and _goes_on(last, left, event, clock)):
                if left.black:
                    mix = replace(mix, way="rise")
                else:  # a picture that is seen only while it is mixed away
                    middle = Fraction(start + (mix.end - mix.start) // 2)
                    mix = replace(mix, edge=middle)
                    pieces.append(replace(clock.piece(left), end=middle))
                    piece = _from(piece, middle, clock.rate)
            mixes.append(mix)
        elif last and pieces[-1].end == start and last.effect[0] in "DW" and _same_shot(last, event, clock):
            pieces[-1] = replace(pieces[-1], end=piece.end)
            last, leaving = replace(event, effect=last.effect), None
            continue
        pieces.append(piece)
        last, leaving = event, None
    return Layer(tuple(pieces), tuple(mixes))


def _from(piece: Piece, start: Fraction, rate: Fraction) -> Piece:
    source = None if piece.source_in is None else piece.source_in + (start - piece.start) / rate * piece.speed
    return replace(piece, start=start, source_in=source)


def _source_end(event: Event, clock: _Clock) -> set[int | None]:
    """Where the source stands when the event ends: as listed, and as its speed has it."""
    first, (start, end) = clock.source(event.source[0]), clock.span(event)
    reached = None if first is None else first + round((end - start) * clock.speed(event))
    return {clock.source(event.source[1]), reached} - {None}


def _goes_on(last: Event, left: Event, entering: Event, clock: _Clock) -> bool:
    """Whether what a transition leaves is the shot before it. Avid names the reel that is entered on both lines."""
    if last.black or left.black:
        return last.black and left.black
    if left.name and left.name == last.name:
        return True
    return left.reel in (last.reel, entering.reel) and clock.source(left.source[0]) in _source_end(last, clock)


def _same_shot(last: Event, event: Event, clock: _Clock) -> bool:
    """Whether an event after a transition only goes on with the clip that was mixed in, as Avid splits it there."""
    named = bool(event.name) and event.name == last.name and event.reel == last.reel and event.effect == "C"
    same_speed = clock.speed(last) == clock.speed(event)
    return named and same_speed and clock.source(event.source[0]) in _source_end(last, clock)


def _shifted(layer: Layer, first: int) -> Layer:
    pieces = tuple(replace(piece, start=piece.start - first, end=piece.end - first) for piece in layer.pieces)
    mixes = (Mix(mix.start - first, mix.end - first, mix.edge - first, mix.way) for mix in layer.mixes)
    return Layer(pieces, tuple(mixes))


def _locators(listing: Listing, clock: _Clock) -> Iterator[Marker]:
    for line, label, colour, name in listing.locators:
        yield Marker(clock.frame(label, line), name, colour=colour)


def _event_markers(events: Sequence[Event], clock: _Clock) -> Iterator[Marker]:
    for event in events:
        if event.marker:
            yield Marker(clock.span(event)[0], *event.marker)


def _marker_list(listing: Listing, events: Sequence[Event], clock: _Clock) -> CutList:
    """Resolve's export of timeline markers: every event is a marker, and none is a shot."""
    markers = list(_event_markers(events, clock))
    hour = Timecode.parse("01:00:00:00", clock.rate, clock.drop).frame
    first = min(marker.frame for marker in markers) // hour * hour
    end = max(marker.frame + max(1, marker.length) for marker in markers) - first
    shifted = (replace(marker, frame=marker.frame - first) for marker in markers)
    return assemble([], Timecode(first, clock.rate, clock.drop), end, shifted, listing.title, clock.path)
