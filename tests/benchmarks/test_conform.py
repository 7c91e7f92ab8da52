"""Conform of a 200-shot reel with 20 changes: how long it takes, and how little is composed again.

Reels of log-normal shots (median 3.2 s), each with 20 changes of five kinds in turn: a tail and a head shortened by up to 14 frames,
a shot removed, one inserted, two swapped. *Touched* are old bars whose picture is no longer whole at one place, so that nobody could
keep them; *refilled* are new bars that are composed again; *in place* are bars, of those that could be kept, that sound at their
picture. The losers: composing everything again; shifting everything behind the first change by that change, as one insert or delete
in a DAW does; leaving everything where it was.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import astuple
from fractions import Fraction
from pathlib import Path
from statistics import fmean
from time import perf_counter, process_time

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engines" / "conform"))

from recuts import FILM, Film, a_film, agreeing, cut_list, prints, recut, shown_again

from engines.conform.anchors import Anchor, anchors
from engines.conform.match import Matched, match
from engines.conform.replan import replan
from engines.picture.cutlist import CutList
from engines.spotting.candidates import Candidate
from engines.spotting.hits import Hit, hits_from_cuts
from engines.spotting.solve import solve
from engines.spotting.tempo import TempoMap

RESULTS = Path(__file__).parent / "results" / "conform.json"
SHOTS, CHANGES, REELS = 200, 20, 4
BENDS = (2, 4, 6)
Row = dict[str, float | str]


def hits_of(programme: CutList) -> tuple[Hit, ...]:
    return hits_from_cuts(programme.cuts, FILM, programme.frames / FILM)


def on_beat(tempo_map: TempoMap, hits: Sequence[Hit]) -> float:
    return fmean(tempo_map.beat(hit.time).denominator == 1 for hit in hits)


def matching(old: Film, new: Film) -> list[Row]:
    """Seconds, and frames found of those that are in both cuts, and found wrongly, by each way of matching."""
    sourced, plain = [[cut_list(film, sources=told) for film in (old, new)] for told in (True, False)]
    ways = {
        "source": (*sourced, None, None),
        "picture, 6 bits of noise": (*plain, prints(old, 1, 6), prints(new, 2)),
        "lengths": (*plain, None, None),
    }
    rows: list[Row] = []
    for name, given in ways.items():
        begun, spent = perf_counter(), process_time()
        matched = match(*given)
        seconds, processor = perf_counter() - begun, process_time() - spent
        pieces = [astuple(piece) for piece in matched.pieces]
        right, there = agreeing(old, new, pieces), shown_again(old, new)
        wrong = sum(piece.frames for piece in matched.pieces) - right
        rows.append(
            {
                "by": name,
                "seconds": seconds,
                "processor seconds": processor,
                "found %": 100 * right / there,
                "wrong %": 100 * wrong / there,
            }
        )
    return rows


def in_place(possible: Sequence[Anchor], old_map: TempoMap, shift: Fraction, behind: Fraction) -> float:
    """Share of the bars that could be kept whose picture is still under them after one shift of everything behind a time."""
    lines = {bar.index: bar.start for bar in old_map.bars_until(old_map.beat(max(anchor.end for anchor in possible)) + 400)}
    right = 0
    for anchor in possible:
        time = old_map.seconds(lines[anchor.bar])
        right += anchor.start == time + (shift if time >= behind else 0)
    return right / len(possible)


def first_change(matched: Matched) -> tuple[Fraction, Fraction]:
    """By how many seconds the first change shifts what follows, and where that is in the old cut."""
    second = matched.pieces[1]
    return (second.new_frame - second.old_frame) / FILM, second.old_frame / FILM


def conforming(old: Film, new: Film, found: Candidate, bend: int) -> list[Row]:
    """One row for us, and one for everybody else."""
    before, after = cut_list(old), cut_list(new)
    bars, end, hits = len(found.bars), after.frames / FILM, hits_of(after)
    matched = match(before, after)
    possible = anchors(found.tempo_map, bars, matched)
    touched = bars - len({anchor.bar for anchor in possible})
    begun, spent = perf_counter(), process_time()
    answer = replan(found.tempo_map, bars, matched, hits, end, max_bend=bend, bpm=found.tempo_bpm)
    took = {"seconds": perf_counter() - begun, "processor seconds": process_time() - spent}
    kept = sum(bar is not None for bar in answer.bars)
    begun, spent = perf_counter(), process_time()
    again = solve(hits, end, max_bend=bend)[0]
    anew = {"seconds": perf_counter() - begun, "processor seconds": process_time() - spent}
    shifted = in_place(possible, found.tempo_map, *first_change(matched))
    left = in_place(possible, found.tempo_map, Fraction(0), Fraction(0))
    fixed: Row = {"bend %": bend, "bars": bars, "touched": touched, "touched %": 100 * touched / bars}
    total = len(answer.bars)
    ours = {"refilled": total - kept, "refilled %": 100 * (total - kept) / total, "in place %": 100 * kept / len(possible)}
    everything = {"refilled": len(again.bars), "refilled %": 100.0, "in place %": 0.0}
    return [
        {"way": "conform", **fixed, **ours, "hits on beats %": 100 * on_beat(answer.tempo_map, hits)} | took,
        {"way": "all again", **fixed, **everything, "hits on beats %": 100 * on_beat(again.tempo_map, hits)} | anew,
        {"way": "one shift", **fixed, "refilled": 0, "refilled %": 0.0, "in place %": 100 * shifted},
        {"way": "as it was", **fixed, "refilled": 0, "refilled %": 0.0, "in place %": 100 * left},
    ]


def means(rows: Sequence[Row], *by: str) -> list[Row]:
    """The mean of every column over the rows that agree in some."""
    keys = list(dict.fromkeys(tuple(row[name] for name in by) for row in rows))
    out: list[Row] = []
    for key in keys:
        same = [row for row in rows if tuple(row[name] for name in by) == key]
        numbers = {name: fmean(float(row[name]) for row in same) for name in same[0] if name not in by}
        spent = [float(row["processor seconds"]) for row in same if "processor seconds" in row]
        out.append(dict(zip(by, key, strict=True)) | numbers | ({"most processor seconds": max(spent)} if spent else {}))
    return out


def shown(rows: Sequence[Row]) -> None:
    heads = list(dict.fromkeys(name for row in rows for name in row))
    widths = {
        head: max(len(head), max(len(f"{row.get(head, '')}") if isinstance(row.get(head), str) else 7 for row in rows))
        for head in heads
    }
    print("\n" + " | ".join(f"{head:>{width}}" for head, width in widths.items()))
    for row in rows:
        told = {head: f"{value:.2f}" if isinstance(value := row.get(head, ""), float) else str(value) for head in heads}
        print(" | ".join(f"{told[head]:>{width}}" for head, width in widths.items()))


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_a_reel_of_200_shots_with_20_changes() -> None:
    matched, carried = [], []
    for seed in range(REELS):
        old = a_film(seed, SHOTS)
        new = recut(old, seed, CHANGES)
        matched += matching(old, new)
        for bend in BENDS:
            found = solve(hits_of(cut_list(old)), cut_list(old).frames / FILM, max_bend=bend)[0]
            carried += conforming(old, new, found, bend)
    tables = {"matching": means(matched, "by"), "conform": means(carried, "way", "bend %")}
    for rows in tables.values():
        shown(rows)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"reels": REELS, "shots": SHOTS, "changes": CHANGES} | tables, indent=1) + "\n")
    by_way = {row["by"]: row for row in tables["matching"]}
    assert by_way["source"]["found %"] == by_way["picture, 6 bits of noise"]["found %"] == 100
    assert by_way["source"]["wrong %"] == by_way["picture, 6 bits of noise"]["wrong %"] == 0
    ours = {row["bend %"]: row for row in tables["conform"] if row["way"] == "conform"}
    assert all(float(row["most processor seconds"]) < 10 for row in ours.values())
    assert float(ours[4]["refilled %"]) < 15
    assert float(ours[4]["in place %"]) > 90
