"""Evaluate: folders of music measured beside real music; how far composed music keeps to its brief; how it meets the cuts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

from engines.engine import Brief, Progress
from engines.errors import OptionError
from engines.score.metrics import grooves
from engines.score.notes import Note
from engines.score.smf import Score, write_smf
from engines.spotting.tempo import TempoMap
from engines.yardstick.pieces import Window, floor, midi_files, of_folder, reference
from engines.yardstick.table import Lot, Table, lot

BPM = Fraction(80)
"""The tempo at which windows of real music are heard, that of most pop songs: a window does not know its own."""


def evaluate(
    folders: Sequence[Path],
    real: Path | None = None,
    cuts: Path | None = None,
    rate: Fraction | None = None,
    structure: bool = False,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Table:
    """The table of folders of MIDI files, beside the music in ``real`` and the floor made of it.

    With ``cuts``, the hit error of every file against that list is measured too; with ``structure``, its structureness, from its
    sound, and that of the windows of the real music and of the floor at `BPM`. Sessions in a folder tell how far their takes keep
    to their briefs. Raises OptionError, MidiError, CutListError.
    """
    truth = reference(real) if real else []
    lots: list[Lot] = []
    for number, folder in enumerate(folders):
        made = lot(folder.name or str(folder), of_folder(folder), truth)
        extra = kept_to_brief(folder)
        if cuts:
            extra |= _hit_errors(folder, cuts, rate)
        if structure:
            extra |= _structure(midi_files(folder), on_progress, cancelled)
        lots.append(_with(made, extra))
        if on_progress:
            on_progress(number + 1, len(folders))
    if not truth:
        return Table(tuple(lots), None)
    chance = floor(truth)
    sounds = [_sounding(windows, on_progress, cancelled) if structure else {} for windows in (chance, truth)]
    lots.append(_with(lot("random floor", chance, truth), sounds[0]))
    return Table(tuple(lots), _with(lot("real", truth), sounds[1]))


def _with(made: Lot, extra: Mapping[str, Sequence[float]]) -> Lot:
    return replace(made, measures={**made.measures, **extra})


def control_errors(notes: Sequence[Note], brief: Brief) -> dict[str, list[float]]:
    """How far notes are from what a brief asked: onset positions a bar (``density_error``), the share of bars that are empty though
    notes were asked for (``unasked_empty``), and for hard hits the strength 0..1 that so many notes at once stand for
    (``strength_error``: two for the softest, six for the strongest)."""
    lines = [bar.start for bar in brief.bars] + [brief.bars[-1].start + brief.bars[-1].length]
    out: dict[str, list[float]] = {"density_error": [], "unasked_empty": [], "strength_error": []}
    for bar, pattern in zip(brief.bars, grooves(notes, lines), strict=True):
        if bar.density is not None:
            out["density_error"].append(abs(len(pattern) - bar.density))
        if bar.density != 0:
            out["unasked_empty"].append(float(not pattern))
    for hit in brief.hits:
        if hit.hard:
            struck = sum(note.start == hit.beat for note in notes)
            out["strength_error"].append(abs(min(1.0, max(0.0, (struck - 2) / 4)) - hit.strength))
    return {name: values for name, values in out.items() if values}


def kept_to_brief(folder: Path) -> dict[str, list[float]]:
    """The control errors of all chosen takes of the sessions in a folder, one value a scene."""
    from engines.session.working import look_at

    out: dict[str, list[float]] = {}
    for path in sorted(folder.glob("*.hitpoint")):
        session = look_at(path).session
        for span in session.spans:
            take = session.takes.get(span.scene.chosen or "")
            for order in take.orders if take else ():
                first, last = order.brief.bars[0], order.brief.bars[-1]
                inside = [
                    row.note for row in (take.notes if take else ()) if first.start <= row.note.start < last.start + last.length
                ]
                for name, values in control_errors(inside, order.brief).items():
                    out.setdefault(name, []).append(fmean(values))
    return out


def _hit_errors(folder: Path, cuts: Path, rate: Fraction | None) -> dict[str, list[float]]:
    from engines.scoring import midi_report

    out: dict[str, list[float]] = {"hit_error_ms": [], "hits_within_1_frame": []}
    for path in midi_files(folder):
        found = midi_report(path, cuts, None, rate)
        errors = [abs(float(line.error * 1000)) for line in found.lines if line.error is not None]
        if errors:
            out["hit_error_ms"].append(fmean(errors))
            out["hits_within_1_frame"].append(sum(line.verdict == "on" for line in found.lines) / len(found.lines))
    return out


def _sounding(
    windows: Sequence[Window], on_progress: Progress | None, cancelled: Callable[[], bool] | None
) -> dict[str, list[float]]:
    """The structureness of windows, as files of their own."""
    with TemporaryDirectory(prefix="hitpoint-") as home:
        files = []
        for number, window in enumerate(windows):
            notes = tuple(replace(note, start=note.start - window.lines[0]) for note in window.notes)
            score = Score(TempoMap.steady(BPM), notes, length=(window.lines[-1] - window.lines[0]) * 60 / BPM)
            files.append(write_smf(Path(home) / f"{number}.mid", score))
        return _structure(files, on_progress, cancelled)


def _structure(
    files: Sequence[Path], on_progress: Progress | None, cancelled: Callable[[], bool] | None
) -> dict[str, list[float]]:
    from engines.yardstick.structure import structureness

    out: dict[str, list[float]] = {}
    for number, path in enumerate(files, 1):
        for name, value in structureness(path, cancelled).items():
            if value is not None:
                out.setdefault(name, []).append(value)
        if on_progress:
            on_progress(number, len(files))
    return out


def retrieved(folder: Path, real: Path) -> dict[str, Any]:
    """How often a file's windows find those of the real file of the same name (see `engines.yardstick.retrieval`). Raises OptionError
    where no names agree."""
    import numpy as np

    from engines.yardstick.retrieval import features, found_at

    ours, truth = (_by_name(of_folder(place)) for place in (folder, real))
    pairs = [(a, b) for name in sorted(ours.keys() & truth.keys()) for a, b in zip(ours[name], truth[name], strict=False)]
    if not pairs:
        raise OptionError(
            "no file of it is named as one of the real music", where=folder, cure="name them alike: 001.mid and 001.mid"
        )
    rows = [np.array([features(window.notes, window.lines) for window in side]) for side in zip(*pairs, strict=True)]
    return {**found_at(rows[0], rows[1]), "rows": len(pairs), "features": "44 counts of the notes of eight bars"}


def _by_name(windows: Sequence[Window]) -> dict[str, list[Window]]:
    out: dict[str, list[Window]] = {}
    for window in windows:
        out.setdefault(window.name, []).append(window)
    return out
