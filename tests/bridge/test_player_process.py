"""The player's process: it obeys, it tells, and however it or its parent ends, every note that it struck is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from bridge.clock import SECOND
from bridge.player import Inlet, Outlet, Part, Player, Programme, Route, Status, TimedNote, process
from bridge.player.messages import Order
from bridge.transport import Report
from engines.errors import OptionError, PortError
from engines.spotting.tempo import TempoMap

ROOT = Path(__file__).resolve().parents[2]
MS = SECOND // 1000
DEADLINE_S = 60.0  # of anything that takes a moment on a machine that is busy with other things


def chords(pitch: int = 60, length: int = 290 * MS, every: int = 100 * MS) -> Programme:
    """A minute of notes of which three sound at any time, on two stems."""
    stems = (("melody", 0), ("piano", 2))
    parts = (
        Part(stem, channel, tuple(TimedNote(k * every, k * every + length, pitch + k % 12, 80) for k in range(600)))
        for stem, channel in stems
    )
    return Programme("chords", tuple(parts), tuple(range(0, 60 * SECOND, SECOND // 2)), 60 * SECOND)


def written(path: Path) -> list[tuple[int, bytes]]:
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(now), bytes.fromhex(message)) for now, message in (line.split() for line in lines)]


def sounding(path: Path) -> tuple[int, set[tuple[int, int]]]:
    """How many notes were struck, and which of them still sound; fails where one is struck twice without an end between."""
    count, sounds = 0, set[tuple[int, int]]()
    for _, message in written(path):
        voice = message[0] & 0x0F, message[1]
        if message[0] & 0xF0 == 0x90:
            assert voice not in sounds
            sounds.add(voice)
            count += 1
        elif message[0] & 0xF0 == 0x80:
            sounds.discard(voice)
    return count, sounds


def until(true: Callable[[], object], what: str) -> None:
    end = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def gone(pid: int) -> bool:
    """Whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture(params=[True, pytest.param(False, marks=pytest.mark.slow)], ids=["process", "thread"])
def player(request: pytest.FixtureRequest, tape: Path) -> Iterator[Player]:
    with Player([Route(Outlet("file", str(tape)))], own_process=request.param) as made:
        yield made


def rolls(status: Status) -> bool:
    return status.rolling and bool(status.sounding)


def test_it_plays_tells_swaps_and_stops(player: Player, tape: Path) -> None:
    player.load(chords())
    player.play(Fraction(1, 4))
    status = player.wait(rolls, DEADLINE_S)
    assert status.title == "chords"
    assert status.speed == 1.0
    assert {stem for stem, _ in status.sounding} <= {"melody", "piano"}
    status = player.settle(player.swap(chords(72)), DEADLINE_S)
    assert status.seam is not None
    seam = status.seam
    assert seam * 2 == int(seam * 2), "at a bar line"
    assert status.seconds < seam
    player.wait(lambda s: s.seam is None and s.seconds > seam + Fraction(1, 2), DEADLINE_S)
    status = player.settle(player.stop(), DEADLINE_S)
    assert not status.rolling
    assert status.sounding == ()
    count, hang = sounding(tape)
    assert count > 10
    assert hang == set()
    struck = [message for _, message in written(tape) if message[0] & 0xF0 == 0x90]
    first = next(k for k, message in enumerate(struck) if message[1] >= 72)
    assert all(message[1] >= 72 for message in struck[first:])
    assert status.lateness.count > 20
    assert status.outlets[0].kind == "FilePort"


def test_loop_locate_speed_and_panic_leave_nothing_behind(player: Player, tape: Path) -> None:
    player.load(chords())
    player.loop(1, 1.2)
    player.play(1)
    player.wait(rolls, DEADLINE_S)
    player.vary(2)
    player.locate(1.1)
    status = player.settle(timeout=DEADLINE_S)
    assert status.loop == (1, Fraction(6, 5))
    assert status.speed == 2.0
    assert 1 <= status.seconds < Fraction(6, 5)
    player.loop(None)
    player.wait(lambda s: s.loop is None and s.seconds > 2, DEADLINE_S)
    status = player.settle(player.panic(), DEADLINE_S)
    assert sounding(tape)[1] == set()
    assert b"\xb0\x7b\x00" in {message for _, message in written(tape)}


