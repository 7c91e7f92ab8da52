"""What the timeline draws, as numbers: made once from a session or a spotted film, beside the window, so that painting only looks up."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from desktop.takes_verdict import Verdicts
from engines.picture.timecode import Timecode
from engines.score.report import HitLine
from engines.session.lock import locked_bars
from engines.session.told import motion_of, said, seen
from engines.spotting.hits import Hit
from engines.spotting.locked import runs
from engines.spotting.suggestion import level

if TYPE_CHECKING:
    from bridge.studio import OpenFilm
    from engines.picture.cutlist import CutList
    from engines.picture.motion import Motion
    from engines.session.model import Session
    from engines.spotting.tempo import TempoMap

Floats = NDArray[np.float64]
Verdict = Literal["on", "early", "late", "missed", "silent"]

CURVE = 8_000
"""Points of the picture's curve; a longer film is summed up by its peaks."""


def _none() -> Floats:
    return np.zeros(0)


@dataclass(frozen=True)
class HitMark:
    """A hit as it is drawn: ``silent`` where it is missed because its scene is. By ``frames`` the nearest onset comes late (early:
    negative)."""

    hit: Hit
    verdict: Verdict
    frames: float | None
    landed_by: str


@dataclass(frozen=True)
class SceneMark:
    """A scene as it is drawn: seconds of its bar lines, which take of how many is heard, and whether something of it is kept."""

    number: int
    name: str
    start: float
    end: float
    first_bar: int
    bars: int
    take: int | None
    takes: int
    kept: bool


@dataclass(frozen=True, eq=False)
class Sheet:
    """Seconds of the film throughout, as floats: this is the border to pixels. Arrays rise in time.

    ``curve`` is what moves in the picture (0..1) at ``curve_at``; of every bar, ``suggested`` is the energy that the picture asks for,
    ``own`` what the composer says (NaN where nothing), ``energy`` what an engine is told. Without a tempo map there are no bars.
    ``locked`` are runs of bars that spotting again leaves alone, each from its first bar line to its last.
    """

    title: str
    start: Timecode
    rate: Fraction
    frames: int
    duration: float
    cuts: Floats
    cut_frames: NDArray[np.int64]
    marks: tuple[HitMark, ...]
    hit_at: Floats = field(default_factory=_none)
    bars: Floats = field(default_factory=_none)
    metres: tuple[str, ...] = ()
    beats: Floats = field(default_factory=_none)
    tempo_at: Floats = field(default_factory=_none)
    tempo: Floats = field(default_factory=_none)
    scenes: tuple[SceneMark, ...] = ()
    curve_at: Floats = field(default_factory=_none)
    curve: Floats = field(default_factory=_none)
    suggested: Floats = field(default_factory=_none)
    own: Floats = field(default_factory=_none)
    energy: Floats = field(default_factory=_none)
    locked: tuple[tuple[float, float], ...] = ()

    def scene_at(self, seconds: float) -> SceneMark | None:
        """The scene that lies there, the nearest one beyond the ends; None where there is none."""
        return min(self.scenes, key=lambda s: max(s.start - seconds, seconds - s.end, 0.0), default=None)

    def bar_at(self, seconds: float) -> int:
        """The bar at a moment, from 0; -1 before the first, or where there are no bars."""
        return int(np.searchsorted(self.bars[:-1], seconds + 1e-9, side="right")) - 1 if len(self.bars) else -1


def sheet_of_session(session: Session) -> Sheet:
    """All of an open session."""
    tempo_map, programme = session.tempo_map, session.programme
    motion = motion_of(session)
    briefing = seen(session)
    suggested, own, energy = [], [], []
    for span in session.spans:
        for row in said(session, span, briefing):
            suggested.append(_number(row.picture.energy))
            own.append(_number(row.composer.energy))
            energy.append(_number(row.brief.energy))
    return Sheet(
        marks=_marks(session),
        hit_at=np.array([float(hit.time) for hit in session.hits]),
        scenes=_scenes(session),
        suggested=np.array(suggested),
        own=np.array(own),
        energy=np.array(energy),
        locked=_locked(session),
        **_programme(programme, float(session.film.duration)),
        **_bars(tempo_map, session.end),
        **_curve(motion),
    )


