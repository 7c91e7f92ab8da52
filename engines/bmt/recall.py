"""What was played at this place some bars ago: with every word the network hears the word that followed there.

Linear attention sums over all that was heard and cannot look one word up, so by itself the network never finds the theme that it is
to take up. Here the place is looked up for it: for every number of bars back, the first word of that bar that would come after the one
that was just heard; how well these words told what came, lately; and, where it is told, how much of this bar is to be as that one was.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from engines.bmt.tokens import Carrier, Words, carried
from engines.bmt.vocabulary import STEM_TYPES, Vocabulary

TOLD = ("type", "barbeat", "chord", "pitch", "duration", "velocity", "strength", "density", "energy", "register")
"""Fields of a word that are recalled; what holds for the whole piece is not."""
LATELY = 32
"""Words over which it is counted how well the recalled ones told what came."""
TRUST = 8
"""Levels of that above 0: none of them."""
LIKENESS = 4
"""Levels of how much of a bar is as the other was, above 0: not said. 1 is less than a quarter of its notes, 4 three quarters or more."""
CLEAR = 3
"""The level from which on a bar is, by half of its notes or more, the other one."""
FIRM = 8
"""The trust at least in a bar that is told to be clearly as another was, from its first word on."""
MORE = 2
"""Columns of a recalled word beside its fields: trust and likeness."""

_PLACE, _BAR = 1_000, 100_000  # what a place and a bar count in a key


class Places:
    """Where words stand in a bar, as numbers that rise from word to word."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        kinds = vocabulary.field("type").ids
        self._column = vocabulary.column
        self._step = np.array([int(str(v)[5:]) if str(v).startswith("Beat_") else 0 for v in vocabulary.field("barbeat").values])
        self._pitch = np.array([0 if v == 0 else int(str(v)[11:]) for v in vocabulary.field("pitch").values])
        self._stage = np.zeros(len(kinds), np.int64)
        for name, stage in {"Density": 1, "Chord": 2, "Beat": 2, "Strength": 3}.items():
            self._stage[kinds[name]] = stage
        for order, stem in enumerate(sorted(STEM_TYPES)):  # notes of one pitch come by the names of their stems
            self._stage[kinds[STEM_TYPES[stem]]] = 4 + order
        self.bar, self._first = kinds["Bar"], 4
        self.notes = np.array([kinds[kind] for kind in STEM_TYPES.values()])

    def within(self, words: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers of words (..., fields), each with the place that holds."""
        kinds = words[..., self._column["type"]]
        stage = self._stage[kinds]
        place = np.where(stage > 1, 1 + self._step[words[..., self._column["barbeat"]]], 0)
        down = np.where(stage >= self._first, 4 * (127 - self._pitch[words[..., self._column["pitch"]]]), 0)
        return np.asarray(_PLACE * place + stage + down)


def likeness(hits: int, notes: int) -> int:
    """The level of a bar of which so many notes were as the recalled words said."""
    return 1 + min(LIKENESS - 1, LIKENESS * hits // notes) if notes else 0


def recalled(words: Words, vocabulary: Vocabulary, backs: Sequence[int], before: Words | None = None) -> Words:
    """For each of the words (n, fields), from their prefix on, what is recalled with it: (n, backs, fields + 2).

    ``words`` are whole bars as they were written, ``before`` (m, fields) whole bars that came before them. The last two columns are trust
    and the likeness of its bar, measured.
    """
    column, fields = vocabulary.column, len(vocabulary.fields)
    skipped = 0 if before is None else len(before)
    body = words[1:] if before is None else np.concatenate([before, words[1:]])
    full = carried(np.concatenate([words[:1], body]), vocabulary)[1:].astype(np.int64)
    places = Places(vocabulary)
    kinds = body[:, column["type"]]
    bars = np.cumsum(kinds == places.bar) - 1
    keys = np.maximum.accumulate(_BAR * bars + places.within(full))
    said = np.zeros_like(full)
    said[:, [column[name] for name in TOLD]] = full[:, [column[name] for name in TOLD]]
    is_note = np.isin(kinds, places.notes)
    out = np.zeros((len(words), len(backs), fields + MORE), np.int16)
    alike = body[:, [column["type"], column["barbeat"], column["pitch"]]]
    for slot, back in enumerate(backs):
        there = bars >= back
        found = np.searchsorted(keys, keys - _BAR * back, side="right")
        found = np.where(there, found, 0)
        rows = np.where(there[:, None], said[found], 0)
        hits = np.zeros(len(body), np.int64)
        hits[1:] = there[:-1] & (alike[found[:-1]] == alike[1:]).all(axis=1)
        heard = np.concatenate([np.zeros(LATELY, np.int64), np.cumsum(hits)])
        trust = (heard[LATELY:] - heard[:-LATELY]) * TRUST // LATELY
        count = int(bars[-1]) + 1 if len(bars) else 0
        right = np.bincount(bars, hits * is_note, count).astype(int)
        notes = np.bincount(bars, is_note, count).astype(int)
        levels = np.array([likeness(r, n) for r, n in zip(right, notes, strict=True)], np.int64)
        out[1:, slot, :fields] = rows[skipped:]
        out[1:, slot, fields] = np.where(there, trust, 0)[skipped:]
        out[1:, slot, fields + 1] = np.where(there, levels[bars], 0)[skipped:]
    return out


class Recall:
    """The same, word by word. ``before`` are the words of bars that came before those that will be heard.

    ``sources`` says for a bar, counted from the first that is heard, which bar each of the backs recalls instead of its own (None:
    nothing), and ``likenesses`` what is told of it.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        backs: Sequence[int],
        before: Sequence[npt.NDArray[np.int64]] = (),
        sources: Mapping[int, Sequence[int | None]] | None = None,
        likenesses: Mapping[int, Sequence[int]] | None = None,
    ) -> None:
        column = vocabulary.column
        self._backs, self._likenesses = tuple(backs), likenesses or {}
        self._sources: Mapping[int, Sequence[int | None]] = {}  # they are of the bars that will be heard
        self._places, self._carrier = Places(vocabulary), Carrier(vocabulary)
        self._told = [column[name] for name in TOLD]
        self._alike = [column["type"], column["barbeat"], column["pitch"]]
        self._type, self._width = column["type"], len(vocabulary.fields)
        self._prefix = vocabulary.field("type").ids["Emotion"]
        self._keys: list[int] = []
        self._said: list[npt.NDArray[np.int64]] = []
        self._words: list[npt.NDArray[np.int64]] = []
        self._bar, self._heard = -1, [deque([0] * LATELY, LATELY) for _ in backs]
        self._found: list[int | None] = [None] * len(self._backs)
        self._before = 0
        for word in before:
            self._take(word)
        self._before, self._sources = self._bar + 1, sources or {}

    def _take(self, word: npt.NDArray[np.int64]) -> None:
        """Hears a word."""
        for slot, found in enumerate(self._found):
            hit = found is not None and bool((self._words[found][self._alike] == word[self._alike]).all())
            self._heard[slot].append(int(hit))
        self._bar += int(word[self._type] == self._places.bar)
        full = self._carrier.hear(word)
        said = np.zeros_like(full)
        said[self._told] = full[self._told]
        key = _BAR * self._bar + int(self._places.within(full))
        self._keys.append(max(key, self._keys[-1]) if self._keys else key)
        self._said.append(said)
        self._words.append(word)
        within = self._keys[-1] - _BAR * self._bar
        number = self._bar - self._before
        own = [self._bar - back for back in self._backs]
        told = self._sources.get(number)
        bars = own if told is None else [None if bar is None else bar + self._before for bar in told]
        self._found = [
            None if bar is None or bar < 0 or self._bar < 0 else bisect_right(self._keys, _BAR * bar + within) for bar in bars
        ]

    def hear(self, word: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The next word (fields,); what is recalled with it (backs, fields + 2)."""
        out = np.zeros((len(self._backs), self._width + MORE), np.int64)
        if word[self._type] == self._prefix:
            return out
        self._take(word)
        levels = self._likenesses.get(self._bar - self._before, (0,) * len(self._backs))
        for slot, found in enumerate(self._found):
            if found is not None:
                out[slot, : self._width] = self._said[found]
                trust = sum(self._heard[slot]) * TRUST // LATELY
                out[slot, self._width] = max(trust, FIRM) if levels[slot] >= CLEAR else trust
                out[slot, self._width + 1] = levels[slot]
        return out
