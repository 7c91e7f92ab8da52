"""Candidates: priced tempo maps with what each of them catches, as the composer chooses between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from engines.spotting.hits import Hit
from engines.spotting.plan import Plan
from engines.spotting.price import aims_of, on, price
from engines.spotting.sheet import Sheet
from engines.spotting.tempo import Bar, TempoMap

EXACT = ("bend", "ramp")
"""The kinds that put caught hits exactly on a beat; with one tempo a hit counts as caught if a beat lies in its window."""

TOLD = 0.05
"""Percent of bend that nobody is told of: it is said with one figure after the point."""
SAME = Fraction(1, 1000)
"""Seconds by which no beat may differ if nobody is to tell two maps apart."""


@dataclass(frozen=True)
class Catch:
    """What becomes of a hit: the allowed ``beat`` nearest to it, the ``error`` in seconds (positive: the beat comes later),
    whether that catches it, and whether it is a downbeat."""

    hit: Hit
    beat: Fraction
    error: Fraction
    caught: bool
    downbeat: bool


@dataclass(frozen=True)
class Candidate:
    """One answer of the solver.

    ``name`` is steady, bend, ramp or odd bar; ``tempo_bpm`` the nominal tempo; ``breakdown`` the parts of its cost by name (see
    `engines.spotting.price.price`); ``catches`` one for every hit of the cue, in order.
    """

    name: str
    tempo_map: TempoMap
    tempo_bpm: Fraction
    end: Fraction
    catches: tuple[Catch, ...]
    odd_bars: int
    breakdown: dict[str, float]
    limit: Fraction | None = None
    """How far it should bend, in percent, where that was not sure to be kept: as it stands, or around bars that are locked."""
    around_locked: bool = False
    """Whether it was found around bars that are locked."""

    @property
    def cost(self) -> float:
        """The sum of the breakdown: missing one hit of weight 1 costs 1."""
        return round(sum(self.breakdown.values()), 9)

    @property
    def hits_total(self) -> int:
        """Hits in the cue."""
        return len(self.catches)

    @property
    def hits_on_beat(self) -> int:
        """Hits caught, on eighths too where those were allowed."""
        return sum(catch.caught for catch in self.catches)

    @property
    def hits_on_downbeat(self) -> int:
        """Hits caught by the first beat of a bar."""
        return sum(catch.caught and catch.downbeat for catch in self.catches)

    @property
    def max_error_ms(self) -> float:
        """The farthest that any hit, caught or not, lies from an allowed beat."""
        return max((1000 * float(abs(catch.error)) for catch in self.catches), default=0.0)

    @cached_property
    def beats_s(self) -> tuple[Fraction, ...]:
        """Film time of every beat from beat 0 to the first one at or after the end of the cue."""
        times, beat = [self.tempo_map.seconds(0)], 0
        while times[-1] < self.end:
            beat += 1
            times.append(self.tempo_map.seconds(beat))
        return tuple(times)

    @cached_property
    def max_bend_percent(self) -> float:
        """The farthest that the tempo of any beat leaves the nominal."""
        lengths = {after - before for before, after in zip(self.beats_s, self.beats_s[1:], strict=False)}
        return max((100 * float(abs(60 / length / self.tempo_bpm - 1)) for length in lengths), default=0.0)

    @property
    def beyond_percent(self) -> float:
        """By how much it bends more than it should, in percent; 0 within the limit, as nearly as it is said."""
        more = 0.0 if self.limit is None else self.max_bend_percent - float(self.limit)
        return more if more >= TOLD else 0.0

    @property
    def flat(self) -> bool:
        """Whether it keeps one tempo, whatever its kind."""
        return len({segment.spb for segment in self.tempo_map.segments}) == 1

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The bars that cover the cue."""
        return self.tempo_map.bars_until(self.tempo_map.beat(self.end))

    def json(self) -> dict[str, object]:
        """Plain values with units in the names, as ``spot --json`` prints them."""
        return {
            "name": self.name,
            "tempo_bpm": float(self.tempo_bpm),
            "max_bend_percent": self.max_bend_percent,
            "beyond_limit_percent": self.beyond_percent,
            "hits_on_beat": self.hits_on_beat,
            "hits_on_downbeat": self.hits_on_downbeat,
            "hits_total": self.hits_total,
            "max_error_ms": self.max_error_ms,
            "odd_bars": self.odd_bars,
            "cost": self.cost,
            "breakdown": dict(self.breakdown),
            "beats_s": [float(time) for time in self.beats_s],
            "bars": [
                {"start_s": float(self.tempo_map.seconds(bar.start)), "beats": bar.metre.beats, "unit": bar.metre.unit}
                for bar in self.bars
            ],
            "tempi": [{"beat": float(segment.start), "bpm": float(segment.bpm)} for segment in self.tempo_map.segments],
            "hits": [
                {
                    "frame": catch.hit.frame,
                    "time_s": float(catch.hit.time),
                    "weight": catch.hit.weight,
                    "beat": float(catch.beat),
                    "error_ms": 1000 * float(catch.error),
                    "caught": catch.caught,
                    "downbeat": catch.downbeat,
                }
                for catch in self.catches
            ],
        }


def same_to_the_ear(one: Candidate, other: Candidate) -> bool:
    """Whether two maps have the same bars and every beat within a millisecond."""
    if [bar.metre for bar in one.bars] != [bar.metre for bar in other.bars]:
        return False
    return all(abs(a - b) < SAME for a, b in zip(one.beats_s, other.beats_s, strict=False))


def worth_a_look(found: Sequence[Candidate]) -> list[Candidate]:
    """Candidates in their order without those that offer nothing of their own: maps that nobody could tell from one before, and bends
    and ramps that keep one tempo where a steady one is there. The first always stays."""
    out: list[Candidate] = []
    steady = any(other.name == "steady" for other in found)
    for one in found:
        idle = one.name in EXACT and one.flat and steady
        if not out or not (idle or any(same_to_the_ear(one, other) for other in out)):
            out.append(one)
    return out


def candidate(plan: Plan, sheet: Sheet) -> Candidate:
    """A plan with its price and its catches."""
    catches, aims = [], aims_of(plan, sheet)
    for hit, (beat, error, _, place) in zip(sheet.hits, aims, strict=True):
        if hit is sheet.gate:
            continue
        caught = error == 0 if plan.name in EXACT else bool(on(float(error), float(hit.early), float(hit.late)))
        catches.append(Catch(hit, beat, error, caught, place == 0))
    tempo_map = plan.tempo_map
    bars = tempo_map.bars_until(tempo_map.beat(sheet.end))
    odd = sum(bar.metre != sheet.metre for bar in bars)
    return Candidate(plan.name, tempo_map, 60 / plan.spb, sheet.end, tuple(catches), odd, price(plan, sheet, aims))
