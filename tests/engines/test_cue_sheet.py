"""The cue sheet: timecodes, durations and hits that agree with the film, the MIDI file, and each other, in every form."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from io import StringIO
from math import ceil, floor
from pathlib import Path

import pytest
from cue_sessions import bare_session, pulse, session_on, steady_session, with_notes  # noqa: F401 - a fixture
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.picture import cutlist
from engines.picture.cutlist import CutList, Marker
from engines.picture.timecode import RATES, Timecode, drops
from engines.score.notes import Note
from engines.session.cue_sheet import Stretch, cue_name, cue_sheet
from engines.session.cue_sheet_csv import CUE_COLUMNS, HIT_COLUMNS, MARKER_COLUMNS, cue_csv, hit_csv, marker_csv
from engines.session.cue_sheet_page import page
from engines.session.cue_sheet_text import sheet_json, sheet_text
from engines.session.deliver import write_cue
from engines.session.model import Session
from engines.spotting.hits import Hit
from engines.spotting.tempo import Metre, Segment, TempoMap

RATES_AND_DROPS = [(rate, drop) for rate in RATES for drop in ((False, True) if drops(rate) else (False,))]
BEAT = st.fractions(0, 60, max_denominator=48)
NOTES = st.lists(
    st.tuples(BEAT, st.integers(40, 80), st.fractions(Fraction(1, 4), 4, max_denominator=16)), min_size=1, max_size=6
)


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline="")))


@pytest.fixture(scope="module")
def drop_frame(shared: Path, pulse: None) -> Session:  # noqa: F811 - the fixture
    """A real programme with markers in drop-frame, over the change of an hour, where labels are dropped every minute."""
    programme = cutlist.read(shared / "timelines" / "fcpxml_dawfilekit" / "29.97d.fcpxml")
    return session_on(replace(programme, start=Timecode.parse("01:59:50;00", programme.rate)))


@pytest.fixture(scope="module")
def trailer(shared: Path, pulse: None) -> Session:  # noqa: F811 - the fixture
    return session_on(cutlist.read(shared / "timelines" / "edl_guerilla" / "TRAILER_EDL.edl", 25))


@given(st.sampled_from(RATES_AND_DROPS), st.integers(0, 3 * 10**6), st.integers(0, 10**6))
@settings(deadline=None, max_examples=200)
def test_a_stretch_is_as_long_as_its_labels_say(rate: tuple[Fraction, bool], start: int, frames: int) -> None:
    first = Timecode(start, *rate)
    stretch = Stretch(first, first + frames)
    read = [Timecode.parse(str(label), rate[0]).frame for label in (stretch.start, stretch.end)]
    assert read[1] - read[0] == stretch.frames == frames
    assert stretch.seconds * rate[0] == frames
    minutes, seconds = map(int, stretch.clock.split(":"))
    assert seconds < 60
    assert abs(60 * minutes + seconds - frames / rate[0]) <= Fraction(1, 2)


def test_durations_are_real_time_where_labels_run_slow() -> None:
    """At 24000/1001 an hour of labels lasts 3.6 s longer, at 29.97 drop-frame as long as it says to a tenth of a second."""
    hour = Timecode.parse("01:00:00:00", Fraction(24000, 1001))
    assert Stretch(hour, hour + hour.frame).clock == "60:04"
    hour = Timecode.parse("01:00:00;00", Fraction(30000, 1001))
    assert Stretch(hour, hour + hour.frame).clock == "60:00"


@given(st.sampled_from(RATES_AND_DROPS), st.integers(0, 200_000), NOTES)
@settings(deadline=None, max_examples=25)
def test_in_and_out_hold_all_the_music_and_read_back(
    rate: tuple[Fraction, bool], start: int, rows: list[tuple[Fraction, int, Fraction]]
) -> None:
    notes = [Note(beat, pitch, length, 70) for beat, pitch, length in rows]
    session = with_notes(steady_session(Timecode(start, *rate), ceil(40 * rate[0])), notes)
    sheet = cue_sheet(session)
    first, last = min(note.start for note in notes) / 2, max(note.end for note in notes) / 2  # seconds at 120 beats a minute
    assert sheet.stretch is not None
    head, *scenes = table(cue_csv(sheet))
    assert head["section"] == "cue"
    assert int(head["in_frame"]) == floor(first * rate[0])
    assert int(head["out_frame"]) == ceil(last * rate[0])
    for row in (head, *scenes):
        labels = [Timecode.parse(row[name], rate[0]).frame for name in ("in", "out")]
        assert labels == [start + int(row[name]) for name in ("in_frame", "out_frame")]
        assert labels[1] - labels[0] == int(row["frames"])
        assert float(row["duration_s"]) == pytest.approx(float(int(row["frames"]) / rate[0]), abs=1e-6)
    assert sum(int(row["notes"]) for row in scenes) == int(head["notes"]) == sheet.notes


@pytest.mark.parametrize("name", ["drop_frame", "trailer"])
def test_scenes_lie_end_to_end_from_the_films_first_frame_to_its_last(name: str, request: pytest.FixtureRequest) -> None:
    session: Session = request.getfixturevalue(name)
    sheet = cue_sheet(session)
    edges = [(scene.stretch.start.frame, scene.stretch.end.frame) for scene in sheet.scenes]
    assert edges[0][0] == session.start.frame
    assert edges[-1][1] == session.start.frame + session.film.frames
    assert [end for _, end in edges[:-1]] == [start for start, _ in edges[1:]]
    assert sum(scene.stretch.frames for scene in sheet.scenes) == session.film.frames
    assert [scene.bars[0] for scene in sheet.scenes[1:]] == [scene.bars[1] + 1 for scene in sheet.scenes[:-1]]


@pytest.mark.parametrize("name", ["drop_frame", "trailer"])
def test_hits_are_those_of_the_report_of_the_written_file(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    session: Session = request.getfixturevalue(name)
    _, report = write_cue(session, tmp_path / "cue.mid")
    sheet = cue_sheet(session)
    assert sheet.report == report
    rows = table(hit_csv(sheet))
    assert len(rows) == len(session.hits) > 5
    assert tuple(rows[0]) == HIT_COLUMNS
    for row, told in zip(rows, report.json()["hits"], strict=True):
        assert row["timecode"] == told["timecode"]
        assert [float(row[key]) for key in ("frame", "weight", "error_ms", "error_frames")] == [
            told[key] for key in ("frame", "weight", "error_ms", "error_frames")
        ]
        assert row["answered_by"] == told["landed_by"]
        assert (row["how"] == "missed") == (row["answered_by"] == "none")
        assert (row["verdict"] == "on") == told["on"]


def test_hits_of_a_list_bear_the_lists_own_timecodes(shared: Path, trailer: Session) -> None:
    text = (shared / "timelines" / "edl_guerilla" / "TRAILER_EDL.edl").read_text("latin-1")
    records = {found[1] for found in re.finditer(r"(\d\d:\d\d:\d\d:\d\d) +\d\d:\d\d:\d\d:\d\d *\r?$", text, re.MULTILINE)}
    rows = [row for row in table(hit_csv(cue_sheet(trailer))) if row["kind"] == "cut"]
    assert len(rows) > 20
    assert {row["timecode"] for row in rows} <= records


def test_a_place_counts_bars_and_beats_in_the_units_of_the_metre() -> None:
    metres = (Metre(4, 4), Metre(7, 8), Metre(3, 4))
    tempo_map = TempoMap((Segment(Fraction(0), Fraction(1, 2)),), metres)
    beats = {Fraction(0): "1|1", Fraction(3): "1|4", Fraction(13, 2): "2|6", Fraction(15, 2): "3|1", Fraction(19, 2): "3|3"}
    hits = [Hit(floor(beat * 12), beat / 2) for beat in beats]
    programme = CutList.of_cuts((), Fraction(24), 24 * 6)
    sheet = cue_sheet(bare_session(programme, tempo_map, hits))
    assert [str(row.place) for row in sheet.hits] == list(beats.values())
    assert sheet.metres == ("4/4", "7/8", "3/4")


def test_music_before_the_film_and_hits_before_the_music() -> None:
    start = Timecode.parse("01:00:00:00", Fraction(25))
    early = with_notes(steady_session(start, 500, origin=Fraction(-1, 5)), [Note(Fraction(0), 60, Fraction(4), 70)])
    assert str(cue_sheet(early).stretch.start) == "00:59:59:20"
    late = steady_session(start, 500, [Hit(10, Fraction(2, 5)), Hit(25, Fraction(1))], Fraction(1, 2))
    sheet = cue_sheet(with_notes(late, [Note(Fraction(1), 60, Fraction(4), 70)]))
    assert [row.place and str(row.place) for row in sheet.hits] == [None, "1|2"]
    assert str(sheet.first) == "1|2"
    assert [row.line.verdict for row in sheet.hits] == ["missed", "on"]
    assert page(sheet).count('<td class="verdict">MISSED</td>') == 1


def test_a_silent_cue_has_a_sheet_that_says_so() -> None:
    sheet = cue_sheet(steady_session(Timecode(0, Fraction(24)), 240, [Hit(48, Fraction(2))]))
    assert sheet.stretch is None
    assert sheet_json(sheet)["in"] is None
    assert table(cue_csv(sheet))[0]["in"] == ""
    assert "silent" in sheet_text(sheet)
    assert "silent" in page(sheet)
    assert "no onset" in page(sheet)


@pytest.mark.parametrize(
    ("text", "number", "title"),
    [
        ("1m1", "1m1", ""),
        ("2m14b The chase", "2m14b", "The chase"),
        ("3M2 - Farewell", "3M2", "Farewell"),
        ("R5-5m01 Night", "R5-5m01", "Night"),
        ("Overture", "Overture", ""),
        ("The long night", "", "The long night"),
        ("  1m1\n Two  lines ", "1m1", "Two lines"),
    ],
)
def test_a_cues_name_is_its_number_and_its_title(text: str, number: str, title: str) -> None:
    assert cue_name(text) == (number, title)


EVIL = [
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b", "'single'"),
    *("=1+1", "-2", "@x", "line\nbreak\x00\x07", "Ünïcödé 映画"),
]


def evil_session() -> Session:
    hits = [Hit(24 * (k + 1), Fraction(k + 1), label=label) for k, label in enumerate(EVIL)]
    session = steady_session(Timecode(0, Fraction(24)), 24 * 20, hits)
    session = replace(session, cue=f"1m1 {EVIL[0]}", film=replace(session.film, path=f"films/{EVIL[2]} {EVIL[3]}.mov"))
    return with_notes(session.with_scene(replace(session.scenes[0], name=EVIL[1])), [Note(Fraction(2), 60, Fraction(1), 70)])


class Page(HTMLParser):
    """What a browser would find: that tags close, texts by the class of their cell, tags and attributes."""

    VOID = ("meta", "br", "img", "link")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.rows[-1][-1] += data


def shown(texts: Iterable[str]) -> list[str]:
    return [" ".join("".join(c if c.isprintable() else " " for c in text).split()) for text in texts]


def test_the_page_escapes_every_text_and_fetches_nothing() -> None:
    text = page(cue_sheet(evil_session()))
    found = Page(text)
    assert not found.tags & {"script", "img", "link", "iframe", "object"}
    assert not {name for name in found.attributes if name.startswith("on") or name in ("src", "href", "srcset")}
    assert "url(" not in text
    assert "@import" not in text
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    labels = [row[3] for row in found.rows if len(row) == 11]
    assert labels == shown(EVIL)


@pytest.mark.parametrize("name", ["drop_frame", "trailer"])
def test_the_page_has_every_scene_and_hit_and_tells_the_missed_in_words(name: str, request: pytest.FixtureRequest) -> None:
    sheet = cue_sheet(request.getfixturevalue(name))
    found = Page(page(sheet))
    hits = [row for row in found.rows if len(row) == 11]
    assert [row[1] for row in hits] == [row.line.timecode for row in sheet.hits]
    assert [row[9] == "MISSED" for row in hits] == [row.line.verdict == "missed" for row in sheet.hits]
    scenes = [row for row in found.rows if len(row) == 13]
    assert [row[1] for row in scenes] == [str(scene.stretch.start) for scene in sheet.scenes]
    assert {"on", "MISSED"} <= {row[9] for row in hits}


def test_tables_read_back_what_was_said_and_hold_no_formula() -> None:
    session = evil_session()
    sheet = cue_sheet(session)
    rows = table(hit_csv(sheet))
    assert [
        row["label"].removeprefix("'") if label != EVIL[3] else row["label"] for row, label in zip(rows, EVIL, strict=True)
    ] == EVIL
    cells = [row["label"] for row in rows] + [row["title"] for row in table(cue_csv(sheet))]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    head, scene = table(cue_csv(sheet))
    assert head["title"] == EVIL[0]
    assert scene["title"] == EVIL[1]
    assert tuple(head)[: len(CUE_COLUMNS)] == CUE_COLUMNS


def test_markers_are_in_the_films_order_with_the_editors_remarks(drop_frame: Session) -> None:
    marked = [(m.frame, m.length, m.name, m.comment) for m in (Marker(7, "slate", "from the editor", length=3),)]
    rows = table(marker_csv(cue_sheet(drop_frame), marked))
    assert tuple(rows[0]) == MARKER_COLUMNS
    assert [int(row["frame"]) for row in rows] == sorted(int(row["frame"]) for row in rows)
    assert {"scene", "marker", "cut"} <= {row["kind"] for row in rows}
    assert ["slate", "from the editor", "3"] in [[row["name"], row["comment"], row["frames"]] for row in rows]
    for row in rows:
        assert Timecode.parse(row["timecode"], drop_frame.film.rate).frame == drop_frame.start.frame + int(row["frame"])


def test_json_and_text_say_the_same_as_the_tables(drop_frame: Session) -> None:
    sheet = cue_sheet(drop_frame)
    told = json.loads(json.dumps(sheet_json(sheet)))
    head, *scenes = table(cue_csv(sheet))
    assert [told["in"], told["out"], told["duration"]] == [head["in"], head["out"], head["duration"]]
    assert told["drop_frame"]
    assert [scene["in"] for scene in told["scenes"]] == [row["in"] for row in scenes]
    assert [hit["timecode"] for hit in told["hits"]] == [row["timecode"] for row in table(hit_csv(sheet))]
    lines = sheet_text(sheet).splitlines()
    for hit in told["hits"]:
        line = next(line for line in lines if hit["timecode"] in line.split()[1:2] and line.split()[2] == str(hit["frame"]))
        assert ("MISSED" in line) == (hit["verdict"] == "missed")
