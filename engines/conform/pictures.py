"""Matching by picture: frames whose prints (64-bit difference hashes) agree, shot against shot, at the offset where most do."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import replace

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

ROUND = 2
"""Offsets on both sides of a likely one that are tried: slow pictures are alike over some frames, and probes are few."""
DOUBT = 0.2
"""Weight, times the root of the frames, by which one offset must beat another to be the surer: encoding again scatters the bits
of a frame by about 1.5, which is 0.08 of its weight, and of three times that one can be sure."""
BLOCK = 2**22
"""Comparisons at a time: 32 MB."""


def flat(prints: Prints) -> NDArray[np.bool_]:
    """Which frames are black or of one colour."""
    bits = np.bitwise_count(prints)
    return (bits <= FLAT) | (bits >= 64 - FLAT)


def by_picture(old: Strip, new: Strip) -> list[Link]:
    """Every stretch of the old cut that shows the same pictures as a shot of the new one.

    A static or slow shot has no offset of its own: where several fit, that of the surest neighbours counts for more.
    """
    assert old.prints is not None
    assert new.prints is not None
    seen = old.prints, new.prints
    found = [[_settled(*seen, span, offset) for offset in _likely(*seen, span)] for span in new.spans]
    sure = heaviest([link for links in found for link, certain in links if link and certain])
    starts, ends = [link.new for link in sure], [link.new_end for link in sure]
    out: list[Link] = []
    for span, links in zip(new.spans, found, strict=True):
        out += [link for link, _ in links if link]
        if not max(((link.weight, certain) for link, certain in links if link), default=(0.0, False))[1]:
            before, after = bisect_right(ends, span[0]), bisect_left(starts, span[1])
            near = {link.offset for link in (*sure[max(0, before - 1) : before], *sure[after : after + 1])}
            out += [_leaning(link) for link in (_link(*seen, span, offset) for offset in sorted(near)) if link]
    return out


def _leaning(link: Link) -> Link:
    return replace(link, weight=link.weight + DOUBT * link.frames**0.5)


def _likely(old: Prints, new: Prints, span: tuple[int, int]) -> list[int]:
    """The offsets (old frame less new) at which most probes of a shot are found, the likeliest first."""
    start, end = span[0], min(span[1], len(new))
    if start >= end or not len(old):
        return []
    count = min(end - start, max(PROBES, (end - start) // STRIDE))
    probes = np.unique(np.linspace(start, end - 1, count).astype(np.int64))
    probes = probes[~flat(new[probes])]
    votes = np.zeros(len(old) + len(new))  # by offset, less the lowest that there can be
    rows = max(1, BLOCK // len(old))
    for at in range(0, len(probes), rows):
        some = probes[at : at + rows]
        apart = np.bitwise_count(old[None] ^ new[some, None])
        row, frame = np.nonzero(apart <= ALIKE)
        votes += np.bincount(frame - some[row] + len(new), 1 - apart[row, frame] / (2 * ALIKE), len(votes))
    out: list[int] = []
    while len(out) < OFFSETS and votes.max(initial=0) > 0:
        best = int(np.argmax(votes))
        out.append(best - len(new))
        votes[max(0, best - ROUND) : best + ROUND + 1] = 0
    return out


def _settled(old: Prints, new: Prints, span: tuple[int, int], offset: int) -> tuple[Link | None, bool]:
    """The best link at an offset or next to it; and whether it is sure, because those around it are worse."""
    around = range(offset - ROUND, offset + ROUND + 1)
    links = {link.offset: link for link in (_link(old, new, span, other) for other in around) if link}
    if not links:
        return None, False
    best = max(links.values(), key=lambda link: (link.weight, -abs(link.offset)))
    sides = (_link(old, new, span, best.offset + far) for far in (-1, 1))
    return best, all(side is None or best.weight - side.weight > DOUBT * best.frames**0.5 for side in sides)


def _link(old: Prints, new: Prints, span: tuple[int, int], offset: int) -> Link | None:
    """The stretch of a shot that agrees at an offset, which weighs more the better it does; None where that is chance."""
    start, end = max(span[0], -offset), min(span[1], len(new), len(old) - offset)
    if start >= end:
        return None
    apart = np.bitwise_count(new[start:end] ^ old[start + offset : end + offset])
    sums = np.concatenate(([0], np.cumsum(np.where(apart <= ALIKE, 1, -MISS))))
    lowest = np.minimum.accumulate(sums)
    last = int(np.argmax(sums - lowest))
    first = int(np.nonzero(sums[: last + 1] == lowest[last])[0][-1])
    told = apart[first:last][(apart[first:last] <= ALIKE) & ~flat(new[start + first : start + last])]
    if len(told) < min(FEWEST, span[1] - span[0]):
        return None
    return Link(start + first + offset, start + first, last - first, len(told) - float(told.sum()) / (2 * ALIKE))


def dark(strip: Strip) -> Iterable[bool]:
    """Which shots are black: by the list, or by their prints."""
    for shot, (start, end) in zip(strip.shots, strip.spans, strict=True):
        seen = () if strip.prints is None else strip.prints[start:end]
        yield shot.black or (len(seen) > 0 and bool(flat(np.asarray(seen, np.uint64)).mean() > 0.5))
