"""Cuts from pixels beside PySceneDetect's defaults: hard cuts and gradual changes apart, at 0 and at 1 frame, and frames a second."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import av
import edits
import pytest
from edits import Truth

from engines.picture.reel import Reel
from engines.picture.shots import cuts

RESULTS = Path(__file__).parent / "results" / "cuts.json"
CLIPS = (
    "tears_of_steel_battle.webm",
    "big_buck_bunny_480p.mp4",
    "big_buck_bunny_720p.webm",
    "stills_with_fades.mp4",
    "fades.mp4",
)
FADES = (84, 167, 245)
RUNS = 5
SEEDS = range(int(os.environ.get("HITPOINT_EDITS", "100")))


@dataclass
class Tally:
    """Found, false and missed."""

    found: int = 0
    false: int = 0
    missed: int = 0

    @property
    def f1(self) -> float | None:
        """None where there was nothing to find and nothing was found."""
        whole = 2 * self.found + self.false + self.missed
        return round(2 * self.found / whole, 4) if whole else None

    def add(self, wanted: Iterable[tuple[int, float]], found: Iterable[int]) -> None:
        """Match (frame, tolerance) with frames, nearest first; each counts once."""
        left = sorted(found)
        for frame, tolerance in wanted:
            near = min(left, key=lambda f: abs(f - frame), default=None)
            if near is not None and abs(near - frame) <= tolerance:
                left.remove(near)
                self.found += 1
            else:
                self.missed += 1
        self.false += len(left)


class Scores(dict[str, Tally]):
    """Tallies by name."""

    def __missing__(self, name: str) -> Tally:
        self[name] = Tally()
        return self[name]

    def judge(self, who: str, truth: list[Truth], hard: list[int], gradual: list[int], rate: float) -> None:
        """Hard cuts at 0 and 1 frame, gradual changes within half their length. A detector that does not tell them apart has
        what lies on a gradual change taken as one. Nothing within a second of what is ambiguous counts."""
        doubtful = [t.frame for t in truth if t.kind == "ambiguous"]
        clear = [f for f in hard if all(abs(f - d) > rate for d in doubtful)]
        slow = [t for t in truth if t.kind in ("dissolve", "fade")]
        sharp = [t.frame for t in truth if t.kind == "cut"]
        on_slow = [f for f in clear if any(abs(f - t.frame) <= _half(t) for t in slow) and all(abs(f - c) > 1 for c in sharp)]
        quick = [f for f in clear if f not in on_slow]
        for tolerance in (0, 1):
            self[f"{who}, hard, {tolerance} frames"].add([(f, tolerance) for f in sharp], quick)
        self[f"{who}, gradual"].add([(t.frame, _half(t)) for t in slow], [*gradual, *(on_slow if not gradual else [])])


def _half(truth: Truth) -> float:
    return max(4, (truth.length or 24) / 2)


def clip_truth(media: Path, name: str) -> list[Truth]:
    return [Truth(f, "fade", 80) for f in FADES] if name == "fades.mp4" else edits.truths(media / name)


def plainly(path: Path) -> None:
    """Nothing but PyAV's decoding, with the decoder's own threads."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for _ in container.decode(stream):
            pass


def theirs(path: Path, name: str) -> list[int]:
    """A detector of PySceneDetect as it comes."""
    import scenedetect

    detector = {"Adaptive": scenedetect.AdaptiveDetector, "Content": scenedetect.ContentDetector}[name]()
    return [scene[0].frame_num for scene in scenedetect.detect(str(path), detector)][1:]


def score(scores: Scores, path: Path, truth: list[Truth]) -> None:
    """All three detectors on one film."""
    reel = Reel.open(path)
    found = cuts(reel)
    hard = [c.frame for c in found if c.kind == "cut"]
    scores.judge("ours", truth, hard, [c.frame for c in found if c.kind != "cut"], float(reel.rate))
    for name in ("Adaptive", "Content"):
        scores.judge(name, truth, theirs(path, name), [], float(reel.rate))


def speed(path: Path) -> dict[str, float]:
    """Frames a second of decoding alone, of ours and of theirs, and what of decoding's speed is left to ours, in seconds and in
    processor seconds (which hold on a busy machine too): medians of runs that take turns."""
    reel = Reel.open(path)
    frames = reel.frames  # reads the timing before the clock runs
    works = {
        "plain decoding": lambda: plainly(path),
        "ours": lambda: cuts(reel),
        "Adaptive": lambda: theirs(path, "Adaptive"),
        "Content": lambda: theirs(path, "Content"),
    }
    runs: dict[str, list[tuple[float, float]]] = {name: [] for name in works}
    for run in range(RUNS * max(1, 1000 // frames)):
        for name, work in works.items():
            if run and name in ("Adaptive", "Content"):
                continue  # far slower: once will do
            wall, processor = time.perf_counter(), time.process_time()
            work()
            runs[name].append((time.perf_counter() - wall, time.process_time() - processor))
    table = {name: round(frames / median(wall for wall, _ in row), 1) for name, row in runs.items()}
    for k, what in enumerate(("seconds", "processor seconds")):
        pairs = zip(runs["plain decoding"], runs["ours"], strict=True)
        table[f"ours of plain, {what}"] = round(median(plain[k] / ours[k] for plain, ours in pairs), 3)
    return table


@pytest.mark.benchmark
@pytest.mark.timeout(0)
@pytest.mark.filterwarnings("ignore")
def test_cuts_beside_pyscenedetect(shared: Path, tmp_path: Path) -> None:
    media = shared / "media"
    real, made, speeds = Scores(), Scores(), {}
    for name in CLIPS:
        score(real, media / name, clip_truth(media, name))
        speeds[name] = speed(media / name)
        print(name, speeds[name], flush=True)
    for seed, edit in edits.edits(SEEDS, media):
        path = edits.write(tmp_path / f"{seed}.mp4", edit.frames)
        score(made, path, list(edit.truth))
        path.unlink()
        print(f"{seed + 1} of {len(SEEDS)} edits", end="\r", flush=True)
    table = {
        "real clips": {name: [tally.f1, tally.found, tally.false, tally.missed] for name, tally in sorted(real.items())},
        f"{len(SEEDS)} edits": {name: [tally.f1, tally.found, tally.false, tally.missed] for name, tally in sorted(made.items())},
        "frames a second": speeds,
    }
    for title, rows in table.items():
        print(f"\n{title}")
        for name, row in rows.items():
            print(f"  {name:34}", *(row.items() if isinstance(row, dict) else row))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(table, indent=1) + "\n")
    assert real["ours, hard, 1 frames"].f1 >= 0.97
    assert made["ours, hard, 1 frames"].f1 >= 0.95
    assert real["ours, gradual"].f1 >= 0.85
    assert made["ours, gradual"].f1 >= 0.85
    assert min(row["ours of plain, processor seconds"] for row in speeds.values()) >= 0.6
