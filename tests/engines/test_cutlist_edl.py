"""EDLs as the programs of forty years write them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engines.errors import CutListError
from engines.picture.cutlist import CutList, read
from engines.picture.timecode import Timecode

NTSC = Fraction(30000, 1001)


@pytest.fixture
def edl(tmp_path: Path):
    """Writes the text of a list and reads it back."""

    def reading(text: str, rate: object = None, assume: Fraction | None = None) -> CutList:
        path = tmp_path / "list.edl"
        path.write_text(text)
        return read(path, rate=rate, assume=assume)

    return reading


def cuts(programme: CutList) -> list[tuple[int, str, int]]:
    return [(cut.frame, cut.kind, cut.length) for cut in programme.cuts]


def test_drop_frame_by_its_semicolons(edl) -> None:
    programme = edl(
        "TITLE: DROP\nFCM: DROP FRAME\n"
        "001  A1  V  C  00:00:00;00 00:01:00;02 01:00:00;00 01:01:00;02\n"
        "002  A2  V  C  00:00:00;00 00:09:00;00 01:01:00;02 01:10:00;00\n"
    )
    assert (programme.rate, str(programme.start)) == (NTSC, "01:00:00;00")
    assert (cuts(programme), programme.frames) == ([(1800, "cut", 0)], 17982)


def test_drop_frame_by_its_header_alone(edl) -> None:
    text = "FCM: DROP FRAME\n001 A V C 00:00:00:00 00:01:00:02 01:00:00:00 01:01:00:02\n"
    assert edl(text).frames == 1800
    assert edl(text.replace("DROP FRAME", "NON-DROP FRAME"), rate="29.97").frames == 1802


def test_drop_frame_of_sixty(edl) -> None:
    programme = edl("001 A V C 00:00:00;00 00:00:00;48 01:00:00;12 01:00:01;00\n")
    assert (programme.rate, programme.frames) == (Fraction(60000, 1001), 48)


def test_a_label_that_drop_frame_skips_names_its_line(edl) -> None:
    with pytest.raises(CutListError, match="line 2: timecode 01:01:00:00 does not exist in drop-frame"):
        edl("FCM: DROP FRAME\n001 A V C 00:00:00:00 00:00:10:00 01:00:50:00 01:01:00:00\n")


def test_drop_frame_at_a_rate_without_it(edl) -> None:
    with pytest.raises(CutListError, match=r"counts drop-frame, which 25 fps does not have; pass --rate 29.97"):
        edl("001 A V C 00:00:00;00 00:00:10;00 01:00:00;00 01:00:10;00\n", rate=25)


def test_fades_from_and_to_black(edl) -> None:
    programme = edl(
        "001 BL   V C        00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
        "002 BL   V C        00:00:02:00 00:00:02:00 01:00:02:00 01:00:02:00\n"
        "002 A001 V D    024 10:00:00:00 10:00:04:00 01:00:02:00 01:00:06:00\n"
        "003 A001 V C        10:00:04:00 10:00:04:00 01:00:06:00 01:00:06:00\n"
        "003 BL   V D    012 00:00:00:00 00:00:02:00 01:00:06:00 01:00:08:00\n"
        "004 A002 V C        11:00:00:00 11:00:02:00 01:00:08:00 01:00:10:00\n",
        rate=24,
    )
    # up from 2 s on; gone half a second after 6 s; back at 8 s
    assert cuts(programme) == [(48, "fade", 24), (156, "fade", 12), (192, "cut", 0)]
    assert [shot.black for shot in programme.shots] == [True, False, True, False]


def test_a_picture_that_is_gone_at_once_before_a_fade_up(edl) -> None:
    programme = edl(
        "001 A V C     00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
        "002 BL V C    00:00:00:00 00:00:00:00 01:00:02:00 01:00:02:00\n"
        "002 B V D 024 00:00:00:00 00:00:04:00 01:00:02:00 01:00:06:00\n",
        rate=24,
    )
    assert cuts(programme) == [(48, "fade", 24)]


def test_wipes_count_as_dissolves_and_keys_as_their_background(edl) -> None:
    programme = edl(
        "001 A V C        00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
        "002 A V C        00:00:02:00 00:00:02:00 01:00:02:00 01:00:02:00\n"
        "002 B V W023 010 05:00:00:00 05:00:02:00 01:00:02:00 01:00:04:00\n"
        "003 C V K B      06:00:00:00 06:00:02:00 01:00:04:00 01:00:06:00\n"
        "003 T V K    005 07:00:00:00 07:00:01:00 01:00:04:00 01:00:05:00\n",
        rate=24,
    )
    assert cuts(programme) == [(53, "dissolve", 10), (96, "cut", 0)]
    assert [shot.reel for shot in programme.shots] == ["A", "B", "C"]


def test_upper_tracks_cover_lower_ones(edl) -> None:
    programme = edl(
        "001 A V  C 00:00:00:00 00:00:10:00 01:00:00:00 01:00:10:00\n"
        "002 B V2 C 05:00:00:00 05:00:02:00 01:00:04:00 01:00:06:00\n",
        rate=24,
    )
    assert [(shot.start, shot.end, shot.reel) for shot in programme.shots] == [(0, 96, "A"), (96, 144, "B"), (144, 240, "A")]
    assert programme.shots[2].source_in == 6


def test_sound_is_passed_over_and_joined_tracks_are_not(edl) -> None:
    programme = edl(
        "001 A B    C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
        "002 A AA   C 00:00:00:00 00:00:09:00 01:00:00:00 01:00:09:00\n"
        "003 A A2/V C 09:00:00:00 09:00:02:00 01:00:02:00 01:00:04:00\n"
        "004 A NONE C 00:00:00:00 00:00:09:00 01:00:00:00 01:00:09:00\n"
        "005 V VA1A2 C 09:00:00:00 09:00:02:00 01:00:04:00 01:00:06:00\n",
        rate=24,
    )
    assert (cuts(programme), programme.frames) == ([(48, "cut", 0), (96, "cut", 0)], 144)


def test_reel_names_of_every_kind(edl) -> None:
    names = ["V", "A", "MY REEL 7", "A001_C002-0716X9", "005", "C"]
    lines = [
        f"{number:03}  {reel}  V  C  00:00:0{number}:00 00:00:0{number + 1}:00 01:00:0{number}:00 01:00:0{number + 1}:00"
        for number, reel in enumerate(names)
    ]
    assert [shot.reel for shot in edl("\n".join(lines), rate=24).shots] == names


@pytest.mark.parametrize("ending", ["\r\n", "\r", "\n", "\n\x00\x1a"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_line_endings_and_encodings(tmp_path: Path, ending: str, encoding: str) -> None:
    lines = ["TITLE: Café", "001 A V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00", "* FROM CLIP NAME: Été.mov", ""]
    path = tmp_path / "list.edl"
    path.write_bytes(ending.join(lines).encode(encoding))
    programme = read(path, rate=24)
    assert (programme.title, programme.shots[0].name) == ("Café", "Été.mov")


def test_lists_that_are_not_in_record_order(edl) -> None:
    first = "001 A V C 00:00:00:00 00:00:02:00 01:00:02:00 01:00:04:00\n"
    second = "002 B V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00\n"
    programme = edl(first + second, rate=24)
    assert (str(programme.start), [shot.reel for shot in programme.shots]) == ("01:00:00:00", ["B", "A"])


def test_over_midnight(edl) -> None:
    programme = edl(
        "001 A V C 00:00:00:00 00:00:02:00 23:59:58:00 00:00:00:00\n002 B V C 00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00\n",
        rate=24,
    )
    assert (str(programme.start), cuts(programme), programme.frames) == ("23:59:58:00", [(48, "cut", 0)], 96)


def test_marker_comments_of_resolve_on_shots(edl) -> None:
    programme = edl(
        "TITLE: Timeline 1\nFCM: NON-DROP FRAME\n\n"
        "001  AX       V     C        00:00:00:00 00:00:02:00 01:00:00:00 01:00:02:00  \n"
        "* FROM CLIP NAME: a.mov\n"
        "002  AX       V     C        00:00:10:00 00:00:12:00 01:00:02:00 01:00:04:00  \n"
        " |C:ResolveColorBlue |M:Marker 1 |D:1\n",
        rate=24,
    )
    marker = programme.markers[0]
    assert (marker.frame, marker.name, marker.colour, marker.length) == (48, "Marker 1", "Blue", 1)
    assert cuts(programme) == [(48, "cut", 0)]


def test_a_marker_export_of_resolve_has_no_shots(edl) -> None:
    programme = edl(
        "TITLE: Timeline 1\nFCM: NON-DROP FRAME\n\n"
        "001  001      V     C        01:00:05:00 01:00:05:01 01:00:05:00 01:00:05:01  \n"
        " |C:ResolveColorBlue |M:Marker 1 |D:1\n\n"
        "002  001      V     C        01:00:10:00 01:00:10:01 01:00:10:00 01:00:10:01  \n"
        "She turns |C:ResolveColorRed |M: Hit it |D:24\n",
        rate=24,
    )
    assert str(programme.start) == "01:00:00:00"
    assert not programme.cuts
    assert [(m.frame, m.name, m.comment, m.colour, m.length) for m in programme.markers] == [
        (120, "Marker 1", "", "Blue", 1),
        (240, "Hit it", "She turns", "Red", 24),
    ]


def test_a_clip_split_behind_its_dissolve_is_one_shot_but_other_cuts_in_one_reel_stay(edl) -> None:
    """Avid splits a clip at the end of its dissolve; a list made by scene detection is one reel, cut everywhere."""
    detected = "".join(
        f"{n:03} 001 V C 00:00:0{n}:00 00:00:0{n + 1}:00 00:00:0{n}:00 00:00:0{n + 1}:00\n* FROM CLIP NAME: film.mov\n"
        for n in range(4)
    )
    assert [cut.frame for cut in edl(detected, rate=24).cuts] == [24, 48, 72]


def test_the_rate_that_a_list_gives_away(edl) -> None:
    uneven = "001 A V C 00:00:00:20 00:00:02:10 01:00:00:05 01:00:01:20\n"  # 40 frames both, at 25 only
    assert edl(uneven).rate == 25
    assert edl(uneven, assume=Fraction(25)).rate == 25
    even = "001 A V C 00:00:00:00 00:00:02:10 01:00:00:00 01:00:02:10\n"
    assert edl(even, assume=Fraction(24000, 1001)).rate == Fraction(24000, 1001)
    with pytest.raises(
        CutListError, match=r"does not say its frame rate \(frame numbers here reach 10\); pass --rate 24 or 23.976"
    ):
        edl(even)
    film = "001 A V C 00:00:00:20 00:00:02:10 01:00:00:05 01:00:01:19\n"  # 38 frames both, at 24 only
    with pytest.raises(CutListError, match=r"pass --rate 24 or 23\.976$"):
        edl(film)
    assert edl("* RATE: 24000/1001\n" + film).rate == Fraction(24000, 1001)


def test_a_rate_that_the_labels_speak_against(edl) -> None:
    uneven = "".join(f"00{n} A V C 0{n}:00:00:20 0{n}:00:02:10 01:00:0{n}:05 01:00:0{n + 1}:20\n" for n in range(4))
    with pytest.raises(CutListError, match="do not come out even at 24 fps; this list counts 25 frames a second: pass --rate 25"):
        edl(uneven, rate=24)
    with pytest.raises(CutListError, match="line 1: timecode 01:00:01:24 has frames beyond 23"):
        edl("001 A V C 00:00:00:00 00:00:01:00 01:00:01:24 01:00:02:23\n", rate=24)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("TITLE: X\n001 A V C 00:00:00:00 00:00:01:00 01:00:0", "line 2 is an event that breaks off"),
        ("001 A V C 00:00:00:00 00:00:01:00 01:00:00:00\n", "line 1 is an event that breaks off"),
        ("001 A V C 00:00:00:00 00:00:01:00 01:00:01:00 01:00:00:00\n", "line 1: event 001 ends before it starts"),
        ("001 A V C 00:00:00:00 00:00:01:00 01:00:61:00 01:01:02:00\n", "line 1: timecode 01:00:61:00 has minutes or seconds"),
        ("001 A V C 00:00:00:00 00:00:00:00 01:00:00:00 01:00:00:00\n", "there is no picture in this cut list"),
        ("TITLE: nothing here\n", "there is no event in this EDL"),
        ("* RATE: fast\n001 A V C 00:00:00:00 00:00:01:00 01:00:00:00 01:00:01:00\n", "'fast' is not a frame rate"),
    ],
)
def test_broken_lists_name_the_line(edl, text: str, said: str) -> None:
    with pytest.raises(CutListError) as caught:
        edl(text, rate=None if "RATE" in text else 24)
    assert said in str(caught.value)
    assert "list.edl" in str(caught.value)


def test_source_timecode_of_another_count_does_not_hurt(edl) -> None:
    programme = edl("001 GOPRO V C 00:00:00:59 00:00:02:47 01:00:00:00 01:00:01:19\n", rate=24)
    assert programme.shots[0].source_in is None
    with pytest.raises(
        CutListError, match="line 1 has frame numbers beyond 23; this list counts 25 frames a second: pass --rate 25"
    ):
        edl("001 A V C 00:00:00:24 00:00:02:00 01:00:00:00 01:00:01:01\n", rate=24)


def test_start_by_the_first_event(edl) -> None:
    programme = edl("001 A V C 00:00:00:00 00:00:02:00 00:59:50:00 00:59:52:00\n", rate="23.976")
    assert programme.start == Timecode.parse("00:59:50:00", Fraction(24000, 1001))
