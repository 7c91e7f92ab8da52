"""Timecode that names a rate and runs a thousandth off it, or counts otherwise than the film: told apart, with how far and the cure."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from sittings import on, saved, scored
from tape import Path as Course
from tape import Steady, Vary, fed, heard, mtc, nanoseconds

from bridge import checkup as checking
from bridge.chase import Chase, Standing
from bridge.checkup import checkup
from bridge.daw import Address
from bridge.doctor import Finding, source
from bridge.midi_clock import ClockReader
from bridge.mtc import MtcReader
from bridge.places import Place
from bridge.project import Project
from engines.picture.timecode import Timecode

FILM, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
FASTER, SLOWER = 1.001, 1 / 1.001
JITTERS = [0.0, 0.0005, 0.002, 0.005, 0.02]


def standing(
    picture: Fraction,
    course: Course,
    drop: bool = False,
    jitter: float = 0.0,
    seconds: float = 8.0,
    labels: Fraction | None = None,
) -> tuple[Chase, Standing]:
    """A chase that timecode has been running into along a course, its labels numbered at a rate, the picture's by default."""
    chase, reader = Chase(picture), MtcReader("MTC", picture)
    stream = mtc(course, labels or picture, drop, 0, seconds)
    for _ in fed(chase, reader.feed, heard(stream, 3, jitter)):
        pass
    (found,) = chase.standings(nanoseconds(seconds))
    return chase, found


@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize(("rate", "real", "drop"), [(FILM, 24, False), (NTSC, 30, False), (NTSC, 30, True)])
def test_a_whole_rate_against_a_pulled_down_film_is_a_fault(rate: Fraction, real: int, drop: bool, jitter: float) -> None:
    """Its labels are those of the film, and pass a thousandth faster."""
    chase, found = standing(rate, Steady(100, FASTER), drop, jitter)
    told = source(found, rate, drop)
    assert (found.real, told.state) == (real, "broken")
    assert told.facts["real_rate"] == str(real)
    assert f"{real} fps" in told.said
    assert f"{float(rate):.5g} fps" not in told.said
    assert "3.6 s an hour away" in told.cure
    assert f"set the project's frame rate in the DAW to {float(rate):.5g}, or pull the film up to {real}" in told.cure
    assert f"at {real} fps" in chase.at(nanoseconds(8)).why


@pytest.mark.parametrize("jitter", JITTERS)
@pytest.mark.parametrize(("rate", "drop"), [(FILM, False), (NTSC, False), (NTSC, True)])
def test_a_pulled_down_rate_that_rides_under_the_code_of_a_whole_one_is_well(rate: Fraction, drop: bool, jitter: float) -> None:
    _, found = standing(rate, Steady(100), drop, jitter)
    told = source(found, rate, drop)
    assert found.real == rate
    assert told.state == "well" or (jitter > 0.01 and "restless" in told.cure)
    assert f"{float(rate):.5g} fps" in told.said


def test_a_pulled_down_rate_against_a_whole_film_is_told_as_before() -> None:
    _, found = standing(Fraction(24), Steady(100, SLOWER), jitter=0.002)
    assert (found.real, source(found, Fraction(24), False).state) == (FILM, "odd")
    assert "it says 24 fps and runs at 23.976" in found.remark


@pytest.mark.parametrize("jitter", [0.0, 0.002])
@pytest.mark.parametrize("speed", [0.5, 0.98, 1.0005, 1.002, 1.01, 2.0, -1.02])
def test_another_speed_is_varispeed_and_no_fault(speed: float, jitter: float) -> None:
    _, found = standing(FILM, Steady(100, speed), jitter=jitter)
    assert (found.pace, found.real, found.remark) == ("free", None, "")
    assert source(found, FILM, False).state == "well"


@pytest.mark.parametrize("jitter", [0.0, 0.002])
def test_varispeed_that_passes_through_a_thousandth_is_no_fault(jitter: float) -> None:
    course, chase, reader = Vary(0.99, 1.012, 4), Chase(FILM), MtcReader("MTC", FILM)
    for when in fed(chase, reader.feed, heard(mtc(course, FILM, False, 0, 30), 3, jitter)):
        for found in chase.standings(nanoseconds(when)):
            assert found.pace != "faster", when


@pytest.mark.parametrize("speed", [1.0001, 0.9999])
def test_the_clock_of_a_sound_card_is_no_other_rate(speed: float) -> None:
    for rate, course in ((FILM, Steady(100, speed)), (FILM, Steady(100, FASTER * speed))):
        _, found = standing(rate, course)
        assert found.pace == ("named" if course.speed == speed else "faster")


