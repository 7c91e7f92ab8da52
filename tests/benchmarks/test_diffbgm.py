"""Diff-BGM: seconds for eight bars beside the published sampler at the published size, and how few steps keep the music.

The published sampler asks a network of 41 million weights 999 times, twice each for guidance; ten of its steps are timed, and the
quietest multiplied. The published size in ten steps of ours is timed as ``compose`` runs it: told nothing (one roll a step), and with
features of a film (guidance: one roll with two conditions a step). Random weights cost what trained ones do.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pytest
from test_music_metrics import BARS, LINES, briefed, noise, real_windows

from engines.diffbgm import compose as composing
from engines.diffbgm.compose import THREADS, DiffBGMEngine, denoise
from engines.diffbgm.config import PAPER
from engines.diffbgm.features import CAPTION, VISUAL
from engines.diffbgm.sampler import Told, published
from engines.diffbgm.schedule import TIMES
from engines.engine import BarBrief, Brief
from engines.runtime import repository
from engines.score.harmony import scale_tones
from engines.score.metrics import compared, grooves, measure

RESULTS = Path(__file__).parent / "results"
STEPS, WINDOWS, ROUNDS, TIMED = (1, 5, 10, 20, 50, 999), 16, 2, 10
EIGHT_BARS = Brief(tuple(BarBrief(Fraction(4 * k), Fraction(4)) for k in range(BARS)))
shipped = pytest.mark.skipif(not (repository() / "diffbgm").is_dir(), reason="the repository holds no onnx/diffbgm yet")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


Seconds = tuple[float, float]


def quietest(times: Sequence[Seconds]) -> Seconds:
    """The shortest wall and the shortest processor seconds: what else the machine does makes neither shorter."""
    walls, processors = zip(*times, strict=True)
    return min(walls), min(processors)


def eight_bars(engine: DiffBGMEngine, monkeypatch: pytest.MonkeyPatch) -> Seconds:
    """What a window takes: as many evaluations as it has, each as long as the quietest, and the quietest of what lies around them."""
    inside: list[Seconds] = []
    around: list[Seconds] = []

    def watched(*args: Any) -> Any:
        answer: list[Any] = []
        inside.append(timed(lambda: answer.append(denoise(*args))))
        return answer[0]

    engine.compose(EIGHT_BARS, 0)
    with monkeypatch.context() as patched:
        patched.setattr(composing, "denoise", watched)
        for _ in range(ROUNDS):
            before = len(inside)
            whole = timed(lambda: engine.compose(EIGHT_BARS, 1))
            around.append(tuple(a - sum(b) for a, b in zip(whole, zip(*inside[before:], strict=True), strict=True)))  # type: ignore[arg-type]
    one, rest = quietest(inside), quietest(around)
    return one[0] * len(inside) / ROUNDS + rest[0], one[1] * len(inside) / ROUNDS + rest[1]


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model repository with a checkpoint of the published size, its weights random and stored in 16 bits."""
    torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")
    from engines.diffbgm.export import export
    from engines.diffbgm.network import DiffBGM

    folder = tmp_path_factory.mktemp("paper")
    torch.manual_seed(0)
    torch.save({"model": DiffBGM(PAPER).state_dict()}, folder / "weights.pt")
    export(folder / "weights.pt", folder / "diffbgm", "fp16")
    return folder


