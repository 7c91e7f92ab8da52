"""The doctor: every link in words, what is wrong with it, and what to do; as text, as JSON, and from the command line."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from threading import Thread

import pytest
from sittings import saved, scored

import main
from bridge import checkup
from bridge.chase import Chase
from bridge.clock import SECOND
from bridge.daw import Address, Reach
from bridge.doctor import Diagnosis, Finding, daw, examine, jack, late_periods, midi, provider, source, sources
from bridge.project import Project
from bridge.transport import Report
from engines.errors import MissingLibraryError
from engines.picture.timecode import Timecode
from engines.runtime import Provider

ROOT = Path(__file__).resolve().parents[2]


def heard(
    rate: Fraction, picture: Fraction | None, late_ms: tuple[float, ...] = (0.0,), seconds: float = 4.0
) -> tuple[Chase, int]:
    """A chase that timecode of a rate has been running into, and the moment of the last piece."""
    chase, now = Chase(picture), 0
    for number in range(int(seconds * 4 * rate)):
        now = int(number * SECOND / (4 * rate) + late_ms[number % len(late_ms)] * 1e6)
        place = number / (4 * rate)
        chase.hear(Report("MTC from Logic", "mtc", now, place, rolling=True, speed=1.0, rate=rate, day=Fraction(86400)))
    return chase, now


def test_a_locked_source_at_the_pictures_rate_is_well() -> None:
    chase, now = heard(Fraction(25), Fraction(25))
    (found,) = sources(chase.standings(now), chase.picture)
    assert (found.link, found.state, found.cure) == ("transport, MTC from Logic", "well", "")
    assert "25 fps" in found.said
    assert "leads" in found.said
    assert found.facts["jitter_p99_ms"] < 1
    assert found.facts["offset_ms"] == pytest.approx(0, abs=1)


def test_of_several_sources_each_says_why_it_leads_or_does_not() -> None:
    chase, now = heard(Fraction(25), Fraction(25))
    for tenth in range(50):
        place = Fraction(tenth, 10)
        chase.hear(Report("OSC from Logic", "osc", int(place * SECOND), place, rolling=True, speed=1.0))
    leader, other = sources(chase.standings(now), chase.picture)
    assert "leads: it was the first to tell a place" in leader.said
    assert "does not lead: " in other.said
    assert (leader.facts["leads"], other.facts["leads"]) == (True, False)
    assert other.facts["why"]
    assert other.facts["why"] in other.words


def test_a_source_at_another_rate_is_a_fault_with_the_rate_to_set() -> None:
    chase, now = heard(Fraction(25), Fraction(24))
    (found,) = sources(chase.standings(now), chase.picture)
    assert found.state == "broken"
    assert "frame rate in the DAW to 24" in found.cure
    assert found.facts["rate"] == "25"
    assert found.facts["picture_rate"] == "24"


def test_a_restless_source_is_odd_and_its_jitter_is_told() -> None:
    late = tuple(float(x) for x in (0, 30, 5, 60, 12, 45, 3, 25))
    chase, now = heard(Fraction(25), Fraction(25), late, 8)
    (found,) = sources(chase.standings(now), chase.picture)
    assert (found.facts["state"], found.state) == ("locked", "odd")
    assert found.facts["jitter_p99_ms"] == pytest.approx(60, abs=5)
    assert "restless" in found.cure


def test_a_source_that_fell_silent_is_a_fault() -> None:
    chase, now = heard(Fraction(25), Fraction(25))
    (found,) = sources(chase.standings(now + 10 * SECOND), chase.picture)
    assert found.state == "broken"
    assert "still there" in found.cure


def test_drop_frame_is_told() -> None:
    rate = Fraction(30000, 1001)
    chase = Chase(rate)
    start = Timecode.parse("01:00:00;00", rate).seconds
    for number in range(300):
        at = int(number * SECOND / (4 * rate))
        chase.hear(Report("MTC", "mtc", at, start + number / (4 * rate), rolling=True, speed=1.0, rate=rate, drop=True))
    assert "29.97 fps drop" in source(chase.standings(at)[0], rate).said


def test_nothing_heard_says_what_to_do() -> None:
    (found,) = sources((), None)
    assert found.state == "absent"
    assert "timecode" in found.cure


def test_midi_systems_are_told_one_by_one_or_as_a_fault() -> None:
    works = midi(lambda: {"UNIX_JACK": (["ardour:MTC out"], []), "LINUX_ALSA": "no such device"})
    assert [(f.link, f.state) for f in works] == [("MIDI JACK", "well")]
    assert "from: ardour:MTC out; to: none" in works[0].said
    (silent,) = midi(lambda: {"LINUX_ALSA": "ALSA's sequencer is not there", "UNIX_JACK": "no JACK server runs"})
    assert (silent.state, bool(silent.cure)) == ("broken", True)
    assert silent.said == "ALSA's sequencer is not there, no JACK server runs"
    (empty,) = midi(lambda: {"MACOSX_CORE": ([], [])})
    assert empty.state == "absent"

    def missing() -> dict[str, str]:
        raise MissingLibraryError("live MIDI needs rtmidi", cure="pip install python-rtmidi")

    (gone,) = midi(missing)
    assert gone.state == "broken"


@pytest.mark.parametrize(("there", "state"), [(True, "well"), (None, "well"), (False, "absent")])
def test_a_daw_that_is_not_running_is_no_fault(there: bool | None, state: str) -> None:
    assert daw(Reach("reaper", there, "a word", "a cure")).state == state


class Jack:
    """Stands for python's jack and a client of it that is late as often as it is asked."""

    JackError = OSError
    samplerate, blocksize = 48_000, 256

    def __init__(self) -> None:
        self.slipped: Callable[[float], None] = lambda delayed_us: None
        self.closed = 0

    def Client(self, name: str, no_start_server: bool) -> Jack:
        return self

    def set_error_function(self, call: object) -> None:
        pass

    set_info_function = set_error_function

    def set_xrun_callback(self, call: Callable[[float], None]) -> None:
        self.slipped = call

    def activate(self) -> None:
        pass

    def get_ports(self, **kind: bool) -> list[object]:
        return []

    def close(self) -> None:
        self.closed += 1


