"""Whether the notes suffer from weights stored in 16 or 8 bits: the same briefs and seeds, measured beside what another seed changes.

The graph ships in 16 bits; ``fp32`` is the same weights stored in 32.
"""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean, pstdev

import pytest
from test_bmt_speed import stored  # noqa: F401 - a fixture
from test_music_metrics import LINES, briefed, real_windows

from engines.bmt.compose import BMTEngine
from engines.score.metrics import measure, overlap

RESULTS = Path(__file__).parent / "results" / "bmt_storage.json"
WINDOWS = 40
MEASURES = (
    "pche_8",
    "gps",
    "notes_per_bar",
    "polyphony",
    "pitch_range",
    "pitch_mean",
    "length_mean_beats",
    "velocity_mean",
    "out_of_key",
)


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_storage_and_notes(shared: Path, stored: dict[str, Path]) -> None:  # noqa: F811
    real = list(real_windows(shared, validation=True))[:WINDOWS]
    versions: dict[str, list[dict[str, float | None]]] = {}
    same: dict[str, float] = {}
    first: list[object] = []
    for name, storage, seeds in (
        ("fp32", "fp32", 0),
        ("fp32, other seeds", "fp32", 1000),
        ("fp16", "fp16", 0),
        ("int8", "int8", 0),
    ):
        engine = BMTEngine(provider="cpu", folder=stored[storage])
        takes = [engine.compose(briefed(*window), seeds + k).notes for k, window in enumerate(real)]
        first = first or list(takes)
        same[name] = fmean(a == b for a, b in zip(takes, first, strict=True))
        versions[name] = [measure(notes, LINES) for notes in takes]

    def values(version: str, name: str) -> list[float]:
        return [v for row in versions[version] if (v := row[name]) is not None]

    table: dict[str, dict[str, dict[str, float]]] = {}
    print(f"\n{WINDOWS} windows of eight bars; mean, distance from fp32 in standard errors, overlap of the histograms")
    print(f"{'':20}" + "".join(f"{name:>26}" for name in versions))
    for name in MEASURES:
        base = values("fp32", name)
        error = pstdev(base) / len(base) ** 0.5 or 1.0
        row = {
            version: {
                "mean": fmean(values(version, name)),
                "errors_away": abs(fmean(values(version, name)) - fmean(base)) / error,
                "overlap": overlap(values(version, name), base, 8) or 0.0,
            }
            for version in versions
        }
        table[name] = row
        print(f"{name:20}" + "".join(f"{c['mean']:14.3f} {c['errors_away']:5.1f} {c['overlap']:5.2f}" for c in row.values()))
    print(f"{'identical takes':20}" + "".join(f"{share:26.2f}" for share in same.values()))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"windows": WINDOWS, "measures": table, "identical_takes": same}, indent=2) + "\n")

    def away(version: str) -> float:
        return fmean(table[name][version]["errors_away"] for name in MEASURES)

    # what storage changes must be lost in what another seed changes anyway
    assert away("fp16") < away("fp32, other seeds") + 1
    assert away("int8") < away("fp32, other seeds") + 2
