"""What a tempo map costs, in one currency: missing one hit of weight 1 altogether costs 1.

The functions of single terms take numpy arrays as well as numbers; the searches add them up while they go, and `price` adds
them up over a complete plan. Both must agree, and a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engines.spotting.hits import SYNC
from engines.spotting.tempo import Metre

if TYPE_CHECKING:
    from engines.spotting.plan import Plan
    from engines.spotting.sheet import Sheet

Array = NDArray[np.float64]
Numbers = Any
"""A float or an array of them."""

MILLISECOND = 0.001


@dataclass(frozen=True)
class Prices:
    """What each blemish costs. Tempo is in percent of the nominal tempo, so 4 to -4 is a step of 8."""

    near: float = 0.3
    """A beat in a hit's window but not exactly on it, as a share of missing the hit; less where the window is wider than `SYNC`."""
    edge: float = 0.5
    """The same at the edge of the window."""
    beyond: float = 0.03
    """Seconds outside the window at which a hit counts as missed altogether."""
    half: float = 0.1
    """A hit of weight 1 on the half bar, where a downbeat would cost nothing; grows with the square of the weight."""
    beat: float = 0.25
    """The same on any other beat."""
    off: float = 0.25
    """The same between the beats, where the composer allows hits at all."""
    change: float = 0.01
    """Any audible change of tempo."""
    step: float = 0.005
    """Each percent of a change, sudden or gradual."""
    jolt: float = 0.0012
    """The square of the percent that tempo changes from one beat to the next."""
    drift: float = 0.00008
    """One beat at one percent off the nominal tempo; grows with the square."""
    limit: float = 0.05
    """Each percent that the tempo of a beat lies beyond what was allowed, where locked bars leave no other way, or a map stands."""
    odd: float = 0.06
    """A bar of another metre; a half more if it is counted in eighths, twice as much if it is shorter than two beats."""
    pickup: float = 0.1
    """A first bar that is not whole."""
    lag: float = 0.1
    """A cue that starts a beat after its in-point; less in proportion."""
    phrase: float = 0.04
    """An uneven number of bars, three or more, from a hit on a downbeat to the next one on a downbeat."""


def missed(error: Numbers, early: Numbers, late: Numbers, prices: Prices) -> Numbers:
    """How far a hit is missed, 0 (exactly on) to 1, when the beat comes ``error`` seconds after it (negative: before)."""
    side = np.where(error > 0, late, early)
    size = np.abs(error)
    tight = np.minimum(1.0, float(SYNC) / np.maximum(side, 1e-12))
    inside = tight * (prices.near + (prices.edge - prices.near) * size / np.maximum(side, 1e-12))
    outside = tight * prices.edge + (1 - tight * prices.edge) * (size - side) / prices.beyond
    # within a millisecond nobody can tell, whatever the window
    return np.minimum(np.minimum(1.0, np.where(size <= side, inside, outside)), size / MILLISECOND)


def on(error: Numbers, early: Numbers, late: Numbers) -> Numbers:
    """Whether a beat ``error`` seconds after the hit lies in its window (or within a microsecond of it)."""
    return (error <= np.asarray(late) + 1e-6) & (error >= -np.asarray(early) - 1e-6)


def step(percent: Numbers, prices: Prices) -> Numbers:
    """A sudden change of tempo by so many percent."""
    size = np.abs(percent)
    return prices.change * np.minimum(1.0, size / 0.1) + prices.step * size + prices.jolt * size * size


def glide(percent: Numbers, beats: Numbers, prices: Prices) -> Numbers:
    """The same change spread evenly over some beats: as many small steps."""
    size = np.abs(percent)
    return prices.step * size + prices.jolt * size * size / np.maximum(beats, 0.5)


def drift(first: Numbers, last: Numbers, beats: Numbers, prices: Prices) -> Numbers:
    """Beats whose tempo goes evenly from ``first`` to ``last`` percent off the nominal."""
    return prices.drift * beats * (first * first + first * last + last * last) / 3


def odd_bar(metre: Metre, prices: Prices) -> float:
    """One bar of another metre than the cue's."""
    return prices.odd * (1.5 if metre.unit > 4 else 1.0) * (2.0 if metre.length < 2 else 1.0)


def phrase(bars: Numbers, prices: Prices) -> Numbers:
    """So many whole bars between two hits on downbeats."""
    return np.where((np.asarray(bars) >= 3) & (np.asarray(bars) % 2 == 1), prices.phrase, 0.0)


