"""The grammar as a state machine: it says which words may come next, forces what the brief fixes, and draws the rest.

A `Writer` is a generator. It yields the word to hear and is sent the network's logits for the next one, so the grammar reads from
top to bottom as the music does: bar, controls, positions, strengths, notes. What the brief gives is forced (bars, density,
chord, strength at hits, kept notes); fields that a type does not carry stay 0; relative time is computed from the tempo map.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from engines.bmt.echo import Echo, HeardBar
from engines.bmt.lean import Harmony, Lean
from engines.bmt.sampling import Logits, Taste, choose
from engines.bmt.tokens import GridNote, velocity_word
from engines.bmt.vocabulary import REGISTER_LEVELS, REGISTER_LOW, REGISTER_STEP, STEM_TYPES, STEPS_PER_BAR, Vocabulary

Word = npt.NDArray[np.int64]

STRICT = {
    "type": Taste(),
    "barbeat": Taste(0.95, 0.98),
    "chord": Taste(),
    "pitch": Taste(0.98),
    "duration": Taste(1.05),
    "velocity": Taste(1.15),
    "strength": Taste(1.05),
    "density": Taste(0.9),
    "energy": Taste(),
    "register": Taste(),
}
MIDDLE, AROUND = 63.5, 2.8
"""Where a cue begins, as a mean MIDI pitch, and how far around it: the network learned every song in every key, so that alone it begins
in registers twice as far apart as the songs do. A little higher than they, since its later bars fall."""
USUAL = (-(((REGISTER_LOW + REGISTER_STEP * (np.arange(REGISTER_LEVELS + 1) - 1) - MIDDLE) / AROUND) ** 2) / 2).astype(np.float32)
"""What that adds to the logits of a first bar's register."""
LEAN = Lean(stray=0.4, chord=0.3, home=0.1, again=0.25)
"""Chosen by measurement: what comes nearest to POP909's validation songs in groove, thickness, lengths, register and harmony. A nucleus
that cuts the rare cuts the long notes, the thick chords and the stem that sounds least."""


class Answer(NamedTuple):
    """What the network expects next: ``type`` (types,), and ``fields`` (types, values of every other field in order)."""

    type: Logits
    fields: Logits


@dataclass(frozen=True)
class PlannedBar:
    """A bar to write. Ids of our vocabulary where ``_id`` is said, None where the network chooses.

    ``steps`` is its length in sixteenths (at most 16), ``percent`` the relative time of each step, ``hits`` the number of notes at
    least that must sound at a step, ``kept`` notes (steps from the bar's start) that must be among them, ``held`` the pitches and stems
    that sound on from notes which nobody may change: struck again, they would be lost. ``again`` is the bar that it takes up: one
    of this plan by its number, or one that was written before.
    """

    steps: int
    percent: Sequence[int]
    tempo_id: int
    density: int | None = None
    energy: int | None = None
    register: int | None = None
    chord_id: int | None = None
    hits: Mapping[int, int] = field(default_factory=dict)
    kept: Mapping[int, tuple[GridNote, ...]] = field(default_factory=dict)
    held: Mapping[int, frozenset[tuple[int, str]]] = field(default_factory=dict)
    again: int | HeardBar | None = None

    @property
    def required(self) -> list[int]:
        """Steps that must have an onset."""
        return sorted({*self.hits, *self.kept})


@dataclass(frozen=True)
class WrittenNote:
    """A note that the network wrote: the bar of the plan and the note, its step from that bar's start."""

    bar: int
    note: GridNote


