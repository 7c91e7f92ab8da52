"""FCPXML and FCP7 XML of the kinds that the real files beside the project do not show."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from engines.errors import CutListError
from engines.picture.cutlist import CutList, read

NTSC = Fraction(30000, 1001)
RESOURCES = """
<format id="r1" frameDuration="100/2400s"/>
<format id="r2" frameDuration="1001/24000s"/>
<asset id="a1" name="CAM1" start="0s" duration="100s" hasVideo="1" hasAudio="1" format="r1"/>
<asset id="a2" name="SOUND" start="0s" duration="100s" hasAudio="1"/>
<media id="m1" name="Compound"><sequence format="r1" duration="20s" tcStart="0s"><spine>
  <asset-clip ref="a1" name="in1" offset="0s" duration="10s"/>
  <transition offset="9s" duration="2s"><filter-video name="Cross Dissolve"/></transition>
  <asset-clip ref="a1" name="in2" offset="10s" start="50s" duration="10s"/>
</spine></sequence></media>
<media id="m2" name="Multicam"><multicam format="r1" tcStart="0s">
  <mc-angle name="A" angleID="A"><asset-clip ref="a1" name="angle A" offset="0s" duration="60s"/></mc-angle>
  <mc-angle name="B" angleID="B"><asset-clip ref="a1" name="angle B1" offset="0s" duration="10s"/>
    <gap offset="10s" duration="2s"/><asset-clip ref="a1" name="angle B2" offset="12s" duration="48s"/></mc-angle>
