"""Standard MIDI Files in: every legal file of types 0, 1 and 2 is read; a broken one is refused with the byte where it breaks.

Not read through mido, which loses running status after system exclusive messages, takes illegal messages for music and stops
at the first broken one without saying where.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

from engines.errors import MidiError
from engines.files import read
from engines.spotting.tempo import Metre

LARGEST = 64 << 20
"""Bytes; a MIDI file beyond is not music but a mistake."""

LONGEST, MOST_BEATS = 24 * 3600, 250_000
"""Seconds and quarter notes; a broken delta time asks for years."""

_COPY = "copy or export the file again"
_MAJOR = ("Cb", "Gb", "Db", "Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#")
_MINOR = ("Ab", "Eb", "Bb", "F", "C", "G", "D", "A", "E", "B", "F#", "C#", "G#", "D#", "A#")
_FPS = {24: Fraction(24), 25: Fraction(25), 29: Fraction(30000, 1001), 30: Fraction(30)}
_OFFSET_FPS = (Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(30))  # the two bits above the hours
_NAME, _INSTRUMENT, _MARKER, _CUE, _END, _TEMPO, _OFFSET, _METRE, _KEY = 3, 4, 6, 7, 0x2F, 0x51, 0x54, 0x58, 0x59  # meta events
_LENGTHS = {_TEMPO: 3, _OFFSET: 5, _METRE: 4, _KEY: 2}
_PAYLOAD = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}


class Marker(NamedTuple):
    """A name at a film time in exact seconds, as DAWs show it in their marker lane."""

    time: Fraction
    text: str


@dataclass(frozen=True, order=True)
class MidiNote:
    """One note of a file: ``start`` and ``end`` in exact seconds from tick 0, and in ticks; ``track`` and ``channel`` from 0."""

    start: Fraction
    pitch: int
    end: Fraction
    velocity: int
    channel: int
    track: int
    tick: int
    end_tick: int


@dataclass(frozen=True)
class MidiTrack:
    """One track: its name and instrument as the file says, the General MIDI program of each channel, how many notes it has."""

    name: str = ""
    instrument: str = ""
    programs: tuple[tuple[int, int], ...] = ()
    notes: int = 0


class Offset(NamedTuple):
    """The SMPTE offset of tick 0: hours, minutes, seconds, frames and hundredths of one; 30000/1001 means drop-frame."""

    rate: Fraction
    hours: int
    minutes: int
    seconds: int
    frames: int
    hundredths: int


@dataclass(frozen=True)
class Smf:
    """What a MIDI file says. Notes are sorted by time; ``length`` is in exact seconds, of the longest track.

    ``division`` is ticks a quarter note, or 0 where ticks are parts of SMPTE frames, without tempo. ``tempi`` are (tick,
    microseconds a quarter note), ``metres`` (tick, metre). The tracks of a type 2 file are independent: each starts at 0 with
    tempi of its own, of which the first track's are given here.
    """

    kind: int
    division: int
    notes: tuple[MidiNote, ...] = field(repr=False)
    tempi: tuple[tuple[int, int], ...]
    metres: tuple[tuple[int, Metre], ...]
    markers: tuple[Marker, ...]
    tracks: tuple[MidiTrack, ...]
    length: Fraction
    key: str | None = None
    offset: Offset | None = None

    def seconds(self, tick: int) -> Fraction:
        """The time of a tick by the file's own tempi, in exact seconds from tick 0; of a file with beats."""
        return _Clock(self.division, None, list(self.tempi)).seconds(tick)

    def beats(self) -> list[Fraction]:
        """The times of all quarter notes up to the last note's end, in exact seconds; none where the file has no beats."""
        if not self.division:
            return []
        clock = _Clock(self.division, None, list(self.tempi))
        last = max((note.end_tick for note in self.notes), default=0)
        return [clock.seconds(tick) for tick in range(0, last + 1, self.division)]


def read_smf(path: str | Path) -> Smf:
    """Read a MIDI file. Raises MidiError, one line with the place, for anything that is broken or not one."""
    path = Path(path)
    try:
        data = read(path, LARGEST)
    except OSError as error:
        cure = "give the name of a MIDI file that you may read"
        raise MidiError(f"cannot be read ({error.strerror})", where=path, cure=cure) from error
    return parse_smf(data, path)


