"""The local server over real sockets of the loopback: what it does, whom it turns away, and what cannot harm it."""

from __future__ import annotations

import gc
import json
import os
import socket
import stat
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from test_studio import Slow
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

import bridge.server.feed
import bridge.server.guard
import bridge.server.lines
from bridge import calls
from bridge.addresses import ASKED
from bridge.events import Message
from bridge.osc_page import osc_page
from bridge.server.door import Door
from bridge.server.local import LocalServer
from bridge.studio import Studio
from engines.errors import OutputError, PortError

LONG = 60.0
ROOT = Path(__file__).resolve().parents[2]
ACTS = [row for row in ASKED if row.changes]
LOOKS = [row for row in ASKED if not row.changes and row.wire == "both"]


@pytest.fixture
def slow(trio: str, monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    from engines.engine import ENGINES

    Slow.began.clear()
    Slow.go.clear()
    monkeypatch.setitem(ENGINES, "slow", "test_studio:Slow")
    return Slow


@pytest.fixture
def studio(at_work: Studio) -> Studio:
    return at_work


@pytest.fixture
def server(studio: Studio) -> Iterator[LocalServer]:
    made = LocalServer(studio)
    yield made
    made.close()


@pytest.fixture(scope="module")
def standing(scored_once: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Studio, LocalServer, Path]]:
    """One server for all tests after which everything must be as before, with its studio and the session's file."""
    path = tmp_path_factory.mktemp("standing") / "cue.hitpoint"
    path.write_bytes(scored_once)
    studio = Studio()
    studio.open_session(path)
    server = LocalServer(studio)
    yield studio, server, path
    server.close()
    studio.close(LONG)


@pytest.fixture
def untouched(standing: tuple[Studio, LocalServer, Path]) -> Iterator[LocalServer]:
    """That server; fails where a test has changed anything."""
    studio, server, path = standing
    before, content = studio.now, path.read_bytes()
    yield server
    assert (studio.now, path.read_bytes(), studio.jobs.readings()) == (before, content, [])


@contextmanager
def asking(server: LocalServer, **headers: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=LONG, headers=headers, trust_env=False) as made:
        yield made


@pytest.fixture
def stranger(untouched: LocalServer) -> Iterator[httpx.Client]:
    """Somebody without the token."""
    with asking(untouched) as made:
        yield made


@pytest.fixture
def admitted(untouched: LocalServer) -> Iterator[httpx.Client]:
    """Somebody with it, who asks for what cannot be."""
    with asking(untouched, Authorization=f"Bearer {untouched.door.token}") as made:
        yield made


@pytest.fixture
def client(server: LocalServer) -> Iterator[httpx.Client]:
    with asking(server, Authorization=f"Bearer {server.door.token}") as made:
        yield made


def listen(server: LocalServer, query: str = "", **named: Any) -> ClientConnection:
    return connect(f"ws://127.0.0.1:{server.port}/hitpoint/events{query}", open_timeout=LONG, proxy=None, **named)


def until(events: ClientConnection, **wanted: Any) -> dict[str, Any]:
    while True:
        told: dict[str, Any] = json.loads(events.recv(LONG))
        if wanted.items() <= told.items():
            return told


