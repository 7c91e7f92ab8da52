"""Dissolves and fades: changes of shot that take their time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engines.picture.thumbnails import Floats, Stretch

LENGTHS = (8, 10, 12, 14, 17, 20, 24, 28, 33, 39, 46, 54)
"""Mixed frames of the dissolves that are looked for; what lies between fits its neighbour."""
DARK, GONE = 1.5, 4.0  # levels above the darkest of a black stretch at which the picture comes, and by which it is gone
BLACK = 14.0  # levels above studio black (mean and spread together) that a black frame has at most
RAMP = 4  # frames that a fade takes at least; less is a cut to or from black
LIT = 12.0  # levels that a fade rises at least
DIP = 6  # black frames; fewer are one fade through black, not two
OPENING = 32  # frames of black at most before a film's first picture
STUDIO_BLACK = 16.0
_ROWS = 4  # frames whose products with their followers are made together: so few that the library does not share them out


class Gradual(NamedTuple):
    """A dissolve or fade, in frames counted in the stretch: where it stands, its kind, its length, how sure and how strong it is
    (0..1), and the first frame and the end of what it changes. ``opening`` is a film's own coming out of black, no boundary."""

    frame: int
    kind: str
    length: int
    confidence: float
    strength: float
    start: int
    stop: int
    opening: bool = False


class Mix(NamedTuple):
    """A place where one picture may turn into another: the middle of the mix, its length in frames, and what was measured.

    ``curve`` is the mean square by which the share of the new picture leaves a straight line, ``rest`` what no mix of the two
    explains, ``change`` their mean difference in levels, ``before`` and ``after`` how much each side changes by itself (both as
    shares of the change), ``steepest`` the largest step of the share times the length.
    """

    frame: int
    length: int
    curve: float
    rest: float
    change: float
    before: float
    after: float
    steepest: float


