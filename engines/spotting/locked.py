"""Locked bars: a cue spotted again around bars whose tempo map may not change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from engines.spotting.candidates import Candidate, candidate
from engines.spotting.hits import Hit
from engines.spotting.plan import Plan, Span
from engines.spotting.price import Prices, glide, on, step
from engines.spotting.sheet import Sheet, bounded
from engines.spotting.solve import SHORTEST, exact, solve
from engines.spotting.splice import Stretch, laid, rounded_off
from engines.spotting.tempo import Metre, TempoMap

Runs = tuple[tuple[int, int], ...]
"""Runs of bars: the first, from 0, and the one after the last; in order, and not touching each other."""

KINDS = ("steady", "odd bar", "ramp", "bend")
"""From the plainest; `engines.spotting.solve` says what they are."""
MOST = 6
"""Answers that are worth a look."""


@dataclass(frozen=True)
class Standing:
    """A cue whose map stands: its ``bars``, its nominal tempo ``bpm``, and its end in seconds of the film."""

    tempo_map: TempoMap
    bars: int
    bpm: Fraction
    end: Fraction

    def line(self, bar: int) -> Fraction:
        """Film time of a bar line."""
        return self.tempo_map.seconds(self.beat(bar))

    def beat(self, bar: int) -> Fraction:
        """The first beat of a bar."""
        metres = self.tempo_map.metres
        return sum((metres[min(k, len(metres) - 1)].length for k in range(bar)), Fraction(0))


@dataclass(frozen=True)
class Rules:
    """What may be done to the bars between: the limits of `engines.spotting.solve.solve`. ``bounded`` is whether the whole cue should
    keep to ``max_bend``: not where some of its bars have a tempo of their own."""

    tempo: tuple[Fraction, Fraction]
    max_bend: Fraction
    metres: tuple[Metre, ...]
    subdivision: int = 1
    bounded: bool = True


@dataclass(frozen=True)
class _Gap:
    """Free bars between bar lines (seconds); ``end`` None is the end of the film, which no bar line has to meet."""

    first: int
    start: Fraction
    end: Fraction | None
    until: Fraction


def runs(bars: Sequence[int]) -> Runs:
    """Bars, counted from 0, as runs."""
    out: list[tuple[int, int]] = []
    for bar in sorted(set(bars)):
        if out and out[-1][1] == bar:
            out[-1] = out[-1][0], bar + 1
        else:
            out.append((bar, bar + 1))
    return tuple(out)


def around(cue: Standing, locked: Runs, hits: Sequence[Hit], rules: Rules) -> list[Candidate]:
    """Tempo maps for a cue in which the ``locked`` bars keep every beat, its length and its time in the film; best first.

    Each stretch between them is solved by itself between its two bar lines, which are met exactly: at any tempo of the range, and
    at the cue's own. Of each kind there is at most one answer a tempo; *steady* is even tempo from bar line to bar line. Without
    locked bars this is `engines.spotting.solve.solve`; where all are locked, the map as it is. Raises the errors of the solver.
    """
    if not locked:
        return solve(hits, cue.end, rules.tempo, rules.max_bend, rules.metres, rules.subdivision)
    gaps = _gaps(cue, locked, rules)
    if not gaps:
        return [standing(cue, "steady", hits, rules)]
    found: dict[tuple[str, TempoMap], Candidate] = {}
    for tempo in dict.fromkeys((rules.tempo, (cue.bpm, cue.bpm))):
        filled = [_filled(gap, hits, replace(rules, tempo=tempo)) for gap in gaps]
        for kind in KINDS:
            if (all if kind == "steady" else any)(kind in answers for answers in filled):
                parts = [answers.get(kind) or next(iter(answers.values())) for answers in filled]
                tempo_map = _assembled(cue, locked, gaps, parts)
                answer = standing(replace(cue, tempo_map=tempo_map), kind, hits, rules)
                found.setdefault((kind, tempo_map), _held_on(answer, cue, locked))
    alike = {answer.tempo_map: answer for answer in reversed(found.values())}  # of two names for one map the plainer
    return sorted(alike.values(), key=in_order)[:MOST]


def in_order(answer: Candidate) -> tuple[bool, float, int]:
    """Maps within the limits first, the cheapest of them, and of two of one price the plainer."""
    return answer.beyond_percent > 0, round(answer.cost, 9), KINDS.index(answer.name)


def standing(cue: Standing, name: str, hits: Sequence[Hit], rules: Rules) -> Candidate:
    """The map of a cue as it stands, priced as the solver prices its own: ``name`` is its kind."""
    own = _own(cue)
    sheet = Sheet(bounded(hits, Fraction(0), cue.end), Fraction(0), cue.end, exact(rules.max_bend) / 100, own, rules.subdivision)
    end = cue.tempo_map.beat(cue.end)
    first, *later = cue.tempo_map.segments
    heard = [first, *(segment for segment in later if segment.start < end)]
    edges = [*(segment.start for segment in heard), end]
    spans = tuple(Span(edges[k + 1] - edges[k], segment.spb, segment.spb) for k, segment in enumerate(heard))
    metres = tuple(bar.metre for bar in cue.tempo_map.bars_until(end))
    pickup = metres[0].length if len(metres) > 1 and metres[0].length < own.length and metres[1] == own else Fraction(0)
    plan = Plan(name, 60 / cue.bpm, cue.tempo_map.origin, spans, own, metres, pickup, rules.subdivision)
    answer = replace(candidate(plan, sheet), tempo_map=cue.tempo_map, limit=exact(rules.max_bend) if rules.bounded else None)
    more = {"steps": _steps(plan, sheet.prices, name == "ramp"), "limit": sheet.prices.limit * answer.beyond_percent}
    return replace(answer, breakdown=answer.breakdown | more)


def _steps(plan: Plan, prices: Prices, gently: bool) -> float:
    """What the changes of tempo cost; those of a ramp are a staircase that nobody hears as steps."""
    percents = [100 * (float(plan.spb / span.first) - 1) for span in plan.spans]
    jumps = [after - before for before, after in pairwise(percents)]
    return sum(float(glide(jump, 1.0, prices) if gently else step(jump, prices)) for jump in jumps)


def _own(cue: Standing) -> Metre:
    """The metre of most bars."""
    metres = [bar.metre for bar in cue.tempo_map.bars_until(cue.beat(cue.bars))]
    return max(metres, key=metres.count)


def _held_on(answer: Candidate, cue: Standing, locked: Runs) -> Candidate:
    """In bars that stay, a hit is caught as it was: by a beat in its window."""
    held = [(cue.line(first), cue.line(end)) for first, end in locked]
    catches = tuple(
        replace(catch, caught=bool(on(float(catch.error), float(catch.hit.early), float(catch.hit.late))))
        if any(start <= catch.hit.time < end for start, end in held)
        else catch
        for catch in answer.catches
    )
    return replace(answer, catches=catches)


def _gaps(cue: Standing, locked: Runs, rules: Rules) -> list[_Gap]:
    """The free stretches between locked bars, in order."""
    gaps = []
    if locked[0][0] and cue.line(locked[0][0]) >= SHORTEST:
        gaps.append(_Gap(0, Fraction(0), cue.line(locked[0][0]), cue.line(locked[0][0])))
    for (_, start), (end, _) in pairwise(locked):
        gaps.append(_Gap(start, cue.line(start), cue.line(end), cue.line(end)))
    last = locked[-1][1]
    if last < cue.bars and (cue.end - cue.line(last)) * min(rules.tempo[0], cue.bpm) >= 60:
        gaps.append(_Gap(last, cue.line(last), None, cue.end))
    return gaps


def _filled(gap: _Gap, hits: Sequence[Hit], rules: Rules) -> dict[str, Candidate]:
    """The answers for one gap by kind, the best first."""
    closed = gap.end is not None
    inside = [hit for hit in hits if gap.start <= hit.time <= gap.until]

    def solved(aims: Sequence[Hit]) -> list[Candidate]:
        limits = rules.tempo, rules.max_bend, rules.metres, rules.subdivision
        return solve(aims, gap.until, *limits, start=gap.start, pickup=gap.first == 0, closed=closed)

    out: dict[str, Candidate] = {}
    for answer in solved(inside):
        if answer.tempo_map.origin == gap.start:  # a cue may begin late, bars after others may not
            out.setdefault(answer.name, answer)
    if closed:
        out.setdefault("steady", next(a for a in solved(()) if a.tempo_map.origin == gap.start))
    return out or {answer.name: answer for answer in solved(())}


def _assembled(cue: Standing, locked: Runs, gaps: Sequence[_Gap], parts: Sequence[Candidate]) -> TempoMap:
    """The locked bars with the new ones between them."""
    new = {gap.first: (gap, part) for gap, part in zip(gaps, parts, strict=True)}
    stretches: list[Stretch] = []
    at = 0
    for first, end in (*locked, (None, None)):
        if at in new:
            gap, part = new[at]
            if gap.end is None:
                return laid([*stretches, Stretch(part.tempo_map, 0, None)])
            metres = rounded_off(part.tempo_map.metres, max(part.tempo_map.metres, key=part.tempo_map.metres.count))
            stretches.append(Stretch(replace(part.tempo_map, metres=metres), 0, len(metres)))
        elif first is not None and at < first:
            stretches.append(Stretch(cue.tempo_map, at, first - at))
        if first is None or end is None:
            break
        # after the last run the film may go on for less than a beat: the map goes on with it
        endless = end == locked[-1][1] and end not in new
        stretches.append(Stretch(cue.tempo_map, first, None if endless else end - first))
        at = end
    return laid(stretches)
