"""Matching by picture: frames whose prints (64-bit difference hashes) agree, shot against shot, at the offset where most do."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from engines.conform.chain import heaviest
from engines.conform.strip import Link, Prints, Strip

ALIKE = 10
"""Bits in which two prints of one frame may differ: encoding again changes a few, other pictures about 32."""

FLAT = 3
"""Bits that are set, or missing, in the print of black or of one colour, which is alike everywhere."""

PROBES = 8
"""Frames of a shot that are looked for in the whole old cut, and one for every `STRIDE` frames of a long one."""
STRIDE = 12
OFFSETS = 6
"""Offsets that are weighed for a shot: those at which most probes are found."""

MISS = 3
"""Frames that must agree to make up for one that does not."""
FEWEST = 6
"""Frames that must agree, or the whole shot; less is chance."""

STILL = 0.9
"""The weight of a frame whose print is its neighbour's: a static shot fits at many offsets."""
NEIGHBOUR = 1.02
"""Of offsets at which a shot fits equally well, that of the shots around it."""
BLOCK = 2**22
"""Comparisons at a time: 32 MB."""


def flat(prints: Prints) -> NDArray[np.bool_]:
    """Which frames are black or of one colour."""
    bits = np.bitwise_count(prints)
    return (bits <= FLAT) | (bits >= 64 - FLAT)


def by_picture(old: Strip, new: Strip) -> list[Link]:
    """Every stretch of the old cut that shows the same pictures as a shot of the new one.

    A second look weighs the offsets of the neighbours too: a static shot has no offset of its own.
    """
    assert old.prints is not None
    assert new.prints is not None
    offsets = [_offsets(old.prints, new.prints, span) for span in new.spans]
    links = [_link(old, new, span, offset) for span, found in zip(new.spans, offsets, strict=True) for offset in found]
    sure = heaviest([link for link in links if link])
    before = np.searchsorted([link.new for link in sure], [start for start, _ in new.spans], side="right")
    second: list[Link] = []
    for (span, found), k in zip(zip(new.spans, offsets, strict=True), before, strict=True):
        near = {link.offset for link in sure[max(0, k - 2) : k + 2]}
        fitting = {offset: _link(old, new, span, offset) for offset in [*found, *sorted(near - set(found))]}
        second += [_leaning(link) if offset in near else link for offset, link in fitting.items() if link]
    return second


def _leaning(link: Link) -> Link:
    return Link(link.old, link.new, link.frames, link.weight * NEIGHBOUR)


def _offsets(old: Prints, new: Prints, span: tuple[int, int]) -> list[int]:
    """The offsets (old frame less new) at which most probes of a shot are found, and those that match its ends."""
    start, end = span[0], min(span[1], len(new))
    if start >= end or not len(old):
        return []
    count = min(end - start, max(PROBES, (end - start) // STRIDE))
    probes = np.unique(np.linspace(start, end - 1, count).astype(np.int64))
    probes = probes[~flat(new[probes])]
    found: list[NDArray[np.int64]] = []
    rows = max(1, BLOCK // len(old))
    for at in range(0, len(probes), rows):
        some = probes[at : at + rows]
        row, frame = np.nonzero(np.bitwise_count(old[None] ^ new[some, None]) <= ALIKE)
        found.append(frame - some[row])
    if not found:
        return []
    values, votes = np.unique(np.concatenate(found), return_counts=True)
    order = np.lexsort((np.abs(values), -votes))
    likely = [int(values[k]) for k in order[:OFFSETS]]
    return likely + _ends(values, votes)


def _ends(values: NDArray[np.int64], votes: NDArray[np.int64]) -> list[int]:
    """A static shot is found at a whole range of offsets: the first and the last of those with the most votes match its ends."""
    if not len(values):
        return []
    most = values[votes == votes.max()]
    return sorted({int(most[0]), int(most[-1])})


def _link(old: Strip, new: Strip, span: tuple[int, int], offset: int) -> Link | None:
    """The longest stretch of a shot that agrees at an offset; None where that is chance."""
    assert old.prints is not None
    assert new.prints is not None
    start, end = max(span[0], -offset), min(span[1], len(new.prints), len(old.prints) - offset)
    if start >= end:
        return None
    seen, before = new.prints[start:end], old.prints[start + offset : end + offset]
    agrees = np.bitwise_count(seen ^ before) <= ALIKE
    sums = np.concatenate(([0], np.cumsum(np.where(agrees, 1, -MISS))))
    lowest = np.minimum.accumulate(sums)
    last = int(np.argmax(sums - lowest))
    first = int(np.nonzero(sums[: last + 1] == lowest[last])[0][-1])
    kept = slice(first, last)
    told = int((agrees[kept] & ~flat(seen[kept])).sum())
    if told < min(FEWEST, span[1] - span[0]):
        return None
    moving = np.bitwise_count(seen[kept][1:] ^ seen[kept][:-1]) > ALIKE
    return Link(start + first + offset, start + first, last - first, told * STILL + moving.sum() * (1 - STILL))


def dark(strip: Strip) -> Iterable[bool]:
    """Which shots are black: by the list, or by their prints."""
    for shot, (start, end) in zip(strip.shots, strip.spans, strict=True):
        seen = () if strip.prints is None else strip.prints[start:end]
        yield shot.black or (len(seen) > 0 and bool(flat(np.asarray(seen, np.uint64)).mean() > 0.5))
