"""*Bend*: one tempo from each caught hit to the next, so that every one of them lies exactly on a beat."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engines.spotting.plan import Answers, Plan, Span, bars_over
from engines.spotting.price import Array, drift, step
from engines.spotting.sheet import Sheet
from engines.spotting.stretches import REACH, Even, Index, Stretches, closing, ended, opening, passing, skipped, stretches


@dataclass(frozen=True)
class Labels:
    """The solutions worth going on with, sorted by the hit that they have reached and their nominal tempo.

    ``cost`` by place in the bar, shape (labels, places); ``percent`` is the bend of the last stretch (not a number at the
    start, where any tempo may begin), ``row`` that stretch, ``node`` the hit, ``tempo`` the nominal one; those of node n and
    tempo t are ``low[n, t]`` to ``high[n, t]``.
    """

    cost: Array
    percent: Array
    row: Index
    node: Index
    tempo: Index
    low: Index
    high: Index


def bend(sheet: Sheet, nominals: list[Fraction]) -> Answers:
    """The cheapest bend at each nominal tempo (beats a minute).

    Dynamic programming over (hit reached, tempo of the last stretch, place in the bar), for all nominal tempos at once.
    """
    table = stretches(sheet, nominals)
    labels = _reach(sheet, table, _own(sheet, table), len(nominals))
    ends = _ends(sheet, labels, nominals)

    def plan(tempo: int) -> Plan:
        path, start = _path(sheet, table, labels, int(ends.label[tempo]), int(ends.place[tempo]))
        return _plan(sheet, path, start, 60 / nominals[tempo], bool(ends.home[tempo]))

    return Answers(ends.cost, plan)


def _own(sheet: Sheet, table: Stretches) -> Array:
    """What each stretch costs by itself, by the place at which it starts, with the phrase that its last hit ends."""
    times = sheet.offsets
    curve = Even(table.seconds / table.pulses)
    passed = passing(sheet, times[table.source], skipped(sheet, table.source), skipped(sheet, table.target) - 1, curve)
    cost = passed.price
    cost[np.arange(len(cost)), -table.pulses % len(sheet.places)] += ended(sheet, table, np.arange(len(cost)), passed.last)
    cost += drift(table.percent, table.percent, table.pulses / sheet.subdivision, sheet.prices)[:, None]
    return cost


def _reach(sheet: Sheet, table: Stretches, own: Array, tempos: int) -> Labels:
    count, size = len(table.first) - 1, len(sheet.places)
    low, high = np.zeros((count, tempos), np.int64), np.zeros((count, tempos), np.int64)
    cost, percent, row = np.empty((tempos + len(own), size)), np.empty(tempos + len(own)), np.empty(tempos + len(own), np.int64)
    cost[:tempos], percent[:tempos], row[:tempos] = opening(sheet), np.nan, -1
    low[0], high[0], used = np.arange(tempos), np.arange(tempos) + 1, tempos
    largest = float(step(200 * float(sheet.bend), sheet.prices))
    weight = skipped(sheet, np.arange(count)) - 1
    for node in range(1, count):
        rows = np.arange(table.first[node], table.first[node + 1])
        begin, end = low[table.source[rows], table.tempo[rows]], high[table.source[rows], table.tempo[rows]]
        rows, begin, end = rows[end > begin], begin[end > begin], end[end > begin]
        if not len(rows):
            continue
        best = np.minimum.reduceat(*_joined(cost, percent, table.percent[rows], begin, end, sheet), axis=0) + own[rows]
        arrived = np.take_along_axis(best, (np.arange(size) - table.pulses[rows, None]) % size, axis=1)
        arrived += sheet.weights[weight[node]] ** 2 * sheet.places
        # a solution dearer than the best in its place by more than the largest step can never catch up, unless the cue may end on
        # its tempo, which the other could not step to
        tempo = table.tempo[rows]
        groups = np.nonzero(np.r_[True, tempo[1:] != tempo[:-1]])[0]
        floor = np.repeat(np.minimum.reduceat(arrived, groups, axis=0), np.diff(np.r_[groups, len(rows)]), axis=0)
        alive = (np.isfinite(arrived) & ((arrived <= floor + largest) | (node >= count - REACH))).any(axis=1)
        rows, arrived, tempo = rows[alive], arrived[alive], tempo[alive]
        kept = slice(used, used + len(rows))
        cost[kept], percent[kept], row[kept] = arrived, table.percent[rows], rows
        low[node] = used + np.searchsorted(tempo, np.arange(tempos))
        high[node] = used + np.searchsorted(tempo, np.arange(tempos), side="right")
        used += len(rows)
    reached = np.r_[np.zeros(tempos, np.int64), table.target[row[tempos:used]]]
    nominal = np.r_[np.arange(tempos), table.tempo[row[tempos:used]]]
    return Labels(cost[:used], percent[:used], row[:used], reached, nominal, low, high)


def _joined(cost: Array, percent: Array, onward: Array, begin: Index, end: Index, sheet: Sheet) -> tuple[Array, Index]:
    """Every earlier solution that each row can continue, the step to the row's tempo paid; and where each row's begin."""
    counts = end - begin
    offsets = np.cumsum(counts) - counts
    earlier = np.arange(counts.sum()) - np.repeat(offsets - begin, counts)
    steps = step(np.repeat(onward, counts) - percent[earlier], sheet.prices)
    return cost[earlier] + np.where(np.isnan(steps), 0.0, steps)[:, None], offsets


@dataclass(frozen=True)
class Ends:
    """The cheapest end of the cue for each nominal tempo: the label it goes on from, the place of that in the bar, and whether
    the tempo goes back to the nominal (``home``) or stays."""

    cost: Array
    label: Index
    place: Index
    home: NDArray[np.bool_]


def _ends(sheet: Sheet, labels: Labels, nominals: list[Fraction]) -> Ends:
    times = sheet.offsets
    count, tempos = len(times), len(nominals)
    last_nodes = [count - 1] if sheet.closed else sorted({0, *range(max(0, count - REACH), count)})
    low, high = (bounds[last_nodes] for bounds in (labels.low, labels.high))
    label = np.concatenate([np.arange(a, b) for a, b in zip(low.ravel(), high.ravel(), strict=True)])
    node, tempo = labels.node[label], labels.tempo[label]
    before = np.nan_to_num(labels.percent[label], nan=0.0)
    label, node, tempo, before = (np.tile(column, 2) for column in (label, node, tempo, before))
    home = np.arange(len(label)) >= len(label) // 2
    tail, left = np.where(home, 0.0, before), sheet.seconds - times[node]
    length = np.array([60 / float(nominal) for nominal in nominals])[tempo] / (1 + tail / 100)
    last = np.full(len(node), len(sheet.hits))
    cost = passing(sheet, times[node], skipped(sheet, node), last, Even(length / sheet.subdivision)).price
    cost += (drift(tail, tail, left / length, sheet.prices) + np.where(left > 0, step(tail - before, sheet.prices), 0.0))[:, None]
    cost += labels.cost[label]
    cost += closing(sheet)
    # one row more: a closed cue may have no solution at a tempo
    label, home, cost = np.append(label, 0), np.append(home, False), np.vstack([cost, np.full(cost.shape[1], np.inf)])
    cheapest = cost.min(axis=1)
    rows = [np.append(np.nonzero(tempo == t)[0], len(tempo)) for t in range(tempos)]
    best = np.array([row[np.argmin(cheapest[row])] for row in rows])
    return Ends(cheapest[best], label[best], np.argmin(cost[best], axis=1), home[best])


def _path(sheet: Sheet, table: Stretches, labels: Labels, label: int, place: int) -> tuple[list[tuple[int, int]], int]:
    """The hits caught on the way to a label, as (node, pulses since the one before), and the place of beat 0 in its bar."""
    path: list[tuple[int, int]] = []
    while (row := int(labels.row[label])) >= 0:
        path.append((int(table.target[row]), int(table.pulses[row])))
        place = (place - int(table.pulses[row])) % len(sheet.places)
        source, tempo = table.source[row], table.tempo[row]
        begin, end = labels.low[source, tempo], labels.high[source, tempo]
        costs, _ = _joined(labels.cost, labels.percent, table.percent[[row]], begin[None], end[None], sheet)
        label = int(begin + np.argmin(costs[:, place]))
    return path[::-1], place


def _plan(sheet: Sheet, path: list[tuple[int, int]], start: int, spb: Fraction, home: bool) -> Plan:
    exact = sheet.nodes
    spans, time = [], sheet.start
    for node, pulses in path:
        beats = Fraction(pulses, sheet.subdivision)
        length = (exact[node] - time) / beats
        spans.append(Span(beats, length, length))
        time = exact[node]
    if time < sheet.end:
        length = spb if home or not spans else spans[-1].last
        spans.append(Span((sheet.end - time) / length, length, length))
    pickup = Fraction(len(sheet.places) - start, sheet.subdivision) if start else Fraction(0)
    metres = bars_over(sum((span.beats for span in spans), Fraction(0)), sheet.metre, pickup, sheet.closed)
    return Plan("bend", spb, sheet.start, tuple(spans), sheet.metre, metres, pickup, sheet.subdivision, sheet.closed)
