"""The hit report: nearest onsets, signed errors, timecodes of the reel, and the JSON that other programs rely on."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.picture.timecode import Timecode
from engines.score.land import land
from engines.score.notes import Note
from engines.score.report import bend_percent, file_report, hit_report, map_beats
from engines.score.smf import Score, read_smf, smf_bytes, write_smf
from engines.score.smf_reader import parse_smf
from engines.spotting.hits import Hit
from engines.spotting.tempo import Segment, TempoMap

F = Fraction
RATE = F(24000, 1001)


def hit(frame: int, weight: float = 1.0) -> Hit:
    return Hit(frame, frame / RATE, weight)


def test_the_json_is_as_agreed() -> None:
    hits = [hit(24), hit(48, 0.5), hit(96)]
    onsets = [hits[0].time, hits[1].time + F(1, 100), hits[2].time - F(1, 10)]
    report = hit_report(onsets, hits, RATE, Timecode.parse("01:00:00:00", RATE), max_bend_percent=3.5)
    told = json.loads(json.dumps(report.json()))
    assert list(told) == ["hits", "summary"]
    assert told["hits"][1] == {
        "frame": 48,
        "timecode": "01:00:02:00",
        "time_s": 2.002,
        "weight": 0.5,
        "onset_s": 2.012,
        "error_ms": 10.0,
        "error_frames": 0.2398,
        "on": True,
        "landed_by": "engine",
    }
    assert [h["on"] for h in told["hits"]] == [True, True, False]
    assert told["hits"][2]["error_ms"] == -100.0
    assert told["hits"][2]["landed_by"] == "none"
    assert told["summary"] == {
        "hits": 3,
        "within_1_frame": 2,
        "median_error_ms": 10.0,
        "p95_error_ms": 100.0,
        "max_error_ms": 100.0,
        "max_bend_percent": 3.5,
    }


def test_landings_say_who_answered() -> None:
    tempo_map = TempoMap.steady(120)
    hits = [Hit(24, F(1)), Hit(48, F(2)), Hit(66, F(11, 4)), Hit(70, F(70, 24))]
    notes = (Note(F(2), 60, F(1), 80), Note(F(15, 4), 62, F(1), 80))
    landed, landings = land(notes, hits, tempo_map)
    report = hit_report([tempo_map.seconds(n.start) for n in landed], hits, F(24), landings=landings)
    assert [line.landed_by for line in report.lines] == ["engine", "land", "land", "none"]
    assert [line.verdict for line in report.lines] == ["on", "on", "on", "missed"]


def test_the_text_speaks_the_reels_timecode_and_colours_only_if_asked() -> None:
    rate = F(30000, 1001)
    start = Timecode.parse("00:59:59;28", rate)
    hits = [Hit(k, k / rate) for k in (10, 40, 70)]
    report = hit_report([hits[0].time, hits[1].time + F(2) / rate, hits[2].time + 1], hits, rate, start, max_bend_percent=2)
    text = report.text()
    lines = text.splitlines()
    assert lines[1].startswith("01:00:00;08")
    assert [line.split()[-2] for line in lines[1:4]] == ["on", "near", "missed"]
    assert "+2.00" in lines[2]
    assert lines[-1] == "1 of 3 hits within a frame; median 66.73 ms, worst 934.27 ms; tempo bends 2.00 %"
    assert "\x1b" not in text
    assert "\x1b[32mon" in report.text(colour=True)
    assert "\x1b[31mmissed" in report.text(colour=True)


def test_without_a_film_there_are_no_frames_but_errors() -> None:
    [told] = hit_report([F(101, 100)], [Hit(25, F(1))]).json()["hits"]  # type: ignore[misc]
    assert told["timecode"] is None
    assert told["error_frames"] is None
    assert told["error_ms"] == 10.0
    assert told["on"] is True


def test_no_notes_and_no_hits_are_told_plainly() -> None:
    nothing = hit_report([], [hit(24)], RATE)
    assert nothing.json()["hits"][0]["onset_s"] is None  # type: ignore[index]
    assert nothing.summary["max_error_ms"] is None
    assert nothing.text().endswith("1 hits, no onset")
    assert hit_report([F(1)], [], RATE).text().endswith("no hits")


def test_a_written_file_is_reported_to_the_microsecond(tmp_path: Path) -> None:
    tempo_map = TempoMap((Segment(F(0), F(12) / RATE), Segment(F(8), F(13) / RATE)), origin=31 / RATE)
    hits = [hit(31), hit(31 + 96), hit(31 + 96 + 39), hit(31 + 96 + 42)]
    notes = tuple(Note(F(k), 60 + k % 7, F(1), 80) for k in range(16))
    smf = read_smf(write_smf(tmp_path / "cue.mid", Score(tempo_map, notes)))
    report = file_report(smf, hits, RATE)
    assert [line.verdict for line in report.lines] == ["on", "on", "on", "near"]
    assert all(abs(line.error or 1) < F(1, 100_000) for line in report.lines[:3])
    assert report.summary["max_bend_percent"] == pytest.approx(100 / 13, abs=0.001)  # of 15 beats the eighth is the median


def test_bend_is_of_beats_against_the_nominal_tempo() -> None:
    tempo_map = TempoMap((Segment(F(0), F(1, 2)), Segment(F(4), F(25, 48))))
    beats = map_beats(tempo_map, F(6))
    assert len(beats) == 7
    assert bend_percent(beats, 120.0) == pytest.approx(4)
    assert bend_percent([F(1)]) is None
    assert file_report(parse_smf(smf_bytes(Score(tempo_map, ()))), []).max_bend_percent is None


def test_shared_files_that_hold_music_are_reported(shared: Path) -> None:
    report = file_report(read_smf(shared / "midi" / "test-c-major-scale.mid"), [Hit(12, F(1, 2)), Hit(30, F(5, 4))], F(24))
    assert [line.json()["error_ms"] for line in report.lines] == [0.0, -250.0]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.fractions(0, 100), max_size=30), st.lists(st.integers(0, 2400), max_size=10, unique=True))
def test_the_nearest_onset_is_the_nearest(onsets: list[Fraction], frames: list[int]) -> None:
    report = hit_report(onsets, [hit(f) for f in frames], RATE)
    for line in report.lines:
        best = min((abs(o - line.hit.time) for o in onsets), default=None)
        assert (None if line.error is None else abs(line.error)) == best
