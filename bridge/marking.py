"""Markers of a DAW's project on the film: read, told by frame and timecode, and made hits of a session where that is wished."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bridge.daw import Address, Daw, open_daw
from engines.errors import OptionError
from engines.picture.cutlist import Marker
from engines.session.marks import AddHit, AddHits
from engines.session.model import Session


@dataclass(frozen=True)
class Marked:
    """The markers of a ``daw`` in the order of its project, on the frames of a film; those outside it are there, too. A region is two of
    them: where it begins, and where it ``ends``. Those are the numbers of its ends, from 1; they become hits where that is asked for."""

    daw: str
    markers: tuple[Marker, ...]
    session: Session
    ends: frozenset[int] = frozenset()

    def hits(self, only: Iterable[int] = (), ends: bool = False) -> tuple[AddHit, ...]:
        """An act for each marker inside the film on whose frame no hit lies yet, for the ends of regions only with ``ends``; for those with
        the numbers ``only``, counted from 1, where any are given. Raises OptionError for a number that there is not."""
        every = set(range(1, len(self.markers) + 1))
        wanted = set(only) or (every if ends else every - self.ends)
        if not wanted <= every:
            raise OptionError(f"there is no marker {max(wanted)}", where=self.daw, cure=f"choose 1 to {len(self.markers)}")
        taken = {0, *(hit.frame for hit in self.session.hits)}
        out = []
        for number in sorted(wanted, key=lambda number: (number in self.ends, number)):  # a hit is named after what begins there
            marker = self.markers[number - 1]
            if 0 < marker.frame < self.session.film.frames and marker.frame not in taken:
                taken.add(marker.frame)
                out.append(AddHit(marker.frame, marker.name or None))
        return tuple(sorted(out, key=lambda mark: mark.frame))

    def act(self, only: Iterable[int] = (), weight: float | None = None, ends: bool = False) -> AddHits | None:
        """One act that makes hits of them; None where there is none to make."""
        marks = self.hits(only, ends)
        return AddHits(marks, self.daw, weight) if marks else None

    def json(self) -> dict[str, Any]:
        """As other programs read it; frames before the film are negative. ``new`` are those that could become hits."""
        start, new = self.session.start, {act.frame for act in self.hits(ends=True)}
        rows = [
            {
                "marker": number,
                "frame": marker.frame,
                "timecode": str(start + marker.frame) if start.frame + marker.frame >= 0 else None,
                "name": marker.name,
                "length": marker.length,
                "end": number in self.ends,
                "new": marker.frame in new,
            }
            for number, marker in enumerate(self.markers, 1)
        ]
        return {"daw": self.daw, "markers": rows}

    def text(self) -> str:
        """The same for a person; + is one that could become a hit, . the end of a region that could."""
        rows = [
            f"{row['marker']:>3} {_sign(row)} {row['timecode'] or '-':>12} {row['frame']:>8}  {row['name']}"
            for row in self.json()["markers"]
        ]
        return "\n".join(rows) or f"{self.daw} has no markers"


def marked(daw: str, where: Address, session: Session, at: Fraction) -> Marked:
    """The markers of a DAW, the film's first frame ``at`` seconds of its project. Raises OptionError, DawError."""
    adapter = open_daw(daw, where)
    try:
        return marked_by(adapter, session, at)
    finally:
        adapter.close()


def marked_by(adapter: Daw, session: Session, at: Fraction) -> Marked:
    """The same of a DAW that is open."""
    places = [(marker.start, False, marker) for marker in adapter.markers()]
    places += [(marker.end, True, marker) for _, _, marker in places if marker.end is not None]
    ordered = sorted(places, key=lambda place: place[0])  # as the DAW has them where several lie at one place
    found = tuple((marker.ending if ends else marker).on_film(at, session.film.rate) for _, ends, marker in ordered)
    return Marked(adapter.name, found, session, frozenset(number for number, (_, ends, _) in enumerate(ordered, 1) if ends))


def _sign(row: dict[str, Any]) -> str:
    return " " if not row["new"] else "." if row["end"] else "+"
