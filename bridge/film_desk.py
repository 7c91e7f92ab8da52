"""The film on the studio's desk: opened, spotted, put on another tempo map, and put away again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from threading import RLock
from typing import Any

from bridge.beginning import session_beside
from bridge.events import Event, FilmChanged, Message, Subscribers
from bridge.jobs import Job, Jobs
from bridge.opened import DEFAULT, OpenFilm
from engines import scoring
from engines.errors import Cancelled, OptionError
from engines.picture.reel import Reel
from engines.scoring import Spotted, Wishes
from engines.watch import Watch

PICTURE = "picture"
"""The lane of what reads films and spots: beside the engine's."""


class FilmDesk:
    """At most one film is open. Every method may be called from any thread."""

    def __init__(self) -> None:
        self.jobs = Jobs()
        self.events: Subscribers[Event] = Subscribers()
        self.film: OpenFilm | None = None
        self._lock = RLock()  # never held while a disk is read

    def subscribe(self, call: Callable[[Event], None]) -> Callable[[], None]:
        """Has ``call`` told of every event, in the thread where it happens; the function that comes back ends that."""
        return self.events.subscribe(call)

    def open_film(self, path: Path, cuts: Path | None = None, rate: Fraction | None = None) -> Job[OpenFilm]:
        """Reads a film: its cuts (from the editor's list where there is one) and what moves in it. An open session stays open."""
        return self.jobs.begin(f"Open {path.name}", lambda watch: self.read_film(path, watch, cuts, rate), PICTURE)

    def read_film(self, path: Path, watch: Watch, cuts: Path | None = None, rate: Fraction | None = None) -> OpenFilm:
        """The same, for a job that has the film made or fetched first."""
        with watch.stage("decode"):
            reel = Reel.open(path)
        programme, prints, seen = scoring.film_pictures(reel, watch, cuts, rate)
        self._say(watch)
        film = OpenFilm(reel, programme, prints, seen, session=session_beside(reel))
        if watch.cancelled and watch.cancelled():
            raise Cancelled
        return self._show(film)

    def spot(self, wishes: Wishes = DEFAULT) -> Job[Spotted]:
        """Tempo maps for the open film, priced, the chosen one first. Fails with SpottingError where none fits."""
        film = self._film()

        def work(watch: Watch) -> Spotted:
            self._still(film)
            spotted = scoring.spot(film.programme, wishes, watch, film.reel.duration)
            with self._lock:
                self._still(film)
                self._show(replace(film, wishes=wishes, spotted=spotted))
            return spotted

        return self.jobs.begin(f"Spot {film.reel.path.name}", work, PICTURE)

    def choose_map(self, index: int) -> Spotted:
        """Puts a tempo map first, by its place among the candidates (from 0); the next new session has it."""
        with self._lock:
            film, spotted = self._film().with_map(index)
            self._show(film)
            return spotted

    def wished(self, engine: str | None = None, mode: str | None = None, **more: Any) -> Wishes:
        """What the film was spotted with, for another engine where one is named; ``more`` are other fields of `Wishes`, None for none."""
        wishes = replace(self._film().wishes, **{name: value for name, value in more.items() if value is not None})
        return wishes if engine is None and mode is None else replace(wishes, engine=engine or wishes.engine, mode=mode)

    def close_film(self) -> None:
        """Puts the film away; nothing where none is open. An open session stays open."""
        with self._lock:
            if self.film is not None:
                self.film = None
                self.events.publish(FilmChanged("", 0, 0, 0))

    def _show(self, film: OpenFilm) -> OpenFilm:
        self.film = film
        many = len(film.spotted.candidates) if film.spotted else 0
        self.events.publish(FilmChanged(str(film.reel.path), film.reel.frames, len(film.programme.cuts), many))
        return film

    def _film(self) -> OpenFilm:
        if self.film is None:
            raise OptionError("no film is open", where="film", cure="open one first")
        return self.film

    def _still(self, film: OpenFilm) -> None:
        """Raises OptionError where another film was opened since a job was asked for, or this one put away."""
        if self.film is None or self.film.reel is not film.reel:
            raise OptionError("another film was opened meanwhile", where=film.reel.path.name, cure="open it again")

    def _say(self, watch: Watch) -> None:
        for line in watch.said:
            self.events.publish(Message(line))
