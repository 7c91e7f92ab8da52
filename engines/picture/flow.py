"""Optical flow between two small pictures, and what is read off it: how fast, how much, which way."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engines.picture.reel import Image

Floats = NDArray[np.float64]

BINS = 128
"""Directions of a directogram, over the full circle (Davis and Agrawala, *Visual Rhythm and Beat*, 2018)."""
BORDER = 0.05
"""Share of the picture left out on each side of the directogram, where flow runs out of the frame."""
AREA = 3600
"""Pixels of the picture that is measured, 80 x 45: with fewer, the encoder's noise moves and quick small things are lost; the speeds of
128 x 72, at twice the cost, agree with these within a fiftieth over the bars of real films (as correlation)."""
NARROWEST = 16
"""Pixels; of a thinner picture the pyramid would have nothing left."""
_PYRAMID, _LEVELS, _WINDOW, _ITERATIONS, _POLY_N, _POLY_SIGMA = 0.5, 2, 13, 2, 5, 1.2


@dataclass(frozen=True, eq=False)
class Flow:
    """What moved from one picture to the next. Lengths are picture heights.

    ``mean`` is the mean length over all pixels, ``moving`` the mean over what moves (each pixel weighted by its own length, so
    that a still background does not dilute it), ``component`` the mean of both components' absolute values (which is what the
    published density thresholds were made for), ``directogram`` (BINS,) the length by direction, summing to the mean length
    within the border.
    """

    mean: float
    moving: float
    component: float
    directogram: Floats


def size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of the picture to measure: its own shape at `AREA` pixels, never larger than it is."""
    scale = min(1.0, (AREA / (width * height)) ** 0.5)
    return max(NARROWEST, round(width * scale)), max(NARROWEST, round(height * scale))


def still() -> Flow:
    """Nothing moved."""
    return Flow(0.0, 0.0, 0.0, np.zeros(BINS))


def flow(before: Image, after: Image, aspect: float) -> Flow:
    """The flow between two grey pictures of one size, (height, width) uint8. ``aspect`` is width over height as displayed.

    Dense flow after G. Farnebäck (*Two-Frame Motion Estimation Based on Polynomial Expansion*, 2003).
    """
    if np.array_equal(before, after):  # titles, stills, drawings held for two frames
        return still()
    empty = np.empty(0, np.float32)
    field = cv2.calcOpticalFlowFarneback(before, after, empty, _PYRAMID, _LEVELS, _WINDOW, _ITERATIONS, _POLY_N, _POLY_SIGMA, 0)
    high, wide = before.shape
    x, y = field[..., 0] * np.float32(aspect / wide), field[..., 1] * np.float32(1 / high)
    length = np.asarray(cv2.magnitude(x, y), np.float32)
    total = float(length.sum(dtype=np.float64))
    if not total:
        return still()
    moving = float(np.square(length, dtype=np.float64).sum()) / total
    component = float((np.abs(x).mean(dtype=np.float64) + np.abs(y).mean(dtype=np.float64)) / 2)
    return Flow(total / length.size, moving, component, _directogram(x, y, length))


def _directogram(x: NDArray[np.float32], y: NDArray[np.float32], length: NDArray[np.float32]) -> Floats:
    high, wide = length.shape
    inner = np.s_[round(high * BORDER) : high - round(high * BORDER), round(wide * BORDER) : wide - round(wide * BORDER)]
    turn = cv2.phase(np.ascontiguousarray(x[inner]), np.ascontiguousarray(y[inner])) * (BINS / (2 * np.pi))
    weights = length[inner].ravel()
    return np.bincount(turn.ravel().astype(np.int64) % BINS, weights, BINS) / weights.size
