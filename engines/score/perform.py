"""The performance: dynamics and timing by amount, shaped by metre, phrase, energy and hits."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import pi, sin
from random import Random

from engines.engine import BarBrief
from engines.errors import OptionError
from engines.score.instruments import SHORTEST, Instrument, playable
from engines.score.notes import Note, sorted_notes
from engines.score.tempo_track import DIVISION
from engines.spotting.tempo import TempoMap

# velocity steps at amount 1
DOWNBEAT, STRONG, BEAT, OFFBEAT, WEAK = 12, 7, 1, -5, -10  # by place in the bar
ENERGY = 30  # from energy 0.5 to 1
PHRASE = 10  # from the ends of a phrase to its height
CONTOUR = 0.5  # a semitone above the mean of the stem
TOP, INNER = 4, -5  # of a chord in one stem
TOUCH = 4  # standard deviation, note by note

# milliseconds at amount 1
TOGETHER_MS, APART_MS, FARTHEST_MS = 6.0, 2.0, 15.0  # standard deviations of a chord and of its notes; the most that a note moves

PHRASE_BARS = 4
"""Bars in a phrase, counted from the cue's first."""


def perform(
    notes: Iterable[Note],
    tempo_map: TempoMap,
    *,
    amount: float = 0.5,
    seed: int = 0,
    accents: Mapping[Fraction, float] | None = None,
    bars: Sequence[BarBrief] = (),
    keep: Collection[Note] = (),
    instruments: Mapping[str, Instrument] | None = None,
) -> tuple[Note, ...]:
    """The notes as played: velocities on top of the engine's own, onsets a few milliseconds off the grid. Same seed, same notes.

    ``amount`` 0 leaves everything but the accents as it is, 1 is a passionate player. ``accents`` are beats that answer hits,
    with the weight (0..1) of each: they are louder than without, and stay exactly where they are. ``bars`` give energy and
    metre; the map's own bars serve where there are none. ``keep`` stays bit-identical. Raises OptionError.
    """
    if not 0 <= amount <= 1:
        raise OptionError(f"{amount} is not in 0..1", where="the amount of performance", cure="0.5 is a calm player")
    played, kept, marked = sorted_notes(notes), set(keep), dict(accents or {})
    end = max([note.end for note in played], default=Fraction(0))
    frame = _Frame(tempo_map, bars, end)
    rng = Random(seed)  # noqa: S311 - music, no secret
    shaped = _dynamics(played, kept, marked, frame, amount, rng)
    return playable(_timing(shaped, kept, marked, tempo_map, amount, rng), instruments, kept)


class _Frame:
    """Metre and energy around a beat."""

    def __init__(self, tempo_map: TempoMap, briefs: Sequence[BarBrief], end: Fraction) -> None:
        own = [(bar.start, bar.metre.length, (bar.metre.beats, bar.metre.unit), None) for bar in tempo_map.bars_until(end)]
        told = [(bar.start, bar.length, bar.metre, bar.energy) for bar in briefs]
        self.bars: list[tuple[Fraction, Fraction, tuple[int, int], float | None]] = told or list(own)
        self.starts = [bar[0] for bar in self.bars]

    def index(self, beat: Fraction) -> int:
        return max(0, bisect_right(self.starts, beat) - 1)

    def metre(self, beat: Fraction) -> int:
        """The weight of a place in its bar, in velocity steps."""
        start, _, (beats, unit), _ = self.bars[self.index(beat)]
        place = beat - start
        if place == 0:
            return DOWNBEAT
        if place in _groups(beats, unit):
            return STRONG
        pulse = Fraction(4, unit)
        return BEAT if place % pulse == 0 else OFFBEAT if place % (pulse / 2) == 0 else WEAK

    def energy(self, beat: Fraction) -> float:
        """Energy -1..1 at a beat, on the straight line from the middle of one bar to the middle of the next; 0 if nobody says."""
        k = self.index(beat)
        start, length, _, here = self.bars[k]
        if here is None:
            return 0.0
        offset = float((beat - start) / length) - 0.5
        beside = self.bars[min(len(self.bars) - 1, k + 1) if offset > 0 else max(0, k - 1)][3]
        there = here if beside is None else beside
        return 2 * (here + (there - here) * min(1.0, abs(offset))) - 1

    def phrase(self, beat: Fraction) -> float:
        """-1..1 on the arch of a phrase: from its beginning up to its middle and down again."""
        k = self.index(beat)
        start, length, _, _ = self.bars[k]
        inside = min(1.0, max(0.0, float((beat - start) / length)))
        return 2 * sin(pi * (k % PHRASE_BARS + inside) / PHRASE_BARS) - 1


