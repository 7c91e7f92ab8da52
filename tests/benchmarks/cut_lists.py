"""The cut lists that benchmarks share: those of other programs' timelines that are long enough to say something."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from engines.errors import HitpointError
from engines.picture import cutlist
from engines.picture.cut import Cut

FORMATS = (".edl", ".aaf", ".xml", ".fcpxml", ".otio")
FEWEST = 4
"""Cuts in a list worth counting."""
FILM = Fraction(24)
"""Frames a second of a list that does not say."""


def timelines(folder: Path) -> Iterator[tuple[str, tuple[Cut, ...], Fraction, Fraction]]:
    """Every different list: its name, cuts, rate and end (seconds, at least one after the last cut)."""
    seen = set[tuple[Fraction, ...]]()
    for path in sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMATS):
        try:
            listed = cutlist.read(path, assume=FILM)
        except HitpointError:
            continue  # what is refused, and why, is the readers' own test
        times = tuple(cut.time for cut in listed.cuts)
        if len(times) >= FEWEST and times not in seen:
            seen.add(times)
            yield f"{path.parent.name}/{path.name}", listed.cuts, listed.rate, max(listed.frames / listed.rate, times[-1] + 1)
