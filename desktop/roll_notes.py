"""Notes as bars of pixels: every take's notes as plain numbers once, and the seconds of beats as fast as a screen needs them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.score.notes import STEMS
from engines.session.keep import bar_of, held
from engines.session.model import PlayedNote, SceneTake, Session, Span
from engines.spotting.tempo import TempoMap

Floats = npt.NDArray[np.float64]

FAR = 1e6
"""Beats beyond the last change of tempo up to which the map is drawn."""


class Clock:
    """A tempo map in floats, for pixels: its own arithmetic is exact, and too slow for every note of every picture."""

    def __init__(self, tempo_map: TempoMap) -> None:
        starts = [float(beat) for beat, _ in tempo_map.changes]
        times = [float(second) for _, second in tempo_map.changes]
        last = tempo_map.segments[-1]
        self._beats = np.array([-FAR, *starts, starts[-1] + FAR])
        self._times = np.array([times[0] - FAR * float(tempo_map.segments[0].spb), *times, times[-1] + FAR * float(last.spb)])

    def seconds(self, beats: Floats | float) -> Floats:
        """Film time of beats, one or many."""
        return np.asarray(np.interp(beats, self._beats, self._times))

    def beat(self, seconds: Floats | float) -> Floats:
        """The beats at film times."""
        return np.asarray(np.interp(seconds, self._times, self._beats))


_CLOCKS: dict[int, tuple[TempoMap, Clock]] = {}


def clock_of(tempo_map: TempoMap) -> Clock:
    """The clock of the map that the window shows, made once: it is the same map after most acts."""
    if id(tempo_map) not in _CLOCKS:
        _CLOCKS.clear()
        _CLOCKS[id(tempo_map)] = tempo_map, Clock(tempo_map)  # the map is held, so that its id stays its own
    return _CLOCKS[id(tempo_map)][1]


@dataclass(frozen=True)
class Shape:
    """The notes of a take as columns, in the order of ``rows``: beats of the scene as they are played, pitch, velocity 1..127, and the
    place of the stem in ``stems``. ``share`` and ``until`` are starts and ends as shares of the scene's length in time, ``lines`` its bar
    lines as such shares."""

    rows: tuple[PlayedNote, ...]
    start: Floats
    end: Floats
    pitch: npt.NDArray[np.int16]
    velocity: npt.NDArray[np.int16]
    stem: npt.NDArray[np.int16]
    stems: tuple[str, ...]
    share: Floats
    until: Floats
    lines: Floats


class Shapes:
    """Shapes of takes, made when they are first asked for."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[SceneTake, Shape]] = {}
        self._kept: dict[tuple[int, tuple[str, ...], int], npt.NDArray[np.bool_]] = {}

    def of(self, take: SceneTake) -> Shape:
        """The shape of a take."""
        if id(take) not in self._known:
            self._known[id(take)] = take, shape_of(take.notes, take.tempo_map)  # the take is held, so that its id stays its own
        return self._known[id(take)][1]

    def kept(self, span: Span, take: SceneTake) -> npt.NDArray[np.bool_]:
        """Which of a take's notes a refill may not touch."""
        key = id(take), span.scene.keep, span.first
        if key not in self._kept:
            self._kept[key] = _kept(span, take) if span.scene.keep else np.zeros(len(take.notes), bool)
        return self._kept[key]

    def knows_kept(self, span: Span, take: SceneTake) -> bool:
        """Whether that was worked out already, or nothing is kept."""
        return not span.scene.keep or (id(take), span.scene.keep, span.first) in self._kept

    def clear_but(self, takes: Iterable[SceneTake]) -> None:
        """Forgets takes that are no longer there."""
        left = {id(take) for take in takes}
        self._known = {name: pair for name, pair in self._known.items() if name in left}
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in left}


def _kept(span: Span, take: SceneTake) -> npt.NDArray[np.bool_]:
    """As `engines.session.keep.Keep.holds` says it of every note and word, which for a scene that is kept note by note takes too long."""
    words = held(span)
    single = {(word.stem, *word.bars, word.beat) for word in words if word.beat is not None and word.bars is not None}
    broad = [word for word in words if word.beat is None]
    places = [bar_of(row.note.start, span) for row in take.notes]
    return np.array(
        [
            (row.note.stem, bar, bar, beat) in single or any(word.holds(row.note, span) for word in broad)
            for row, (bar, beat) in zip(take.notes, places, strict=True)
        ],
        bool,
    )


