"""The cue sheet of a session: the cue, its scenes and its hits as rows, every moment a frame with its timecode."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from pathlib import PureWindowsPath

from engines.picture.timecode import Timecode
from engines.score.instruments import playable
from engines.score.land import caught_at
from engines.score.notes import STEMS, Note
from engines.score.report import HitLine, Report, hit_report
from engines.score.smf import Score, smf_bytes
from engines.score.smf_reader import parse_smf
from engines.session.deliver import landings, max_bend, score_of
from engines.session.model import Session, Span
from engines.session.told import word
from engines.spotting.hits import Hit
from engines.spotting.tempo import Bar, TempoMap

USAGE = ("BI", "background instrumental")
"""What underscore is, as the performing rights societies' cue sheets (ASCAP, BMI) abbreviate it."""

_NUMBERED = re.compile(r"(\S*\d+[mM]\d+\S*)(?:\s+(.*))?")


@dataclass(frozen=True)
class Stretch:
    """Frames of the film from the one at ``start`` up to the one at ``end``, which is not part of it."""

    start: Timecode
    end: Timecode

    @property
    def frames(self) -> int:
        """Its length in frames."""
        return self.end.frame - self.start.frame

    @property
    def seconds(self) -> Fraction:
        """Its length in real seconds, exact: at 24000/1001 longer than its timecodes say."""
        return self.frames / self.start.rate

    @property
    def clock(self) -> str:
        """Its length as minutes and seconds of real time, to the nearest second."""
        return "{}:{:02}".format(*divmod(floor(self.seconds + Fraction(1, 2)), 60))


@dataclass(frozen=True)
class Place:
    """A moment in the music: its ``bar`` of the cue, from 1, and its ``beat`` there, from 1, counted in the unit of the metre."""

    bar: int
    beat: Fraction

    def __str__(self) -> str:
        return f"{self.bar}|{decimal(self.beat)}"


@dataclass(frozen=True)
class SceneRow:
    """One scene. ``take`` (number, name), ``engine`` and ``seed`` are the chosen take's, None where the scene is silent; it ends with
    the film where its last bar goes on beyond. ``stems`` count notes."""

    number: int
    name: str
    stretch: Stretch
    bars: tuple[int, int]
    bpm: Fraction
    metres: tuple[str, ...]
    key: str | None
    take: tuple[int, str] | None
    engine: str | None
    seed: int | None
    stems: tuple[tuple[str, int], ...]

    @property
    def notes(self) -> int:
        """All of them."""
        return sum(count for _, count in self.stems)


@dataclass(frozen=True)
class HitRow:
    """One hit: its ``line`` in the hit report, what it is in the picture (cut, dissolve, fade, marker, hit), the scene in which it
    lies, where it is in the music (None before the first bar), and how it was answered (own, moved, inserted, missed)."""

    number: int
    line: HitLine
    kind: str
    scene: int | None
    place: Place | None
    how: str

    @property
    def hit(self) -> Hit:
        """The hit itself."""
        return self.line.hit


@dataclass(frozen=True)
class CueSheet:
    """A cue as the music department reads it. ``stretch`` is from the first sound to the last release, None for a silent cue;
    ``first`` where the music begins. ``made`` is when the newest of its takes was. ``stems`` count notes, front to back."""

    production: str
    number: str
    title: str
    start: Timecode
    film: Stretch
    stretch: Stretch | None
    first: Place | None
    bpm: Fraction
    metres: tuple[str, ...]
    key: str | None
    stems: tuple[tuple[str, int], ...]
    scenes: tuple[SceneRow, ...]
    hits: tuple[HitRow, ...]
    report: Report
    made: str

    @property
    def notes(self) -> int:
        """All of them."""
        return sum(count for _, count in self.stems)


def cue_sheet(session: Session) -> CueSheet:
    """The cue sheet of the takes that are chosen now. Errors of hits are those of the MIDI file as it would be written.

    The music's in is the frame on the screen at its first sound, its out the first frame without any. Raises OptionError where
    no MIDI file can hold the cue.
    """
    score = score_of(session)
    sounding = playable(score.notes, score.instruments)
    number, title = cue_name(session.cue)
    report = _report(session, score)
    return CueSheet(
        production=film_name(session),
        number=number,
        title=title,
        start=session.start,
        film=Stretch(session.start, session.start + session.film.frames),
        stretch=_music(session, sounding),
        first=_first(session, sounding),
        bpm=session.map.bpm,
        metres=_metres(session.bars),
        key=score.key,
        stems=_stems(sounding),
        scenes=tuple(_scene(session, span, sounding) for span in session.spans),
        hits=_hits(session, report),
        report=report,
        made=max((session.takes[s.chosen].made for s in session.scenes if s.chosen is not None), default=""),
    )


