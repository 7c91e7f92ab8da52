"""Scoring: all of what is open is composed once at a time, from the moment it is asked for until its job has ended."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import OptionError

if TYPE_CHECKING:
    from bridge.jobs import Job
    from bridge.sitting import Acted
    from desktop.document import Document


class Scores:
    """What is being scored, sessions or films by their files, for a document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._jobs: dict[Path, int] = {}  # 0 until it is queued

    def at(self, path: Path | None) -> bool:
        """Whether a file is being scored, or waits to be."""
        return path in self._jobs

    def begin(self, seed: int | None, features: Sequence[Path] | None, engine: str | None) -> None:
        """Composes every scene of what is open. While that is done a second request is refused: it would come to a session that the
        first is at."""
        document, here = self._document, self._document.at_hand
        if here is None:
            document.do(lambda: document.studio.score(seed, features=features))
            return
        if here in self._jobs:
            error = OptionError("is being scored already", where=here.name, cure="wait for it, or cancel it first")
            document.refused.emit(error)
            return

        def ask(path: Path | None) -> object:
            studio = document.studio
            wishes = studio.wished(engine=engine) if path is not None and engine is not None else None
            try:
                job = studio.score(seed, path=path, wishes=wishes, features=features)
            except BaseException:
                document.post(self._ended, here)
                raise
            document.post(partial(self._began, here), job)
            return job

        self._jobs[here] = 0
        document.scoring_changed.emit()
        document.begin(ask)

    def moved(self, film: Path, session: Path) -> None:
        """The first score of a film began a session, which is what is scored from now on."""
        if film in self._jobs:
            self._jobs[session] = self._jobs.pop(film)

    def hear(self, reading: Any) -> None:
        """A job went on, or ended."""
        for here in [here for here, job in self._jobs.items() if job == reading.number and reading.ended]:
            self._ended(here)

    def _began(self, here: Path, job: Job[Acted]) -> None:
        now = self._document.at_hand
        at = now if here not in self._jobs and now is not None else here  # its session is there already
        self._jobs[at] = job.number
        self._document.scoring_changed.emit()
        if job.reading.ended:  # before anybody here had heard its number
            self._ended(at)

    def _ended(self, here: Path) -> None:
        if self._jobs.pop(here, None) is not None:
            self._document.scoring_changed.emit()