def _groups(beats: int, unit: int) -> set[Fraction]:
    """Where the strong places of a bar lie after the downbeat: 4/4 in halves, 6/8 in threes, 5/4 as 3+2, 7/8 as 2+2+3."""
    one = Fraction(4, unit)
    if unit >= 8 and beats % 3 == 0:
        return {k * one for k in range(3, beats, 3)}
    if beats % 2 == 0:
        return {beats // 2 * one}
    if unit >= 8:
        return {k * one for k in range(2, beats - 2, 2)}
    return {Fraction(3) * one} if beats > 3 else set()


def _dynamics(
    notes: Sequence[Note], kept: set[Note], accents: Mapping[Fraction, float], frame: _Frame, amount: float, rng: Random
) -> list[Note]:
    pitches: dict[str, list[int]] = defaultdict(list)
    chords: dict[tuple[str, Fraction], list[int]] = defaultdict(list)
    for note in notes:
        pitches[note.stem].append(note.pitch)
        chords[note.stem, note.start].append(note.pitch)
    mean = {stem: sum(line) / len(line) for stem, line in pitches.items()}
    out = []
    for note in notes:
        touch = rng.gauss(0, TOUCH)
        if kept and note in kept:
            out.append(note)
            continue
        chord = chords[note.stem, note.start]
        voice = 0 if len(chord) == 1 else TOP if note.pitch == max(chord) else INNER if note.pitch > min(chord) else 0
        shape = (
            frame.metre(note.start)
            + ENERGY * frame.energy(note.start)
            + PHRASE * frame.phrase(note.start)
            + CONTOUR * min(12.0, max(-12.0, note.pitch - mean[note.stem]))
            + voice
            + touch
        )
        velocity = note.velocity + amount * shape
        if note.start in accents:
            velocity = max(velocity, note.velocity) + 8 + 14 * accents[note.start]
        out.append(replace(note, velocity=min(127, max(1, round(velocity)))))
    return out


def _timing(
    notes: Sequence[Note], kept: set[Note], accents: Mapping[Fraction, float], tempo_map: TempoMap, amount: float, rng: Random
) -> list[Note]:
    """Onsets off the grid, to whole ticks; the notes of a chord stay together, no onset passes another, accents do not move."""
    starts = sorted({note.start for note in notes})
    gaps = [Fraction(1), *(after - before for before, after in pairwise(starts)), Fraction(1)]
    room = {start: min(gaps[k], gaps[k + 1]) / 3 for k, start in enumerate(starts)}
    leans: dict[tuple[str, Fraction], float] = {}
    out = []
    for note in notes:
        lean = leans.setdefault((note.stem, note.start), rng.gauss(0, TOGETHER_MS))
        late = amount * min(FARTHEST_MS, max(-FARTHEST_MS, lean + rng.gauss(0, APART_MS)))
        if (kept and note in kept) or note.start in accents or note.start <= 0 or not amount:
            out.append(note)
            continue
        there = tempo_map.beat(tempo_map.seconds(note.start) + Fraction(round(late * 1000), 1_000_000))
        moved = note.start + min(room[note.start], max(-room[note.start], there - note.start))
        start = max(Fraction(0), Fraction(round(moved * DIVISION), DIVISION))
        out.append(replace(note, start=start, length=max(SHORTEST, note.end - start)))
    return out
