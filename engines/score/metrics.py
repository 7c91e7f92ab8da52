"""Measures of written music, the same code for ours and for real songs: none is better when larger, only when nearer to the real.

Pitch-class entropy and grooving similarity are MusDr's (Wu and Yang, ISMIR 2020); with windows of eight bars they are those
that Diff-BGM (CVPR 2024) reports. Notes are in beats; ``lines`` are the bar lines, one more than there are bars.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import log2, sqrt
from statistics import fmean, pstdev

from engines.errors import MidiError, OptionError
from engines.score.harmony import scale_tones
from engines.score.notes import Note, sorted_notes
from engines.score.smf_reader import Smf
from engines.spotting.tempo import Metre

SLOTS = 16
"""Places for onsets in a bar: sixteenths in 4/4."""

_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_PROFILES = {  # Krumhansl and Kessler 1982: how well each step fits, from the tonic up
    "maj": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "min": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def measure(notes: Sequence[Note], lines: Sequence[Fraction], key: str | None = None) -> dict[str, float | None]:
    """Every measure of one piece by name; None where the piece is too short or too empty for it. ``key`` as for `out_of_key`."""
    inside = [note for note in notes if lines[0] <= note.start < lines[-1]]
    bars = len(lines) - 1
    pitches = [note.pitch for note in inside]
    velocities = [note.velocity for note in inside]
    patterns = grooves(inside, lines)
    return {
        "pche_8": pitch_class_entropy(inside, lines, 8),
        "pche_4": pitch_class_entropy(inside, lines, 4),
        "pche_1": pitch_class_entropy(inside, lines, 1),
        "gps": grooving_similarity(inside, lines),
        "density": fmean(len(pattern) for pattern in patterns),
        "notes_per_bar": len(inside) / bars,
        "polyphony": polyphony(inside),
        "pitch_range": float(max(pitches) - min(pitches)) if pitches else None,
        "pitch_mean": fmean(pitches) if pitches else None,
        "length_mean_beats": fmean(float(note.length) for note in inside) if inside else None,
        "velocity_mean": fmean(velocities) if velocities else None,
        "velocity_spread": pstdev(velocities) if velocities else None,
        "out_of_key": out_of_key(inside, key),
        "empty_bars": sum(not pattern for pattern in patterns) / bars,
    }


def pitch_class_entropy(notes: Iterable[Note], lines: Sequence[Fraction], window: int) -> float | None:
    """Bits of the pitch-class histogram of ``window`` whole bars, mean over all windows that hold a note; at most log2(12).

    As Diff-BGM computes it: notes counted once whatever their length, ``-sum h log2(h + 1e-6)``. None without such a window.
    """
    counts: list[Counter[int]] = [Counter() for _ in range((len(lines) - 1) // window)]
    for note in notes:
        place = (bisect_right(lines, note.start) - 1) // window
        if 0 <= place < len(counts):
            counts[place][note.pitch % 12] += 1
    return fmean(_entropy(count) for count in counts if count) if any(counts) else None


def _entropy(count: Counter[int]) -> float:
    return -sum(n / count.total() * log2(n / count.total() + 1e-6) for n in count.values())


def grooves(notes: Iterable[Note], lines: Sequence[Fraction]) -> list[set[int]]:
    """The places with an onset in every bar, 0 to 15 of its length; a played onset counts for the nearest place."""
    patterns: list[set[int]] = [set() for _ in lines[1:]]
    for note in notes:
        bar = bisect_right(lines, note.start) - 1
        if not 0 <= bar < len(patterns):
            continue
        place = round(SLOTS * (note.start - lines[bar]) / (lines[bar + 1] - lines[bar]))
        if place < SLOTS:
            patterns[bar].add(place)
        elif bar + 1 < len(patterns):  # just before the bar line is meant for it
            patterns[bar + 1].add(0)
    return patterns


def grooving_similarity(notes: Iterable[Note], lines: Sequence[Fraction]) -> float | None:
    """How alike the onset patterns of all pairs of bars are: the mean share of places that agree. None for one bar.

    In closed form, exact: of n bars, c with an onset at a place make c (n - c) pairs that differ there.
    """
    bars = len(lines) - 1
    if bars < 2:
        return None
    counts = Counter(place for pattern in grooves(notes, lines) for place in pattern)
    differing = sum(count * (bars - count) for count in counts.values())
    return 1 - differing / SLOTS / (bars * (bars - 1) / 2)


def polyphony(notes: Sequence[Note]) -> float | None:
    """How many notes sound while any does, mean over time; None for silence."""
    sounding, until = Fraction(0), None
    for note in sorted(notes):
        start = note.start if until is None else max(note.start, until)
        sounding += max(Fraction(0), note.end - start)
        until = note.end if until is None else max(until, note.end)
    return float(sum((note.length for note in notes), Fraction(0)) / sounding) if sounding else None


def best_key(notes: Iterable[Note]) -> str | None:
    """The key whose Krumhansl-Kessler profile correlates best with the time that each pitch class sounds; None for silence."""
    heard = [0.0] * 12
    for note in notes:
        heard[note.pitch % 12] += float(note.length)
    if not any(heard):
        return None
    fits = {
        f"{_NAMES[tonic]}:{mode}": _correlation(profile, heard[tonic:] + heard[:tonic])
        for mode, profile in _PROFILES.items()
        for tonic in range(12)
    }
    return max(fits, key=lambda name: fits[name])


def _correlation(a: Sequence[float], b: Sequence[float]) -> float:
    mean_a, mean_b = fmean(a), fmean(b)
    up = sum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    down = sqrt(sum((x - mean_a) ** 2 for x in a) * sum((y - mean_b) ** 2 for y in b))
    return up / down if down else 0.0


def out_of_key(notes: Sequence[Note], key: str | None = None) -> float | None:
    """The share of notes outside the scale of ``key`` (natural minor), by default of the best-fitting one; None for silence."""
    named = key or best_key(notes)
    if named is None or not notes:
        return None
    scale = scale_tones(named)
    if scale is None:
        raise OptionError(f"{named!r} is not a key", where="key", cure="write it as C:maj or F#:min")
    return sum(note.pitch % 12 not in scale for note in notes) / len(notes)


def overlap(ours: Sequence[float], real: Sequence[float], bins: int = 20) -> float | None:
    """The common area of two histograms over the same equal ``bins``: 1 is alike, 0 apart; None where one is empty."""
    if not ours or not real:
        return None
    low, high = min(*ours, *real), max(*ours, *real)
    width = (high - low) / bins or 1.0
    a, b = (Counter(min(bins - 1, int((value - low) / width)) for value in values) for values in (ours, real))
    return sum(min(a[k] / len(ours), b[k] / len(real)) for k in a)


def compared(
    ours: Sequence[Mapping[str, float | None]], real: Sequence[Mapping[str, float | None]]
) -> dict[str, dict[str, float | None]]:
    """For every measure: the mean of ours, the mean and spread of the real music, and the overlap of the two histograms."""
    table = {}
    for name in dict.fromkeys(name for piece in (*ours, *real) for name in piece):
        a, b = ([value for piece in pieces if (value := piece.get(name)) is not None] for pieces in (ours, real))
        table[name] = {
            "ours": fmean(a) if a else None,
            "real": fmean(b) if b else None,
            "real_spread": pstdev(b) if b else None,
            "overlap": overlap(a, b),
        }
    return table


def equal_bars(bars: int, length: Fraction = Fraction(4), start: Fraction = Fraction(0)) -> list[Fraction]:
    """The lines of so many bars of one length (beats; default 4/4)."""
    return [start + k * length for k in range(bars + 1)]


def written(smf: Smf) -> tuple[tuple[Note, ...], list[Fraction]]:
    """The notes of a MIDI file in beats, stems named as its tracks, and its bar lines until the last note ends.

    Raises MidiError for a file whose ticks are parts of film frames: it has no beats.
    """
    if not smf.division:
        raise MidiError("its ticks are parts of film frames, so it has no bars", cure="export it with a tempo")
    names = [track.name or f"track {number}" for number, track in enumerate(smf.tracks, 1)]
    notes = [
        Note(Fraction(n.tick, smf.division), n.pitch, Fraction(n.end_tick - n.tick, smf.division), n.velocity, names[n.track])
        for n in smf.notes
    ]
    end = max([note.end for note in notes], default=Fraction(1))
    changes = [(Fraction(tick, smf.division), metre) for tick, metre in smf.metres]
    lines = [Fraction(0)]
    while lines[-1] < end:
        metre = next((metre for beat, metre in reversed(changes) if beat <= lines[-1]), Metre())
        following = min((beat for beat, _ in changes if beat > lines[-1]), default=None)
        line = lines[-1] + metre.length
        lines.append(line if following is None else min(line, following))  # a metre begins a bar wherever it stands
    return sorted_notes(notes), lines
