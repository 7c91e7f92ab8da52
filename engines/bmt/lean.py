"""Leaning towards the key and the chord that the music is in.

A network that learned for hours rather than days knows which notes a chord wants, but not so surely that every draw keeps to it. So
the logits of what strays are lowered, by amounts that bring the shares to those of real songs (``tests/benchmarks``). A network
that is sure of itself is hardly changed by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from engines.bmt.vocabulary import ROOTS, Vocabulary
from engines.score.harmony import scale_tones

TONES = {
    "M": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "M7": (0, 4, 7, 11),
    "m7": (0, 3, 7, 10),
    "o": (0, 3, 6),
    "o7": (0, 3, 6, 9),
    "/o7": (0, 3, 6, 10),
    "+": (0, 4, 8),
    "sus2": (0, 2, 7),
    "sus4": (0, 5, 7),
}
"""Semitones above the root, by the quality in a chord word."""


@dataclass(frozen=True)
class Lean:
    """How much is taken from a logit, in nats.

    ``stray``: of a note outside both the key and the chord; ``chord``: of a chord with a tone outside the key;
    ``accompaniment`` and ``melody``: of a note outside the chord, in the piano and in the other stems; ``bass``: of a lowest note
    under a new chord that is not its root. Given instead are ``home``, to the key's own triad, and ``again``, to what was played
    in a bar that comes back (`Echo`): None leaves it to the network whether something does, and draws no form.
    """

    stray: float = 0.0
    chord: float = 0.0
    accompaniment: float = 0.0
    melody: float = 0.0
    bass: float = 0.0
    home: float = 0.0
    again: float | None = None


class Harmony:
    """What is taken from every chord and pitch of a vocabulary in one key (None: from what strays from the chord alone)."""

    def __init__(self, vocabulary: Vocabulary, key: str | None, lean: Lean) -> None:
        self.lean, self._vocabulary = lean, vocabulary
        scale = scale_tones(key) if key else None
        tonic, _, mode = (key or "").partition(":")
        self._home = f"{tonic}_{'m' if mode == 'min' else 'M'}"
        self._scale = np.array([scale is None or k in scale for k in range(12)])
        self._classes = np.array([0 if v == 0 else int(str(v)[11:]) % 12 for v in vocabulary.field("pitch").values])
        self._pitches: dict[tuple[int, bool, bool], npt.NDArray[np.float32]] = {}

    @cached_property
    def _tones(self) -> list[npt.NDArray[np.bool_]]:
        """The pitch classes of each chord by id; none for what is no chord."""
        out = []
        for value in self._vocabulary.field("chord").values:
            root, _, quality = str(value).partition("_")
            held = np.zeros(12, bool)
            if quality in TONES and root in ROOTS:
                held[[(ROOTS.index(root) + step) % 12 for step in TONES[quality]]] = True
            out.append(held)
        return out

    @cached_property
    def chords(self) -> npt.NDArray[np.float32]:
        """What is added to the logits of chords, by id."""
        strays = [bool((held & ~self._scale).any()) for held in self._tones]
        home = [value == self._home for value in self._vocabulary.field("chord").values]
        return (np.where(strays, -self.lean.chord, 0) + np.where(home, self.lean.home, 0)).astype(np.float32)

    def pitches(self, chord_id: int, accompanies: bool, bass: bool = False) -> npt.NDArray[np.float32]:
        """What is added to the logits of pitches over a chord (id 0 is none), by id; ``bass`` for the lowest note of its first beat."""
        if (known := self._pitches.get((chord_id, accompanies, bass))) is not None:
            return known
        held = self._tones[chord_id]
        taken = np.where(held | ~held.any(), 0.0, self.lean.accompaniment if accompanies else self.lean.melody)
        taken += np.where(held | self._scale, 0.0, self.lean.stray)
        root = str(self._vocabulary.value("chord", chord_id)).partition("_")[0]
        if bass and root in ROOTS:
            taken += np.where(np.arange(12) == ROOTS.index(root), 0.0, self.lean.bass)
        self._pitches[chord_id, accompanies, bass] = (-taken[self._classes]).astype(np.float32)
        return self._pitches[chord_id, accompanies, bass]

    def fitting(self, chord_id: int, accompanies: bool) -> npt.NDArray[np.bool_]:
        """The pitch classes that keep to a chord, for other stems than the accompaniment also those of the key (12,)."""
        held = self._tones[chord_id]
        fits: npt.NDArray[np.bool_] = np.ones(12, bool) if not held.any() else held if accompanies else held | self._scale
        return fits
