"""The tempo track of a MIDI file: integer ticks and microseconds that never drift from the exact tempo map."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from engines.errors import OptionError
from engines.spotting.tempo import Metre, TempoMap

DIVISION = 960
"""Ticks a quarter note: 64ths, triplets and quintuplets are whole ticks, and every DAW knows it."""

FINEST = 32767 // DIVISION * DIVISION  # the header holds 15 bits
DRIFT = 4  # microseconds that a beat may be off before the tempo is corrected by one microsecond a beat
PLACE = Fraction(40, 1_000_000)  # seconds that the tick of a marker may be off
SLOWEST = (1 << 24) - 1  # microseconds a beat that a tempo event can hold


@dataclass(frozen=True)
class TempoTrack:
    """Where beats and film times lie in a file of ``division`` ticks a quarter note.

    Tick 0 is film time ``start`` (seconds). ``lead`` beats of count-in come before beat 0 of the map, so that beat 0 falls on a
    bar line and sounds at the map's origin. ``tempi`` are (tick, microseconds a beat), ``metres`` (tick, metre), both from tick
    0 on and only where something changes.
    """

    tempo_map: TempoMap
    division: int
    start: Fraction
    lead: Fraction
    tempi: tuple[tuple[int, int], ...]
    metres: tuple[tuple[int, Metre], ...]

    @property
    def zero(self) -> int:
        """The tick of beat 0."""
        return int(self.lead * self.division)

    def tick(self, beat: Fraction | int) -> int:
        """The tick of a beat of the map, the nearest there is; never before tick 0."""
        if beat < 0:
            return self.tick_at(self.tempo_map.seconds(beat))
        return round((beat + self.lead) * self.division)

    def tick_at(self, seconds: Fraction | int) -> int:
        """The tick of a film time, the nearest there is; never before tick 0."""
        if seconds >= self.tempo_map.origin:
            return self.tick(self.tempo_map.beat(seconds))
        return max(0, round((seconds - self.start) / (self.tempo_map.origin - self.start) * self.zero)) if self.zero else 0

    def seconds(self, tick: int) -> Fraction:
        """The film time of a tick by the exact map, from which the file's own clock is never more than a few microseconds off."""
        if tick >= self.zero:
            return self.tempo_map.seconds(Fraction(tick, self.division) - self.lead)
        return self.start + (self.tempo_map.origin - self.start) * Fraction(tick, self.zero)


def tempo_track(
    tempo_map: TempoMap,
    until: Fraction,
    times: tuple[Fraction, ...] = (),
    start: Fraction = Fraction(0),
    division: int | None = None,
) -> TempoTrack:
    """The tempo track of a file whose tick 0 is film time ``start``, up to film time ``until`` (seconds).

    ``times`` are film times (cuts, hits) that need a tick within 40 microseconds: the division is the smallest multiple of 960
    that has one for each; ``division`` forces another. ``start`` must not be after beat 0. Raises OptionError for a tempo that
    a MIDI file cannot hold.
    """
    if start > tempo_map.origin:
        raise OptionError(
            f"the file would start at {float(start):.3f} s, after the music's first beat at {float(tempo_map.origin):.3f} s",
            cure="start it at the first beat or before",
        )
    lead = _count_in(tempo_map.origin - start, tempo_map.segments[0].spb)
    ticks = division or _division(tempo_map, lead, times, start)
    track = TempoTrack(tempo_map, ticks, start, lead, (), _metres(tempo_map, lead, ticks, until))
    return TempoTrack(tempo_map, ticks, start, lead, _tempi(track, until), track.metres)


def _count_in(seconds: Fraction, spb: Fraction) -> Fraction:
    """Beats of count-in that last ``seconds`` at about the first tempo: whole ones, or a part of one down to a 64th note."""
    if seconds == 0:
        return Fraction(0)
    if seconds >= spb * Fraction(3, 4):
        return Fraction(max(1, round(seconds / spb)))
    return min((Fraction(1, n) for n in (1, 2, 4, 8, 16)), key=lambda part: max(seconds / (part * spb), part * spb / seconds))


def _division(tempo_map: TempoMap, lead: Fraction, times: tuple[Fraction, ...], start: Fraction) -> int:
    for ticks in range(DIVISION, FINEST + 1, DIVISION):
        track = TempoTrack(tempo_map, ticks, start, lead, (), ())
        if all(abs(track.seconds(track.tick_at(time)) - time) <= PLACE for time in times if time >= start):
            return ticks
    return FINEST


def _metres(tempo_map: TempoMap, lead: Fraction, division: int, until: Fraction) -> tuple[tuple[int, Metre], ...]:
    """The count-in as whole bars after one shorter bar, then the map's own bars."""
    [(first, _)] = Counter(tempo_map.metres).most_common(1)  # not the first bar's, which may be a pickup
    bars: list[tuple[Fraction, Metre]] = []
    rest = lead % first.length
    if rest:
        unit = max(4, 4 * rest.denominator)
        bars.append((-lead, Metre(int(rest * unit / 4), unit)))
    bars.append((rest - lead, first))
    bars.extend((bar.start, bar.metre) for bar in tempo_map.bars_until(max(Fraction(1), tempo_map.beat(until))))
    ticks = [(round((start + lead) * division), metre) for start, metre in bars]
    return tuple(change for k, change in enumerate(ticks) if not k or change[1] != ticks[k - 1][1])


def _tempi(track: TempoTrack, until: Fraction) -> tuple[tuple[int, int], ...]:
    """Whole microseconds a beat, corrected before any beat is more than DRIFT off; each correction lasts as long as it can."""
    end = max(track.tick_at(until), track.zero + track.division)
    starts = [(segment.start + track.lead) * track.division for segment in track.tempo_map.segments]
    # a tempo that changes between two ticks gets a mean one for that tick, so that time is exact on both
    places = sorted(tick for tick in {0, end, *map(floor, starts), *map(ceil, starts)} if tick <= end)
    error, tempi = Fraction(0), list[tuple[int, int]]()
    for here, there in pairwise(places):
        beat = (track.seconds(there) - track.seconds(here)) * 1_000_000 * track.division / (there - here)
        if not 1 <= beat <= SLOWEST:
            raise OptionError(
                f"a beat of {float(beat / 1_000_000):.6f} s is more than a MIDI file holds", cure="choose a tempo above 3.6 BPM"
            )
        while here < there:
            beats = Fraction(there - here, track.division)
            choices = {floor(beat), min(ceil(beat), SLOWEST)}
            tempo = max(choices, key=lambda u: (min(_lasts(error, u - beat), ceil(beats)), -abs(error + beats * (u - beat))))
            steps = min(max(1, _lasts(error, tempo - beat)) * track.division, there - here)
            if not tempi or tempi[-1][1] != tempo:
                tempi.append((here, tempo))
            error += (tempo - beat) * Fraction(steps, track.division)
            here += steps
    return tuple(tempi)


def _lasts(error: Fraction, drift: Fraction) -> int:
    """Whole beats for which a file that is ``error`` off and drifts by ``drift`` a beat stays within DRIFT (microseconds)."""
    if drift == 0:
        return 1 << 60
    return max(0, floor((DRIFT - error if drift > 0 else DRIFT + error) / abs(drift)))
