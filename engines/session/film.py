"""A film that has moved, found again by its content near the session."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from engines.errors import FilmError
from engines.picture.reel import digest
from engines.session.model import Session

SUFFIXES = (
    *(".3gp", ".avi", ".dv", ".flv", ".m2t", ".m2ts", ".m2v", ".m4v", ".mkv", ".mov"),
    *(".mp4", ".mpeg", ".mpg", ".mts", ".mxf", ".ogv", ".r3d", ".ts", ".webm", ".wmv"),
)
"""What films are called."""

LOOKED_AT = 5_000
"""Files and folders near a session among which its film is looked for: a project's folder, not a whole disk."""


def find_film(session: Session, beside: Path) -> Path:
    """The session's film: where it was, else in the folder of the session's file ``beside``, below it, or above and next to it.

    Size comes first (name, where an old session did not note the size), then the digest decides. Raises FilmError where it is in
    none of them.
    """
    film = session.film
    known = Path(film.path)
    if film.path and _is(known, session):
        return known
    folder = beside.resolve().parent
    for path in dict.fromkeys((*_films(folder), *_films(folder.parent))):
        if _is(path, session):
            return path
    what = (
        "this session's film is not here any more, nor near the session" if film.path else "this session was never shown a film"
    )
    raise FilmError(what, where=film.path or beside, cure="say where it lies: relink SESSION FILM")


def _is(path: Path, session: Session) -> bool:
    film = session.film
    with suppress(OSError):
        same = path.stat().st_size == film.size if film.size else path.name == Path(film.path).name
        return same and path.is_file() and digest(path) == film.digest
    return False


def _films(folder: Path) -> Iterator[Path]:
    """The films in a folder and below it, the nearest first, among so many files and folders."""
    waiting, left = [folder], LOOKED_AT
    while waiting:
        try:
            with os.scandir(waiting.pop(0)) as inside:
                entries = sorted(islice(inside, left), key=lambda entry: entry.name)
        except OSError:  # a folder that may not be read holds nothing for us
            continue
        left -= len(entries)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    waiting.append(Path(entry.path))
            elif Path(entry.name).suffix.lower() in SUFFIXES:
                yield Path(entry.path)
