"""How full, how loud and how high each bar is where nobody said so: as in a window of the songs that were learned.

The network was told these of nearly every bar that it learned, and told nothing it plays a mean of all songs, thinner than any. So a
cue gets the outline of some real window for what its brief leaves open: one that is near in what the brief says and in what was
played before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np
import numpy.typing as npt

from engines.diffbgm.data import Windows, energy_of
from engines.diffbgm.pianoroll import BARS, STEPS_PER_BAR
from engines.engine import BarBrief, Brief
from engines.form import Form, length_of, recollected, start_of
from engines.score.metrics import grooves
from engines.score.notes import Note

COUNT = 400
"""Windows of which outlines are kept."""
NEAREST = 12
"""Outlines among which chance decides."""
FIELDS = ("density", "energy", "register")
SPREADS = (3.4, 0.17, 3.5)
"""How far apart bars of POP909 are in each, one standard deviation: what counts as near."""
PERCENT = 100

Outlines = npt.NDArray[np.int64]
"""(`COUNT`, `BARS`, 4): onset places of a bar, its energy in percent, its mean MIDI pitch, and the mood 1..4 of the window (0: none)."""


def outlines(windows: Windows) -> Outlines:
    """Outlines of windows from all over a corpus, of those without an empty bar."""
    found = []
    for window in np.linspace(0, len(windows) - 1, min(len(windows), 2 * COUNT)).astype(int):
        notes = windows.notes(int(window))
        bar = notes.step // STEPS_PER_BAR
        if len(np.unique(bar)) < BARS:
            continue
        mood = windows.mood(int(window), notes) or 0
        rows = []
        for k in range(BARS):
            inside = bar == k
            energy = round(PERCENT * energy_of(float(notes.velocity[inside].mean())))
            rows.append((len(np.unique(notes.step[inside])), energy, round(float(notes.pitch[inside].mean())), mood))
        found.append(rows)
    chosen = np.linspace(0, len(found) - 1, min(COUNT, len(found))).astype(int)
    return np.array([found[k] for k in chosen])


def outlined(brief: Brief, known: Outlines, rng: np.random.Generator, sources: Form = ()) -> Brief:
    """The brief with density, energy and register for every bar that has notes: as told, as in the bar that it takes up
    (``sources``), or as in one of the ``known`` windows."""
    before = _heard(brief)
    bars: list[BarBrief] = []
    of_mood = known[known[:, 0, 3] == brief.mood] if brief.mood else known
    rows = of_mood if len(of_mood) else known
    for first in range(0, len(brief.bars), BARS):
        block = brief.bars[first : first + BARS]
        drawn = rows[_near(block, rows, before, rng)]
        for number, (bar, row) in enumerate(zip(block, drawn, strict=False), first):
            source = sources[number] if sources else None
            if source is not None:
                row = _row(bars[source] if source >= 0 else _played(brief, source), row)
            bars.append(_filled(bar, row))
        before = [_mean([getattr(bar, name) for bar in bars[-BARS:]]) for name in FIELDS]
    return replace(brief, bars=tuple(bars))


def _near(block: Sequence[BarBrief], rows: Outlines, before: Sequence[float | None], rng: np.random.Generator) -> int:
    """One of the nearest outlines to what a block of bars says, else to what was before it."""
    apart = np.zeros(len(rows))
    for field, (name, spread) in enumerate(zip(FIELDS, SPREADS, strict=True)):
        told = [_of_four_four(bar, name) for bar in block]
        values = rows[:, : len(block), field] / (PERCENT if name == "energy" else 1)
        for k, value in enumerate(told):
            if value is not None:
                apart += ((values[:, k] - value) / spread) ** 2 / len(block)
        if (gone := before[field]) is not None and all(value is None for value in told):
            apart += ((values.mean(axis=1) - gone) / spread) ** 2
    if not apart.any():
        return int(rng.integers(len(rows)))
    return int(rng.choice(np.argsort(apart, kind="stable")[:NEAREST]))


def _of_four_four(bar: BarBrief, name: str) -> float | None:
    """What a bar says of a field, a density as that of a bar of four beats."""
    value = getattr(bar, name)
    return None if value is None else float(value) * (4 / float(bar.length) if name == "density" else 1.0)


def _filled(bar: BarBrief, row: npt.NDArray[np.int64]) -> BarBrief:
    """A bar with what its brief leaves open; one that is to be empty stays as it is."""
    if bar.density == 0:
        return bar
    density = bar.density if bar.density is not None else max(1, round(float(row[0] * bar.length / 4)))
    energy = bar.energy if bar.energy is not None else float(row[1]) / PERCENT
    return replace(bar, density=density, energy=energy, register=bar.register if bar.register is not None else float(row[2]))


def _played(brief: Brief, number: int) -> BarBrief:
    """A bar of the theme, or of what was played before the cue, as a brief would say it."""
    begin, length = start_of(brief, number), length_of(brief, number)
    notes = [note for note in recollected(brief) if begin <= note.start < begin + length]
    bar = BarBrief(begin, length)
    if not notes:
        return bar
    density = len(grooves(notes, [begin, begin + length])[0])
    return replace(
        bar, density=density, energy=energy_of(fmean(n.velocity for n in notes)), register=fmean(n.pitch for n in notes)
    )


def _row(bar: BarBrief, other: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The outline of a bar, from an ``other`` where it is to be empty."""
    if not bar.density or bar.energy is None or bar.register is None:
        return other
    return np.array([round(bar.density * 4 / bar.length), round(PERCENT * bar.energy), round(bar.register), other[3]])


def _heard(brief: Brief) -> list[float | None]:
    """Mean density, energy and register of the four bars of four beats before the cue; None where nothing was played."""
    begin = brief.bars[0].start
    lines = [begin - 4 * k for k in range(4, -1, -1)]
    notes: list[Note] = [note for note in brief.before if lines[0] <= note.start < begin]
    if not notes:
        return [None] * len(FIELDS)
    density = _mean([float(len(places)) for places in grooves(notes, lines) if places])
    return [density, energy_of(fmean(n.velocity for n in notes)), fmean(n.pitch for n in notes)]


def _mean(values: Sequence[float | None]) -> float | None:
    said = [float(value) for value in values if value is not None]
    return fmean(said) if said else None
