"""*Steady*: the best single tempo, what other programs find. *Odd bar*: the same with some bars of another metre, so that hits
become downbeats."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from engines.spotting.plan import Plan, Span, bars_over
from engines.spotting.price import odd_bar, phrase, places
from engines.spotting.sheet import Sheet
from engines.spotting.stretches import Even, aimed, passing, starting
from engines.spotting.tempo import Metre, partial

STEP = Fraction(1, 20)
"""Steady tempos are tried in steps of so many beats a minute."""
LAGS = 32
"""A steady cue may start up to a beat late, in steps of one of so many parts of a beat."""
MANY = 64
"""Hits beyond which both steps are twice as wide."""
ODD_METRES = (Metre(2, 4), Metre(3, 4), Metre(5, 4), Metre(4, 4), Metre(7, 8))
"""Metres that an odd bar may have, where they are no less than half and no more than one and a half of the cue's own."""
TRIED = 6
"""Steady tempos at which odd bars are searched, beside the best: those with the fewest hits lost."""
BARS = 6
"""Odd bars stand at most so many bars before a hit: two of them fill any gap."""
LONG = 10000
"""Allowed places of a cue, times steady tempos, that a search for odd bars may take on."""


@dataclass(frozen=True)
class Pace:
    """One tempo, and how late the cue starts, in parts of a beat (see `LAGS`)."""

    tempo: Fraction
    lag: int

    @property
    def spb(self) -> Fraction:
        """Seconds a beat."""
        return 60 / self.tempo

    @property
    def late(self) -> Fraction:
        """Seconds from the in-point to beat 0."""
        return self.spb * self.lag / LAGS


def steady(sheet: Sheet, low: Fraction, high: Fraction) -> tuple[Plan, list[Pace]]:
    """The cheapest plan of one tempo; and the paces worth odd bars: its own, then those that lose the fewest hits whatever the
    bars."""
    width = 2 if len(sheet.hits) > MANY else 1
    paces = [(tempo, lag) for tempo in tempos(low, high, width * STEP) for lag in range(0, LAGS, width)]
    spb = np.array([60 / float(tempo) for tempo, _ in paces])
    lag = np.array([part for _, part in paces]) / LAGS
    first, last = np.zeros(len(spb), np.int64), np.full(len(spb), len(sheet.hits))
    passed = passing(sheet, spb * lag, first, last, Even(spb / sheet.subdivision))
    cost = passed.price + starting(sheet) + (sheet.prices.lag * lag)[:, None]
    best, place = np.unravel_index(int(np.argmin(cost)), cost.shape)
    order = np.argsort(passed.lost + sheet.prices.lag * lag, kind="stable")[:TRIED]
    pace, *others = (Pace(*paces[k]) for k in dict.fromkeys((best, *order)))
    pickup = Fraction(len(sheet.places) - int(place), sheet.subdivision) if place else Fraction(0)
    return _plan("steady", sheet, pace, bars_over(_beats(sheet, pace), sheet.metre, pickup), pickup), [pace, *others]


def tempos(low: Fraction, high: Fraction, step: Fraction) -> list[Fraction]:
    """The tempos from ``low`` to ``high`` in steps, with both ends."""
    inside = range(ceil(low / step), int(high / step) + 1)
    return sorted({low, high, *(k * step for k in inside)})


def odd_bars(sheet: Sheet, paces: list[Pace]) -> tuple[float, Plan]:
    """The cheapest plan of one of the paces and any bars, with its cost."""
    answers = []
    many = max(1, int(LONG * max(pace.spb for pace in paces) / (sheet.seconds * sheet.subdivision)))
    for pace in paces[:many]:
        cost, metres, start = _Barring(sheet, pace).cheapest()
        pickup = Fraction(len(sheet.places) - start, sheet.subdivision) if start else Fraction(0)
        answers.append((cost, _plan("odd bar", sheet, pace, metres, pickup)))
    return min(answers, key=lambda answer: answer[0])


def _beats(sheet: Sheet, pace: Pace) -> Fraction:
    return max((sheet.end - sheet.start - pace.late) / pace.spb, Fraction(1))


def _plan(name: str, sheet: Sheet, pace: Pace, metres: tuple[Metre, ...], pickup: Fraction) -> Plan:
    span = Span(_beats(sheet, pace), pace.spb, pace.spb)
    return Plan(name, pace.spb, sheet.start + pace.late, (span,), sheet.metre, metres, pickup, sheet.subdivision)


def allowed(sheet: Sheet) -> list[Metre]:
    """The cue's metre and the odd ones beside it; eighths only where hits may lie on eighths."""
    own = sheet.metre.length
    odd = [
        m
        for m in ODD_METRES
        if m != sheet.metre and own / 2 <= m.length <= own * 3 / 2 and (sheet.subdivision == 2 or m.unit == 4)
    ]
    return [sheet.metre, *odd]


