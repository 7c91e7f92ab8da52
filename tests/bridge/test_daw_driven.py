"""DAWs that are told to go: by their own OSC or web interface, by machine control with the bytes of the standard; and their markers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from live_double import LiveDouble
from reaper_double import WebReaper
from sittings import saved, scored

from bridge.calls import answer
from bridge.daw import Address, Transport
from bridge.daws import generic
from bridge.daws.generic import Generic
from bridge.driving import Driver, Went
from bridge.events import Event, Message
from bridge.ports import CONTROL, MemoryPort
from bridge.project import Project
from bridge.studio import Studio
from engines.errors import DawError, HitpointError, OptionError
from engines.picture.timecode import Timecode
from engines.score.smf import Score, write_smf
from engines.score.smf_reader import Marker
from engines.spotting.tempo import TempoMap

DEADLINE_S = 60.0
NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)


def job(studio: Studio, address: str, **given: Any) -> dict[str, Any]:
    """What came of a job that an address began."""
    begun = answer(studio, address, given)
    studio.jobs.job(begun["job"]).result(DEADLINE_S)
    done: dict[str, Any] = answer(studio, "/hitpoint/job", {"job": begun["job"]})["result"]
    return done


@pytest.fixture
def studio(trio: str, tmp_path: Path) -> Iterator[Studio]:
    made = Studio()
    made.open_session(saved(scored((3, 3)), tmp_path / "cue.hitpoint"))
    yield made
    made.close()


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> dict[str, MemoryPort]:
    """The ports out that a generic DAW opens, by name."""
    ports: dict[str, MemoryPort] = {}

    def opened(name: str, virtual: bool = False) -> MemoryPort:
        return ports.setdefault(f"{'virtual' if virtual else 'system'}:{name}", MemoryPort())

    monkeypatch.setattr(generic, "SystemPort", opened)
    return ports


def sent(port: MemoryPort) -> list[str]:
    return [message.hex(" ") for _, message in port.sent]


# RP-013: F0 7F device 06 command F7; LOCATE is 44 06 01 hr mn sc fr ff, and hr is 0tthhhhh with tt 00=24 01=25 10=30 drop 11=30
@pytest.mark.parametrize(
    ("film", "seconds", "label"),
    [
        (Timecode(0, Fraction(24)), Fraction(3600), "01 00 00 00 00"),
        (Timecode(0, FILM), Fraction(18018, 5), "01 00 00 00 00"),
        (Timecode(0, Fraction(25)), 3600 + Fraction(30, 25), "21 00 01 05 00"),
        (Timecode(0, Fraction(25)), Fraction(1, 50), "20 00 00 00 32"),
        (Timecode(0, NTSC, True), Timecode.parse("01:00:00;00", NTSC).seconds, "41 00 00 00 00"),
        (Timecode(0, NTSC, True), Timecode.parse("00:01:00;02", NTSC).seconds, "40 01 00 02 00"),
        (Timecode(0, Fraction(30)), Fraction(7261, 30), "60 04 02 01 00"),
        (Timecode(0, NTSC), Fraction(1001, 30), "60 00 21 0a 00"),
        (Timecode(0, Fraction(50)), Fraction(1, 50), "20 00 00 00 32"),
        (Timecode(0, 2 * FILM), 18018 * Fraction(1, 5), "01 00 00 00 00"),
    ],
)
def test_machine_control_has_the_bytes_of_the_standard(film: Timecode, seconds: Fraction, label: str) -> None:
    port = MemoryPort()
    daw = Generic(Address(film=film), port)
    daw.go(seconds)
    daw.go(rolling=True)
    daw.go(seconds, rolling=True)
    daw.go(rolling=False)
    locate = f"f0 7f 7f 06 44 06 01 {label} f7"
    assert sent(port) == [locate, "f0 7f 7f 06 02 f7", locate, "f0 7f 7f 06 03 f7", "f0 7f 7f 06 01 f7"]
    daw.close()


def test_a_rate_that_machine_control_has_not_is_one_line(tmp_path: Path) -> None:
    daw = Generic(Address(film=Timecode(0, Fraction(15))), MemoryPort())
    with pytest.raises(DawError, match="no 15 fps"):
        daw.go(Fraction(1))


def test_the_wire_has_a_daw_play_stop_and_go_by_machine_control(studio: Studio, wire: dict[str, MemoryPort]) -> None:
    """At the film's place in the DAW's timecode, out of a port that stays open; nothing is known of the DAW, and that is what is said."""
    answer(studio, "/hitpoint/daw/project", {"daw": "generic", "at": "01:00:00:00"})
    assert job(studio, "/hitpoint/daw/locate", seconds=2.5) == {"daw": "generic", "seconds": None, "rolling": None, "bpm": None}
    job(studio, "/hitpoint/daw/play")
    job(studio, "/hitpoint/daw/stop", daw="generic")
    assert list(wire) == [f"virtual:{CONTROL}"]
    port = wire[f"virtual:{CONTROL}"]
    assert sent(port) == ["f0 7f 7f 06 44 06 01 01 00 02 0c 00 f7", "f0 7f 7f 06 02 f7", "f0 7f 7f 06 01 f7"]
    job(studio, "/hitpoint/daw/stop", midi="system:IAC Bus 1")
    assert sent(wire["system:IAC Bus 1"]) == ["f0 7f 7f 06 01 f7"]
    assert answer(studio, "/hitpoint/daw", {}) == {
        "daw": "generic", "at_s": 3600.0, "at": "01:00:00:00, 3600.000 s", "project": None, "cue_tempo": False, "midi": None,
        "follows": None, "drives": None,
    }  # fmt: skip
    with pytest.raises(DawError, match="before the project"):
        job(studio, "/hitpoint/daw/locate", seconds=-3601)


def test_without_a_place_machine_control_counts_the_films_own_timecode(
    trio: str, tmp_path: Path, wire: dict[str, MemoryPort]
) -> None:
    session = scored((3, 3))
    programme = replace(session.programme, start=Timecode.parse("10:00:00:00", session.film.rate))
    studio = Studio()
    try:
        studio.open_session(saved(replace(session, programme=programme), tmp_path / "cue.hitpoint"))
        with pytest.raises(OptionError, match="which DAW"):
            answer(studio, "/hitpoint/daw/play", {})
        job(studio, "/hitpoint/daw/locate", seconds=1, daw="generic")
        assert sent(wire[f"virtual:{CONTROL}"]) == ["f0 7f 7f 06 44 06 01 0a 00 01 00 00 f7"]
    finally:
        studio.close()


def test_reaper_goes_where_the_film_is_told_to(studio: Studio) -> None:
    web = WebReaper()
    try:
        answer(studio, "/hitpoint/daw/project", {"daw": "reaper", "at": "01:00:00:00"})
        told = job(studio, "/hitpoint/daw/locate", seconds=2.5, port=web.port)
        assert (told["seconds"], told["rolling"]) == (2.5, False)
        assert web.position == 3602.5
        assert job(studio, "/hitpoint/daw/play", port=web.port)["rolling"] is True
        assert web.state == 1
        assert job(studio, "/hitpoint/daw/stop", port=web.port)["rolling"] is False
        assert Project.of(studio.now.path).at == 3600
    finally:
        web.close()


def test_live_is_followed_in_the_seconds_in_which_it_is_placed_and_driven(studio: Studio) -> None:
    """A set of another tempo than the cue's, the film four seconds in: a place that it is sent to is the place that is heard of it."""
    live = LiveDouble()
    live.set.tempo = 131.0
    heard: list[Any] = []
    studio.playback.hear = heard.append  # type: ignore[method-assign]
    studio.playback.follow = lambda source=None, midi=True: None  # type: ignore[method-assign]
    try:
        told = answer(studio, "/hitpoint/transport/daw", {"daw": "live", "at": "4", "port": live.port})
        assert (told["daw"], told["at_s"]) == ("live", 4.0)
        assert job(studio, "/hitpoint/daw/locate", seconds=6)["seconds"] == pytest.approx(6, abs=0.001)
        assert live.set.time == pytest.approx(10 * 131 / 60, abs=0.001)
        end = time.monotonic() + DEADLINE_S
        while not any(report.seconds is not None and abs(report.seconds - 10) < Fraction(1, 1000) for report in heard):
            assert time.monotonic() < end
            time.sleep(0.01)
        assert all(report.beats is None for report in heard)
        answer(studio, "/hitpoint/transport/daw", {})
    finally:
        live.close()


