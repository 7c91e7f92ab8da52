"""Hits as the composer sets them: marked, moved, weighed and thrown away, each an act; and a scene whose tempo follows them.

What the composer says of a frame stands in the session's overrides, so that a recut carries it along. The tempo map and the notes stay
where they are: the hit report then tells how far the music is from a hit that was moved, until the tempo is let follow, or the scene is
refilled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from engines.errors import OptionError
from engines.scoring import programme_hits
from engines.session.model import Session
from engines.session.respot import follows
from engines.spotting.hits import Hit, Override
from engines.watch import Watch


@dataclass(frozen=True)
class AddHit:
    """Mark a frame as a hit, of full weight and hard. Raises OptionError for one that is there, and outside the film."""

    frame: int
    label: str | None = None

    @property
    def sentence(self) -> str:
        return f"Mark a hit at frame {self.frame}"

    def do(self, session: Session, watch: Watch) -> Session:
        if any(hit.frame == self.frame for hit in session.hits):
            raise OptionError(f"frame {self.frame} is a hit already", where="hit", cure="move or weigh that one")
        inside(session, self.frame)
        return with_word(session, Override(self.frame, weight=1.0, hard=True, label=self.label))


@dataclass(frozen=True)
class AddHits:
    """Mark several frames as hits in one step, ``weight`` None as `AddHit` weighs them; ``source`` says where they come from."""

    marks: tuple[AddHit, ...]
    source: str
    weight: float | None = None

    @property
    def sentence(self) -> str:
        return f"Mark {len(self.marks)} hits from {self.source}"

    def do(self, session: Session, watch: Watch) -> Session:
        for mark in self.marks:
            session = mark.do(session, watch)
            if self.weight is not None:
                session = WeighHit(mark.frame, self.weight).do(session, watch)
        return session


@dataclass(frozen=True)
class MoveHit:
    """Let a hit lie on another frame, with all that was said of it."""

    frame: int
    to: int

    @property
    def sentence(self) -> str:
        return f"Move the hit at frame {self.frame} to {self.to}"

    def do(self, session: Session, watch: Watch) -> Session:
        hit = hit_at(session, self.frame)
        inside(session, self.to)
        if any(other.frame == self.to for other in session.hits):
            raise OptionError(f"frame {self.to} is a hit already", where="hit", cure="delete one of the two")
        rate = session.film.rate
        word = Override(self.to, hit.weight, hit.hard, hit.early * rate, hit.late * rate, hit.label or None)
        return with_word(without(session, self.frame), word)


@dataclass(frozen=True)
class WeighHit:
    """Say how heavy a hit is, whether it is hard, from how many frames early to how many late it still sounds on, and its name; None
    leaves each as it is."""

    frame: int
    weight: float | None = None
    hard: bool | None = None
    early: Fraction | None = None
    late: Fraction | None = None
    label: str | None = None

    @property
    def sentence(self) -> str:
        if self.weight is None and self.hard is None:
            if self.label is not None and self.early is None and self.late is None:
                return f"Name the hit at frame {self.frame}"
            if self.label is None and not (self.early is None and self.late is None):
                return f"Set the window of the hit at frame {self.frame}"
        return f"Weigh the hit at frame {self.frame}"

    def do(self, session: Session, watch: Watch) -> Session:
        hit_at(session, self.frame)
        said = {name: value for name, value in vars(self).items() if value is not None}
        before = next((word for word in session.overrides if word.frame == self.frame), Override(self.frame))
        return with_word(session, replace(before, **said))


@dataclass(frozen=True)
class DropHit:
    """Throw a hit away; a cut without one is only a cut."""

    frame: int

    @property
    def sentence(self) -> str:
        return f"Delete the hit at frame {self.frame}"

    def do(self, session: Session, watch: Watch) -> Session:
        hit_at(session, self.frame)
        return without(session, self.frame)


@dataclass(frozen=True)
class FollowHits:
    """Solve the tempo of a scene again for the hits as they are; where its bars change, its takes no longer fit and it is silent."""

    scene: int

    @property
    def sentence(self) -> str:
        return f"Let the tempo of scene {self.scene} follow its hits"

    def do(self, session: Session, watch: Watch) -> Session:
        return follows(session, session.span(self.scene))


def hit_at(session: Session, frame: int) -> Hit:
    """The hit on a frame. Raises OptionError where there is none."""
    found = next((hit for hit in session.hits if hit.frame == frame), None)
    if found is None:
        raise OptionError(f"there is no hit at frame {frame}", where="hit", cure="mark one there first")
    return found


def inside(session: Session, frame: int) -> None:
    """Raises OptionError for a frame that no music can catch: outside the film, or its first."""
    if not 0 < frame < session.film.frames:
        cure = f"give a frame from 1 to {session.film.frames - 1}"
        raise OptionError(f"frame {frame} cannot be a hit", where="hit", cure=cure)


def without(session: Session, frame: int) -> Session:
    """The session without a hit: what the composer put there is taken back, what the picture has there is dropped."""
    bare = _with(session, tuple(word for word in session.overrides if word.frame != frame))
    return with_word(bare, Override(frame, drop=True)) if any(hit.frame == frame for hit in bare.hits) else bare


def with_word(session: Session, word: Override) -> Session:
    """The session with the composer's word on a frame, instead of any before."""
    rest = (other for other in session.overrides if other.frame != word.frame)
    return _with(session, tuple(sorted((*rest, word), key=lambda other: other.frame)))


def _with(session: Session, words: tuple[Override, ...]) -> Session:
    hits = programme_hits(session.programme, session.film.duration, words)
    return replace(session, overrides=words, hits=hits)