class Writer:
    """Writes planned bars, one word at a time; ``notes`` and ``chords`` fill as it goes."""

    NOTE_TYPES: Mapping[str, str] = STEM_TYPES
    """The type of a note's word by its stem."""
    STRENGTH = "Strength"
    """The type of the word that says how many notes begin."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        rng: np.random.Generator,
        stems: Sequence[str],
        ranges: Mapping[str, tuple[int, int]] | None = None,
        tastes: Mapping[str, Taste] = STRICT,
        harmony: Harmony | None = None,
    ) -> None:
        self.vocabulary, self.rng, self.tastes = vocabulary, rng, tastes
        self.notes: list[WrittenNote] = []
        self.chords: list[tuple[int, int, str]] = []
        self.bars_done = 0
        self._harmony = harmony or Harmony(vocabulary, None, Lean())
        self._chord_id, self._chord_here = 0, False
        self._echo = Echo(vocabulary, self.NOTE_TYPES)
        self._alone = False
        self._kept: dict[int, tuple[GridNote, ...]] = {}
        self._column = vocabulary.column
        self._kinds = {str(name): k for k, name in enumerate(vocabulary.field("type").values)}
        self._note_kinds = [self._kinds[self.NOTE_TYPES[stem]] for stem in stems]
        self._stems = {self._kinds[name]: stem for stem, name in self.NOTE_TYPES.items()}
        self._slices: dict[str, slice] = {}
        start = 0
        for f in vocabulary.fields:
            if f.name != "type":
                self._slices[f.name] = slice(start, start + len(f.values))
                start += len(f.values)
        self._pitch = np.array([0 if v == 0 else int(str(v)[11:]) for v in vocabulary.field("pitch").values])
        self._place = [vocabulary.id("barbeat", f"Beat_{k}") for k in range(STEPS_PER_BAR)]
        self._step = {place: k for k, place in enumerate(self._place)}
        self._in_range = {
            kind: (self._pitch >= max(1, low)) & (self._pitch <= high)
            for stem, kind in ((s, self._kinds[self.NOTE_TYPES[s]]) for s in self.NOTE_TYPES)
            for low, high in [(ranges or {}).get(stem, (22, 105))]
        }

    def word(self, kind: str, **ids: int) -> Word:
        """A word of that type with fields by id."""
        word = np.zeros(len(self.vocabulary.fields), np.int64)
        word[self._column["type"]] = self._kinds[kind]
        for name, id in ids.items():
            word[self._column[name]] = id
        return word

    def _draw(
        self,
        answer: Answer,
        kind: int,
        name: str,
        allowed: npt.NDArray[np.bool_] | None = None,
        lean: npt.NDArray[np.float32] | float = 0.0,
    ) -> int:
        logits = answer.fields[kind, self._slices[name]] + lean
        if allowed is None:
            allowed = np.ones(len(logits), bool)
        allowed[0] = False  # 0 means "not carried"
        return choose(logits, self.tastes[name], self.rng, allowed)

    def _draw_type(self, answer: Answer, kinds: Sequence[int], lean: npt.NDArray[np.float32] | float = 0.0) -> int:
        if len(kinds) == 1:
            return kinds[0]
        allowed = np.zeros(len(answer.type), bool)
        allowed[list(kinds)] = True
        return choose(answer.type + lean, self.tastes["type"], self.rng, allowed)

    def write(self, primer: Sequence[Word], bars: Sequence[PlannedBar]) -> Generator[Word, Answer, None]:
        """The words to hear: ``primer`` first (prefix and what came before), then every bar of the plan."""
        self._alone = len(primer) < 2
        for word in primer:  # noqa: UP028 - a list cannot be sent the answers, which do not matter: the next word is forced
            yield word
        for index, bar in enumerate(bars):
            self._kept[index] = tuple(note for notes in bar.kept.values() for note in notes)
            heard = self._heard(bar.again) if isinstance(bar.again, int) else bar.again
            self._echo = Echo(self.vocabulary, self.NOTE_TYPES, heard, self._harmony.lean.again or 0.0)
            yield from self._bar(index, bar)
            self.bars_done = index + 1

    def _heard(self, index: int) -> HeardBar:
        """A bar of this plan as it was written."""
        notes = [written.note for written in self.notes if written.bar == index]
        return HeardBar((*notes, *self._kept[index]), {step: chord for bar, step, chord in self.chords if bar == index})

    def _bar(self, index: int, bar: PlannedBar) -> Generator[Word, Answer, None]:
        answer = yield self.word("Bar", barbeat=self.vocabulary.id("barbeat", "Bar"), time=bar.percent[0])
        if bar.density == 0 and not bar.required:
            return
        kind = self._kinds["Density"]
        limit = np.arange(len(self.vocabulary.field("density").values)) <= bar.steps
        density = self._draw(answer, kind, "density", limit, self._echo.density()) if bar.density is None else bar.density
        density = min(bar.steps, max(density, len(bar.required), 1))
        energy = self._draw(answer, kind, "energy") if bar.energy is None else bar.energy
        begins = USUAL if index == 0 and self._alone else 0.0
        register = self._draw(answer, kind, "register", lean=begins) if bar.register is None else bar.register
        time = bar.percent[0]
        answer = yield self.word("Density", density=density, energy=energy, register=register, tempo=bar.tempo_id, time=time)
        chord, beat = self._kinds["Chord"], self._kinds["Beat"]
        onsets, position, kind = 0, 0, chord
        while True:
            place = {"barbeat": self._place[position], "time": bar.percent[position]}
            self._chord_here = kind == chord
            if kind == chord:
                id = self._chord(answer, chord, index, bar, position)
                answer = yield self.word("Chord", chord=id, **place)
            else:
                answer = yield self.word("Beat", **place)
            if kind == beat or self._sounds(answer, bar, density - onsets, position):
                answer = yield from self._notes(answer, index, bar, position)
                onsets += 1
            missing = density - onsets
            if missing <= 0 or position + 1 >= bar.steps:
                return
            kind = self._draw_type(answer, [beat] if bar.chord_id is not None else [beat, chord], self._echo.position(position))
            places = self._places(bar, position, missing, kind == beat)
            position = self._step[self._draw(answer, kind, "barbeat", places, self._echo.place(position, kind == chord))]

    def _places(self, bar: PlannedBar, position: int, missing: int, sounds: bool) -> npt.NDArray[np.bool_]:
        """Where the next position may lie: after this one, over no step that must sound, with room for the onsets still missing."""
        due = [step for step in bar.required if step > position]
        last = min([bar.steps - missing, *due[:1]])
        first = due[0] if sounds and len(due) >= missing else position + 1
        allowed = np.zeros(len(self.vocabulary.field("barbeat").values), bool)
        for step in range(first, last + 1):
            allowed[self._place[step]] = True
        return allowed

    def _chord(self, answer: Answer, kind: int, index: int, bar: PlannedBar, position: int) -> int:
        """The chord that begins here: the brief's, or one drawn."""
        if bar.chord_id is not None:
            self._chord_id = bar.chord_id
        else:
            allowed = np.ones(len(self.vocabulary.field("chord").values), bool)
            allowed[self.vocabulary.id("chord", "CONTI")] = False
            allowed[self._chord_id] &= position == 0  # a bar says its chord at its start, and then what changes
            self._chord_id = self._draw(answer, kind, "chord", allowed, self._harmony.chords + self._echo.chord(position))
        self.chords.append((index, position, str(self.vocabulary.value("chord", self._chord_id))))
        return self._chord_id

    def _sounds(self, answer: Answer, bar: PlannedBar, missing: int, position: int) -> bool:
        """After a chord: whether notes begin with it."""
        forced = self._must_sound(bar, missing, position)
        if forced is not None:
            return forced
        others = [self._kinds["Beat"]] if bar.chord_id is not None else [self._kinds["Beat"], self._kinds["Chord"]]
        return self._draw_type(answer, [self._kinds["Strength"], *others], self._echo.sounds(position)) == self._kinds["Strength"]

    def _must_sound(self, bar: PlannedBar, missing: int, position: int) -> bool | None:
        """Whether notes must begin at a chord (True), must not (False), or may, with ``missing`` onsets still to come."""
        if position in bar.required or bar.steps - position <= missing:
            return True
        return False if sum(step > position for step in bar.required) >= missing else None

    def _notes(self, answer: Answer, index: int, bar: PlannedBar, position: int) -> Generator[Word, Answer, Answer]:
        kept = sorted(bar.kept.get(position, ()), key=lambda n: (-n.pitch, n.stem))
        least = min(15, max(len(kept), 1, bar.hits.get(position, 0)))
        ids = np.array([int(v) for v in self.vocabulary.field("strength").values])
        echo = self._echo.strength(position)
        drawn = self._draw(answer, self._kinds[self.STRENGTH], "strength", (ids >= least) & (ids <= 15), echo)
        count = max(int(ids[drawn]), len(kept))
        time = bar.percent[position]
        answer = yield self.word(self.STRENGTH, strength=self.vocabulary.id("strength", min(15, count)), time=time)
        held = bar.held.get(position, frozenset())
        sounding = {(pitch, stem) for pitch, stem in held if stem in self.NOTE_TYPES}
        ceiling = 128
        for left in range(count, 0, -1):
            again = self._echo.left(position, ceiling, sounding)
            word = self._next_note(answer, kept, left, ceiling, sounding, time, again)
            if word is None:
                break
            note = self._grid(word, position)
            if kept and (note.pitch, note.stem) == (kept[0].pitch, kept[0].stem):
                kept.pop(0)
            else:
                self.notes.append(WrittenNote(index, note))
            sounding.add((note.pitch, note.stem))
            ceiling = note.pitch
            answer = yield word
        return answer

    def _next_note(
        self,
        answer: Answer,
        kept: list[GridNote],
        left: int,
        ceiling: int,
        sounding: set[tuple[int, str]],
        time: int,
        again: list[GridNote],
    ) -> Word | None:
        """The next note downwards: a kept one when its turn has come, else one drawn, leaning towards what comes ``again``; None where
        no pitch is left."""
        if kept and len(kept) >= left:
            return self._kept_word(kept[0], time)
        free = self._with_room(
            {kind: self._free_pitches(kind, ceiling, kept, sounding) for kind in self._note_kinds}, left - 1 - len(kept)
        )
        kinds = [kind for kind, pitches in free.items() if pitches.any()]
        if not kinds:
            return self._kept_word(kept[0], time) if kept else None
        kind = self._draw_type(answer, kinds, self._echo.type(again))
        stem = self._stems[kind]
        accompanies = kind == self._kinds.get(STEM_TYPES["piano"])
        bass = left == 1 and self._chord_here and kind == self._kinds[self.NOTE_TYPES["piano"]]
        lean = self._harmony.pitches(self._chord_id, accompanies, bass)
        chord = str(self.vocabulary.value("chord", self._chord_id))
        lean = lean + self._echo.pitch(again, stem, chord, self._harmony.fitting(self._chord_id, accompanies))
        id = self._draw(answer, kind, "pitch", free[kind], lean)
        if kept and self._pitch[id] <= kept[0].pitch:
            return self._kept_word(kept[0], time)
        word = self.word(str(self.vocabulary.value("type", kind)), pitch=id, time=time)
        long = np.ones(len(self.vocabulary.field("duration").values), bool)
        long[self.vocabulary.id("duration", "Note_Duration_0")] = False
        word[self._column["duration"]] = self._draw(
            answer, kind, "duration", long, self._echo.duration(again, stem, int(self._pitch[id]))
        )
        word[self._column["velocity"]] = self._draw(answer, kind, "velocity")
        return word

    def _free_pitches(
        self, kind: int, ceiling: int, kept: list[GridNote], sounding: set[tuple[int, str]]
    ) -> npt.NDArray[np.bool_]:
        """Ids of pitches in the stem's range, not above the last note, and not sounding in this stem already."""
        taken = [pitch for pitch, stem in sounding if stem == self._stems[kind]] + [note.pitch for note in kept]
        return self._in_range[kind] & (self._pitch <= ceiling) & ~np.isin(self._pitch, taken)

    def _with_room(self, free: dict[int, npt.NDArray[np.bool_]], more: int) -> dict[int, npt.NDArray[np.bool_]]:
        """Those of ``free`` that leave places for ``more`` notes at or below them; all of them where none does."""
        if more <= 0:
            return free
        below = np.cumsum(sum(np.bincount(self._pitch[pitches], minlength=128) for pitches in free.values()))
        roomy = {kind: pitches & (below[self._pitch] > more) for kind, pitches in free.items()}
        return roomy if any(pitches.any() for pitches in roomy.values()) else free

    def _kept_word(self, note: GridNote, time: int) -> Word:
        return self.word(
            self.NOTE_TYPES[note.stem],
            pitch=self.vocabulary.id("pitch", f"Note_Pitch_{note.pitch}"),
            duration=self.vocabulary.id("duration", f"Note_Duration_{120 * min(16, max(1, note.length))}"),
            velocity=self.vocabulary.id("velocity", velocity_word(note.velocity)),
            time=time,
        )

    def _grid(self, word: Word, position: int) -> GridNote:
        values = [self.vocabulary.value(n, int(word[self._column[n]])) for n in ("pitch", "duration", "velocity")]
        pitch, ticks, velocity = (int(str(value).rsplit("_", 1)[1]) for value in values)
        return GridNote(position, pitch, ticks // 120, velocity, self._stems[int(word[self._column["type"]])])
