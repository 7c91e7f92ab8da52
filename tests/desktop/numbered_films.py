"""Films with their frame numbers burnt in as blocks that a test reads back, whatever codec and scaler did to them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

BLOCK = 16
"""Pixels of a black or white block: large enough that no codec blurs one into the next."""
BITS = 12


def numbered(frame: int, bits: int = BITS) -> np.ndarray:
    """A picture (RGB, 64 x 16 * bits) whose blocks are the bits of its frame number, the highest first, over their opposites."""
    row = np.array([255 if frame >> k & 1 else 0 for k in reversed(range(bits))], np.uint8)
    cells = np.stack([row, 255 - row])
    return np.repeat(np.repeat(np.repeat(cells, 2 * BLOCK, 0), BLOCK, 1)[:, :, None], 3, 2)


def number_in(image: np.ndarray, bits: int = BITS) -> int:
    """The frame number in a picture (grey or RGB) of `numbered`, whatever its size. Fails where a block is neither black nor white."""
    grey = image if image.ndim == 2 else image.mean(axis=2)
    high, wide = grey.shape
    xs = ((np.arange(bits) + 0.5) * wide / bits).astype(int)
    upper, lower = grey[high // 4, xs], grey[3 * high // 4, xs]
    assert (np.abs(upper - lower.astype(float)) > 100).all(), "no frame number can be read"
    return int("".join("1" if a > b else "0" for a, b in zip(upper, lower, strict=True)), 2)


def write_film(
    path: Path,
    frames: int,
    rate: Fraction,
    gop: int,
    times: list[int] | None = None,
    base: Fraction | None = None,
    start: str = "",
) -> Path:
    """A film with its frame numbers burnt in; ``times`` are stamps in ``base`` seconds for a variable rate."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"g": str(gop), "bf": "2", "crf": "18", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = BITS * BLOCK, 4 * BLOCK, "yuv420p"
        if start:
            container.metadata["timecode"] = start
        if base is not None:
            stream.time_base = base
            stream.codec_context.time_base = base
        for k in range(frames):
            picture = av.VideoFrame.from_ndarray(numbered(k), format="rgb24")
            picture.pts = k if times is None else times[k]
            picture.time_base = base or 1 / rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path