def test_of_many_wishes_the_last_is_obeyed_and_what_fails_is_told() -> None:
    failed: list[HitpointError] = []
    driver = Driver(failed.append)
    went: list[tuple[Fraction | None, bool | None]] = []

    class Slow:
        name = "slow"

        def go(self, seconds: Fraction | None = None, rolling: bool | None = None) -> Transport:
            time.sleep(0.05)
            went.append((seconds, rolling))
            return Transport(seconds, rolling)

        def close(self) -> None:
            went.append((None, None))

    driver._held["reaper"] = (Address(), Slow())  # type: ignore[assignment]
    for number in range(50):
        driver.soon("reaper", Address(), Fraction(1), Fraction(number), True)
    driver.settle()
    assert went[-1] == (50, True)
    assert len(went) < 50
    assert driver.go("reaper", Address(), Fraction(1), Fraction(2)) == Went("reaper", Fraction(2), None, None)
    driver.soon("reaper", Address(port=1, timeout_s=0.2), Fraction(0), None, True)
    driver.drop("reaper")
    driver.soon("reaper", Address(port=9, timeout_s=0.2), Fraction(0), None, True)
    driver.settle()
    assert failed
    assert failed[-1].cure
    driver.close()
    with pytest.raises(DawError, match="nothing any more"):
        driver.go("reaper", Address(), Fraction(0))


