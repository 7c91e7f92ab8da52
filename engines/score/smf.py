"""Standard MIDI Files out: type 1, a conductor track with the exact tempo map, then one track a stem (SMF 1.0, RP-001)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING

from engines import files
from engines.errors import OptionError
from engines.picture.cut import Cut
from engines.picture.timecode import Timecode, nominal
from engines.score.harmony import pitch_class
from engines.score.instruments import DEFAULT_INSTRUMENT, Instrument, playable
from engines.score.notes import STEMS, Note
from engines.score.smf_reader import Marker, read_smf
from engines.score.tempo_track import TempoTrack, tempo_track
from engines.spotting.click import STEM as CLICK
from engines.spotting.tempo import TempoMap

if TYPE_CHECKING:
    from mido import Message, MetaMessage, MidiTrack

__all__ = ["Marker", "Score", "cut_markers", "read_smf", "smf_bytes", "write_smf", "write_stems"]

_DRUMS = 9  # the channel that General MIDI keeps for percussion
_CHANNELS = 15  # all others
_KEYS = {  # tonic's pitch class to the spelling with the fewest accidentals
    "maj": ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"),
    "min": ("Cm", "C#m", "Dm", "Ebm", "Em", "Fm", "F#m", "Gm", "G#m", "Am", "Bbm", "Bm"),
}


@dataclass(frozen=True)
class Score:
    """Everything that a MIDI file of a cue holds.

    Tick 0 is the film's first frame, and ``start`` its timecode (written as the SMPTE offset); where the music begins before the
    film, tick 0 is the frame before beat 0. Beat 0 falls on a bar line, after a count-in that lasts until the map's origin.
    ``length`` is the film's in exact seconds: no track ends before it. ``key`` is a name such as ``F#:min``. ``instruments`` by
    stem, the piano by default; ``stems`` chooses and orders the tracks, by default all that have notes.
    """

    tempo_map: TempoMap
    notes: tuple[Note, ...]
    title: str = ""
    key: str | None = None
    markers: tuple[Marker, ...] = ()
    start: Timecode | None = None
    length: Fraction = Fraction(0)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    stems: tuple[str, ...] | None = None

    @property
    def tracks(self) -> tuple[str, ...]:
        """The stems that get a track, in order."""
        names = {note.stem for note in self.notes}
        return self.stems if self.stems is not None else (*(s for s in STEMS if s in names), *sorted(names.difference(STEMS)))

    @property
    def zero(self) -> Fraction:
        """The film time of tick 0 in exact seconds: 0, or less where the music begins before the film."""
        rate = self.start.rate if self.start else Fraction(1)
        return Fraction(min(0, floor(self.tempo_map.origin * rate))) / rate


def cut_markers(cuts: Iterable[Cut], start: Timecode | None = None) -> tuple[Marker, ...]:
    """One marker a cut: its kind, its number from 1, and its timecode where ``start``, the reel's first, is known."""
    return tuple(
        Marker(cut.time, f"{cut.kind.capitalize()} {number}" + (f" {start + cut.frame}" if start else ""))
        for number, cut in enumerate(sorted(cuts), 1)
    )


def smf_bytes(score: Score) -> bytes:
    """The MIDI file as it lies on the disk. Raises OptionError for a key, a tempo or more stems than such a file can hold."""
    from mido import MidiFile

    notes = playable(score.notes, score.instruments)
    track, until = tempo_track_of(score)
    end = ceil((score.tempo_map.beat(until) + track.lead) * track.division)
    file = MidiFile(type=1, ticks_per_beat=track.division, charset="utf-8")
    file.tracks.append(_conductor(score, track, end))
    if len(score.tracks) > _CHANNELS:
        raise OptionError(f"{len(score.tracks)} stems are more than the {_CHANNELS} channels", cure="write one file a stem")
    for stem, channel in channels(score.tracks).items():
        mine = [note for note in notes if note.stem == stem]
        instrument = score.instruments.get(stem, DEFAULT_INSTRUMENT)
        file.tracks.append(_part(track, end, stem, instrument, mine, channel))
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def channels(stems: Iterable[str]) -> dict[str, int]:
    """The channel (from 0) of each stem, as a cue's file and its live ports have it; beyond the fifteenth there is none.

    The stems of a take have the same ones always: a refill that silences one of them, or lets one be heard, moves no other.
    """
    asked = list(dict.fromkeys(stems))
    out = {stem: STEMS.index(stem) for stem in asked if stem in STEMS}
    melodic = [channel for channel in range(16) if channel != _DRUMS]
    kept = len(STEMS) if out else 0  # for those of them that are silent now
    free = iter(sorted(set(melodic) - set(out.values()), key=lambda channel: (channel < kept, channel)))
    for stem in asked:
        if stem not in out and (channel := _DRUMS if stem == CLICK else next(free, None)) is not None:
            out[stem] = channel
    return {stem: out[stem] for stem in asked if stem in out}


