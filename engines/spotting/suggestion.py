"""What the picture suggests to the music: density, energy, register and strength of each bar, mood of the cue.

Suggestions, not orders: the composer overrides any of them. The ranges are those of real music, measured over the bars of POP909: onsets
a second hardly depend on the tempo there (5th, 50th and 95th percentile 1.7, 3.2 and 4.7 at 50 as at 150 BPM), so that motion asks
for onsets a second, and a bar gets as many as fit its length. The published mappings ask for a density a bar, whatever the
tempo, and saturate on any lively film (`engines.picture.published` has them).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

import numpy as np

from engines.engine import MOODS

if TYPE_CHECKING:
    from engines.picture.motion import Motion

STILL, WILD = 0.02, 1.0
"""Picture heights a second, mean over the picture: less is a still life or a fade, more is a whip or a blast."""
CALM, BUSY = 1.7, 4.7
"""Onsets a second of the calmest and the busiest twentieth of real music."""
OWN = 0.4
"""Share of a bar's rank among the bars of its own film in its activity, if the film has much contrast; the rest is absolute."""
CONTRAST = 0.5
"""Spread of activity from which a film has much contrast."""
SOFT, LOUD, ARC = 0.3, 0.75, 0.1
"""Energy of a still bar and of a wild one; what the place in the cue adds at most."""
SUMMIT = 0.75
"""Where in a cue its arc is highest."""
MIDDLE_PITCH, PITCH_REACH = 62.5, 6.5
"""Mean pitch of middle grey, and how far the darkest and the brightest picture leave it."""
GREY, GREY_REACH = 0.45, 0.35
"""Middle grey as encoded, and the distance at which a film is dark or bright indeed."""
PALE = 0.3
"""Saturation of an ordinary film."""
SLOW_SHOT, QUICK_SHOT = 10.0, 1.0
"""Seconds a shot, from calm to hectic cutting."""
SEEN = 0.02
"""Luma below which nothing is to be seen."""


@dataclass(frozen=True)
class BarPicture:
    """What the picture says of one bar.

    ``flow`` is its mean motion in picture heights a second, ``beats`` the number of its visual beats and ``strength`` (0..1) the
    strongest of them, ``luma`` its light (0..1). ``activity`` (0..1) is what flow makes of it; ``density``, ``energy`` and ``register``
    are in the units of `engines.engine.BarBrief`.
    """

    flow: float
    beats: int
    strength: float
    luma: float
    activity: float
    density: int
    energy: float
    register: float


@dataclass(frozen=True)
class MoodGuess:
    """``valence`` and ``arousal`` in -1..1 and the quadrant they lie in; a guess from light, colour, motion and cutting alone."""

    valence: float
    arousal: float

    @property
    def mood(self) -> int:
        """1 to 4, see `engines.engine.MOODS`."""
        if self.valence >= 0:
            return MOODS["happy"] if self.arousal >= 0 else MOODS["calm"]
        return MOODS["angry"] if self.arousal >= 0 else MOODS["sad"]


@dataclass(frozen=True)
class Suggested:
    """All that the picture suggests of one cue. ``mood`` is None where nothing is to be seen, ``tempo`` (beats a minute) where
    nothing repeats."""

    bars: tuple[BarPicture, ...]
    mood: MoodGuess | None
    tempo: float | None


def level(speed: float) -> float:
    """0 for a still picture, 1 for a wild one, by the logarithm of its speed (picture heights a second)."""
    return min(1.0, max(0.0, log(max(speed, STILL) / STILL) / log(WILD / STILL)))


def activity(speeds: Sequence[float]) -> list[float]:
    """Activity 0..1 of each bar: its own level, drawn towards its rank among the others as far as the film has contrast."""
    levels = np.array([level(speed) for speed in speeds])
    if not len(levels):
        return []
    low, high = np.percentile(levels, (10, 90))
    share = OWN * min(1.0, float(high - low) / CONTRAST)
    below = (levels[:, None] > levels).sum(axis=1)
    same = (levels[:, None] == levels).sum(axis=1)
    rank = (below + (same - 1) / 2) / max(1, len(levels) - 1)
    return [float(a) for a in (1 - share) * levels + share * rank]


def density(activity: float, seconds: float, positions: int) -> int:
    """Onset positions for a bar of that many seconds and sixteenths."""
    return min(positions, max(1, round((CALM + (BUSY - CALM) * activity) * seconds)))


def arc(place: float) -> float:
    """0 at both ends of a cue, 1 at its summit; ``place`` in 0..1."""
    return place / SUMMIT if place < SUMMIT else (1 - place) / (1 - SUMMIT)


def suggest(motion: Motion, edges: Sequence[float], positions: Sequence[int]) -> Suggested:
    """What the picture suggests for bars between ``edges`` (seconds, one more than there are bars) of ``positions`` sixteenths each."""
    end = max(edges[0], min(edges[-1], float(motion.duration)))
    flows = [motion.mean(motion.speed, a, b) for a, b in pairwise(edges)]
    bars = []
    for k, (active, (a, b)) in enumerate(zip(activity(flows), pairwise(edges), strict=True)):
        weights = [beat.weight for beat in motion.beats if a <= beat.time < b]
        luma = motion.mean(motion.luma, a, b)
        place = min(1.0, ((a + min(b, end)) / 2 - edges[0]) / (end - edges[0])) if end > edges[0] else 0.0
        energy = SOFT + (LOUD - SOFT) * active + ARC * max(0.0, arc(place))
        register = MIDDLE_PITCH + PITCH_REACH * _bounded((luma - GREY) / GREY_REACH)
        bars.append(
            BarPicture(
                flow=flows[k],
                beats=len(weights),
                strength=max(weights, default=0.0),
                luma=luma,
                activity=active,
                density=density(active, b - a, positions[k]),
                energy=round(energy, 3),
                register=round(register, 1),
            )
        )
    return Suggested(tuple(bars), mood(motion, edges[0], end), motion.tempo())


def mood(motion: Motion, start: float, end: float) -> MoodGuess | None:
    """Valence from light and colour, arousal from motion and cutting; None for a picture as good as black.

    Brightness and saturation please by .69 and .22 (P. Valdez and A. Mehrabian, *Effects of color on emotions*, 1994), warm colours a
    little; neither source nor scale knows the story.
    """
    luma = motion.mean(motion.luma, start, end)
    if luma < SEEN:
        return None
    saturation, warmth = (motion.mean(values, start, end) for values in (motion.saturation, motion.warmth))
    valence = 4 * (0.69 * (luma - GREY) + 0.22 * (saturation - PALE) + 0.15 * warmth)
    moving = float(np.mean([level(speed) for speed in motion.speed[motion.samples(start, end)]]))
    shots = 1 + sum(start < cut < end for cut in motion.cuts)
    length = max(QUICK_SHOT, min(SLOW_SHOT, (end - start) / shots))
    cutting = log(SLOW_SHOT / length) / log(SLOW_SHOT / QUICK_SHOT)
    return MoodGuess(round(_bounded(valence), 3), round(_bounded(2 * (0.6 * moving + 0.4 * cutting) - 1), 3))


def _bounded(value: float) -> float:
    return min(1.0, max(-1.0, value))
