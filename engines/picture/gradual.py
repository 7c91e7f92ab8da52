"""Dissolves and fades: changes of shot that take their time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engines.picture.thumbnails import Floats

LENGTHS = (8, 10, 12, 14, 17, 20, 24, 28, 33, 39, 46, 54)
"""Mixed frames of the dissolves that are looked for; what lies between fits its neighbour."""
DARK, GONE = 1.5, 4.0  # levels above the darkest of a black stretch at which the picture comes, and by which it is gone
BLACK = 14.0  # levels above studio black (mean and spread together) that a black frame has at most
RAMP = 4  # frames that a fade takes at least; less is a cut to or from black
LIT = 12.0  # levels that a fade rises at least
DIP = 6  # black frames; fewer are one fade through black, not two
OPENING = 32  # frames of black at most before a film's first picture
STUDIO_BLACK = 16.0


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


def mixes(vectors: Floats, edges: Floats) -> list[Mix]:
    """Places where one picture turns into another: frames as vectors (n, features; see `joins.coarse`), and their `detail`."""
    n, features = vectors.shape
    centred = vectors - vectors.mean(0)
    gram = centred @ centred.T
    square = np.diag(gram)
    found: list[Mix] = []
    for length in LENGTHS:
        a = np.arange(4, n - length - 5, 1 if length < SPARSE else 2)
        if not len(a):
            continue
        b, mid = a + length + 1, a + (length + 1) // 2 + 1
        gap = square[a] + square[b] - 2 * gram[a, b]
        # two pictures that share no edges, at half strength each, hold half of their squared gradients: a pan holds all of them
        middle = (edges[mid - 2] + edges[mid - 1] + edges[mid] + edges[mid + 1]) / 2
        worth_a_look = (gap > features * CHANGE**2) & (middle < HELD * (edges[a] + edges[b]))
        a, b, gap = a[worth_a_look], b[worth_a_look], gap[worth_a_look]
        steps = np.arange(1, length + 1, dtype=np.int32)
        k = a[:, None] + steps
        along = gram[k, b[:, None]] - gram[k, a[:, None]] - gram[a, b][:, None] + square[a][:, None]
        share = along / np.maximum(gap, 1e-3)[:, None]
        away = square[k] + square[a][:, None] - 2 * gram[k, a[:, None]]
        rest = np.maximum(away - share**2 * gap[:, None], 0) / np.maximum(gap, 1e-3)[:, None]
        curve = ((share - (steps / (length + 1)).astype(np.float32)) ** 2).mean(1)
        full = np.pad(np.pad(share, ((0, 0), (1, 0))), ((0, 0), (0, 1)), constant_values=1)
        steepest = np.diff(full, axis=1).max(1) * (length + 1)
        still = [square[i] + square[j] - 2 * gram[i, j] for i, j in ((a - 4, a), (b, b + 4))]
        good = np.flatnonzero(curve < STRAIGHT)
        for row in good:
            found.append(
                Mix(
                    int(a[row]) + (length + 1) // 2 + 1,
                    length,
                    float(curve[row]),
                    float(np.sqrt(rest[row].mean())),
                    float(np.sqrt(gap[row] / features)),
                    float(np.sqrt(max(still[0][row], 0) / gap[row])),
                    float(np.sqrt(max(still[1][row], 0) / gap[row])),
                    float(steepest[row]),
                )
            )
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


def dissolves(vectors: Floats, luma: Floats) -> list[Gradual]:
    """Dissolves of a stretch; a mix with black is a fade and left out here."""
    spread = luma.std((1, 2))
    marked = []
    for mix in mixes(vectors, detail(luma)):
        a, b = mix.frame - (mix.length + 1) // 2 - 1, mix.frame + mix.length // 2
        calm = min(mix.before, mix.after)
        if mix.rest > REST or calm > RESTLESS or mix.steepest > STEEP or min(spread[a], spread[b]) < BLACK / 2:
            continue
        blocks = np.abs(luma[a] - luma[b]).reshape(9, 4, 16, 4).mean((1, 3))
        if (blocks > SEEN).mean() < AREA:
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


def detail(luma: Floats) -> Floats:
    """Mean squared gradient of every frame."""
    across, down = np.diff(luma, axis=2), np.diff(luma, axis=1)
    edges: Floats = (across**2).mean((1, 2)) + (down**2).mean((1, 2))
    return edges


def fades(luma: Floats) -> list[Gradual]:
    """Fades to and from black: at the first black frame, and at the first one that is black no more.

    A dip of a few black frames is one fade, in its middle. The black before a film's first picture is no boundary.
    """
    light = np.abs(luma.mean((1, 2)) - STUDIO_BLACK) + luma.std((1, 2))
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