def band(vectors: Floats, reach: int) -> Floats:
    """Inner products (n, reach + 1) of every vector with itself and those after it (0 beyond the last), all about their mean."""
    n, features = vectors.shape
    groups = -(-n // _ROWS)
    padded = np.zeros((groups * _ROWS + reach, features), np.float32)
    np.subtract(vectors, vectors.mean(0), out=padded[:n])
    down, along = padded.strides
    followers = as_strided(padded, (groups, features, _ROWS + reach), (_ROWS * down, along, down))
    products = np.ascontiguousarray(padded[: groups * _ROWS].reshape(groups, _ROWS, features) @ followers)
    group, row, column = products.strides
    diagonal = as_strided(products, (groups, _ROWS, reach + 1), (group, row + column, column))
    return diagonal.reshape(-1, reach + 1)[:n]


def mixes(vectors: Floats, edges: Floats, cuts: Sequence[int] = ()) -> list[Mix]:
    """Places where one picture turns into another: frames as vectors (n, features) with their `thumbnails.detail`.

    ``cuts`` are the first frames of new shots, rising; no mix reaches across one.
    """
    n, features = vectors.shape
    gram = band(vectors, LENGTHS[-1] + 1)
    square = gram[:, 0]
    shots = np.array([0, *cuts, n])
    shot = np.searchsorted(shots, np.arange(n), side="right")
    since, left = np.arange(n) - shots[shot - 1], shots[shot] - np.arange(n)
    found: list[Mix] = []
    for length in LENGTHS:
        a = np.flatnonzero((since >= 4) & (left > length + 5) & ((since % 2 == 0) | (length < SPARSE)))
        b, mid = a + length + 1, a + (length + 1) // 2 + 1
        gap = square[a] + square[b] - 2 * gram[a, length + 1]
        # two pictures that share no edges, at half strength each, hold half of their squared gradients: a pan holds all of them
        middle = (edges[mid - 2] + edges[mid - 1] + edges[mid] + edges[mid + 1]) / 2
        worth_a_look = (gap > features * CHANGE**2) & (middle < HELD * (edges[a] + edges[b]))
        a, b, gap = a[worth_a_look], b[worth_a_look], gap[worth_a_look]
        if not len(a):
            continue
        # products of the frames of each mix with the picture after it: a step on is a row down and a column back
        to_after = as_strided(gram[1:, length:], (n - length - 1, length), (gram.strides[0], gram.strides[0] - gram.strides[1]))
        share = to_after[a] - gram[a, 1 : length + 1]
        share += (square[a] - gram[a, length + 1])[:, None]
        share /= gap[:, None]
        line = np.arange(1, length + 1, dtype=np.float32) / (length + 1)
        curve = np.square(share - line).mean(1)
        straight = curve < STRAIGHT
        a, b, gap, share, curve = a[straight], b[straight], gap[straight], share[straight], curve[straight]
        away = square[a[:, None] + np.arange(1, length + 1)] + square[a][:, None] - 2 * gram[a, 1 : length + 1]
        rest = (np.maximum(away - share**2 * gap[:, None], 0) / gap[:, None]).mean(1)
        steepest = np.diff(share, axis=1, prepend=0, append=1).max(1) * (length + 1)
        still = [np.maximum(square[i] + square[i + 4] - 2 * gram[i, 4], 0) / gap for i in (a - 4, b)]
        numbers = np.stack((curve, np.sqrt(rest), np.sqrt(gap / features), *np.sqrt(still), steepest), axis=1)
        found += [Mix(int(f) + (length + 1) // 2 + 1, length, *m) for f, m in zip(a, numbers.tolist(), strict=True)]
    return found


SPARSE = 17
"""Mixes from this length on are tried at every second frame: their middle is not known better than that."""
SEEN, AREA = 6.0, 0.7
"""A dissolve changes at least this share of the picture by so many levels; what changes less is a title that comes or goes."""
HELD = 0.78
"""Share of the sides' squared gradients that the middle of a dissolve holds at most."""
STRAIGHT, REST, CHANGE, RESTLESS, STEEP = 0.012, 0.47, 10.0, 1.3, 4.0
"""A mix is a dissolve if its share leaves a line by no more (mean square), no more is unexplained, the pictures differ by so many
levels, the calmer of the two sides changes by no more by itself, and no step is so many times the mean one."""


def dissolves(stretch: Stretch, cuts: Sequence[int] = ()) -> list[Gradual]:
    """Dissolves of a stretch between its hard cuts; a mix with black is a fade and left out here."""
    marked = []
    for mix in mixes(stretch.vectors, stretch.edges, cuts):
        a, b = mix.frame - (mix.length + 1) // 2 - 1, mix.frame + mix.length // 2
        calm = min(mix.before, mix.after)
        if mix.rest > REST or calm > RESTLESS or mix.steepest > STEEP or min(stretch.spread[[a, b]]) < BLACK / 2:
            continue
        apart = np.abs(stretch.luma[a].astype(np.float32) - stretch.luma[b]).reshape(9, 4, 16, 4).mean((1, 3))
        if (apart > SEEN).mean() < AREA:
            continue
        # the longest straight mix holds the others: its pictures differ most, and both sides have come to rest
        worth = mix.change * (1 - mix.rest) * (1 - 0.4 * min(1.0, max(mix.before, mix.after))) * (1 - 40 * mix.curve)
        marked.append((worth, mix))
    found: list[Gradual] = []
    for _, mix in sorted(marked, key=lambda m: -m[0]):
        if all(abs(mix.frame - other.frame) > (mix.length + other.length) / 2 + 2 for other in found):
            sure = float(np.clip(1 - mix.rest / REST / 2 - mix.curve / STRAIGHT / 4, 0.05, 0.95))
            a = mix.frame - (mix.length + 1) // 2
            found.append(Gradual(mix.frame, "dissolve", mix.length, sure, min(1.0, mix.change / 80), a, a + mix.length))
    return sorted(found)


def fades(mean: Floats, spread: Floats) -> list[Gradual]:
    """Fades to and from black by the mean and standard deviation (n,) of each frame's luma: at the first black frame, and at the
    first one that is black no more.

    A dip of a few black frames is one fade, in its middle. The black before a film's first picture is no boundary.
    """
    light = np.abs(mean - STUDIO_BLACK) + spread
    found: list[Gradual] = []
    start = 0
    while start < len(light):
        if light[start] > BLACK or (start and light[start] > light[start - 1] + DARK):
            start += 1
            continue
        stop = start
        while stop < len(light) and light[stop] <= BLACK:
            stop += 1
        floor = light[start:stop].min()
        first = start + int(np.flatnonzero(light[start:stop] <= floor + GONE)[0])
        blackest = start + np.flatnonzero(light[start:stop] <= floor + DARK)
        last = int(blackest[-1])
        down, up = _ramp(light[: first + 1][::-1]), _ramp(light[last:])
        rises = float(light[max(0, first - down)] - floor), float(light[min(len(light) - 1, last + up)] - floor)
        gone, comes = down >= RAMP and rises[0] > LIT, up >= RAMP and rises[1] > LIT
        opening = first == 0 and last < OPENING
        if gone and comes and len(blackest) < DIP:
            found.append(_fade(int(blackest.mean()), first - down, last + up, max(rises)))
        else:
            found += [_fade(first, first - down, first, rises[0])] * gone
            found += [_fade(last + 1, last + 1, last + up, rises[1])._replace(opening=opening)] * comes
        start = stop + 1
    return found


def _ramp(light: Floats) -> int:
    """Frames over which the light rises without a jump, from the first one on."""
    steps = np.diff(light[:96])
    if not len(steps):
        return 0
    jumps = np.flatnonzero((steps <= 0) | (steps > 30))
    return int(jumps[0]) if len(jumps) else len(steps)


def _fade(frame: int, start: int, stop: int, rise: float) -> Gradual:
    sure, strong = float(np.clip(rise / 40, 0.3, 0.95)), float(min(1.0, rise / 120))
    return Gradual(frame, "fade", stop - start, sure, strong, start, stop)
