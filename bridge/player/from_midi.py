"""A MIDI file as a programme for the player: its notes by channel, its instruments, its tempo and its bars."""

from __future__ import annotations

from fractions import Fraction

from bridge.clock import SECOND
from bridge.player.programme import Part, Programme, TimedNote
from engines.errors import MidiError
from engines.picture.timecode import Timecode
from engines.score.smf_reader import Smf
from engines.spotting.tempo import Metre, Segment, TempoMap

_SHORTEST_NS = SECOND // 1000
_CURE = "export the file again"
_UNTOLD = 500_000  # microseconds a quarter note until a file says otherwise (Standard MIDI Files 1.0)


def programme_of_midi(file: Smf, title: str) -> Programme:
    """What a MIDI file holds, ready to be played; its tick 0 counts as the film's first frame. A file whose ticks are parts of frames
    has no bars: what is swapped in is heard at once."""
    beats = tempo_map_of(file)
    last = max((note.end for note in file.notes), default=file.length)
    bars = (
        ()
        if beats is None
        else tuple(_ns(beats.seconds(bar.start)) for bar in beats.bars_until(max(Fraction(1), beats.beat(last))))
    )
    return Programme(title, _parts(file), bars, _ns(file.length), *_start(file), beats, _drops(file))


def tempo_map_of(file: Smf) -> TempoMap | None:
    """The file's tempi and bars; None where it counts in frames. A metre that changes within a bar holds from the next one on. Raises
    MidiError for a tempo or a metre that is none."""
    if not file.division:
        return None
    tempi = sorted(({0: _UNTOLD} | dict(file.tempi)).items())
    if any(spent == 0 for _, spent in tempi):
        raise MidiError("has a tempo of 0 microseconds a beat", where="play", cure=_CURE)
    if any(not 1 <= metre.beats <= 255 or metre.unit > 64 for _, metre in file.metres):
        raise MidiError("has a metre that cannot be counted", where="play", cure=_CURE)
    segments = tuple(Segment(Fraction(tick, file.division), Fraction(spent, 1_000_000)) for tick, spent in tempi)
    changes = [(Fraction(tick, file.division), metre) for tick, metre in file.metres]
    bars, now, place = list[Metre](), Metre(), Fraction(0)
    while changes or not bars:
        while changes and changes[0][0] <= place:
            now = changes.pop(0)[1]
        bars.append(now)
        place += now.length
    return TempoMap(segments, tuple(bars))


def _parts(file: Smf) -> tuple[Part, ...]:
    """One part a channel that has notes, named as the only track on it is."""
    parts = []
    for channel in sorted({note.channel for note in file.notes}):
        mine = [note for note in file.notes if note.channel == channel]
        names = {file.tracks[note.track].name for note in mine}
        programs = [program for track in file.tracks for on, program in track.programs if on == channel]
        notes = sorted(
            TimedNote(_ns(note.start), max(_ns(note.start) + _SHORTEST_NS, _ns(note.end)), note.pitch, note.velocity)
            for note in mine
        )
        setup = (bytes((0xC0 | channel, programs[0])),) if programs else ()
        stem = names.pop() if len(names) == 1 else ""
        parts.append(Part(stem or f"channel {channel + 1}", channel, tuple(notes), setup))
    return tuple(parts)


def _start(file: Smf) -> tuple[Fraction, Fraction | None]:
    """The timecode of tick 0 in seconds, and its rate, where the file says so."""
    if file.offset is None:
        return Fraction(0), None
    rate, hours, minutes, seconds, frames, hundredths = file.offset
    mark = ";" if rate.denominator > 1 else ":"
    whole = Timecode.parse(f"{hours:02}:{minutes:02}:{seconds:02}{mark}{frames:02}", rate)
    return whole.seconds + Fraction(hundredths, 100) / rate, rate


def _drops(file: Smf) -> bool:
    """Whether the file's timecode is drop-frame: of a file's rates the one that is no whole number (RP-001)."""
    return file.offset is not None and file.offset.rate.denominator > 1


def _ns(seconds: Fraction) -> int:
    return round(seconds * SECOND)
