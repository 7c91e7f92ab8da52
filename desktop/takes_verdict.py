"""The hit report of one take: which hits of its scene it catches, which it misses, and by how much at worst."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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


MARGIN = Fraction(1)
"""Seconds that a hit's beat may lie from it beyond its window: an eighth at 30 beats a minute."""


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
    """Verdicts of one session, each worked out when it is first asked for; what an act left as it was is carried over."""

    def __init__(self, session: Session, before: Verdicts | None = None) -> None:
        self.session = session
        same = before is not None and before.session.tempo_map is session.tempo_map and before.session.start == session.start
        self._beats: dict[Hit, Fraction] = before._beats if before and same else {}
        self._known: dict[tuple[int, Fraction], tuple[SceneTake, tuple[Hit, ...], Verdict]] = (
            before._known if before and same else {}
        )
        self._times = [hit.time for hit in session.hits]
        windows = {id(window): window for hit in session.hits for window in (hit.early, hit.late)}  # most are one and the same
        self._reach = max(windows.values(), default=Fraction(0)) + MARGIN
        self._hits: dict[str, tuple[Hit, ...]] = {}

    def hits(self, span: Span) -> tuple[Hit, ...]:
        """The hits of a scene: each belongs where its beat lies, or, where the map does not catch it, its moment."""
        if span.scene.id not in self._hits:
            start, end = span.seconds
            near = slice(bisect_left(self._times, start - self._reach), bisect_right(self._times, end + self._reach))
            mine = [hit for hit in self.session.hits[near] if span.start <= self._beat(hit) < span.end]
            self._hits[span.scene.id] = tuple(mine)
        return self._hits[span.scene.id]

    def _beat(self, hit: Hit) -> Fraction:
        if hit not in self._beats:
            caught = caught_at(hit, self.session.tempo_map)
            self._beats[hit] = self.session.tempo_map.beat(hit.time) if caught is None else caught
        return self._beats[hit]

    def knows(self, span: Span, take: SceneTake) -> bool:
        """Whether a verdict was worked out already."""
        known = self._known.get((id(take), span.start))
        return known is not None and known[1] == self.hits(span)

    def of(self, span: Span, take: SceneTake) -> Verdict:
        """The verdict of a take of a scene."""
        key, hits = (id(take), span.start), self.hits(span)
        known = self._known.get(key)
        if known is None or known[1] != hits:
            known = self._known[key] = (
                take,
                hits,
                verdict_of(self.session, span, take, hits),
            )  # the take is held: its id stays its own
        return known[2]


_LAST: list[Verdicts] = []


def verdicts_of(session: Session) -> Verdicts:
    """The verdicts of the session that the window shows, the same for all of its panels."""
    if not _LAST or _LAST[0].session is not session:
        _LAST[:] = [Verdicts(session, _LAST[0] if _LAST else None)]
    return _LAST[0]
