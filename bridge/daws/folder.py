"""The folder: MIDI files that a person drags into any DAW, brought up to date in place. The adapter that always works."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from bridge.daw import Address, Clip, Cue, Piece, Placed, ProjectMarker, Reach, Sound, Transport, confirm
from bridge.transport import Report
from engines import files
from engines.errors import DawError, MidiError, OutputError
from engines.score.smf import read_smf, smf_bytes
from engines.session.delivery_names import Names

LEDGER = "hitpoint-files.json"
"""Which files of the folder are ours and as we left them: name to SHA-256."""

FORMAT = "hitpoint folder"
LARGEST = 16 << 20
"""Bytes of that list."""

_FINEST = Fraction(1, 1000)  # s: ticks and whole microseconds a beat round by less


class Folder:
    """Writes ``NAME.mid`` (the whole cue), one file a stem, one a scene, and one a stem of each scene.

    Tick 0 of every file is the film's first frame, so each is dropped at the same place. A file that a person changed is never
    written over.
    """

    name = "folder"

    def __init__(self, address: Address) -> None:
        self.folder = (address.folder or Path("for-the-daw")).absolute()

    def reach(self) -> Reach:
        """A folder that may be written answers."""
        try:
            files.may_hold(self.folder)
        except OutputError as error:
            return Reach(self.name, False, error.what, error.cure or "", {"folder": str(self.folder)})
        said = f"MIDI files to drag into any DAW are written to {self.folder}"
        return Reach(self.name, True, said, facts={"folder": str(self.folder)})

    def place(self, cue: Cue, at: Fraction) -> Placed:
        """Writes what changed, and reads all of it back. Raises OutputError for a file in the way that is not ours."""
        files.folder(self.folder)
        ledger, ours = self.folder / LEDGER, self._ledger()
        names, mine = self._contents(cue)
        self._refuse(mine, ours)
        kept = {file: digest for file, digest in ours.items() if (self.folder / file).is_file()}
        gone = [file for file in kept if cue.whole and file not in mine and file.startswith(f"{cue.name}-")]
        hashes = {file: hashlib.sha256(content).hexdigest() for file, content in mine.items()}
        changed = [file for file, digest in hashes.items() if _digest(self.folder / file) != digest]
        table = {"format": FORMAT, "files": {**kept, **hashes}, "before": {file: kept[file] for file in changed if file in kept}}
        if changed or gone:
            files.write(ledger, json.dumps(table, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        for file in changed:
            files.write(self.folder / file, mine[file])
        for file in gone:
            if _digest(self.folder / file) == kept[file]:
                (self.folder / file).unlink(missing_ok=True)
        clips, worst = confirm(self.name, cue.clips, self._read_back(cue, names), _FINEST)
        place = f"{float(at + cue.score.zero):.3f} s of the project" if at + cue.score.zero else "the start of the project"
        said = f"{len(mine)} files in {self.folder}, {len(changed)} of them new or changed: drop any of them at {place}"
        return Placed(self.name, said, clips, True, tuple(self.folder / file for file in mine), worst)

    def markers(self) -> tuple[ProjectMarker, ...]:
        """The markers of every MIDI file in the folder that is not ours: a project exported there by its DAW."""
        ours, found, read = self._ledger(), [], 0
        for path in sorted(self.folder.glob("*.mid")):
            if path.name not in ours:
                try:
                    found += [ProjectMarker(marker.time, marker.text) for marker in read_smf(path).markers]
                except MidiError as error:
                    raise DawError(error.what, where=path, cure="export the project as a MIDI file again") from error
                read += 1
        if not read:
            raise DawError(
                "holds no MIDI file of the DAW's",
                where=self.folder,
                cure="export the project with its markers as MIDI file there",
            )
        return tuple(sorted(found))

    def transport(self) -> Transport:
        """Raises DawError: a folder has none."""
        raise DawError("has no transport", where=self.folder, cure="choose the DAW itself: --daw reaper, ardour, live or generic")

    def go(self, seconds: Fraction | None = None, rolling: bool | None = None) -> Transport:
        """Raises DawError: a folder does not roll."""
        return self.transport()

    def follow(self, hear: Callable[[Report], None]) -> None:
        """Nothing to follow."""

    def close(self) -> None:
        """Nothing is held open."""

    def _ledger(self) -> dict[str, str]:
        """The files that are ours, with the hash that each was left with; a file between two hashes is ours by either."""
        path = self.folder / LEDGER
        try:
            table: dict[str, Any] = json.loads(files.read(path, LARGEST))
            if table["format"] != FORMAT:
                raise ValueError("of another format")
            listed, before = table["files"], table.get("before", {})
            if not all(isinstance(digest, str) for digest in (*listed.values(), *before.values())):
                raise ValueError("no hashes")
            cut_short = {file: digest for file, digest in before.items() if _digest(self.folder / file) == digest}
            return {**listed, **cut_short}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise files.refusal(path, error) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise OutputError("is not our list of files", where=path, cure="move it away, or choose another folder") from error

    def _refuse(self, mine: Mapping[str, bytes], ours: Mapping[str, str]) -> None:
        for file, content in mine.items():
            digest = _digest(self.folder / file)
            if digest not in (None, ours.get(file), hashlib.sha256(content).hexdigest()):
                what = "was changed since it was written" if file in ours else "is there already and is not ours"
                raise OutputError(what, where=self.folder / file, cure="move it away, or choose another folder")

    def _contents(self, cue: Cue) -> tuple[dict[tuple[str, str], str], dict[str, bytes]]:
        """The file name of each scene's stem, and what every file will hold."""
        names, score = Names(cue.name), cue.score
        out = {names.of(".mid"): smf_bytes(score)}
        for stem in score.tracks:
            out[names.of(f"{stem}.mid")] = smf_bytes(replace(score, stems=(stem,)))
        single = {}
        for piece in cue.pieces:
            out[names.of(f"scene {piece.number}.mid")] = smf_bytes(piece.score)
            for stem in piece.score.tracks:
                name = single[piece.scene, stem] = names.of(f"scene {piece.number} {stem}.mid")
                out[name] = smf_bytes(replace(piece.score, stems=(stem,)))
        return single, out

    def _read_back(self, cue: Cue, names: Mapping[tuple[str, str], str]) -> dict[str, Clip]:
        found = {}
        pieces: dict[str, Piece] = {piece.scene: piece for piece in cue.pieces}
        for clip in cue.clips:
            zero = pieces[clip.scene].score.zero
            notes = read_smf(self.folder / names[clip.scene, clip.track]).notes
            sounds = tuple(sorted(Sound(n.start + zero, n.pitch, n.end + zero, n.velocity) for n in notes))
            found[clip.key] = replace(clip, sounds=sounds)
        return found


def _digest(path: Path) -> str | None:
    try:
        with files.opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise files.refusal(path, error) from error
