"""Leaning towards a bar that was heard before, where the form says that it comes back (`engines.form`): what is left to be done where a
network recalls it by itself (`engines.bmt.recall`), and all there is where it cannot.

What was played there gets likelier by a number of nats: its chord, its onsets, how many notes begin with them, their stems, pitches
and lengths. What the brief fixes is forced as ever, and the network still decides: a bar that comes back under another chord keeps
its rhythm and those of its tones that fit.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import numpy.typing as npt

from engines.bmt.tokens import GridNote
from engines.bmt.vocabulary import Value, Vocabulary

Added = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeardBar:
    """A bar that was played: its ``notes``, steps from its start, and its ``chords`` (words) by the step where they begin."""

    notes: tuple[GridNote, ...] = ()
    chords: Mapping[int, str] = field(default_factory=dict)


class Echo:
    """What is added to the logits of every field while a bar is written that takes up ``heard`` (None: nothing); ``types`` are the
    types of words by stem."""

    def __init__(
        self, vocabulary: Vocabulary, types: Mapping[str, str], heard: HeardBar | None = None, nats: float = 0.0
    ) -> None:
        self._vocabulary, self._nats, self._types = vocabulary, nats, types
        self._chords = heard.chords if heard else {}
        notes = sorted(heard.notes if heard else (), key=lambda note: (note.step, -note.pitch, note.stem))
        self._notes = {step: list(group) for step, group in groupby(notes, lambda note: note.step)}

    def density(self) -> Added:
        """For the number of onset positions."""
        return self._added("density", [len(self._notes)] if self._notes else [])

    def position(self, after: int) -> Added:
        """For the type of the next position after a step: a chord, or a beat without one."""
        step = _after(after, {*self._notes, *self._chords})
        return self._added("type", [] if step is None else ["Chord" if step in self._chords else "Beat"])

    def place(self, after: int, chord: bool) -> Added:
        """For its step, once it is known whether it brings a chord."""
        step = _after(after, self._chords if chord else self._notes)
        return self._added("barbeat", [] if step is None else [f"Beat_{step}"])

    def sounds(self, step: int) -> Added:
        """For the type of the word after a chord: notes that begin with it, or the next position."""
        return self._added("type", [] if not self._notes else ["Strength"] if step in self._notes else ["Beat", "Chord"])

    def chord(self, step: int) -> Added:
        """For the chord that begins at a step."""
        return self._added("chord", [self._chords[step]] if step in self._chords else [])

    def strength(self, step: int) -> Added:
        """For how many notes begin at a step."""
        return self._added("strength", [len(self._notes[step])] if step in self._notes else [])

    def left(self, step: int, ceiling: int, written: Collection[tuple[int, str]]) -> list[GridNote]:
        """The notes that begin at a step and may still come, highest first: none above the ``ceiling``, none of those that are
        ``written`` (pitch, stem)."""
        return [n for n in self._notes.get(step, ()) if n.pitch <= ceiling and (n.pitch, n.stem) not in written]

    def type(self, left: list[GridNote]) -> Added:
        """For the type of the next note."""
        return self._added("type", [self._types[note.stem] for note in left[:1] if note.stem in self._types])

    def pitch(self, left: list[GridNote], stem: str, chord: str, fits: npt.NDArray[np.bool_]) -> Added:
        """For its pitch, once its stem is known: as it was under the same ``chord``; under another, where it ``fits`` (by pitch
        class)."""
        wanted = [note for note in left if note.stem == stem][:1]
        same = [note for note in wanted if fits[note.pitch % 12] or self._under(note.step) == chord]
        return self._added("pitch", [f"Note_Pitch_{note.pitch}" for note in same])

    def duration(self, left: list[GridNote], stem: str, pitch: int) -> Added:
        """For its length, once it is a note that comes back."""
        return self._added("duration", [f"Note_Duration_{120 * n.length}" for n in left if (n.pitch, n.stem) == (pitch, stem)])

    def _under(self, step: int) -> str | None:
        """The chord that sounded at a step."""
        begun = [begin for begin in self._chords if begin <= step]
        return self._chords[max(begun)] if begun else None

    def _added(self, name: str, values: Collection[Value]) -> Added:
        known = self._vocabulary.field(name)
        out = np.zeros(len(known.values), np.float32)
        out[[known.ids[value] for value in values if value in known.ids]] = self._nats
        return out


def _after(step: int, steps: Collection[int]) -> int | None:
    """The first of some steps after one."""
    return min((other for other in steps if other > step), default=None)