def film_name(session: Session) -> str:
    """The film's file without its folder and suffix, whichever system its path is of."""
    return PureWindowsPath(session.film.path).stem


def cue_name(text: str) -> tuple[str, str]:
    """Number and title of a cue: ``1m1 The chase`` is 1m1, The chase. A single word is the number, any other text the title."""
    words = " ".join(text.split())
    found = _NUMBERED.fullmatch(words)
    if found:
        return found[1], (found[2] or "").lstrip("-–—: ")
    return ("", words) if " " in words else (words, "")


def _music(session: Session, sounding: Iterable[Note]) -> Stretch | None:
    notes, rate = list(sounding), session.film.rate
    if not notes:
        return None
    first = floor(session.tempo_map.seconds(min(note.start for note in notes)) * rate)
    last = ceil(session.tempo_map.seconds(max(note.end for note in notes)) * rate)
    return Stretch(session.start + first, session.start + last)


def _first(session: Session, sounding: Iterable[Note]) -> Place | None:
    """Where the first sound is written; it may be played a few milliseconds off."""
    written = {
        row.played.start + span.start: row.note.start + span.start
        for span in session.spans
        if span.scene.chosen is not None
        for row in session.takes[span.scene.chosen].notes
    }
    start = min((note.start for note in sounding), default=None)
    return None if start is None else _place(session.tempo_map, written.get(start, start))


def _place(tempo_map: TempoMap, beat: Fraction) -> Place | None:
    if beat < 0:
        return None
    bar = tempo_map.bar_at(beat)
    return Place(bar.index + 1, (beat - bar.start) * bar.metre.unit / 4 + 1)


def _metres(bars: Iterable[Bar]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(bar.metre) for bar in bars))


def _stems(notes: Iterable[Note]) -> tuple[tuple[str, int], ...]:
    counts = Counter(note.stem for note in notes)
    order = (*(stem for stem in STEMS if stem in counts), *sorted(set(counts) - set(STEMS)))
    return tuple((stem, counts[stem]) for stem in order)


def _scene(session: Session, span: Span, sounding: Iterable[Note]) -> SceneRow:
    start, end = (min(floor(time * session.film.rate), session.film.frames) for time in span.seconds)
    take = None if span.scene.chosen is None else session.takes[span.scene.chosen]
    facts = {} if take is None else take.facts
    engine, key = facts.get("engine"), word(session, "cue", span.scene.id).key or facts.get("key") or session.key
    return SceneRow(
        number=span.number,
        name=span.scene.name,
        stretch=Stretch(session.start + start, session.start + end),
        bars=(span.first + 1, span.first + len(span.bars)),
        bpm=span.scene.bpm or session.map.bpm,
        metres=_metres(span.bars),
        key=key if isinstance(key, str) else None,
        take=None if take is None else (take.number, take.name),
        engine=engine if isinstance(engine, str) else None,
        seed=None if take is None else take.seed,
        stems=_stems(note for note in sounding if span.start <= note.start < span.end),
    )


def _report(session: Session, score: Score) -> Report:
    onsets = [note.start + score.zero for note in parse_smf(smf_bytes(score)).notes]
    return hit_report(onsets, session.hits, session.film.rate, session.start, tuple(landings(session)), max_bend(session))


def _hits(session: Session, report: Report) -> tuple[HitRow, ...]:
    kinds: dict[int, str] = {marker.frame: "marker" for marker in session.programme.markers}
    kinds |= {cut.frame: cut.kind for cut in session.programme.cuts}
    ways = {landing.hit: landing.how for landing in landings(session)}
    rows = []
    for number, line in enumerate(report.lines, 1):
        caught = caught_at(line.hit, session.tempo_map)
        beat = session.tempo_map.beat(line.hit.time) if caught is None else caught
        scene = next((span.number for span in session.spans if span.start <= beat < span.end), None)
        how = ways.get(line.hit, "own" if line.landed_by == "engine" else "missed")
        rows.append(HitRow(number, line, kinds.get(line.hit.frame, "hit"), scene, _place(session.tempo_map, beat), how))
    return tuple(rows)


def decimal(value: Fraction, places: int = 2) -> str:
    """A number with at most so many places, cut off there, and none that say nothing."""
    text = f"{floor(value * 10**places) / 10**places:.{places}f}"
    return text.rstrip("0").rstrip(".")
