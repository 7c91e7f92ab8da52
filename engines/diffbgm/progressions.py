"""Chords for bars of which nobody said any: drawn as songs move from one bar's chord to the next.

The network was told the chords of nearly every bar that it learned, and plays best to them. So bars without one get one, in the key
of the cue, from how often POP909 goes from each triad to each (relative to its key, in major and in minor), and half of those of four
beats turn to another in their middle, as half of POP909's do. What was said, and what kept and neighbouring notes sound like, is the
harmony there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from engines.bmt.plan import heard_chord
from engines.bmt.tokens import GridNote
from engines.bmt.vocabulary import ROOTS
from engines.diffbgm.data import Corpus
from engines.diffbgm.pianoroll import STEPS_PER_BAR, STEPS_PER_BEAT
from engines.engine import BarBrief, Brief
from engines.form import PHRASE, Form, length_of, recollected, start_of
from engines.score.harmony import chord_tones, pitch_class, scale_tones
from engines.score.metrics import best_key
from engines.score.notes import Note

STATES = 24
"""Triads above the tonic: major on each of twelve steps, then minor."""
AGAIN = 0.5
"""How often the harmony of a phrase is that of the phrase before it, where the form says nothing."""
PLAIN = 1.2
"""Shares are raised to this power: the common turn more often than songs take it, the odd one less."""
DRAWS = 2
"""Draws of which the first is taken that sounds like the key: one bar after another, chords may wander into a neighbouring one, as in
every third window of eight bars, and in POP909's in every fifth."""
HALF = Fraction(2)
"""Beats after which a bar of four may turn to another chord."""

Counts = npt.NDArray[np.int64]
"""(2, 2, `STATES`, `STATES`): major or minor key, into the middle of a bar or into the next bar, the chord before, the chord after."""


def state_of(symbol: str, tonic: int) -> int | None:
    """The state of a chord symbol above a tonic; None for no chord."""
    tones = chord_tones(symbol)
    if not tones:
        return None
    return (tones[0] - tonic) % 12 + 12 * ((tones[1] - tones[0]) % 12 == 3)


def symbol_of(state: int, tonic: int) -> str:
    """The chord word of a state above a tonic."""
    return f"{ROOTS[(state + tonic) % 12]}_{'m' if state >= 12 else 'M'}"


def count(corpus: Corpus) -> Counts:
    """How often the songs of a corpus go from the chord of one half of a 4/4 bar to that of the next half."""
    counts = np.zeros((2, 2, STATES, STATES), np.int64)
    half = STEPS_PER_BAR // 2
    for start, song in zip(corpus.starts, corpus.song, strict=True):
        key = int(corpus.key[song])
        rows = [corpus.chord[(start + step) // STEPS_PER_BEAT] for step in (0, half, STEPS_PER_BAR)]
        states = [state_of(str(corpus.chords[row]), key % 12) for row in rows]
        for into, (a, b) in enumerate(pairwise(states)):
            if key >= 0 and a is not None and b is not None:
                counts[key // 12, into, a, b] += 1
    return counts


@dataclass(frozen=True)
class Harmonised:
    """A brief with a chord for every bar, and the chords that bars turn to in their middle, by the beat where they do."""

    brief: Brief
    turns: Mapping[Fraction, str]


def harmonised(
    brief: Brief, kept: Sequence[Note], key: str, counts: Counts, rng: np.random.Generator, sources: Form = ()
) -> Harmonised:
    """The brief with a chord for every bar: as told, as heard in kept notes, as in the bar that it takes up (``sources``), or drawn,
    with its turn. Of some draws the first is taken that sounds like the key."""
    for _ in range(DRAWS - 1):
        found = _drawn(brief, kept, key, counts, rng, sources)
        if _sounds_like(found, key):
            return found
    return _drawn(brief, kept, key, counts, rng, sources)


def _sounds_like(found: Harmonised, key: str) -> bool:
    """Whether the tones of chords, as long as they hold, fit no other scale better than that of the key."""
    changes = sorted({**{bar.start: str(bar.chord) for bar in found.brief.bars}, **found.turns}.items())
    last = found.brief.bars[-1]
    ends = [*(start for start, _ in changes[1:]), last.start + last.length]
    tones = [
        Note(start, 60 + tone, end - start, 64)
        for (start, chord), end in zip(changes, ends, strict=True)
        for tone in chord_tones(chord)
    ]
    heard = best_key(tones)
    return heard is None or scale_tones(heard) == scale_tones(key)


def _drawn(brief: Brief, kept: Sequence[Note], key: str, counts: Counts, rng: np.random.Generator, sources: Form) -> Harmonised:
    """One draw."""
    tonic, minor = pitch_class(key.partition(":")[0]) or 0, key.endswith("min")
    first, moves = brief.bars[0].start, counts[int(minor)]
    now = state_of(_heard(brief.before, first - 4, first), tonic)
    bars: list[BarBrief] = []
    states: list[tuple[int, int]] = []
    turns: dict[Fraction, str] = {}
    again = False
    for k, bar in enumerate(brief.bars):
        if k % PHRASE == 0:
            again = k >= PHRASE and rng.random() < AGAIN
        said = bar.chord or _heard(kept, bar.start, bar.start + bar.length)
        state = state_of(said, tonic)
        turned = state
        if state is None and bar.chord is None:
            source = sources[k] if sources else None
            source = k - PHRASE if again and source is None else source
            if source is not None and source < 0:
                begin = start_of(brief, source)
                state = state_of(_heard(recollected(brief), begin, begin + length_of(brief, source)), tonic)
                states_then = None if state is None else (state, state)
            else:
                states_then = None if source is None else states[source]
            state = _next(moves[1], now, tonic_state(minor), rng) if states_then is None else states_then[0]
            said = symbol_of(state, tonic)
            turned = _next(moves[0], state, state, rng) if states_then is None else states_then[1]
            if turned != state and bar.length == 2 * HALF:
                turns[bar.start + HALF] = symbol_of(turned, tonic)
            else:
                turned = state
        bars.append(replace(bar, chord=said))
        now = now if turned is None else turned  # no chord was asked for: what comes next follows what was before
        last = tonic_state(minor) if now is None else now
        states.append((last if state is None else state, last))
    return Harmonised(replace(brief, bars=tuple(bars)), turns)


def tonic_state(minor: bool) -> int:
    """The state of the tonic's own triad."""
    return 12 if minor else 0


def _next(table: Counts, now: int | None, tonic: int, rng: np.random.Generator) -> int:
    """The state after ``now``, which stays as often as it does in songs; a cue that begins anew begins as bars of the corpus do."""
    row = (table.sum(axis=0) if now is None else table[now]).astype(np.float64)
    if not row.any():
        return tonic
    weight = row / row.sum()
    moved = weight**PLAIN
    if now is not None and weight[now] < 1:
        moved[now] = 0
        moved *= (1 - weight[now]) / moved.sum()
        moved[now] = weight[now]
    return int(rng.choice(STATES, p=moved / moved.sum()))


def _heard(notes: Sequence[Note], start: Fraction, end: Fraction) -> str:
    """The triad that notes of a stretch sound like, ``N_N`` for none."""
    inside = [n for n in notes if start <= n.start < end]
    return heard_chord([GridNote(0, n.pitch, round(STEPS_PER_BEAT * n.length), n.velocity, n.stem) for n in inside])
