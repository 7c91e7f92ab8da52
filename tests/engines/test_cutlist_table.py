"""Cuts as CSV and JSON, from our own commands and from spreadsheets."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest

from engines.errors import CutListError
from engines.picture.cut import Cut
from engines.picture.cutlist import CutList, read, write
from engines.picture.timecode import Timecode

FILM = Fraction(24000, 1001)


def saved(tmp_path: Path, text: str, name: str = "cuts.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def frames(programme: CutList) -> list[int]:
    return [cut.frame for cut in programme.cuts]


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("frame,time_s,kind\n24,1.000,cut\n36,1.500,fade\n", "24"),
        ("frame,time_s,kind\n24,1.001,cut\n36,1.5015,fade\n", "24000/1001"),
        ("\ufeffFrame;Time_s;Kind;note\r\n24;0,96;cut;door\r\n\r\n36;1,44;fade;\r\n", "25"),
        ("time_s\tframe\tkind\n0.8008\t24\tcut\n1.2012\t36\tFade\n", "30000/1001"),
        ('"frame","time_s","kind"\n"24","0.4004","cut"\n"36","0.6006","fade"\n', "60000/1001"),
        ("# by hand\nframe,time_s,kind\n0,0.0,cut\n24,0.48,\n36,0.72,fade\n", "50"),
    ],
)
def test_tables_tell_their_rate(tmp_path: Path, text: str, rate: str) -> None:
    programme = read(saved(tmp_path, text), assume=Fraction(30))
    assert programme.rate == Fraction(rate)
    assert [(cut.frame, cut.time, cut.kind) for cut in programme.cuts] == [
        (24, 24 / Fraction(rate), "cut"),
        (36, 36 / Fraction(rate), "fade"),
    ]


def test_tables_without_times_need_a_rate(tmp_path: Path) -> None:
    path = saved(tmp_path, "frame,kind\n24,cut\n")
    with pytest.raises(CutListError, match=r"neither the file nor its times say a frame rate; pass --rate"):
        read(path)
    assert read(path, assume=FILM).cuts[0].time == 24 / FILM
    assert read(path, rate=25).cuts[0].time == 24 / Fraction(25)


def test_times_without_frames(tmp_path: Path) -> None:
    assert frames(read(saved(tmp_path, "time_s,kind\n1.0,cut\n2.5,cut\n"), rate=24)) == [24, 60]


def test_times_too_coarse_for_a_rate_take_the_given_one(tmp_path: Path) -> None:
    path = saved(tmp_path, "frame,time_s,kind\n24,1.0,cut\n")  # 24 and 24000/1001 both show 1.0
    assert read(path, assume=FILM).cuts[0].time == 24 / FILM


def test_films_of_variable_rate_keep_their_times(tmp_path: Path) -> None:
    path = saved(tmp_path, "frame,time_s,kind\n24,1.125,cut\n48,2.5,cut\n")
    assert [cut.time for cut in read(path, assume=Fraction(24)).cuts] == [Fraction(9, 8), Fraction(5, 2)]


def test_a_table_of_another_rate_is_carried_over(tmp_path: Path) -> None:
    assert frames(read(saved(tmp_path, "frame,time_s,kind\n25,1.0,cut\n50,2.0,cut\n"), rate=24)) == [24, 48]


def test_json_as_the_shots_command_prints_it(tmp_path: Path) -> None:
    cuts = [{"frame": 24, "time_s": 1.001, "kind": "dissolve", "confidence": 0.75}]
    data = {"film": "a.mov", "rate": "24000/1001", "frames": 100, "duration_s": 4.170833, "cuts": cuts}
    programme = read(saved(tmp_path, json.dumps(data), "cuts.json"))
    assert (programme.rate, programme.frames, programme.title) == (FILM, 100, "a.mov")
    assert programme.cuts == (Cut(24, 24 / FILM, "dissolve", 0.75),)


def test_a_bare_list_of_cuts_is_json_enough(tmp_path: Path) -> None:
    assert frames(read(saved(tmp_path, '[{"frame": 24}, {"frame": 12}]', "cuts.json"), rate=24)) == [12, 24]


def test_what_is_written_keeps_confidence_start_and_order(tmp_path: Path) -> None:
    start = Timecode.parse("01:00:00;00", Fraction(30000, 1001))
    cuts = [Cut(24, 24 / start.rate, "dissolve", 0.0, 0.5, 7), Cut(48, 48 / start.rate, confidence=0.9)]
    programme = CutList.of_cuts(cuts, start.rate, 100, start)
    for name in ("cuts.csv", "cuts.json"):
        again = read(write(programme, tmp_path / name))
        assert (again.cuts, again.start) == (tuple(cuts), start)
    header, first, _ = (tmp_path / "cuts.csv").read_text().splitlines()
    assert header.startswith("frame,time_s,kind,")
    assert first.endswith(",01:00:00;24")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "frame,time_s,kind\n24,1.0,cut\nten,2.0,cut\n", "line 3: frame is 'ten', which is no number; correct that row"),
        ("a.csv", "frame,time_s,kind\n24,soon,cut\n", "line 2: time_s is 'soon', which is no number"),
        ("a.csv", "frame,time_s,kind\n24,1.0,jump\n", "line 2: 'jump' is no kind of cut; write cut, dissolve or fade"),
        ("a.csv", "frame,time_s,kind\n-4,1.0,cut\n", "line 2: there is no frame -4"),
        ("a.csv", "frame,time_s,kind\n2.5,1.0,cut\n", "line 2: there is no frame 2.5"),
        ("a.csv", "frame,time_s,kind\n99999999999,1.0,cut\n", "there is no frame 99999999999"),
        ("a.csv", "frame,time_s,kind\n1e999999999,1.0,cut\n", "which is no number"),
        ("a.csv", "frame,time_s,kind\n,,cut\n", "line 2: neither a frame nor a time"),
        ("a.csv", "scene,length\n1,2\n", "no column is called frame or time_s"),
        ("a.json", '{"cuts": [{"frame": 24}', "the JSON is broken or cut short"),
        ("a.json", '{"shots": []}', "there is no list of cuts in this JSON"),
        ("a.json", '{"rate": "fast", "cuts": []}', "'fast' is not a frame rate"),
        ("a.json", '{"rate": "24", "frames": "many", "cuts": []}', "frames is 'many', which is no number"),
        ("a.json", '{"rate": "24", "cuts": [{"frame": true}]}', "cut 1: frame is 'True', which is no number"),
        ("a.json", '{"rate": "24", "start": "noon", "cuts": []}', "'noon' is not a timecode"),
        ("a.json", "[" * 100_000, "a.json: "),
    ],
)
def test_broken_tables_name_the_row(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(CutListError) as caught:
        read(saved(tmp_path, text, name), assume=Fraction(24))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
