"""Notes as a picture and back: rolls of 128 sixteenths (eight bars of 4/4) by pitch, in layers of onsets and of sustain.

The published roll (``specs/diffbgm.md`` section 1) has two layers, 128 pitches and no velocity; every track is one piano in it.
Ours has two layers a stem and one of velocities, since a take has stems and dynamics, and holds the seven octaves of the words of
`engines.bmt` (22 to 105).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.bmt.tokens import GridNote
from engines.score.notes import STEMS

STEPS = 128
"""Sixteenths a window: eight bars of 4/4."""
STEPS_PER_BAR, STEPS_PER_BEAT = 16, 4
BARS, BEATS = STEPS // STEPS_PER_BAR, STEPS // STEPS_PER_BEAT
SOUNDS = 0.5
"""A cell above this holds an onset or goes on sounding, as published."""
PUBLISHED_VELOCITY = 80

Roll = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Layout:
    """What the layers of a roll hold: an onset and a sustain layer for each group of stems, then a velocity layer if there is one
    (velocity/127 where a note begins). ``lowest`` is the MIDI pitch of the first of ``pitches`` columns."""

    voices: tuple[tuple[str, ...], ...]
    velocity: bool
    lowest: int
    pitches: int

    @property
    def layers(self) -> int:
        """Two a voice, and one of velocities."""
        return 2 * len(self.voices) + self.velocity

    @property
    def shape(self) -> tuple[int, int, int]:
        """(layers, steps, pitches)."""
        return self.layers, STEPS, self.pitches

    def column(self, pitch: int) -> int:
        """The column of a MIDI pitch; one outside is moved by octaves."""
        place = pitch - self.lowest
        while place < 0:
            place += 12
        while place >= self.pitches:
            place -= 12
        return place

    def voice(self, stem: str) -> int:
        """The voice that a stem is written in; a stem that none names goes into the last."""
        return next((k for k, stems in enumerate(self.voices) if stem in stems), len(self.voices) - 1)


PAPER = Layout((STEMS,), velocity=False, lowest=0, pitches=128)
OURS = Layout(tuple((stem,) for stem in STEMS), velocity=True, lowest=22, pitches=84)
LAYOUTS = {"paper": PAPER, "ours": OURS}


def paint(notes: Iterable[GridNote], layout: Layout, steps: int = STEPS) -> Roll:
    """The roll (layers, steps, pitches) of notes whose ``step`` counts from the window's start.

    Onsets outside the window are left out, with what they hold; sustain is cut at its end. A note of one step is an onset alone.
    """
    roll = np.zeros((layout.layers, steps, layout.pitches), np.float32)
    for note in notes:
        if not 0 <= note.step < steps:
            continue
        voice, pitch = layout.voice(note.stem), layout.column(note.pitch)
        roll[2 * voice, note.step, pitch] = 1
        roll[2 * voice + 1, note.step + 1 : note.step + max(1, note.length), pitch] = 1
        if layout.velocity:
            roll[-1, note.step, pitch] = max(roll[-1, note.step, pitch], note.velocity / 127)
    return roll


def read(roll: Roll, layout: Layout, held_by_onset: bool = False) -> list[GridNote]:
    """The notes of a roll: an onset above `SOUNDS`, as long as sustain above it follows; sustain alone is no note.

    As published a new onset of the same pitch does not end the note before; with ``held_by_onset`` it does.
    """
    sounds = roll > SOUNDS
    found: list[GridNote] = []
    for voice, stems in enumerate(layout.voices):
        onset, sustain = sounds[2 * voice], sounds[2 * voice + 1]
        for step, column in np.argwhere(onset):
            end = int(step) + 1
            while end < len(onset) and sustain[end, column] and not (held_by_onset and onset[end, column]):
                end += 1
            velocity = round(127 * float(roll[-1, step, column])) if layout.velocity else PUBLISHED_VELOCITY
            found.append(GridNote(int(step), layout.lowest + int(column), end - int(step), min(127, max(1, velocity)), stems[-1]))
    return sorted(found)
