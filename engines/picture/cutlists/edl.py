"""CMX 3600 edit decision lists, read by their record times as an online editor reads them, and written.

Source: the CMX 340/3600 list layout as kept by Sony, GVG, Avid, Final Cut, Premiere and Resolve. The rate is not in the file:
drop-frame, frame numbers and the lengths of edits often tell it (`guessed_rate`), else the caller must.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from engines.errors import CutListError, OptionError
from engines.picture.cutlist import CutList, Marker
from engines.picture.cutlists.assembly import Layer, Mix, Piece, assemble
from engines.picture.cutlists.document import text
from engines.picture.timecode import Timecode, drops, nominal, parse_rate

_LABEL = r"\d{1,2}[:;.,]\d{1,2}[:;.,]\d{1,2}[:;.,]\d{1,3}"
_TRACKS = r"(?:NONE|B|[AV]\d*(?:[/&]?[AV]\d*)*)"
_EVENT = re.compile(
    rf"\s*(?P<number>\d+[A-Z]?)(?:\s+(?P<reel>\S.*?))??\s+(?P<tracks>{_TRACKS})\s+(?P<effect>C|D|W\s?\d*|K\s?[BO]?)"
    rf"(?:\s+(?P<length>\d{{1,4}}))?\s+(?P<a>{_LABEL})\s+(?P<b>{_LABEL})\s+(?P<c>{_LABEL})\s+(?P<d>{_LABEL})\s*",
    re.IGNORECASE,
)
_STARTED = re.compile(rf"\s*\d{{3,6}}[A-Z]?\s+\S.*(?:{_LABEL}|\s(?:C|D|W\d+|K\s?[BO]?)\s)", re.IGNORECASE)
_SPEED = re.compile(rf"\s*M2\s+(?P<reel>.*?)\s+(?P<fps>[-+]?\s*\d+(?:\.\d+)?)\s+(?P<label>{_LABEL})\s*", re.IGNORECASE)
_NAME = re.compile(r"\s*\*?\s*(?P<side>FROM|TO|KEY) CLIP NAME:\s*(?P<name>.*?)\s*", re.IGNORECASE)
_LOCATOR = re.compile(rf"\s*\*\s*LOC:\s*(?P<label>{_LABEL})\s+(?P<colour>\S+)\s*(?P<name>.*?)\s*", re.IGNORECASE)
_RESOLVE = re.compile(r"\s*\|C:(?P<colour>\S*?)\s+\|M:(?P<name>.*?)\s*\|D:(?P<length>\d+)\s*")
_RATE = re.compile(r"\s*\*\s*(?:FRAME )?RATE:\s*(?P<rate>\S+)\s*", re.IGNORECASE)
_BLACK_REELS = {"BL", "BLK", "BLACK"}
_BLACK_NAMES = {"SLUG", "BLACK", "BLACK VIDEO"}  # the black generators of Final Cut and Premiere
_CHOICES = ((24, "24"), (24, "23.976"), (25, "25"), (30, "29.97"), (30, "30"), (50, "50"), (60, "59.94"), (60, "60"))
_BASES = (24, 25, 30, 48, 50, 60)
_TENTH = Fraction(1, 10)  # of a frame a second: as finely as M2 lines are written
_ENOUGH_LABELS = 16  # so many labels up to 24 are twenty times likelier at 25 than at 30 frames a second


@dataclass
class Event:
    """One line of the list; labels are text until the rate is known."""

    line: int
    number: str
    reel: str
    tracks: str
    effect: str
    length: int
    source: tuple[str, str]
    record: tuple[str, str]
    name: str = ""
    speed: Fraction | None = None  # frames a second of the source, by an M2 line
    marker: tuple[str, str, int] | None = None

    @property
    def layer(self) -> int | None:
        """The video track, from 1; None for sound."""
        found = re.search(r"V(\d*)", self.tracks)
        return (int(found[1] or 1) if found else None) if self.tracks != "B" else 1

    @property
    def black(self) -> bool:
        """Whether it shows nothing."""
        return self.reel.upper() in _BLACK_REELS or self.name.upper() in _BLACK_NAMES


@dataclass
class Listing:
    """What stands in the text, before any rate is known."""

    title: str = ""
    drop: bool | None = None
    rate: str | None = None
    events: list[Event] = field(default_factory=list)
    locators: list[tuple[int, str, str, str]] = field(default_factory=list)


def read(path: Path, rate: Fraction | None = None, assumed: Fraction | None = None) -> CutList:
    """The programme of an EDL at ``rate``, or at the rate that the list itself gives away, or at ``assumed``.

    Raises CutListError naming the line for a list that is broken, one without picture, and one whose rate nothing tells.
    """
    listing = parse(text(path), path)
    pictures = [event for event in listing.events if event.layer is not None]
    if not pictures:
        what = "this EDL holds sound only" if listing.events else "there is no event in this EDL"
        raise CutListError(what, where=path, cure="export the list of the video track")
    rate = rate or _rate(listing, pictures, path, assumed)
    drop = any(";" in label for event in pictures for label in event.record) or bool(listing.drop)
    if drop and not drops(rate):
        raise CutListError(f"this list counts drop-frame, which {rate} fps does not have", where=path, cure="pass --rate 29.97")
    _check_base(pictures, rate, path)
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


def parse(content: str, path: object) -> Listing:
    """The lines of an EDL, understood one by one. Raises CutListError for an event that breaks off."""
    listing = Listing()
    edit: list[Event] = []
    lines = re.split(r"\r\n|\n|\r", content.replace("\x00", "").replace("\x1a", ""))
    for number, line in enumerate(lines, 1):
        found = _EVENT.fullmatch(line)
        if found:
            event = _event(found, number)
            edit = [*edit, event] if edit and edit[0].number == event.number else [event]
            listing.events.append(event)
        elif _STARTED.match(line) or (line.strip() and number == len(lines) and re.match(r"\s*\d{3,6}\s", line)):
            cure = "it needs a reel, a track, an effect and four timecodes; export the list again"
            raise CutListError(f"line {number} is an event that breaks off: {line.strip()[:60]!r}", where=path, cure=cure)
        else:
            _remark(listing, edit, line, number)
    return listing


def _event(found: re.Match[str], line: int) -> Event:
    effect = re.sub(r"\s", "", found["effect"].upper())
    length = int(found["length"] or 0)
    record = (found["c"], found["d"])
    reel = (found["reel"] or "").strip()
    return Event(line, found["number"], reel, found["tracks"].upper(), effect, length, (found["a"], found["b"]), record)


def _remark(listing: Listing, edit: Sequence[Event], line: str, number: int) -> None:
    """A line that belongs to the list or to the edit before it; what nothing is known of is left alone."""
    words = line.strip().upper()
    if words.startswith("TITLE:") and not listing.title:
        listing.title = line.strip()[6:].strip()
    elif words.startswith("FCM:") and not listing.events:
        listing.drop = "NON" not in words
    elif found := _RATE.fullmatch(line):
        listing.rate = found["rate"]
    elif found := _LOCATOR.fullmatch(line):
        listing.locators.append((number, found["label"], found["colour"], found["name"]))
    elif not edit:
        return
    elif found := _SPEED.fullmatch(line):
        reel = found["reel"].strip()
        target = next((event for event in reversed(edit) if event.reel == reel), edit[-1])
        target.speed = Fraction(found["fps"].replace(" ", ""))
    elif found := _RESOLVE.fullmatch(line):
        edit[-1].marker = (found["name"], found["colour"].removeprefix("ResolveColor"), int(found["length"]))
    elif found := _NAME.fullmatch(line):
        _name(edit, found["side"].upper(), found["name"])


def _name(edit: Sequence[Event], side: str, name: str) -> None:
    """FROM names what an edit leaves, TO what it enters; a lone cut is named by FROM."""
    mixing = any(event.effect[0] in "DW" for event in edit)
    if side == "TO":
        edit[-1].name = name
    elif side == "FROM" and (len(edit) > 1 or not mixing):
        edit[0].name = name


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
            name, colour, length = event.marker
            yield Marker(clock.span(event)[0], name, colour=colour, length=length)


def _marker_list(listing: Listing, events: Sequence[Event], clock: _Clock) -> CutList:
    """Resolve's export of timeline markers: every event is a marker, and none is a shot."""
    markers = list(_event_markers(events, clock))
    hour = Timecode.parse("01:00:00:00", clock.rate, clock.drop).frame
    first = min(marker.frame for marker in markers) // hour * hour
    end = max(marker.frame + max(1, marker.length) for marker in markers) - first
    shifted = (replace(marker, frame=marker.frame - first) for marker in markers)
    return assemble([], Timecode(first, clock.rate, clock.drop), end, shifted, listing.title, clock.path)


