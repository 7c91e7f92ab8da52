"""A session's music for the sampler: the chosen takes as voices, each at its exact sample of the film, worked out scene by scene."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from engines.score.instruments import DEFAULT_INSTRUMENT, playable
from engines.score.notes import Note
from engines.score.sampler import LONGEST_RELEASE, RATE, SHORTEST
from engines.score.stretch import ROW, Rows
from engines.session.model import SceneTake, Session, Span

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Known:
    """The voices of a scene, and what they were worked out from."""

    start: Fraction
    take: SceneTake
    after: tuple[Note, ...]
    rows: Rows


class Voices:
    """The voices of one session. What was worked out for an earlier state of it, ``last``, is taken over where it is the same, so that an
    act costs no more than what it changed. Not for several threads at once."""

    def __init__(self, session: Session, last: Voices | None = None) -> None:
        self.session = session
        same = last is not None and last._sounds_like(session)
        self._known: dict[str, _Known] = _still(last._known, session) if last is not None and same else {}
        self._reach: dict[str, tuple[SceneTake, Fraction, Fraction]] = {} if last is None else _still(last._reach, session)
        self._spans = [span for span in session.spans if span.scene.chosen is not None and self._take(span).notes]
        bounds = [self._bounds(span) for span in self._spans]
        self._from = np.array([first for first, _ in bounds], np.int64)
        self._to = np.array([last for _, last in bounds], np.int64)

    @property
    def there(self) -> bool:
        """Whether there is anything to be heard."""
        return bool(self._spans)

    def between(self, first: int, last: int) -> Rows:
        """All that sounds between two samples of the film, releases included; what was struck earlier keeps its own beginning."""
        here = np.flatnonzero((self._from < last) & (self._to > first))
        rows = [self._rows(int(k)) for k in here]
        found = np.concatenate(rows) if rows else np.zeros(0, ROW)
        ends = found["start"] + _sounding(found["length"])
        return np.sort(found[(found["start"] < last) & (ends > first)])

    def _sounds_like(self, session: Session) -> bool:
        return (self.session.tempo_map, self.session.instruments) == (session.tempo_map, session.instruments)

    def _take(self, span: Span) -> SceneTake:
        return self.session.takes[span.scene.chosen or ""]

    def _bounds(self, span: Span) -> tuple[int, int]:
        """Samples before and after which a scene is silent."""
        take, name, seconds = self._take(span), span.scene.chosen or "", self.session.tempo_map.seconds
        reach = self._reach.get(name)
        if reach is None or reach[0] is not take:
            notes = [row.played for row in take.notes]
            reach = self._reach[name] = take, min(note.start for note in notes), max(note.end for note in notes)
        first, last = (round(seconds(span.start + beat) * RATE) for beat in reach[1:])
        return first, last + int(_sounding(np.zeros(1))[0])

    def _rows(self, k: int) -> Rows:
        span, name = self._spans[k], self._spans[k].scene.chosen or ""
        take, after = self._take(span), self._after(k)
        known = self._known.get(name)
        if known is None or (known.start, known.take, known.after) != (span.start, take, after):
            known = self._known[name] = _Known(span.start, take, after, self._worked_out(span, take, after))
        return known.rows

    def _after(self, k: int) -> tuple[Note, ...]:
        """Notes of later scenes that are struck while notes of this one may be held still: they end those on their own pitches."""
        end = self._reach[self._spans[k].scene.chosen or ""][2] + self._spans[k].start
        found: list[Note] = []
        for span in self._spans[k + 1 :]:
            take = self._take(span)
            if span.start + self._reach[span.scene.chosen or ""][1] >= end:
                break
            found += [note for note in _notes(span, take) if note.start < end]
        return tuple(found)

    def _worked_out(self, span: Span, take: SceneTake, after: tuple[Note, ...]) -> Rows:
        session, mine = self.session, _notes(span, take)
        heard = playable((*mine, *after), session.instruments)
        if after:
            own = {(note.stem, note.start) for note in mine}
            heard = tuple(note for note in heard if (note.stem, note.start) in own)
        rows = np.zeros(len(heard), ROW)
        seconds = session.tempo_map.seconds
        programs = {stem: held.program for stem, held in session.instruments.items()}
        for k, note in enumerate(heard):
            start, end = seconds(note.start), seconds(note.end)
            program = programs.get(note.stem, DEFAULT_INSTRUMENT.program)
            rows[k] = round(start * RATE), float(end - start), note.pitch, note.velocity, program
        return rows


def _still(known: dict[str, T], session: Session) -> dict[str, T]:
    """What is known of the takes that there still are."""
    return {name: value for name, value in known.items() if name in session.takes}


def _notes(span: Span, take: SceneTake) -> tuple[Note, ...]:
    """The notes of a take as they are played, in beats of the cue."""
    return tuple(
        Note(note.start + span.start, note.pitch, note.length, note.velocity, note.stem)
        for note in (row.played for row in take.notes)
    )


def _sounding(lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    """Samples after which a note of some seconds is silent for certain."""
    return np.ceil((np.maximum(lengths, SHORTEST) + LONGEST_RELEASE) * RATE).astype(np.int64) + 1
