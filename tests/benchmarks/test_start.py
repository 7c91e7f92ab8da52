"""How long a person waits before anything happens: imports and ``--help`` in fresh interpreters, beside the libraries not yet loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results" / "start.json"
TIMES = 7
STARTS = {
    "python alone": ["-c", "pass"],
    "import engines": ["-c", "import engines"],
    "import engines.engine, main": ["-c", "import engines.engine, main"],
    "main.py --help": ["main.py", "--help"],
    "numpy alone": ["-c", "import numpy"],
    "onnxruntime, cv2, scipy.signal, av": ["-c", "import onnxruntime, cv2, scipy.signal, av"],
}
ALLOWED = 0.3  # seconds beyond python alone


def waited(words: list[str]) -> float:
    began = perf_counter()
    subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return perf_counter() - began


@pytest.mark.benchmark
def test_asking_costs_next_to_nothing() -> None:
    """The quickest of several counts where cores are shared: whatever disturbs only ever adds."""
    seconds = {name: sorted(waited(words) for _ in range(TIMES)) for name, words in STARTS.items()}
    bare = seconds["python alone"][0]
    told = {
        name: {"quickest_s": round(all_[0], 4), "median_s": round(median(all_), 4), "beyond_python_s": round(all_[0] - bare, 4)}
        for name, all_ in seconds.items()
    }
    print(f"\n{'':36}{'quickest':>10}{'median':>10}{'beyond python':>15}")
    for name, row in told.items():
        print(f"{name:36}{row['quickest_s']:9.3f}s{row['median_s']:9.3f}s{row['beyond_python_s']:14.3f}s")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    assert told["import engines"]["beyond_python_s"] < ALLOWED
    assert told["import engines.engine, main"]["beyond_python_s"] < ALLOWED
