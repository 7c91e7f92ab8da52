"""Landing: every hard hit that the tempo map catches gets an onset on its beat, and as little else as possible changes."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from engines.score.harmony import chord_at
from engines.score.instruments import DEFAULT_INSTRUMENT, Instrument, playable
from engines.score.notes import Note
from engines.spotting.hits import Hit
from engines.spotting.tempo import TempoMap

LandedBy = Literal["engine", "land", "none"]

EXACT = Fraction(1, 2000)
"""Seconds within which a beat is the hit itself."""

GRID = (Fraction(1, 2), Fraction(1, 4))  # beats: where the map catches hits, and where music may answer in a window
REACH = Fraction(1, 4)  # beats that an onset may be moved to a hard hit
ROOM = Fraction(1, 8)  # beats that a note needs at least
HEARD = Fraction(4)  # beats around a hit in which its harmony and its dynamics are looked for


@dataclass(frozen=True)
class Landing:
    """How one hit is answered: the ``beat`` (None if the map does not catch it), by whom, how, and the notes that sound there.

    ``how`` is ``own`` (the engine had an onset there), ``moved`` (the nearest strong one was), ``inserted`` (a marked accent),
    or ``missed``.
    """

    hit: Hit
    beat: Fraction | None
    landed_by: LandedBy
    how: Literal["own", "moved", "inserted", "missed"]
    notes: tuple[Note, ...] = ()


def caught_at(hit: Hit, tempo_map: TempoMap) -> Fraction | None:
    """The beat that answers a hit: its own if the map catches it exactly, else the nearest eighth or sixteenth in its window."""
    exact = tempo_map.beat(hit.time)
    for grid in GRID:
        near = round(exact / grid) * grid
        error = tempo_map.seconds(near) - hit.time
        if near >= 0 and (abs(error) <= EXACT or -hit.early <= error <= hit.late):
            return near
    return None


def land(
    notes: Iterable[Note],
    hits: Iterable[Hit],
    tempo_map: TempoMap,
    *,
    keep: Collection[Note] = (),
    chords: Sequence[tuple[Fraction, str]] = (),
    instruments: Mapping[str, Instrument] | None = None,
    end: Fraction | None = None,
    stems: Sequence[str] | None = None,
) -> tuple[tuple[Note, ...], tuple[Landing, ...]]:
    """Notes with an onset on the beat of every hard hit that the map catches, and how each hit came to be answered.

    A hard hit without an onset gets the nearest strong one, if a chord that may move starts within a sixteenth of it and no other
    hit lies between; else an accent on what sounds there (or on the chord of the moment). A soft hit only draws an onset that
    starts inside its window already. ``keep`` never changes, moves or ends sooner. The cue is over at beat ``end``: hits from
    there on are left alone, and notes are released. ``stems`` are those that an accent may be added to; None allows all.
    """
    hits, kept = sorted(hits), set(keep)
    notes = [n if end is None or n.end <= end or n in kept else replace(n, length=end - n.start) for n in notes]
    caught = [
        (hit, beat if end is None or beat is None or beat < end else None) for hit in hits for beat in [caught_at(hit, tempo_map)]
    ]
    stage = _Stage(list(playable(notes, instruments, keep)), kept, {b for _, b in caught if b is not None}, stems)
    how: dict[Fraction, Literal["own", "moved", "inserted", "missed"]] = {}
    for hit, beat in sorted(caught, key=lambda pair: not pair[0].hard):
        if beat is None or how.get(beat, "missed") != "missed":
            continue
        if stage.at(beat):
            how[beat] = "own"
        elif stage.move(beat, _reach(hit, beat, tempo_map)):
            how[beat] = "moved"
        elif hit.hard:
            stage.insert(beat, hit.weight, chord_at(chords, beat), instruments or {}, end)
            how[beat] = "inserted"
        else:
            how[beat] = "missed"
    landed = playable(stage.notes, instruments, keep)
    final = _Stage(list(landed), set(), set())
    return landed, tuple(_landing(hit, beat, how, final) for hit, beat in caught)


def _landing(hit: Hit, beat: Fraction | None, how: Mapping[Fraction, str], final: _Stage) -> Landing:
    way = how.get(beat, "missed") if beat is not None else "missed"
    by: LandedBy = "engine" if way == "own" else "none" if way == "missed" else "land"
    return Landing(hit, beat, by, way, tuple(final.at(beat)) if beat is not None else ())  # type: ignore[arg-type]


def _reach(hit: Hit, beat: Fraction, tempo_map: TempoMap) -> tuple[Fraction, Fraction]:
    """Beats before and after a hit's beat from which an onset may come."""
    early = beat - tempo_map.beat(hit.time - hit.early)
    late = tempo_map.beat(hit.time + hit.late) - beat
    return (max(early, REACH), max(late, REACH)) if hit.hard else (early, late)


