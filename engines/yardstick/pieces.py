"""What is measured: folders of MIDI files, sessions, and the real music of POP909, as windows of eight bars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from random import Random

from engines.errors import OptionError
from engines.score.metrics import equal_bars, written
from engines.score.notes import Note
from engines.score.smf_reader import read_smf

BARS = 8
"""Bars of a window: what Diff-BGM composes and measures at a time."""
SHORTEST = 4
"""Bars below which a rest of a piece is not a window of its own."""
SUFFIXES = (".mid", ".midi")


@dataclass(frozen=True)
class Window:
    """Some bars of a piece: its ``notes`` in beats, its bar ``lines``, and its key where that is known."""

    name: str
    notes: tuple[Note, ...]
    lines: tuple[Fraction, ...]
    key: str | None = None


def midi_files(folder: Path) -> list[Path]:
    """The MIDI files of a folder, in order. Raises OptionError where there is none."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not found:
        what = "holds no MIDI files" if folder.is_dir() else "is no folder"
        raise OptionError(what, where=folder, cure="give a folder of .mid files, as compose writes it")
    return found


def of_folder(folder: Path) -> list[Window]:
    """The windows of all MIDI files of a folder. Raises OptionError, MidiError."""
    return [window for path in midi_files(folder) for window in of_file(path)]


def of_file(path: Path) -> list[Window]:
    """A MIDI file in windows; what remains of it is one too, if it is long enough or all there is. Raises MidiError."""
    notes, lines = written(read_smf(path))
    return list(windows(path.stem, notes, lines))


def windows(name: str, notes: Sequence[Note], lines: Sequence[Fraction], key: str | None = None) -> Iterator[Window]:
    """Windows of `BARS`, from the first bar with a note on."""
    first = next((k for k in range(len(lines) - 1) if any(lines[k] <= note.start < lines[k + 1] for note in notes)), 0)
    for start in range(first, len(lines) - 1, BARS):
        edges = tuple(lines[start : start + BARS + 1])
        if len(edges) - 1 >= SHORTEST or start == first:
            yield Window(name, tuple(n for n in notes if edges[0] <= n.start < edges[-1]), edges, key)


def of_pop909(root: Path, validation: bool = True, count: int = 100) -> list[Window]:
    """Windows of eight bars of 4/4 from songs of POP909 (those kept for validation, or the others): one a song from its middle,
    then others, until there are ``count``. Raises OptionError where there are no songs."""
    from engines.bmt.data import read_song, songs

    folders, read = songs(root, validation), cache(read_song)
    found: list[Window] = []
    for turn, folder in product(range(BARS), folders):
        if len(found) == count:
            break
        piece = read(folder)
        first = 0 if piece is None else len(piece.bar_steps) // 2 + (turn - 2) * BARS
        if piece is not None and first >= 0 and piece.bar_steps[first : first + BARS] == (16,) * BARS:
            start = sum(piece.bar_steps[:first])
            notes = tuple(
                Note(Fraction(n.step - start, 4), n.pitch, Fraction(n.length, 4), n.velocity, n.stem)
                for n in piece.notes
                if start <= n.step < start + BARS * 16
            )
            if notes:
                found.append(Window(folder.name, notes, tuple(equal_bars(BARS)), piece.key))
    if not found:
        raise OptionError("holds no songs of POP909", where=root, cure="give its folder, or a folder of .mid files")
    return found


def reference(folder: Path, count: int = 100) -> list[Window]:
    """Real music: POP909 by its annotations where they are there, else the MIDI files of the folder."""
    annotated = folder.is_dir() and next(folder.glob("*/beat_midi.txt"), None) is not None
    return of_pop909(folder, count=count) if annotated else of_folder(folder)


def floor(real: Iterable[Window], seed: int = 0) -> list[Window]:
    """What every engine must beat: as many notes as the real music in each window, everything about them drawn by lot."""
    rng = Random(seed)  # noqa: S311 - music, no secret
    out = []
    for window in real:
        steps = int((window.lines[-1] - window.lines[0]) * 4)
        pitches = [note.pitch for note in window.notes] or [60]
        notes = tuple(
            replace(
                note,
                start=window.lines[0] + Fraction(rng.randrange(steps), 4),
                pitch=rng.randint(min(pitches), max(pitches)),
                length=Fraction(rng.randint(1, 16), 4),
                velocity=rng.randint(1, 127),
            )
            for note in window.notes
        )
        out.append(replace(window, notes=tuple(sorted(notes))))
    return out
