"""Every real cut list beside the project, against what a person reads in it: counted by hand from the files' own text."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engines.errors import CutListError
from engines.picture.cutlist import CutList, read
from engines.picture.timecode import Timecode

# file, rate to pass (None: the file must tell), the file's rate, start, end, shots with a picture, cuts.
# A cut is its frame from the programme's first; "d" and "f" are dissolves and fades with their length.
EDLS = """
cmx3600/25fps.edl                | -  | 25 | 00:00:00:00 | 00:00:19:21 | 4 | 161 361 447
cmx3600/avid_example.edl         | 24 | 24 | 00:59:53:11 | 00:59:56:20 | 2 | 31
cmx3600/cdl.edl                  | 24 | 24 | 00:00:00:00 | 00:00:02:14 | 2 | 31
cmx3600/dissolve_test.edl        | 24 | 24 | 01:00:00:00 | 01:00:00:20 | 2 | 14d10
cmx3600/dissolve_test_2.edl      | 24 | 24 | 01:00:00:00 | 01:00:00:20 | 2 | 10d10
cmx3600/dissolve_test_3.edl      | 24 | 24 | 01:00:00:00 | 01:00:05:17 | 4 | 61 76d30 91
cmx3600/dissolve_test_4.edl      | 24 | 24 | 01:04:11:17 | 01:04:31:14 | 6 | 30 98d35 194d64 246 342
cmx3600/dissolve_test_fail.edl   | 24 | 24 | 01:00:00:00 | 01:00:00:20 | 2 | 14d10
cmx3600/gap_test.edl             | 24 | 24 | 00:00:00:00 | 00:00:05:06 | 3 | 24 40 64 102
cmx3600/no_spaces_test.edl       | 24 | 24 | 00:59:53:11 | 01:00:37:04 | 9 | 31 81 109 224 325 486 656 792
cmx3600/nucoda_example.edl       | 24 | 24 | 00:59:53:11 | 00:59:56:20 | 2 | 31
cmx3600/premiere_example.edl     | 24 | 24 | 00:59:53:11 | 00:59:56:20 | 2 | 31
cmx3600/screening_example.edl    | 24 | 24 | 00:59:53:11 | 01:00:37:04 | 9 | 31 81 109 224 325 486 656 792
cmx3600/speed_effects_small.edl  | 24 | 24 | 01:00:00:00 | 01:11:33:04 | 5 | 126 12240 12257 12258 12276 16600
cmx3600/timecode_mismatch.edl    | -  | 25 | 00:00:00:00 | 00:01:11:14 | 20 | 161 361 447 494 496 552 578 647 701 756 847 921 \
1142 1192 1311 1521 1536 1547 1561 1726
cmx3600/transition_duration.edl  | 24 | 24 | 01:00:48:20 | 01:01:05:20 | 4 | 106 193d26 253
cmx3600/wipe_test.edl            | 24 | 24 | 01:00:00:00 | 01:00:00:20 | 2 | 14d10
edl_guerilla/45S_SAMPLE.EDL      | -  | 25 | 10:00:00:00 | 10:00:42:16 | 29 | 30 57 95 120 148 175 193 226 264 299 325 407 450 490 \
530 589 614 630 653 688 722 762 803 866d22 903d12 932 964 1003 1065f32
edl_guerilla/FCP_REVERSE.EDL     | -  | 25 | 01:00:00:00 | 01:00:40:00 | 1 |
edl_guerilla/KEY_TRANSITION.EDL  | -  | 30000/1001 | 01:00:04;10 | 01:00:06;07 | 1 |
edl_guerilla/PLATES.EDL          | 25 | 25 | 01:00:00:00 | 01:02:45:18 | 3 | 1087 2468
edl_guerilla/REVERSE.EDL         | -  | 25 | 10:00:32:03 | 10:00:34:05 | 1 |
edl_guerilla/SIMPLE_DISSOLVE.EDL | -  | 25 | 01:00:00:00 | 01:00:01:20 | 1 |
edl_guerilla/SPEEDUP_AND_FADEOUT.EDL | - | 25 | 01:00:00:00 | 01:00:28:14 | 1 | 713f25
edl_guerilla/SPEEDUP_REVERSE_AND_FADEOUT.EDL | - | 25 | 01:00:00:00 | 01:00:28:14 | 1 | 713f25
edl_guerilla/SPLICEME.EDL        | -  | 25 | 01:00:00:00 | 01:00:10:23 | 2 | 45 271
edl_guerilla/TIMEWARP.EDL        | -  | 25 | 01:00:04:03 | 01:00:04:13 | 1 |
edl_guerilla/TIMEWARP_HALF.EDL   | -  | 25 | 01:00:04:03 | 01:00:04:13 | 1 |
edl_guerilla/TRAILER_EDL.edl     | -  | 25 | 01:00:00:00 | 01:00:34:09 | 26 | 45 50 76d5 105d4 113 158f25 169 198d3 258 281d3 310d5 \
335 359 398 400 406 417f32 478d3 517 542 558 592f25 597 647 667 680 700 719 744f25 820 834
edl_guerilla/edl_mixed_line_endings.edl | 24 | 24 | 10:02:51:10 | 10:03:01:11 | 1 |
"""
OTHERS = """
otio/big_int.otio            | - | 24 | 00:00:00:00 | 00:00:01:00 | 1 |
otio/clip_example.otio       | - | 24 | 00:00:00:00 | 00:00:00:19 | 1 | 8 12f3
otio/effects.otio            | - | 24 | 01:00:00:00 | 01:00:46:21 | 4 | 500 816 1027
otio/generator_reference_test.otio | - | 24 | 00:00:00:00 | 00:00:02:02 | 1 |
otio/multiple_track.otio     | - | 24 | 00:00:00:00 | 00:00:00:19 | 4 | 3 7 16
otio/multitrack.otio         | - | 24 | 00:00:00:00 | 00:02:16:18 | 5 | 482 962 1198 1838 1957 2677
otio/nested_example.otio     | - | 24 | 00:00:00:00 | 00:00:26:12 | 7 | 238 269 302 331 394 398
otio/preflattened.otio       | - | 24 | 00:00:00:00 | 00:02:16:18 | 5 | 482 962 1198 1838 1957 2677
otio/premiere_example.otio   | - | 30 | 00:00:00:00 | 00:00:41:16 | 8 | 13 113 165 322 547d19 636 956 1164d25
otio/screening_example.otio  | - | 24 | 00:59:53:11 | 01:00:37:04 | 9 | 31 81 109 224 325 486 656 792
otio/simple_cut.otio         | - | 24 | 00:00:00:00 | 00:00:00:19 | 4 | 3 9 13
otio/transition.otio         | - | 24 | 00:00:00:00 | 00:00:00:19 | 4 | 3 9d5 13
otio/transition_test.otio    | - | 24 | 00:00:00:00 | 00:00:06:06 | 3 | 50d20 100 149f20
fcp7/hiero_xml_export.xml    | - | 24 | 01:00:00:00 | 01:00:55:04 | 2 | 14 1069 1085
fcp7/premiere_enable_property.xml | - | 25 | 00:00:00:00 | 00:00:10:06 | 3 | 81 177 220
fcp7/premiere_generators.xml | - | 24000/1001 | 00:00:00:00 | 00:00:35:16 | 5 | 264 383 502 621 737
fcp7/sample_just_track.xml   | - | 30 | 00:00:00:00 | 00:00:21:06 | 0 |
fcpxml/fcpx_clips.fcpxml     | - | 30 | 00:00:00:00 | 00:01:20:00 | 4 | 300 600 900 1200 1500 1800 2100
fcpxml/fcpx_event.fcpxml     | - | 30 | 00:00:00:00 | 00:02:30:00 | 11 | 315f30 600 900 1500f30 1785d30 1937 2237 2400 2591 2891 \
3191 3300 3600 3900 4200 4443
fcpxml/fcpx_example.fcpxml   | - | 30 | 00:00:00:00 | 00:02:30:00 | 11 | 315f30 600 900 1500f30 1785d30 1937 2237 2400 2591 2891 \
3191 3300 3600 3900 4200 4443
fcpxml/fcpx_library.fcpxml   | - | 30 | 00:00:00:00 | 00:02:30:00 | 11 | 315f30 600 900 1500f30 1785d30 1937 2237 2400 2591 2891 \
3191 3300 3600 3900 4200 4443
fcpxml/fcpx_project.fcpxml   | - | 30 | 00:00:00:00 | 00:02:30:00 | 11 | 315f30 600 900 1500f30 1785d30 1937 2237 2400 2591 2891 \
3191 3300 3600 3900 4200 4443
fcpxml_dawfilekit/23.98.fcpxml | - | 24000/1001 | 00:00:00:00 | 00:03:42:20 | 11 | 760 1406 2030 2724 3016d24 3093 3403d128 4172 \
4795 4973
fcpxml_dawfilekit/24.fcpxml  | - | 24 | 00:00:00:00 | 00:04:22:23 | 26 | 759d407 1661 2285 2980 3272d25 3351 3660d129 4428 5052 5222 \
5591 5599 5603 5685 5769 5855 5935 5955 5959 5966 5973 5979 6044 6144 6162 6210
fcpxml_dawfilekit/25i.fcpxml | - | 25 | 00:00:00:00 | 00:00:29:13 | 14 | 85 173 263 347 367 372 379 386 392 461 565 584 634
fcpxml_dawfilekit/29.97.fcpxml | - | 30000/1001 | 00:00:00:00 | 00:00:29:17 | 14 | 103 209 317 417 442 448 457 466 474 554 678 701 762
fcpxml_dawfilekit/29.97d.fcpxml | - | 30000/1001 | 00:00:00;00 | 00:00:29;17 | 14 | 103 209 317 417 442 448 457 466 474 554 678 701 762
fcpxml_dawfilekit/30.fcpxml  | - | 30 | 00:00:00:00 | 00:04:23:05 | 26 | 949d509 2077 2857 3727 4093d32 4190 4578d162 5537 6317 6529 \
6991 7002 7007 7110 7216 7324 7425 7450 7456 7465 7474 7483 7562 7687 7709 7769
fcpxml_dawfilekit/50.fcpxml  | - | 50 | 00:00:00:00 | 00:04:12:41 | 23 | 1584d848 3462 4765 6216 6827d53 6990 7637d270 9235 10536 \
10890 11661 11678 11687 11858 12034 12214 12382 12423 12433 12448 12463 12478 12610
fcpxml_dawfilekit/59.94.fcpxml | - | 60000/1001 | 00:00:00:00 | 00:04:23:25 | 26 | 1899d1019 4152 5717 7457 8191d66 8388 9162d325 \
11077 12639 13064 13989 14011 14023 14229 14443 14659 14861 14912 14924 14942 14960 14978 15137 15389 15434 15554
fcpxml_dawfilekit/60.fcpxml  | - | 60 | 00:00:00:00 | 00:04:23:10 | 26 | 1900d1018 4154 5714 7454 8187d64 8381 9157d324 11074 12634 \
13058 13982 14004 14014 14220 14432 14648 14850 14900 14912 14930 14948 14966 15124 15374 15418 15538
fcpxml_dawfilekit/BasicMarkers.fcpxml | - | 30000/1001 | 00:00:00:00 | 00:01:03:29 | 1 |
fcpxml_dawfilekit/BasicMarkers_1HourProjectStart.fcpxml | - | 30000/1001 | 01:00:00:00 | 01:01:03:29 | 1 |
fcpxml_dawfilekit/Occlusion.fcpxml | - | 24 | 00:00:00:00 | 00:02:10:01 | 4 | 720 960 1200 1440 2160 2400 2640
fcpxml_dawfilekit/Structure.fcpxml | - | 30000/1001 | 00:00:00:00 | 00:01:03:29 | 0 |
fcpxml_dawfilekit/TransitionMarkers1.fcpxml | - | 24 | 01:00:00:00 | 01:00:30:00 | 3 | 240d24 480d24 719f24
aaf/2997fps-DFTC.aaf         | - | 30000/1001 | 05:00:00;00 | 05:01:39;21 | 1 |
aaf/30fps.aaf                | - | 30 | 01:00:00:00 | 01:00:05:08 | 2 | 26
aaf/one_clip.aaf             | - | 24 | 01:00:00:00 | 01:00:00:10 | 1 |
aaf/timecode_test.aaf        | - | 24 | 01:00:00:00 | 01:00:02:00 | 2 | 24
"""
REFUSED = {
    "cmx3600/multi_audio.edl": "holds sound only; export the list of the video track",
    "fcp7/premiere_example_filter.xml": "the XML is <filter>, not a sequence; export the whole sequence",
}


def rows(table: str) -> list[Any]:
    """The lines of a table as test cases named by their file."""
    cells = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return [pytest.param(*row, id=row[0]) for row in cells]


def expected_cuts(text: str) -> list[tuple[int, str, int]]:
    """Frame, kind and length of every cut as the table writes it."""
    kinds = {"d": "dissolve", "f": "fade", None: "cut"}
    found = [re.fullmatch(r"(\d+)(?:([df])(\d+))?", word) for word in text.split()]
    return [(int(m[1]), kinds[m[2]], int(m[3] or 0)) for m in found if m]


def assert_whole(programme: CutList) -> None:
    """Shots end to end, and a cut wherever two of them meet."""
    edges = [shot.start for shot in programme.shots] + [programme.shots[-1].end]
    assert edges[0] == 0
    assert edges[-1] == programme.frames
    assert [shot.end for shot in programme.shots] == edges[1:]
    assert [cut.frame for cut in programme.cuts] == edges[1:-1]
    assert all(cut.time == cut.frame / programme.rate for cut in programme.cuts)


@pytest.mark.parametrize(("file", "given", "rate", "start", "end", "shots", "cuts"), rows(EDLS) + rows(OTHERS))
def test_read_as_a_person_reads_it(
    shared: Path, file: str, given: str, rate: str, start: str, end: str, shots: str, cuts: str
) -> None:
    programme = read(shared / "timelines" / file, rate=None if given == "-" else given)
    assert programme.rate == Fraction(rate)
    assert (str(programme.start), str(programme.start + programme.frames)) == (start, end)
    assert [(cut.frame, cut.kind, cut.length) for cut in programme.cuts] == expected_cuts(cuts)
    assert sum(not shot.black for shot in programme.shots) == int(shots)
    assert_whole(programme)


@pytest.mark.parametrize("file", REFUSED)
def test_what_nobody_could_read_is_refused_in_one_line(shared: Path, file: str) -> None:
    with pytest.raises(CutListError) as caught:
        read(shared / "timelines" / file)
    message = str(caught.value)
    assert REFUSED[file] in message
    assert Path(file).name in message
    assert "\n" not in message


def test_no_real_file_is_left_out(shared: Path) -> None:
    listed = {row.values[0] for row in rows(EDLS) + rows(OTHERS)} | set(REFUSED) | {"cmx3600/speed_effects.edl"}
    truth = json.loads((shared / "timelines" / "truth.json").read_text())
    assert listed == set(truth)


def test_a_list_of_548_shots_cuts_wherever_its_text_records_in(shared: Path) -> None:
    path = shared / "timelines" / "cmx3600" / "speed_effects.edl"
    lines = [line.split() for line in path.read_text().splitlines()]
    events = [words for words in lines if len(words) == 8 and words[2] == "V"]
    labels = [label for words in events for label in words[-2:]]
    frames = sorted({Timecode.parse(label, Fraction(24)).frame - 86400 for label in labels})
    programme = read(path, rate=24)
    assert len(events) == 548
    assert [0, *(cut.frame for cut in programme.cuts), programme.frames] == frames
    assert all(cut.kind == "cut" for cut in programme.cuts)


@pytest.mark.parametrize(("file", "given"), [row.values[:2] for row in rows(EDLS)])
def test_every_cut_of_an_edl_stands_in_its_text(shared: Path, file: str, given: str) -> None:
    path = shared / "timelines" / file
    programme = read(path, rate=None if given == "-" else given)
    text = path.read_text(errors="replace")
    hard = [cut.frame for cut in programme.cuts if cut.kind == "cut"]
    assert all(str(programme.start + frame).replace(";", ":") in text.replace(";", ":") for frame in hard)


def test_public_reader_agrees_where_it_is_right(shared: Path) -> None:
    """Single-track files without transitions that the public adapters read: the same edges, found by other people's code."""
    truth = json.loads((shared / "timelines" / "truth.json").read_text())
    checked = 0
    for file, seen in truth.items():
        tracks = seen.get("video_tracks", [])
        if (
            len(tracks) != 1
            or not tracks[0]
            or file.startswith(("fcpxml", "edl"))
            or "transition" in file
            or "example.otio" in file
        ):
            continue
        programme = read(shared / "timelines" / file, assume=Fraction(24))
        edges = [round(item["start"]) for item in tracks[0]][1:]
        assert [cut.frame for cut in programme.cuts] == edges, file
        if seen["start"]:
            assert programme.start.frame == round(seen["start"]["frames"]), file
        checked += 1
    assert checked >= 10