NONE, COMING = 0, (0, 2, 3, 4, 3)
"""Bars since the last hit on a downbeat: 1, 2, 3 for three or any odd number more, 4 for any even; `NONE` after a hit elsewhere.
`COMING` is the count one bar later."""


class _Barring:
    """Dynamic programming over (bar line, bars since the last hit on a downbeat) at one pace."""

    def __init__(self, sheet: Sheet, pace: Pace) -> None:
        self.sheet = sheet
        hits = np.arange(len(sheet.hits))
        pulse = np.full(len(hits), float(pace.spb) / sheet.subdivision)
        where, loss, caught = aimed(sheet, hits, sheet.times - float(pace.late), Even(pulse))
        self.lost = float(np.sum(sheet.weights * loss)) + sheet.prices.lag * pace.lag / LAGS
        self.end = max(ceil(_beats(sheet, pace) * sheet.subdivision), int(where.max(initial=0)) + 1)
        self.metres = allowed(sheet)
        self.sizes = [int(metre.length * sheet.subdivision) for metre in self.metres]
        self.weight = np.zeros(self.end + 2 * max(self.sizes))
        np.add.at(self.weight, where, (1 - loss) * sheet.weights**2)
        self.marks = sorted({0, *(int(k) for k in where[caught])})

    def cheapest(self) -> tuple[float, tuple[Metre, ...], int]:
        """The cost of the best bars, the bars, and the place of beat 0 in its bar."""
        tables = [places(metre, self.sheet.subdivision, self.sheet.prices) for metre in self.metres]
        weak = [np.correlate(self.weight, table)[: self.end].tolist() for table in tables]
        odd = [odd_bar(metre, self.sheet.prices) if k else 0.0 for k, metre in enumerate(self.metres)]
        uneven = [float(phrase(bars, self.sheet.prices)) for bars in range(5)]
        best: list[dict[int, tuple[float, int, int, int]]] = [{} for _ in range(self.end + max(self.sizes) + 1)]
        last, near = self._last_marks(max(self.sizes)), self._near()
        for place, line, cost, since in self._beginnings():
            _keep(best[line], since, (cost, -1, since, place))
        for line in range(self.end):
            marked = last[line] == line if line < len(last) else False
            sizes = self.sizes if near[line] else self.sizes[:1]
            for since, (cost, *_) in best[line].items():
                start = cost + (uneven[since] if marked and since != NONE else 0.0)
                for k, size in enumerate(sizes):
                    latest = last[line + size - 1]
                    state = COMING[since] if latest < line else 1 if latest == line else NONE
                    _keep(best[line + size], state, (start + odd[k] + weak[k][line], k, since, line))
        return self._traced(best)

    def _last_marks(self, margin: int) -> list[int]:
        """For each pulse the last one up to it on which a hit or the start of the cue lies."""
        latest = np.full(self.end + margin, -1)
        latest[self.marks] = self.marks
        return [int(k) for k in np.maximum.accumulate(latest)]

    def _near(self) -> list[bool]:
        """Whether a hit that may be caught comes within `BARS` bars of a pulse: farther from it an odd bar makes no difference."""
        before = np.r_[0.0, np.cumsum(self.weight > 0)]
        line = np.arange(self.end)
        ahead = np.minimum(line + BARS * max(self.sizes), len(self.weight))
        return [bool(some) for some in before[ahead] > before[line]]

    def _beginnings(self) -> Iterator[tuple[int, int, float, int]]:
        """(place of beat 0, first bar line, cost of what lies before it, bars since a hit on a downbeat): no pickup, or any."""
        fees, own = starting(self.sheet), self.sheet.places
        yield 0, 0, 0.0, NONE
        for place in self.sheet.starts[1:]:
            line = len(own) - place
            yield place, line, float(fees[place] + np.dot(self.weight[:line], own[place:])), NONE

    def _traced(self, best: list[dict[int, tuple[float, int, int, int]]]) -> tuple[float, tuple[Metre, ...], int]:
        cost, line, state = min(
            (best[line][state][0], line, state) for line in range(self.end, len(best)) for state in best[line]
        )
        metres: list[Metre] = []
        while (step := best[line][state])[1] >= 0:
            metres.append(self.metres[step[1]])
            line, state = step[3], step[2]
        if not metres or metres[0] != self.sheet.metre:
            metres.insert(0, self.sheet.metre)  # what follows the cue is in its own metre
        start = best[line][state][3]
        pickup = (partial(Fraction(len(self.sheet.places) - start, self.sheet.subdivision)),) if start else ()
        return cost + self.lost, (*pickup, *reversed(metres)), start


def _keep(found: dict[int, tuple[float, int, int, int]], state: int, answer: tuple[float, int, int, int]) -> None:
    if state not in found or answer[0] < found[state][0]:
        found[state] = answer
