"""How noise is mixed in: the published scaled-linear schedule, and the cosine one that ours learns with."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from engines.errors import ModelError

TIMES = 1000
"""Training times; 0 is all but clean, 999 all but noise."""
BETA_FIRST, BETA_LAST = 0.00085, 0.012
BETA_LIMIT = 0.999
"""The cosine schedule would end in a step that leaves nothing (Nichol and Dhariwal 2021, section 3.2)."""
OFFSET = 0.008
"""Keeps the first cosine steps from being too small to learn from (same source)."""

SCHEDULES = ("scaled-linear", "cosine")

Values = npt.NDArray[np.float64]


def betas(schedule: str) -> Values:
    """Variance added at each of `TIMES` steps. ``scaled-linear`` is the published one (linear in its root), ``cosine`` that of
    Nichol and Dhariwal 2021. Raises ModelError for another name."""
    if schedule == "scaled-linear":
        roots: Values = np.linspace(math.sqrt(BETA_FIRST), math.sqrt(BETA_LAST), TIMES)
        return np.square(roots)
    if schedule == "cosine":
        angle = (np.arange(TIMES + 1) / TIMES + OFFSET) / (1 + OFFSET) * math.pi / 2
        left = np.cos(angle) ** 2
        shares: Values = np.minimum(1 - left[1:] / left[:-1], BETA_LIMIT)
        return shares
    raise ModelError(f"no noise schedule is named {schedule!r}", cure=f"choose one of: {', '.join(SCHEDULES)}")


@cache
def alpha_bars(schedule: str) -> Values:
    """Share of the signal's variance that is left at each time, falling from nearly 1 to nearly 0."""
    return (1 - betas(schedule)).cumprod()