def parse_smf(data: bytes, where: object = None) -> Smf:
    """Read a MIDI file from its bytes; ``where`` names it in errors. Raises MidiError."""
    kind, division, fps, tracks = _chunks(data, where)
    events = [list(_events(data, span, number, where)) for number, span in enumerate(tracks, 1)]
    shared = [event for track in events for event in track] if kind < 2 else events[0]
    tempi = _tempi(shared)
    notes: list[MidiNote] = []
    markers: list[Marker] = []
    listed, length = [], Fraction(0)
    common = _Clock(division, fps, tempi)
    for number, track in enumerate(events):
        clock = common if kind < 2 else _Clock(division, fps, _tempi(track))
        mine = _notes(track, number, clock)
        notes.extend(mine)
        markers.extend(Marker(clock.seconds(e.tick), _text(e.data)) for e in track if e.meta in (_MARKER, _CUE))
        listed.append(_about(track, len(mine)))
        last = track[-1].tick
        length = max(length, clock.seconds(last))
        if length > LONGEST or (not fps and last > MOST_BEATS * division):
            beats = "" if fps else f" and {last // division} beats"
            what = f"track {number + 1} lasts {float(length) / 3600:.0f} hours{beats}"
            raise MidiError(what, where=where, cure="its delta times are broken: " + _COPY)
    metres = tuple((e.tick, Metre(e.data[0], 1 << e.data[1])) for e in sorted(shared, key=_tick) if e.meta == _METRE)
    keys = [_key(e.data) for e in shared if e.meta == _KEY]
    offsets = [_offset(e.data) for e in shared if e.meta == _OFFSET]
    return Smf(
        kind=kind,
        division=0 if fps else division,
        notes=tuple(sorted(notes)),
        tempi=() if fps else tuple(tempi),
        metres=metres,
        markers=tuple(sorted(markers)),
        tracks=tuple(listed),
        length=length,
        key=next((key for key in keys if key), None),
        offset=offsets[0] if offsets else None,
    )


class _Event(NamedTuple):
    """``meta`` is the type of a meta event and -1 for a channel message, whose ``status`` then counts."""

    tick: int
    status: int
    meta: int
    data: bytes


class _Clock:
    """Ticks to exact seconds."""

    def __init__(self, division: int, fps: Fraction | None, tempi: list[tuple[int, int]]) -> None:
        self.per_second = fps * division if fps else None
        self.unit = division * 1_000_000
        self.ticks, self.tempi, self.spent = [0], [500_000], [0]  # 120 BPM until the file says otherwise
        for tick, tempo in tempi:
            self.spent.append(self.spent[-1] + (tick - self.ticks[-1]) * self.tempi[-1])
            self.ticks.append(tick)
            self.tempi.append(tempo)

    def seconds(self, tick: int) -> Fraction:
        if self.per_second:
            return tick / self.per_second
        k = bisect_right(self.ticks, tick) - 1
        return Fraction(self.spent[k] + (tick - self.ticks[k]) * self.tempi[k], self.unit)


def _tick(event: _Event) -> int:
    return event.tick


def _chunks(data: bytes, where: object) -> tuple[int, int, Fraction | None, list[tuple[int, int]]]:
    """Type, division (ticks a quarter note, or a frame if there is a frame rate), frame rate, and where the tracks lie."""
    if data[:4] != b"MThd":
        found = "an empty file" if not data else "not a MIDI file"
        raise MidiError(f"{found}: it does not begin with MThd", where=where, cure="give a Standard MIDI File (.mid)")
    header = int.from_bytes(data[4:8], "big")
    if len(data) < 14 or header < 6 or 8 + header > len(data):
        raise MidiError("the header is cut short at byte 4", where=where, cure=_COPY)
    kind, count, division = (int.from_bytes(data[k : k + 2], "big") for k in (8, 10, 12))
    if kind > 2:
        raise MidiError(f"a MIDI file of type {kind}, at byte 8, is unknown", where=where, cure="export it as type 0 or 1")
    if not count:
        raise MidiError("the header at byte 10 says that there is no track", where=where, cure=_COPY)
    fps = _FPS.get(256 - (division >> 8)) if division & 0x8000 else None
    ticks = division & 0xFF if division & 0x8000 else division
    if not ticks or (division & 0x8000 and not fps):
        raise MidiError(f"the division {division:04X} at byte 12 means no time", where=where, cure=_COPY)
    tracks: list[tuple[int, int]] = []
    place = 8 + header
    while len(tracks) < count:
        name, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "big")
        at = f"track {len(tracks) + 1} of {count}"
        if len(data) < place + 8:
            raise MidiError(f"the file ends at byte {len(data)}, before {at}", where=where, cure=_COPY)
        if name != b"MTrk" and not name.isalnum():  # other chunks are legal, noise is not
            raise MidiError(f"no track at byte {place}, where {at} should begin", where=where, cure=_COPY)
        if place + 8 + size > len(data):
            raise MidiError(
                f"the file ends at byte {len(data)}, inside {at}, which should reach byte {place + 8 + size}",
                where=where,
                cure=_COPY,
            )
        if name == b"MTrk":
            tracks.append((place + 8, place + 8 + size))
        place += 8 + size
    return kind, ticks, fps, tracks


