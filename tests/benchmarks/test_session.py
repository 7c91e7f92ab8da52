"""A session at work: one scene of three minutes refilled, a thousand acts undone, five hundred kills while saving.

The refill is the whole command, in a process of its own, with the shipped engine, beside composing the whole cue again, which is what
a tool without scenes does. Whatever lies outside the refilled scene is compared by hash: notes of the session, and notes of the
written MIDI file. Acts are undone with an engine that costs nothing, so that the seconds are those of the session.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Any

import pytest
from sittings import METRES, bytes_of, saved, scored

sys.path.insert(0, str(Path(__file__).parents[1] / "engines" / "session"))

from test_desk import child, ended
from test_main import silent_film

from engines import commands
from engines.errors import HitpointError
from engines.runtime import repository
from engines.score.smf import read_smf
from engines.session.desk import Desk, text_of
from engines.session.history import LONGEST
from engines.session.model import Session, Told
from engines.session.refill import Wish

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results" / "session.json"
RATE, SECONDS = 24, 180
KILLS, SAVES = 500, 20


def keep_result(name: str, table: dict[str, Any]) -> None:
    """One table of the results, beside those that are there."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known | {name: table}, indent=1) + "\n")
    print("\n" + "\n".join(f"{key:44} {value}" for key, value in table.items()))


def digest(rows: Iterable[object]) -> str:
    return sha256("\n".join(map(str, rows)).encode()).hexdigest()[:16]


def hitpoint(*words: object) -> tuple[dict[str, Any], float]:
    """A command of its own; what it prints, and its seconds."""
    began = perf_counter()
    done = subprocess.run(
        [sys.executable, ROOT / "main.py", *map(str, words), "--json"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
    )
    return json.loads(done.stdout), perf_counter() - began


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not (repository() / "bmt").is_dir(), reason="the repository holds no onnx/bmt")
def test_refill_of_eight_bars_in_three_minutes(tmp_path: Path) -> None:
    film = silent_film(tmp_path / "film.mp4", SECONDS * RATE)
    rng, cuts = Random(1), [0]
    while cuts[-1] < SECONDS * RATE - 200:
        cuts.append(cuts[-1] + round(RATE * min(9, max(1, rng.lognormvariate(1.16, 0.6)))))
    listed = tmp_path / "cuts.csv"
    listed.write_text("frame,time_s,kind\n" + "".join(f"{f},{f / RATE:.6f},cut\n" for f in cuts[1:]))
    whole, score_s = hitpoint("score", film, "--cuts", listed, "--out", tmp_path / "cue")
    path, midi = tmp_path / "cue" / "cue.hitpoint", tmp_path / "cue" / "cue.mid"
    sizes = [row["bars"][1] - row["bars"][0] + 1 for row in whole["scenes"]]
    number = min(range(2, len(sizes)), key=lambda n: abs(sizes[n - 1] - 8))
    old, old_file = Desk.open(path, read_only=True).session, read_smf(midi).notes
    runs = [hitpoint("refill", path, "--scene", number) for _ in range(3)]
    new, new_file = Desk.open(path, read_only=True).session, read_smf(midi).notes
    told = runs[-1][0]
    others = [s.chosen for s in old.scenes if s.id != old.scenes[number - 1].id]
    apart = [digest(n for n in rows if not told["start_s"] <= float(n.start) < told["end_s"]) for rows in (old_file, new_file)]
    taken = [digest(row for name in others for row in session.takes[name or ""].notes) for session in (old, new)]
    with Desk.open(path) as desk:
        saves = []
        for _ in range(SAVES):
            began = perf_counter()
            desk.save()
            saves.append(perf_counter() - began)
    keep_result(
        "refill",
        {
            "cue": f"{SECONDS} s, {len(cuts) - 1} cuts, {len(old.bars)} bars, {len(sizes)} scenes, {len(old.notes)} notes",
            "refilled": f"scene {number}, {sizes[number - 1]} bars, {told['composed']} notes",
            "refill, whole command, median of 3, s": round(median(seconds for _, seconds in runs), 2),
            "of which composing, s": round(median(told["seconds"]["compose"] for told, _ in runs), 2),
            "scoring the whole cue again, s": round(score_s, 2),
            "of which composing the cue, s": round(whole["seconds"]["compose"], 2),
            "provider": told["provider"],
            "all other notes of the file identical": apart[0] == apart[1],
            "all other notes of the session identical": taken[0] == taken[1],
            "notes outside": sum(not told["start_s"] <= float(n.start) < told["end_s"] for n in new_file),
            "file, bytes": path.stat().st_size,
            "save, median, ms": round(1000 * median(saves), 1),
            "load": round(os.getloadavg()[0], 1),
        },
    )
    assert apart[0] == apart[1]
    assert taken[0] == taken[1]
    assert old_file != new_file