def _rate(listing: Listing, events: Sequence[Event], path: Path, assumed: Fraction | None) -> Fraction:
    if listing.rate:
        return parse_rate(listing.rate)
    rate, base = guessed_rate(listing, events)
    if assumed and (base is None or nominal(assumed) == base):
        return assumed
    if rate:
        return rate
    highest = max(_last_field(label) for event in events for label in (*event.source, *event.record))
    fitting = [name for count, name in _CHOICES if (count == base if base else count > highest)]
    what = f"an EDL does not say its frame rate (frame numbers here reach {highest})"
    raise CutListError(what, where=path, cure=f"pass --rate {' or '.join(fitting[:4])}")


def guessed_rate(listing: Listing, events: Sequence[Event]) -> tuple[Fraction | None, int | None]:
    """The exact rate if the list gives it away, and the frames in a second of its labels if it gives away that much.

    Drop-frame means 29.97 or 59.94. Otherwise source and record of an unchanged speed last equally long at the true count
    alone (`_votes`), and many labels that stop at 24 mean 25. 24 and 30 leave open whether they are pulled down.
    """
    labels = [label for event in events for label in (*event.source, *event.record)]
    highest = max(map(_last_field, labels))
    if listing.drop or any(";" in label for event in events for label in event.record):
        base = 30 if highest < 30 else 60
        return Fraction(base * 1000, 1001), base
    base_votes = _votes(events, highest)
    best = max(base_votes.values(), default=0)
    winners = [base for base, votes in base_votes.items() if votes == best]
    if len(winners) == 1 and best > 0:
        base = winners[0]
    elif highest == 24 and len(set(labels)) >= _ENOUGH_LABELS:
        base = 25
    else:
        return None, None
    return (Fraction(25), 25) if base == 25 else (Fraction(50), 50) if base == 50 else (None, base)