def test_markers_of_real_files(shared: Path) -> None:
    timelines = shared / "timelines"
    edl = read(timelines / "cmx3600" / "screening_example.edl", rate=24)
    assert [(m.frame, m.name, m.colour) for m in edl.markers] == [
        (195, "ANIM FIX NEEDED", "RED"),  # LOC 01:00:01:14 in a list from 00:59:53:11
        (219, "ANIM FIX NEEDED", "PINK"),
        (530, "", "GREEN"),
    ]
    same = read(timelines / "otio" / "screening_example.otio")
    assert [(m.frame, m.name, m.colour) for m in same.markers] == [(m.frame, m.name, m.colour) for m in edl.markers]
    avid = read(timelines / "aaf" / "one_clip.aaf")
    assert [(m.frame, m.name, m.colour) for m in avid.markers] == [(0, "ppjoshm_1.gt_1", "Blue")]
    premiere = read(timelines / "otio" / "premiere_example.otio")
    assert [(m.frame, m.name) for m in premiere.markers] == [(113, "My MArker 1"), (298, ""), (395, ""), (492, "dsf")]


def test_markers_that_final_cut_hides_are_hidden(shared: Path) -> None:
    folder = shared / "timelines" / "fcpxml_dawfilekit"
    seen = [(m.frame, m.name) for m in read(folder / "Occlusion.fcpxml").markers]
    in_sight = [(0, "Marker on Start"), (360, "Marker in Middle"), (719, "Marker 1 Frame Before End"), (1080, "Marker in Middle")]
    assert seen == in_sight
    numbered = {m.name: m.frame for m in read(folder / "TransitionMarkers1.fcpxml").markers}
    frames = (0, 12, 24, 228, 240, 252, 468, 480, 492, 696, 708)
    assert numbered == {f"Marker {number}": frame for number, frame in enumerate(frames, 1)}


