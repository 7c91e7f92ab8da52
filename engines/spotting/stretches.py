"""Stretches: every way to get from one caught hit to a later one in a whole number of beats, with what is passed on the way."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engines.spotting.price import Array, missed, on, phrase
from engines.spotting.sheet import Sheet

Index = NDArray[np.int64]

REACH = 6
"""A stretch passes over at most five hits."""
FAR = 45.0
"""Seconds that a stretch may last if it passes over any hit."""
COUNTS = 1
"""Beats more or fewer than the nominal tempo would count in the same time (rounded)."""


@dataclass(frozen=True)
class Stretches:
    """Rows sorted by the hit that they reach, then by nominal tempo. Nodes are the start (0) and the hits after it (1...).

    ``source``, ``target`` are nodes, ``tempo`` the index of the nominal tempo, ``pulses`` the whole number of allowed places,
    ``seconds`` the duration, ``percent`` the mean bend. ``first[node]`` is the first row that reaches a node.
    """

    source: Index
    target: Index
    tempo: Index
    pulses: Index
    seconds: Array
    percent: Array
    first: Index


def skipped(sheet: Sheet, node: Index) -> Index:
    """The first hit after each node, as an index of the sheet's hits; a hit at the very start is node 0 itself."""
    return node + (1 if sheet.hits and sheet.hits[0].time == sheet.start else 0)


def starting(sheet: Sheet) -> Array:
    """The price of a cue that starts at each place of the bar, infinite between beats."""
    cost = np.full(len(sheet.places), np.inf)
    cost[list(sheet.starts)] = sheet.prices.pickup
    cost[0] = 0.0
    return cost


def opening(sheet: Sheet) -> Array:
    """The same with the hit at the very start, if there is one."""
    at_start = sheet.hits and sheet.hits[0].time == sheet.start
    return starting(sheet) + (sheet.weights[0] ** 2 * sheet.places if at_start else 0.0)


def stretches(sheet: Sheet, nominals: list[Fraction]) -> Stretches:
    """All stretches whose mean tempo lies within the bend of each nominal tempo (beats a minute)."""
    exact, times = sheet.nodes, sheet.offsets
    count = len(exact)
    target, source = (
        np.array(ends, np.int64)
        for ends in (
            [i for i in range(1, count) for _ in range(max(0, i - REACH), i)],
            [j for i in range(1, count) for j in range(max(0, i - REACH), i)],
        )
    )
    near = (times[target] - times[source] <= FAR) | (source == target - 1)
    if sheet.closed:
        near |= (source == 0) & (target == count - 1)
    target, source = target[near], source[near]
    if sheet.closed and count - 1 > REACH:  # a closed cue that catches nothing
        target, source = np.append(target, count - 1), np.append(source, 0)
    bpm = np.array([float(tempo) for tempo in nominals])
    ideal = (times[target] - times[source])[:, None] * bpm * (sheet.subdivision / 60)
    pulses = np.rint(ideal)[:, :, None] + np.arange(-COUNTS, COUNTS + 1)
    bend = pulses / ideal[:, :, None] - 1
    limit = float(sheet.bend)
    fits = (np.abs(bend) <= limit) & (pulses >= 1)
    for pair, tempo, k in np.argwhere((np.abs(np.abs(bend) - limit) < 1e-9) & (pulses >= 1)):
        whole = (exact[target[pair]] - exact[source[pair]]) * nominals[tempo] * sheet.subdivision / 60
        fits[pair, tempo, k] = abs(int(pulses[pair, tempo, k]) / whole - 1) <= sheet.bend
    pair, tempo, k = np.nonzero(fits)
    order = np.argsort(target[pair] * len(nominals) + tempo, kind="stable")
    pair, tempo, k = pair[order], tempo[order], k[order]
    return Stretches(
        source[pair],
        target[pair],
        tempo,
        pulses[pair, tempo, k].astype(np.int64),
        (times[target] - times[source])[pair],
        100 * bend[pair, tempo, k],
        np.searchsorted(target[pair], np.arange(count + 1)),
    )


def closing(sheet: Sheet) -> Array:
    """The price of ending a cue at each place of the bar: nothing, unless it is closed."""
    cost = np.full(len(sheet.places), np.inf if sheet.closed else 0.0)
    for place, fee in sheet.closings.items() if sheet.closed else ():
        cost[place] = fee
    return cost


@dataclass(frozen=True)
class Curve:
    """Rows of ``pulses`` whose lengths in seconds go evenly from ``first`` to ``middle`` over ``ease`` pulses, hold, and go from
    there to ``last`` over the final ``ease`` pulses."""

    first: Array
    middle: Array
    last: Array
    pulses: Array
    ease: Array

    def at(self, rows: Index) -> Curve:
        """Some of the rows."""
        return Curve(self.first[rows], self.middle[rows], self.last[rows], self.pulses[rows], self.ease[rows])

    def seconds(self, pulse: Array) -> Array:
        """From the beginning of each row to one of its pulses."""
        before, after = np.minimum(pulse, self.ease), np.maximum(pulse - (self.pulses - self.ease), 0)
        rise, fall = (self.middle - self.first) / (2 * self.ease), (self.last - self.middle) / (2 * self.ease)
        seconds: Array = self.first * before + rise * before * before + self.middle * (pulse - before) + fall * after * after
        return seconds

    def pulse(self, seconds: Array) -> Array:
        """The pulse (a real number) at so many seconds from the beginning of each row."""
        rise, fall = (self.middle - self.first) / (2 * self.ease), (self.last - self.middle) / (2 * self.ease)
        eased, held = self.ease * (self.first + self.middle) / 2, self.middle * (self.pulses - 2 * self.ease)
        before = np.minimum(seconds, eased)
        within, after = np.clip(seconds - eased, 0, held), np.maximum(seconds - eased - held, 0)
        head = 2 * before / (self.first + np.sqrt(self.first**2 + 4 * rise * before))
        tail = 2 * after / (self.middle + np.sqrt(np.maximum(self.middle**2 + 4 * fall * after, 0)))
        pulse: Array = head + within / self.middle + tail
        return pulse

    @property
    def shortest(self) -> Array:
        """The length of each row's shortest pulse."""
        shortest: Array = np.minimum(self.middle, np.minimum(self.first, self.last))
        return shortest


