"""Placing a cue in a DAW: opened, placed, let go, and what it confirmed, for the command line and the wire alike."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from bridge.daw import Address, Cue, Placed, open_daw
from bridge.patience import patient
from bridge.places import Place
from engines.watch import Watch


@dataclass(frozen=True)
class Placement:
    """What lies in the DAW now, the film's first frame ``at`` seconds of its project; ``words`` say that place as its timecode does."""

    placed: Placed
    at: Fraction
    words: str = ""

    def json(self) -> dict[str, Any]:
        """As other programs read it; clips in seconds of the project."""
        return {
            "daw": self.placed.daw,
            "confirmed": self.placed.confirmed,
            "said": self.placed.said,
            "worst_ms": round(self.placed.worst_ms, 6),
            "at_s": round(float(self.at), 9),
            "at": self.words,
            "clips": [
                {
                    "name": clip.name,
                    "track": clip.track,
                    "start_s": round(float(clip.start + self.at), 9),
                    "end_s": round(float(clip.end + self.at), 9),
                    "notes": len(clip.sounds),
                }
                for clip in self.placed.clips
            ],
            "files": [str(path) for path in self.placed.files],
        }


def place_in(daw: str, where: Address, cue: Cue, at: Fraction, watch: Watch | None = None) -> Placement:
    """Puts a cue into a DAW. Raises OptionError for a DAW that there is not, DawError where it does not do it.

    Cancelled by its ``watch``, it waits for no DAW any more, and raises Cancelled: what the DAW took until then stays there.
    """
    adapter = open_daw(daw, where)
    try:
        placed = patient(lambda: adapter.place(cue, at), watch or Watch())
        return Placement(placed, at, (Place(at) if where.film is None else Place.shown(at, where.film)).words)
    finally:
        adapter.close()
