"""The tempo map for a new cut: bars whose picture is still there stay with it, beat by beat, and only what lies between is solved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from engines.conform.anchors import Anchor, anchors, commonest, lines, metre_of, runs, stretch, tempi
from engines.conform.filling import Fill, Filler, settled
from engines.conform.keeping import Ground, Terms
from engines.conform.match import Matched
from engines.conform.widening import widened
from engines.spotting.hits import Hit
from engines.spotting.solve import MAX_BEND, TEMPO, exact, solve
from engines.spotting.tempo import Metre, Segment, TempoMap, merged


@dataclass(frozen=True)
class Replan:
    """The new map; for every bar of the new cue the old bar that it is, or None where it is new (both from 0); and the nominal
    tempo in beats a minute."""

    tempo_map: TempoMap
    bars: tuple[int | None, ...]
    bpm: Fraction


def replan(
    old_map: TempoMap,
    old_bars: int,
    matched: Matched,
    hits: Sequence[Hit],
    end: Fraction,
    tempo: tuple[Fraction | float, Fraction | float] = TEMPO,
    max_bend: Fraction | float = MAX_BEND,
    metres: Sequence[Metre] = (Metre(),),
    subdivision: int = 1,
    bpm: Fraction | None = None,
    start: Fraction = Fraction(0),
) -> Replan:
    """The map of a cue of ``old_bars`` bars carried to the new cut, in which it lasts from ``start`` to ``end`` (seconds).

    Bars that stay keep metre, beats and picture exactly. Of all maps in which the others can be filled with whole beats, each no
    more than ``max_bend`` percent off the nominal tempo ``bpm`` (None: the middle of the old map's), it is the one that keeps
    most bars. Filled bars aim for the new ``hits``; the cue's last bars are open, unless they stay. Where no bar stays, the cue is
    solved as a new one within all the limits. Raises the errors of `engines.spotting.solve.solve`.
    """
    longer, own = stretch(matched), commonest(old_map, old_bars)
    beats = [(least * longer, most * longer) for least, most in tempi(old_map, old_bars)]
    pulse = Fraction(1) if own.length.denominator == 1 else Fraction(1, 2)
    terms = Terms(int(own.length / pulse), pulse, exact(max_bend) / 100)
    nominal = bpm / longer if bpm else _middle(beats)
    ground = Ground(start, end, anchors(old_map, old_bars, matched), nominal, beats, terms)
    filler = Filler(sorted(hits, key=lambda hit: hit.time), own, exact(max_bend), subdivision)
    staying, fills = widened(ground, filler, *settled(ground, filler))
    if not staying:
        found = solve(hits, end, tempo, max_bend, metres, subdivision, start)[0]
        return Replan(found.tempo_map, (None,) * len(found.bars), found.tempo_bpm)
    if longer == 1 and staying[0].start == old_map.origin and [len(run) for run in runs(staying)] == [old_bars]:
        return Replan(old_map, tuple(range(old_bars)), nominal)
    tempo_map, bars = _assembled(old_map, longer, staying, fills, end)
    return Replan(tempo_map, bars, nominal)


def _middle(beats: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """The tempo from which the slowest and the fastest beat are equally far."""
    slow, fast = 60 / max(most for _, most in beats), 60 / min(least for least, _ in beats)
    return ((slow + fast) / 2).limit_denominator(1000)


def _assembled(
    old_map: TempoMap, longer: Fraction, staying: Sequence[Anchor], fills: Mapping[Anchor | None, Fill], end: Fraction
) -> tuple[TempoMap, tuple[int | None, ...]]:
    new = _Laid([], [], [])
    if None in fills:
        new.fill(fills[None])
    edges = lines(old_map, max(anchor.bar for anchor in staying) + 1)
    for run in runs(staying):
        new.keep(old_map, longer, edges, run)
        if run[-1] in fills:
            new.fill(fills[run[-1]])
    origin = fills[None].tempo_map.origin if None in fills else staying[0].start
    tempo_map = TempoMap(merged(new.segments), tuple(new.metres), origin)
    count = len(tempo_map.bars_until(tempo_map.beat(end)))
    # what is left of the film at the end, less than a beat, has a bar of its own
    bars = [*new.bars, *[None] * (count - len(new.bars))]
    return TempoMap(tempo_map.segments, (*new.metres, *new.metres[-1:] * (count - len(new.bars))), origin), tuple(bars)


@dataclass(frozen=True)
class _Laid:
    """What has been laid so far, from beat 0 on."""

    segments: list[Segment]
    metres: list[Metre]
    bars: list[int | None]

    def fill(self, fill: Fill) -> None:
        """New bars."""
        self._lay(fill.tempo_map, Fraction(1), Fraction(0), fill.metres)
        self.bars.extend([None] * len(fill.metres))

    def keep(self, old_map: TempoMap, longer: Fraction, edges: Sequence[Fraction], run: Sequence[Anchor]) -> None:
        """Old bars that follow each other."""
        metres = tuple(metre_of(old_map, anchor.bar) for anchor in run)
        self._lay(old_map, longer, edges[run[0].bar], metres)
        self.bars.extend(anchor.bar for anchor in run)

    def _lay(self, source: TempoMap, longer: Fraction, first: Fraction, metres: tuple[Metre, ...]) -> None:
        here = sum((metre.length for metre in self.metres), Fraction(0))
        end = first + sum((metre.length for metre in metres), Fraction(0))
        self.segments.append(Segment(here, 60 / source.bpm(first) * longer))
        inside = (segment for segment in source.segments if first < segment.start < end)
        self.segments.extend(Segment(segment.start - first + here, segment.spb * longer) for segment in inside)
        self.metres.extend(metres)
