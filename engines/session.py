"""The session file ``.hitpoint``: what a cue was made from and what came out, in one versioned JSON file, saved atomically.

JSON, because a composer or a script can read it in any editor, and a cue of an hour is a few megabytes. Times are exact: seconds
and beats are written as fractions (``"1001/24"``).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.files import write
from engines.score.notes import Note, Take
from engines.spotting.tempo import TempoMap

if TYPE_CHECKING:
    from engines.picture.reel import Reel
    from engines.scoring import Spotted, Wishes
    from engines.spotting.brief import Briefing

VERSION = 1


def plain(value: object) -> Any:
    """A value of the pipeline as plain JSON: dataclasses as tables, fractions as text, paths as text."""
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.repr}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(v) for v in value]
    return value


def map_json(tempo_map: TempoMap) -> dict[str, Any]:
    """A tempo map, exact."""
    return {
        "origin": str(tempo_map.origin),
        "segments": [[str(s.start), str(s.spb)] for s in tempo_map.segments],
        "metres": [str(m) for m in tempo_map.metres],
    }


def note_json(note: Note) -> list[Any]:
    """A note as a row: start and length in beats, pitch, velocity, stem."""
    return [str(note.start), str(note.length), note.pitch, note.velocity, note.stem]


def save_session(
    path: Path, reel: Reel, spotted: Spotted, briefing: Briefing, take: Take, notes: Sequence[Note], wishes: Wishes
) -> Path:
    """Writes the session of a scored film. Raises OutputError."""
    programme = spotted.programme
    content = {
        "format": "hitpoint session",
        "version": VERSION,
        "reel": {
            "path": str(reel.path.resolve()),
            "sha256": reel.digest,
            "rate": str(reel.rate),
            "frames": reel.frames,
            "start": str(programme.start),
        },
        "cuts": plain(programme.cuts),
        "markers": plain(programme.markers),
        "hits": plain(spotted.hits),
        "tempo": map_json(spotted.chosen.tempo_map) | {"kind": spotted.chosen.name, "cost": spotted.chosen.cost},
        "wishes": plain(wishes),
        "brief": plain(briefing.brief),
        "briefing": briefing.json(),
        "takes": [
            {
                "name": "take 1",
                "recipe": plain(take.recipe),
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "composed": [note_json(n) for n in take.notes],
                "chords": [[str(beat), chord] for beat, chord in take.chords],
                "played": [note_json(n) for n in notes],
            }
        ],
    }
    return write(path, json.dumps(content, ensure_ascii=False, indent=None, separators=(",", ":")) + "\n")