def tempo_track_of(score: Score) -> tuple[TempoTrack, Fraction]:
    """Where beats and film times lie in a cue's file, and the film time at which it ends."""
    times = tuple(marker.time for marker in score.markers)
    notes = playable(score.notes, score.instruments)
    until = max([score.tempo_map.seconds(note.end) for note in notes] + [*times, score.length, score.tempo_map.origin])
    return tempo_track(score.tempo_map, until, times, score.zero), until


def write_smf(path: str | Path, score: Score) -> Path:
    """Write a cue as one MIDI file, whole or not at all. Raises OutputError, and OptionError as `smf_bytes`."""
    return files.write(path, smf_bytes(score))


def write_stems(folder: str | Path, name: str, score: Score) -> tuple[Path, ...]:
    """Write one file a stem, ``NAME-STEM.mid``, each with the whole conductor track. Raises as `write_smf`."""
    made = [(Path(folder) / f"{name}-{stem}.mid", smf_bytes(replace(score, stems=(stem,)))) for stem in score.tracks]
    return tuple(files.write(path, content) for path, content in made)


def key_signature(key: str) -> str:
    """A key's name as a MIDI file spells it: ``A#:maj`` is ``Bb``, ``F#:min`` is ``F#m``. Raises OptionError for no key."""
    name, _, mode = key.partition(":")
    tonic = pitch_class(name)
    if mode not in _KEYS or tonic is None:
        raise OptionError(f"{key!r} is not a key", where="key", cure="write it as C:maj or F#:min")
    return _KEYS[mode][tonic]


def _conductor(score: Score, track: TempoTrack, end: int) -> MidiTrack:
    from mido import MetaMessage

    events: list[tuple[int, MetaMessage]] = [(0, MetaMessage("track_name", name=score.title or "Conductor"))]
    if score.start:
        events.append((0, _smpte_offset(score.start + floor(score.zero * score.start.rate))))
    if score.key:
        events.append((0, MetaMessage("key_signature", key=key_signature(score.key))))
    for tick, metre in track.metres:
        clicks = max(1, 96 // metre.unit)  # MIDI clocks, 24 a quarter note: the metronome follows the unit
        event = MetaMessage("time_signature", numerator=metre.beats, denominator=metre.unit, clocks_per_click=clicks)
        events.append((tick, event))
    events.extend((tick, MetaMessage("set_tempo", tempo=tempo)) for tick, tempo in track.tempi)
    events.extend((track.tick_at(m.time), MetaMessage("marker", text=m.text)) for m in sorted(score.markers))
    return _in_order(events, end)


def _smpte_offset(start: Timecode) -> MetaMessage:
    """The offset of tick 0 by the four rates that a MIDI file knows; at 48 to 60 a second, of every second frame."""
    from mido import MetaMessage

    base, drop = nominal(start.rate), start.drop
    halves = 2 if base > 30 else 1
    hours, minutes, seconds, frames = start.wrapped.fields
    rate = 29.97 if drop else {24: 24, 25: 25}.get(base // halves, 30)
    return MetaMessage(
        "smpte_offset",
        frame_rate=rate,
        hours=hours,
        minutes=minutes,
        seconds=seconds,
        frames=frames // halves,
        sub_frames=50 * (frames % halves),
    )


def _part(track: TempoTrack, end: int, stem: str, instrument: Instrument, notes: list[Note], channel: int) -> MidiTrack:
    from mido import Message, MetaMessage

    events: list[tuple[int, Message | MetaMessage]] = [
        (0, MetaMessage("track_name", name=stem)),
        (0, MetaMessage("instrument_name", name=instrument.name)),
        (0, Message("program_change", channel=channel, program=instrument.program)),
    ]
    sounding = []
    for note in notes:
        on = track.tick(note.start)
        off = max(on + 1, track.tick(note.end))
        sounding.append((on, 1, Message("note_on", channel=channel, note=note.pitch, velocity=note.velocity)))
        sounding.append((off, 0, Message("note_off", channel=channel, note=note.pitch, velocity=64)))
    # a release comes before the next stroke on the same tick, or that stroke would be cut
    events.extend((tick, message) for tick, _, message in sorted(sounding, key=lambda e: (e[0], e[1], e[2].note)))
    return _in_order(events, end)


def _in_order(events: list[tuple[int, Message | MetaMessage]], end: int) -> MidiTrack:
    """Events at ticks as a track of delta times that ends at ``end`` or after the last of them."""
    from mido import MetaMessage, MidiTrack

    made, now = MidiTrack(), 0
    for tick, message in sorted(events, key=lambda event: event[0]):
        made.append(message.copy(time=tick - now))
        now = tick
    made.append(MetaMessage("end_of_track", time=max(0, end - now)))
    return made
