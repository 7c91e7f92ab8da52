"""Hard cuts: two frames side by side whose difference is neither motion, nor light, nor a flash that passes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engines.picture.joins_fit import first_glance, judged
from engines.picture.thumbnails import LUMA, Bytes, Floats, Stretch

_SIDE = 6  # frames on each side of a join; a flash of up to five is seen to pass
_REACH = 6, 3  # columns and rows of a thumbnail that a block may have moved from one frame to the next
_LEAST = 4.0  # levels; a smaller change of picture is none
_DOUBT = 0.01  # joins that look less likely than this at a first glance are not looked at again
_AT_ONCE = 64  # joins measured together, to keep memory small


Index = NDArray[np.intp]


class Join(NamedTuple):
    """A hard cut: the first frame after it, counted in the stretch, how sure it is and how large the change (both 0..1)."""

    frame: int
    confidence: float
    strength: float


def even_light(stretch: Stretch) -> Floats:
    """The coarse luma (n, 576) with each frame brought to one mean and one contrast, in levels."""
    luma = stretch.vectors[:, :LUMA]
    spread = luma.std(1, keepdims=True)
    even: Floats = (luma - luma.mean(1, keepdims=True)) * (40 / (spread + 4))
    return even


def moved(luma: Bytes, left: Index, right: Index) -> Floats:
    """Mean difference of pairs of frames in levels after every block of 8 x 6 has gone where it fits best."""
    chunks = -(-len(left) // _AT_ONCE)
    pairs = zip(np.array_split(left, chunks), np.array_split(right, chunks), strict=True)
    return np.concatenate([_moved(luma[one], luma[other]) for one, other in pairs])


def _moved(a: Bytes, b: Bytes) -> Floats:
    wide, high = _REACH
    n, rows, columns = a.shape
    a, b = a.transpose(1, 0, 2).reshape(rows, -1), b.transpose(1, 0, 2)  # the pairs side by side: a shift is a run of memory
    b = np.pad(b, ((high, high), (0, 0), (wide, wide)), mode="edge")
    best = np.full((rows // 6, n, columns // 8), np.inf, np.float32)
    across = np.kron(np.eye(columns // 8, dtype=np.float32), np.ones((8, 1), np.float32))  # sums runs of eight columns
    apart, lower = np.empty_like(a), np.empty_like(a)
    for dx in range(2 * wide + 1):
        aside = b[:, :, dx : dx + columns].reshape(-1, n * columns)
        for dy in range(2 * high + 1):
            there = aside[dy : dy + rows]
            np.subtract(np.maximum(a, there, out=apart), np.minimum(a, there, out=lower), out=apart)
            along = np.add.reduce(apart.reshape(rows // 6, 6, -1), axis=1, dtype=np.uint16)
            np.minimum(best, along.astype(np.float32).reshape(-1, n, columns) @ across, out=best)
    fitted: Floats = best.mean((0, 2)) / 48
    return fitted


def _change(vectors: Floats, lag: int) -> Floats:
    """Mean difference of every frame from the one ``lag`` before it; 0 for the first ones."""
    change = np.zeros(len(vectors), np.float32)
    change[lag:] = np.abs(vectors[lag:] - vectors[:-lag]).mean(1)
    return change


def candidates(change: Floats) -> NDArray[np.intp]:
    """Joins at which the picture changes more than just before or just after."""
    padded = np.pad(change, 2)
    around = np.maximum.reduce([padded[:-4], padded[1:-3], padded[3:-1], padded[4:]])
    least = np.minimum.reduce([padded[1:-3], padded[3:-1]])
    return np.flatnonzero((change > _LEAST) & ((change > 0.7 * around) | (change > 2 * least)) & (np.arange(len(change)) > 0))


def glance(vectors: Floats, light: Floats, spread: Floats, change: Floats, frames: Index) -> Floats:
    """What is cheap to measure at a join, (joins, 10) in levels: the change, in even light too, the largest and mean changes on
    the calmer and on the livelier side, the least change between both sides as they are and in even light, contrast."""
    last = len(vectors) - 1
    sides = np.arange(_SIDE)
    out = []
    for chunk in np.array_split(frames, -(-len(frames) // _AT_ONCE)):
        before = np.clip(chunk[:, None] - 1 - sides, 0, last)
        after = np.clip(chunk[:, None] + sides, 0, last)
        across = np.stack([np.abs(vectors[before] - vectors[after[:, [k]]]).mean(2) for k in sides], axis=2).min((1, 2))
        lit = np.stack([np.abs(light[before] - light[after[:, [k]]]).mean(2) for k in sides], axis=2)
        inside = [
            np.where((near >= 1) & (near <= last), change[np.clip(near, 0, last)], 0.0)
            for near in (chunk[:, None] - np.arange(1, 5), chunk[:, None] + np.arange(1, 5))
        ]
        most, mean = np.stack([x.max(1) for x in inside]), np.stack([x.mean(1) for x in inside])
        near = np.clip(chunk[:, None] + np.array([-2, -1, 0, 1]), 0, last)
        lively = spread[near]
        columns = (change[chunk], lit[:, 0, 0], most.max(0), most.min(0), mean.max(0), mean.min(0), across, lit.min((1, 2)))
        out.append(np.stack((*columns, lively.min(1), lively.max(1)), axis=1))
    return np.concatenate(out).astype(np.float32)


def look(vectors: Floats, light: Floats, luma: Bytes, frames: Index) -> Floats:
    """What is dear to measure, (joins, 7) in levels: the change after every block has gone where it fits, the same one and two
    frames before and after (most, then least of each), and across both sides at their likest, as they are and in even light."""
    last = len(vectors) - 1

    def at(offset: int) -> Index:
        return np.clip(frames + offset, 0, last)

    motion = {k: moved(luma, at(k - 1), at(k)) for k in (-2, -1, 0, 1, 2)}
    back = []
    for pictures in (vectors, light):
        pairs = []
        for frame in frames:
            before = np.arange(max(0, frame - _SIDE), frame)
            after = np.arange(frame, min(last, frame + _SIDE - 1) + 1)
            apart = np.abs(pictures[before][:, None] - pictures[after][None]).mean(2)
            a, b = np.unravel_index(np.argmin(apart), apart.shape)
            pairs.append((before[a], after[b]))
        sides = np.array(pairs)
        back.append(moved(luma, sides[:, 0], sides[:, 1]))
    early, late = np.stack((motion[-1], motion[-2])), np.stack((motion[1], motion[2]))
    return np.stack((motion[0], early.max(0), late.max(0), early.min(0), late.min(0), *back), axis=1)


def hard_cuts(stretch: Stretch, outside: NDArray[np.bool_]) -> list[Join]:
    """Every hard cut of a stretch at frames where ``outside`` (n,) is true."""
    vectors, light = stretch.vectors, even_light(stretch)
    change = _change(vectors, 1)
    frames = candidates(change)
    frames = frames[outside[frames]]
    if not len(frames):
        return []
    cheap = glance(vectors, light, stretch.spread, change, frames)
    kept = first_glance(cheap) > _DOUBT
    frames, cheap = frames[kept], cheap[kept]
    if not len(frames):
        return []
    sure = judged(np.concatenate((cheap, look(vectors, light, stretch.luma, frames)), axis=1))
    found = [Join(int(f), float(p), float(min(1.0, c[0] / 60))) for f, p, c in zip(frames, sure, cheap, strict=True) if p > 0.5]
    # a cut whose next frame is torn by the encoder shows twice: the surer one is it
    return [
        j
        for j in found
        if not any(abs(j.frame - o.frame) <= 1 and (o.confidence, -o.frame) > (j.confidence, -j.frame) for o in found)
    ]
