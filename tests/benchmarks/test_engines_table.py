"""The engines beside held-out real music and the random floor: sketches of eight bars of which nothing but tempo and seed is told."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path

import pytest

from engines.engine import ENGINES
from engines.sketch import Sketch, sketches
from engines.yardstick.evaluate import evaluate

RESULTS = Path(__file__).parent / "results" / "engines.json"
COUNT = int(os.environ.get("HITPOINT_SKETCHES", "100"))


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
def test_engines_beside_real_music(shared: Path, tmp_path: Path) -> None:
    folders = []
    for name in ENGINES:
        folders.append(tmp_path / name)
        sketches(Sketch(8, Fraction(80)), folders[-1], COUNT, 1, name)
    table = evaluate(folders, shared / "data" / "pop909", structure=True)
    told = table.json()
    print(f"\n{COUNT} sketches of eight bars each, told nothing but tempo and seed; 100 windows of real songs, never learned")
    print(table.text())
    RESULTS.write_text(json.dumps(told | {"sketches": COUNT}, indent=1) + "\n")
    floor = told["sets"]["random floor"]
    for name in ENGINES:
        ours = told["sets"][name]
        assert abs(ours["out_of_key"]["distance"]) < abs(floor["out_of_key"]["distance"]) / 3
        assert ours["interval_overlap"] > floor["interval_overlap"]
        assert ours["velocity_spread"]["mean"] > 1