def test_reels_sources_and_speeds_for_the_conform(shared: Path) -> None:
    timelines = shared / "timelines"
    rate = Fraction(25)
    first, *_, third = read(timelines / "edl_guerilla" / "PLATES.EDL", rate=25).shots
    assert (first.reel, first.source_in) == ("REDACTED", Timecode.parse("11:16:51:12", rate).seconds)
    assert third.source_in == Timecode.parse("22:11:38:02", rate).seconds
    reverse = read(timelines / "edl_guerilla" / "REVERSE.EDL").shots[0]
    assert (reverse.speed, reverse.source_in) == (-1, Timecode.parse("09:13:03:09", rate).seconds)
    half = read(timelines / "edl_guerilla" / "TIMEWARP_HALF.EDL").shots[0]
    assert half.speed == Fraction(1, 2)
    frozen = read(timelines / "cmx3600" / "speed_effects_small.edl", rate=24).shots[2]
    assert (frozen.name, frozen.speed) == ("Z682_156 (LAY3) FF", 0)
    dissolve = read(timelines / "cmx3600" / "dissolve_test.edl", rate=24).shots
    assert [shot.name for shot in dissolve] == ["clip_A", "clip_B"]
    assert dissolve[1].source_in == Timecode.parse("01:00:08:13", Fraction(24)).seconds  # five frames into the mix
    tape = read(timelines / "aaf" / "timecode_test.aaf").shots
    assert [shot.source_in for shot in tape] == [1, 3601]
