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
from engines.score.notes import Note

RESULTS = Path(__file__).parent / "results"
STEPS, GUIDANCE, WINDOWS, ROUNDS, TIMED = (1, 5, 10, 20, 50), (1.0, 1.25, 2.0, 3.0, 5.0), 32, 2, 10
MEASURES = ("empty_bars", "polyphony", "pche_8", "pche_1", "gps")
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


Windows = list[tuple[tuple[Note, ...], str | None, float]]


def measured(pieces: dict[str, list[tuple[Note, ...]]], real: Windows, seconds: dict[str, float]) -> dict[str, dict[str, float]]:
    """Rows of measures of music that was told the density and key of real windows, beside those."""
    truth, rows = [measure(notes, LINES) for notes, _, _ in real], {}
    for name, made in pieces.items():
        table = compared([measure(notes, LINES) for notes in made], truth)
        keys = [(notes, scale_tones(key)) for notes, (_, key, _) in zip(made, real, strict=False) if key]
        asked = [[len(places) for places in grooves(notes, LINES)] for notes, _, _ in real]
        given = [[len(places) for places in grooves(notes, LINES)] for notes in made]
        rows[name] = {
            "overlap": fmean(float(row["overlap"] or 0) for row in table.values()),
            "out_of_told_key": fmean(n.pitch % 12 not in (scale or ()) for notes, scale in keys for n in notes),
            "density_error": fmean(abs(a - b) for x, y in zip(asked, given, strict=False) for a, b in zip(x, y, strict=True)),
            **{what: float(table[what]["ours"] or 0) for what in MEASURES},
            "processor_s": seconds.get(name, 0.0),
        }
    return rows


def drawn(real: Windows, ways: dict[str, DiffBGMEngine]) -> dict[str, dict[str, float]]:
    """Rows of measures of each way to draw, and of the real windows and random pitches in their rhythms."""
    pieces = {"real": [notes for notes, _, _ in real], "random": [noise(notes, seed) for seed, (notes, _, _) in enumerate(real)]}
    seconds = {}
    for name, engine in ways.items():
        began = time.process_time()
        pieces[name] = [engine.compose(briefed(*window), seed).notes for seed, window in enumerate(real)]
        seconds[name] = (time.process_time() - began) / len(real)
    return measured(pieces, real, seconds)


def shown(rows: dict[str, dict[str, float]], file: str) -> None:
    """Prints rows and keeps them."""
    print(f"\n{WINDOWS} windows of {BARS} bars, told the density and key of real ones")
    print(f"{'':14}" + "".join(f"{name:>17}" for name in rows["real"]))
    for name, row in rows.items():
        print(f"{name:14}" + "".join(f"{value:17.3f}" for value in row.values()))
    (RESULTS / file).write_text(json.dumps({"windows": WINDOWS, "ways": rows}, indent=2) + "\n")


@shipped
@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_how_few_steps_keep_the_music(shared: Path) -> None:
    """The measures of music drawn in few and in many steps."""
    engine, real = DiffBGMEngine(provider="cpu"), list(islice(real_windows(shared, validation=True), WINDOWS))
    rows = drawn(real, {f"{steps} steps": replace(engine, steps=steps) for steps in STEPS})
    shown(rows, "diffbgm_steps.json")
    ours = rows[f"{engine.steps} steps"]
    assert ours["out_of_told_key"] < 0.5 * rows["random"]["out_of_told_key"]
    assert ours["density_error"] == 0


@shipped
@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_how_far_beyond_the_unconditioned_music(shared: Path) -> None:
    """The measures of music drawn with guidance from none to much."""
    engine, real = DiffBGMEngine(provider="cpu"), list(islice(real_windows(shared, validation=True), WINDOWS))
    rows = drawn(real, {f"guidance {scale:g}": replace(engine, guidance=scale) for scale in (*GUIDANCE, engine.guidance)})
    shown(rows, "diffbgm_guidance.json")
    assert rows[f"guidance {engine.guidance:g}"]["out_of_told_key"] < 0.5 * rows["random"]["out_of_told_key"]
