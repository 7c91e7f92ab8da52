"""Whether themes come back: of cues of 24 bars, how much of a bar's notes are those of 4 and of 8 bars before, beside held-out songs."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import fmean

import pytest

from engines.bmt.compose import BMTEngine
from engines.bmt.data import read_song
from engines.bmt.grammar import LEAN
from engines.engine import Engine, load_engine
from engines.score.notes import STEMS, Note
from engines.sketch import Sketch

RESULTS = Path(__file__).parent / "results" / "themes.json"
CUES, LENGTH = int(os.environ.get("HITPOINT_CUES", "40")), 24
BACK = (4, 8)
BPM = Fraction(80)
Bar = frozenset[tuple[Fraction, int]]
"""Places in the bar, in beats, and pitches of the notes that begin there."""


def in_bars(notes: Sequence[Note], stem: str) -> list[Bar]:
    """A stem bar by bar; bars are of four beats."""
    out: list[set[tuple[Fraction, int]]] = [set() for _ in range(LENGTH)]
    for note in notes:
        if note.stem == stem and 0 <= note.start < 4 * LENGTH:
            out[int(note.start // 4)].add((note.start % 4, note.pitch))
    return [frozenset(bar) for bar in out]


def returning(cues: Sequence[Sequence[Note]]) -> dict[str, float]:
    """By stem and bars back: the share of bars (of two notes or more, as the earlier ones) that are, more than half, those before."""
    found: dict[str, float] = {}
    for stem in STEMS:
        for back in BACK:
            alike = []
            for bars in (in_bars(notes, stem) for notes in cues):
                for now, before in zip(bars[back:], bars, strict=False):
                    if len(now) > 1 and len(before) > 1:
                        alike.append(len(now & before) / len(now | before) > 0.5)
            found[f"{stem}, {back} back"] = fmean(alike)
    return found


def songs(data: Path) -> list[list[Note]]:
    """Stretches of validation songs, in beats from their own first bar."""
    out = []
    for folder in sorted(data.iterdir()):
        piece = read_song(folder) if folder.name.isdigit() and folder.name.endswith("5") else None
        for first in range(0, (len(piece.bar_steps) if piece else 0) - LENGTH, LENGTH):
            if piece and set(piece.bar_steps[: first + LENGTH]) == {16}:
                notes = [n for n in piece.notes if 16 * first <= n.step < 16 * (first + LENGTH)]
                out.append([Note(Fraction(n.step, 4) - 4 * first, n.pitch, Fraction(1), n.velocity, n.stem) for n in notes])
    return out


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
def test_themes_come_back_as_in_songs(shared: Path) -> None:
    brief = Sketch(LENGTH, BPM).brief()
    engines: dict[str, Engine] = {
        "bmt": load_engine("bmt"),
        "bmt, no form": BMTEngine(lean=replace(LEAN, again=None)),
        "diffbgm": load_engine("diffbgm"),
    }
    real = songs(shared / "data" / "pop909")
    table = {f"real songs ({len(real)})": returning(real)}
    for name, engine in engines.items():
        table[f"{name} ({CUES})"] = returning([engine.compose(brief, seed).notes for seed in range(1, CUES + 1)])
    print("\nshare of bars that are, more than half, those of so many bars before")
    width = max(map(len, table))
    print(f"{'':{width}}  " + "  ".join(next(iter(table.values()))))
    for name, row in table.items():
        print(f"{name:{width}}  " + "  ".join(f"{100 * share:{len(what) - 2}.1f} %" for what, share in row.items()))
    RESULTS.write_text(json.dumps({"bars": LENGTH, "shares": table}, indent=1) + "\n", "utf-8")
    theme = "melody, 8 back"
    assert table[f"bmt ({CUES})"][theme] > 3 * table[f"bmt, no form ({CUES})"][theme]
