"""Notes in beats, the stems that they belong to, and the take that holds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

STEMS = ("melody", "bridge", "piano")
"""The stems of a take, from the front of the picture to the back: the roles of POP909's three tracks."""


@dataclass(frozen=True, order=True)
class Note:
    """One note. ``start`` and ``length`` are in beats (quarter notes) from the cue's beat 0; ``pitch`` is 0..127 (60 is middle
    C), ``velocity`` 1..127."""

    start: Fraction
    pitch: int
    length: Fraction
    velocity: int
    stem: str = "piano"

    @property
    def end(self) -> Fraction:
        """The beat at which the note is released."""
        return self.start + self.length


@dataclass(frozen=True)
class Take:
    """One answer of an engine for a cue or a scene: its notes, sorted, and the recipe that makes them again.

    ``recipe`` holds plain JSON values only: engine, model, seed, brief, provider. ``chords`` are the harmony that the engine
    meant, as (beat, symbol). A take that is audio carries ``audio``, a path, and no notes.
    """

    notes: tuple[Note, ...]
    recipe: dict[str, object] = field(default_factory=dict, compare=False)
    chords: tuple[tuple[Fraction, str], ...] = ()
    audio: str | None = None

    def stem(self, name: str) -> tuple[Note, ...]:
        """The notes of one stem, sorted."""
        return tuple(n for n in self.notes if n.stem == name)


def sorted_notes(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Notes in the order in which they sound; equal starts by pitch."""
    return tuple(sorted(notes))


def cleared(notes: Collection[Note], kept: Collection[Note], before: Collection[Note], end: Fraction) -> Iterator[Note]:
    """New notes until ``end``, shortened where the same pitch of their stem sounds again, left out where a kept one, or one from
    before, sounds already."""
    by_pitch: dict[tuple[str, int], list[tuple[Note, bool]]] = {}
    for fixed, group in ((False, notes), (True, kept), (True, before)):
        for note in group:
            by_pitch.setdefault((note.stem, note.pitch), []).append((note, fixed))
    for voices in by_pitch.values():
        voices.sort(key=lambda v: (v[0].start, not v[1]))
        held = voices[0][0].start
        for (note, fixed), following in zip(voices, [*voices[1:], None], strict=True):
            if fixed:
                held = max(held, note.end)
            elif note.start >= held:
                stop = min(note.end, end) if following is None else min(note.end, end, following[0].start)
                if stop > note.start:
                    yield replace(note, length=stop - note.start)