def test_before_a_thousandth_can_be_told_neither_rate_is_claimed() -> None:
    _, found = standing(FILM, Steady(100), jitter=0.002, seconds=1)
    assert found.undecided
    assert "23.976 or 24 fps (its speed tells once it rolls)" in source(found, FILM, False).said
    assert not standing(Fraction(25), Steady(100), seconds=1)[1].undecided


def test_a_beat_clock_says_nothing_of_rates() -> None:
    chase, reader = Chase(FILM), ClockReader("clock")
    for number in range(24 * 2 * 8):
        report = reader.feed(b"\xf8" if number else b"\xfa", nanoseconds(number / 48 / FASTER))
        if report is not None:
            chase.hear(report)
    (found,) = chase.standings(nanoseconds(8))
    assert (found.real, found.undecided) == (None, False)


def test_the_check_up_listens_until_it_can_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trio: str) -> None:
    """A second of timecode is too short for a thousandth: it goes on until the speed tells."""
    path = saved(on(scored((3,)), Timecode(0, FILM)), tmp_path / "cue.hitpoint")
    stream, clock, chases = iter(mtc(Steady(100, FASTER), FILM, False, 0, 20)), [0.0], list[Chase]()
    reader = MtcReader("MTC", FILM)

    class Turned:
        def now_ns(self) -> int:
            return nanoseconds(clock[0])

    def rested(seconds: float, watch: object) -> None:
        clock[0] += seconds
        for when, message in stream:
            report = reader.feed(message, nanoseconds(when))
            if report is not None:
                chases[0].hear(report)
            if when > clock[0] - 0.05:
                break

    made = checking._chase

    def kept(*given: object) -> tuple[Chase, bool | None]:
        chase, drop = made(*given)  # type: ignore[arg-type]
        chases.append(chase)
        return chase, drop

    monkeypatch.setattr(checking, "_chase", kept)
    monkeypatch.setattr(checking, "_inputs", list)
    monkeypatch.setattr(checking, "MonotonicClock", Turned)
    monkeypatch.setattr(checking, "rested", rested)
    found = of_timecode(checkup(path, ("folder",), 1.0, Address()).findings)
    assert found.state == "broken"
    assert "pull the film up to 24" in found.cure
    assert 2 < clock[0] < 8


def of_timecode(findings: tuple[Finding, ...]) -> Finding:
    (found,) = (finding for finding in findings if finding.link == "transport, MTC")
    return found


HOUR = Timecode.parse("01:00:00;00", NTSC)


@pytest.mark.parametrize(
    ("film", "daw", "words"),
    [
        (False, True, "it counts drop-frame and the film does not, 108 frames (3.6 s) away for every hour: set the DAW's project to"
         " 29.97 non-drop"),
        (True, False, "it counts non-drop and the film drop-frame, 108 frames (3.6 s) away for every hour: set the DAW's project to"
         " 29.97 drop-frame"),
        (True, True, ""), (False, False, ""),
    ],
)  # fmt: skip
def test_timecode_that_counts_otherwise_than_the_film_is_a_fault(film: bool, daw: bool, words: str) -> None:
    _, found = standing(NTSC, Steady(3600), daw)
    told = source(found, NTSC, film)
    assert told.state == ("broken" if words else "well")
    assert told.cure.startswith(words)
    assert (told.facts["drop"], told.facts["picture_drop"]) == (daw, film)
    assert source(found, NTSC).state == "well", "nothing is known of a film that is not there"


def test_the_check_up_knows_how_the_film_or_its_project_counts(tmp_path: Path, trio: str) -> None:
    path = saved(on(scored((3,)), HOUR), tmp_path / "cue.hitpoint")
    dropped, straight = (standing(NTSC, Steady(3600), drop)[1] for drop in (True, False))

    def state(heard: Standing) -> str:
        return of_timecode(checkup(path, ("folder",), 0, Address(), (heard,)).findings).state

    assert (state(dropped), state(straight)) == ("well", "broken")
    Project().but(at=Place.in_project("01:00:00:00 ndf", HOUR)).keep(path)
    assert (state(dropped), state(straight)) == ("broken", "well")
    Project().but(at=Place.in_project("01:00:00:00", HOUR)).keep(path)
    assert (state(dropped), state(straight)) == ("well", "broken")
