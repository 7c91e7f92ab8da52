"""The hit report of the cue, scene by scene: which hits a take catches in its place, which it misses, and by how much at worst."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
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


Times = tuple[Fraction, ...]
"""Seconds of the film, rising."""


def onsets_of(session: Session, span: Span, take: SceneTake) -> Times:
    """When the notes of a take sound in its scene's place, exactly."""
    return tuple(sorted(session.tempo_map.seconds(span.start + start) for start in {row.played.start for row in take.notes}))


def verdict_of(
    session: Session, span: Span, take: SceneTake | None, hits: tuple[Hit, ...], onsets: Iterable[Fraction] | None = None
) -> Verdict:
    """A take's verdict, whether it is chosen or not, from the exact times of ``onsets``, by default its own; None is silence."""
    if take is not None and not session.fits(span, take):
        return Verdict(None)
    if onsets is None:
        onsets = () if take is None else onsets_of(session, span, take)
    by_frame = {} if take is None else {answer.frame: answer for answer in take.answers}
    landings = [
        Landing(hit, caught_at(hit, session.tempo_map), answer.landed_by, answer.how)  # type: ignore[arg-type]
        for hit in hits
        if (answer := by_frame.get(hit.frame))
    ]
    return Verdict(hit_report(onsets, hits, session.film.rate, session.start, landings).lines)


@dataclass(frozen=True)
class _Known:
    """A verdict, and what it hangs on: the hits, and the takes that are heard before and after, each with its first beat."""

    take: SceneTake | None
    hits: tuple[Hit, ...]
    around: tuple[tuple[SceneTake, Fraction], ...]
    verdict: Verdict

    def holds(self, hits: tuple[Hit, ...], around: tuple[tuple[SceneTake, Fraction], ...]) -> bool:
        """Whether nothing of that is another now."""
        same = len(around) == len(self.around) and all(
            a is b and x == y for (a, x), (b, y) in zip(around, self.around, strict=True)
        )
        return same and hits == self.hits


class Verdicts:
    """Verdicts of one session, each worked out when it is first asked for; what an act left as it was is carried over.

    Every hit of the cue belongs to one scene, and a note of the scene before or after it counts where it is the nearest: all scenes
    together say what the hit report of the cue says.
    """

    def __init__(self, session: Session, before: Verdicts | None = None) -> None:
        self.session = session
        same = before is not None and before.session.tempo_map is session.tempo_map and before.session.start == session.start
        self._beats: dict[Hit, Fraction] = before._beats if before and same else {}
        self._known: dict[tuple[str, int, Fraction], _Known] = before._known if before and same else {}
        self._onsets: dict[tuple[int, Fraction], tuple[SceneTake, Times]] = before._onsets if before and same else {}
        self._times = [hit.time for hit in session.hits]
        windows = {id(window): window for hit in session.hits for window in (hit.early, hit.late)}  # most are one and the same
        self._reach = max(windows.values(), default=Fraction(0)) + MARGIN
        self._hits: dict[str, tuple[Hit, ...]] = {}

    def hits(self, span: Span) -> tuple[Hit, ...]:
        """The hits of a scene: each belongs where its beat lies, or, where the map does not catch it, its moment; those beyond the
        bars to the first scene or the last."""
        if span.scene.id not in self._hits:
            start, end = span.seconds
            first, last = span.number == 1, span.number == len(self.session.spans)
            near = slice(
                0 if first else bisect_left(self._times, start - self._reach),
                None if last else bisect_right(self._times, end + self._reach),
            )
            mine = [(hit, self._beat(hit)) for hit in self.session.hits[near]]
            self._hits[span.scene.id] = tuple(
                hit for hit, beat in mine if (first or span.start <= beat) and (last or beat < span.end)
            )
        return self._hits[span.scene.id]

    def _beat(self, hit: Hit) -> Fraction:
        if hit not in self._beats:
            caught = caught_at(hit, self.session.tempo_map)
            self._beats[hit] = self.session.tempo_map.beat(hit.time) if caught is None else caught
        return self._beats[hit]

    def heard(self, span: Span) -> SceneTake | None:
        """The take of a scene that is heard; None where it is silent."""
        return None if span.scene.chosen is None else self.session.takes[span.scene.chosen]

    def knows(self, span: Span, take: SceneTake | None) -> bool:
        """Whether a verdict was worked out already."""
        known = self._known.get((span.scene.id, id(take), span.start))
        return known is not None and known.holds(self.hits(span), self._around(span)[1])

    def of(self, span: Span, take: SceneTake | None) -> Verdict:
        """The verdict of a take in the place of a scene, between what is heard before and after it; of silence, too (None)."""
        key, hits = (span.scene.id, id(take), span.start), self.hits(span)
        spans, around = self._around(span)
        known = self._known.get(key)
        if known is None or not known.holds(hits, around):
            onsets = () if take is None else self._sounding(span, take)
            beside = [self._sounding(other, one) for other, (one, _) in zip(spans, around, strict=True)]
            near = [onset for times in beside for onset in _near(times, hits)]
            made = verdict_of(self.session, span, take, hits, (*onsets, *near))
            known = self._known[key] = _Known(take, hits, around, made)  # the take is held: its id stays its own
        return known.verdict

    def _around(self, span: Span) -> tuple[tuple[Span, ...], tuple[tuple[SceneTake, Fraction], ...]]:
        """The nearest scenes before and after one that sound, and what is heard there."""
        spans = self.session.spans
        ways = reversed(spans[: span.number - 1]), iter(spans[span.number :])
        found = [next(((s, t) for s in way if (t := self.heard(s)) is not None and t.notes), None) for way in ways]
        there = [one for one in found if one is not None]
        return tuple(s for s, _ in there), tuple((t, s.start) for s, t in there)

    def _sounding(self, span: Span, take: SceneTake) -> Times:
        key = id(take), span.start
        if key not in self._onsets:
            self._onsets[key] = take, onsets_of(self.session, span, take)
        return self._onsets[key][1]


def _near(times: Times, hits: Sequence[Hit]) -> Times:
    """Of rising times those among which the nearest to any of some hits is."""
    if not hits:
        return ()
    first, last = bisect_left(times, hits[0].time), bisect_right(times, hits[-1].time)
    return times[max(0, first - 1) : last + 1]


_LAST: list[Verdicts] = []


def verdicts_of(session: Session) -> Verdicts:
    """The verdicts of the session that the window shows, the same for all of its panels."""
    if not _LAST or _LAST[0].session is not session:
        _LAST[:] = [Verdicts(session, _LAST[0] if _LAST else None)]
    return _LAST[0]
