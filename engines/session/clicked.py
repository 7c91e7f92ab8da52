"""A click on a session's tempo map, as MIDI to be played along with."""

from __future__ import annotations

from pathlib import Path

from engines.score.smf import Score, cut_markers, write_smf
from engines.session.model import Session
from engines.spotting.click import click


def write_click(session: Session, path: Path) -> Path:
    """Writes it, with the cuts as markers, until the film ends."""
    end = session.film.duration
    markers = cut_markers(session.programme.cuts, session.start)
    notes = click(session.tempo_map, end)
    return write_smf(path, Score(session.tempo_map, notes, "click", markers=markers, start=session.start, length=end))
