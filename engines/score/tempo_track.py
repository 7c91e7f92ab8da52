"""The tempo track of a MIDI file: integer ticks and microseconds that never drift from the exact tempo map."""

from __future__ import annotations

from bisect import bisect_left
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
COARSER = (480, 240, 192, 120, 96, 48)
"""Ticks a quarter note for cues so long that 960 would be too many: two hours take 480 from 86 beats a minute on, 240 from 172."""
LONGEST = 9_900_000
"""Ticks in a file: pretty_midi opens none beyond ten million."""
DRIFT = 4  # microseconds that a beat may be off before the tempo is corrected by one microsecond a beat
PLACE = Fraction(40, 1_000_000)  # seconds that the tick of a marker may be off
AROUND = Fraction(1, 4)  # beats that a pinned marker has at least on both sides to make good for the part of a tick it was moved
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
        """The film time of a tick by the exact map, from which the file's own clock is never more than a few microseconds off,
        unless a marker between the ticks is pinned nearby (see `tempo_track`)."""
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

    ``times`` are film times (cuts, hits) that need a tick within 40 microseconds. The division is the smallest multiple of 960
    that has one for each and keeps the file below `LONGEST`. Where none does, it is 960, or less in a cue of hours, and each
    time between two ticks is *pinned*: in the beat or so around it the tempo gives way until the nearest tick sounds just then,
    which moves other onsets of that beat by half a tick at most (0.3 ms at 100 BPM), but none that has a time of its own.

    ``division`` forces another. ``start`` must not be after beat 0. Raises OptionError for a tempo that a MIDI file cannot hold.
    """
    if start > tempo_map.origin:
        raise OptionError(
            f"the file would start at {float(start):.3f} s, after the music's first beat at {float(tempo_map.origin):.3f} s",
            cure="start it at the first beat or before",
        )
    lead = _count_in(tempo_map.origin - start, tempo_map.segments[0].spb)
    times = tuple(sorted({time for time in times if start <= time <= until}))
    ticks = division or _division(tempo_map, lead, times, start, until)
    track = TempoTrack(tempo_map, ticks, start, lead, (), _metres(tempo_map, lead, ticks, until))
    return TempoTrack(tempo_map, ticks, start, lead, _tempi(track, until, _pins(track, times)), track.metres)


def _count_in(seconds: Fraction, spb: Fraction) -> Fraction:
    """Beats of count-in that last ``seconds`` at about the first tempo: whole ones, or a part of one down to a 64th note."""
    if seconds == 0:
        return Fraction(0)
    if seconds >= spb * Fraction(3, 4):
        return Fraction(max(1, round(seconds / spb)))
    return min((Fraction(1, n) for n in (1, 2, 4, 8, 16)), key=lambda part: max(seconds / (part * spb), part * spb / seconds))


def _division(tempo_map: TempoMap, lead: Fraction, times: tuple[Fraction, ...], start: Fraction, until: Fraction) -> int:
    most = LONGEST / (max(tempo_map.beat(until), Fraction(1)) + lead)
    for ticks in range(DIVISION, min(FINEST, floor(most)) + 1, DIVISION):
        track = TempoTrack(tempo_map, ticks, start, lead, (), ())
        if all(abs(track.seconds(track.tick_at(time)) - time) <= PLACE for time in times):
            return ticks
    return next((ticks for ticks in (DIVISION, *COARSER) if ticks <= most), COARSER[-1])


def _pins(track: TempoTrack, times: tuple[Fraction, ...]) -> dict[int, Fraction]:
    """Ticks and the times at which they must sound: the nearest ticks of times between two, and what may not move around them."""
    nearest = {track.tick_at(time): time for time in times}
    pins = dict[int, Fraction]()
    for tick in [tick for tick, time in nearest.items() if tick and abs(track.seconds(tick) - time) > PLACE]:
        before = next(reversed(pins), 0)
        # of two times within half a tick only the first can have it
        if not before or nearest[tick] - pins[before] >= (track.seconds(tick) - track.seconds(before)) / 2:
            pins[tick] = nearest[tick]
    moved, room = list(pins), ceil(AROUND * track.division)
    beats = [
        track.zero + whole(Fraction(bound - track.zero, track.division)) * track.division
        for tick in moved
        for bound, whole in ((tick - room, floor), (tick + room, ceil))
    ]
    alone = [beat for beat in beats if bisect_left(moved, beat - room + 1) == bisect_left(moved, beat + room)]
    still = (tick for tick in (*nearest, *alone) if tick > 0 and tick not in pins)
    return {tick: track.seconds(tick) for tick in still} | pins if pins else pins


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


def _tempi(track: TempoTrack, until: Fraction, pins: dict[int, Fraction]) -> tuple[tuple[int, int], ...]:
    """Whole microseconds a beat, corrected before any beat is more than DRIFT off; each correction lasts as long as it can."""
    end = max(track.tick_at(until), track.zero + track.division)
    starts = [(segment.start + track.lead) * track.division for segment in track.tempo_map.segments]
    # a tempo that changes between two ticks gets a mean one for that tick, so that time is exact on both
    places = sorted(tick for tick in {0, end, *map(floor, starts), *map(ceil, starts), *pins} if tick <= end)
    seconds = [pins[tick] if tick in pins else track.seconds(tick) for tick in places]
    error, tempi = Fraction(0), list[tuple[int, int]]()
    for (here, now), (there, then) in pairwise(zip(places, seconds, strict=True)):
        beat = (then - now) * 1_000_000 * track.division / (there - here)
        if not 1 <= beat <= SLOWEST:
            what, cure = ("less", "a slower tempo") if beat < 1 else ("more", "a tempo above 3.6 BPM")
            raise OptionError(f"a beat of {float(beat / 1_000_000):g} s is {what} than a MIDI file holds", cure=f"choose {cure}")
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
