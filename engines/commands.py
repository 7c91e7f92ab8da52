"""Everything that a composer does to a session, each as one act that can be undone; the window, the command line and the wire give
the same ones to a `engines.session.desk.Desk`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from engines import files
from engines.errors import OptionError
from engines.picture.reel import Reel
from engines.scoring import Wishes, composed
from engines.session.compose import Answered
from engines.session.divide import join, split
from engines.session.heard import feature_files
from engines.session.keep import parse
from engines.session.lock import locked
from engines.session.marks import AddHit, AddHits, DropHit, FollowHits, MoveHit, WeighHit
from engines.session.model import Limits, Session, Told
from engines.session.recut import NewCut, conformed
from engines.session.refill import Wish, next_seed, refilled
from engines.session.remap import remapped
from engines.session.respot import respotted
from engines.session.theme import kept_or_themed
from engines.session.told import check, named
from engines.spotting.candidates import Candidate
from engines.watch import Watch

__all__ = [
    "AddHit",
    "AddHits",
    "Choose",
    "Conform",
    "Delete",
    "DropHit",
    "FollowHits",
    "Hold",
    "Join",
    "Lock",
    "MoveHit",
    "Refill",
    "Relink",
    "Remark",
    "Score",
    "Split",
    "Tell",
    "TellAll",
    "Title",
    "UseMap",
    "WeighHit",
]

BEST = 5
"""The highest rating of a take; 1 is the lowest."""


@dataclass(frozen=True)
class Refill:
    """Compose a scene, some of its bars or some of its stems again, as ``wish`` says; the new take is chosen."""

    wish: Wish
    provider: str | None = None

    @property
    def sentence(self) -> str:
        stems = " and ".join(self.wish.stems or ())
        runs = ", ".join(f"{a}-{b}" if a != b else f"{a}" for a, b in self.wish.bars or ())
        bars = f"bars {runs} of " if runs else ""
        return f"Refill {f'the {stems} of ' if stems else ''}{bars}scene {self.wish.scene}"

    def do(self, session: Session, watch: Watch) -> Session:
        return refilled(session, self.wish, watch, self.provider)[0]


@dataclass(frozen=True)
class Score:
    """Compose every scene, in order, each hearing the one before it; the new takes are chosen. ``seed`` is the first scene's, None
    takes one that the session has not used; ``features`` (files, None: the session's) hold from then on."""

    seed: int | None = None
    provider: str | None = None
    features: tuple[Path, ...] | None = None

    sentence = "Score the cue"

    def do(self, session: Session, watch: Watch) -> Session:
        seed = next_seed(session) if self.seed is None else self.seed
        if self.features is not None:
            session = replace(session, features=feature_files(self.features))
        return composed(session, Wishes(seed=seed, provider=self.provider), watch)


@dataclass(frozen=True)
class Choose:
    """Let another take of a scene be heard; None silences the scene."""

    scene: int
    take: int | None

    @property
    def sentence(self) -> str:
        return f"Silence scene {self.scene}" if self.take is None else f"Choose take {self.take} of scene {self.scene}"

    def do(self, session: Session, watch: Watch) -> Session:
        span = session.span(self.scene)
        if self.take is None:
            return session.with_scene(replace(span.scene, chosen=None))
        name, take = session.take(span.scene, self.take)
        if not session.fits(span, take):
            raise OptionError(
                f"take {self.take} of scene {self.scene} was made for other bars",
                where="--choose",
                cure=f"compose a new one: refill --scene {self.scene}",
            )
        return session.with_scene(replace(span.scene, chosen=name))


@dataclass(frozen=True)
class Remark:
    """Name, rate (1 to 5, 0 takes the rating back) or annotate a take; None leaves each as it is. Without ``take``, the chosen one."""

    scene: int
    take: int | None = None
    name: str | None = None
    rating: int | None = None
    remark: str | None = None

    @property
    def sentence(self) -> str:
        what = "Name" if self.name is not None else "Rate" if self.rating is not None else "Annotate"
        return f"{what} {'the take' if self.take is None else f'take {self.take}'} of scene {self.scene}"

    def do(self, session: Session, watch: Watch) -> Session:
        if self.rating is not None and not 0 <= self.rating <= BEST:
            raise OptionError(f"{self.rating} is no rating", where="--rate", cure=f"give 1 to {BEST}, or 0 for none")
        key, take = session.take(session.span(self.scene).scene, self.take)
        take = replace(
            take,
            name=take.name if self.name is None else self.name,
            rating=take.rating if self.rating is None else self.rating or None,
            remark=take.remark if self.remark is None else self.remark,
        )
        return replace(session, takes={**session.takes, key: take})


@dataclass(frozen=True)
class Delete:
    """Throw a take away; the chosen one leaves its scene to the one before it, or silent."""

    scene: int
    take: int

    @property
    def sentence(self) -> str:
        return f"Delete take {self.take} of scene {self.scene}"

    def do(self, session: Session, watch: Watch) -> Session:
        span = session.span(self.scene)
        key, _ = session.take(span.scene, self.take)
        left = {name: take for name, take in session.takes.items() if name != key}
        session = replace(session, takes=left)
        if span.scene.chosen != key:
            return session
        fitting = [name for name, take in session.takes_of(span.scene).items() if session.fits(span, take)]
        return session.with_scene(replace(span.scene, chosen=fitting[-1] if fitting else None))


@dataclass(frozen=True)
class Hold:
    """What refills of a scene may not touch from now on: words as `engines.session.keep.parse` reads them; none releases it."""

    scene: int
    keep: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return f"Keep {', '.join(self.keep)} of scene {self.scene}" if self.keep else f"Release scene {self.scene}"

    def do(self, session: Session, watch: Watch) -> Session:
        span = session.span(self.scene)
        first, last = span.first + 1, span.first + len(span.bars)
        words = [parse(text) for text in self.keep]
        for word in words:
            if word.inside(first, last) != word:
                cure = f"it has bars {first} to {last} of the cue"
                raise OptionError(f"{word} is not in scene {self.scene}", where="--keep", cure=cure)
        return session.with_scene(replace(span.scene, keep=tuple(str(word.moved(-span.first)) for word in words)))


@dataclass(frozen=True)
class Title:
    """Name a scene, or the cue (``scene`` None): 1m1, 2m4 and so on."""

    name: str
    scene: int | None = None

    @property
    def sentence(self) -> str:
        return "Name the cue" if self.scene is None else f"Name scene {self.scene}"

    def do(self, session: Session, watch: Watch) -> Session:
        if self.scene is None:
            if not self.name.strip():
                raise OptionError("a cue needs a name", where="--cue", cure="write 1m1")
            return replace(session, cue=self.name.strip())
        return session.with_scene(replace(session.span(self.scene).scene, name=self.name))


@dataclass(frozen=True)
class Tell:
    """What the composer says of the cue (``scene`` None), a scene, or one bar of it (``bar`` of the cue, from 1).

    ``told`` is said on top of what was; the fields named in ``forget`` go back to the picture. A metre or a tempo solves the
    tempo map of the scene again: its takes then belong to other bars, and it is silent until it is refilled.
    """

    told: Told
    scene: int | None = None
    bar: int | None = None
    forget: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        where = f"bar {self.bar}" if self.bar is not None else "the cue" if self.scene is None else f"scene {self.scene}"
        return f"Brief {where}"

    def do(self, session: Session, watch: Watch) -> Session:
        scope = scope_of(session, self.scene, self.bar)
        old = session.told.get(scope, Told())
        for name in self.forget:
            if name not in vars(old):
                raise OptionError(f"{name!r} is no setting", where="--forget", cure=f"choose from {', '.join(vars(old))}")
        new = replace(self.told.over(old), **dict.fromkeys(self.forget))
        return TellAll({**session.told, scope: new}).do(session, watch)


@dataclass(frozen=True)
class TellAll:
    """All that the composer says, at once, by scope: what an edited brief sheet holds."""

    told: Mapping[str, Told] = field(default_factory=dict)
    sentence: str = "Edit the brief"

    def do(self, session: Session, watch: Watch) -> Session:
        for scope, word in self.told.items():
            check(scope, word)
        after = replace(
            session,
            told={scope: kept_or_themed(session, scope, named(told)) for scope, told in self.told.items() if not told.silent},
        )
        return respotted(session, after)


@dataclass(frozen=True)
class Lock:
    """Lock some bars of the cue (first and last, from 1): their beats stay where they are when the cue is spotted again, until they
    are unlocked (``locked`` False). A recut moves locked bars with their picture."""

    bars: tuple[int, int]
    locked: bool = True

    @property
    def sentence(self) -> str:
        first, last = self.bars
        which = f"bar {first}" if first == last else f"bars {first}-{last}"
        return f"{'Lock' if self.locked else 'Unlock'} {which}"

    def do(self, session: Session, watch: Watch) -> Session:
        return locked(session, *self.bars, self.locked)


@dataclass(frozen=True)
class UseMap:
    """Put the cue on another tempo map, one of `engines.session.remap.spotted_again`; ``limits`` are kept for the next spotting.

    Takes go on to fit where bars are the same, are carried where only the tempo of their bars is another, and wait silent where a
    scene has other bars: see `engines.session.remap.remapped`.
    """

    candidate: Candidate
    limits: Limits | None = None

    @property
    def sentence(self) -> str:
        return f"Use the tempo map {self.candidate.name}, {float(self.candidate.tempo_bpm):.2f} BPM"

    def do(self, session: Session, watch: Watch) -> Session:
        return remapped(session, self.candidate, self.limits)


@dataclass(frozen=True)
class Split:
    """Let a new scene begin at a bar of the cue (from 1); every take that fits is divided with it."""

    bar: int

    @property
    def sentence(self) -> str:
        return f"Split at bar {self.bar}"

    def do(self, session: Session, watch: Watch) -> Session:
        return split(session, self.bar)


@dataclass(frozen=True)
class Join:
    """Make one scene of a scene and the next; what is heard stays."""

    scene: int

    @property
    def sentence(self) -> str:
        return f"Join scenes {self.scene} and {self.scene + 1}"

    def do(self, session: Session, watch: Watch) -> Session:
        return join(session, self.scene)


@dataclass(frozen=True)
class Relink:
    """The film lies at another path now; it must be the same film, unless ``other`` allows another encoding of it."""

    path: Path
    other: bool = False

    sentence = "Find the film"

    def do(self, session: Session, watch: Watch) -> Session:
        reel = Reel.open(self.path)
        if reel.digest != session.film.digest and not self.other:
            raise OptionError("is another film", where=self.path, cure="conform carries a session to another cut: conform --film")
        if (reel.rate, reel.frames) != (session.film.rate, session.film.frames):
            raise OptionError("is another cut", where=self.path, cure="conform carries a session to another cut: conform --film")
        film = replace(session.film, path=files.spelled(self.path), digest=reel.digest, size=self.path.stat().st_size)
        return replace(session, film=film)


@dataclass(frozen=True)
class Conform:
    """Carry the session to a new cut; the old one stays among its versions. ``name`` is what the new cut is called.

    The picture is the new one in any case, and so is the tempo map: music cannot go on over shots that are no longer there. What is
    accepted, change by change, is that the engine composes the bars that a change brought about. In the bars of a change that is
    ``refused`` (its number in the change list, from 1) it composes nothing: there the old cut's notes go on from the bar before, beat
    for beat, as far as they reach, for the composer to put right by hand or to refill later. Bars that two changes brought about are
    left alone if either is refused. Every scene that the recut touched keeps the music of the old cut as a take, *before the recut*,
    beside the one that is heard, *after the recut*.
    """

    new: NewCut
    name: str
    provider: str | None = None
    refused: frozenset[int] = frozenset()
    known: Answered = field(default_factory=Answered, compare=False, repr=False)
    """What it has composed so far, if it must be done again because others act meanwhile."""

    @property
    def sentence(self) -> str:
        return f"Conform to {self.name}"

    def do(self, session: Session, watch: Watch) -> Session:
        return conformed(session, self.new, watch, self.provider, self.refused, self.known).session


def scope_of(session: Session, scene: int | None, bar: int | None) -> str:
    """The name under which a session keeps what is told. Raises OptionError for a scene or bar that there is not."""
    if bar is not None:
        span = session.span_of_bar(bar)
        if scene is not None and span.number != scene:
            raise OptionError(f"bar {bar} lies in scene {span.number}", where="--bar", cure="leave out --scene")
        return f"{span.scene.id}/{bar - span.first}"
    return "cue" if scene is None else session.span(scene).scene.id