class _Cursor:
    """Reads one track byte by byte, never beyond its end."""

    def __init__(self, data: bytes, span: tuple[int, int], number: int, where: object) -> None:
        self.data, self.place, self.end, self.number, self.where = data, *span, number, where

    def broken(self, what: str, at: int | None = None) -> MidiError:
        place = self.place if at is None else at
        return MidiError(f"{what} at byte {place} in track {self.number}", where=self.where, cure=_COPY)

    def take(self, size: int) -> bytes:
        if self.place + size > self.end:
            raise self.broken("an event that reaches beyond its track")
        self.place += size
        return self.data[self.place - size : self.place]

    def quantity(self) -> int:
        """A variable-length quantity: up to four bytes of seven bits, all but the last with the top bit set."""
        value, begin = 0, self.place
        for _ in range(4):
            byte = self.take(1)[0]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        raise self.broken("a number without end", begin)

    def meta(self) -> tuple[int, bytes]:
        """Type and content of a meta event, of those that matter only where they can be understood."""
        begin = self.place - 1
        kind, body = self.take(1)[0], self.take(self.quantity())
        if kind in _LENGTHS and len(body) != _LENGTHS[kind]:
            raise self.broken(f"a meta event {kind:02X} of {len(body)} bytes", begin)
        if kind == _TEMPO and not any(body):
            raise self.broken("a tempo of no time", begin)
        if kind == _METRE and (not body[0] or body[1] > 7):
            raise self.broken(f"a metre of {body[0]} over 2 to the {body[1]}", begin)
        return kind, body


def _events(data: bytes, span: tuple[int, int], number: int, where: object) -> Iterator[_Event]:
    """The channel messages and meta events of one track; its end is the last."""
    cursor, tick, running = _Cursor(data, span, number, where), 0, 0
    while cursor.place < cursor.end:
        tick += cursor.quantity()
        at = cursor.place
        status = cursor.take(1)[0]
        if status == 0xFF:
            kind, body = cursor.meta()
            yield _Event(tick, status, kind, body)
            if kind == _END:
                return
        elif status in (0xF0, 0xF7):
            cursor.take(cursor.quantity())
        elif status > 0xF0:
            raise cursor.broken(f"the message {status:02X}, which no file may hold,", at)
        else:
            if status < 0x80:  # running status, which players keep across meta events and system exclusive
                cursor.place, status = at, running
            if not status:
                raise cursor.broken("data without a message", at)
            running = status
            body = cursor.take(_PAYLOAD[status & 0xF0])
            if max(body) > 0x7F:
                raise cursor.broken(f"the byte {max(body):02X} inside a message", at)
            yield _Event(tick, status, -1, body)
    yield _Event(tick, 0xFF, _END, b"")


def _tempi(events: list[_Event]) -> list[tuple[int, int]]:
    """(tick, microseconds a quarter note), one a tick: the last that stands there."""
    return sorted({event.tick: int.from_bytes(event.data, "big") for event in events if event.meta == _TEMPO}.items())


def _notes(events: list[_Event], track: int, clock: _Clock) -> list[MidiNote]:
    """Notes of one track; the first stroke of a pitch is released first, and what still sounds ends with the track."""
    open_: dict[tuple[int, int], deque[tuple[int, int]]] = defaultdict(deque)
    spans: list[tuple[int, int, int, int, int]] = []
    for event in events:
        voice, channel = event.status & 0xF0, event.status & 0x0F
        if event.meta >= 0 or voice not in (0x80, 0x90):
            continue
        pitch, velocity = event.data
        if voice == 0x90 and velocity:
            open_[channel, pitch].append((event.tick, velocity))
        elif open_[channel, pitch]:
            start, struck = open_[channel, pitch].popleft()
            spans.append((start, event.tick, pitch, struck, channel))
    last = events[-1].tick
    for (channel, pitch), left in open_.items():
        spans.extend((start, last, pitch, struck, channel) for start, struck in left)
    return [MidiNote(clock.seconds(on), p, clock.seconds(off), v, c, track, on, off) for on, off, p, v, c in spans]


def _about(events: list[_Event], notes: int) -> MidiTrack:
    names = [_text(e.data) for e in events if e.meta == _NAME]
    instruments = [_text(e.data) for e in events if e.meta == _INSTRUMENT]
    chosen = [(e.status & 0x0F, e.data[0]) for e in events if e.meta < 0 and e.status & 0xF0 == 0xC0]
    programs = dict(reversed(chosen))  # the first of each channel
    return MidiTrack((names or [""])[0], (instruments or [""])[0], tuple(sorted(programs.items())), notes)


def _text(data: bytes) -> str:
    """The text of a meta event on one line; UTF-8 as today's programs write it, else Latin-1 as the old ones did."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _key(data: bytes) -> str | None:
    fifths, minor = data[0] - 256 * (data[0] > 127), data[1]
    if abs(fifths) > 7 or minor > 1:
        return None
    return f"{(_MINOR if minor else _MAJOR)[fifths + 7]}:{'min' if minor else 'maj'}"


def _offset(data: bytes) -> Offset:
    return Offset(_OFFSET_FPS[data[0] >> 5 & 3], data[0] & 31, *data[1:5])