</multicam></media>
"""


@pytest.fixture
def fcpxml(tmp_path: Path):
    """Wraps the contents of a spine into a project and reads it."""

    def reading(spine: str, sequence: str = 'format="r1" tcStart="0s" tcFormat="NDF"', resources: str = RESOURCES) -> CutList:
        path = tmp_path / "project.fcpxml"
        path.write_text(
            f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.10"><resources>{resources}</resources>'
            f'<project name="P"><sequence {sequence}><spine>{spine}</spine></sequence></project></fcpxml>'
        )
        return read(path)

    return reading


def cuts(programme: CutList) -> list[tuple[int, str, int]]:
    return [(cut.frame, cut.kind, cut.length) for cut in programme.cuts]


def shots(programme: CutList) -> list[tuple[int, str]]:
    return [(shot.start, "black" if shot.black else shot.name) for shot in programme.shots]


def test_compound_clips_are_opened(fcpxml) -> None:
    programme = fcpxml('<ref-clip ref="m1" name="c" offset="0s" start="5s" duration="10s"/>')
    assert shots(programme) == [(0, "in1"), (120, "in2")]
    assert cuts(programme) == [(120, "dissolve", 48)]
    assert programme.shots[1].source_in == 50


def test_compound_clips_at_half_speed_and_of_a_pulled_down_rate(fcpxml) -> None:
    slow = '<timeMap><timept time="0s" value="0s"/><timept time="40s" value="20s"/></timeMap>'
    programme = fcpxml(f'<ref-clip ref="m1" name="c" offset="0s" duration="40s">{slow}</ref-clip>')
    assert cuts(programme) == [(480, "dissolve", 96)]
    assert programme.shots[1].speed == Fraction(1, 2)
    pulled = RESOURCES.replace('<sequence format="r1" duration="20s"', '<sequence format="r2" duration="20020/1000s"')
    pulled = pulled.replace('duration="10s"/>\n  <tr', 'duration="240240/24000s"/>\n  <tr').replace(
        'offset="10s" start', 'offset="240240/24000s" start'
    )
    pulled = pulled.replace('offset="9s" duration="2s"', 'offset="216216/24000s" duration="48048/24000s"')
    programme = fcpxml(
        '<ref-clip ref="m1" offset="0s" duration="20s"><conform-rate srcFrameRate="23.98"/></ref-clip>', resources=pulled
    )
    assert cuts(programme) == [(240, "dissolve", 48)]


def test_multicam_shows_the_angle_that_is_switched_on(fcpxml) -> None:
    programme = fcpxml(
        '<mc-clip ref="m2" offset="0s" duration="5s"><mc-source angleID="A" srcEnable="all"/></mc-clip>'
        '<mc-clip ref="m2" offset="5s" start="5s" duration="10s"><mc-source angleID="A" srcEnable="audio"/>'
        '<mc-source angleID="B" srcEnable="video"/></mc-clip>'
    )
    assert shots(programme) == [(0, "angle A"), (120, "angle B1"), (240, "black"), (288, "angle B2")]


def test_synchronised_clips_show_their_picture(fcpxml) -> None:
    programme = fcpxml(
        '<sync-clip name="sync" offset="0s" start="2s" duration="6s">'
        '<spine><asset-clip ref="a1" name="take" offset="0s" duration="5s"/><asset-clip ref="a1" offset="5s" duration="5s"/></spine>'
        '<asset-clip ref="a2" lane="-1" offset="0s" duration="10s"/></sync-clip>'
    )
    assert shots(programme) == [(0, "take"), (72, "sync")]


def test_disabled_clips_sound_and_auditions(fcpxml) -> None:
    programme = fcpxml(
        '<asset-clip ref="a1" name="one" offset="0s" duration="4s">'
        '<asset-clip ref="a1" name="off" lane="1" offset="1s" duration="1s" enabled="0"/>'
        '<asset-clip ref="a2" name="sound" lane="1" offset="1s" duration="1s"/>'
        '<asset-clip ref="a1" name="heard" lane="2" offset="1s" duration="1s" srcEnable="audio"/>'
        '<title name="words" lane="3" offset="1s" duration="1s"/>'
        '<audition lane="4" offset="2s"><asset-clip ref="a1" name="picked" duration="1s"/>'
        '<asset-clip ref="a1" name="not" duration="2s"/></audition></asset-clip>'
        '<asset-clip ref="a1" name="two" offset="4s" duration="1s" enabled="0"/>'
        '<asset-clip ref="a1" name="three" duration="1s"/>'
    )
    assert shots(programme) == [(0, "one"), (48, "picked"), (72, "one"), (96, "black"), (120, "three")]


def test_what_lies_below_shows_through_gaps_only(fcpxml) -> None:
    under = '<video ref="a1" name="under" lane="-1" offset="3600s" duration="4s"/>'
    over = '<asset-clip ref="a1" name="main" offset="4s" duration="4s"><video ref="a1" name="hid" lane="-1" offset="0s" duration="2s"/>'
    programme = fcpxml(f'<gap offset="0s" start="3600s" duration="4s">{under}</gap>{over}</asset-clip>')
    assert shots(programme) == [(0, "under"), (96, "main")]


def test_dips_and_transitions_of_sound_alone(fcpxml) -> None:
    programme = fcpxml(
        '<asset-clip ref="a1" name="one" offset="0s" duration="4s"/>'
        '<transition name="Fade To Color" offset="3s" duration="2s"/>'
        '<asset-clip ref="a1" name="two" offset="4s" duration="4s"/>'
        '<transition offset="7s" duration="2s"><filter-audio name="Audio Crossfade"/></transition>'
        '<asset-clip ref="a1" name="three" offset="8s" duration="4s"/>'
    )
    assert cuts(programme) == [(96, "fade", 48), (192, "cut", 0)]


@pytest.mark.parametrize(
    ("given", "rate"),
    [
        ('frameDuration="1001/24000s"', "24000/1001"),
        ('frameDuration="2002/48000s"', "24000/1001"),
        ('frameDuration="1001/60000s"', "60000/1001"),
        ('frameDuration="0.04s"', "25"),
        ('name="FFVideoFormat1080p2398"', "24000/1001"),
        ('name="FFVideoFormatDV720x480i5994"', "30000/1001"),
        ('name="FFVideoFormat1080i50"', "25"),
    ],
)
def test_rates_by_frame_duration_or_name(fcpxml, given: str, rate: str) -> None:
    clip = '<gap offset="0s" duration="10s"/><video ref="x" duration="10s"/>'
    assert fcpxml(clip, resources=f'<format id="r1" {given}/>').rate == Fraction(rate)


def test_start_and_drop_frame_of_a_sequence(fcpxml) -> None:
    start = f"{107892 * 1001}/30000s"
    clip = f'<asset-clip ref="a1" offset="{start}" duration="{30 * 1001}/30000s"/><asset-clip ref="a1" duration="1001/1000s"/>'
    programme = fcpxml(clip, f'format="r1" tcStart="{start}" tcFormat="DF"', RESOURCES.replace("100/2400s", "1001/30000s"))
    assert (programme.rate, str(programme.start), cuts(programme)) == (NTSC, "01:00:00;00", [(30, "cut", 0)])


def test_a_bundle_is_read_by_what_it_holds(fcpxml, tmp_path: Path) -> None:
    fcpxml('<asset-clip ref="a1" duration="1s"/><asset-clip ref="a1" duration="1s"/>')
    bundle = tmp_path / "project.fcpxmld"
    bundle.mkdir()
    (tmp_path / "project.fcpxml").rename(bundle / "Info.fcpxml")
    assert cuts(read(bundle)) == [(24, "cut", 0)]


@pytest.mark.parametrize(
    ("spine", "said"),
    [
        (
            '<asset-clip ref="a1" name="x" offset="soon" duration="1s"/>',
            "<asset-clip> 'x' at offset soon: offset is 'soon', which is no time",
        ),
        ('<asset-clip ref="a1" offset="1/0s" duration="1s"/>', "offset is '1/0s', which is no time"),
        ('<asset-clip ref="a1" lane="up" offset="0s" duration="1s"/>', "lane is 'up', which is no number"),
        ('<asset-clip ref="a1" offset="0s" duration="99999999999s"/>', "too long to be true"),
    ],
)
def test_broken_elements_are_named(fcpxml, spine: str, said: str) -> None:
    with pytest.raises(CutListError) as caught:
        fcpxml(spine)
    assert said in str(caught.value)


def test_a_sequence_without_a_rate_takes_the_films(tmp_path: Path) -> None:
    path = tmp_path / "p.fcpxml"
    path.write_text('<fcpxml version="1.0"><project><sequence><spine><gap duration="2s"/></spine></sequence></project></fcpxml>')
    with pytest.raises(CutListError, match="no format says its frame rate"):
        read(path)
    assert read(path, assume=Fraction(25)).rate == 25


def test_entities_loops_and_depth_are_refused(fcpxml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.fcpxml"
    bomb.write_text('<?xml version="1.0"?><!DOCTYPE fcpxml [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><fcpxml>&c;</fcpxml>')
    with pytest.raises(CutListError, match="declares entities"):
        read(bomb)
    with pytest.raises(CutListError, match="nests deeper than"):
        fcpxml("<clip>" * 300 + "</clip>" * 300)
    loop = '<media id="m1"><sequence format="r1"><spine><ref-clip ref="m1" duration="9s"/></spine></sequence></media>'
    with pytest.raises(CutListError, match="clips nest without end"):
        fcpxml('<ref-clip ref="m1" duration="9s"/>', resources=f'<format id="r1" frameDuration="1/24s"/>{loop}')
    holder = '<media id="m{0}"><sequence format="r1"><spine>{1}</spine></sequence></media>'
    many = "".join(holder.format(n, f'<ref-clip ref="m{n + 1}" duration="1/{10**n}s"/>' * 10) for n in range(12))
    leaf = holder.format(12, '<video duration="1s"/>')
    monkeypatch.setattr("engines.picture.cutlists.fcpxml.MOST_PIECES", 3000)
    with pytest.raises(CutListError, match="more clips than any programme has"):
        fcpxml('<ref-clip ref="m0" duration="9s"/>', resources=f'<format id="r1" frameDuration="1/24s"/>{many}{leaf}')


def item(start: int, end: int, name: str, more: str = "") -> str:
    laid = f"<start>{start}</start><end>{end}</end><in>0</in><out>{max(end - start, 50)}</out>"
    return f"<clipitem><name>{name}</name>{laid}{more}</clipitem>"


def transition(start: int, end: int, name: str = "Cross Dissolve") -> str:
    return f"<transitionitem><start>{start}</start><end>{end}</end><effect><name>{name}</name></effect></transitionitem>"


def sequence(*tracks: str, number: int = 1, more: str = "", rate: str = "<timebase>24</timebase><ntsc>TRUE</ntsc>") -> str:
    laid = "".join(f"<track>{track}</track>" for track in tracks)
    name = f'<sequence id="s{number}"><name>S{number}</name><rate>{rate}</rate>{more}'
    return f"{name}<media><video>{laid}</video></media></sequence>"


@pytest.fixture
def fcp7(tmp_path: Path):
    """Wraps sequences into an xmeml file and reads it."""

    def reading(body: str) -> CutList:
        path = tmp_path / "sequence.xml"
        path.write_text(f'<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE xmeml><xmeml version="5">{body}</xmeml>')
        return read(path)

    return reading


def test_clips_that_begin_and_end_in_transitions(fcp7) -> None:
    programme = fcp7(
        sequence(
            transition(0, 12)
            + item(-1, -1, "a")
            + transition(90, 110)
            + item(-1, 200, "b")
            + transition(195, 205, "Dip to Black")
            + item(200, -1, "c")
            + transition(290, 300)
        )
    )
    assert programme.rate == Fraction(24000, 1001)
    assert shots(programme) == [(0, "a"), (100, "b"), (200, "c"), (299, "black")]
    assert cuts(programme) == [(100, "dissolve", 20), (200, "fade", 10), (299, "fade", 10)]
    assert [shot.source_in for shot in programme.shots[:3]] == [0, 10 / programme.rate, 0]


def test_tracks_titles_and_what_is_switched_off(fcp7) -> None:
    programme = fcp7(
        sequence(
            item(0, 100, "a") + item(100, 200, "b"),
            item(20, 40, "over") + item(50, 60, "title", "<alphatype>straight</alphatype>"),
            item(120, 140, "off", "<enabled>FALSE</enabled>"),
            item(150, 160, "track off") + "<enabled>FALSE</enabled>",
        )
    )
    assert shots(programme) == [(0, "a"), (20, "over"), (40, "a"), (100, "b")]


def test_nested_sequences_start_and_markers(fcp7) -> None:
    inner = sequence(item(0, 50, "in1") + item(50, 100, "in2"), number=2)
    thirty = "<timebase>30</timebase><ntsc>TRUE</ntsc>"
    code = f"<timecode><rate>{thirty}</rate><frame>107892</frame><displayformat>DF</displayformat></timecode>"
    marks = "<marker><name>hit</name><comment>her turn</comment><in>70</in><out>-1</out></marker>"
    laid = "<name>n</name><start>100</start><end>160</end><in>20</in><out>80</out>"
    nest = f"<clipitem>{laid}{inner}<marker><name>x</name><in>30</in></marker></clipitem>"
    again = '<clipitem><name>n</name><start>160</start><end>180</end><in>40</in><out>60</out><sequence id="s2"/></clipitem>'
    inner_rate = nest.replace("<timebase>24</timebase><ntsc>TRUE</ntsc>", thirty)
    programme = fcp7(sequence(item(0, 100, "a") + inner_rate + again, more=code + marks, rate=thirty))
    assert str(programme.start) == "01:00:00;00"
    assert shots(programme) == [(0, "a"), (100, "in1"), (130, "in2"), (160, "in1"), (170, "in2")]
    assert [(m.frame, m.name, m.comment) for m in programme.markers] == [(70, "hit", "her turn"), (110, "x", "")]


def test_speeds_of_clips(fcp7) -> None:
    def warp(value: str, reverse: str) -> str:
        values = {"speed": value, "reverse": reverse}.items()
        found = "".join(f"<parameter><parameterid>{k}</parameterid><value>{v}</value></parameter>" for k, v in values)
        return f"<filter><effect><effectid>timeremap</effectid>{found}</effect></filter>"

    programme = fcp7(sequence(item(0, 50, "a", warp("50", "FALSE")) + item(50, 100, "b", warp("100", "TRUE"))))
    assert [shot.speed for shot in programme.shots] == [Fraction(1, 2), -1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (sequence(item(-1, 50, "lost")), "<clipitem> 'lost': it begins in a transition, and there is none before it"),
        (sequence(item(0, -1, "lost")), "<clipitem> 'lost': it ends in a transition, and there is none after it"),
        (sequence(item(0, 50, "a").replace("<start>0", "<start>soon")), "<start> is 'soon', which is no number"),
        (sequence(item(0, 50, "a"), rate="<timebase>0</timebase>"), "a timebase of 0"),
        ("<clip><name>c</name></clip>", "there is no sequence in this XML"),
        (sequence('<clipitem><start>0</start><end>9</end><sequence id="s1"/></clipitem>'), "sequences nest without end"),
    ],
)
def test_broken_sequences_are_named(fcp7, body: str, said: str) -> None:
    with pytest.raises(CutListError) as caught:
        fcp7(body)
    assert said in str(caught.value)
