"""The bass of a chord that was asked for with one: under ``F/A`` the lowest tone is an A, whoever composed the bar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from fractions import Fraction

from engines.engine import BarBrief
from engines.score.harmony import bass_of
from engines.score.notes import STEMS, Note, cleared, sorted_notes

LOWEST = 28
"""The lowest MIDI pitch that a bass is moved to: the E of a double bass."""


def with_bass(notes: Collection[Note], bars: Sequence[BarBrief], keep: Collection[Note] = ()) -> tuple[Note, ...]:
    """The notes with the bass of every bar whose chord has one; sorted. Notes in ``keep`` are not touched.

    In the lowest of the stems that play in such a bar, what begins it lowest goes to the nearest tone of that name that leaves it
    lowest, and so does every return of that pitch; what lies below goes up by octaves. Of two notes that would become one the
    longer stays.
    """
    asked = [(bar, low) for bar in bars if bar.chord is not None and (low := bass_of(bar.chord)) is not None]
    if not asked:
        return sorted_notes(notes)
    found, fixed = set(notes) - set(keep), set(keep)
    for bar, low in asked:
        found = _turned(found, fixed, bar, low)
    end = max((note.end for note in notes), default=Fraction(0))
    # of two notes that have become one the longer stays: it comes last
    return sorted_notes([*cleared(sorted(found), fixed, (), end), *fixed])


def told_bass(chords: Sequence[tuple[Fraction, str]], bars: Sequence[BarBrief]) -> tuple[tuple[Fraction, str], ...]:
    """The harmony that an engine meant, with the chords that were asked for with a bass: an engine knows no more than their roots."""
    out = dict(chords)
    for bar in bars:
        if bar.chord is not None and bass_of(bar.chord) is not None:
            meant = [symbol for beat, symbol in chords if beat <= bar.start]
            out.setdefault(bar.start + bar.length, meant[-1] if meant else bar.chord.partition("/")[0])
            out[bar.start] = bar.chord
    return tuple(sorted(out.items()))


def _turned(notes: set[Note], keep: set[Note], bar: BarBrief, low: int) -> set[Note]:
    """The notes of one bar, with the pitch class ``low`` in its bass."""
    end = bar.start + bar.length
    inside = [note for note in notes if bar.start <= note.start < end]
    stem = max({note.stem for note in inside}, key=STEMS.index, default=None)
    own = sorted((note for note in inside if note.stem == stem), key=lambda n: (n.start, n.pitch))
    if not own:
        return notes
    first = own[0]
    others = [n.pitch for n in {*notes, *keep} if n.start <= first.start < n.end and n != first and n.pitch > first.pitch]
    bass = _nearest(first.pitch, low, min(others, default=128))
    moved = {note: _pitch(note.pitch, first.pitch, bass) for note in own}
    return (notes - set(own)) | {replace(note, pitch=pitch) for note, pitch in moved.items()}


def _nearest(pitch: int, low: int, below: int) -> int:
    """The pitch of a class that is nearest to one, under ``below`` where there is room above `LOWEST`."""
    tones = [tone for tone in range(LOWEST, 128) if tone % 12 == low]
    return min(tones, key=lambda tone: (tone >= below, abs(tone - pitch), tone))


def _pitch(pitch: int, was: int, bass: int) -> int:
    """Where a pitch of the stem goes once its bass is another."""
    if pitch == was:
        return bass
    while pitch < bass:
        pitch += 12
    return pitch
