"""What a studio has open besides its session: a film, and a new cut that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engines.picture.cutlist import CutList
from engines.picture.reel import Reel
from engines.scoring import Spotted, Wishes
from engines.session.recut import NewCut, Recut

if TYPE_CHECKING:
    from engines.picture.motion import Motion

DEFAULT = Wishes()


@dataclass(frozen=True)
class OpenFilm:
    """A film that was opened: its cuts, the ``prints`` of its frames, what moves in it, and how it was last spotted."""

    reel: Reel
    programme: CutList
    prints: bytes
    seen: Motion
    wishes: Wishes = DEFAULT
    spotted: Spotted | None = None


@dataclass(frozen=True)
class Offer:
    """A recut as it would be carried out: the new cut, what would become of the session, and what the new cut is called."""

    new: NewCut
    recut: Recut
    name: str