def places(metre: Metre, subdivision: int, prices: Prices) -> Array:
    """How weak each allowed place of a bar is, in order: one value a beat, or one an eighth if ``subdivision`` is 2."""
    eighths = int(metre.length * 2)
    compound = metre.unit == 8 and metre.beats % 3 == 0
    pulse = 1 if metre.unit == 8 and not compound else 3 if compound else 2  # eighths from one felt beat to the next
    half = eighths // 2 if eighths % (2 * pulse) == 0 else 0
    table = []
    for place in range(0, eighths, 2 // subdivision):
        strong = prices.half if place == half else prices.beat
        table.append(0.0 if place == 0 else strong if place % pulse == 0 else prices.off)
    return np.array(table)


def price(plan: Plan, sheet: Sheet, aims: Sequence[Aim] | None = None) -> dict[str, float]:
    """Everything that a plan costs, by name; the sum is its cost. ``aims`` are `aims_of(plan, sheet)`, if they are known already.

    ``hits`` are those missed, ``places`` weak beats under those caught, ``drift`` tempo away from the nominal, ``steps`` its changes,
    ``bars`` odd metres, ``phrases`` uneven ones, ``start`` a pickup or a late start.
    """
    prices, tempo_map = sheet.prices, plan.tempo_map
    share = dict.fromkeys(("hits", "places", "drift", "steps", "bars", "phrases", "start"), 0.0)
    tables = {metre: places(metre, sheet.subdivision, prices) for metre in {sheet.metre, *plan.metres}}
    last_on = Fraction(0)
    for hit, (beat, error, bar, place) in zip(sheet.hits, aims or aims_of(plan, sheet), strict=True):
        if hit is sheet.gate:
            continue
        lost = float(missed(float(error), float(hit.early), float(hit.late), prices))
        share["hits"] += hit.weight * lost
        share["places"] += (1 - lost) * hit.weight**2 * float(tables[bar][place])
        if on(float(error), float(hit.early), float(hit.late)) and beat != last_on:
            if place == 0 and place_of(plan, last_on, sheet.subdivision)[1] == 0:
                bars = tempo_map.bar_at(beat).index - tempo_map.bar_at(last_on).index
                share["phrases"] += float(phrase(bars, prices))
            last_on = beat
    before = None
    for span in plan.spans:
        first, last = (100 * (float(plan.spb / spb) - 1) for spb in (span.first, span.last))
        beats = float(span.beats)
        share["drift"] += float(drift(first, last, beats, prices))
        share["steps"] += float(glide(last - first, beats, prices)) if span.first != span.last else 0.0
        share["steps"] += float(step(first - before, prices)) if before is not None else 0.0
        before = last
    for metre in plan.metres[1 if plan.pickup else 0 :]:
        share["bars"] += odd_bar(metre, prices) if metre != sheet.metre else 0.0
    share["start"] = (prices.pickup if plan.pickup else 0.0) + prices.lag * float((plan.origin - sheet.start) / plan.spb)
    return share


Aim = tuple[Fraction, Fraction, Metre, int]
"""The allowed beat that serves a hit best, its error in seconds, the metre of its bar and its place there."""


def aims_of(plan: Plan, sheet: Sheet) -> list[Aim]:
    """What every hit of the sheet gets from a plan."""
    found = [nearest(plan, sheet, hit.time, hit.early, hit.late) for hit in sheet.hits]
    return [(beat, error, *place_of(plan, beat, sheet.subdivision)) for beat, error in found]


def nearest(plan: Plan, sheet: Sheet, time: Fraction, early: Fraction, late: Fraction) -> tuple[Fraction, Fraction]:
    """The allowed beat that serves a moment best, and its distance in seconds (positive: the beat comes later)."""
    grid = plan.tempo_map.beat(time) * sheet.subdivision
    around = [Fraction(max(0, k), sheet.subdivision) for k in {floor(grid), ceil(grid)}]
    errors = [plan.tempo_map.seconds(beat) - time for beat in around]
    lost = [float(missed(float(error), float(early), float(late), sheet.prices)) for error in errors]
    best = min(range(len(around)), key=lambda k: (lost[k], abs(errors[k])))
    return around[best], errors[best]


def place_of(plan: Plan, beat: Fraction, subdivision: int) -> tuple[Metre, int]:
    """The metre around a beat, and how many allowed places it lies after the downbeat. A pickup ends a bar that
    was never begun, and a closed plan may begin one that never ends."""
    bar = plan.tempo_map.bar_at(beat)
    if bar.index == 0 and plan.pickup:
        return plan.metre, int((beat + plan.metre.length - plan.pickup) * subdivision)
    if plan.closed and bar.metre.length < plan.metre.length:
        return plan.metre, int((beat - bar.start) * subdivision)
    return bar.metre, int((beat - bar.start) * subdivision)
