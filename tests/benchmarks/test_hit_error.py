"""How far the written file's onsets are from the hits: one tempo, the engine's notes as they come, landed, and performed.

Cut lists are the hand-checked ones of the real clips, those of other programs' timelines that have four cuts or more, and (for
songs, which cost nothing to lay down) random ones with log-normal shots (median 3.2 s). Errors are read back from the MIDI file that
was written, to the nearest onset. *Caught* are hard hits that the map in use puts exactly on a beat or an eighth. *One tempo* is the
cheapest of all constant tempos and starts.

The engine that ships is told of the hits and puts onsets on them, so that landing finds little to do; *bmt untold* is the same engine
without a word of them, on the shorter lists.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import exp, log
from pathlib import Path
from random import Random
from statistics import median

import pytest
from cut_lists import timelines

from engines.bmt.data import read_song, songs
from engines.engine import BarBrief, Brief, HitBrief, load_engine
from engines.errors import ModelError, ProviderError
from engines.picture.cut import Cut
from engines.picture.reel import Reel
from engines.score.land import caught_at, land, landed_beats
from engines.score.notes import Note, Take
from engines.score.perform import perform
from engines.score.report import hit_report
from engines.score.smf import Score, cut_markers, write_smf
from engines.score.smf_reader import read_smf
from engines.spotting.hits import Hit, hits_from_cuts
from engines.spotting.solve import solve
from engines.spotting.tempo import TempoMap

RESULTS = Path(__file__).parent / "results" / "hit_error.json"
RANDOM_LISTS, CUTS = 24, 24
SHORT = 100
"""Seconds of the lists that the engine composes once more without knowing their hits."""
ORDER = ("one tempo, as composed", "one tempo, landed", "bent, as composed", "bent, landed", "bent, landed and performed")


@dataclass
class Row:
    """Errors in milliseconds over all lists."""

    every: list[float] = field(default_factory=list)
    hard: list[float] = field(default_factory=list)
    caught: list[float] = field(default_factory=list)
    frames: list[bool] = field(default_factory=list)

    def told(self) -> dict[str, float]:
        """Shares are of 1."""
        return {
            "hits": len(self.every),
            "median_ms": median(self.every),
            "p95_ms": sorted(self.every)[int(0.95 * len(self.every))],
            "within_1_frame": sum(self.frames) / len(self.frames),
            "within_1_ms": sum(e <= 1 for e in self.every) / len(self.every),
            "hard_within_1_ms": sum(e <= 1 for e in self.hard) / max(1, len(self.hard)),
            "caught": len(self.caught),
            "caught_within_1_ms": sum(e <= 1 for e in self.caught) / max(1, len(self.caught)),
            "caught_worst_ms": max(self.caught, default=0.0),
        }


def lists(shared: Path) -> Iterator[tuple[str, list[Cut], Fraction, Fraction]]:
    """Name, cuts, rate, duration."""
    for path in sorted((shared / "media").glob("*.cuts.csv")):
        reel = Reel.open(path.with_suffix("").with_suffix(""))
        rows = [row for row in csv.DictReader(path.read_text().splitlines()) if row["kind"] in ("cut", "dissolve", "fade")]
        cuts = [Cut(int(row["frame"]), int(row["frame"]) / reel.rate, row["kind"]) for row in rows]  # type: ignore[arg-type]
        yield path.name, cuts, reel.rate, reel.duration
    yield from ((name, list(cuts), rate, end) for name, cuts, rate, end in timelines(shared / "timelines"))
    for seed in range(RANDOM_LISTS):
        rng, rate, frame, cuts = Random(seed), Fraction(24000, 1001), 0, []
        for _ in range(CUTS):
            frame += max(12, round(float(rate) * exp(rng.gauss(log(3.2), 0.6))))
            cuts.append(Cut(frame, frame / rate))
        yield f"random {seed}", cuts, rate, (frame + 72) / rate


def laid_over(shared: Path, tempo_map: TempoMap, end: Fraction, number: int) -> tuple[Note, ...]:
    """A validation song of POP909 from the map's beat 0 on, repeated to the end of the cue."""
    pieces = list(songs(shared / "data" / "pop909", validation=True))
    for folder in pieces[number % len(pieces) :] + pieces:
        piece = read_song(folder)
        if piece is not None:
            break
    assert piece is not None
    long, last = Fraction(piece.steps, 4), tempo_map.beat(end)
    notes = [Note(Fraction(n.step, 4), n.pitch, Fraction(n.length, 4), n.velocity, n.stem) for n in piece.notes]
    rounds = range(int(last / long) + 1)
    return tuple(
        Note(n.start + k * long, n.pitch, n.length, n.velocity, n.stem)
        for k in rounds
        for n in notes
        if n.start + k * long < last
    )