def test_two_ports_two_latencies(tmp_path: Path) -> None:
    early, late = tmp_path / "early", tmp_path / "late"
    routes = [Route(Outlet("file", str(early)), "melody", -30.0), Route(Outlet("file", str(late)), "piano", 50.0)]
    with Player(routes, own_process=False) as player:
        player.load(chords(every=200 * MS, length=100 * MS))
        player.play(0.5)
        player.wait(lambda s: s.seconds > 2, DEADLINE_S)
    melody, piano = ([now for now, m in written(path) if m[0] & 0xF0 == 0x90] for path in (early, late))
    apart = sorted(late - early for early, late in zip(melody, piano, strict=False))
    assert abs(apart[len(apart) // 2] - 80 * MS) < 40 * MS


def test_it_follows_what_is_heard_over_osc(player: Player, tape: Path) -> None:
    start = Fraction(3600)
    programme = chords()
    player.load(Programme(programme.title, programme.parts, programme.bars, start=start, rate=Fraction(25)))
    player.origins(start)
    player.follow()

    def told(seconds: float, rolling: bool) -> None:
        place = start + Fraction(seconds)
        player.hear(Report("OSC", "osc", time.monotonic_ns(), place, rolling=rolling, located=not rolling))

    told(2, False)
    status = player.wait(lambda s: s.reading is not None and s.reading.leader == "OSC", DEADLINE_S)
    assert not status.rolling
    began = time.monotonic()
    while time.monotonic() - began < 0.6:
        told(2 + time.monotonic() - began, True)
        time.sleep(0.02)
    status = player.wait(rolls, DEADLINE_S)
    assert status.follows
    assert status.reading is not None
    assert status.reading.frame is not None
    assert 50 <= status.reading.frame < 50 + 25 * DEADLINE_S
    told(7, False)
    status = player.wait(lambda s: not s.rolling, DEADLINE_S)
    assert status.seconds == 7
    assert sounding(tape)[1] == set()


SCRIPT = """
import sys, time
sys.path[:0] = {paths!r}
from test_player_process import chords
from bridge.player import Outlet, Player, Route

if __name__ == "__main__":
    player = Player([Route(Outlet("file", {tape!r}))])
    player.load(chords())
    player.play()
    player.wait(lambda status: status.rolling and status.sounding, 60)
    print(player.pid, flush=True)
    if {way!r} == "exit":
        sys.exit(0)
    if {way!r} == "crash":
        raise SystemError("on purpose")
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    "way", ["SIGKILL", "exit", *(pytest.param(way, marks=pytest.mark.slow) for way in ("SIGTERM", "SIGINT", "crash"))]
)
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_parent_that_dies_leaves_no_note(way: str, tape: Path, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(SCRIPT.format(paths=[str(ROOT), str(Path(__file__).parent)], tape=str(tape), way=way))
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    child = 0
    try:
        child = int(parent.stdout.readline() or 0)
        assert child, "it never played"
        if way.startswith("SIG"):
            os.kill(parent.pid, getattr(signal, way))
        parent.wait(DEADLINE_S)
        until(lambda: gone(child), "the player outlived its parent")
    finally:
        parent.kill()
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()
        if child and not gone(child):
            os.kill(child, signal.SIGKILL)
    count, hang = sounding(tape)
    assert count > 0
    assert hang == set()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_parent_that_hangs_does_not_stop_the_music(tape: Path, tmp_path: Path) -> None:
    """It takes in nothing of what the player tells, for longer than any pipe holds."""
    script = tmp_path / "parent.py"
    script.write_text(SCRIPT.format(paths=[str(ROOT), str(Path(__file__).parent)], tape=str(tape), way="wait"))
    parent = subprocess.Popen(
        [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    try:
        child = int(parent.stdout.readline())
        os.kill(parent.pid, signal.SIGSTOP)
        before = sounding(tape)[0]
        until(lambda: sounding(tape)[0] > before + 200, "it stopped with its parent")
    finally:
        parent.kill()
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()
    until(lambda: gone(child), "the player outlived its parent")
    assert sounding(tape)[1] == set()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("how", ["SIGKILL", pytest.param("SIGTERM", marks=pytest.mark.slow)])
def test_a_player_that_dies_is_replaced_and_its_notes_are_ended(how: str, tape: Path) -> None:
    with Player([Route(Outlet("file", str(tape)))]) as player:
        player.load(chords())
        player.play(2)
        player.wait(lambda s: s.rolling and s.seconds > 2.5, DEADLINE_S)
        first = player.pid
        assert first is not None
        words: list[str] = []
        quiet = player.subscribe(lambda status: words.append(status.word) if not status.alive else None)
        os.kill(first, getattr(signal, how))
        status = player.wait(lambda s: s.alive and s.heard > 0 and player.pid != first, DEADLINE_S)
        assert not status.rolling
        until(lambda: not sounding(tape)[1], "notes of the dead one hang")
        assert any("another one takes over" in word for word in words)
        assert player.pid != first
        assert status.seconds > 2
        quiet()
        before = sounding(tape)[0]
        player.play()
        player.wait(lambda s: s.rolling and s.seconds > status.seconds + Fraction(1, 2), DEADLINE_S)
        assert sounding(tape)[0] > before, "it plays on when told"
    assert sounding(tape)[1] == set()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_who_followed_a_player_that_died_is_told_that_the_next_one_stands(tape: Path, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    with Player([Route(Outlet("file", str(tape)))]) as player:
        player.lead(clock=Outlet("file", str(clock)))
        player.load(replace(chords(), beats=TempoMap.steady(120)))
        player.play(0)
        until(lambda: written(clock) and written(clock)[-1][1] == b"\xf8", "no clock came")
        assert player.pid is not None
        first = player.pid
        os.kill(first, signal.SIGKILL)
        player.wait(lambda s: s.alive and s.heard > 0 and player.pid != first, DEADLINE_S)
        until(lambda: [message[0] for _, message in written(clock)[-2:]] == [0xFC, 0xF2], "nobody was told that it stands")
        player.play()
        until(lambda: written(clock)[-1][1] == b"\xf8", "it does not lead any more")
    assert [message for _, message in written(clock)][-1] == b"\xfc"


def test_a_player_that_dies_again_and_again_is_given_up(tape: Path) -> None:
    with Player([Route(Outlet("file", str(tape)))]) as player:
        player.settle(player.load(chords()), DEADLINE_S)  # its first word may come before it heard of them
        for deaths in range(1, 5):
            status = player.wait(lambda s: s.alive and s.heard > 0, DEADLINE_S)
            assert (status.title == "nothing") is (deaths == 4)
            assert player.pid is not None
            os.kill(player.pid, signal.SIGKILL)
            status = player.wait(lambda s: not s.alive, DEADLINE_S)
            assert ("not started again" in status.word) is (deaths == 4)
            assert ("ends its notes" in status.word) is (deaths == 3)
            assert status.bare is (deaths >= 3)
        player.play(2)  # somebody asks for it: it is there, with all that it had
        status = player.wait(lambda s: s.alive and s.rolling and s.seconds > Fraction(5, 2), DEADLINE_S)
        assert (status.title == "nothing", status.bare) == (False, False)
    assert sounding(tape)[1] == set()


def test_what_is_said_of_a_death_holds_nothing_of_the_deaths_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that die before they say a word must not be told of in the words that were said of the last one."""
    begun: list[object] = []

    def dies(wire: Connection[Status, Order], boards: object) -> None:
        begun.append(wire)
        if len(begun) == 1:
            wire.send(Status(word="its disk is full"))
        wire.close()

    monkeypatch.setattr(process, "perform", dies)
    words: list[str] = []
    with Player([], on_status=lambda status: words.append(status.word) if not status.alive else None, own_process=False):
        until(lambda: any("not started again" in word for word in words), "it is given up")
    assert len(words) == 4
    assert [word.count("ended (") for word in words] == [1, 1, 1, 1]
    assert ["its disk is full" in word for word in words] == [True, False, False, False]


def test_a_port_that_cannot_be_opened_is_said_and_opened_by_and_by(tmp_path: Path) -> None:
    home = tmp_path / "later"
    with Player([Route(Outlet("file", str(home / "out")))], own_process=False) as player:
        status = player.wait(lambda s: bool(s.outlets), DEADLINE_S)
        assert "cannot be written" in status.word
        player.load(chords())
        player.play()
        home.mkdir()
        player.wait(lambda s: bool(s.outlets) and not s.outlets[0].fault, DEADLINE_S)
        player.wait(lambda s: bool(s.sounding), DEADLINE_S)
    assert sounding(home / "out")[1] == set()


def test_stems_without_a_route_are_silent_and_a_patch_ends_what_sounds(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    with Player([Route(Outlet("file", str(one)), "piano")], own_process=False) as player:
        player.load(chords())
        player.play()
        player.wait(rolls, DEADLINE_S)
        player.settle(player.patch([Route(Outlet("file", str(two)), "melody")]), DEADLINE_S)
        assert sounding(one)[1] == set()
        player.wait(rolls, DEADLINE_S)
    assert {message[0] & 0x0F for _, message in written(one)} == {2}
    assert {message[0] & 0x0F for _, message in written(two)} == {0}
    assert sounding(two)[1] == set()


def test_what_cannot_be_is_refused_in_one_line(tape: Path) -> None:
    player = Player([Route(Outlet("file", str(tape)))], own_process=False)
    with pytest.raises(OptionError, match="no loop"):
        player.loop(3, 3)
    with pytest.raises(OptionError, match="times the speed"):
        player.play(speed=-1)
    with pytest.raises(OptionError, match="bar or now"):
        player.swap(chords(), "later")
    with pytest.raises(OptionError, match="more than 16"):
        player.patch(Route(Outlet("file", f"{tape}{k}"), str(k)) for k in range(17))
    with pytest.raises(PortError, match="nothing came"):
        player.wait(lambda s: s.title == "never", 0.01)
    player.close()
    player.close()
    with pytest.raises(PortError, match="closed"):
        player.play()


def test_without_jack_its_ports_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there is none")
    with Player([Route(Outlet("jack", "melody"))], [Inlet("jack transport")], own_process=False) as player:
        status = player.wait(lambda s: bool(s.outlets) and bool(s.inlets), DEADLINE_S)
        assert "no JACK server runs" in status.word
        assert "start JACK" in status.inlets[0].fault


def test_the_process_loads_nothing_that_composes_or_draws() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import bridge.player.process; "
        "print([n for n in ('onnxruntime', 'torch', 'PyQt6', 'cv2', 'av', 'scipy', 'symusic') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