def sheet_of_film(film: OpenFilm) -> Sheet:
    """A film, and the tempo map that is first among its candidates where it was spotted."""
    spotted = film.spotted
    hits = spotted.hits if spotted else ()
    chosen = spotted.chosen if spotted else None
    return Sheet(
        marks=tuple(HitMark(hit, "silent", None, "none") for hit in hits),
        hit_at=np.array([float(hit.time) for hit in hits]),
        **_programme(film.programme, float(film.reel.duration)),
        **(_bars(chosen.tempo_map, chosen.tempo_map.beat(film.reel.duration)) if chosen else {}),
        **_curve(film.seen),
    )


def with_map(sheet: Sheet, tempo_map: TempoMap, end: Fraction) -> Sheet:
    """The same film under another tempo map, until ``end`` (seconds), as it looks before anybody chose it: what is said of bars that may
    not come is left out."""
    bars = _bars(tempo_map, tempo_map.beat(end))
    return replace(sheet, suggested=_none(), own=_none(), energy=_none(), **bars)


def _programme(programme: CutList, duration: float) -> dict[str, Any]:
    return {
        "title": programme.title,
        "start": programme.start,
        "rate": programme.rate,
        "frames": programme.frames,
        "duration": duration,
        "cuts": np.array([float(cut.time) for cut in programme.cuts]),
        "cut_frames": np.array([cut.frame for cut in programme.cuts], np.int64),
    }


def _bars(tempo_map: TempoMap, end: Fraction) -> dict[str, Any]:
    """Bar lines (one more than there are bars), beats and tempi, in floats from the segments at once."""
    bars = tempo_map.bars_until(end)
    starts = [float(segment.start) for segment in tempo_map.segments]
    edges = np.array([*starts, max(starts[-1], float(bars[-1].end)) + 1.0])
    times = np.array([float(tempo_map.seconds(segment.start)) for segment in tempo_map.segments])
    times = np.append(times, times[-1] + (edges[-1] - edges[-2]) * float(tempo_map.segments[-1].spb))
    lines = [*(float(bar.start) for bar in bars), float(bars[-1].end)]
    return {
        "bars": np.interp(lines, edges, times),
        "metres": tuple(str(bar.metre) for bar in bars),
        "beats": np.interp(np.arange(int(bars[-1].end) + 1, dtype=float), edges, times),
        "tempo_at": times[:-1],
        "tempo": np.array([float(segment.bpm) for segment in tempo_map.segments]),
    }


def _curve(motion: Motion | None) -> dict[str, Any]:
    if motion is None or not len(motion.times):
        return {}
    values = np.array([level(speed) for speed in motion.speed])
    step = -(-len(values) // CURVE)
    whole = len(values) // step * step
    peaks = values[:whole].reshape(-1, step).max(axis=1)
    return {"curve_at": motion.seconds[:whole:step], "curve": peaks}


def _locked(session: Session) -> tuple[tuple[float, float], ...]:
    bars, seconds = session.bars, session.tempo_map.seconds
    return tuple((float(seconds(bars[a].start)), float(seconds(bars[b - 1].end))) for a, b in runs(sorted(locked_bars(session))))


def _scenes(session: Session) -> tuple[SceneMark, ...]:
    out = []
    for span in session.spans:
        start, end = (float(second) for second in span.seconds)
        takes = session.takes_of(span.scene)
        chosen = takes.get(span.scene.chosen or "")
        number = None if chosen is None else chosen.number
        kept = bool(span.scene.keep)
        out.append(SceneMark(span.number, span.scene.name, start, end, span.first, len(span.bars), number, len(takes), kept))
    return tuple(out)


def _marks(session: Session) -> tuple[HitMark, ...]:
    """The hit report of the cue; without scenes nothing is composed."""
    verdicts = Verdicts(session)
    marks = [] if session.spans else [HitMark(hit, "silent", None, "none") for hit in session.hits]
    for span in session.spans:
        take = verdicts.heard(span)
        told = verdicts.of(span, take)
        lines = told.lines if told.lines is not None else verdicts.of(span, None).lines or ()
        marks += [_mark(line, take is None) for line in lines]
    return tuple(sorted(marks, key=lambda mark: mark.hit))


def _mark(line: HitLine, silent: bool) -> HitMark:
    late = None if line.error is None or line.rate is None else float(line.error * line.rate)
    verdict: Verdict
    if line.verdict == "missed":
        verdict, late = ("silent", None) if silent else ("missed", late)
    elif line.verdict == "on":
        verdict = "on"
    else:
        verdict = "early" if late is not None and late < 0 else "late"
    return HitMark(line.hit, verdict, late, line.landed_by)


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
