"""The fields of a compound word and the ids of their values.

`published` makes the eleven fields of BM-Transformer by rule; `ours` is the vocabulary of the weights that Hitpoint ships: the
same fields, the type split so that every field depends on what kind of word it stands in (a chord, a beat without one, a note
of each stem), and three controls more (key, energy, register). Source of the published rule: ``specs/bmt.md`` section 1.2.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from engines.errors import ModelError

Value = int | str

ROOTS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
QUALITIES = ("+", "/o7", "7", "M", "M7", "m", "m7", "o", "o7", "sus2", "sus4")
KEYS = tuple(f"{root}:{mode}" for mode in ("maj", "min") for root in ROOTS)
STEM_TYPES = {"melody": "Melody", "bridge": "Bridge", "piano": "Piano"}

STEPS_PER_BEAT = 4
STEPS_PER_BAR = 16
ENERGY_LEVELS = 8
"""Energy 0..1 in eighths; a level is the bar's mean velocity between the 40 and 118 that the velocity field spans."""
REGISTER_LOW, REGISTER_STEP, REGISTER_LEVELS = 40, 3, 13
"""Level n of register is a mean pitch of about 40 + 3 (n - 1)."""


@dataclass(frozen=True)
class Field:
    """One field of a word: ``name`` as weights spell it, ``key`` as dictionaries spell it, the embedding's width, and the values
    by id. Id 0 is "not carried" in every field but the type."""

    name: str
    key: str
    width: int
    values: tuple[Value, ...]

    @cached_property
    def ids(self) -> dict[Value, int]:
        """Id of each value."""
        return {value: k for k, value in enumerate(self.values)}


@dataclass(frozen=True)
class Vocabulary:
    """Fields in the order of a word's columns."""

    name: str
    fields: tuple[Field, ...]

    @cached_property
    def column(self) -> dict[str, int]:
        """Column of each field by name."""
        return {field.name: k for k, field in enumerate(self.fields)}

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of values of each field."""
        return tuple(len(field.values) for field in self.fields)

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each field's embedding."""
        return tuple(field.width for field in self.fields)

    def field(self, name: str) -> Field:
        """The field of that name."""
        return self.fields[self.column[name]]

    def id(self, name: str, value: Value) -> int:
        """The id of a value; KeyError where the field does not know it."""
        return self.field(name).ids[value]

    def value(self, name: str, id: int) -> Value:
        """The value of an id."""
        return self.field(name).values[id]


def ordered(values: Iterable[Value]) -> tuple[Value, ...]:
    """The published order of ids: integers rising, then strings by character code."""
    return tuple(sorted(values, key=lambda v: (not isinstance(v, int), v)))


TEMPI = tuple(t for t in range(32, 225, 3) if t not in {152, 164, 173, 179, 185, 191, 197, 203, 209, 212, 218})
"""The tempi that the published dictionary saw in its corpus, BPM."""

_WIDTHS = {
    "tempo": (128, 32),
    "chord": (256, 64),
    "barbeat": (64, 48),
    "type": (32, 48),
    "pitch": (512, 192),
    "duration": (128, 64),
    "velocity": (128, 48),
    "strength": (64, 32),
    "density": (64, 32),
    "time": (512, 48),
    "emotion": (256, 32),
}
"""Embedding widths: published, ours."""


def _values(chords: Iterable[str], types: tuple[str, ...]) -> dict[str, tuple[Value, ...]]:
    return {
        "tempo": ordered([0, "CONTI", *(f"Tempo_{t}" for t in TEMPI)]),
        "chord": ordered([0, "CONTI", "N_N", *chords]),
        "barbeat": ordered([0, "Bar", *(f"Beat_{k}" for k in range(STEPS_PER_BAR))]),
        "type": types,
        "pitch": ordered([0, *(f"Note_Pitch_{p}" for p in range(22, 106))]),
        "duration": ordered([0, *(f"Note_Duration_{t}" for t in range(0, 1921, 120))]),
        "velocity": ordered([0, *(f"Note_Velocity_{v}" for v in range(40, 119, 2))]),
        "strength": ordered([*range(16), 18]),
        "density": ordered(range(21)),
        "time": ordered(range(100)),
        "emotion": ordered(range(5)),
    }


