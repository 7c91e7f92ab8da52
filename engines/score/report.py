"""The hit report: how far from every hit the music's nearest onset is, for any notes or MIDI file, to read or to parse."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Literal

from engines.picture.timecode import Timecode
from engines.score.land import LandedBy, Landing
from engines.score.smf_reader import Smf
from engines.spotting.hits import Hit
from engines.spotting.tempo import TempoMap

NEAR = 3
"""Frames within which a missed hit is still called near: a composer moves such a one by hand."""

FILM = Fraction(24)
"""Frames a second that decide on, near and missed where nobody knows the film's rate."""

_COLOURS = {"on": "32", "near": "33", "missed": "31"}  # ANSI green, yellow, red


@dataclass(frozen=True)
class HitLine:
    """One hit and the onset nearest to it: ``onset`` in exact seconds of the film, None where there is no note at all."""

    hit: Hit
    onset: Fraction | None
    rate: Fraction | None
    start: Timecode | None
    landed_by: LandedBy

    @property
    def error(self) -> Fraction | None:
        """Seconds from the hit to the onset; positive is late."""
        return None if self.onset is None else self.onset - self.hit.time

    @property
    def verdict(self) -> Literal["on", "near", "missed"]:
        """``on`` within one frame, ``near`` within three."""
        if self.error is None:
            return "missed"
        frames = round(abs(self.error) * (self.rate or FILM), 3)  # a file's microseconds do not decide
        return "on" if frames <= 1 else "near" if frames <= NEAR else "missed"

    @property
    def timecode(self) -> str | None:
        """The label of the hit's frame on the reel; from 00:00:00:00 where its start is unknown."""
        if self.start is not None:
            return str(self.start + self.hit.frame)
        return None if self.rate is None else str(Timecode(self.hit.frame, self.rate))

    def json(self) -> dict[str, object]:
        """Plain values, units in the names."""
        error = self.error
        return {
            "frame": self.hit.frame,
            "timecode": self.timecode,
            "time_s": round(float(self.hit.time), 6),
            "weight": self.hit.weight,
            "onset_s": None if self.onset is None else round(float(self.onset), 6),
            "error_ms": None if error is None else round(float(error * 1000), 4),
            "error_frames": None if error is None or self.rate is None else round(float(error * self.rate), 4),
            "on": self.verdict == "on",
            "landed_by": self.landed_by,
        }


