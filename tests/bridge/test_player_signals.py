"""A terminal that is closed, Ctrl-C and Ctrl-\\: they reach the program and its player at once, and no note is left sounding."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from test_player_process import DEADLINE_S, gone, sounding, until

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

NEVER_ENDS = """
import signal, sys, time
sys.path[:0] = {paths!r}
from test_player_process import chords
from bridge.player import Outlet, Player, Route

if __name__ == "__main__":
    for number in (signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.default_int_handler)
    with Player([Route(Outlet("file", {tape!r}))]) as player:
        player.load(chords())
        player.play()
        player.wait(lambda status: False, 1000)
"""
"""A program that has a player, and ends it when it is told to end."""


def children(pid: int) -> list[int]:
    """The processes that one has begun and that live."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*"):
        found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if not gone(child)]


HEARS = (
    "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL); signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
"""A program that hears Ctrl-C and its terminal go, also where the tests were begun so that they do not (nohup, a shell's &)."""


@contextmanager
def group(command: list[str], **more: str) -> Iterator[subprocess.Popen[str]]:
    """A program in a group of its own with all that it starts, as a terminal has it; nothing of it is left."""
    started = subprocess.Popen(
        [sys.executable, "-c", HEARS, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **more},
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.communicate(timeout=DEADLINE_S)


def plays(tape: Path) -> bool:
    count, sounds = sounding(tape)
    return count > 4 and bool(sounds)


def all_gone(pid: int) -> bool:
    """Whether a group has nobody left that lives."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            _, _, group, *_ = process.joinpath("stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(group) == pid and not gone(int(process.name)):
            return False
    return True


@pytest.mark.parametrize("how", [pytest.param(signal.SIGHUP, marks=pytest.mark.slow), signal.SIGQUIT])
def test_what_ends_the_whole_group_ends_every_note(how: signal.Signals, tmp_path: Path) -> None:
    """As when a terminal is closed over ``play``, or Ctrl-\\ is pressed in it."""
    tape, script = tmp_path / "out", tmp_path / "host.py"
    script.write_text(NEVER_ENDS.format(paths=[str(ROOT), str(Path(__file__).parent)], tape=str(tape)))
    with group([sys.executable, str(script)]) as host:
        until(lambda: plays(tape), "it never played")
        os.killpg(host.pid, how)
        host.wait(DEADLINE_S)
        until(lambda: all_gone(host.pid), "somebody stayed")
    count, hang = sounding(tape)
    assert count > 4
    assert hang == set()


@pytest.mark.parametrize(
    "how", [signal.SIGHUP, *(pytest.param(how, marks=pytest.mark.slow) for how in (signal.SIGQUIT, signal.SIGTERM))]
)
def test_the_command_line_ends_in_order_when_its_terminal_goes(how: signal.Signals, file: Path, tmp_path: Path) -> None:
    tape = tmp_path / "out"
    with group([sys.executable, str(ROOT / "main.py"), "play", str(file), "--out", f"file:{tape}", "--speed", "0.5"]) as program:
        until(lambda: plays(tape), "it never played")
        os.killpg(program.pid, how)
        _, said = program.communicate(timeout=DEADLINE_S)
        until(lambda: all_gone(program.pid), "somebody stayed")
    assert sounding(tape)[1] == set()
    assert program.returncode == 130
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "cancelled: nothing half-written was left"


def test_a_terminal_that_is_closed_ends_every_note(file: Path, tmp_path: Path) -> None:
    """A real one: who wrote to it finds nobody there any more, and the notes end all the same."""
    tape = tmp_path / "out"
    mine, its = os.openpty()
    command = [sys.executable, str(ROOT / "main.py"), "play", str(file), "--out", f"file:{tape}", "--speed", "0.5"]
    own = f"import os, fcntl, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); {HEARS}"
    started = subprocess.Popen([sys.executable, "-c", own, *command], stdin=its, stdout=its, stderr=its)
    os.close(its)
    try:
        os.set_blocking(mine, False)

        def played() -> bool:
            try:
                while os.read(mine, 4096):
                    pass
            except BlockingIOError:
                pass
            return plays(tape)

        until(played, "it never played")
    finally:
        os.close(mine)
        try:
            started.wait(DEADLINE_S)
        finally:
            started.kill()
            started.wait()
    until(lambda: all_gone(started.pid), "somebody stayed")
    assert sounding(tape)[1] == set()
    assert started.returncode == 130


@pytest.mark.slow
def test_started_to_outlive_its_terminal_it_does(file: Path, tmp_path: Path) -> None:
    """With ``nohup``."""
    tape = tmp_path / "out"
    command = [sys.executable, str(ROOT / "main.py"), "play", str(file), "--out", f"file:{tape}"]
    with group(["nohup", *command]) as program:
        until(lambda: plays(tape), "it never played")
        os.killpg(program.pid, signal.SIGHUP)
        before = sounding(tape)[0]
        until(lambda: sounding(tape)[0] > before + 4, "it ended with its terminal")
        os.killpg(program.pid, signal.SIGTERM)
        program.communicate(timeout=DEADLINE_S)
        until(lambda: all_gone(program.pid), "somebody stayed")
    assert sounding(tape)[1] == set()


STARTS = """
import sys, threading, time
sys.path[:0] = {paths!r}
from bridge.player import Outlet, Player, Route

if __name__ == "__main__":
    print("ready", flush=True)
    try:
        with Player([Route(Outlet("file", {tape!r}))]) as player:
            player.wait(lambda status: False, 1000)
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_ctrl_c_while_the_player_starts_is_no_traceback(tmp_path: Path) -> None:
    """At many moments, from before the player's process is begun until it is at work."""
    script = tmp_path / "host.py"
    script.write_text(STARTS.format(paths=[str(ROOT)], tape=str(tmp_path / "out")))
    with_player = 0
    for moment in range(8):
        with group([sys.executable, str(script)]) as host:
            assert host.stdout is not None
            assert host.stdout.readline() == "ready\n"
            time.sleep(0.08 * moment)  # what is tried is the moment itself
            with_player += len(children(host.pid)) > 1  # multiprocessing's tracker, and the player
            os.killpg(host.pid, signal.SIGINT)
            _, said = host.communicate(timeout=DEADLINE_S)
            until(lambda pid=host.pid: all_gone(pid), "somebody stayed")  # type: ignore[misc]
        assert (host.returncode, said) == (130, "")
    assert with_player > 2, "the player's process was signalled while it started"
