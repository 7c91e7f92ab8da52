"""A film's first session: made with the first act, or composed at once, and saved before anybody sees it; cancelled, nothing is left
of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.opened import OpenFilm
from engines import files, scoring
from engines.commands import Score
from engines.engine import load_engine
from engines.errors import Cancelled, HitpointError
from engines.picture.reel import Reel
from engines.scoring import Wishes
from engines.session.desk import SUFFIX, Act, Desk
from engines.session.model import Session
from engines.session.working import look_at
from engines.watch import Watch

LOOKED_AT = 8
"""Sessions of a folder that are looked at for one of a film: old ones are many, and large."""


@dataclass(frozen=True)
class First:
    """A film that was spotted, the session that it begins with, and the same after what was composed first."""

    film: OpenFilm
    before: Session
    after: Session


def place_of(film: OpenFilm, path: Path | None = None, home: Path | None = None) -> Path:
    """Where its session goes: ``path``, else ``FILM-score/cue.hitpoint`` beside the film, or in the folder ``home``."""
    return path or _beside(film.reel, home) / f"cue{SUFFIX}"


def _beside(reel: Reel, home: Path | None = None) -> Path:
    film = reel.path.resolve()
    return (home or film.parent) / f"{film.stem}-score"


def session_beside(reel: Reel) -> Path | None:
    """The session of this very film that was worked on last, where its first one would go; None where there is none."""
    found: list[tuple[float, Path]] = []
    with suppress(OSError):
        found = [(path.stat().st_mtime, path) for path in _beside(reel).glob(f"[!.]*{SUFFIX}") if path.is_file()]
    digest = reel.digest
    for _, path in sorted(found, reverse=True)[:LOOKED_AT]:
        with suppress(HitpointError):  # no session, or a damaged one
            if look_at(path).session.film.digest == digest:
                return path
    return None


@contextmanager
def begun(film: OpenFilm, wishes: Wishes, where: Path, draft: Session | None = None) -> Iterator[Desk]:
    """A session of a film as it was spotted (``draft``, None makes it), nothing composed yet, for the block to save and keep. What ends
    the block early leaves no file, no lock, and no folder that was made for them. Raises OptionError, OutputError, and SessionError
    where another program has one open there."""
    draft = draft or film.drafted(wishes)
    made = not where.parent.exists()
    files.folder(where.parent)
    try:
        desk = Desk.new(draft, where)
        try:
            yield desk
        except BaseException:
            desk.close()
            raise
    except BaseException:
        if made:
            with suppress(OSError):  # something else lies in it
                where.parent.rmdir()
        raise


def first_composed(film: OpenFilm, wishes: Wishes, act: Act, watch: Watch) -> First:
    """Spots a film where it was not, and composes on the session that it begins with. Nothing is written."""
    if isinstance(act, Score):  # told before a long film is spotted
        load_engine(wishes.engine, act.provider, wishes.mode, wishes.features)
    spotted = film.spotted or scoring.spot(film.programme, wishes, watch, film.reel.duration)
    film = replace(film, spotted=spotted) if film.spotted is None else film
    before = film.drafted(wishes)
    after = act.do(before, watch)
    if watch.cancelled and watch.cancelled():
        raise Cancelled
    return First(film, before, after)
