"""POP909 as eight-bar windows of a piano roll, with everything in them that a brief can tell.

Songs are read by `engines.bmt.data` (quantised against their annotated beats; songs in triple metre left out; those whose index
ends in 5 are for validation). A window begins at every 4/4 bar that has eight bars' length of music after it, a hop of one bar, as
published (``specs/diffbgm.md`` sections 1.4 and 9.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.bmt.data import read_song, songs
from engines.diffbgm.conditions import (
    CONTROLS,
    FIELDS,
    UNTOLD,
    BarTold,
    Tokens,
    blank,
    strength_of,
    tell_bar,
    tell_chord,
    tell_scene,
    tell_stems,
    untold,
)
from engines.diffbgm.pianoroll import BARS, BEATS, STEPS, STEPS_PER_BAR, STEPS_PER_BEAT, Layout, Roll
from engines.score.harmony import chord_tones, pitch_class
from engines.score.notes import STEMS

ROOTS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
QUIETEST, LOUDEST = 40, 119
"""Mean velocities of a bar that are energy 0 and 1, as the words of `engines.bmt.tokens` have it."""
WHOLE_SET = 65_438
"""Windows of all 909 songs, counted from their annotations (`published_starts`)."""


def energy_of(velocity: float) -> float:
    """0..1 of a bar's mean velocity."""
    return min(1.0, max(0.0, (velocity - QUIETEST) / (LOUDEST - QUIETEST)))


def velocity_of(energy: float) -> float:
    """The mean velocity that an energy asks for."""
    return QUIETEST + energy * (LOUDEST - QUIETEST)


