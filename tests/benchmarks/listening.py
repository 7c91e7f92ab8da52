"""A page to listen to: cues of every engine beside the real songs whose briefs they were given, as sound and as rolls of notes.

    python tests/benchmarks/listening.py OUT [--data ../shared/data/pop909] [--count 10] [--engine bmt] [--models FOLDER] [--silent]

Writes ``OUT/index.html`` with a row a brief and a column a lot, and ``OUT/rolls-1.png`` and on: five rows each, small enough to look
at as they are. The briefs say what a picture would: tempo, and density and register of every bar, measured from validation songs.
"""

from __future__ import annotations

import argparse
import html
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from statistics import fmean

import cv2
import numpy as np

from engines.engine import ENGINES, BarBrief, Brief
from engines.score.metrics import grooves, measure
from engines.score.notes import Note
from engines.score.perform import perform
from engines.score.preview import render
from engines.score.smf import Score, write_smf
from engines.spotting.tempo import TempoMap
from engines.yardstick.pieces import BARS, Window, of_pop909

REAL = "real"
BEAT = 18
"""Pixels of a beat."""
SEMITONE, LOWEST, PITCHES = 3, 22, 84
"""Pixels of a semitone; the MIDI pitches of a roll."""
ROWS = 5
"""Briefs on one picture."""
COLOURS = {"melody": (80, 80, 255), "bridge": (90, 215, 90), "piano": (255, 170, 80)}
"""Blue, green, red."""
SHOWN = ("pche_8", "pche_1", "gps", "density", "notes_per_bar", "polyphony", "pitch_mean", "length_mean_beats", "out_of_key")


@dataclass(frozen=True)
class Heard:
    """One cue on the page: its notes in beats from 0, and the tempo that it is played at."""

    notes: tuple[Note, ...]
    bpm: Fraction
    brief: Brief


def brief_of(window: Window, bpm: Fraction) -> Brief:
    """What a picture that moves like this music would ask for."""
    bars = []
    for line, places in zip(window.lines, grooves(window.notes, window.lines), strict=False):
        pitches = [note.pitch for note in window.notes if line <= note.start < line + 4]
        register = fmean(pitches) if pitches else None
        bars.append(BarBrief(line, Fraction(4), bpm=float(bpm), density=len(places), register=register))
    return Brief(tuple(bars), key=window.key)


def roll(notes: Sequence[Note]) -> np.ndarray:
    """Notes as a picture (pitches, beats, 3): bar lines, every C, onsets bright, loud notes brighter."""
    picture = np.full((PITCHES * SEMITONE, BARS * 4 * BEAT, 3), 18, np.uint8)
    for pitch in range(PITCHES):
        if (pitch + LOWEST) % 12 == 0:
            picture[(PITCHES - 1 - pitch) * SEMITONE :][:SEMITONE] = 34
    picture[:, :: 4 * BEAT] = 80
    for note in sorted(notes, key=lambda note: note.velocity):
        top = (PITCHES - 1 - (note.pitch - LOWEST)) * SEMITONE
        left, width = int(note.start * BEAT), max(2, int(note.length * BEAT) - 1)
        if 0 <= top < len(picture):
            colour = np.array(COLOURS.get(note.stem, COLOURS["piano"])) * (0.35 + 0.65 * note.velocity / 127)
            picture[top : top + SEMITONE, left : left + width] = colour * 0.55
            picture[top : top + SEMITONE, left : left + 2] = colour
    return picture


