"""The DAW's project that a session belongs to: which DAW, where the film's first frame lies in it, where its file is.

It is kept in a small file beside the session, ``cue.daw.json``, not in it: the DAW's side of things is no part of the cue, and the
window, the server and the command line may say it while another of them has the session open.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.daws import DAWS
from bridge.midi_clock import song_step
from bridge.places import Place
from engines import files
from engines.errors import DawError
from engines.picture.timecode import Timecode, drops

if TYPE_CHECKING:
    from bridge.daw import Address
    from engines.session.model import Session

FORMAT = "hitpoint project"

LARGEST = 1 << 16
"""Bytes; a larger file is none of ours."""

_PLACE = re.compile(r"-?\d{1,12}(/[1-9]\d{0,11})?")


@dataclass(frozen=True)
class Project:
    """``at`` are the seconds at which the film's first frame lies in the project, on its ruler and in its timecode; None where nobody said
    so. ``file`` is its folder or file, ``beats`` whether it has the cue's tempo map (imported with the cue's MIDI file), ``midi`` the port
    that takes machine control for it (``system:NAME``), None for one of ours. ``drop`` is whether its timecode is drop-frame, None where
    it counts as the film does."""

    daw: str | None = None
    at: Fraction | None = None
    file: Path | None = None
    beats: bool = False
    midi: str | None = None
    drop: bool | None = None

    @classmethod
    def of(cls, session: Path) -> Project:
        """What is kept for a session; nothing is an empty one. Raises DawError for a file that is damaged."""
        path = beside(session)
        try:
            table: dict[str, Any] = json.loads(files.read(path, LARGEST))
            daw, at, file, beats, midi = (table[name] for name in ("daw", "at", "project", "beats", "midi"))
            drop = table.get("drop")
            flags = isinstance(beats, bool) and isinstance(drop, bool | None)
            known = daw in (None, *DAWS) and flags and all(isinstance(text, str | None) for text in (file, midi))
            if table["format"] != FORMAT or not known or (at is not None and not _PLACE.fullmatch(at)):
                raise ValueError("of another format")
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise DawError(f"cannot be read ({error.strerror})", where=path, cure="see who may read it") from error
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            cure = "delete it, and say again where the film lies: --at"
            raise DawError("does not say where the film lies in the DAW", where=path, cure=cure) from error
        return cls(daw, None if at is None else Fraction(at), None if file is None else Path(file), beats, midi, drop)

    def but(
        self,
        daw: str | None = None,
        at: Place | Fraction | None = None,
        file: Path | None = None,
        beats: bool | None = None,
        midi: str | None = None,
    ) -> Project:
        """The same with what is said now; another DAW has another project file."""
        other = replace(self, file=None) if daw not in (None, self.daw) else self
        if at is not None:
            place = at if isinstance(at, Place) else Place(at)
            other = replace(other, at=place.seconds, drop=place.drop)
        said = {"daw": daw, "file": file, "beats": beats, "midi": midi}
        return replace(other, **{name: value for name, value in said.items() if value is not None})  # type: ignore[arg-type]

    def keep(self, session: Path) -> Project:
        """Keeps it for a session. Raises OutputError."""
        place = None if self.at is None else str(self.at)
        file = None if self.file is None else files.spelled(self.file)
        table = {"format": FORMAT, "daw": self.daw, "at": place, "project": file, "beats": self.beats, "midi": self.midi}
        table |= {} if self.drop is None else {"drop": self.drop}
        if self != Project.of(session):
            files.write(beside(session), json.dumps(table, indent=1, ensure_ascii=False) + "\n")
        return self

    @property
    def song_step(self) -> Fraction | None:
        """What a song position of the DAW counts, in beats; None as its port's name says."""
        return song_step(self.daw) if self.daw == "ardour" else None

    @property
    def zero(self) -> Fraction:
        """Where the film begins on the project's ruler, in seconds."""
        return self.at or Fraction(0)

    def counting(self, start: Timecode) -> Timecode:
        """The timecode 0 of the project, for a film that begins at ``start``: it has the film's rate, and counts as the project does."""
        drop = start.drop if self.drop is None else self.drop
        return Timecode(0, start.rate, drop and drops(start.rate) > 0)

    def place(self, start: Timecode) -> Place | None:
        """Where a film that begins at ``start`` lies in the project, as that counts; None where nobody said so."""
        return None if self.at is None else Place.shown(self.at, self.counting(start))

    def begins(self, session: Session, daw: str) -> Fraction:
        """Where the film begins for a DAW's transport, in seconds: as `zero`; where nobody said so at the film's own timecode for one
        that is told timecode (`generic`)."""
        return session.start.seconds if self.at is None and daw == "generic" else self.zero

    def address(self, session: Session, path: Path, daw: str, port: int | None = None, folder: Path | None = None) -> Address:
        """Where a DAW is found for a session."""
        from bridge.daw import Address
        from bridge.player.writing import file_map
        from engines.session.deliver import score_of

        start = self.counting(session.start)
        file = self.file if self.daw in (None, daw) else None
        found = Address(folder or path.parent / f"{path.stem}-midi", file, port=port, film=start, midi=self.midi)
        return found.followed(file_map(score_of(session)), self.zero) if self.beats else found

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        at = None if self.at is None else round(float(self.at), 9)
        file = None if self.file is None else str(self.file)
        return {"daw": self.daw, "at_s": at, "project": file, "cue_tempo": self.beats, "midi": self.midi}


def beside(session: Path) -> Path:
    """The file in which the project of a session is kept."""
    return session.with_suffix(".daw.json")