@pytest.fixture(scope="module")
def features(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """What a film of sixteen rows looks like, and its captions."""
    folder, rng = tmp_path_factory.mktemp("features"), np.random.default_rng(0)
    paths = folder / "visual.npy", folder / "captions.npy"
    for path, width in zip(paths, (VISUAL, CAPTION), strict=True):
        np.save(path, rng.standard_normal((16, width), np.float32))
    return paths


@shipped
@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_seconds_for_eight_bars(paper: Path, features: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = DiffBGMEngine("cpu", paper)
    guided = replace(alone, features=features, guidance=5.0)
    model, rng = alone.model, np.random.default_rng(0)
    published_steps: list[Seconds] = []

    def doubled(x: np.ndarray, t: np.ndarray, condition: np.ndarray) -> np.ndarray:
        """As published: both answers of guidance from rolls of their own."""
        twice = len(condition) // len(x)
        return denoise(model, PAPER, np.concatenate([x] * twice), np.concatenate([t] * twice), condition)

    x, heard = rng.standard_normal((1, *PAPER.roll.shape), np.float32), rng.standard_normal((1, 32, PAPER.condition), np.float32)
    steps = published(doubled, x, Told(heard, heard, PAPER.condition, 5.0), None, rng)
    for _ in range(TIMED):
        published_steps.append(timed(lambda: next(steps)))
    one = quietest(published_steps)
    rows = {"shipped": eight_bars(DiffBGMEngine("cpu"), monkeypatch)}
    rows["published sampler at the published size"] = one[0] * (TIMES - 1), one[1] * (TIMES - 1)
    rows["published size, ten steps of ours, told nothing"] = eight_bars(alone, monkeypatch)
    rows["published size, ten steps of ours, with features"] = eight_bars(guided, monkeypatch)
    threads = min(THREADS, os.cpu_count() or 1)
    load = os.getloadavg()[0]
    print(f"\neight bars (16 s at 120 BPM), each step as the quietest one, {threads} threads; load {load:.1f}")
    print(f"{'':52}{'seconds':>10}{'processor':>11}{'a thread':>10}")
    for name, (wall, processor) in rows.items():
        print(f"{name:52}{wall:10.2f}{processor:11.2f}{processor / threads:10.2f}")
    faster = rows["published sampler at the published size"][0] / rows["shipped"][0]
    print(f"{faster:.0f} times faster than the published sampler")
    result: dict[str, object] = {name: {"wall_s": wall, "processor_s": processor} for name, (wall, processor) in rows.items()}
    result |= {"times_faster": faster, "threads": threads, "load": load, "provider": model.provider.name}
    (RESULTS / "diffbgm_speed.json").write_text(json.dumps(result, indent=2) + "\n")
    assert faster > 200
    for name, (_, processor) in rows.items():
        if "ours" in name:
            assert processor / threads < 12, name


@shipped
@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_how_few_steps_keep_the_music(shared: Path) -> None:
    """The measures of music drawn in few and in many steps, beside real songs and beside the same rhythms with random pitches."""
    real = list(islice(real_windows(shared, validation=True), WINDOWS))
    truth = [measure(notes, LINES) for notes, _, _ in real]
    pieces = {"random": [noise(notes, seed) for seed, (notes, _, _) in enumerate(real)]}
    seconds = {}
    for steps in STEPS:
        engine = replace(DiffBGMEngine(provider="cpu"), steps=steps)
        some = real[:WINDOWS] if steps < TIMES - 1 else real[:2]
        began = time.process_time()
        pieces[f"{steps} steps"] = [engine.compose(briefed(*window), seed).notes for seed, window in enumerate(some)]
        seconds[f"{steps} steps"] = (time.process_time() - began) / len(some)
    rows = {}
    for name, made in pieces.items():
        measures = [measure(notes, LINES) for notes in made]
        table = compared(measures, truth)
        keys = [(notes, scale_tones(key)) for notes, (_, key, _) in zip(made, real, strict=False) if key]
        asked = [[len(places) for places in grooves(notes, LINES)] for notes, _, _ in real]
        given = [[len(places) for places in grooves(notes, LINES)] for notes in made]
        rows[name] = {
            "overlap": fmean(float(row["overlap"] or 0) for row in table.values()),
            "out_of_told_key": fmean(n.pitch % 12 not in (scale or ()) for notes, scale in keys for n in notes),
            "density_error": fmean(abs(a - b) for x, y in zip(asked, given, strict=False) for a, b in zip(x, y, strict=True)),
            "empty_bars": float(table["empty_bars"]["ours"] or 0),
            "polyphony": float(table["polyphony"]["ours"] or 0),
            "pche_1": float(table["pche_1"]["ours"] or 0),
            "processor_s": seconds.get(name, 0.0),
        }
    real_keys = fmean(n.pitch % 12 not in (scale_tones(key) or ()) for notes, key, _ in real if key for n in notes)
    print(
        f"\n{WINDOWS} windows of {BARS} bars, told the density and key of real ones (whose out-of-key share is {real_keys:.3f})"
    )
    print(f"{'':12}" + "".join(f"{name:>17}" for name in next(iter(rows.values()))))
    for name, row in rows.items():
        print(f"{name:12}" + "".join(f"{value:17.3f}" for value in row.values()))
    (RESULTS / "diffbgm_steps.json").write_text(json.dumps(rows | {"real_out_of_key": real_keys}, indent=2) + "\n")
    ours = rows[f"{DiffBGMEngine().steps} steps"]
    assert ours["out_of_told_key"] < 0.5 * rows["random"]["out_of_told_key"]
    assert ours["density_error"] == 0