@dataclass(frozen=True)
class Even:
    """Rows of pulses of one length in seconds, for ever: a curve that does not bend."""

    shortest: Array

    def at(self, rows: Index) -> Even:
        """Some of the rows."""
        return Even(self.shortest[rows])

    def seconds(self, pulse: Array) -> Array:
        """From the beginning of each row to one of its pulses."""
        seconds: Array = self.shortest * pulse
        return seconds

    def pulse(self, seconds: Array) -> Array:
        """The pulse (a real number) at so many seconds from the beginning of each row."""
        pulse: Array = seconds / self.shortest
        return pulse


@dataclass(frozen=True)
class Passed:
    """What the hits that rows pass over cost: ``lost`` for being missed, shape (rows,), and ``placed`` for the weak places
    under the others, by the place at which the row starts, shape (rows, places). ``last`` is the last pulse that lies on a
    hit, 0 for the row's own first."""

    lost: Array
    placed: Array
    last: Index

    @property
    def price(self) -> Array:
        """Both, shape (rows, places)."""
        price: Array = self.lost[:, None] + self.placed
        return price


def passing(sheet: Sheet, start: Array, first: Index, end: Index, curve: Curve | Even) -> Passed:
    """Rows that pass over the hits ``first`` to ``end`` (indices of the sheet's hits, shape (rows,)) and begin at ``start``
    (seconds from the cue's)."""
    size = len(sheet.places)
    lost, placed, last = np.zeros(len(start)), np.zeros((len(start), size)), np.zeros(len(start), np.int64)
    for k in range(int((end - first).max(initial=0))):
        rows = np.nonzero(first + k < end)[0]
        hit = first[rows] + k
        pulse, loss, caught = aimed(sheet, hit, sheet.times[hit] - start[rows], curve.at(rows))
        lost[rows] += sheet.weights[hit] * loss
        near = np.nonzero(loss < 1)[0]
        placed[rows[near]] += ((1 - loss[near]) * sheet.weights[hit[near]] ** 2)[:, None] * sheet.turned[pulse[near] % size]
        marked = np.nonzero(caught)[0]
        placed[rows[marked], -pulse[marked] % size] += phrases(pulse[marked] - last[rows[marked]], sheet)
        last[rows[marked]] = pulse[marked]
    return Passed(lost, placed, last)


def aimed(sheet: Sheet, hit: Index, moment: Array, curve: Curve | Even) -> tuple[Index, Array, NDArray[np.bool_]]:
    """The pulse that serves a hit best in each row, how far it misses it (0..1), and whether it lies in its window.

    ``moment`` is the time of the hit since the beginning of the row.
    """
    early, late = sheet.early[hit], sheet.late[hit]
    pulse = np.maximum(np.rint(curve.pulse(moment)), 0)
    error = curve.seconds(pulse) - moment
    loss: Array = missed(error, early, late, sheet.prices)
    # a window wider than half a pulse may hold the pulse on the other side
    wide = np.nonzero(np.maximum(early, late) + sheet.prices.beyond >= curve.shortest / 2)[0]
    if len(wide):
        part = curve.at(wide)
        other = np.maximum(pulse[wide] - np.sign(error[wide]), 0)
        farther = part.seconds(other) - moment[wide]
        instead = missed(farther, early[wide], late[wide], sheet.prices)
        better = (instead < loss[wide]) | ((instead == loss[wide]) & (np.abs(farther) < np.abs(error[wide])))
        chosen = wide[better]
        pulse[chosen], error[chosen], loss[chosen] = other[better], farther[better], instead[better]
    caught: NDArray[np.bool_] = on(error, early, late)
    return pulse.astype(np.int64), loss, caught


def ended(sheet: Sheet, table: Stretches, rows: Index, last: Index) -> Array:
    """The price of the phrase that the hit at the end of each stretch ends, if its last hit before is at pulse ``last``."""
    price = phrases(table.pulses[rows] - last, sheet)
    if sheet.closed:
        price[table.target[rows] == len(sheet.nodes) - 1] = 0.0  # the end of a closed cue is no hit
    return price


def phrases(pulses: Index, sheet: Sheet) -> Array:
    """The price of so many pulses between two hits of which one is on a downbeat: nothing unless the other is on one too."""
    size = len(sheet.places)
    price: Array = np.where(pulses % size == 0, phrase(pulses // size, sheet.prices), 0.0)
    return price
