"""A brief on the axis of rolls: bars in slots of sixteen sixteenths, and for each window what it is told and what is fixed in it.

A bar shorter than its slot leaves the rest of it silent; a longer one has several slots (`engines.bmt.plan.model_bars`). Before the
cue lie up to four slots of what was played before it, after it up to four of what follows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from engines.bmt.compose import RANGES
from engines.bmt.plan import ModelBar, model_bars, on_grid
from engines.bmt.tokens import GridNote
from engines.diffbgm.conditions import FIELDS, BarTold, Tokens, blank, tell_bar, tell_chord, tell_scene, tell_stems
from engines.diffbgm.pianoroll import BARS, STEPS_PER_BAR, STEPS_PER_BEAT, Layout, Roll, paint
from engines.engine import BarBrief, Brief
from engines.form import Form, recollected, shifts
from engines.score.harmony import chord_tones
from engines.score.notes import STEMS, Note

CONTEXT, HOP = 4, 4
"""Slots before and after the cue that are heard; slots by which windows follow one another."""
RETURNS = ((2, 0.45), (1, 0.65))
"""How often phrases return (`engines.form.Returns`), set by how much of what is played comes back (tests/benchmarks/test_themes.py)."""
PIANO = (21, 108)
"""The pitches of a voice of all stems: a published network's one piano."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Slot:
    """Sixteen sixteenths of a roll: a bar, and whether the engine is to write it."""

    bar: ModelBar
    new: bool

    def step(self, beat: Fraction) -> Fraction:
        """Sixteenths from the slot's start, exactly."""
        return STEPS_PER_BEAT * (beat - self.bar.start)


