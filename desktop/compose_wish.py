"""What the next refill shall be asked with: engine, seed and features as the composer set them, for every place that refills."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, pyqtSignal

from desktop.takes_keep import shut
from engines.commands import Refill
from engines.engine import ENGINES
from engines.session.refill import Wish

if TYPE_CHECKING:
    from desktop.document import Document
    from engines.session.model import Session


class Wishes(QObject):
    """The wishes of one document. ``engine`` None is the session's own; ``seed`` None takes one that the session has not used;
    ``features`` None are the session's."""

    changed = pyqtSignal()

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self._document = document
        self.engine: str | None = None
        self.seed: int | None = None
        self.features: tuple[Path, ...] | None = None
        self.locked = False
        """Whether the seed stays as it is from one refill to the next."""

    def wish(self, engine: str | None = None, seed: int | None = None, locked: bool = False) -> None:
        """Sets all of them."""
        if (engine, seed, locked) != (self.engine, self.seed, self.locked):
            self.engine, self.seed, self.locked = engine, seed, locked
            self.changed.emit()

    def hear(self, features: Sequence[Path]) -> None:
        """Sets the features of the film that the next refill hears, and those after it."""
        self.features = tuple(features)
        self.changed.emit()

    def kept(self, session: Session) -> None:
        """Features that were asked for are the session's by now, and are its own business from here on."""
        if self.features == tuple(Path(file.path) for file in session.features):
            self.features = None

    def features_of(self, session: Session) -> tuple[Path, ...]:
        """The features that a refill of a session would hear."""
        own = () if self.engine not in (None, session.engine) else tuple(Path(file.path) for file in session.features)
        return own if self.features is None else self.features

    def engine_of(self, session: Session) -> str:
        """The engine that a refill of a session would ask."""
        return self.engine or session.engine

    def engines(self, session: Session) -> list[str]:
        """Engines by name, the session's own among them."""
        return sorted({*ENGINES, session.engine})

    def refill(self, scene: int, stems: Sequence[str] | None = None, bars: tuple[tuple[int, int], ...] | None = None) -> None:
        """Asks for a scene, or for some of its stems or bars, again."""
        self._document.compose(Refill(self._wish(scene, self.seed, stems, bars)))
        self._used()

    def refill_all(self) -> None:
        """Asks for every scene again, in order, each hearing the one before it, but for those of which everything is kept. A seed counts
        on from scene to scene."""
        now = self._document.now
        if now is None or (self.engine in (None, now.session.engine) and not any(s.keep for s in now.session.scenes)):
            self._document.score(self.seed, self.features, self.engine)
        else:
            for span in now.session.spans:
                seed = None if self.seed is None else self.seed + span.number - 1
                if not shut(span):
                    self._document.compose(Refill(self._wish(span.number, seed, None, None)))
        self._used()

    def _wish(self, scene: int, seed: int | None, stems: Sequence[str] | None, bars: tuple[tuple[int, int], ...] | None) -> Wish:
        now = self._document.now
        engine = self.engine if now is None or self.engine != now.session.engine else None
        return Wish(scene, bars, None if stems is None else tuple(stems), seed=seed, engine=engine, features=self.features)

    def _used(self) -> None:
        """A seed that is not locked was for once."""
        if not self.locked:
            self.wish(self.engine, None, False)


def wishes_of(document: Document) -> Wishes:
    """The wishes of a document, one for all who ask."""
    return document.findChild(Wishes) or Wishes(document)
