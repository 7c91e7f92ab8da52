"""What a file is by its name: a session, a film, a cut list, or MIDI."""

from __future__ import annotations

from pathlib import Path

from engines.session.film import SUFFIXES

SESSIONS = (".hitpoint",)
FILMS = SUFFIXES
CUT_LISTS = (".edl", ".otio", ".fcpxml", ".xml", ".aaf", ".csv", ".json", ".otioz")
MIDI = (".mid", ".midi", ".smf")


def kind(path: Path) -> str:
    """What a file is by its name: ``session``, ``film``, ``cuts``, ``midi``, or nothing that we know ("")."""
    suffix = path.suffix.lower()
    for name, suffixes in (("session", SESSIONS), ("film", FILMS), ("cuts", CUT_LISTS), ("midi", MIDI)):
        if suffix in suffixes:
            return name
    return ""