_KEYS = {"barbeat": "bar-beat", "time": "p_time"}
_ABSENT = {f"{r}_/o7" for r in ("D#", "G#", "A")} | {f"{r}_o7" for r in ("C", "D", "F", "G", "A")}


@cache
def published() -> Vocabulary:
    """The eleven fields of the published model, 493 values in all."""
    chords = [c for r in ROOTS for q in QUALITIES if (c := f"{r}_{q}") not in _ABSENT]
    values = _values(chords, ("EOS", "Emotion", "Metrical", "Note", "Rhythm"))
    fields = (Field(name, _KEYS.get(name, name), _WIDTHS[name][0], values[name]) for name in _WIDTHS)
    return Vocabulary("published", tuple(fields))


@cache
def ours() -> Vocabulary:
    """The vocabulary of the shipped weights: every chord in every key, a type for each kind of word, and key, energy, register."""
    chords = [f"{r}_{q}" for r in ROOTS for q in QUALITIES]
    types = ("EOS", "Emotion", "Bar", "Density", "Chord", "Beat", "Strength", *STEM_TYPES.values())
    values = _values(chords, types)
    fields = [Field(name, _KEYS.get(name, name), _WIDTHS[name][1], values[name]) for name in _WIDTHS]
    fields += [
        Field("key", "key", 32, (0, *KEYS)),
        Field("energy", "energy", 32, tuple(range(ENERGY_LEVELS + 1))),
        Field("register", "register", 32, tuple(range(REGISTER_LEVELS + 1))),
    ]
    return Vocabulary("ours", tuple(fields))


VOCABULARIES = {"published": published, "ours": ours}


class _PlainUnpickler(pickle.Unpickler):
    """Unpickles containers, strings and integers; any name looked up is refused, so no code can run."""

    def find_class(self, module: str, name: str) -> object:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def load_dictionary(path: str | Path) -> Vocabulary:
    """A published ``dictionary.pkl``: a pair (event2word, word2event) of dicts by field, as BM-Transformer writes it.

    Raises ModelError where the file asks for code, is not such a pair, or has ids that are not 0..n-1.
    """
    cure = "use the dictionary.pkl that came with the checkpoint"
    try:
        raw = _PlainUnpickler(io.BytesIO(Path(path).read_bytes()), encoding="latin1").load()
    except OSError as error:
        raise ModelError(f"cannot be read ({error.strerror})", where=path, cure=cure) from error
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, KeyError, ValueError, TypeError, MemoryError) as error:
        raise ModelError(f"not a plain dictionary: {error}", where=path, cure=cure) from error
    if not (isinstance(raw, tuple) and len(raw) == 2 and all(isinstance(part, Mapping) for part in raw)):
        raise ModelError("not a pair of dictionaries", where=path, cure=cure)
    known = {field.key: field for field in published().fields}
    fields = []
    for key, table in raw[0].items():
        if key not in known or not isinstance(table, Mapping):
            raise ModelError(f"field {key!r} is not one of BM-Transformer's", where=path, cure=cure)
        if not all(isinstance(id, int) for id in table.values()) or sorted(table.values()) != list(range(len(table))):
            raise ModelError(f"ids of {key!r} are not 0 to {len(table) - 1}", where=path, cure=cure)
        if not all(isinstance(value, int | str) for value in table):
            raise ModelError(f"{key!r} holds values that are neither numbers nor words", where=path, cure=cure)
        if raw[1].get(key) != {id: value for value, id in table.items()}:
            raise ModelError(f"its two tables disagree on {key!r}", where=path, cure=cure)
        values = tuple(value for _, value in sorted((id, value) for value, id in table.items()))
        fields.append(Field(known[key].name, key, known[key].width, values))
    if [field.key for field in fields] != list(known):
        raise ModelError(f"has fields {[field.key for field in fields]}", where=path, cure=cure)
    return Vocabulary("external", tuple(fields))
