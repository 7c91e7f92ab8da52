"""``serve`` as a program: it says where it is, does what it is asked over HTTP and OSC, and ends cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import peers
import pytest
from sittings import saved, scored
from websockets.sync.client import connect

from bridge.osc_client import OscClient
from engines.session.desk import Desk

ROOT = Path(__file__).resolve().parents[2]
LONG = 120.0

TRIO = """import sys
sys.path[:0] = [{root!r}, {tests!r}]
from engines.engine import ENGINES
ENGINES["trio"] = "sittings:Trio"
ENGINES["endless"] = "test_serve:Endless"
sys.path.insert(0, {here!r})
from main import main
sys.exit(main())
"""


class Endless:
    """An engine that composes until it is stopped."""

    name = "endless"

    def __init__(self, provider: str | None = None, mode: str | None = None) -> None:
        self.provider = provider

    def compose(self, brief: object, seed: int, keep: object, on_progress: Any, cancelled: Any) -> None:
        from threading import Event

        from engines.errors import Cancelled

        on_progress(1, 100)
        while not Event().wait(0.01):
            if cancelled():
                raise Cancelled


@pytest.fixture
def file(trio: str, tmp_path: Path) -> Path:
    return saved(scored(), tmp_path / "cue.hitpoint")


@contextmanager
def serving(tmp_path: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The program with an engine that tests have, and what it said when it was ready."""
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    environment = os.environ | {
        "XDG_RUNTIME_DIR": str(run),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "PYTHONWARNINGS": "error",
    }
    code = TRIO.format(root=str(ROOT), tests=str(ROOT / "tests"), here=str(Path(__file__).parent))
    command = [sys.executable, "-c", code, "serve", "--port", "0", "--json", *words]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line, program.stderr.read() if program.stderr else ""
            yield program, json.loads(line)
        finally:
            if program.poll() is None:
                program.kill()


def end(program: subprocess.Popen[str], how: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
    program.send_signal(how)
    out, said = program.communicate(timeout=LONG)
    return program.returncode, out, said


def test_it_says_where_it_is_works_and_ends_with_everything_saved(file: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--session", str(file), "--osc-port", "0") as (program, told):
        table = json.loads(Path(told["token_file"]).read_text("utf-8"))
        assert {table["token"], told["token"]} == {told["token"]}
        assert (table["url"], table["pid"], table["osc_port"]) == (told["url"], program.pid, told["osc_port"])
        assert told["session"] == str(file)
        headers = {"Authorization": f"Bearer {told['token']}"}
        with httpx.Client(base_url=told["url"], headers=headers, timeout=LONG, trust_env=False) as client:
            with connect(told["events"], proxy=None) as events, OscClient(told["osc_port"]) as daw:
                assert json.loads(events.recv(LONG))["event"] == "hello"
                daw.send("/hitpoint/scene/refill", 3)
                while (said := json.loads(events.recv(LONG))).get("change") != "acted":
                    pass
                assert said["scenes"] == [3]
                assert client.post("/hitpoint/scene/name", json={"scene": 1, "name": "Dawn"}).status_code == 200
                job = client.post("/hitpoint/scene/refill", json={"scene": 2, "engine": "endless"}).json()["job"]
                while (said := json.loads(events.recv(LONG))).get("stage") != "compose":
                    pass
                assert said["job"] == job
            assert client.get("/openapi.json").status_code == 200
        code, out, words = end(program)
    assert (code, out) == (0, "")
    assert words.splitlines()[0] == f"token: {told['token']}"
    assert "the session is saved" in words.splitlines()[-1]
    assert "Traceback" not in words
    assert not Path(told["token_file"]).exists()
    with Desk.open(file) as desk:
        assert not desk.read_only
        assert [step.sentence for step in desk.history.done] == ["Refill scene 3", "Name scene 1"]
    assert file.with_suffix(".mid").exists()


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the programs that one has begun are read from /proc")
def test_it_plays_from_a_button_and_leaves_no_player_behind(file: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--session", str(file), "--osc-port", "0") as (program, told), OscClient(told["osc_port"]) as daw:
        daw.ask("/hitpoint/subscribe", LONG)
        daw.ask("/hitpoint/transport/ports", LONG, out="virtual:Hitpoint test")
        daw.send("/hitpoint/transport/play", 1.0)
        moved = daw.hear(lambda m: m[0] == "/hitpoint/told/transport" and m[1][1] == 1 and m[1][0] > 0.1, LONG)
        assert moved[1][2:] == (1.0, "Hitpoint", "")
        children = [
            pid for task in Path(f"/proc/{program.pid}/task").iterdir() for pid in (task / "children").read_text().split()
        ]
        assert daw.ask("/hitpoint/transport", LONG)["player"]
        code, _, words = end(program)
    assert code == 0
    assert "Traceback" not in words
    assert children
    # multiprocessing's tracker ends when the last who could tell it something has ended: a moment after the program
    assert peers.until(lambda: not [pid for pid in children if alive(int(pid))], LONG), "somebody outlived the program"


def alive(pid: int) -> bool:
    """Whether a process is there that is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(os.name != "posix", reason="Windows ends a program without a word")
def test_ended_by_the_system_it_saves_too(file: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--session", str(file)) as (program, told):
        assert told["osc_port"] is None
        headers = {"Authorization": f"Bearer {told['token']}"}
        httpx.post(
            f"{told['url']}/hitpoint/scene/take", json={"scene": 2, "take": 0}, headers=headers, trust_env=False, timeout=LONG
        )
        assert end(program, signal.SIGTERM)[0] == 0
    with Desk.open(file, read_only=True) as desk:
        assert desk.session.scenes[1].chosen is None


def test_a_session_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "cue.hitpoint").write_text("no session")
    done = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), "serve", "--port", "0", "--session", str(tmp_path / "cue.hitpoint")],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "is no session" in done.stderr


def test_the_table_of_addresses_is_written_without_a_server(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "main.py"), "serve", "--addresses"]
    page = subprocess.run(command, capture_output=True, text=True, timeout=LONG, check=True).stdout
    assert page == (ROOT / "bridge" / "OSC.md").read_text("utf-8")
    rows = json.loads(subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=LONG, check=True).stdout)
    assert {"address", "what", "arguments", "answers", "http"} == set(rows["addresses"][0])


def test_a_session_that_is_open_elsewhere_is_told_at_the_start(file: Path, tmp_path: Path) -> None:
    with Desk.open(file), serving(tmp_path, "--session", str(file)) as (program, told):
        assert told["read_only"] is True
        code, _, words = end(program)
    assert code == 0
    assert f"process {os.getpid()}" in words
    assert "here it is read-only" in words


def test_a_session_given_beside_is_told_with_its_whole_path(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    with serving(tmp_path, "--session", file.name) as (program, told):
        assert told["session"] == str(file.resolve())
        assert end(program)[0] == 0
