"""Diff-BGM: seconds for eight bars beside the published sampler at the published size, and how few steps keep the music.

The published sampler asks a network of 41 million weights 999 times, twice each for guidance; ten of its steps are timed and
multiplied. The published size in ten steps of ours shows what the solver alone gives. Random weights cost what trained ones do.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from statistics import fmean, median

import numpy as np
import pytest
from test_music_metrics import BARS, LINES, briefed, noise, real_windows

from engines.diffbgm.compose import DiffBGMEngine
from engines.diffbgm.config import PAPER
from engines.diffbgm.sampler import Sampler, Told, published
from engines.diffbgm.schedule import TIMES
from engines.engine import BarBrief, Brief
from engines.runtime import library, repository
from engines.score.harmony import scale_tones
from engines.score.metrics import compared, grooves, measure

RESULTS = Path(__file__).parent / "results"
STEPS, WINDOWS, ROUNDS, TIMED = (1, 5, 10, 20, 50, 999), 16, 5, 10
EIGHT_BARS = Brief(tuple(BarBrief(Fraction(4 * k), Fraction(4)) for k in range(BARS)))
shipped = pytest.mark.skipif(not (repository() / "diffbgm").is_dir(), reason="the repository holds no onnx/diffbgm yet")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - processor


@shipped
@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_seconds_for_eight_bars(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is in the extra 'train' alone")
    from engines.diffbgm.export import export_graph
    from engines.diffbgm.network import DiffBGM

    torch.manual_seed(0)
    export_graph(DiffBGM(PAPER), tmp_path / "paper.onnx")
    options = library().SessionOptions()
    options.intra_op_num_threads = 2
    session = library().InferenceSession(str(tmp_path / "paper.onnx"), options, providers=["CPUExecutionProvider"])

    def paper(x: np.ndarray, t: np.ndarray, condition: np.ndarray) -> np.ndarray:
        captions = np.zeros((len(x), 32, PAPER.caption), np.float32)
        answer: np.ndarray = session.run(["answer"], {"x": x, "t": t, "condition": condition, "caption": captions})[0]
        return answer

    rng = np.random.default_rng(0)
    x = rng.standard_normal((1, *PAPER.roll.shape), np.float32)
    heard = rng.standard_normal((1, 32, PAPER.condition), np.float32)
    told = Told(heard, heard, PAPER.condition, 5.0)
    paper(x, np.zeros(1, np.int64), heard)
    engine = DiffBGMEngine(provider="cpu")
    engine.compose(EIGHT_BARS, 0)
    ours = [timed(lambda seed=seed: engine.compose(EIGHT_BARS, seed)) for seed in range(ROUNDS)]  # type: ignore[misc]
    rows = {"shipped": [median(column) for column in zip(*ours, strict=True)]}
    ten = timed(lambda: list(islice(published(paper, x, told, None, rng), TIMED)))
    rows["published sampler at the published size"] = [(TIMES - 1) / TIMED * seconds for seconds in ten]
    solver = Sampler(paper, "noise", "scaled-linear", TIMED, None)
    rows[f"published size in {TIMED} steps of ours"] = list(timed(lambda: list(solver.draw(x, told, None, rng))))
    print(f"\n{'eight bars (16 s at 120 BPM)':44}{'seconds':>10}{'processor':>11}")
    for name, (wall, processor) in rows.items():
        print(f"{name:44}{wall:10.2f}{processor:11.2f}")
    faster = rows["published sampler at the published size"][0] / rows["shipped"][0]
    print(f"{faster:.0f} times faster than the published sampler")
    result = {name: {"wall_s": wall, "processor_s": processor} for name, (wall, processor) in rows.items()}
    (RESULTS / "diffbgm_speed.json").write_text(json.dumps(result | {"times_faster": faster}, indent=2) + "\n")
    assert faster > 200


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
