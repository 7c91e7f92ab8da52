"""Choosing one id from logits: temperature, nucleus, a mask of what is allowed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]
Allowed = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Taste:
    """How boldly a field is chosen: ``temperature``, and ``nucleus``, the share of probability kept (1 keeps all)."""

    temperature: float = 1.0
    nucleus: float = 1.0


PUBLISHED = {
    "type": Taste(1.0, 0.90),
    "tempo": Taste(1.2, 0.90),
    "chord": Taste(1.0, 0.99),
    "barbeat": Taste(1.2),
    "pitch": Taste(1.0, 0.90),
    "duration": Taste(2.0, 0.90),
    "velocity": Taste(5.0),
    "strength": Taste(1.0, 0.90),
    "density": Taste(1.0, 0.90),
    "time": Taste(2.0, 0.90),
}
"""The published sampling of each field (``specs/bmt.md`` section 5.2)."""


def probabilities(logits: Logits, taste: Taste, allowed: Allowed | None = None) -> npt.NDArray[np.float64]:
    """Probabilities (n,) after mask, temperature and nucleus; the nucleus keeps up to and including the id that crosses its share.

    ValueError where nothing is allowed or a logit is not a number.
    """
    scaled = logits.astype(np.float64) / taste.temperature
    if allowed is not None:
        scaled = np.where(allowed, scaled, -np.inf)
    top = scaled.max()
    if not np.isfinite(top):
        raise ValueError("no id is allowed, or the network gave no number")
    weight: npt.NDArray[np.float64] = np.exp(scaled - top)
    weight /= weight.sum()
    if taste.nucleus < 1:
        order = np.argsort(-weight, kind="stable")
        kept = int(np.searchsorted(np.cumsum(weight[order]), taste.nucleus, side="right")) + 1
        weight[order[kept:]] = 0
        weight /= weight.sum()
    return weight


def choose(logits: Logits, taste: Taste, rng: np.random.Generator, allowed: Allowed | None = None) -> int:
    """One id, drawn; one uniform number is used whatever the outcome, so that a seed means the same everywhere."""
    cumulative = np.cumsum(probabilities(logits, taste, allowed))
    return int(
        min(
            np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"),
            np.flatnonzero(np.diff(cumulative, prepend=0) > 0)[-1],
        )
    )
