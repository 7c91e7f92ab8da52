"""A click track: what the players of a session hear in their headphones."""

from __future__ import annotations

from fractions import Fraction

from engines.score.notes import Note
from engines.spotting.tempo import TempoMap

STEM = "click"
DOWNBEAT, BEAT = 76, 77
"""High and low wood block on General MIDI's percussion channel."""
ACCENT, PLAIN = 120, 84
"""Velocities."""
TICK = Fraction(1, 8)
"""Beats that a click lasts."""


def click(tempo_map: TempoMap, end: Fraction) -> tuple[Note, ...]:
    """One click on every beat of every bar that begins before ``end`` (seconds of the film), downbeats accented.

    A bar counted in eighths clicks in eighths. A pickup, a first bar shorter than the second, has no downbeat.
    """
    notes = []
    bars = tempo_map.bars_until(tempo_map.beat(end))
    for bar in bars:
        unit = Fraction(4, bar.metre.unit)
        pickup = bar.index == 0 and len(bars) > 1 and bar.metre.length < bars[1].metre.length
        for k in range(bar.metre.beats):
            first = k == 0 and not pickup
            beat = bar.start + k * unit
            notes.append(Note(beat, DOWNBEAT if first else BEAT, TICK, ACCENT if first else PLAIN, STEM))
    return tuple(note for note in notes if tempo_map.seconds(note.start) < end)