def _votes(events: Sequence[Event], highest: int) -> dict[int, int]:
    """For every count of frames that the labels allow, how many edits come out even at it."""
    votes = {base: 0 for base in _BASES if base > highest}
    for event in events:
        if event.record[0] == event.record[1]:
            continue
        for base in votes:
            source, record = (_count(pair[1], base) - _count(pair[0], base) for pair in (event.source, event.record))
            even = source == record and not event.black
            # a speed in frames a second is the ratio of the two lengths, times the count
            timed = event.speed is not None and record > 0 and abs(abs(event.speed) - base * Fraction(source, record)) <= _TENTH
            votes[base] += even if event.speed is None else even or (timed and event.speed != 0)
            votes[base] += bool(event.length) and event.length == record
    return votes


def _check_base(events: Sequence[Event], rate: Fraction, path: Path) -> None:
    """Refuse a rate that the labels speak against: by frame numbers beyond it, or by edits that come out even at another."""
    base = nominal(rate)
    beyond = [event for event in events if any(_last_field(label) >= base for label in event.source)]
    votes = _votes(events, max(_last_field(label) for event in events for label in (*event.source, *event.record)))
    own = _votes(events, 0).get(base, 0)
    best = max(votes, key=lambda count: votes[count], default=base)
    if (beyond and votes[best] > own) or votes.get(best, 0) >= max(3, 2 * own + 1):
        what = (
            f"line {beyond[0].line} has frame numbers beyond {base - 1}" if beyond else f"its edits do not come out at {rate} fps"
        )
        raise CutListError(what, where=path, cure=f"this list counts {best} frames a second: pass --rate {best}")


def _last_field(label: str) -> int:
    return int(re.split(r"[:;.,]", label)[3])


def _count(label: str, base: int) -> int:
    hours, minutes, seconds, frames = (int(part) for part in re.split(r"[:;.,]", label))
    return ((hours * 60 + minutes) * 60 + seconds) * base + frames