def acts(
    rng: Random, scenes: int, bars: int
) -> commands.Refill | commands.Tell | commands.Choose | commands.Remark | commands.Title:
    """An act as likely as not in an afternoon's work."""
    scene, bar = rng.randint(1, scenes), rng.randint(1, bars)
    return rng.choice(
        [
            commands.Refill(Wish(scene)),
            commands.Refill(Wish(scene, stems=(rng.choice(["melody", "piano"]),))),
            commands.Tell(Told(density=rng.randint(0, 16)), scene),
            commands.Tell(Told(energy=rng.random()), None, bar),
            commands.Choose(scene, rng.randint(1, 9)),
            commands.Remark(scene, rating=rng.randint(0, 5)),
            commands.Delete(scene, rng.randint(1, 9)),
            commands.Hold(scene, rng.choice([("melody",), ()])),
            commands.Title(str(bar), scene),
            commands.Split(bar),
            commands.Join(scene),
        ]
    )


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_a_thousand_acts_undone(trio: str, tmp_path: Path) -> None:
    desk, rng = Desk(scored()), Random(3)
    first, begun, spent = bytes_of(desk), perf_counter(), process_time()
    while len(desk.history.done) < LONGEST:
        try:
            desk.do(acts(rng, len(desk.session.scenes), len(METRES)))
        except HitpointError:
            continue
    done_s, done_cpu = perf_counter() - begun, process_time() - spent
    path, last = tmp_path / "cue.hitpoint", bytes_of(desk)
    begun = perf_counter()
    desk.save(path)
    saved_s, size = perf_counter() - begun, path.stat().st_size
    desk.close()
    begun = perf_counter()
    again = Desk.open(path)
    opened_s = perf_counter() - begun
    begun, spent = perf_counter(), process_time()
    while again.history.done:
        again.undo()
    undone_s, undone_cpu = perf_counter() - begun, process_time() - spent
    assert bytes_of(again) == first
    begun = perf_counter()
    while again.history.undone:
        again.redo()
    redone_s = perf_counter() - begun
    again.close()
    assert bytes_of(again) == last
    keep_result(
        "acts",
        {
            "acts": LONGEST,
            "done, s": round(done_s, 1),
            "done, processor s": round(done_cpu, 1),
            "undone, s": round(undone_s, 1),
            "undone, processor s": round(undone_cpu, 1),
            "redone, s": round(redone_s, 1),
            "first session byte by byte": True,
            "last session byte by byte": True,
            "takes at the end": len(again.session.takes),
            "file with all of it, bytes": size,
            "saved, s": round(saved_s, 2),
            "opened, s": round(opened_s, 2),
            "load": round(os.getloadavg()[0], 1),
        },
    )


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_five_hundred_kills_while_saving(trio: str, tmp_path: Path) -> None:
    path = saved(scored(), tmp_path / "cue.hitpoint")
    whole: dict[str, str] = {}
    states: list[Session] = [replace(scored(), cue=f"cue {k}") for k in range(4)]
    for state in states:
        whole[state.cue] = text_of(Desk(state).content)
    whole["1m1"] = text_of(Desk(scored()).content)

    def work() -> None:
        desk, k = Desk.open(path), 0
        while True:
            desk.session, desk._content = states[k % 4], None
            desk.content  # noqa: B018 - prepared before the save, which is then the longer part
            desk.save()
            k += 1

    rng, lost, damaged, leftovers, between = Random(4), 0, 0, 0, 0
    begun = perf_counter()
    for _ in range(KILLS):
        stamp, pid = path.stat().st_mtime_ns, child(work)
        while path.stat().st_mtime_ns == stamp:
            signal.sigtimedwait([], 0.0005)
        signal.sigtimedwait([], rng.random() / 15)
        os.kill(pid, signal.SIGKILL)
        assert ended(pid) == -signal.SIGKILL
        between += any(p.suffix == ".hitpoint" and p.name.startswith(".") for p in tmp_path.iterdir())
        try:
            with Desk.open(path) as desk:
                damaged += bytes_of(desk) != whole.get(desk.session.cue)
        except HitpointError:
            lost += 1
        leftovers += sum(p != path for p in tmp_path.iterdir())
    keep_result(
        "kills",
        {
            "kills": KILLS,
            "of which in the middle of a write": between,
            "sessions lost": lost,
            "sessions that are neither the old nor the new": damaged,
            "files left behind after the next open": leftovers,
            "file, bytes": path.stat().st_size,
            "s": round(perf_counter() - begun, 1),
        },
    )
    assert (lost, damaged, leftovers) == (0, 0, 0)
    assert between > KILLS / 20
