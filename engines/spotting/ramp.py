"""*Ramp*: tempo that never jumps. It glides from hit to hit, and still every caught hit lies exactly on a beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from engines.spotting.plan import Answers, Plan, Span, bars_over
from engines.spotting.price import Array, drift, glide
from engines.spotting.sheet import Sheet
from engines.spotting.stretches import (
    REACH,
    Curve,
    Index,
    Stretches,
    nodes,
    opening,
    passing,
    phrases,
    skipped,
    steady_curve,
    stretches,
)

LEVEL = Fraction(1, 100)
"""Tempo at a caught hit is a whole percent off the nominal; between two hits it turns once, half-way, where it must."""


@dataclass(frozen=True)
class Glides:
    """Stretches with the tempo at both ends (index of a level) and in the middle (``turn``, percent), sorted by the hit
    reached, nominal tempo and last level. ``own`` is what each costs by itself, shape (glides, places)."""

    row: Index
    begin: Index
    end: Index
    turn: Array
    own: Array


def levels(sheet: Sheet) -> list[int]:
    """The tempos allowed at a hit, in percent off the nominal."""
    most = int(sheet.bend / LEVEL)
    return list(range(-most, most + 1))


def ramp(sheet: Sheet, nominals: list[Fraction]) -> Answers:
    """The cheapest ramp at each nominal tempo (beats a minute).

    Dynamic programming over (hit reached, tempo there, place in the bar). From tempo a at one hit to tempo b at the next, n beats
    in d seconds, a beat half-way lasts 2 d / n - (a + b) / 2 seconds: the two glides then take exactly d.
    """
    table = stretches(sheet, nominals)
    cost = np.full((len(table.first) - 1, len(nominals), len(levels(sheet)), len(sheet.places)), np.inf)
    cost[0] = opening(sheet)
    kept: list[Glides] = []
    for node in range(1, len(cost)):
        glides = _glides(sheet, table, nominals, node)
        kept.append(glides)
        if len(glides.row):
            _arrive(sheet, table, glides, cost, node)
    total, node, level, place = _ends(sheet, cost, nominals)

    def plan(tempo: int) -> Plan:
        path = _path(sheet, table, kept, cost, tempo, (int(node[tempo]), int(level[tempo]), int(place[tempo])))
        return _plan(sheet, table, path, 60 / nominals[tempo], levels(sheet)[int(level[tempo])])

    return Answers(total, plan)


def _glides(sheet: Sheet, table: Stretches, nominals: list[Fraction], node: int) -> Glides:
    percents = np.array(levels(sheet), float)
    rows = np.arange(table.first[node], table.first[node + 1])
    grid = np.meshgrid(rows, np.arange(len(percents)), np.arange(len(percents)), indexing="ij")
    row, begin, end = (axis.ravel() for axis in grid)
    a, b = (1 / (1 + percents[level] / 100) for level in (begin, end))  # in nominal beats
    middle = 2 / (1 + table.percent[row] / 100) - (a + b) / 2
    turn = 100 * (1 / np.maximum(middle, 1e-9) - 1)
    limit = 100 * float(sheet.bend)
    fits = (middle > 0) & (np.abs(turn) <= limit)
    for k in np.nonzero((middle > 0) & (np.abs(np.abs(turn) - limit) < 1e-7))[0]:
        nominal = 60 / nominals[table.tempo[row[k]]]
        exact = _middle(sheet, table, int(row[k]), nominal, levels(sheet)[begin[k]], levels(sheet)[end[k]])
        fits[k] = abs(nominal / exact - 1) <= sheet.bend
    row, begin, end, a, b, middle, turn = (column[fits] for column in (row, begin, end, a, b, middle, turn))
    order = np.lexsort((end, table.tempo[row]))
    row, begin, end, a, b, middle, turn = (column[order] for column in (row, begin, end, a, b, middle, turn))
    pulse = np.array([60 / float(tempo) for tempo in nominals])[table.tempo[row]] / sheet.subdivision
    pulses = table.pulses[row].astype(float)
    _, times = nodes(sheet)
    passed = passing(
        sheet,
        times[table.source[row]],
        skipped(sheet, table.source[row]),
        skipped(sheet, table.target[row]) - 1,
        Curve(a * pulse, middle * pulse, b * pulse, pulses),
    )
    own, half = passed.price, pulses / (2 * sheet.subdivision)
    own[np.arange(len(own)), -table.pulses[row] % len(sheet.places)] += phrases(table.pulses[row] - passed.last, sheet)
    for first, last in ((percents[begin], turn), (turn, percents[end])):
        own += (drift(first, last, half, sheet.prices) + glide(last - first, half, sheet.prices))[:, None]
    return Glides(row, begin, end, turn, own)


def _arrive(sheet: Sheet, table: Stretches, glides: Glides, cost: Array, node: int) -> None:
    """Write the best cost of reaching a node at each nominal tempo, level and place."""
    size = len(sheet.places)
    tempo = table.tempo[glides.row]
    arrived = np.take_along_axis(
        cost[table.source[glides.row], tempo, glides.begin] + glides.own,
        (np.arange(size) - table.pulses[glides.row, None]) % size,
        axis=1,
    )
    key = tempo * cost.shape[2] + glides.end
    groups = np.nonzero(np.r_[True, key[1:] != key[:-1]])[0]
    hit = skipped(sheet, np.array([node]))[0] - 1
    best = np.minimum.reduceat(arrived, groups, axis=0) + sheet.weights[hit] ** 2 * sheet.places
    cost[node, tempo[groups], glides.end[groups]] = best


def _ends(sheet: Sheet, cost: Array, nominals: list[Fraction]) -> tuple[Array, Index, Index, Index]:
    """The cheapest end for each nominal tempo, which stays at the tempo of the last caught hit: cost, node, level, place."""
    _, times = nodes(sheet)
    ends = np.array(sorted({0, *range(max(0, len(cost) - REACH), len(cost))}))
    percents = np.array(levels(sheet), float)
    grid = np.meshgrid(ends, np.arange(len(nominals)), np.arange(len(percents)), indexing="ij")
    node, tempo, level = (axis.ravel() for axis in grid)
    length = np.array([60 / float(nominal) for nominal in nominals])[tempo] / (1 + percents[level] / 100)
    last = np.full(len(node), len(sheet.hits))
    total = passing(sheet, times[node], skipped(sheet, node), last, steady_curve(length / sheet.subdivision)).price
    total += drift(percents[level], percents[level], (sheet.seconds - times[node]) / length, sheet.prices)[:, None]
    total += cost[node, tempo, level]
    cheapest = total.min(axis=1)
    best = np.array([rows[np.argmin(cheapest[rows])] for rows in (np.nonzero(tempo == t)[0] for t in range(len(nominals)))])
    return cheapest[best], node[best], level[best], np.argmin(total[best], axis=1)


@dataclass(frozen=True)
class Leg:
    """One stretch of a path: its row in the table, the levels (percent) at both ends, and the place at which it starts."""

    row: int
    begin: int
    end: int
    place: int


def _path(
    sheet: Sheet, table: Stretches, kept: list[Glides], cost: Array, tempo: int, state: tuple[int, int, int]
) -> list[Leg]:
    def backwards() -> Iterator[Leg]:
        node, level, place = state
        while node:
            glides = kept[node - 1]
            rows = np.nonzero((table.tempo[glides.row] == tempo) & (glides.end == level))[0]
            pulses = table.pulses[glides.row[rows]]
            before = (place - pulses) % len(sheet.places)
            best = int(np.argmin(cost[table.source[glides.row[rows]], tempo, glides.begin[rows], before] + glides.own[rows, before]))
            row, begin = int(glides.row[rows[best]]), int(glides.begin[rows[best]])
            yield Leg(row, levels(sheet)[begin], levels(sheet)[level], int(before[best]))
            node, level, place = int(table.source[row]), begin, int(before[best])

    return list(backwards())[::-1] or [Leg(-1, 0, 0, state[2])]


def _middle(sheet: Sheet, table: Stretches, row: int, nominal: Fraction, begin: int, end: int) -> Fraction:
    """The exact length of the beat half-way."""
    exact, _ = nodes(sheet)
    mean = (exact[table.target[row]] - exact[table.source[row]]) / Fraction(int(table.pulses[row]), sheet.subdivision)
    return 2 * mean - (_length(nominal, begin) + _length(nominal, end)) / 2


def _length(nominal: Fraction, percent: int) -> Fraction:
    return nominal / (1 + percent * LEVEL)


def _plan(sheet: Sheet, table: Stretches, path: list[Leg], nominal: Fraction, level: int) -> Plan:
    exact, _ = nodes(sheet)
    spans: list[Span] = []
    time, start = sheet.start, path[0].place
    for leg in path:
        if leg.row >= 0:
            half = Fraction(int(table.pulses[leg.row]), 2 * sheet.subdivision)
            turn = _middle(sheet, table, leg.row, nominal, leg.begin, leg.end)
            spans += [Span(half, _length(nominal, leg.begin), turn), Span(half, turn, _length(nominal, leg.end))]
            time = exact[table.target[leg.row]]
    if time < sheet.end:
        length = _length(nominal, level)
        spans.append(Span((sheet.end - time) / length, length, length))
    pickup = Fraction(len(sheet.places) - start, sheet.subdivision) if start else Fraction(0)
    metres = bars_over(sum((span.beats for span in spans), Fraction(0)), sheet.metre, pickup)
    return Plan("ramp", nominal, sheet.start, tuple(spans), sheet.metre, metres, pickup, sheet.subdivision)