def sheet(rows: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Rolls side by side, row under row, with grey between them."""
    lines = []
    for row in rows:
        parts = [part for picture in row for part in (picture, np.full((len(picture), 5, 3), 120, np.uint8))]
        line = np.concatenate(parts[:-1], axis=1)
        lines += [line, np.full((5, line.shape[1], 3), 120, np.uint8)]
    return np.concatenate(lines[:-1])


def sound(cue: Heard, out: Path, seed: int) -> Path:
    """The cue as it would be delivered: performed, and played by the preview's sampler."""
    tempo = TempoMap.steady(cue.bpm, BARS)
    notes = perform(cue.notes, tempo, seed=seed, bars=cue.brief.bars)
    midi = write_smf(out.with_suffix(".mid"), Score(tempo, notes, out.stem, length=tempo.seconds(Fraction(4 * BARS))))
    return render(midi, out.with_suffix(".wav"))


def page(out: Path, table: dict[str, list[Heard]], silent: bool) -> Path:
    """Writes the page, its sounds and its pictures; the page's path."""
    out.mkdir(parents=True, exist_ok=True)
    count = len(table[REAL])
    parts = [
        "<!doctype html><meta charset='utf-8'><title>Listening</title><style>body{background:#222;color:#ddd;font:13px sans-serif}"
    ]
    parts.append("td{padding:6px;vertical-align:top}img,audio{width:576px;display:block}</style><table><tr>")
    parts += [f"<th>{html.escape(name)}" for name in table]
    lines = [Fraction(4 * k) for k in range(BARS + 1)]
    for row in range(count):
        parts.append("<tr>")
        for name, cues in table.items():
            stem, cue = f"{name}-{row + 1}", cues[row]
            cv2.imwrite(str(out / f"{stem}.png"), roll(cue.notes))
            if not silent:
                sound(cue, out / stem, row)
            told = measure(cue.notes, lines)
            figures = ", ".join(f"{key} {value:.2f}" for key in SHOWN if (value := told[key]) is not None)
            player = "" if silent else f"<audio controls preload='none' src='{stem}.wav'></audio>"
            parts.append(f"<td><img src='{stem}.png'>{player}{figures}")
    for first in range(0, count, ROWS):
        shown = [[roll(cues[row].notes) for cues in table.values()] for row in range(first, min(first + ROWS, count))]
        small = sheet(shown)
        share = min(1.0, 1380 / small.shape[1])
        size = (round(small.shape[1] * share), round(small.shape[0] * share))
        cv2.imwrite(str(out / f"rolls-{first // ROWS + 1}.png"), cv2.resize(small, size, interpolation=cv2.INTER_AREA))
    (out / "index.html").write_text("\n".join(parts) + "</table>\n", "utf-8")
    return out / "index.html"


def composed(data: Path, names: Sequence[str], count: int, models: Path | None) -> dict[str, list[Heard]]:
    """The real windows, and what each engine makes of their briefs, with the same seeds."""
    from engines.bmt.compose import BMTEngine
    from engines.bmt.data import read_song
    from engines.diffbgm.compose import DiffBGMEngine

    windows = of_pop909(data, count=count)
    table: dict[str, list[Heard]] = {REAL: []}
    for window in windows:
        piece = read_song(data / window.name)
        bpm = Fraction(piece.tempi[0][1]).limit_denominator(1000) if piece else Fraction(80)
        table[REAL].append(Heard(window.notes, bpm, brief_of(window, bpm)))
    engines = {"bmt": BMTEngine, "diffbgm": DiffBGMEngine}
    for name in names:
        engine = engines[name](folder=models)
        table[name] = [
            Heard(engine.compose(real.brief, seed).notes, real.bpm, real.brief) for seed, real in enumerate(table[REAL], 1)
        ]
    return table


def main() -> None:
    """The command line."""
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "pop909"
    parser = argparse.ArgumentParser(description="a page to listen to: every engine beside real songs, on the same briefs")
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=beside, help="POP909")
    parser.add_argument("--count", type=int, default=10, help="briefs")
    parser.add_argument("--engine", nargs="+", choices=sorted(ENGINES), default=sorted(ENGINES))
    parser.add_argument("--models", type=Path, help="another model repository than onnx/")
    parser.add_argument("--silent", action="store_true", help="pictures alone")
    args = parser.parse_args()
    print(page(args.out, composed(args.data, args.engine, args.count, args.models), args.silent))


if __name__ == "__main__":
    main()
