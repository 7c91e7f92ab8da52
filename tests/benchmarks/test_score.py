"""The main job on a real film of 720 lines: seconds by stage, peak memory, beside nothing but decoding it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engines.picture.reel import Reel
from engines.runtime import repository

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results" / "score.json"
FILM = "big_buck_bunny_720p.webm"


@pytest.mark.benchmark
@pytest.mark.skipif(not (repository() / "bmt").is_dir(), reason="the repository holds no onnx/bmt")
def test_score_of_a_film_of_720_lines(shared: Path, tmp_path: Path) -> None:
    film = shared / "media" / FILM
    began = time.perf_counter()
    frames = sum(1 for _ in Reel.open(film).decoded())
    plain = time.perf_counter() - began
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, ROOT / "main.py", "score", film, "--out", tmp_path / "cue", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
    )
    whole = time.perf_counter() - began
    told = json.loads(done.stdout)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024  # kilobytes on Linux
    reel = Reel.open(film)
    table = {
        "film": f"{FILM}, {float(reel.duration):.1f} s, {reel.width}x{reel.height}",
        "plain_decode_s": round(plain, 2),
        "whole_command_s": round(whole, 2),
        "stages_s": told["seconds"],
        "peak_memory_mb": round(peak),
        "times_realtime": round(float(reel.duration) / whole, 2),
        "hits": told["summary"],
        "load_before": os.getloadavg()[0],
    }
    print(f"\n{table['film']}, {frames} frames; load {table['load_before']:.1f} on {os.cpu_count()} cores")
    rows = [("plain decoding", plain), *told["seconds"].items(), ("the whole command", whole)]
    print("\n".join(f"{name:20} {seconds:8.2f} s" for name, seconds in rows))
    print(f"{'peak memory':20} {peak:8.0f} MB")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(table, indent=1) + "\n")
    assert told["summary"]["hits"] == len(told["hits"])