def exported(studio: Studio, frames: dict[int, str], at: Fraction = Fraction(0)) -> Path:
    """A project that a DAW exported as MIDI file into the folder of the session."""
    folder = studio.now.path.parent / "cue-midi"
    folder.mkdir(exist_ok=True)
    rate = studio.now.session.film.rate
    rows = tuple(Marker(at + frame / rate, name) for frame, name in frames.items())
    write_smf(folder / "from-logic.mid", Score(TempoMap.steady(96), (), markers=rows))
    return folder


def test_markers_of_a_daw_become_hits_in_one_step_and_only_where_none_lies(studio: Studio) -> None:
    session = studio.now.session
    there = session.hits[0].frame
    frames = {there: "a cut", there + 5: "door", there + 9: "shot", session.film.frames + 10: "after"}
    exported(studio, frames, Fraction(10))
    rows = job(studio, "/hitpoint/markers", daw="generic", at="10")["markers"]
    assert [(row["marker"], row["frame"], row["name"], row["new"]) for row in rows] == [
        (n, frame, name, name in ("door", "shot")) for n, (frame, name) in enumerate(frames.items(), 1)
    ]
    assert rows[1]["timecode"] == str(session.start + there + 5)
    assert studio.now.session.hits == session.hits
    job(studio, "/hitpoint/markers", only="2 1", weight=0.4)
    marked = {hit.frame: hit for hit in studio.now.session.hits}
    assert set(marked) == {hit.frame for hit in session.hits} | {there + 5}
    assert (marked[there + 5].weight, marked[there + 5].label) == (0.4, "door")
    assert marked[there] == session.hits[0]
    job(studio, "/hitpoint/markers", mark=True)
    assert {hit.frame for hit in studio.now.session.hits} == set(marked) | {there + 9}
    assert studio.now.history.done[-1].sentence == "Mark 1 hits from generic"
    studio.undo()
    studio.undo()
    assert studio.now.session.hits == session.hits
    with pytest.raises(OptionError, match="no marker 9"):
        job(studio, "/hitpoint/markers", only="9")


def test_a_region_has_two_rows_and_its_end_is_a_hit_only_where_that_is_asked_for(studio: Studio) -> None:
    web = WebReaper()
    rate, at = studio.now.session.film.rate, Fraction(10)
    there = studio.now.session.hits[0].frame
    begins, ends = there + 5, there + 40
    taken = {hit.frame for hit in studio.now.session.hits}
    assert not {begins, ends, begins + 9} & taken
    try:
        web.markers = [("door", float(at + (begins + 9) / rate))]
        web.regions = [
            ("verse", float(at + begins / rate), float(at + ends / rate)),
            ("", float(at + ends / rate), float(at + (studio.now.session.film.frames + 4) / rate)),
        ]
        given = {"daw": "reaper", "at": "10", "port": web.port}
        rows = job(studio, "/hitpoint/markers", **given)["markers"]
        assert [(row["marker"], row["frame"], row["name"], row["length"], row["end"], row["new"]) for row in rows] == [
            (1, begins, "verse", ends - begins, False, True),
            (2, begins + 9, "door", 0, False, True),
            (3, ends, "", rows[2]["length"], False, True),
            (4, ends, "verse end", 0, True, True),
            (5, studio.now.session.film.frames + 4, "end", 0, True, False),
        ]
        job(studio, "/hitpoint/markers", **given, mark=True)
        assert {hit.frame for hit in studio.now.session.hits} - taken == {begins, begins + 9, ends}
        studio.undo()
        web.regions = web.regions[:1]
        job(studio, "/hitpoint/markers", **given, mark=True)
        assert {hit.frame for hit in studio.now.session.hits} - taken == {begins, begins + 9}
        job(studio, "/hitpoint/markers", **given, mark=True, region_ends=True)
        marked = {hit.frame: hit.label for hit in studio.now.session.hits if hit.frame not in taken}
        assert marked == {begins: "verse", begins + 9: "door", ends: "verse end"}
        studio.undo()
        job(studio, "/hitpoint/markers", **given, only="3")
        assert ends in {hit.frame for hit in studio.now.session.hits}, "and by its number"
    finally:
        web.close()


