"""Pieces on the sixteenth grid to compound words and back.

Two grammars, one word a row, one field a column. The published one (``specs/bmt.md`` section 1.3)::

    Emotion  ( Bar [Density  Position*] )*  Bar  EOS
    Position := [Strength=3 if a chord changes here]  Beat(tempo, chord, k)  [Strength=n  Note x n]

and ours, in which a type says all that the other fields depend on, every bar with notes says its chord again (so that a bar
can be cut out, forced or refilled alone), and density counts onsets only, as a brief does::

    Emotion(emotion, key)  ( Bar [Density(density, energy, register, tempo)  Position*] )*  Bar  EOS
    Position := ( Chord(chord, k) | Beat(k) )  [Strength=n  (Melody|Bridge|Piano) x n]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from engines.bmt.vocabulary import (
    ENERGY_LEVELS,
    REGISTER_LEVELS,
    REGISTER_LOW,
    REGISTER_STEP,
    STEM_TYPES,
    STEPS_PER_BAR,
    STEPS_PER_BEAT,
    TEMPI,
    Value,
    Vocabulary,
)

Words = npt.NDArray[np.int16]
TICKS_PER_STEP = 120
STEM_OF_TYPE = {kind: stem for stem, kind in STEM_TYPES.items()}


@dataclass(frozen=True, order=True)
class GridNote:
    """A note in sixteenths: ``step`` from the start of the piece, ``length`` 0 to 16 (0 sounds for half a step)."""

    step: int
    pitch: int
    length: int
    velocity: int
    stem: str = "piano"


@dataclass(frozen=True)
class Piece:
    """Music on the sixteenth grid. ``bar_steps`` are the lengths of its bars (16 for 4/4); ``chords`` and ``tempi`` are changes as
    (step, symbol) and (step, BPM), rising; ``emotion`` is 0 (not said) to 4, ``key`` a name of `vocabulary.KEYS` or None."""

    notes: tuple[GridNote, ...]
    bar_steps: tuple[int, ...]
    chords: tuple[tuple[int, str], ...] = ()
    tempi: tuple[tuple[int, Fraction], ...] = ((0, Fraction(120)),)
    emotion: int = 0
    key: str | None = None

    @property
    def steps(self) -> int:
        """Length in sixteenths."""
        return sum(self.bar_steps)

    def seconds(self, step: int) -> Fraction:
        """Exact time of a step under the piecewise-constant tempi."""
        time, at, bpm = Fraction(0), 0, self.tempi[0][1]
        for change, tempo in self.tempi[1:]:
            if change > step:
                break
            time += Fraction(change - at) * 60 / (STEPS_PER_BEAT * Fraction(bpm))
            at, bpm = change, tempo
        return time + Fraction(step - at) * 60 / (STEPS_PER_BEAT * Fraction(bpm))


def nearest_tempo(bpm: Fraction | float) -> str:
    """The tempo word nearest to ``bpm``."""
    return f"Tempo_{min(TEMPI, key=lambda t: (abs(t - bpm), t))}"


def velocity_word(velocity: int) -> str:
    """Even, from 40 to 118."""
    return f"Note_Velocity_{min(118, max(40, 2 * round(velocity / 2)))}"


def energy_level(velocity: float) -> int:
    """Level 1 to 8 of a bar's mean velocity."""
    return int(min(ENERGY_LEVELS, max(1, 1 + (velocity - 40) * ENERGY_LEVELS // 79)))


def register_level(pitch: float) -> int:
    """Level 1 to 13 of a bar's mean pitch."""
    return int(min(REGISTER_LEVELS, max(1, 1 + round((pitch - REGISTER_LOW) / REGISTER_STEP))))


def _by_bar(piece: Piece) -> Iterator[tuple[int, int, dict[int, list[GridNote]], dict[int, str]]]:
    """(first step, steps, notes by position, chord changes by position) of every bar."""
    notes: defaultdict[int, list[GridNote]] = defaultdict(list)
    for note in piece.notes:
        notes[note.step].append(note)
    chords = dict(piece.chords)
    for end, steps in zip(accumulate(piece.bar_steps), piece.bar_steps, strict=True):
        start = end - steps
        span = range(start, end)
        yield (
            start,
            steps,
            {s - start: sorted(notes[s], key=lambda n: (-n.pitch, n.stem)) for s in span if s in notes},
            {s - start: chords[s] for s in span if s in chords},
        )


Event = dict[str, Value]


def _note(note: GridNote, kind: str) -> Event:
    return {
        "type": kind,
        "pitch": f"Note_Pitch_{note.pitch}",
        "duration": f"Note_Duration_{min(STEPS_PER_BAR, note.length) * TICKS_PER_STEP}",
        "velocity": velocity_word(note.velocity),
    }


def published_events(piece: Piece) -> list[Event]:
    """The words of a piece by the published grammar, as field values; ``time`` is floor(100 t / T), exact."""
    total = piece.seconds(piece.steps)
    events: list[Event] = [{"type": "Emotion", "emotion": piece.emotion}]
    tempi = dict(piece.tempi)
    time = 0
    for start, steps, notes, chords in _by_bar(piece):
        time = percent(piece.seconds(start), total)
        events.append({"type": "Metrical", "barbeat": "Bar", "time": time})
        changes = {s - start: tempi[s] for s in range(start, start + steps) if s in tempi}
        if not notes and not chords and not changes:
            continue
        events.append({"type": "Rhythm", "density": min(20, len(notes) + len(chords)), "time": time})
        for position in sorted({*notes, *chords, *changes}):
            time = percent(piece.seconds(start + position), total)
            if position in chords:
                events.append({"type": "Rhythm", "strength": 3, "time": time})
            tempo = nearest_tempo(changes[position]) if position in changes else "CONTI"
            chord = chords.get(position, "CONTI")
            events.append({"type": "Metrical", "barbeat": f"Beat_{position}", "tempo": tempo, "chord": chord, "time": time})
            if position in notes:
                events.append({"type": "Rhythm", "strength": min(15, len(notes[position])), "time": time})
                events += [_note(note, "Note") | {"time": time} for note in notes[position]]
        # the published closing bar reuses the last sixteenth's time
        time = percent(piece.seconds(start + steps - 1), total)
    return [*events, {"type": "Metrical", "barbeat": "Bar", "time": time}, {"type": "EOS"}]


def bar_controls(notes: dict[int, list[GridNote]]) -> Event:
    """Density, energy and register of a bar, measured from its notes by position."""
    every = [note for chord in notes.values() for note in chord]
    return {
        "density": min(20, len(notes)),
        "energy": energy_level(sum(n.velocity for n in every) / len(every)),
        "register": register_level(sum(n.pitch for n in every) / len(every)),
    }


def our_events(piece: Piece) -> list[Event]:
    """The words of a piece by our grammar, as field values."""
    total = piece.seconds(piece.steps)
    events: list[Event] = [{"type": "Emotion", "emotion": piece.emotion, "key": piece.key or 0}]
    harmony, tempo = "N_N", piece.tempi[0][1]
    tempi, time = dict(piece.tempi), 0
    for start, steps, notes, chords in _by_bar(piece):
        time = percent(piece.seconds(start), total)
        tempo = next((tempi[s] for s in range(start, start + steps) if s in tempi), tempo)
        events.append({"type": "Bar", "barbeat": "Bar", "time": time})
        if notes:
            chords = {0: chords.get(0, harmony)} | chords
            controls: Event = {"type": "Density", "tempo": nearest_tempo(tempo), "time": time}
            events.append(controls | bar_controls(notes))
            for position in sorted({*notes, *chords}):
                place: Event = {"barbeat": f"Beat_{position}", "time": percent(piece.seconds(start + position), total)}
                said: Event = {"type": "Chord", "chord": chords[position]} if position in chords else {"type": "Beat"}
                events.append(said | place)
                if position in notes:
                    events.append({"type": "Strength", "strength": min(15, len(notes[position])), "time": place["time"]})
                    events += [_note(note, STEM_TYPES[note.stem]) | {"time": place["time"]} for note in notes[position][:15]]
        harmony = chords[max(chords)] if chords else harmony
        time = percent(piece.seconds(start + steps - 1), total)
    return [*events, {"type": "Bar", "barbeat": "Bar", "time": time}, {"type": "EOS"}]


def percent(time: Fraction, total: Fraction) -> int:
    """The relative time field: floor(100 t / T), 0 to 99."""
    return min(99, int(100 * time / total)) if total else 0


def encode(events: list[Event], vocabulary: Vocabulary) -> Words:
    """Events to ids, shape (words, fields); fields that a word does not carry are 0."""
    words = np.zeros((len(events), len(vocabulary.fields)), np.int16)
    for row, event in enumerate(events):
        for name, value in event.items():
            words[row, vocabulary.column[name]] = vocabulary.id(name, value)
    return words


CARRIED: dict[str, tuple[str, ...]] = {
    "barbeat": ("Bar", "Chord", "Beat"),
    "chord": ("Chord",),
    **dict.fromkeys(("density", "energy", "register", "tempo"), ("Bar", "Density")),
    **dict.fromkeys(("emotion", "key"), ("Emotion",)),
}
"""Fields of our words that hold until the next word of these types says them again."""


class Carrier:
    """What holds is said with every word that the network hears, so that it need not look back for its key, chord and place.

    Linear attention sums over all that was heard, and learns slowly to find one word in it again. Only what is heard is carried,
    never what is to be predicted.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        types = vocabulary.field("type").ids
        columns = [(vocabulary.column[name], {types[kind] for kind in kinds}) for name, kinds in CARRIED.items()]
        self._setters = [[column for column, kinds in columns if kind in kinds] for kind in range(len(types))]
        self._columns, self._type, self._end = [column for column, _ in columns], vocabulary.column["type"], types["EOS"]
        self._held: npt.NDArray[np.int64] = np.zeros(len(vocabulary.fields), np.int64)

    def hear(self, word: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The next word (fields,) with all that holds."""
        kind = int(word[self._type])
        for column in self._setters[kind]:
            self._held[column] = word[column]
        if kind == self._end:
            return word
        full = word.copy()
        full[self._columns] = self._held[self._columns]
        return full


def carried(words: Words, vocabulary: Vocabulary) -> Words:
    """Words (n, fields) from their prefix on, each with all that holds: as `Carrier` gives them one by one."""
    out, rows, kinds = words.copy(), np.arange(len(words)), words[:, vocabulary.column["type"]]
    types = vocabulary.field("type").ids
    music = kinds != types["EOS"]
    for name, setters in CARRIED.items():
        column = vocabulary.column[name]
        says = np.isin(kinds, [types[kind] for kind in setters])
        last = np.maximum.accumulate(np.where(says, rows, -1))
        out[music, column] = np.where(last >= 0, words[last, column], 0)[music]
    return out


def decode(words: Words, vocabulary: Vocabulary, bar_steps: tuple[int, ...] = ()) -> Piece:
    """Words to a piece, by either grammar; words that carry nothing to play are passed over.

    ``bar_steps`` gives the lengths of the bars where they are not all 16. As in the published decoder, fields that a word's type
    does not carry are not read, and notes before the first bar, or without a pitch, a duration or a velocity, are dropped.
    """
    notes, chords, tempi = [], [], []
    starts, step = [0], -1
    bar = -1
    column = vocabulary.column
    for word in words:
        kind = vocabulary.value("type", int(word[column["type"]]))
        place = str(vocabulary.value("barbeat", int(word[column["barbeat"]])))
        if place == "Bar" and kind in ("Metrical", "Bar"):
            bar += 1
            if bar:
                starts.append(starts[-1] + (bar_steps[bar - 1] if bar <= len(bar_steps) else STEPS_PER_BAR))
            step = starts[-1]
        elif place.startswith("Beat_") and kind in ("Metrical", "Beat", "Chord") and bar >= 0:
            step = starts[-1] + int(place[5:])
            chord = vocabulary.value("chord", int(word[column["chord"]]))
            if chord not in (0, "CONTI"):
                chords.append((step, str(chord)))
        tempo = vocabulary.value("tempo", int(word[column["tempo"]]))
        timed = kind == "Density" or (kind == "Metrical" and place.startswith("Beat_"))
        if tempo not in (0, "CONTI") and timed and bar >= 0:
            tempi.append((step, Fraction(str(tempo)[6:])))
        if kind in ("Note", *STEM_OF_TYPE) and bar >= 0:
            values = [vocabulary.value(name, int(word[column[name]])) for name in ("pitch", "duration", "velocity")]
            if 0 not in values:
                pitch, ticks, velocity = (int(str(value).rsplit("_", 1)[1]) for value in values)
                notes.append(GridNote(step, pitch, ticks // TICKS_PER_STEP, velocity, STEM_OF_TYPE.get(str(kind), "piano")))
    count = max(bar, 0)
    steps = tuple(bar_steps[k] if k < len(bar_steps) else STEPS_PER_BAR for k in range(count))
    emotion = int(words[0, column["emotion"]]) if len(words) else 0
    return Piece(tuple(sorted(notes)), steps, tuple(chords), tuple(tempi) or ((0, Fraction(120)),), emotion)
