"""A DAW from the command line: where the film lies in it, its markers, its transport."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from reaper_double import WebReaper
from sittings import saved, scored

from bridge.daws import generic
from bridge.player import Inlet, Player, Status
from bridge.player.messages import Socket
from bridge.ports import MemoryPort
from bridge.project import Project
from bridge.server.running import House
from engines.score.smf import Score, write_smf
from engines.score.smf_reader import Marker
from engines.session.desk import Desk
from engines.spotting.tempo import TempoMap
from main import main

Run = Callable[..., Any]


@pytest.fixture
def session(trio: str, tmp_path: Path) -> Path:
    return saved(scored((3, 3)), tmp_path / "cue.hitpoint")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("HOME", str(tmp_path))  # Reaper's script looks for jobs there

    def asked(*words: object) -> Any:
        """The answer of a verb that does what is asked, else the line that it says."""
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return json.loads(said.out) if code == 0 else said.err

    return asked


def exported(session: Path, at: Fraction, frames: dict[int, str]) -> None:
    folder = session.parent / "cue-midi"
    folder.mkdir()
    rows = tuple(Marker(at + Fraction(frame, 24), name) for frame, name in frames.items())
    write_smf(folder / "from-the-daw.mid", Score(TempoMap.steady(96), (), markers=rows))


def hits(session: Path) -> set[int]:
    with Desk.open(session, read_only=True) as desk:
        return {hit.frame for hit in desk.session.hits}


def test_markers_are_listed_and_made_hits_that_one_undo_takes_back(session: Path, run: Run) -> None:
    there = min(hits(session))
    exported(session, Fraction(4), {there: "cut", there + 7: "slam", there + 11: "turn"})
    listed = run("markers", session, "--daw", "folder", "--at", "4", "--json")
    assert [(row["frame"], row["name"], row["new"]) for row in listed["markers"]] == [
        (there, "cut", False), (there + 7, "slam", True), (there + 11, "turn", True),
    ]  # fmt: skip
    assert listed["marked"] == []
    before = hits(session)
    assert run("markers", session, "--daw", "folder", "--only", 3, "--weight", "0.5", "--json")["marked"] == [there + 11]
    assert run("markers", session, "--daw", "folder", "--hits", "--json")["marked"] == [there + 7]
    assert hits(session) == before | {there + 7, there + 11}
    assert run("markers", session, "--daw", "folder", "--hits", "--json")["marked"] == []
    run("undo", session, "--json")
    assert hits(session) == before | {there + 11}
    run("undo", session, "--json")
    assert hits(session) == before


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("markers",), "nobody has said which DAW"),
        (("markers", "--daw", "folder"), "holds no MIDI file"),
        (("markers", "--daw", "ardour"), "say where: --project"),
        (("markers", "--daw", "ardour", "--project", "nowhere"), "nowhere: is not there; give the session's folder"),
        (("daw", "locate", "--daw", "reaper"), "locate needs a place"),
        (("daw", "play", "5", "--daw", "reaper"), "play takes no place"),
        (("daw", "play", "--daw", "generic"), "would be gone again"),
        (("daw", "where", "--daw", "reaper", "--port", "9"), "does not answer"),
        (("daw", "stop", "--daw", "folder"), "has no transport"),
        (("daw", "where", "--daw", "folder"), "has no transport"),
        (("place", "--daw", "reaper", "--at", "soon"), "is no place"),
    ],
)
def test_what_cannot_be_is_one_line_with_a_cure(session: Path, run: Run, words: tuple[str, ...], line: str) -> None:
    verb, rest = words[0], list(words[1:])
    act = [rest.pop(0)] if verb == "daw" else []
    said = run(verb, session, *act, *rest)
    assert isinstance(said, str)
    assert line in said
    assert said.count("\n") == 1


def test_a_daw_goes_where_the_film_is_told_to(session: Path, run: Run) -> None:
    web = WebReaper()
    try:
        where = ("--daw", "reaper", "--port", web.port, "--json")
        assert run("daw", session, "locate", "00:00:02:12", "--at", "01:00:00:00", *where)["seconds"] == 2.5
        assert web.position == 3602.5
        assert Project.of(session) == Project("reaper", Fraction(3600))
        assert run("daw", session, "play", *where)["rolling"] is True
        assert run("daw", session, "where", *where) == {"daw": "reaper", "seconds": 2.5, "rolling": True, "bpm": None}
        assert run("daw", session, "stop", *where)["rolling"] is False
        web.markers = [("in", 3600 + 1.0)]
        rows = run("markers", session, "--daw", "reaper", "--port", web.port, "--json")["markers"]
        assert [(row["frame"], row["timecode"]) for row in rows] == [(24, "00:00:01:00")]
    finally:
        web.close()


def test_the_ends_of_regions_are_listed_and_are_hits_where_that_is_said(
    session: Path, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    web, before = WebReaper(), hits(session)
    begins, ends = min(before) + 5, min(before) + 40
    assert not {begins, ends} & before
    web.regions = [("verse", begins / 24, ends / 24)]
    where = ("markers", session, "--daw", "reaper", "--port", web.port)
    try:
        assert main([str(word) for word in where]) == 0
        first, second = capsys.readouterr().out.splitlines()
        assert (first.split()[:2], first.split()[-1]) == (["1", "+"], "verse")
        assert (second.split()[:2], second.split()[-2:]) == (["2", "."], ["verse", "end"])
        assert run(*where, "--hits", "--json")["marked"] == [begins]
        assert run(*where, "--hits", "--region-ends", "--json")["marked"] == [ends]
        run("undo", session, "--json")
        assert run(*where, "--only", "2", "--json")["marked"] == [ends]
    finally:
        web.close()


def test_machine_control_goes_to_the_daws_own_port(
    session: Path, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = {"IAC Bus 1": MemoryPort()}
    monkeypatch.setattr(generic, "SystemPort", lambda name, virtual: ports[name])
    run("daw", session, "locate", "1.5", "--daw", "generic", "--midi", "system:IAC Bus 1", "--json")
    assert [message.hex() for _, message in ports["IAC Bus 1"].sent] == ["f07f7f06440601" + "0000010c00" + "f7"]
    run("daw", session, "stop", "--json")
    assert ports["IAC Bus 1"].sent[-1][1].hex() == "f07f7f0601f7", "DAW and port are kept"
    sent = len(ports["IAC Bus 1"].sent)
    assert run("daw", session, "where", "--json") == {"daw": "generic", "seconds": None, "rolling": None, "bpm": None}
    assert main(["daw", str(session), "where"]) == 0
    assert capsys.readouterr().out == "generic says nothing of its transport over MIDI: look at it\n"
    assert len(ports["IAC Bus 1"].sent) == sent


class Deaf:
    """A player that plays nothing."""

    told: list[tuple[str, Any]]
    fault = ""

    def __init__(self, routes: Any = (), inlets: Any = ()) -> None:
        type(self).told = [("inlets", tuple(inlets))]
        self.status = Status(alive=False, inlets=(Socket("Hitpoint sync", "closed", type(self).fault),))

    def __enter__(self) -> Deaf:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settle(self, *_: object) -> Status:
        return self.status

    def wait(self, *_: object) -> Status:
        raise KeyboardInterrupt  # whoever plays has heard enough

    def subscribe(self, listener: Any) -> Callable[[], None]:
        return lambda: None

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *given: self.told.append((name, given[0] if given else None))


def test_play_follows_at_a_port_of_ours_from_where_the_film_lies(
    session: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.player.Player", Deaf)
    run("play", session, "--follow", "--at", "01:00:00:00", "--json")
    assert Deaf.told[:2] == [("inlets", (Inlet("auto"),)), ("origins", Fraction(3600))]
    assert ("follow", None) in Deaf.told
    Project.of(session).but("ardour").keep(session)
    run("play", session, "--follow", "--sync", "virtual:Clock", "--json")
    assert Deaf.told[:2] == [("inlets", (Inlet("virtual", "Clock", Fraction(1, 24)),)), ("origins", Fraction(3600))]
    monkeypatch.setattr(Deaf, "fault", "no MIDI system opens it")
    assert "no MIDI system opens it" in run("play", session, "--follow")
    assert Player is not Deaf


def test_placing_keeps_where_the_film_lies(session: Path, run: Run) -> None:
    placed = run("place", session, "--at", "01:00:00:00", "--json")
    assert placed["clips"][0]["start_s"] == pytest.approx(3600, abs=1)
    assert Project.of(session) == Project(None, Fraction(3600))
    assert "drop any of them at 3599.833 s of the project" in run("place", session, "--json")["said"]
    session.with_suffix(".daw.json").write_text("[]")
    assert "delete it" in run("place", session)


def test_serve_follows_from_the_start_where_it_is_told_to(session: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def waited(house: House) -> None:
        house.studio.playback.settle()
        seen.append((house.studio.playback._inlets, house.studio.playback.status))

    monkeypatch.setattr(House, "wait", waited)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session.parent))  # the token's file
    monkeypatch.setattr("bridge.player.Player", partial(Player, own_process=False))
    said = run("serve", "--session", session, "--port", 0, "--follow", "--at", "01:00:00:00", "--json")
    assert isinstance(said, dict), said
    ((inlets, status),) = seen
    assert inlets == (Inlet("auto"),)
    assert status.follows
    assert [socket.name for socket in status.inlets] == ["Hitpoint sync"]
    assert Project.of(session).at == 3600
    assert "no session to keep it with" in run("serve", "--port", 0, "--at", "4")


def test_serve_says_on_the_terminal_what_is_wrong_with_what_lies_beside_the_session(
    session: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody can have subscribed before it is opened."""
    monkeypatch.setattr(House, "wait", lambda house: None)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session.parent))
    session.with_suffix(".daw.json").write_text("{")
    assert main(["serve", "--session", str(session), "--port", "0"]) == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if "cue.daw.json" in line]
    assert len(lines) == 1
    assert "does not say where the film lies in the DAW; delete it" in lines[0]
    session.with_suffix(".daw.json").unlink()
    assert main(["serve", "--session", str(session), "--port", "0"]) == 0
    assert "daw.json" not in capsys.readouterr().err
