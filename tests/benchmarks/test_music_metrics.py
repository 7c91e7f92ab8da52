"""Generated music beside real music: POP909's validation songs, the same code, a hundred windows of eight bars each.

No measure is better when larger: the overlap with the real songs' histogram tells. Songs that the engine learned from show how
alike real music is to real music; the same rhythms with random pitches are the loser that every engine must beat.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from engines.bmt.data import read_song, songs
from engines.engine import BarBrief, Brief, load_engine
from engines.errors import ModelError, ProviderError
from engines.score.metrics import compared, equal_bars, grooves, measure
from engines.score.notes import Note

RESULTS = Path(__file__).parent / "results" / "music_metrics.json"
WINDOWS, BARS, STEPS = 100, 8, 16
LINES = equal_bars(BARS)


def real_windows(shared: Path, validation: bool) -> Iterator[tuple[tuple[Note, ...], str | None, float]]:
    """Notes in beats from 0, key and tempo of windows of eight 4/4 bars, one a song, from its middle; round again if need be."""
    found = 0
    for turn in range(8):
        for folder in songs(shared / "data" / "pop909", validation):
            piece = read_song(folder)
            if piece is None:
                continue
            first = len(piece.bar_steps) // 2 + turn * BARS - 2 * BARS
            if first < 0 or set(piece.bar_steps[first : first + BARS]) != {STEPS} or len(piece.bar_steps) < first + BARS:
                continue
            start = sum(piece.bar_steps[:first])
            notes = tuple(
                Note(Fraction(n.step - start, 4), n.pitch, Fraction(n.length, 4), n.velocity, n.stem)
                for n in piece.notes
                if start <= n.step < start + BARS * STEPS
            )
            bpm = next(float(tempo) for step, tempo in reversed(piece.tempi) if step <= start or step == 0)
            if notes:
                yield notes, piece.key, bpm
                found += 1
            if found == WINDOWS:
                return


def noise(notes: tuple[Note, ...], seed: int) -> tuple[Note, ...]:
    """The same rhythms, pitches drawn evenly from their range."""
    rng, pitches = Random(seed), [n.pitch for n in notes]
    return tuple(replace(n, pitch=rng.randint(min(pitches), max(pitches))) for n in notes)


def briefed(notes: tuple[Note, ...], key: str | None, bpm: float) -> Brief:
    """What a picture that moves like this music would ask for: its density bar by bar, key and tempo."""
    return Brief(
        tuple(BarBrief(LINES[k], Fraction(4), bpm=bpm, density=len(places)) for k, places in enumerate(grooves(notes, LINES))),
        key=key,
    )


def free(bpm: float) -> Brief:
    """Eight bars of which nothing is asked but the tempo."""
    return Brief(tuple(BarBrief(LINES[k], Fraction(4), bpm=bpm) for k in range(BARS)))


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_music_beside_real_music(shared: Path) -> None:
    real = list(real_windows(shared, validation=True))
    assert len(real) == WINDOWS
    versions = {
        "other real songs": [notes for notes, _, _ in real_windows(shared, validation=False)],
        "random pitches": [noise(notes, seed) for seed, (notes, _, _) in enumerate(real)],
    }
    try:
        engine = load_engine("bmt")
        versions["bmt, told"] = [engine.compose(briefed(*window), seed).notes for seed, window in enumerate(real)]
        versions["bmt, free"] = [engine.compose(free(bpm), seed).notes for seed, (_, _, bpm) in enumerate(real)]
    except (ModelError, ProviderError) as missing:
        print(f"\nwithout the engine: {missing}")
    truth = [measure(notes, LINES) for notes, _, _ in real]
    tables = {name: compared([measure(notes, LINES) for notes in pieces], truth) for name, pieces in versions.items()}
    print(f"\n{WINDOWS} windows of {BARS} bars; mean, and in brackets the overlap with the real validation songs (1 is alike)")
    print(f"{'':18}{'real':>9}" + "".join(f"{name:>24}" for name in tables))
    for name in truth[0]:
        row = next(iter(tables.values()))[name]
        cells = [f"{t[name]['ours']:>16.3f} ({t[name]['overlap']:.2f})" for t in tables.values()]
        print(f"{name:18}{row['real']:9.3f}" + "".join(f"{cell:>24}" for cell in cells))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(tables, indent=2) + "\n")

    def alike(version: str) -> float:
        return sum(float(tables[version][name]["overlap"] or 0) for name in ("pche_8", "pche_1", "out_of_key"))

    assert alike("other real songs") > alike("random pitches") + 0.5
    for version in tables.keys() - {"other real songs", "random pitches"}:
        assert alike(version) > alike("random pitches")
        assert (tables[version]["velocity_spread"]["ours"] or 0) > 1  # never one constant
