"""Visual beats: the moments at which something in the picture stops, lands or turns round, and their tempo.

The chain of A. Davis and M. Agrawala (*Visual Rhythm and Beat*, 2018), by its formulas, with what was accidental in the published
programs left out: nothing is taken across a cut, loud moments are not clipped, windows are seconds and not frames, a still picture has
no beats, and the choice of beats keeps its first one. `engines.picture.published` has the chain as published.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from engines.picture.flow import Floats

HIGH_PASS = 1.25
"""Hz: what swells more slowly than over 0.8 s is no beat."""
SMOOTH = (5.0, 0.1)
"""Standard deviations of the directogram's smoothing: bins, seconds."""
FAINTEST = 0.15
"""Picture heights a second, lost within a second: in a film whose strongest stops are weaker, they count for less than 1."""
NEAR, AROUND, DELTA = 0.08, 0.2, 0.015
"""A peak is the highest within NEAR seconds and stands DELTA above the mean within AROUND seconds."""
CLOSEST, FARTHEST = 0.25, 3.75
"""Seconds between two beats that can belong to one pulse."""
PULSE = 0.3
"""How much a beat must weigh to stand alone; one that falls in with the pulse of the film may weigh less."""
USUAL_TEMPO = 120.0
FEWEST = 4
"""Beats from which a tempo can be told."""
CHANCE = 1.5
"""Standard deviations of an autocorrelation that a tempo must stand above: three, halved because four multiples are averaged."""


@dataclass(frozen=True)
class VisualBeat:
    """A moment of ``weight`` 0..1 at exact ``time`` (seconds), shown by ``frame``."""

    frame: int
    time: Fraction
    weight: float


def spans(n: int, starts: Sequence[int]) -> list[tuple[int, int]]:
    """Samples of each shot as (start, stop), for ``n`` samples and the first samples of the shots after the first."""
    edges = [0, *sorted({s for s in starts if 0 < s < n}), n]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def impact(directograms: NDArray[np.float32], rate: float, starts: Sequence[int] = ()) -> Floats:
    """The envelope (n,) of visual beats: how suddenly motion is lost in any direction, 1 for the film's strongest percent.

    ``directograms`` (n, bins) are picture heights a second by direction, at ``rate`` samples a second, ``starts`` the first
    samples of new shots. Zeros for a picture that does not move.
    """
    import cv2

    stops = np.zeros(len(directograms))
    for start, stop in spans(len(directograms), starts):
        # the flow into a shot's first sample comes from the shot before
        shot = directograms[start:stop].copy()
        if stop - start < 3:
            continue
        shot[0] = shot[1]
        smooth = _smoothed(shot, SMOOTH[1] * rate, SMOOTH[0])
        smooth[:] = cv2.medianBlur(np.pad(smooth, ((0, 0), (1, 1)), mode="wrap"), 3)[:, 1:-1]
        # the flow into sample t ends there: what is less after it stopped at t
        stops[start : stop - 1] = np.maximum(smooth[:-1] - smooth[1:], 0).sum(axis=1) * rate
    envelope = np.maximum(high_passed(stops, rate), 0)
    loud = float(np.percentile(envelope, 99)) if len(envelope) else 0.0
    return envelope / max(loud, FAINTEST)