def test_jack_that_is_late_is_odd_with_a_longer_period_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = Jack()
    monkeypatch.setattr("bridge.doctor.import_module", lambda name: stand_in)
    assert (jack().state, jack().facts["late_periods"]) == ("well", 0)
    with late_periods() as counted:
        stand_in.slipped(900.0)
        stand_in.slipped(100.0)
        assert counted() == 2
    found = jack(counted())
    assert (found.state, found.facts["late_periods"]) == ("odd", 2)
    assert "2 times" in found.said
    assert "512 frames" in found.cure
    assert stand_in.closed == 4, "each client once"


def test_the_whole_is_as_ill_as_its_worst_part_and_is_plain_json() -> None:
    reaches = [Reach("reaper", False, "does not answer", "start it")]
    well = examine(None, None, reaches, [], lambda: {"MACOSX_CORE": (["a"], ["b"])}, sound=False)
    assert well.state == "well"
    ill = examine(None, None, reaches, [Finding("server", "broken", "said", "cure")], lambda: {"x": (["a"], [])}, sound=False)
    assert ill.state == "broken"
    assert json.loads(json.dumps(ill.json()))["links"][1]["link"] == "DAW reaper"
    assert "FAULT server: said; cure" in ill.words


def test_a_card_that_the_engines_cannot_use_is_odd_and_no_card_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    unusable = Provider("cpu", "on the processor (cuda does not load)")
    monkeypatch.setattr("bridge.doctor.choose", lambda: unusable)
    monkeypatch.setattr("bridge.doctor.which", lambda name: None)
    assert provider().state == "well"
    monkeypatch.setattr("bridge.doctor.which", lambda name: f"/usr/bin/{name}")
    assert (provider().state, provider().facts["provider"]) == ("odd", "cpu")
    assert "CUDA" in provider().cure