class _Stage:
    """The notes while they are landed."""

    def __init__(self, notes: list[Note], keep: set[Note], targets: set[Fraction], stems: Sequence[str] | None = None) -> None:
        self.notes, self.keep, self.targets, self.stems = sorted(notes), keep, targets, stems

    def at(self, beat: Fraction) -> list[Note]:
        """Everything that starts on a beat."""
        out = []
        for note in self.notes[bisect_left(self.notes, beat, key=lambda n: n.start) :]:
            if note.start != beat:
                break
            out.append(note)
        return out

    def move(self, beat: Fraction, reach: tuple[Fraction, Fraction]) -> bool:
        """Bring the stronger of the two neighbouring onsets to a beat, its chord with it; False where neither may move."""
        place = bisect_left(self.notes, beat, key=lambda n: n.start)
        starts = [self.notes[k].start for k in (place - 1, place) if 0 <= k < len(self.notes)]
        near = [s for s in starts if beat - reach[0] <= s <= beat + reach[1] and s not in self.targets and self._free(s, beat)]
        if not near:
            return False
        chosen = max(near, key=lambda s: (_strength(self.at(s)) / (1 + 4 * abs(s - beat)), s))
        chord = self.at(chosen)
        self.notes = sorted([n for n in self.notes if n.start != chosen] + [_moved(n, beat) for n in chord])
        return True

    def _free(self, start: Fraction, beat: Fraction) -> bool:
        chord = self.at(start)
        crossed = any(min(start, beat) < target < max(start, beat) for target in self.targets)
        return not crossed and not any(n in self.keep or self._blocked(n.stem, n.pitch, beat) for n in chord)

    def _blocked(self, stem: str, pitch: int, beat: Fraction) -> bool:
        """Whether a kept note sounds on a pitch just when another should start there."""
        return any(k.stem == stem and k.pitch == pitch and k.start < beat + ROOM and k.end > beat for k in self.keep)

    def insert(
        self, beat: Fraction, weight: float, chord: tuple[int, ...], instruments: Mapping[str, Instrument], end: Fraction | None
    ) -> None:
        """Add a marked accent: a bass tone and up to three above it, from what sounds, the chord, or what was last heard."""
        near = [n for n in self.notes if beat - HEARD <= n.start <= beat + HEARD]
        stem = self._accompaniment()
        held = instruments.get(stem, DEFAULT_INSTRUMENT)
        tones = self._tones(beat, chord, near)
        loud = sum(n.velocity for n in near) / len(near) if near else 72
        velocity = min(120, max(80, round(loud + 14 + 18 * weight)))
        following = next((n.start for n in self.notes if n.start > beat and n.stem == stem), beat + 2)
        length = min(Fraction(2), max(Fraction(1, 2), following - beat))
        if end is not None:
            length = min(length, max(ROOM, end - beat))
        pitches = [p for p in _voiced(tones, held) if not self._blocked(stem, p, beat)]
        if not pitches:  # a kept chord holds all of them: the nearest pitch that is free
            middle = (held.low + held.high) // 2
            free = [p for p in range(held.low, held.high + 1) if not self._blocked(stem, p, beat)]
            pitches = sorted(free, key=lambda p: (p % 12 not in tones, abs(p - middle)))[:1]
        self.notes = sorted(self.notes + [Note(beat, pitch, length, velocity, stem) for pitch in pitches])

    def _accompaniment(self) -> str:
        stems = [n.stem for n in self.notes if self.stems is None or n.stem in self.stems]
        if not stems and self.stems is not None:
            return "piano" if "piano" in self.stems else self.stems[-1]
        return "piano" if "piano" in stems or not stems else max(sorted(set(stems)), key=stems.count)

    def _tones(self, beat: Fraction, chord: tuple[int, ...], near: list[Note]) -> tuple[int, ...]:
        """Pitch classes, the bass first."""
        sounding = sorted((n for n in self.notes if n.start < beat < n.end), key=lambda n: n.pitch)
        heard = dict.fromkeys(n.pitch % 12 for n in sounding)
        if chord:
            return tuple(dict.fromkeys((*chord, *(t for t in heard if t in chord))))
        if len(heard) > 1:
            return tuple(heard)
        closest = sorted(near, key=lambda n: (abs(n.start - beat), n.pitch))[:4]
        return tuple(heard) + tuple(dict.fromkeys(n.pitch % 12 for n in sorted(closest, key=lambda n: n.pitch))) or (0, 4, 7)


def _strength(chord: list[Note]) -> int:
    return max(n.velocity for n in chord) + 4 * len(chord)


def _moved(note: Note, beat: Fraction) -> Note:
    """The note at another beat; it ends where it did, unless that leaves too little of it."""
    length = note.end - beat
    return replace(note, start=beat, length=length if length >= ROOM else note.length)


def _voiced(tones: Sequence[int], held: Instrument) -> list[int]:
    """A low first tone, the others (three at most) in close position around middle C, all inside the range."""
    low, middle = max(held.low, 36), max(held.low, 55)
    bass = low + (tones[0] - low) % 12
    upper = sorted({middle + (tone - middle) % 12 for tone in tuple(dict.fromkeys(tones))[:4]})
    return sorted({pitch for pitch in (bass, *upper[-3:]) if pitch <= held.high})


def landed_beats(landings: Iterable[Landing]) -> dict[Fraction, float]:
    """The beats that answer hits, with the weight of the heaviest hit on each: accents for the performance."""
    out: dict[Fraction, float] = {}
    for landing in landings:
        if landing.beat is not None and landing.notes:
            out[landing.beat] = max(out.get(landing.beat, 0.0), landing.hit.weight)
    return out
