"""What a studio has open besides its session: a film, and a new cut that was looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import OptionError
from engines.picture.cutlist import CutList
from engines.picture.reel import Reel
from engines.scoring import Spotted, Wishes, first_session
from engines.session.model import Session
from engines.session.recut import NewCut, Recut

if TYPE_CHECKING:
    from engines.picture.motion import Motion

DEFAULT = Wishes()


@dataclass(frozen=True)
class OpenFilm:
    """A film that was opened: its cuts, the ``prints`` of its frames, what moves in it, how it was last spotted, and the ``session`` of
    it that lay beside it then."""

    reel: Reel
    programme: CutList
    prints: bytes
    seen: Motion
    wishes: Wishes = DEFAULT
    spotted: Spotted | None = None
    session: Path | None = None

    @cached_property
    def draft(self) -> Session:
        """The session that it begins with: as it was spotted, its scenes silent. Raises OptionError where it was not spotted."""
        return self.drafted(self.wishes)

    def drafted(self, wishes: Wishes) -> Session:
        """The same as other wishes have it."""
        if wishes is self.wishes and "draft" in vars(self):
            return self.draft
        if self.spotted is None:
            raise OptionError("was not spotted yet", where=self.reel.path.name, cure="spot it first")
        return first_session(self.reel, self.spotted, self.seen, wishes, self.prints)

    def with_map(self, index: int) -> tuple[OpenFilm, Spotted]:
        """The film with one of its tempo maps put first, by its place (from 0), and how it is spotted then. Raises OptionError."""
        if self.spotted is None:
            raise OptionError("was not spotted yet", where=self.reel.path.name, cure="spot it first")
        candidates = self.spotted.candidates
        if not 0 <= index < len(candidates):
            raise OptionError(f"there is no tempo map {index}", where="map", cure=f"choose 0 to {len(candidates) - 1}")
        chosen = candidates[index]
        spotted = replace(self.spotted, candidates=(chosen, *(c for c in candidates if c is not chosen)))
        return replace(self, spotted=spotted), spotted


@dataclass(frozen=True)
class Offer:
    """A recut as it would be carried out: the new cut, what would become of the session, and what the new cut is called."""

    new: NewCut
    recut: Recut
    name: str