def test_a_session_that_is_saved_elsewhere_takes_its_project_along(studio: Studio, tmp_path: Path) -> None:
    kept = studio.neighbours.lie("reaper", Fraction(3600))
    studio.save(tmp_path / "elsewhere.hitpoint")
    assert Project.of(tmp_path / "elsewhere.hitpoint") == kept == studio.neighbours.project
    studio.neighbours.lie(at=Fraction(4))
    assert Project.of(tmp_path / "cue.hitpoint") == kept


def test_a_place_that_is_damaged_is_told_when_the_session_opens(studio: Studio, tmp_path: Path) -> None:
    told: list[Event] = []
    studio.subscribe(told.append)
    other = saved(studio.now.session, tmp_path / "other.hitpoint")
    other.with_suffix(".daw.json").write_text("{")
    studio.open_session(other)
    assert [event.level for event in told if isinstance(event, Message)] == ["error"]


def kept_of(studio: Studio) -> str | None:
    """What is kept beside the session, as it lies on the disk."""
    file = studio.now.path.with_suffix(".daw.json")
    return file.read_text("utf-8") if file.exists() else None


@pytest.mark.parametrize("before", [None, Project("reaper", Fraction(4))])
@pytest.mark.parametrize(
    ("address", "given", "is_job"),
    [
        ("/hitpoint/markers", {"daw": "ardour", "project": "/etc/passwd", "at": "01:00:00:00"}, True),
        ("/hitpoint/markers", {"daw": "folder", "at": "7"}, True),
        ("/hitpoint/place", {"daw": "ardour", "project": "/etc/passwd", "at": "01:00:00:00"}, True),
        ("/hitpoint/place", {"daw": "live", "at": "7", "port": 9}, True),
        ("/hitpoint/transport/daw", {"daw": "live", "at": "7", "cue_tempo": True}, False),
        ("/hitpoint/transport/daw", {"daw": "folder", "at": "7"}, False),
        ("/hitpoint/transport/daw", {"daw": "fruit", "at": "7"}, False),
        ("/hitpoint/transport/follow", {"at": "7"}, False),
        ("/hitpoint/daw/project", {"daw": "fruit", "at": "7"}, False),
    ],
)
def test_what_fails_has_changed_nothing_that_is_kept(
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    before: Project | None,
    address: str,
    given: dict[str, Any],
    is_job: bool,
) -> None:
    def refuses(source: str | None = None, midi: bool = True) -> None:
        raise DawError("the player does not answer", where="player", cure="start it again")

    monkeypatch.setattr(studio.playback, "follow", refuses)
    if before is not None:
        before.keep(studio.now.path)
    kept, follows = kept_of(studio), studio.neighbours.daw
    done = partial(job, **given) if is_job else partial(answer, given=given)
    with pytest.raises(HitpointError):
        done(studio, address)
    assert kept_of(studio) == kept
    assert studio.neighbours.daw == follows


def test_what_is_done_is_kept_for_the_session_that_it_was_asked_for(studio: Studio, tmp_path: Path) -> None:
    """Another one may be open by the time that the DAW answers."""
    mine, other = studio.now.path, saved(studio.now.session, tmp_path / "other.hitpoint")
    begun = answer(studio, "/hitpoint/place", {"daw": "generic", "at": "5"})
    studio.open_session(other)
    studio.jobs.job(begun["job"]).result(DEADLINE_S)
    assert (Project.of(mine), Project.of(other)) == (Project("generic", Fraction(5)), Project())
    (tmp_path / "cue-midi").rename(tmp_path / "placed")
    exported(studio, {3: "a"}, Fraction(6))
    (tmp_path / "cue-midi").rename(tmp_path / "other-midi")
    assert job(studio, "/hitpoint/markers", daw="folder", at="6")["markers"][0]["frame"] == 3
    assert Project.of(other) == Project("folder", Fraction(6))


def test_a_folder_is_not_followed_and_says_why(studio: Studio) -> None:
    with pytest.raises(OptionError, match="a folder has no transport to follow"):
        answer(studio, "/hitpoint/transport/daw", {"daw": "folder"})
    for act in ("play", "stop"):
        with pytest.raises(DawError, match="has no transport"):
            job(studio, f"/hitpoint/daw/{act}", daw="folder")
