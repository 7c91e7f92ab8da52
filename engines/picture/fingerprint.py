"""Fingerprints: one difference hash a frame, by which the same picture is known again after another encoder has had it.

The hash says of 8 x 8 places whether the picture brightens from there to the right, in a picture of 9 x 8 luma means as displayed.
Size, bit rate, contrast and range of levels hardly change it. The method is the row hash of N. Krawetz (*Kind of Like That*, 2013).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from engines.picture.reel import Reel
from engines.picture.thumbnails import Floats, Stretch, stretches

BYTES = 8
"""Of one frame's hash: 64 bits, from the upper left along the rows, the first in the highest bit."""
_COLUMNS, _ROWS = 9, 8
_RISE = 0.5  # levels; less is not brighter: what is flat hashes to zeros, and not to the encoder's noise


class Fingerprints:
    """Gathers the hashes of a film from the stretches of any pass over its thumbnails."""

    def __init__(self, reel: Reel) -> None:
        """For the film that the stretches will be of."""
        self._turns, self._frames = reel.rotation // 90, reel.frames
        self._hashed: list[NDArray[np.uint8]] = []

    def add(self, stretch: Stretch) -> None:
        """The next stretch of the film; what it holds as context only is left to its neighbours."""
        own = stretch.luma[stretch.start - stretch.first : stretch.stop - stretch.first]
        self._hashed.append(hashes(np.rot90(own, self._turns, (1, 2))))

    def whole(self) -> bytes:
        """`BYTES` for every frame of the film; frames that its end lacks (less than a second) stand as the last one shown."""
        every = np.concatenate(self._hashed)
        return np.pad(every, ((0, max(0, self._frames - len(every))), (0, 0)), mode="edge")[: self._frames].tobytes()


def hashes(luma: Floats) -> NDArray[np.uint8]:
    """Difference hashes (n, 8) of grey pictures (n, height, width)."""
    rows, columns = _means(luma.shape[1], _ROWS), _means(luma.shape[2], _COLUMNS)
    small = rows @ (luma @ columns.T)
    bits: NDArray[np.uint8] = np.packbits(np.diff(small, axis=2).reshape(-1, _ROWS * (_COLUMNS - 1)) > _RISE, axis=1)
    return bits


def _means(n: int, parts: int) -> Floats:
    """(parts, n) weights that average ``n`` equal pixels over equal parts, a pixel on an edge shared between two."""
    edges = np.linspace(0, n, parts + 1)
    pixels = np.arange(n)
    shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: Floats = (np.clip(shared, 0, None) * (parts / n)).astype(np.float32)
    return weights


def distance(a: bytes, b: bytes) -> NDArray[np.int64]:
    """Bits in which each frame of one run differs from the same frame of another of equal length.

    Up to about 6 between two encodings of one picture, 32 on average between unrelated ones, and hardly ever less than 12.
    """
    one, other = (np.frombuffer(x, np.uint8).reshape(-1, BYTES) for x in (a, b))
    bits: NDArray[np.int64] = np.bitwise_count(one ^ other).sum(axis=1, dtype=np.int64)
    return bits


def fingerprints(
    reel: Reel,
    on_progress: Callable[[float, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> bytes:
    """The hash of every frame of a film, `BYTES` a frame, in one pass; `shots.cuts` gathers the same in its own.

    Raises Cancelled as soon as ``cancelled()`` is true, FilmError where the film cannot be decoded.
    """
    gathered = Fingerprints(reel)
    for stretch in stretches(reel, on_progress, cancelled):
        gathered.add(stretch)
    return gathered.whole()
