"""The hit report of one take: which hits of its scene it catches, which it misses, and by how much at worst."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal

from engines.score.land import Landing, caught_at
from engines.score.report import HitLine, hit_report
from engines.session.model import SceneTake, Session, Span
from engines.spotting.hits import Hit

Light = Literal["on", "near", "missed", "none"]
"""The worst of a take's hits as a colour: green, yellow, red; ``none`` where the scene has no hits."""

_WORST_FIRST: tuple[Light, ...] = ("missed", "near", "on")


@dataclass(frozen=True)
class Verdict:
    """The lines of a take's hits, in order of time; None where the take was made for other bars, so that nothing can be said."""

    lines: tuple[HitLine, ...] | None

    @cached_property
    def said(self) -> tuple[str, ...]:
        """The verdict of every line."""
        return tuple(line.verdict for line in self.lines or ())

    def count(self, verdict: str) -> int:
        """How many hits have that verdict."""
        return self.said.count(verdict)

    @property
    def total(self) -> int:
        """How many hits the scene has."""
        return len(self.lines or ())

    @cached_property
    def worst(self) -> HitLine | None:
        """The hit that is farthest from its onset, one without any onset first; None without hits."""
        return max(self.lines or (), key=lambda line: (line.error is None, abs(line.error or 0)), default=None)

    @property
    def light(self) -> Light:
        """The worst colour of all: a red hit is never hidden behind green ones."""
        for verdict in _WORST_FIRST:
            if self.count(verdict):
                return verdict
        return "none"


def hits_of(session: Session) -> dict[str, tuple[Hit, ...]]:
    """The hits of every scene, by its id: each belongs where its beat lies, or, where the map does not catch it, its moment."""
    out: dict[str, list[Hit]] = {scene.id: [] for scene in session.scenes}
    spans = list(session.spans)
    for hit in session.hits:
        caught = caught_at(hit, session.tempo_map)
        beat = session.tempo_map.beat(hit.time) if caught is None else caught
        home = next((span for span in spans if span.start <= beat < span.end), None)
        if home is not None:
            out[home.scene.id].append(hit)
    return {name: tuple(hits) for name, hits in out.items()}


def verdict_of(session: Session, span: Span, take: SceneTake, hits: tuple[Hit, ...]) -> Verdict:
    """A take's verdict, whether it is chosen or not, from the exact times at which its notes are played."""
    if not session.fits(span, take):
        return Verdict(None)
    onsets = {session.tempo_map.seconds(span.start + start) for start in {row.played.start for row in take.notes}}
    by_frame = {answer.frame: answer for answer in take.answers}
    landings = [
        Landing(hit, caught_at(hit, session.tempo_map), answer.landed_by, answer.how)  # type: ignore[arg-type]
        for hit in hits
        if (answer := by_frame.get(hit.frame))
    ]
    return Verdict(hit_report(onsets, hits, session.film.rate, session.start, landings).lines)


class Verdicts:
    """Verdicts of one session, each worked out when it is first asked for; those of takes and bars that stay are carried over."""

    def __init__(self, session: Session, before: Verdicts | None = None) -> None:
        self.session = session
        same = before is not None and (before.session.hits, before.session.tempo_map, before.session.start) == (
            session.hits,
            session.tempo_map,
            session.start,
        )
        self.hits: dict[str, tuple[Hit, ...]] = (
            before.hits if before and same and _homes(before.session) == _homes(session) else hits_of(session)
        )
        self._known: dict[tuple[int, Fraction], tuple[SceneTake, Verdict]] = (
            before._known if before and same and before.hits is self.hits else {}
        )

    def of(self, span: Span, take: SceneTake) -> Verdict:
        """The verdict of a take of a scene."""
        key = id(take), span.start
        if key not in self._known:
            made = verdict_of(self.session, span, take, self.hits.get(span.scene.id, ()))
            self._known[key] = take, made  # the take is held, so that its id stays its own
        return self._known[key][1]


def _homes(session: Session) -> tuple[tuple[str, Fraction, Fraction], ...]:
    return tuple((span.scene.id, span.start, span.end) for span in session.spans)
