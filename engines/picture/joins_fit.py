"""Two small networks that tell a hard cut from what is none: one for a first glance, one for a second look.

Each is ``1 / (1 + exp(-(v . tanh(W z + b) + c)))`` over measures as natural logarithms (of level + 1), with a few differences of
them beside, brought to mean 0 and spread 1. They were fitted by ``tests/benchmarks/fit_joins.py`` to edits of our own making; the seeds
that the benchmark scores were not among them. The numbers lie in ``joins_fit.json``.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
TABLE = Path(__file__).with_name("joins_fit.json")


def glance_inputs(cheap: Floats) -> Floats:
    """Measures of `joins.glance` (n, 10) as the first network reads them (n, 13)."""
    logs = np.log(cheap + 1)
    change, busiest, across, lit = logs[:, 0], logs[:, 2], logs[:, 6], logs[:, 7]
    return np.concatenate((logs, np.stack((change - busiest, across - busiest, lit - busiest), axis=1)), axis=1)


def look_inputs(measures: Floats) -> Floats:
    """Measures of `joins.glance` and `joins.look` (n, 17) as the second network reads them (n, 23)."""
    logs = np.log(measures + 1)
    change, busiest, across, lit = logs[:, 0], logs[:, 2], logs[:, 6], logs[:, 7]
    motion, early, late, early_least, late_least, back = (logs[:, k] for k in (10, 11, 12, 13, 14, 15))
    beside = motion - np.maximum(early, late)
    extra = (
        change - busiest,
        across - busiest,
        lit - busiest,
        beside,
        back - np.maximum(early_least, late_least),
        np.minimum(change - busiest, beside),
    )
    return np.concatenate((logs, np.stack(extra, axis=1)), axis=1)


@cache
def _network(name: str) -> tuple[Floats, ...]:
    table = json.loads(TABLE.read_text("utf-8"))[name]
    return tuple(np.array(table[key], np.float32) for key in ("mean", "spread", "w", "b", "v", "c"))


def _sure(name: str, inputs: Floats) -> Floats:
    mean, spread, w, b, v, c = _network(name)
    hidden = np.tanh((inputs - mean) / spread @ w.T + b)
    sure: Floats = 1 / (1 + np.exp(-np.clip(hidden @ v + c, -30, 30)))
    return sure


def first_glance(cheap: Floats) -> Floats:
    """Probability (n,) of a hard cut by the cheap measures alone."""
    return _sure("glance", glance_inputs(cheap))


def judged(measures: Floats) -> Floats:
    """Probability (n,) of a hard cut by all measures."""
    return _sure("look", look_inputs(measures))
