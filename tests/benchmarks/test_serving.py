"""The wires: calls a second over HTTP and OSC, ten thousand broken packets and requests, and how long a DAW's button takes to be heard.

The server runs in a process of its own and the floods come from this one, so that its memory is its own. The refill from a button is
timed by one clock: from the datagram that leaves until the first new note has left the player, with the engines as they are shipped.
Beside the whole time stands what it is made of: composing, and the wait for the bar line at which the take is swapped in, which depends
on where the music is just then.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event as Flag
from typing import Any

import httpx
import pytest
from sittings import saved, scored

sys.path.insert(0, str(Path(__file__).parents[1] / "bridge"))

from test_osc import malformed as broken_packets
from test_server import malformed as broken_requests

from bridge.osc import OscServer
from bridge.osc_client import OscClient
from bridge.player import Outlet, Player, Route
from bridge.studio import Studio
from engines.picture.demo_film import make_demo_film
from engines.scoring import Wishes

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).parent / "results" / "server.json"
FLOOD = 10_000
SECONDS = 3.0
REFILLS = 7
LONG = 300.0
NEAR_NS = 70_000_000
"""A status is at most so old that names the place of the seam."""

CODE = """import sys
sys.path[:0] = [{root!r}, {tests!r}]
from engines.engine import ENGINES
ENGINES["trio"] = "sittings:Trio"
from main import main
sys.exit(main())
"""


def keep_result(name: str, table: dict[str, Any]) -> None:
    """One table of the results, beside those that are there."""
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known | {name: table}, indent=1) + "\n")
    print("\n" + "\n".join(f"{key:58} {value}" for key, value in table.items()))


@dataclass(frozen=True)
class Served:
    """A server in a process of its own."""

    told: dict[str, Any]
    pid: int
    file: Path

    def memory(self) -> float:
        """Megabytes that are its own now (resident)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def spent(self) -> float:
        """Milliseconds of processor that it has used, whatever else the machine does."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.told['token']}"}
        return httpx.Client(base_url=self.told["url"], headers=headers, timeout=LONG, trust_env=False)


@pytest.fixture
def served(tmp_path: Path, trio: str) -> Iterator[Served]:
    file = saved(scored(), tmp_path / "cue.hitpoint")
    run = tmp_path / "run"
    run.mkdir(mode=0o700)
    code = CODE.format(root=str(ROOT), tests=str(ROOT / "tests"))
    words = ["serve", "--port", "0", "--osc-port", "0", "--session", str(file), "--json"]
    environment = os.environ | {"XDG_RUNTIME_DIR": str(run), "XDG_STATE_HOME": str(run)}
    with subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True, env=environment) as program:
        assert program.stdout is not None
        yield Served(json.loads(program.stdout.readline()), program.pid, file)
        program.send_signal(signal.SIGINT)
        assert program.wait(LONG) == 0


def rate(served: Served, call: Callable[[int], object]) -> dict[str, float]:
    """Calls one after the other: how many a second, the 99th percentile of their milliseconds, and the server's own per call."""
    took, spent = [], served.spent()
    end = time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < end:
        call(len(took))
        took.append(1000 * (time.perf_counter() - began))
    each = (served.spent() - spent) / len(took)
    last = sorted(took)[int(len(took) * 0.99)]
    return {"a second": round(len(took) / (sum(took) / 1000), 1), "p99 ms": round(last, 2), "processor ms each": round(each, 2)}


@pytest.mark.benchmark
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_calls_a_second(served: Served) -> None:
    table: dict[str, Any] = {}

    def note(name: str, call: Callable[[int], object]) -> None:
        table.update({f"{name}: {what}": value for what, value in rate(served, call).items()})

    with served.client() as client, OscClient(served.told["osc_port"]) as daw:
        note("HTTP ping", lambda n: client.get("/hitpoint/ping"))
        note("HTTP session", lambda n: client.get("/hitpoint/session"))
        note("HTTP act (choose, silence)", lambda n: client.post("/hitpoint/scene/take", json={"scene": 2, "take": n % 2}))
        note("OSC ping", lambda n: daw.ask("/hitpoint/ping", LONG))
        note("OSC act (choose, silence)", lambda n: daw.ask("/hitpoint/scene/take", LONG, scene=2, take=n % 2))
        note("HTTP refill by an engine that costs nothing", lambda n: _refilled(client))
    with ThreadPoolExecutor(8) as pool:

        def many(_: int) -> int:
            with served.client() as client:
                end, count = time.perf_counter() + SECONDS, 0
                while time.perf_counter() < end:
                    assert client.get("/hitpoint/ping").status_code == 200
                    count += 1
                return count

        table["HTTP ping by 8 clients at once: a second"] = round(sum(pool.map(many, range(8))) / SECONDS, 1)
    table["load of the machine when this ended"] = round(os.getloadavg()[0], 2)
    keep_result("calls a second", table)