class Plan:
    """What is known of a cue before a note is drawn, on one axis of slots. Rolls are 0..1, (layers, 16 x slots, pitches).

    ``known`` holds where ``mask`` is true; where ``barred`` (voices, steps, pitches) is true, nothing new may sound or begin.
    """

    def __init__(
        self,
        brief: Brief,
        kept: Sequence[Note],
        key: str | None,
        layout: Layout,
        turns: Mapping[Fraction, str] | None = None,
        sources: Form = (),
    ) -> None:
        """``turns`` are chords that begin inside a bar, by their beats (`engines.diffbgm.progressions`); ``sources`` says which bar
        of the brief takes up which (`engines.form`)."""
        self.brief, self.key, self.layout, self.kept, self.turns = brief, key, layout, tuple(kept), turns or {}
        # a part of a bar that is cut in two must hold what is forced in it
        bars = model_bars(brief.bars, lambda bar: len({*self._hits_in(bar), *(step for step, _ in self._kept_in(bar))}))
        self._back = {brief.bars[k].start: back for k, back in shifts(brief, sources).items()}
        self.slots = [*self._before(bars[0]), *(Slot(bar, True) for bar in bars), *self._after(bars[-1])]
        steps = STEPS_PER_BAR * len(self.slots)
        self.mask = np.zeros((layout.layers, steps, layout.pitches), np.bool_)
        self.barred = np.zeros((len(layout.voices), steps, layout.pitches), np.bool_)
        self.known = self._painted()
        for number, slot in enumerate(self.slots):
            self._fix(number, slot)

    @property
    def cue(self) -> range:
        """The slots that the engine is to write."""
        new = [number for number, slot in enumerate(self.slots) if slot.new]
        return range(new[0], new[-1] + 1)

    def windows(self) -> list[int]:
        """The slots at which windows begin: each after the first hears four slots that are there already."""
        return list(range(0, max(1, self.cue.stop - BARS + HOP), HOP))

    def source(self, number: int) -> int | Roll | None:
        """What a slot of the cue takes up: another slot, or what lies before all of them (layers, 16, pitches)."""
        bar = self.slots[number].bar
        back = self._back.get(bar.brief.start) if self.slots[number].new else None
        if back is None:
            return None
        for other, slot in enumerate(self.slots):
            if slot.bar.start == bar.start - back:
                return other
        source = replace(bar, start=bar.start - back)
        heard = [on_grid(note, source) for note in recollected(self.brief) if source.start <= note.start < source.end]
        return paint(heard, self.layout, STEPS_PER_BAR)

    def hits(self, number: int) -> dict[int, int]:
        """Notes at least, by step of a slot (see `_hits_in`)."""
        return self._hits_in(self.slots[number].bar) if self.slots[number].new else {}

    def kept_steps(self, number: int) -> frozenset[int]:
        """Steps of a slot at which a kept note begins."""
        return frozenset(step for step, _ in self._kept_in(self.slots[number].bar)) if self.slots[number].new else frozenset()

    def chords(self, number: int) -> list[str | None]:
        """The chord of each of the four beats of a slot, None where nobody said any."""
        bar = self.slots[number].bar
        found: list[str | None] = []
        for beat in range(STEPS_PER_BAR // STEPS_PER_BEAT):
            turn = self.turns.get(bar.start + beat)
            found.append(turn or (found[-1] if found else bar.brief.chord))
        return found

    def tokens(self, first: int) -> Tokens:
        """What the window at a slot is told, as the first source; bars that are there already speak for themselves."""
        tokens = blank()
        slots = self.slots[first : first + BARS]
        bpm = [slot.bar.brief.bpm for slot in slots if slot.new]
        tell_scene(tokens, self.brief.mood, self.key, bpm[0] if bpm else None)
        if set(self.brief.stems) != set(STEMS):
            tell_stems(tokens, [stem in self.brief.stems for stem in STEMS])
        for k, slot in enumerate(slots):
            bar, beats = slot.bar.brief, slice(4 * k, 4 * k + 4)
            if not slot.new:
                continue
            tell_bar(tokens, beats, BarTold(bar.density, bar.energy, bar.register))
            for beat, chord in enumerate(self.chords(first + k)):
                if chord is not None:
                    tell_chord(tokens, 4 * k + beat, chord_tones(chord))
            for step, hit in self._strengths(slot.bar).items():
                tokens[4 * k + step // STEPS_PER_BEAT, FIELDS["strength"].start + step % STEPS_PER_BEAT] = max(0.1, hit)
        return tokens

    def place(self, step: int) -> Fraction:
        """The beat of a step of the axis; one in the silent rest of a slot is its bar's end."""
        slot = self.slots[min(step // STEPS_PER_BAR, len(self.slots) - 1)]
        inside = step - STEPS_PER_BAR * min(step // STEPS_PER_BAR, len(self.slots) - 1)
        return slot.bar.start + Fraction(min(inside, slot.bar.steps), STEPS_PER_BEAT)

    def _before(self, first: ModelBar) -> list[Slot]:
        """As many 4/4 bars as hold what was played before the cue, at most `CONTEXT`."""
        if not self.brief.before:
            return []
        earliest = min(n.start for n in self.brief.before)
        count = min(CONTEXT, int(-(-(first.start - earliest) // 4)))
        return [self._heard(first.start - 4 * k, first.brief.bpm) for k in range(max(0, count), 0, -1)]

    def _after(self, last: ModelBar) -> list[Slot]:
        """The same after it."""
        following = [n.start for n in self.brief.after if n.start >= last.end]
        count = min(CONTEXT, int((max(following) - last.end) // 4) + 1) if following else 0
        return [self._heard(last.end + 4 * k, last.brief.bpm) for k in range(count)]

    def _heard(self, start: Fraction, bpm: float) -> Slot:
        return Slot(ModelBar(start, STEPS_PER_BAR, BarBrief(start, Fraction(4), bpm=bpm)), False)

    def _painted(self) -> Roll:
        """Neighbours and kept notes on the axis."""
        found: list[GridNote] = []
        for number, slot in enumerate(self.slots):
            notes = self.kept if slot.new else (*self.brief.before, *self.brief.after, *self.kept)
            for note in notes:
                if slot.bar.start <= note.start < slot.bar.end:
                    grid = on_grid(note, slot.bar)
                    found.append(GridNote(grid.step + STEPS_PER_BAR * number, grid.pitch, grid.length, note.velocity, grid.stem))
        return paint(found, self.layout, STEPS_PER_BAR * len(self.slots))

    def _fix(self, number: int, slot: Slot) -> None:
        """Fills mask and bars of one slot."""
        here = slice(STEPS_PER_BAR * number, STEPS_PER_BAR * (number + 1))
        if not slot.new:
            self.mask[:, here] = True
            return
        self.mask[:, here] |= self.known[:, here] > 0
        self.mask[:, here.start + slot.bar.steps : here.stop] = True
        for voice, stems in enumerate(self.layout.voices):
            allowed = set(stems) & set(self.brief.stems)
            if not allowed:
                self.mask[2 * voice : 2 * voice + 2, here] = True
            low, high = RANGES[stems[0]] if len(stems) == 1 else PIANO
            pitches = np.arange(self.layout.pitches) + self.layout.lowest
            self.barred[voice, here, (pitches < low) | (pitches > high)] = True
            self.barred[voice, here] |= not allowed
        if slot.bar.brief.density == 0 and not self.hits(number) and not self.kept_steps(number):
            self.mask[: 2 * len(self.layout.voices) : 2, here] = True
        for note in (*self.kept, *self.brief.before):
            self._bar(note, here.start, slot)

    def _bar(self, note: Note, offset: int, slot: Slot) -> None:
        """Nothing new sounds where this note does, in its voice on its pitch."""
        pitch = note.pitch - self.layout.lowest
        if note.end <= slot.bar.start or note.start >= slot.bar.end or not 0 <= pitch < self.layout.pitches:
            return
        begin = max(0, int(slot.step(note.start) // 1))
        end = min(slot.bar.steps, int(-(-slot.step(note.end) // 1)))
        self.barred[self.layout.voice(note.stem), offset + begin : offset + end, pitch] = True

    def _strengths(self, bar: ModelBar) -> dict[int, float]:
        """Strength of the hard hits on a bar's sixteenths, by step."""
        found: dict[int, float] = {}
        for hit in self.brief.hits:
            step = STEPS_PER_BEAT * (hit.beat - bar.start)
            if hit.hard and 0 <= step < bar.steps and step.denominator == 1:
                found[int(step)] = min(1.0, max(0.0, hit.strength))
        return found

    def _hits_in(self, bar: ModelBar) -> dict[int, int]:
        """Notes at least by step, for hard hits on the sixteenths: a chord of two for the softest, of six for the strongest."""
        return {step: 2 + round(4 * strength) for step, strength in self._strengths(bar).items()}

    def _kept_in(self, bar: ModelBar) -> list[tuple[int, Note]]:
        """Kept notes that begin in a bar, with their steps."""
        return [(on_grid(note, bar).step, note) for note in self.kept if bar.start <= note.start < bar.end]
