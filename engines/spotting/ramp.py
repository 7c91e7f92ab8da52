"""*Ramp*: tempo that never jumps. It glides from hit to hit, and still every caught hit lies exactly on a beat."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from engines.spotting.plan import Answers, Plan, Span, bars_over
from engines.spotting.price import Array, drift, glide
from engines.spotting.sheet import Sheet
from engines.spotting.stretches import (
    REACH,
    Curve,
    Even,
    Index,
    Stretches,
    closing,
    ended,
    opening,
    passing,
    skipped,
    stretches,
)

LEVELS = (0, 1, 2, 4, 6, 8, 12, 16, 24, 32, 48)
"""Percent that the tempo at a caught hit may be off the nominal, up or down."""
TOGETHER = 32
"""Hits whose glides are worked out at once."""
TURN = 4
"""Percent that tempo may differ at most from one caught hit to the next."""
EASE = Fraction(1, 4)
"""The part of a stretch over which tempo glides away from a hit, and again towards the next; between them it holds."""


@dataclass(frozen=True)
class Glides:
    """Stretches with the tempo at both ends (index of a level), sorted by nominal tempo and last level. ``own`` is what each
    costs by itself, shape (glides, places)."""

    row: Index
    begin: Index
    end: Index
    own: Array


def levels(sheet: Sheet) -> list[int]:
    """The tempos allowed at a hit, in percent off the nominal."""
    within = [level for level in LEVELS if level <= 100 * sheet.bend]
    return sorted({*within, *(-level for level in within)})


def ramp(sheet: Sheet, nominals: list[Fraction]) -> Answers:
    """The cheapest ramp at each nominal tempo (beats a minute).

    Dynamic programming over (hit reached, tempo there, place in the bar). Where beats last a seconds at one hit and b at the next,
    a stretch of beats of mean length m, eased over a part e (`EASE`) at both ends, holds beats of (m - e (a + b) / 2) / (1 - e) seconds:
    glides and hold together then take the exact time.
    """
    table = stretches(sheet, nominals)
    cost = np.full((len(table.first) - 1, len(nominals), len(levels(sheet)), len(sheet.places)), np.inf)
    cost[0] = opening(sheet)
    kept: list[Glides] = []
    for first in range(1, len(cost), TOGETHER):
        for node, glides in enumerate(_glides(sheet, table, nominals, first, min(first + TOGETHER, len(cost))), first):
            kept.append(glides)
            if len(glides.row):
                _arrive(sheet, table, glides, cost, node)
    total, last, level, place = _ends(sheet, cost, nominals)

    def plan(tempo: int) -> Plan:
        path, start = _path(sheet, table, kept, cost, tempo, (int(last[tempo]), int(level[tempo]), int(place[tempo])))
        return _plan(sheet, table, path, 60 / nominals[tempo], levels(sheet)[int(level[tempo])], start)

    return Answers(total, plan)


def _glides(sheet: Sheet, table: Stretches, nominals: list[Fraction], first_node: int, end_node: int) -> list[Glides]:
    """For some nodes in a row, every glide that reaches them."""
    percents, ease = np.array(levels(sheet), float), float(EASE)
    rows = np.arange(table.first[first_node], table.first[end_node])
    grid = np.meshgrid(rows, np.arange(len(percents)), np.arange(len(percents)), indexing="ij")
    near = np.abs(percents[grid[1]] - percents[grid[2]]) <= TURN
    row, begin, end = (axis[near] for axis in grid)
    a, b = (1 / (1 + percents[level] / 100) for level in (begin, end))  # in nominal beats
    middle = (1 / (1 + table.percent[row] / 100) - ease * (a + b) / 2) / (1 - ease)
    held = 100 * (1 / np.maximum(middle, 1e-9) - 1)
    limit = 100 * float(sheet.bend)
    fits = (middle > 0) & (np.abs(held) <= limit)
    for k in np.nonzero((middle > 0) & (np.abs(np.abs(held) - limit) < 1e-7))[0]:
        nominal = 60 / nominals[table.tempo[row[k]]]
        leg = Leg(int(row[k]), levels(sheet)[begin[k]], levels(sheet)[end[k]])
        fits[k] = abs(nominal / _held(sheet, table, leg, nominal) - 1) <= sheet.bend
    keep = np.nonzero(fits)[0]
    keep = keep[np.lexsort((end[keep], table.tempo[row[keep]], table.target[row[keep]]))]
    row, begin, end, a, b, middle, held = (column[keep] for column in (row, begin, end, a, b, middle, held))
    pulse = np.array([60 / float(tempo) for tempo in nominals])[table.tempo[row]] / sheet.subdivision
    pulses = table.pulses[row].astype(float)
    passed = passing(
        sheet,
        sheet.offsets[table.source[row]],
        skipped(sheet, table.source[row]),
        skipped(sheet, table.target[row]) - 1,
        Curve(a * pulse, middle * pulse, b * pulse, pulses, pulses * ease),
    )
    own, beats = passed.price, pulses / sheet.subdivision
    own[np.arange(len(own)), -table.pulses[row] % len(sheet.places)] += ended(sheet, table, row, passed.last)
    eased = beats * ease
    for first, last in ((percents[begin], held), (held, percents[end])):
        own += (drift(first, last, eased, sheet.prices) + glide(last - first, eased, sheet.prices))[:, None]
    own += drift(held, held, beats - 2 * eased, sheet.prices)[:, None]
    edges = np.searchsorted(table.target[row], np.arange(first_node, end_node + 1))
    return [Glides(row[a:b], begin[a:b], end[a:b], own[a:b]) for a, b in pairwise(edges)]


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
    times = sheet.offsets
    ends = np.array([len(cost) - 1] if sheet.closed else sorted({0, *range(max(0, len(cost) - REACH), len(cost))}))
    percents = np.array(levels(sheet), float)
    grid = np.meshgrid(ends, np.arange(len(nominals)), np.arange(len(percents)), indexing="ij")
    node, tempo, level = (axis.ravel() for axis in grid)
    length = np.array([60 / float(nominal) for nominal in nominals])[tempo] / (1 + percents[level] / 100)
    last = np.full(len(node), len(sheet.hits))
    total = passing(sheet, times[node], skipped(sheet, node), last, Even(length / sheet.subdivision)).price
    total += drift(percents[level], percents[level], (sheet.seconds - times[node]) / length, sheet.prices)[:, None]
    total += cost[node, tempo, level] + closing(sheet)
    cheapest = total.min(axis=1)
    best = np.array([rows[np.argmin(cheapest[rows])] for rows in (np.nonzero(tempo == t)[0] for t in range(len(nominals)))])
    return cheapest[best], node[best], level[best], np.argmin(total[best], axis=1)


@dataclass(frozen=True)
class Leg:
    """One stretch of a path: its row in the table, and the tempos at both ends in percent off the nominal."""

    row: int
    begin: int
    end: int


def _path(
    sheet: Sheet, table: Stretches, kept: list[Glides], cost: Array, tempo: int, state: tuple[int, int, int]
) -> tuple[list[Leg], int]:
    """The stretches on the way to a node, level and place, and the place of beat 0."""
    node, level, place = state
    path: list[Leg] = []
    while node:
        glides = kept[node - 1]
        rows = np.nonzero((table.tempo[glides.row] == tempo) & (glides.end == level))[0]
        before = (place - table.pulses[glides.row[rows]]) % len(sheet.places)
        best = int(np.argmin(cost[table.source[glides.row[rows]], tempo, glides.begin[rows], before] + glides.own[rows, before]))
        row, begin = int(glides.row[rows[best]]), int(glides.begin[rows[best]])
        path.append(Leg(row, levels(sheet)[begin], levels(sheet)[level]))
        node, level, place = int(table.source[row]), begin, int(before[best])
    return path[::-1], place


def _held(sheet: Sheet, table: Stretches, leg: Leg, nominal: Fraction) -> Fraction:
    """The exact length of a beat between the glides of a stretch."""
    seconds = sheet.nodes[table.target[leg.row]] - sheet.nodes[table.source[leg.row]]
    mean = seconds / Fraction(int(table.pulses[leg.row]), sheet.subdivision)
    held: Fraction = (mean - EASE * (_length(nominal, leg.begin) + _length(nominal, leg.end)) / 2) / (1 - EASE)
    return held


def _length(nominal: Fraction, percent: int) -> Fraction:
    return nominal / (1 + Fraction(percent, 100))


def _plan(sheet: Sheet, table: Stretches, path: list[Leg], nominal: Fraction, level: int, start: int) -> Plan:
    spans: list[Span] = []
    time = sheet.start
    for leg in path:
        beats = Fraction(int(table.pulses[leg.row]), sheet.subdivision)
        held, eased = _held(sheet, table, leg, nominal), beats * EASE
        spans += [Span(eased, _length(nominal, leg.begin), held), Span(beats - 2 * eased, held, held)]
        spans += [Span(eased, held, _length(nominal, leg.end))]
        time = sheet.nodes[table.target[leg.row]]
    if time < sheet.end:
        length = _length(nominal, level)
        spans.append(Span((sheet.end - time) / length, length, length))
    pickup = Fraction(len(sheet.places) - start, sheet.subdivision) if start else Fraction(0)
    metres = bars_over(sum((span.beats for span in spans), Fraction(0)), sheet.metre, pickup, sheet.closed)
    curve = tuple(span for span in spans if span.beats)
    return Plan("ramp", nominal, sheet.start, curve, sheet.metre, metres, pickup, sheet.subdivision, sheet.closed)