def bar_lines(tempo_map: TempoMap) -> Floats:
    """The bar lines of a scene's map as shares of its length in time."""
    bars = tempo_map.bars
    seconds = Clock(tempo_map).seconds(np.array([*(float(bar.start) for bar in bars), float(bars[-1].end)]))
    return np.asarray((seconds - seconds[0]) / (seconds[-1] - seconds[0]))


def shape_of(rows: tuple[PlayedNote, ...], tempo_map: TempoMap) -> Shape:
    """Columns of played notes of a scene with this map."""
    names = {row.note.stem for row in rows}
    stems = (*STEMS, *sorted(names.difference(STEMS)))
    places = {stem: k for k, stem in enumerate(stems)}
    played = [row.played for row in rows]
    start = np.array([float(note.start) for note in played], np.float64)
    end = np.array([float(note.end) for note in played], np.float64)
    clock, length = Clock(tempo_map), float(tempo_map.bars[-1].end)
    first, last = clock.seconds(np.array([0.0, length]))
    return Shape(
        rows,
        start,
        end,
        np.array([note.pitch for note in played], np.int16),
        np.array([note.velocity for note in played], np.int16),
        np.array([places[note.stem] for note in played], np.int16),
        stems,
        (clock.seconds(start) - first) / (last - first),
        (clock.seconds(end) - first) / (last - first),
        bar_lines(tempo_map),
    )


@dataclass(frozen=True)
class Placed:
    """The chosen take of a scene where it lies in the film: its shape, and starts and ends in seconds."""

    span: Span
    take: SceneTake
    shape: Shape
    start: Floats
    end: Floats


class Stage:
    """All that is heard of a session, placed when a stretch of it is first looked at."""

    def __init__(self, session: Session, shapes: Shapes, before: Stage | None = None) -> None:
        """``before`` is the stage of the session before an act: scenes that lie where they lay are carried over."""
        self.session, self.shapes = session, shapes
        self.clock = clock_of(session.tempo_map)
        edges = [span.start for span in session.spans] + [span.end for span in session.spans[-1:]]
        self.lines = [float(second) for second in self.clock.seconds(np.array([float(beat) for beat in edges] or [0.0]))]
        self._placed: dict[str, Placed] = {}
        same = before is not None and before.session.tempo_map is session.tempo_map
        self.struck: dict[str, tuple[object, object, object, Any]] = before.struck if before is not None and same else {}
        """What is drawn of the hits of each scene, as `desktop.roll_hits` keeps it."""
        ends = [float(bar.start) for bar in session.bars] + [float(bar.end) for bar in session.bars[-1:]]
        self.bar_starts: Floats = np.array(ends[:-1])
        """First beats of the bars of the cue."""
        self.bar_lines: Floats = self.clock.seconds(np.array(ends))
        """Film times of the bar lines, one more than there are bars."""
        if before is not None and same:
            for span in session.spans:
                old = before._placed.get(span.scene.id)
                take = session.takes[span.scene.chosen] if span.scene.chosen is not None else None
                if old is not None and old.take is take and old.span.start == span.start:
                    self._placed[span.scene.id] = old if old.span.scene is span.scene else replace(old, span=span)

    @property
    def seconds(self) -> float:
        """Where the last bar ends, or the film where that is later."""
        return max(self.lines[-1], float(self.session.film.duration))

    def scenes(self, begin: float, end: float, ring: float = 8.0) -> Iterator[Placed]:
        """The scenes that may sound between two film times; notes ring over a bar line for ``ring`` seconds at most."""
        for span in self.spans(begin, end, ring):
            if (placed := self.scene(span)) is not None:
                yield placed

    def spans(self, begin: float, end: float, ring: float = 0.0) -> tuple[Span, ...]:
        """The scenes that lie between two film times."""
        first = max(0, bisect_right(self.lines, begin - ring) - 1)
        return self.session.spans[first : bisect_left(self.lines, end)]

    def is_placed(self, span: Span) -> bool:
        """Whether a scene's numbers are there already, or it has none."""
        return span.scene.chosen is None or span.scene.id in self._placed

    def scene(self, span: Span) -> Placed | None:
        """One scene; None where it is silent."""
        if span.scene.chosen is None:
            return None
        if span.scene.id not in self._placed:
            take = self.session.takes[span.scene.chosen]
            shape, first = self.shapes.of(take), float(span.start)
            self._placed[span.scene.id] = Placed(
                span, take, shape, self.clock.seconds(shape.start + first), self.clock.seconds(shape.end + first)
            )
        return self._placed[span.scene.id]
