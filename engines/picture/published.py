"""The published formulas, accidents included, by name: for comparison beside ours, not for use.

``cmt``: Di et al., *Video Background Music Generation with Controllable Music Transformer* (2021), density from optical flow and
strength from visual beats by fixed thresholds. ``bmt``: BM-Transformer, density as the number of visual beats above 0.2. The beats
of both come from visbeat (Davis and Agrawala, 2018) as its program computes them, not as its paper means them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engines.picture.flow import Floats
from engines.picture.motion import Motion

FLOW_THRESHOLDS = (
    0.00816927, 0.0203443, 0.0297946, 0.0410418, 0.0708748, 0.105125, 0.142673, 0.190956,
    0.515512, 0.751478, 0.998934, 1.206753, 1.632258, 2.031705, 2.467431, 2.810442,
)  # fmt: skip
"""Mean absolute flow component, pixels a frame at about 360 lines, at which the density rises by one."""
STRENGTH_THRESHOLDS = (
    0.0, 0.228902764, 0.483820719, 0.787098136, 0.891160137,
    0.964556814, 0.991241869, 0.997820822, 0.999665616, 0.999890552,
)  # fmt: skip
"""Weight of a visual beat at which its strength rises by one."""
ACCEPTED = 0.2
"""Weight from which a visual beat counts, the threshold slider of the published user interface."""


@dataclass(frozen=True)
class PublishedBar:
    """Conditions of one bar of 4/4: ``density`` and the strength of each accepted beat, in order."""

    density: int
    strengths: tuple[int, ...]


def cmt_density(component: float) -> int:
    """Density 0..16 for a mean flow component in pixels a frame."""
    return bisect_right(FLOW_THRESHOLDS, component)


def strength(weight: float) -> int:
    """Strength 0..10 for the weight of a visual beat."""
    return bisect_right(STRENGTH_THRESHOLDS, weight)


def impact(directograms: NDArray[np.float32], rate: float) -> Floats:
    """The published envelope (n,) of directograms (n, bins) of every frame.

    Cuts are not known to it, and every sample louder than the 99th percentile becomes the 98th, whichever its sign. Zeros where the
    published program divides by zero (a still film) or refuses (18 frames and fewer).
    """
    from scipy.ndimage import gaussian_filter, median_filter
    from scipy.signal import butter, filtfilt

    smooth = median_filter(gaussian_filter(directograms.astype(np.float64), (3, 5)), 3)
    lost = np.maximum(-np.diff(smooth, axis=0, prepend=0), 0).mean(axis=1)
    if len(lost) <= 18 or not lost.any():
        return np.zeros(len(lost))
    envelope = np.asarray(filtfilt(*butter(5, 1.25 / (rate / 2), "highpass"), lost), np.float64)
    loud, nearly = np.percentile(np.abs(envelope), (99, 98))
    envelope[np.abs(envelope) > loud] = nearly
    return envelope / loud if loud else envelope * 0


def beats(envelope: Floats, rate: float) -> list[tuple[int, float]]:
    """(frame, weight) of the published visual beats; none where the published program ends with an IndexError.

    Peaks by windows of 2 and 5 frames; then the sequence of greatest weight in which a gap outside 0.25..3.75 s costs 1 (the
    autocorrelation that should price gaps is always read at lag 0), without its first beat, which the trace loses.
    """
    found = _peaks(envelope)
    if not found:
        return []
    times, weights = np.array(found) / rate, envelope[found]
    score, back = weights.copy(), np.full(len(found), -1)
    for k in range(1, len(found)):
        gap = times[k] - times[:k]
        before = score[:k] + np.where((gap >= 0.25) & (gap <= 3.75), 0.0, -1.0)
        if before.max() > 0:
            back[k] = int(before.argmax())
            score[k] += before.max()
    path, k = [], int(score.argmax())
    while back[k] >= 0:
        path.append(k)
        k = int(back[k])
    return [(found[k], float(weights[k])) for k in path[::-1]] if len(path) > 2 else []


def _peaks(envelope: Floats) -> list[int]:
    """Peak picking as librosa documents it: pre and post windows 2 (maximum) and 5 (mean), wait 2, delta 0.015."""
    out: list[int] = []
    for k, value in enumerate(envelope):
        near, around = envelope[max(0, k - 2) : k + 2], envelope[max(0, k - 5) : k + 5]
        if value == near.max() and value >= around.mean() + 0.015 and (not out or k - out[-1] > 2):
            out.append(k)
    return out


def bars(motion: Motion, edges: Sequence[float], formula: str) -> list[PublishedBar]:
    """What a published formula, ``cmt`` or ``bmt``, asks of each bar; ``edges`` are the seconds at which bars begin and the last ends.

    The published thresholds assume bars of 4/4, about 25 frames a second and 360 lines; CMT's densities are for bars of about 2 s.
    """
    rate = float(motion.rate)
    accepted = [(motion.seconds[k], w) for k, w in beats(impact(motion.directograms, rate), rate) if w >= ACCEPTED]
    out = []
    for start, end in pairwise(edges):
        inside = tuple(strength(w) for time, w in accepted if start <= time < end)
        density = cmt_density(motion.mean(motion.component, start, end)) if formula == "cmt" else len(inside)
        out.append(PublishedBar(density, inside))
    return out
