"""Markers of a DAW's project on the film: read, told by frame and timecode, and made hits of a session where that is wished."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bridge.daw import Address, open_daw
from engines.picture.cutlist import Marker
from engines.session.marks import AddHit
from engines.session.model import Session


@dataclass(frozen=True)
class Marked:
    """The markers of a ``daw`` in the order of its project, on the frames of a film; those outside it are there, too."""

    daw: str
    markers: tuple[Marker, ...]
    session: Session

    def hits(self) -> tuple[AddHit, ...]:
        """An act for each marker inside the film on whose frame no hit lies yet."""
        taken = {0, *(hit.frame for hit in self.session.hits)}
        out = []
        for marker in self.markers:
            if 0 < marker.frame < self.session.film.frames and marker.frame not in taken:
                taken.add(marker.frame)
                out.append(AddHit(marker.frame, marker.name))
        return tuple(out)

    def json(self) -> dict[str, Any]:
        """As other programs read it; frames before the film are negative."""
        start, new = self.session.start, {act.frame for act in self.hits()}
        rows = [
            {
                "frame": marker.frame,
                "timecode": str(start + marker.frame) if start.frame + marker.frame >= 0 else None,
                "name": marker.name,
                "length": marker.length,
                "new": marker.frame in new,
            }
            for marker in self.markers
        ]
        return {"daw": self.daw, "markers": rows}

    def text(self) -> str:
        """The same for a person; + is one that could become a hit."""
        rows = [
            f"{'+' if row['new'] else ' '} {row['timecode'] or '-':>12} {row['frame']:>8}  {row['name']}"
            for row in self.json()["markers"]
        ]
        return "\n".join(rows) or f"{self.daw} has no markers"


def marked(daw: str, where: Address, session: Session, at: Fraction) -> Marked:
    """The markers of a DAW, the film's first frame ``at`` seconds of its project. Raises OptionError, DawError."""
    adapter = open_daw(daw, where)
    try:
        found = adapter.markers()
    finally:
        adapter.close()
    return Marked(daw, tuple(marker.on_film(at, session.film.rate) for marker in found), session)