def _refilled(client: httpx.Client) -> None:
    number = client.post("/hitpoint/scene/refill", json={"scene": 3}).json()["job"]
    while client.get("/hitpoint/job", params={"job": number}).json()["state"] in ("waiting", "working"):
        time.sleep(0.02)


@pytest.mark.benchmark
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_ten_thousand_broken_packets_and_requests(served: Served) -> None:
    import socket
    from contextlib import suppress

    port = int(served.told["url"].rpartition(":")[2])
    table: dict[str, Any] = {}
    with served.client() as client, OscClient(served.told["osc_port"]) as daw:
        looks = ("session", "takes", "history", "brief", "jobs")

        def everything() -> list[Any]:
            return [client.get(f"/hitpoint/{look}").json() for look in looks]

        def packets(number: int) -> float:
            began = time.perf_counter()
            for k, data in enumerate(broken_packets(number)):
                daw.post(data)
                if k % 20 == 0:  # so that none is lost on its way
                    daw.ask("/hitpoint/ping", LONG)
            daw.ask("/hitpoint/ping", LONG)
            daw.told.clear()
            return time.perf_counter() - began

        def requests(number: int) -> tuple[float, int]:
            began, answered = time.perf_counter(), 0
            for data in broken_requests(number, port, served.told["token"]):
                with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=LONG) as opened:
                    opened.sendall(data)
                    opened.shutdown(socket.SHUT_WR)
                    answered += opened.recv(20).startswith(b"HTTP/1.1 4")
            return time.perf_counter() - began, answered

        before, content = everything(), served.file.read_bytes()
        packets(FLOOD // 10)
        requests(FLOOD // 10)
        everything()
        at = served.memory()
        seconds = packets(FLOOD)
        table |= {
            "broken packets": FLOOD,
            "packets a second": round(FLOOD / seconds),
            "megabytes more": round(served.memory() - at, 2),
        }
        at = served.memory()
        seconds, answered = requests(FLOOD)
        grown = round(served.memory() - at, 2)
        table |= {"broken requests": FLOOD, "requests a second": round(FLOOD / seconds), "answered 4xx": answered}
        table |= {"megabytes more after them": grown, "megabytes in all": round(served.memory(), 1)}
        assert everything() == before
        assert served.file.read_bytes() == content
        assert table["megabytes more"] < 4
        assert grown < 4
        table["lost"] = "nothing: session, takes, history, brief, jobs and file are the same"
    keep_result("broken packets and requests", table)


@contextmanager
def rolling(studio: Studio, scene: int, tape: Path) -> Iterator[Player]:
    """The player with the session, going round in one scene, writing down what it sends."""
    start, end = studio.now.session.span(scene).seconds
    player = studio.playback.open([Route(Outlet("file", str(tape)))])
    studio.playback.locate(start)
    studio.playback.loop(start, min(end, studio.now.session.film.duration))
    studio.playback.play()
    player.wait(lambda status: status.rolling and status.seconds > start, LONG)
    try:
        yield player
    finally:
        studio.playback.stop()
        studio.playback.settle()


def first_note(tape: Path, after_ns: int, size: int) -> int | None:
    """When the first note was sent after a moment, in what was written beyond ``size`` bytes."""
    for line in tape.read_bytes()[size:].splitlines():
        moment, message = line.split()
        if int(moment) >= after_ns and message[:1] == b"9":
            return int(moment)
    return None


@pytest.mark.benchmark
@pytest.mark.parametrize("engine", ["bmt", "diffbgm"])
def test_from_a_button_to_the_first_new_note(tmp_path: Path, engine: str) -> None:
    film = make_demo_film(tmp_path / "demo.mp4")
    studio = Studio()
    server = OscServer(studio)
    rows: list[dict[str, float]] = []
    try:
        studio.open_film(film).result(LONG)
        studio.spot(Wishes(engine=engine)).result(LONG)
        studio.new(tmp_path / "score" / "cue.hitpoint")
        studio.score(seed=1).result(LONG)
        scene = len(studio.now.session.scenes)
        length = len(studio.now.session.span(scene).bars)
        tape = tmp_path / "out"
        with rolling(studio, scene, tape) as player, OscClient(server.port) as daw:
            for _ in range(REFILLS):
                rows.append(_button(studio, player, daw, scene, tape))
        stops = [_cancelled(studio, scene) for _ in range(REFILLS)]
    finally:
        server.close()
        studio.close(LONG)

    def middle(name: str) -> float:
        return round(median(row[name] for row in rows), 3)

    table = {
        "scene": f"{scene}, {length} bars",
        "refills": REFILLS,
        "from the message to the take, s: median": middle("composed"),
        "processor seconds in that time: median": middle("spent"),
        "from the message to the take, s: worst": round(max(row["composed"] for row in rows), 3),
        "from the take to its first note, s: median": round(median(row["heard"] - row["composed"] for row in rows), 3),
        "from the message to the first new note, s: median": middle("heard"),
        "from the message to the first new note, s: best": round(min(row["heard"] for row in rows), 3),
        "from the message to the first new note, s: worst": round(max(row["heard"] for row in rows), 3),
        "a bar, s": middle("bar"),
        "from a cancel to its end, ms: median": round(median(stops), 1),
        "from a cancel to its end, ms: worst": round(max(stops), 1),
        "load of the machine when this ended": round(os.getloadavg()[0], 2),
    }
    keep_result(f"from an OSC message to the first new note, {engine}", table)


def _cancelled(studio: Studio, scene: int) -> float:
    """Milliseconds from a cancel in the middle of composing until the job has ended; nothing may have changed."""
    studio.flush()
    before, content = studio.now, studio.now.path.read_bytes()
    composing = Flag()
    job = studio.refill(scene)
    leave = studio.jobs.listeners.subscribe(lambda reading: composing.set() if reading.stage == "compose" else None)
    assert composing.wait(LONG)
    began = time.monotonic_ns()
    job.cancel()
    assert job.wait(LONG)
    took = (time.monotonic_ns() - began) / 1e6
    leave()
    studio.flush()
    assert job.reading.state == "cancelled"
    assert (studio.now, studio.now.path.read_bytes()) == (before, content)
    return took


def _button(studio: Studio, player: Player, daw: OscClient, scene: int, tape: Path) -> dict[str, float]:
    """One press: when the take was there, and when its first note went out, in seconds from the message."""
    size = tape.stat().st_size
    began, spent = time.monotonic_ns(), time.process_time()
    daw.send("/hitpoint/scene/refill", scene)
    daw.hear(lambda m: m[0] == "/hitpoint/told/job" and m[1][1] == "done", LONG)
    composed, spent = time.monotonic_ns(), time.process_time() - spent
    studio.playback.settle()
    status = player.wait(lambda status: status.seam is not None, LONG)
    assert status.seam is not None
    assert status.loop is not None
    start, last = status.loop
    due = time.monotonic_ns() + round((status.seam - status.seconds) % (last - start) * 10**9)
    player.wait(lambda status: status.seam is None, LONG)
    heard = None
    end = time.monotonic() + 2 * float(last - start)
    while heard is None and time.monotonic() < end:
        heard = first_note(tape, due - NEAR_NS, size)
        player.settle()
    assert heard is not None
    bars = studio.now.session.span(scene).bars
    bar = studio.now.session.tempo_map.seconds(bars[0].end) - studio.now.session.tempo_map.seconds(bars[0].start)
    return {
        "composed": (composed - began) / 1e9,
        "spent": spent,
        "heard": (heard - began) / 1e9,
        "bar": float(bar),
    }