def published_starts(folder: Path) -> list[int]:
    """The beats at which the published windows of a song begin: downbeats that have seven more after them, the next of which is
    four beats away; counted from the annotation alone."""
    flags = np.loadtxt(folder / "beat_midi.txt", ndmin=2)[:, 2]
    downbeats = np.flatnonzero(flags == 1)
    near = [k for k in range(len(downbeats) - BARS + 1) if downbeats[k + 1] - downbeats[k] == STEPS_PER_BAR // STEPS_PER_BEAT]
    return [int(downbeats[k]) for k in near]


@dataclass(frozen=True)
class Corpus:
    """Notes and harmony of many songs on one axis of steps, each song after the last, and where windows begin.

    Notes in order of their steps: ``step``, ``pitch``, ``length``, ``velocity`` and ``stem`` (its place in STEMS), each (n,).
    ``chord`` (beats,) is a row of ``chords``; ``starts`` (windows,) in steps; ``song`` (windows,); ``key`` and ``bpm`` a song, key
    -1 or its place in C..B major, then minor.
    """

    step: npt.NDArray[np.int32]
    pitch: npt.NDArray[np.int16]
    length: npt.NDArray[np.int16]
    velocity: npt.NDArray[np.int16]
    stem: npt.NDArray[np.int8]
    chord: npt.NDArray[np.int16]
    starts: npt.NDArray[np.int32]
    song: npt.NDArray[np.int32]
    key: npt.NDArray[np.int16]
    bpm: npt.NDArray[np.float32]
    chords: npt.NDArray[np.str_]


def key_number(key: str | None) -> int:
    """0..11 for C..B major, 12..23 minor, -1 for none."""
    tonic, _, mode = (key or "").partition(":")
    place = pitch_class(tonic)
    return -1 if place is None else place + 12 * (mode == "min")


def build_corpus(root: str | Path, validation: bool) -> Corpus:
    """Every 4/4 song of one share of POP909."""
    rows: list[npt.NDArray[np.int64]] = []
    beats: list[npt.NDArray[np.int64]] = []
    starts: list[int] = []
    song: list[int] = []
    key: list[int] = []
    bpm: list[float] = []
    chords: dict[str, int] = {"N_N": 0}
    at = 0
    for folder in songs(root, validation):
        piece = read_song(folder)
        if piece is None:
            continue
        length = -(-piece.steps // STEPS_PER_BAR) * STEPS_PER_BAR
        rows.append(np.array([(at + n.step, n.pitch, n.length, n.velocity, STEMS.index(n.stem)) for n in piece.notes]))
        line = np.zeros(length // STEPS_PER_BEAT, np.int64)
        for step, symbol in piece.chords:
            line[step // STEPS_PER_BEAT :] = chords.setdefault(symbol, len(chords))
        beats.append(line)
        lines = np.cumsum([0, *piece.bar_steps])
        begin = [int(s) for s, n in zip(lines, piece.bar_steps, strict=False) if n == STEPS_PER_BAR and s + STEPS <= lines[-1]]
        starts += [at + s for s in begin]
        song += [len(key)] * len(begin)
        key.append(key_number(piece.key))
        bpm.append(float(piece.tempi[0][1]))
        at += length
    notes = np.concatenate(rows)
    return Corpus(
        notes[:, 0].astype(np.int32),
        notes[:, 1].astype(np.int16),
        notes[:, 2].astype(np.int16),
        notes[:, 3].astype(np.int16),
        notes[:, 4].astype(np.int8),
        np.concatenate(beats).astype(np.int16),
        np.array(starts, np.int32),
        np.array(song, np.int32),
        np.array(key, np.int16),
        np.array(bpm, np.float32),
        np.array(list(chords)),
    )


@dataclass(frozen=True)
class Notes:
    """Notes of one window, steps from its start; arrays (n,) as in `Corpus`."""

    step: npt.NDArray[np.int64]
    pitch: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    velocity: npt.NDArray[np.int64]
    stem: npt.NDArray[np.int64]


def paint_arrays(notes: Notes, layout: Layout) -> Roll:
    """`engines.diffbgm.pianoroll.paint` for arrays: the same roll, fast enough to make batches."""
    roll = np.zeros(layout.shape, np.float32)
    voices = np.array([layout.voice(stem) for stem in STEMS])[notes.stem]
    column = notes.pitch - layout.lowest
    column = np.where(column < 0, column % 12, column)
    over = np.maximum(0, column - layout.pitches + 1)
    column = column - 12 * -(-over // 12)
    roll[2 * voices, notes.step, column] = 1
    for held in range(1, int(notes.length.max(initial=1))):
        rows = (notes.length > held) & (notes.step + held < STEPS)
        roll[2 * voices[rows] + 1, notes.step[rows] + held, column[rows]] = 1
    if layout.velocity:
        np.maximum.at(roll[-1], (notes.step, column), (notes.velocity / 127).astype(np.float32))
    return roll


class Windows:
    """Draws windows: rolls and what is told of them, transposed, with controls dropped at random."""

    def __init__(self, corpus: Corpus, layout: Layout, drop: float = 0.15, drop_all: float = 0.12) -> None:
        self.corpus, self.layout, self.drop, self.drop_all = corpus, layout, drop, drop_all
        self._tones = [chord_tones(str(symbol)) for symbol in corpus.chords]
        # arousal is measured against the whole corpus: what is lively for pop piano
        songs_heard = np.unique(corpus.song)
        self._tempo = float(np.log2(corpus.bpm[songs_heard]).mean())
        self._velocity = float(corpus.velocity.mean())
        self._onsets = len(np.unique(corpus.step)) / max(1, len(corpus.chord) // STEPS_PER_BEAT)

    def __len__(self) -> int:
        return len(self.corpus.starts)

    def notes(self, window: int, semitones: int = 0) -> Notes:
        """The notes that begin in a window, transposed; one that leaves the roll's pitches comes back by an octave."""
        corpus, start = self.corpus, int(self.corpus.starts[window])
        a, b = np.searchsorted(corpus.step, (start, start + STEPS))
        step, pitch, length, velocity, stem = (
            column[a:b].astype(np.int64) for column in (corpus.step, corpus.pitch, corpus.length, corpus.velocity, corpus.stem)
        )
        return Notes(step - start, pitch + semitones, length, velocity, stem)

    def told(self, window: int, notes: Notes, semitones: int = 0) -> Tokens:
        """Everything that can be told of a window, measured from its music: (32, width)."""
        corpus, tokens = self.corpus, blank()
        song = int(corpus.song[window])
        beat = int(corpus.starts[window]) // STEPS_PER_BEAT
        for k, row in enumerate(corpus.chord[beat : beat + BEATS]):
            tell_chord(tokens, k, [(tone + semitones) % 12 for tone in self._tones[row]])
        tokens[:, FIELDS["strength"]] = 0
        counts = np.bincount(notes.step, minlength=STEPS)
        for step in np.flatnonzero(counts > 1):
            # as a hit is answered: two notes for the softest, six for the strongest
            tokens[step // STEPS_PER_BEAT, FIELDS["strength"].start + step % STEPS_PER_BEAT] = max(
                0.1, strength_of(int(counts[step]))
            )
        for bar in range(BARS):
            rows = notes.step // STEPS_PER_BAR == bar
            told = BarTold(density=float(len(np.unique(notes.step[rows]))))
            if rows.any():
                told = BarTold(told.density, energy_of(float(notes.velocity[rows].mean())), float(notes.pitch[rows].mean()))
            tell_bar(tokens, slice(4 * bar, 4 * bar + 4), told)
        number = int(corpus.key[song])
        key = None if number < 0 else f"{ROOTS[(number + semitones) % 12]}:{'maj' if number < 12 else 'min'}"
        tell_scene(tokens, self.mood(window, notes), key, float(corpus.bpm[song]))
        tell_stems(tokens, [bool((notes.stem == k).any()) for k in range(len(STEMS))])
        return tokens

    def mood(self, window: int, notes: Notes) -> int | None:
        """Pseudo-label of a window, 1..4: valence from the mode of its key, arousal from density, velocity and tempo. None without
        a key or without notes."""
        song = int(self.corpus.song[window])
        if self.corpus.key[song] < 0 or not len(notes.step):
            return None
        # each in units of about one spread of the corpus
        lively = (
            (len(np.unique(notes.step)) / BARS - self._onsets) / 3
            + (float(notes.velocity.mean()) - self._velocity) / 12
            + (float(np.log2(self.corpus.bpm[song])) - self._tempo) / 0.35
        ) > 0
        bright = self.corpus.key[song] < 12
        return {(True, True): 1, (False, True): 2, (False, False): 3, (True, False): 4}[(bool(bright), bool(lively))]

    def dropped(self, tokens: Tokens, rng: np.random.Generator) -> Tokens:
        """The tokens as the network is to hear them: now and then none at all, else each control left out at random, for the
        window or for a bar; of strengths only a few are ever told, as a brief tells only its hits."""
        if rng.random() < self.drop_all:
            return untold(tokens.shape[1])
        heard = tokens.copy()
        for name in CONTROLS:
            if rng.random() < self.drop * (2 if name in ("strength", "mood", "key") else 1):
                heard[:, FIELDS[name]] = UNTOLD
        for name in ("chord", "density", "energy", "register"):
            heard[np.repeat(rng.random(BARS) < 0.1, 4), FIELDS[name]] = UNTOLD
        strengths = heard[:, FIELDS["strength"]]
        strengths[rng.random(strengths.shape) > rng.choice([0.03, 0.1, 0.3])] = UNTOLD
        return heard

    def draw(self, rng: np.random.Generator) -> tuple[Roll, Tokens]:
        """One window: its roll (0..1) and what the network hears of it."""
        window, semitones = int(rng.integers(len(self))), int(rng.integers(-6, 6))
        notes = self.notes(window, semitones)
        return paint_arrays(notes, self.layout), self.dropped(self.told(window, notes, semitones), rng)
