"""The tempo solver: hits in, several priced tempo maps out, the best first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil, floor

import numpy as np

from engines.errors import OptionError, SpottingError
from engines.spotting.bend import bend
from engines.spotting.candidates import Candidate, candidate
from engines.spotting.hits import Hit
from engines.spotting.nominal import nominals, worthwhile
from engines.spotting.plan import Plan, Span, bars_over
from engines.spotting.price import Prices
from engines.spotting.ramp import ramp
from engines.spotting.sheet import Sheet, bounded
from engines.spotting.steady import odd_bars, steady
from engines.spotting.tempo import Metre

KINDS = ("steady", "odd bar", "ramp", "bend")
"""From the plainest; of two candidates of one cost the plainer comes first."""
TEMPO = (Fraction(70), Fraction(140))
MAX_BEND = Fraction(4)
SLOWEST, FASTEST = 10, 400
"""Beats a minute that a metronome or a DAW still counts."""
SHORTEST = Fraction(30, FASTEST)
"""Seconds of the shortest closed cue, an eighth."""
LOOSEST = 50
"""Percent; farther and a beat could stand for another note value."""
GLIDED, GLIDING = 3, 400
"""Nominal tempos at which ramps are searched, those where bends are cheapest; and times hits, as above."""
APART = 0.06
"""A second bend is offered if its nominal tempo differs by so much."""
OFFERED = 2


def solve(
    hits: Sequence[Hit],
    duration: Fraction,
    tempo: tuple[Fraction | float, Fraction | float] = TEMPO,
    max_bend: Fraction | float = MAX_BEND,
    metres: Sequence[Metre] = (Metre(),),
    subdivision: int = 1,
    start: Fraction = Fraction(0),
    prices: Prices | None = None,
    pickup: bool = True,
    closed: bool = False,
) -> list[Candidate]:
    """Tempo maps for a cue from ``start`` to ``duration`` (seconds of the film), best first, at least one of each of `KINDS`.

    ``tempo`` is the range of the nominal tempo in beats a minute, ``max_bend`` how far any beat may leave it in percent,
    ``metres`` the metres a cue may be in (each is tried), ``subdivision`` 2 lets hits lie on eighths. Hits outside the cue are
    not its own. Without hits, every kind keeps the middle of the range.

    To solve some bars again between others that stay, see `engines.spotting.splice`: without ``pickup`` the start is a bar line,
    and if ``closed`` so is ``duration``, exactly; then only bends and ramps are offered, and the last bar may be shorter. There is
    always one: where no whole number of beats fits, eighths are counted, and bent as far as the nearest number of them needs.

    Raises OptionError for a value that no music has, SpottingError for a cue that does not last a beat, or a closed one that
    does not last an eighth at the fastest tempo.
    """
    low, high = _range(tempo)
    if not 0 <= max_bend <= LOOSEST:
        raise OptionError(f"a bend of {float(max_bend):g} % is not in 0..{LOOSEST}", where="--max-bend", cure="2 to 6 is usual")
    if subdivision not in (1, 2):
        raise OptionError(f"subdivision {subdivision} is not known", where="--subdivision", cure="1 is beats, 2 eighths")
    shortest, told = (SHORTEST, "an eighth at any tempo") if closed else (60 / low, f"one beat at {float(low):g} BPM")
    if duration - start < shortest:
        cure = "keep fewer bars" if closed else "give a longer film, or an earlier start"
        raise SpottingError(f"a cue of {float(duration - start):.3f} s does not last {told}", where="spot", cure=cure)
    if not metres:
        raise OptionError("no metre is allowed", where="--metre", cure="give at least one, for example 4/4")
    found: dict[str, list[Candidate]] = {kind: [] for kind in KINDS}
    for metre in metres:
        counted = _counted(metre, subdivision)
        own = bounded(hits, start, duration, closed)
        sheet = Sheet(own, start, duration, exact(max_bend) / 100, metre, counted, prices or Prices(), pickup, closed)
        sheet = _fitting(sheet, low, high) if closed else sheet
        for plan in _plans(sheet, low, high):
            found[plan.name].append(candidate(plan, sheet))
    offered = [answer for kind in KINDS for answer in sorted(found[kind], key=_cost)[: OFFERED if kind == "bend" else 1]]
    return sorted(offered, key=_cost)


def _cost(answer: Candidate) -> tuple[float, int]:
    return round(answer.cost, 9), KINDS.index(answer.name)


def exact(number: Fraction | float) -> Fraction:
    """4.1 as a person means it, not as a float holds it."""
    return number if isinstance(number, Fraction) else Fraction(str(number))


def _range(tempo: tuple[Fraction | float, Fraction | float]) -> tuple[Fraction, Fraction]:
    low, high = (exact(end) for end in tempo)
    if low > high:
        raise OptionError(f"the range {low}-{high} runs backwards", where="--tempo", cure=f"write {high}-{low}")
    if not (low >= SLOWEST and high <= FASTEST):
        raise OptionError(f"{low}-{high} BPM is not in {SLOWEST}..{FASTEST}", where="--tempo", cure="70-140 is usual")
    return low, high


def _counted(metre: Metre, subdivision: int) -> int:
    """The subdivision in which a bar of the metre is whole."""
    if (metre.length * 2).denominator != 1 or metre.length < 1:
        raise OptionError(f"{metre} is not whole in eighths", where="--metre", cure="use a metre over 2, 4 or 8")
    return subdivision if metre.length.denominator == 1 else 2


def _fitting(sheet: Sheet, low: Fraction, high: Fraction) -> Sheet:
    """A closed cue as it can be solved: in eighths, and with more bend, where no whole number of what was asked for fits."""
    least = Fraction(0)
    for subdivision in (sheet.subdivision, 2):
        ideal = [(sheet.end - sheet.start) * tempo * subdivision / 60 for tempo in nominals(low, high)]
        least = min(abs(count / whole - 1) for whole in ideal for count in (max(1, floor(whole)), ceil(whole)))
        if least <= sheet.bend:
            return replace(sheet, subdivision=subdivision)
    return replace(sheet, subdivision=2, bend=least)


def _plans(sheet: Sheet, low: Fraction, high: Fraction) -> Iterable[Plan]:
    if not sheet.hits:
        yield from _free(sheet, (low + high) / 2)
        return
    if not sheet.closed:
        plain, paces = steady(sheet, low, high)
        yield plain
        yield odd_bars(sheet, paces)[1]
    tried = worthwhile(sheet, nominals(low, high))
    bent = bend(sheet, tried)
    order = [int(k) for k in np.argsort(bent.costs, kind="stable") if np.isfinite(bent.costs[k])]
    yield from (bent.plan(k) for k in _apart(order, tried))
    glided = [tried[k] for k in order[: min(GLIDED, max(1, GLIDING // len(sheet.hits)))]]
    if glided and np.isfinite((gliding := ramp(sheet, glided)).costs).any():
        yield gliding.best


def _apart(order: list[int], tried: list[Fraction]) -> list[int]:
    """The best, and the best of another tempo."""
    chosen = order[:1]
    for k in order:
        if len(chosen) < OFFERED and all(abs(tried[k] / tried[other] - 1) >= APART for other in chosen):
            chosen.append(k)
    return chosen


def _free(sheet: Sheet, tempo: Fraction) -> Iterable[Plan]:
    spb = 60 / tempo
    span = Span((sheet.end - sheet.start) / spb, spb, spb)
    plan = Plan(
        "steady", spb, sheet.start, (span,), sheet.metre, bars_over(span.beats, sheet.metre), Fraction(0), sheet.subdivision
    )
    return (replace(plan, name=kind) for kind in KINDS)