def until_true(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def said(answer: httpx.Response) -> str:
    """The error of an answer, after a look that it is one line of JSON and no traceback."""
    assert 400 <= answer.status_code < 500, answer.text
    table = answer.json()
    assert set(table) == {"error", "where", "cure"}
    assert "\n" not in answer.text
    assert "Traceback" not in answer.text
    return str(table["error"])


def test_a_refill_over_http_with_its_progress_over_the_websocket(
    studio: Studio, server: LocalServer, client: httpx.Client
) -> None:
    before = studio.now.session
    with listen(server) as events:
        hello = json.loads(events.recv(LONG))
        assert (hello["event"], hello["session"]) == ("hello", str(studio.now.path))
        job = client.post("/hitpoint/scene/refill", json={"scene": 3, "seed": 9}).json()
        assert (job["sentence"], job["lane"]) == ("Refill scene 3", "engine")
        assert until(events, event="session", change="acted")["scenes"] == [3]
        until(events, event="job", job=job["job"], state="done")
    result = client.get("/hitpoint/job", params={"job": job["job"]}).json()["result"]
    assert [(row["scene"], row["take"], row["seed"]) for row in result["scenes"]] == [(3, 2, 9)]
    assert studio.now.session.scenes[:2] == before.scenes[:2]
    assert client.post("/hitpoint/scene/take", json={"scene": 3, "take": 1}).json()["chosen"] == 1
    assert client.post("/hitpoint/undo").json() == {"undone": "Choose take 1 of scene 3"}
    assert client.post("/hitpoint/undo", json={}).json() == {"undone": "Refill scene 3"}
    assert studio.now.session.notes == before.notes


def test_from_a_film_to_its_takes_over_http(studio: Studio, client: httpx.Client, shared: Path, tmp_path: Path) -> None:
    def ask(address: str, **given: Any) -> Any:
        answer = client.post(f"/hitpoint/{address}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def result(job: dict[str, Any]) -> Any:
        assert studio.jobs.job(job["job"]).wait(LONG)
        told = client.get("/hitpoint/job", params={"job": job["job"]}).json()
        assert told["state"] == "done", told
        return told["result"]

    film = shared / "media" / "fades.mp4"
    opened = result(ask("open", path=str(film)))
    assert opened["cuts"]
    maps = result(ask("spot", tempo="70-140", metres="4/4 3/4", hits=f"{opened['cuts'][0]['frame']}=1.0,hard"))["candidates"]
    assert client.get("/hitpoint/film").json()["candidates"] == maps
    assert ask("map", map=len(maps) - 1)["candidates"][0] == maps[-1]
    made = ask("new", path=str(tmp_path / "score" / "cue.hitpoint"), engine="trio")
    assert (made["engine"], made["notes"]) == ("trio", 0)
    scored = result(ask("score", seed=3))
    assert [row["scene"] for row in scored["scenes"]] == [row["scene"] for row in made["scenes"]]
    takes = client.get("/hitpoint/takes").json()["scenes"]
    assert {scene["chosen"] for scene in takes} == {1}
    seen = result(ask("doctor", daws="folder", listen=0.0))
    assert {"engine", "server"} & {link["link"] for link in seen["links"]}
    assert result(ask("place", at="01:00:00:00"))["clips"][0]["start_s"] >= 3599
    assert ask("close") == {"session": None, "film": str(film)}
    assert ask("close", film=True) == {"session": None, "film": None}


def test_a_job_is_cancelled_over_http_and_leaves_the_session_byte_for_byte(
    studio: Studio, file: Path, client: httpx.Client, slow: type[Slow]
) -> None:
    content = file.read_bytes()
    job = client.post("/hitpoint/scene/refill", json={"scene": 2, "engine": "slow"}).json()["job"]
    assert slow.began.wait(LONG)
    client.post("/hitpoint/job/cancel", json={"job": job})
    assert studio.jobs.job(job).wait(LONG)
    assert client.get("/hitpoint/job", params={"job": job}).json()["state"] == "cancelled"
    studio.flush()
    assert file.read_bytes() == content


def test_what_it_can_do_is_described_for_programs_and_for_people(stranger: httpx.Client) -> None:
    paths = stranger.get("/openapi.json").json()["paths"]
    assert set(paths) == {row.address for row in ASKED if row.wire == "both"}
    for row in ASKED:
        if row.wire == "both":
            assert set(paths[row.address]) == {"post" if row.changes else "get"}
    table = stranger.get("/openapi.json").json()
    assert table["components"]["securitySchemes"] == {
        "token": table["components"]["securitySchemes"]["token"] | {"scheme": "bearer"}
    }
    assert paths["/hitpoint/undo"]["post"]["security"] == [{"token": []}]
    assert "security" not in paths["/hitpoint/ping"]["get"]
    body = paths["/hitpoint/scene/refill"]["post"]["requestBody"]
    assert body["required"]
    assert stranger.get("/").text == osc_page()


def test_the_page_of_addresses_is_the_tables() -> None:
    written = (ROOT / "bridge" / "OSC.md").read_text("utf-8")
    assert written == osc_page().rstrip() + "\n", "write it anew: python main.py serve --addresses > bridge/OSC.md"


@pytest.mark.parametrize("row", LOOKS, ids=lambda row: row.address)
def test_looking_needs_no_token_and_changes_nothing(stranger: httpx.Client, row: Any) -> None:
    asked = {"/hitpoint/job": {"job": 1}, "/hitpoint/takes/compare": {"scene": 1, "one": 1, "other": 1}}
    answer = stranger.get(row.address, params=asked.get(row.address))
    assert answer.status_code == (400 if row.address == "/hitpoint/job" else 200), answer.text


@pytest.mark.parametrize("token", [None, "Bearer", "Bearer wrong", "Basic {}", "{}", "Bearer {}x", "bearer  {} x"])
def test_without_the_token_nothing_is_changed(untouched: LocalServer, stranger: httpx.Client, token: str | None) -> None:
    headers = {} if token is None else {"Authorization": token.format(untouched.door.token)}
    for row in ACTS:
        answer = stranger.post(row.address, json={a.name: 1 for a in row.arguments if a.needed}, headers=headers)
        assert "no token" in said(answer)
        assert answer.status_code == 401
    for method in ("PUT", "DELETE", "PATCH"):
        assert stranger.request(method, "/hitpoint/undo", headers=headers).status_code == 401
    assert stranger.get("/hitpoint/undo").status_code == 405


def upgrade(host: str) -> bytes:
    """The request for a WebSocket of events."""
    return (
        f"GET /hitpoint/events HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{}", "0.0.0.0:{}", ""])
def test_another_host_is_turned_away(untouched: LocalServer, admitted: httpx.Client, host: str) -> None:
    for path in ("/hitpoint/ping", "/openapi.json", "/"):
        answer = admitted.get(path, headers={"Host": host.format(untouched.port)})
        assert answer.status_code == 421
        said(answer)
    told = half(untouched, upgrade(host.format(untouched.port)))
    assert told.startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:{}", "http://127.0.0.1", "file://"])
def test_a_web_page_is_turned_away(untouched: LocalServer, admitted: httpx.Client, origin: str) -> None:
    headers = {"Origin": origin.format(untouched.port)}
    assert admitted.get("/hitpoint/session", headers=headers).status_code == 403
    assert "web page" in said(admitted.post("/hitpoint/scene/take", json={"scene": 1, "take": 0}, headers=headers))
    assert admitted.options("/hitpoint/undo", headers=headers).status_code == 403
    with pytest.raises(InvalidStatus, match="403"):
        listen(untouched, additional_headers=headers)
    assert admitted.get("/hitpoint/session", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_page_of_the_server_itself_may_ask(untouched: LocalServer, admitted: httpx.Client) -> None:
    for host in (f"127.0.0.1:{untouched.port}", f"localhost:{untouched.port}"):
        assert admitted.get("/hitpoint/ping", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "content", "wrong"),
    [
        ("/hitpoint/scene/refill", b"{", "what was sent is no JSON"),
        ("/hitpoint/scene/refill", b"", "what was sent is missing"),
        ("/hitpoint/scene/refill", b"[]", "what was sent is no object of arguments"),
        ("/hitpoint/scene/refill", b'{"scene": 9}', "there is no scene 9"),
        ("/hitpoint/scene/refill", b'{"scene": 0}', "scene is below 1"),
        ("/hitpoint/scene/refill", b'{"scene": "three"}', "scene is no whole number"),
        ("/hitpoint/scene/refill", b'{"scene": 3, "colour": "red"}', "colour is no argument"),
        ("/hitpoint/scene/refill", b'{"scene": 3, "seed": 1e400}', "seed"),
        ("/hitpoint/scene/refill", b'{"scene": 3, "seed": ' + b"9" * 5000 + b"}", ""),
        ("/hitpoint/scene/refill", b'{"scene": 3, "keep": "drums"}', "nothing that can be kept"),
        ("/hitpoint/scene/refill", b"[" * 30_000, ""),
        ("/hitpoint/open", b'{"path": "cue.hitpoint"}', "no absolute path"),
        ("/hitpoint/open", b'{"path": "/a\\u0000b"}', "no absolute path"),
        ("/hitpoint/open", b'{"path": "/nowhere/cue.hitpoint"}', "cannot be read"),
        ("/hitpoint/spot", b'{"tempo": "fast"}', "not understood"),
        ("/hitpoint/nowhere", b"{}", "Not Found"),
        ("/hitpoint/ping", b"{}", "Method Not Allowed"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(admitted: httpx.Client, path: str, content: bytes, wrong: str) -> None:
    assert wrong in said(admitted.post(path, content=content, headers={"Content-Type": "application/json"}))


def test_a_fault_of_ours_is_one_line_too(admitted: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(calls.CALLS, "/hitpoint/ping", lambda studio: 1 / 0)  # type: ignore[arg-type]
    answer = admitted.get("/hitpoint/ping")
    assert answer.status_code == 500
    assert "fault of ours (ZeroDivisionError" in answer.json()["error"]
    assert "\n" not in answer.text


def test_too_much_is_turned_away(admitted: httpx.Client) -> None:
    big = b" " * (bridge.server.guard.LARGEST_BODY + 1)
    assert admitted.post("/hitpoint/undo", content=big).status_code == 413

    def pieces() -> Iterator[bytes]:
        yield from (big[:4096] for _ in range(32))

    with suppress(httpx.WriteError, httpx.RemoteProtocolError):  # it need not be read to its end
        assert admitted.post("/hitpoint/undo", content=pieces()).status_code == 413
    assert admitted.get("/hitpoint/ping", headers={"X-Long": "x" * 20_000}).status_code == 431


def half(server: LocalServer, data: bytes) -> bytes:
    """What comes back over a socket on which only this is said, until it is closed from the other side."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=LONG) as opened:
        opened.sendall(data)
        out = b""
        with suppress(ConnectionResetError):
            while part := opened.recv(4096):
                out += part
        return out


def test_half_open_sockets_are_closed(server: LocalServer, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server._server.config, "timeout_keep_alive", 0.2)
    host = f"Host: 127.0.0.1:{server.port}\r\n".encode()
    whole = b"GET /hitpoint/ping HTTP/1.1\r\n" + host + b"\r\n"
    assert half(server, whole + b"GET /hitp").count(b"200 OK") == 1
    monkeypatch.setattr(bridge.server.lines, "HEAD_S", 0.2)
    assert half(server, b"") == b""
    assert half(server, b"GET /hitpoint/ping HTTP/1.1\r\n" + host) == b""
    monkeypatch.setattr(bridge.server.lines, "HEAD_S", LONG)
    monkeypatch.setattr(bridge.server.guard, "BODY_S", 0.2)
    token = f"Authorization: Bearer {server.door.token}\r\n".encode()
    told = half(server, b"POST /hitpoint/undo HTTP/1.1\r\n" + host + token + b"Content-Length: 100\r\n\r\n{")
    assert told.startswith(b"HTTP/1.1 408")
    monkeypatch.undo()
    assert client.get("/hitpoint/ping").status_code == 200


def test_more_sockets_than_there_may_be_are_broken_off(
    server: LocalServer, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge.server.lines, "MOST", 5)
    opened = [socket.create_connection(("127.0.0.1", server.port), timeout=LONG) for _ in range(30)]
    closed = 0
    for one in opened[:20]:  # the oldest go
        with suppress(ConnectionResetError):
            assert one.recv(10) == b""
        closed += 1
    for one in opened:
        one.close()
    assert closed == 20
    with httpx.Client(base_url=server.url, timeout=LONG, trust_env=False, transport=httpx.HTTPTransport(retries=20)) as again:
        for _ in range(200):
            with suppress(httpx.TransportError):
                if again.get("/hitpoint/ping").status_code == 200:
                    return
    pytest.fail("does not answer any more")


@pytest.mark.parametrize(
    "begun", ["", "GET /hitpoint/ping HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\nHost: {}\r\nContent-Length: 9\r\n\r\n{{"]
)
def test_sockets_that_say_nothing_lock_nobody_out(server: LocalServer, client: httpx.Client, begun: str) -> None:
    words = begun.format(f"127.0.0.1:{server.port}").encode()
    idle = []
    with listen(server) as events:
        assert json.loads(events.recv(LONG))["event"] == "hello"
        try:
            for _ in range(bridge.server.lines.MOST + 60):
                one = socket.create_connection(("127.0.0.1", server.port), timeout=LONG)
                idle.append(one)
                with suppress(ConnectionError):
                    one.sendall(words)
            until_true(lambda: len(server._server.server_state.connections) >= bridge.server.lines.MOST - 1)
            for _ in range(5):
                assert client.get("/hitpoint/ping", headers={"Connection": "close"}).status_code == 200
            server.app.state.feed._studio.events.publish(Message("a word"))
            assert until(events, event="message")["text"] == "a word"
        finally:
            for one in idle:
                one.close()


def test_a_subscriber_hears_only_what_it_asked_for(studio: Studio, server: LocalServer) -> None:
    with listen(server, "?only=message") as events:
        assert json.loads(events.recv(LONG))["event"] == "hello"
        studio.choose(2, None)
        studio.events.publish(Message("a word"))
        assert json.loads(events.recv(LONG)) == {"event": "message", "text": "a word", "level": "word"}


def test_a_subscriber_who_speaks_is_told_that_nobody_listens(server: LocalServer) -> None:
    for words in ("hello", "x" * 100_000):
        with listen(server) as events:
            events.recv(LONG)
            events.send(words)
            with pytest.raises(ConnectionClosed) as closed:
                events.recv(LONG)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == (1003 if words == "hello" else 1009)


def test_a_slow_subscriber_is_dropped_and_holds_up_nobody(
    studio: Studio, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridge.server.feed, "LONGEST_QUEUE", 50)
    feed = server.app.state.feed
    many, size = 400, 100_000
    with listen(server, "?only=message") as good:
        good.recv(LONG)
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=LONG)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.sendall(upgrade(f"127.0.0.1:{server.port}"))
        assert raw.recv(200).startswith(b"HTTP/1.1 101")
        with raw:  # and takes nothing any more
            for number in range(many):
                studio.events.publish(Message(f"{number} " + "x" * size))
                assert json.loads(good.recv(LONG))["text"].startswith(f"{number} ")
            until_true(lambda: (feed.dropped, feed.subscribers) == (1, 1))


def test_subscribers_are_so_many_and_no_more(server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge.server.feed, "MOST", 2)
    with listen(server) as one, listen(server) as two:
        one.recv(LONG)
        two.recv(LONG)
        with listen(server) as three, pytest.raises(ConnectionClosed) as closed:
            three.recv(LONG)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013


def malformed(number: int, port: int, token: str) -> Iterator[bytes]:
    """So many requests that are no HTTP, or ask for what cannot be; never an act that could be done."""
    rng = Random(number)
    host = f"Host: 127.0.0.1:{port}\r\n"
    admitted = f"{host}Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    for k in range(number):
        junk = rng.randbytes(rng.randint(1, 300))
        match k % 8:
            case 0:
                yield junk + b"\r\n\r\n"
            case 1:
                yield b"POST /hitpoint/undo HTTP/1.1\r\n" + host.encode() + b"Content-Length: -5\r\n\r\n"
            case 2:
                head = f"POST /hitpoint/scene/refill HTTP/1.1\r\n{admitted}Content-Length: {len(junk)}\r\n\r\n"
                yield head.encode() + junk
            case 3:
                yield f"GET /{'../' * rng.randint(1, 50)}etc/passwd HTTP/1.1\r\n{host}\r\n".encode()
            case 4:
                yield f"GET /hitpoint/events HTTP/1.1\r\n{host}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode()
            case 5:
                yield f"POST /hitpoint/undo HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode()
            case 6:
                yield f"GET /hitpoint/job?job={rng.randint(10**7, 10**9)} HTTP/1.1\r\n{host}\r\n".encode()
            case _:
                yield (
                    b"POST /hitpoint/undo HTTP/1.1\r\n"
                    + host.encode()
                    + b"Authorization: Bearer "
                    + junk.hex().encode()
                    + b"\r\n\r\n"
                )


def flood(server: LocalServer, number: int) -> int:
    """Sends them, each over a socket of its own that is closed at once or read first; how many were answered."""
    answered = 0
    for k, data in enumerate(malformed(number, server.port, server.door.token)):
        with suppress(ConnectionError), socket.create_connection(("127.0.0.1", server.port), timeout=LONG) as opened:
            opened.sendall(data)
            if k % 3 == 0:
                opened.shutdown(socket.SHUT_WR)
                answered += opened.recv(20).startswith(b"HTTP/1.1 4")
    return answered


def test_a_thousand_broken_requests_change_nothing_and_fill_no_memory(untouched: LocalServer) -> None:
    lines = untouched._server.server_state.connections

    def flooded(number: int) -> int:
        answered = flood(untouched, number)
        until_true(lambda: not lines)
        gc.collect()
        return answered

    answered = flooded(700)  # what is made once is made
    tracemalloc.start()
    try:
        answered += flooded(100)
        at = tracemalloc.get_traced_memory()[0]
        answered += flooded(200)
        grown = tracemalloc.get_traced_memory()[0] - at
    finally:
        tracemalloc.stop()
    assert answered > 150
    assert grown < 200_000, grown


def test_the_token_lies_where_only_its_person_can_read_it(tmp_path: Path) -> None:
    door, other = Door(), Door()
    assert door.token != other.token
    assert len(door.token) >= 43  # 256 bits
    file = door.post(4747, {"url": "here"}, tmp_path / "run")
    table = json.loads(file.read_text("utf-8"))
    assert (table["token"], table["url"], table["pid"]) == (door.token, "here", os.getpid())
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    door.shut()
    door.shut()
    assert not file.exists()


@pytest.mark.skipif(os.name != "posix", reason="rights of folders are another matter elsewhere")
def test_a_folder_in_which_others_may_write_gets_no_token(tmp_path: Path) -> None:
    shared = tmp_path / "run"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(OutputError, match="others may write"):
        Door().post(4747, {}, shared)
    trap = tmp_path / "link"
    trap.symlink_to(tmp_path)
    with pytest.raises(OutputError):
        Door().post(4747, {}, trap)


def test_a_taken_port_is_told(studio: Studio, server: LocalServer) -> None:
    with pytest.raises(PortError, match="is taken"):
        LocalServer(studio, server.port)


def test_it_is_closed_with_its_subscribers(studio: Studio) -> None:
    server = LocalServer(studio)
    with listen(server) as events:
        events.recv(LONG)
        server.close()
        server.close()
        with pytest.raises(ConnectionClosed):
            events.recv(LONG)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


@pytest.mark.skipif(os.name != "posix", reason="names are always text elsewhere")
def test_a_name_that_is_no_text_is_one_line(admitted: httpx.Client, tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/odd\xff"
    os.mkdir(folder)
    (tmp_path / "link").symlink_to(os.fsdecode(folder))
    for path in (str(tmp_path / "link" / "film.mp4"), str(tmp_path / "link" / "cue.hitpoint")):
        for address, name in (("open", "path"), ("save", "path"), ("deliver", "folder"), ("brief/read", "path")):
            answer = admitted.post(f"/hitpoint/{address}", json={name: path})
            assert answer.status_code == 400
            assert "is not UTF-8" in said(answer)
    surrogate = json.dumps({"path": "/tmp/\udcff.mp4"}).encode()
    answer = admitted.post("/hitpoint/open", content=surrogate, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    said(answer)
