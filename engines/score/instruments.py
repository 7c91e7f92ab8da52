"""The instruments of a score: their General MIDI programs and ranges, and notes that they can really play."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from engines.errors import OptionError
from engines.score.notes import Note, sorted_notes

SHORTEST = Fraction(1, 32)
"""Beats below which a note is not written: a shorter one is a click, or an accident of trimming."""


@dataclass(frozen=True)
class Instrument:
    """One instrument: its name, General MIDI program (0..127), and lowest and highest MIDI pitch as it sounds."""

    name: str
    program: int
    low: int
    high: int


INSTRUMENTS = {
    i.name: i
    for i in (
        Instrument("piano", 0, 21, 108),
        Instrument("electric piano", 4, 28, 103),
        Instrument("celesta", 8, 60, 108),
        Instrument("vibraphone", 11, 53, 89),
        Instrument("marimba", 12, 45, 96),
        Instrument("organ", 19, 24, 108),
        Instrument("guitar", 24, 40, 88),
        Instrument("bass guitar", 33, 28, 67),
        Instrument("violin", 40, 55, 103),
        Instrument("viola", 41, 48, 91),
        Instrument("cello", 42, 36, 79),
        Instrument("double bass", 43, 28, 67),
        Instrument("strings", 48, 28, 103),
        Instrument("slow strings", 49, 28, 103),
        Instrument("choir", 52, 40, 84),
        Instrument("trumpet", 56, 52, 84),
        Instrument("trombone", 57, 40, 77),
        Instrument("horn", 60, 34, 77),
        Instrument("brass", 61, 34, 86),
        Instrument("oboe", 68, 58, 91),
        Instrument("bassoon", 70, 34, 75),
        Instrument("clarinet", 71, 50, 94),
        Instrument("flute", 73, 60, 98),
        Instrument("synth lead", 81, 24, 108),
        Instrument("synth pad", 89, 24, 108),
        Instrument("harp", 46, 24, 103),
    )
}
"""Sounding ranges of good players, from the instruments' usual written ranges; sections reach from the bass to the violins."""

DEFAULT_INSTRUMENT = INSTRUMENTS["piano"]


def instrument(name: str) -> Instrument:
    """The instrument of that name. Raises OptionError with the names that there are."""
    if name not in INSTRUMENTS:
        raise OptionError(f"no instrument is named {name!r}", cure=f"choose one of: {', '.join(sorted(INSTRUMENTS))}")
    return INSTRUMENTS[name]


def playable(
    notes: Iterable[Note], instruments: Mapping[str, Instrument] | None = None, keep: Collection[Note] = ()
) -> tuple[Note, ...]:
    """The same notes, sorted, such that each can be played and none overlaps another on its pitch and stem.

    ``instruments`` by stem (default: piano). A note out of range moves by octaves to the nearest one inside. Of two notes that
    start together (within a 32nd of a beat) on one pitch one stays, with the later end and the louder velocity; a note that
    still sounds when its pitch is struck again is released there. Notes in ``keep`` stay bit-identical; others give way to them.
    """
    kept = set(keep)
    lines: dict[tuple[str, int], list[Note]] = defaultdict(list)
    fixed: dict[tuple[str, int], list[Note]] = defaultdict(list)
    for note in sorted(notes):
        if kept and note in kept:
            if note not in fixed[note.stem, note.pitch]:
                fixed[note.stem, note.pitch].append(note)
        elif note.length > 0:
            held = (instruments or {}).get(note.stem, DEFAULT_INSTRUMENT)
            pitch, velocity = _within(note.pitch, held), min(127, max(1, note.velocity))
            same = (pitch, velocity) == (note.pitch, note.velocity)
            lines[note.stem, pitch].append(note if same else replace(note, pitch=pitch, velocity=velocity))
    voices = {place: _one_voice(line, fixed[place]) for place, line in lines.items()}
    return sorted_notes(note for voice in (*voices.values(), *fixed.values()) for note in voice)


def _within(pitch: int, held: Instrument) -> int:
    if pitch < held.low:
        pitch += -((pitch - held.low) // 12) * 12
    elif pitch > held.high:
        pitch -= -((held.high - pitch) // 12) * 12
    return min(max(pitch, held.low), held.high)


def _one_voice(line: list[Note], fixed: list[Note]) -> list[Note]:
    """Notes of one pitch and stem, in order, one after another and around those that are fixed."""
    voice: list[Note] = []
    for note in line:
        if any(k.start <= note.start < k.end for k in fixed):
            continue
        following = next((k.start for k in fixed if k.start > note.start), None)
        if following is not None and note.end > following:
            note = replace(note, length=following - note.start)
        apart = any(voice and voice[-1].start < k.start < note.start for k in fixed)
        last = voice[-1] if voice and not apart else None
        if last and note.start - last.start < SHORTEST:
            end, loud = max(last.end, note.end), max(last.velocity, note.velocity)
            voice[-1] = replace(last, length=end - last.start, velocity=loud)
            continue
        if last and last.end > note.start:
            voice[-1] = replace(last, length=note.start - last.start)
        voice.append(note)
    return [note for note in voice if note.length >= SHORTEST]