def composed(tempo_map: TempoMap, end: Fraction, hits: tuple[Hit, ...], seed: int) -> Take:
    """The same bars by the engine that ships."""
    bars = tempo_map.bars_until(tempo_map.beat(end))
    asked = [(caught_at(hit, tempo_map), hit) for hit in hits]
    brief = Brief(
        tuple(BarBrief(b.start, b.metre.length, (b.metre.beats, b.metre.unit), float(tempo_map.bpm(b.start))) for b in bars),
        tuple(HitBrief(beat, hit.weight, hit.hard) for beat, hit in asked if beat is not None and beat < bars[-1].end),
    )
    return load_engine("bmt").compose(brief, seed)


def measure(row: Row, path: Path, score: Score, hits: tuple[Hit, ...], caught: set[Hit], rate: Fraction) -> None:
    """Write, read back, and add the errors of one list."""
    smf = read_smf(write_smf(path, score))
    report = hit_report([note.start + score.zero for note in smf.notes], hits, rate)
    for line in report.lines:
        error = 1e6 if line.error is None else abs(float(line.error * 1000))
        row.every.append(error)
        row.frames.append(line.verdict == "on")
        if line.hit.hard:
            row.hard.append(error)
        if line.hit in caught:
            row.caught.append(error)


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("source", ["pop909", "bmt", "bmt untold"])
def test_hit_error(shared: Path, tmp_path: Path, source: str) -> None:
    table, cues = {name: Row() for name in ORDER}, list[dict[str, object]]()
    by = {"engine": 0, "land": 0, "none": 0}
    for number, (name, cuts, rate, duration) in enumerate(lists(shared)):
        if source != "pop909" and (name.startswith("random") or (source == "bmt untold" and duration > SHORT)):
            continue  # composing takes minutes
        hits = hits_from_cuts(cuts, rate, duration)
        answers = {answer.name: answer for answer in reversed(solve(hits, duration, max_bend=4, subdivision=2))}
        for kind in ("steady", "bend"):
            tempo_map = answers[kind].tempo_map
            caught = {
                hit
                for hit in hits
                if hit.hard
                and (beat := caught_at(hit, tempo_map)) is not None
                and abs(tempo_map.seconds(beat) - hit.time) < Fraction(1, 2000)
            }
            try:
                take = (
                    Take(laid_over(shared, tempo_map, duration, number))
                    if source == "pop909"
                    else composed(tempo_map, duration, hits if source == "bmt" else (), number)
                )
            except (ModelError, ProviderError) as missing:
                pytest.skip(str(missing))
            notes = take.notes
            landed, landings = land(notes, hits, tempo_map, chords=take.chords)
            word = "one tempo" if kind == "steady" else "bent"
            made = {f"{word}, as composed": notes, f"{word}, landed": landed}
            if kind == "bend":
                made[f"{word}, landed and performed"] = perform(landed, tempo_map, seed=number, accents=landed_beats(landings))
                for landing in landings:
                    by[landing.landed_by] += 1
            for label, version in made.items():
                score = Score(tempo_map, version, name, markers=cut_markers(cuts), length=duration)
                measure(table[label], tmp_path / f"{number}.mid", score, hits, caught, rate)
            if kind == "bend":
                errors = table[ORDER[-1]].caught[-len(caught) :] if caught else []
                cues.append(
                    {
                        "list": name,
                        "seconds": float(duration),
                        "hits": len(hits),
                        "hard": sum(hit.hard for hit in hits),
                        "caught": len(caught),
                        "worst_ms": max(errors, default=0.0),
                    }
                )
    told = {name: row.told() for name, row in table.items()}
    print(f"\nhit error in the written file, notes of {source}; bent map: landed by {by}")
    print(
        f"{'':30}{'hits':>6}{'median':>9}{'p95':>9}{'1 frame':>9}{'1 ms':>7}{'hard 1 ms':>11}{'caught':>8}{'caught 1 ms':>13}{'worst':>10}"
    )
    for name, t in told.items():
        print(
            f"{name:30}{t['hits']:6}{t['median_ms']:9.2f}{t['p95_ms']:9.1f}{t['within_1_frame']:9.2f}{t['within_1_ms']:7.2f}"
            f"{t['hard_within_1_ms']:11.2f}{t['caught']:8}{t['caught_within_1_ms']:13.3f}{t['caught_worst_ms']:10.4f}"
        )
    for cue in cues:
        print("{list:40} {seconds:7.1f} s  {caught:3} of {hard:3} hard hits caught, worst {worst_ms:.4f} ms".format(**cue))
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[source] = {"landed_by": by, "rows": told, "cues": cues}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    for name in ORDER[3:]:
        assert told[name]["caught_within_1_ms"] == 1
        assert told[name]["caught"] > 0
    assert told["bent, landed"]["hard_within_1_ms"] > told["one tempo, landed"]["hard_within_1_ms"]
    gain = told["bent, landed"]["within_1_ms"] - told["bent, as composed"]["within_1_ms"]
    assert gain >= 0 if source == "bmt" else gain > 0
