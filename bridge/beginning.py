"""A film's first session: made, composed where that is wished for, and saved, before anybody sees it; cancelled, nothing is left of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from bridge.opened import OpenFilm
from bridge.sitting import Acted, Ready, sounding_otherwise
from engines import files, scoring
from engines.commands import Score
from engines.engine import load_engine
from engines.errors import Cancelled, OptionError
from engines.scoring import Wishes
from engines.session.desk import Desk
from engines.session.working import updated
from engines.watch import Watch


def place_of(film: OpenFilm, path: Path | None) -> Path:
    """Where its session goes: ``path``, else ``FILM-score/cue.hitpoint`` beside the film."""
    beside = film.reel.path.resolve()
    return path or beside.with_name(f"{beside.stem}-score") / "cue.hitpoint"


@contextmanager
def begun(film: OpenFilm, wishes: Wishes, where: Path) -> Iterator[Desk]:
    """A session of a film as it was spotted, nothing composed yet, for the block to save and keep. What ends the block early leaves no
    file, no lock, and no folder that was made for them. Raises OptionError, OutputError, and SessionError where another program has
    one open there."""
    if film.spotted is None:
        raise OptionError("was not spotted yet", where=film.reel.path.name, cure="spot it first")
    made = not where.parent.exists()
    files.folder(where.parent)
    try:
        desk = Desk.new(scoring.first_session(film.reel, film.spotted, film.seen, wishes, film.prints), where)
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


def first_score(
    film: OpenFilm, wishes: Wishes, where: Path, act: Score, watch: Watch, take: Callable[[Desk, OpenFilm], None]
) -> Acted:
    """Spots a film where it was not, composes every scene, saves that to ``where``, and hands it to ``take``."""
    # told before a long film is spotted
    load_engine(wishes.engine, act.provider, wishes.mode, wishes.features)
    spotted = film.spotted or scoring.spot(film.programme, wishes, watch, film.reel.duration)
    film = replace(film, spotted=spotted)
    with begun(film, wishes, where) as desk:
        before = desk.session
        after = act.do(before, watch)
        if watch.cancelled and watch.cancelled():
            raise Cancelled
        desk.do(Ready(act.sentence, after))
        updated(desk)
        take(desk, film)
    return Acted(act.sentence, before, after, sounding_otherwise(before, after))