def test_the_command_line_tells_every_link(capsys: pytest.CaptureFixture[str], tmp_path: Path, trio: str) -> None:
    path = saved(scored((3,)), tmp_path / "cue.hitpoint")
    command = [sys.executable, "main.py", "doctor", str(path), "--json", "--listen", "0", "--daw", "folder", "--daw", "ardour"]
    home = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}
    done = subprocess.run(
        [*command, "--port", "9"], cwd=ROOT, env=home, capture_output=True, text=True, timeout=120, check=False
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert done.returncode == (1 if told["state"] == "broken" else 0), done.stderr
    links = {row["link"]: row for row in told["links"]}
    assert {"transport", "DAW folder", "DAW ardour", "editor", "server", "engine"} <= set(links)
    assert links["DAW folder"]["facts"]["folder"] == str(tmp_path / "cue-midi")
    assert links["DAW ardour"]["state"] == "absent"
    assert "ALSA lib" not in done.stderr


@pytest.mark.parametrize(("states", "code"), [(("well", "absent"), 0), (("odd",), 0), (("well", "broken", "odd"), 1), ((), 0)])
def test_a_script_knows_by_the_code_whether_anything_is_at_fault(
    states: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Diagnosis(tuple(Finding(f"link {k}", state, "said") for k, state in enumerate(states)))  # type: ignore[arg-type]
    monkeypatch.setattr("bridge.checkup.checkup", lambda *given: found)
    assert main.main(["doctor"]) == code
    assert ("FAULT" in capsys.readouterr().out) is bool(code)
    assert main.main(["doctor", "--json"]) == code
    assert (json.loads(capsys.readouterr().out)["state"] == "broken") is bool(code)
    with pytest.raises(SystemExit):
        main.main(["doctor", "--help"])
    assert "Ends with 1" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("daws", [(), ("ardour",), ("reaper",), ("live",), ("folder", "generic")])
@pytest.mark.parametrize("name", ["nope", "nope.rpp"])
def test_a_project_that_is_not_there_is_a_fault(
    daws: tuple[str, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    found = checkup.checkup(None, daws, 0, Address(tmp_path, tmp_path / name, port=9, timeout_s=0.05), ())
    (fault,) = (one for one in found.findings if str(tmp_path / name) in one.said)
    assert (fault.state, bool(fault.cure)) == ("broken", True)
    assert "can be read" not in fault.words.replace("cannot be read", "")


def test_a_project_that_is_there_is_no_fault_of_the_daw_that_it_is_not_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    home = tmp_path / "film"
    home.mkdir()
    shutil.copy(ROOT / "tests" / "golden" / "ardour" / "film.ardour", home)
    song = tmp_path / "song.RPP"
    song.write_text("<REAPER_PROJECT 0.1\n")
    for project, name in ((home, "ardour"), (song, "reaper")):
        found = checkup.checkup(None, ("ardour", "reaper"), 0, Address(tmp_path, project, port=9, timeout_s=0.05), ())
        states = {one.link: one.state for one in found.findings if one.link.startswith("DAW")}
        assert states == {"DAW ardour": "absent", "DAW reaper": "absent"}, name
    (said,) = (
        one.said
        for one in checkup.checkup(None, ("ardour",), 0, Address(tmp_path, home, port=9), ()).findings
        if "ardour" in one.link
    )
    assert f"its session {home} can be read while it is closed" in said
    (home / "film.ardour").write_text("<broken")
    (fault,) = (
        one for one in checkup.checkup(None, ("ardour",), 0, Address(tmp_path, home, port=9), ()).findings if "ardour" in one.link
    )
    assert fault.state == "broken"


def test_what_is_kept_of_a_project_is_looked_at_by_its_own_daw(
    tmp_path: Path, trio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    path = saved(scored((3,)), tmp_path / "cue.hitpoint")
    Project("ardour", None, tmp_path / "gone").keep(path)
    found = checkup.checkup(path, ("ardour", "reaper"), 0, Address(port=9, timeout_s=0.05), ())
    assert {one.link: one.state for one in found.findings if one.link.startswith("DAW")} == {
        "DAW ardour": "broken",
        "DAW reaper": "absent",
    }


def test_the_command_line_places_a_cue(capsys: pytest.CaptureFixture[str], tmp_path: Path, trio: str) -> None:
    path = saved(scored((3, 3)), tmp_path / "cue.hitpoint")
    assert main.main(["place", str(path), "--json", "--at", "00:00:01:12"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["confirmed"] is True
    assert len(told["clips"]) == 6
    assert all(Path(file).is_file() for file in told["files"])
    assert main.main(["place", str(path), "--daw", "generic", "--scene", "2"]) == 0
    assert "nothing was confirmed" in capsys.readouterr().err
    assert main.main(["place", str(path), "--scene", "9"]) == 2
    assert main.main(["place", str(path), "--at", "soon"]) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no names that are no text")
@pytest.mark.parametrize("spoken", [{"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8"}, {"PYTHONIOENCODING": "ascii:strict"}])
def test_json_of_a_folder_that_no_text_can_name_is_utf_8_and_leads_back_to_it(
    spoken: dict[str, str], tmp_path: Path, trio: str
) -> None:
    home = os.path.join(os.fsencode(tmp_path), "Fl\u00f6te".encode() + b"\xff")
    os.mkdir(home)
    path = saved(scored((3, 3)), tmp_path / "cue.hitpoint")
    os.rename(os.fsencode(path), os.path.join(home, b"cue.hitpoint"))
    session = os.fsdecode(os.path.join(home, b"cue.hitpoint"))
    for words in (["--json"], []):
        done = subprocess.run(
            [sys.executable, "main.py", "place", session, *words], cwd=ROOT, env={**os.environ, **spoken}, capture_output=True, timeout=120,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        if words:
            told = json.loads(done.stdout.decode("utf-8"))
            assert told["files"]
            assert all(Path(file).is_file() for file in told["files"])


def test_a_new_cut_is_offered_and_with_accept_carried_over(capsys: pytest.CaptureFixture[str], tmp_path: Path, trio: str) -> None:
    session = scored((3, 3))
    path, cuts = saved(session, tmp_path / "cue.hitpoint"), tmp_path / "cuts.json"
    later = [{"frame": cut.frame + 24, "kind": "cut"} for cut in session.programme.cuts]
    table = {"rate": "24", "frames": session.film.frames + 24, "start": "00:00:00:00", "cuts": later}
    cuts.write_text(json.dumps(table))
    before = path.read_bytes()
    quick = ["--cuts", str(cuts), "--once", "--now", "--every", "0.05"]
    assert main.main(["watch", str(path), *quick, "--json"]) == 0
    offered = capsys.readouterr()
    assert json.loads(offered.out)["accepted"] is False
    assert "to carry it over: python main.py conform" in offered.err
    assert path.read_bytes() == before
    assert main.main(["watch", str(path), *quick, "--json", "--accept"]) == 0
    assert json.loads(capsys.readouterr().out)["accepted"] is True
    assert path.read_bytes() != before
    cuts.write_text("{")
    assert main.main(["watch", str(path), *quick]) == 2
    assert "the JSON is broken" in capsys.readouterr().err


def test_a_cut_list_that_is_not_there_is_told_at_once_and_waited_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, trio: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, cuts = saved(scored((3, 3)), tmp_path / "cue.hitpoint"), tmp_path / "later.edl"
    assert main.main(["watch", str(session), "--cuts", str(tmp_path / "typo" / "x.edl")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"hitpoint: --cuts: the folder {tmp_path / 'typo'} does not exist; ")
    assert said.count("\n") == 1

    def changes(path: Path, every_s: float, known: bool) -> Iterator[Path]:
        assert f"{cuts} is not there yet: it is waited for" in capsys.readouterr().err
        path.write_text("TITLE: later")
        yield path

    monkeypatch.setattr("bridge.editors.watched.changes", changes)
    assert main.main(["watch", str(session), "--cuts", str(cuts), "--once"]) == 2
    assert "later.edl" in capsys.readouterr().err
    monkeypatch.setattr("bridge.editors.watched.changes", lambda path, every_s, known: iter(()))
    assert main.main(["watch", str(session), "--cuts", str(cuts)]) == 0
    assert "not there yet" not in capsys.readouterr().err


@contextmanager
def listener(answer: bytes) -> Iterator[int]:
    """A program that answers whatever it is asked with this."""
    with socket.create_server(("127.0.0.1", 0)) as waiting:

        def serve() -> None:
            came, _ = waiting.accept()
            with came:
                came.recv(1000)
                came.sendall(answer)

        thread = Thread(target=serve)
        thread.start()
        yield waiting.getsockname()[1]
        thread.join(20)


def test_only_our_own_server_is_well() -> None:
    for answer in (b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", b"HTTP/1.1 404 Not Found\r\n\r\n"):
        with listener(answer) as port:
            assert checkup.server(port).state == "odd"
    body = b'{"hitpoint": "9.9"}'
    with listener(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body) as port:
        found = checkup.server(port)
        assert (found.state, found.facts["version"]) == ("well", "9.9")
    assert checkup.server(port).state == "absent"
