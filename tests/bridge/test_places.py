"""Places as a composer writes them: colons count as the film does, and what no project has is refused in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sittings import on, saved, scored

from bridge.calls import answer
from bridge.places import Place
from bridge.project import Project
from bridge.studio import Studio
from engines.errors import OptionError
from engines.picture.timecode import RATES, Timecode, drops
from engines.session.model import Session
from main import main

NTSC = Fraction(30000, 1001)
HOUR = Timecode.parse("01:00:00;00", NTSC)
DROPPED, STRAIGHT = HOUR.seconds, Timecode.parse("01:00:00:00", NTSC).seconds
"""Where the label of an hour lies by either counting: 108 frames apart."""
DROP, PLAIN, FILM = Timecode(0, NTSC, True), Timecode(0, NTSC), Timecode(0, Fraction(24))


def test_the_two_countings_are_108_frames_apart() -> None:
    assert (STRAIGHT - DROPPED) * NTSC == 108
    assert (Fraction(107892 * 1001, 30000), Fraction("3603.6")) == (DROPPED, STRAIGHT)


@pytest.mark.parametrize(
    ("text", "film", "seconds", "words"),
    [
        ("01:00:00:00", DROP, DROPPED, "01:00:00;00 (drop-frame), 3599.996 s"),
        ("01:00:00;00", DROP, DROPPED, "01:00:00;00 (drop-frame), 3599.996 s"),
        ("01:00:00:00 ndf", DROP, STRAIGHT, "01:00:00:00 (non-drop), 3603.600 s"),
        ("01:00:00:00NDF", DROP, STRAIGHT, "01:00:00:00 (non-drop), 3603.600 s"),
        ("01:00:00:00", PLAIN, STRAIGHT, "01:00:00:00 (non-drop), 3603.600 s"),
        ("01:00:00;00", PLAIN, DROPPED, "01:00:00;00 (drop-frame), 3599.996 s"),
        ("01:00:00:00 df", PLAIN, DROPPED, "01:00:00;00 (drop-frame), 3599.996 s"),
        ("01:00:00:00", FILM, Fraction(3600), "01:00:00:00, 3600.000 s"),
        ("12.5", DROP, Fraction(25, 2), "12.500 s"),
    ],
)
def test_colons_count_as_the_film_does_and_signs_say_otherwise(text: str, film: Timecode, seconds: Fraction, words: str) -> None:
    place = Place.in_project(text, film)
    assert (place.seconds, place.words) == (seconds, words)
    counts = None if place.label is None or place.label.drop == film.drop else place.label.drop
    assert place.drop == counts


@given(st.sampled_from(RATES), st.booleans(), st.integers(0, 86_000 * 24))
def test_a_label_of_the_films_own_timecode_is_read_back(rate: Fraction, drop: bool, frame: int) -> None:
    label = Timecode(frame, rate, drop and drops(rate) > 0)
    for written in {str(label), str(label).replace(";", ":")}:
        assert Place.of(written, label, "at") == Place(label.seconds, label)
    assert Place.shown(label.seconds, label) == Place(label.seconds, label)


@pytest.mark.parametrize(
    ("text", "film", "line"),
    [
        ("00:01:00;00", DROP, "00:01:00;00 does not exist in drop-frame; that minute begins with 00:01:00;02"),
        ("00:01:00:01", DROP, "does not exist in drop-frame; that minute begins with 00:01:00;02; non-drop is written 00:01:00:01 ndf"),
        ("00:01:00;00 ndf", DROP, "counts both ways"),
        ("01:00:00;00", FILM, "drop-frame does not exist at 24 fps"),
        ("25:00:00:00", FILM, "beyond the 24 hours"),
        ("24:00:00:00", DROP, "beyond the 24 hours"),
        ("86400", FILM, "beyond the 24 hours"),
        ("-5", FILM, "before the project begins"),
        ("-00:00:05:00", FILM, "before the project begins"),
        *((text, FILM, "is no place") for text in ("nan", "inf", "xx", "", "1e400", "9" * 4000, "9" * 5000)),
        ("00:00:61:00", FILM, "beyond 59"),
    ],
)  # fmt: skip
def test_what_no_project_has_is_one_line_that_says_where_it_was_written(text: str, film: Timecode, line: str) -> None:
    with pytest.raises(OptionError) as told:
        Place.in_project(text, film, "--here")
    assert line in str(told.value)
    assert str(told.value).startswith("--here: ")
    assert told.value.cure
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(("text", "film"), [("23:59:59:23", FILM), ("23:59:59;29", DROP), ("0", FILM)])
def test_the_first_and_the_last_frame_of_a_day_are_places(text: str, film: Timecode) -> None:
    assert Place.in_project(text, film).seconds >= 0


@pytest.fixture
def session(trio: str) -> Session:
    return on(scored((3, 3)), HOUR)


@pytest.fixture
def file(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return saved(session, tmp_path / "cue.hitpoint")


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def asked(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return asked


def test_a_film_in_drop_frame_lies_where_its_own_hour_does(file: Path, run: Run) -> None:
    code, out, err = run("place", file, "--at", "01:00:00:00", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["at"] == "01:00:00;00 (drop-frame), 3599.996 s"
    assert told["at_s"] == round(float(DROPPED), 9)
    assert "01:00:00;00 (drop-frame), 3599.996 s" in err
    assert Project.of(file) == Project(at=DROPPED)
    run("place", file, "--at", "01:00:00:00 ndf", "--json")
    assert Project.of(file) == Project(at=STRAIGHT, drop=False), "and that the project counts otherwise is kept"
    code, out, _ = run("place", file, "--json")
    assert json.loads(out)["at"] == "01:00:00:00 (non-drop), 3603.600 s"
    run("place", file, "--at", "3600", "--json")
    assert Project.of(file) == Project(at=Fraction(3600))


def test_what_fails_is_one_line_all_the_same(file: Path, run: Run) -> None:
    code, _, err = run("place", file, "--daw", "ardour", "--project", file, "--at", "01:00:00:00")
    assert (code, err.count("\n")) == (2, 1)
    assert not file.with_suffix(".daw.json").exists()


def test_the_wire_counts_as_the_film_does(file: Path) -> None:
    studio = Studio()
    try:
        studio.open_session(file)
        told = answer(studio, "/hitpoint/daw/project", {"daw": "generic", "at": "01:00:00:00"})
        assert (told["at_s"], told["at"]) == (round(float(DROPPED), 9), "01:00:00;00 (drop-frame), 3599.996 s")
        for text in ("-5", "25:00:00:00", "00:01:00;00", "nan"):
            with pytest.raises(OptionError):
                answer(studio, "/hitpoint/daw/project", {"at": text})
        assert Project.of(file) == Project("generic", DROPPED)
    finally:
        studio.close()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("place", "--at", "-5"), "--at: '-5' lies before the project begins"),
        (("place", "--at", "25:00:00:00"), "--at: '25:00:00:00' lies beyond the 24 hours"),
        (("place", "--at", "00:01:00;00"), "--at: timecode 00:01:00;00 does not exist in drop-frame"),
        (("play", "--from", "nan"), "--from: 'nan' is no place"),
        (("play", "--to", "soon"), "--to: 'soon' is no place"),
        (("play", "--from", "00:01:00:00"), "--from: timecode 00:01:00:00 does not exist in drop-frame"),
        (("daw", "locate", "xx", "--daw", "reaper"), "locate: 'xx' is no place"),
    ],
)
def test_a_place_that_is_none_names_the_option_that_was_given(file: Path, run: Run, words: tuple[str, ...], line: str) -> None:
    code, out, err = run(words[0], file, *words[1:])
    assert (code, out) == (2, "")
    assert err.startswith(f"hitpoint: {line}")
    assert err.count("\n") == 1
    assert not file.with_suffix(".daw.json").exists()
