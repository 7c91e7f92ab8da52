"""From an order to notes: the engine composes, the notes are landed and performed, and what is kept stays bit by bit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from engines.engine import Engine, Progress
from engines.score.bass import told_bass, with_bass
from engines.score.instruments import SHORTEST
from engines.score.land import Landing, land, landed_beats
from engines.score.notes import Note
from engines.score.perform import perform
from engines.session.model import Answer, Order, PlayedNote
from engines.spotting.tempo import TempoMap


@dataclass(frozen=True)
class Made:
    """What came of an order: the new notes (none of those kept), the harmony, how each hit is answered, and the engine's facts."""

    notes: tuple[PlayedNote, ...]
    chords: tuple[tuple[Fraction, str], ...]
    landings: tuple[Landing, ...]
    facts: dict[str, Any]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """The landings as a take keeps them."""
        return tuple(Answer(landing.hit.frame, landing.landed_by, landing.how) for landing in self.landings)


@dataclass
class Answered:
    """Orders with what came of them, and the seed that each scene was given: an act that is done again, because the session has changed
    while it composed, asks no question twice."""

    seeds: dict[str, int] = field(default_factory=dict)
    _rows: list[tuple[Order, TempoMap, Made]] = field(default_factory=list)

    def of(self, order: Order, tempo_map: TempoMap) -> Made | None:
        """What came of an order; None where it was never asked."""
        return next((made for asked, beats, made in self._rows if asked == order and beats == tempo_map), None)

    def add(self, order: Order, tempo_map: TempoMap, made: Made) -> None:
        """Remembers what came of an order."""
        self._rows.append((order, tempo_map, made))


def make(
    order: Order,
    tempo_map: TempoMap,
    engine: Engine,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Made:
    """Composes an order over the scene's own tempo map (beats from its first). Raises what the engine raises.

    The engine's notes are landed on the hits and performed; hits of bars outside the order are none of its business. An accent
    is only added in a stem that the order may write. What still rings from before stays as it is, like what is kept.
    """
    take = engine.compose(order.brief, order.seed, order.keep, on_progress, cancelled)
    begin = order.brief.bars[0].start
    ringing = [n for n in order.brief.before if n.end > begin]
    kept = {*order.keep, *ringing}
    inside = [n for n in take.notes if n in kept or begin <= n.start < order.end] + ringing
    written, landings = land(
        with_bass(inside, order.brief.bars, kept),
        order.hits,
        tempo_map,
        keep=kept,
        chords=told_bass(take.chords, order.brief.bars),
        instruments=order.instruments,
        end=order.end,
        stems=order.brief.stems,
    )
    played = perform(
        written,
        tempo_map,
        amount=order.performance,
        seed=order.seed,
        accents=landed_beats(landings),
        bars=order.brief.bars,
        keep=kept,
        instruments=order.instruments,
    )
    rows = [row for row in paired(written, played) if row.note not in kept]
    return Made(tuple(rows), take.chords, landings, dict(take.recipe))


def paired(written: Iterable[Note], played: Iterable[Note]) -> list[PlayedNote]:
    """Each written note with itself as played: of one stem and pitch they keep their order. One that is not played is dropped."""
    voices: dict[tuple[str, int], list[Note]] = defaultdict(list)
    for note in sorted(played):
        voices[note.stem, note.pitch].append(note)
    rows = []
    for note in sorted(written):
        waiting = voices[note.stem, note.pitch]
        nearest = min(waiting, key=lambda n: abs(n.start - note.start), default=None)
        if nearest is not None and abs(nearest.start - note.start) < Fraction(1, 4):
            waiting.remove(nearest)
            rows.append(PlayedNote(note, nearest))
    return rows


def beside(kept: Sequence[PlayedNote], new: Iterable[PlayedNote]) -> tuple[PlayedNote, ...]:
    """All of ``kept`` as they are, and the new notes trimmed so that no pitch of a stem sounds twice at once; sorted.

    A new note ends where a kept one of its pitch begins; one that would begin while a kept one sounds begins after it, or is left
    out where less than `SHORTEST` of it would remain.
    """
    voices: dict[tuple[str, int], list[Note]] = defaultdict(list)
    for row in kept:
        voices[row.note.stem, row.note.pitch].append(row.played)
    rows = list(kept)
    for row in new:
        start, end = row.played.start, row.played.end
        for fixed in sorted(voices[row.note.stem, row.note.pitch]):
            if fixed.start <= start < fixed.end:
                start = fixed.end
            elif start < fixed.start < end:
                end = fixed.start
        if end - start >= SHORTEST:
            rows.append(
                row
                if (start, end) == (row.played.start, row.played.end)
                else replace(row, played=replace(row.played, start=start, length=end - start))
            )
    return tuple(sorted(rows, key=lambda row: (row.note, row.played)))