@dataclass(frozen=True)
class Report:
    """The lines of all hits in order, and how far the tempo bends (percent; None where there is no tempo)."""

    lines: tuple[HitLine, ...]
    max_bend_percent: float | None = None

    @property
    def summary(self) -> dict[str, object]:
        """Counts and errors over the hits; errors are sizes, None without an onset. The 95th percentile is by nearest rank."""
        errors = sorted(abs(float(line.error * 1000)) for line in self.lines if line.error is not None)
        return {
            "hits": len(self.lines),
            "within_1_frame": sum(line.verdict == "on" for line in self.lines),
            "median_error_ms": round(median(errors), 4) if errors else None,
            "p95_error_ms": round(errors[ceil(0.95 * len(errors)) - 1], 4) if errors else None,
            "max_error_ms": round(errors[-1], 4) if errors else None,
            "max_bend_percent": None if self.max_bend_percent is None else round(self.max_bend_percent, 4),
        }

    def json(self) -> dict[str, object]:
        """The report as other programs read it."""
        return {"hits": [line.json() for line in self.lines], "summary": self.summary}

    def text(self, colour: bool = False) -> str:
        """The report as a person reads it, a line a hit; ``colour`` for a terminal: green is on, yellow near, red missed."""
        rows: list[tuple[str, ...]] = [("timecode", "hit", "onset", "error", "frames", "", "landed by")]
        rows += [_row(line) for line in self.lines]
        widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
        made = []
        for row in rows:
            cells = [
                cell.ljust(width) if k in (0, 5, 6) else cell.rjust(width)
                for k, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            if colour and row[5] in _COLOURS:
                cells[5] = f"\x1b[{_COLOURS[row[5]]}m{cells[5]}\x1b[0m"
            made.append("  ".join(cells).rstrip())
        return "\n".join([*made, "", self._sentence()])

    def _sentence(self) -> str:
        told = self.summary
        if told["max_error_ms"] is None:
            return f"{told['hits']} hits, no onset" if self.lines else "no hits"
        bend = "" if told["max_bend_percent"] is None else f"; tempo bends {told['max_bend_percent']:.2f} %"
        median_, worst = told["median_error_ms"], told["max_error_ms"]
        return (
            f"{told['within_1_frame']} of {told['hits']} hits within a frame; median {median_:.2f} ms, worst {worst:.2f} ms{bend}"
        )


def _row(line: HitLine) -> tuple[str, ...]:
    onset = "-" if line.onset is None else f"{float(line.onset):.3f} s"
    error = "-" if line.error is None else f"{float(line.error * 1000):+.2f} ms"
    frames = "-" if line.error is None or line.rate is None else f"{float(line.error * line.rate):+.2f}"
    return (
        line.timecode or str(line.hit.frame),
        f"{float(line.hit.time):.3f} s",
        onset,
        error,
        frames,
        line.verdict,
        line.landed_by,
    )


def hit_report(
    onsets: Iterable[Fraction],
    hits: Iterable[Hit],
    rate: Fraction | None = None,
    start: Timecode | None = None,
    landings: Iterable[Landing] = (),
    max_bend_percent: float | None = None,
) -> Report:
    """The report of onsets (exact seconds of the film) against hits.

    ``rate`` and ``start``, the reel's first timecode, give timecodes and errors in frames; without them (no film at hand) both
    are None and a frame counts as 1/24 s. ``landings`` say who answered each hit; without them the music itself answered those
    that are on.
    """
    sounding = sorted(set(onsets))
    by: Mapping[Hit, LandedBy] = {landing.hit: landing.landed_by for landing in landings}
    lines = []
    for hit in sorted(hits):
        line = HitLine(hit, _nearest(sounding, hit.time), rate, start, "none")
        own: LandedBy = "engine" if line.verdict == "on" else "none"
        lines.append(HitLine(hit, line.onset, rate, start, by.get(hit, own)))
    return Report(tuple(lines), max_bend_percent)


def file_report(
    smf: Smf, hits: Iterable[Hit], rate: Fraction | None = None, start: Timecode | None = None, zero: Fraction = Fraction(0)
) -> Report:
    """The report of anybody's MIDI file, whose tick 0 is played at film time ``zero`` (seconds)."""
    onsets = [note.start for note in smf.notes]
    first, last = (onsets[0], onsets[-1]) if onsets else (Fraction(0), Fraction(0))
    beats = [time for time in smf.beats() if first <= time <= last]
    return hit_report([onset + zero for onset in onsets], hits, rate, start, max_bend_percent=bend_percent(beats))


def bend_percent(beats: Sequence[Fraction], bpm: float | None = None) -> float | None:
    """How far any beat leaves the tempo ``bpm`` (default: that of the median beat), in percent, from the times of all beats.

    A beat's own tempo is 60 / its length. None for fewer than two beats.
    """
    lengths = [float(after - before) for before, after in pairwise(beats)]
    if not lengths:
        return None
    usual = median(lengths) if bpm is None else 60 / bpm
    return max(abs(usual / length - 1) * 100 for length in lengths)


def map_beats(tempo_map: TempoMap, end: Fraction) -> list[Fraction]:
    """The times of all beats of a map up to beat ``end``, in exact seconds of the film."""
    return [tempo_map.seconds(beat) for beat in range(int(end) + 1)]


def _nearest(sounding: Sequence[Fraction], time: Fraction) -> Fraction | None:
    """The onset nearest to a moment; of two the earlier."""
    place = bisect_left(sounding, time)
    return min(sounding[max(0, place - 1) : place + 1], key=lambda onset: abs(onset - time), default=None)