def _smoothed(directograms: NDArray[np.float32], samples: float, bins: float) -> NDArray[np.float32]:
    """Gaussian of these standard deviations over time, whose ends stand still, and over directions, which run round."""
    import cv2

    def kernel(spread: float) -> NDArray[np.float64]:
        return np.asarray(cv2.getGaussianKernel(2 * int(4 * spread + 0.5) + 1, spread), np.float64)

    around = len(kernel(bins)) // 2
    wide = np.pad(directograms, ((0, 0), (around, around)), mode="wrap")
    smooth = cv2.sepFilter2D(wide, cv2.CV_32F, kernel(bins), kernel(samples), borderType=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(smooth[:, around:-around], np.float32)


def high_passed(signal: Floats, rate: float) -> Floats:
    """Without what is slower than `HIGH_PASS` (Butterworth, order 5, forwards and backwards, over the signal and its mirror)."""
    if len(signal) < 2 or 0.95 * rate / 2 <= HIGH_PASS:
        return signal - signal.mean() if len(signal) else signal
    spectrum = np.fft.rfft(np.concatenate((signal, signal[::-1])))
    # the bilinear transform of the filter; both ways it passes one over one plus the tenth power
    place = np.tan(np.pi / 2 * np.linspace(0, 1, len(spectrum)))
    slowness = np.tan(np.pi * HIGH_PASS / rate) / np.maximum(place, 1e-9)
    passed: Floats = np.fft.irfft(spectrum / (1 + slowness**10))[: len(signal)]
    return passed


def peaks(envelope: Floats, rate: float) -> NDArray[np.int64]:
    """Samples at which the envelope has a peak."""
    if not len(envelope):
        return np.zeros(0, np.int64)
    near, around = max(1, round(NEAR * rate)), max(1, round(AROUND * rate))
    highest = sliding_window_view(np.pad(envelope, near, mode="edge"), 2 * near + 1).max(axis=1)
    mean = sliding_window_view(np.pad(envelope, around, mode="edge"), 2 * around + 1).mean(axis=1)
    found = np.flatnonzero((envelope >= highest) & (envelope >= mean + DELTA))
    return found[np.diff(found, prepend=-near - 1) > near]  # of a flat top, the first


def autocorrelation(envelope: Floats, longest: int) -> Floats:
    """(longest + 1,) values, 1 at lag 0, each over the overlap only; zeros for a signal that does not vary."""
    n = len(envelope)
    out = np.zeros(longest + 1)
    if n < 2:
        return out
    signal = envelope - envelope.mean()
    power = float(signal @ signal)
    if power <= 1e-12 * n:
        return out
    last = min(longest, n // 2)
    whole = np.fft.irfft(np.abs(np.fft.rfft(signal, 2 * n)) ** 2, 2 * n)[: last + 1]
    out[: last + 1] = whole / power * n / (n - np.arange(last + 1))
    return out


def chosen(times: Sequence[float], weights: Sequence[float], pulse: Floats, rate: float) -> list[int]:
    """The peaks to keep, as indices: the sequence of greatest total weight, each step paying up to `PULSE` for leaving the pulse.

    Two beats are never closer than `CLOSEST`. ``pulse`` is the autocorrelation of the envelope by sample. Dynamic programme over
    the last beat; steps longer than `FARTHEST` all cost the same, so that only the best earlier one is looked at.
    """
    score, back = [0.0] * len(times), [-1] * len(times)
    best_until: list[int] = []  # the best last beat among the first k + 1
    for k, time in enumerate(times):
        score[k] = weights[k] - PULSE
        close = bisect_right(times, time - CLOSEST + 1e-9)
        far = bisect_left(times, time - FARTHEST)
        steps = [(score[j] + weights[k] - PULSE * (1 - _at(pulse, (time - times[j]) * rate)), j) for j in range(far, close)]
        if far:
            steps.append((score[best_until[far - 1]] + weights[k] - PULSE, best_until[far - 1]))
        if steps and max(steps)[0] > score[k]:
            score[k], back[k] = max(steps)
        best_until.append(k if not best_until or score[k] > score[best_until[-1]] else best_until[-1])
    path: list[int] = []
    k = best_until[-1] if best_until and score[best_until[-1]] > 0 else -1
    while k >= 0:
        path.append(k)
        k = back[k]
    return path[::-1]


def _at(pulse: Floats, lag: float) -> float:
    """Between 0 and 1: pulse at a lag that need not be whole."""
    low = int(lag)
    if low + 1 >= len(pulse):
        return 0.0
    value = pulse[low] + (lag - low) * (pulse[low + 1] - pulse[low])
    return float(min(1.0, max(0.0, value)))


def beats_of(envelope: Floats, frames: NDArray[np.int64], times: Sequence[Fraction], rate: float) -> tuple[VisualBeat, ...]:
    """The visual beats of an envelope whose samples show ``frames`` at ``times``."""
    found = peaks(envelope, rate)
    pulse = autocorrelation(envelope, round(FARTHEST * rate) + 1)
    weights = [min(1.0, float(envelope[k])) for k in found]
    kept = chosen([float(times[k]) for k in found], weights, pulse, rate)
    return tuple(VisualBeat(*_summit(envelope, frames, times, int(found[k])), weights[k]) for k in kept)


def _summit(envelope: Floats, frames: NDArray[np.int64], times: Sequence[Fraction], k: int) -> tuple[int, Fraction]:
    """Frame and time of a peak, between the samples: the top of the parabola through the sample ``k`` and its neighbours."""
    if not 0 < k < len(envelope) - 1:
        return int(frames[k]), times[k]
    before, here, after = (float(envelope[k + i]) for i in (-1, 0, 1))
    bend = 2 * here - before - after
    aside = (after - before) / (2 * bend) if bend > 0 else 0.0  # in samples, half of one at most
    other = k + (1 if aside > 0 else -1)
    apart = int(frames[other] - frames[k])
    frame = int(frames[k]) + round(abs(aside) * apart)
    return frame, times[k] + (times[other] - times[k]) * Fraction(frame - int(frames[k]), apart)


def tempo_of(envelope: Floats, rate: float, low: float = 40.0, high: float = 240.0) -> float | None:
    """The visual tempo in beats a minute within ``low``..``high``, or None where nothing repeats.

    The tempo whose beat, and its multiples up to four, the envelope repeats best; likelier the nearer to 120 (log-normal,
    one octave), as beat trackers assume.
    """
    slowest = 60 * rate / low
    pulse = autocorrelation(envelope, int(4 * slowest) + 2)
    reach = len(envelope) // 2
    if not pulse.any() or 60 * rate / high > reach:
        return None
    tempi = np.geomspace(low, high, max(2, round(800 * np.log2(high / low)) + 1)) if high > low else np.array([low])
    lags = 60 * rate / tempi
    total, count = np.zeros(len(tempi)), np.zeros(len(tempi))
    for multiple in (1, 2, 3, 4):
        inside = lags * multiple <= reach
        total[inside] += np.interp(lags[inside] * multiple, np.arange(len(pulse)), pulse)
        count += inside
    clarity = total / np.maximum(count, 1)
    prior = np.exp(-0.5 * np.log2(tempi / USUAL_TEMPO) ** 2)
    best = int(np.argmax(clarity * prior))
    independent = len(envelope) / rate / (2 * SMOOTH[1])  # samples, after smoothing
    return float(tempi[best]) if clarity[best] >= CHANCE / independent**0.5 else None
