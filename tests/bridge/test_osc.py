"""OSC as a DAW's button sends it, over real loopback UDP: what is asked is done, what is broken changes nothing."""

from __future__ import annotations

import socket
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Event as Flag
from typing import Any

import httpx
import pytest
from sittings import table_of
from test_osc_packet import bundle, nested
from test_studio import Slow

import bridge.patience
from bridge.addresses import ASKED
from bridge.calls import calls
from bridge.events import Message, TransportRead
from bridge.osc import AT_ONCE, MOST_SUBSCRIBERS, MOST_WAITING, STOPS, OscServer, understood
from bridge.osc_client import OscClient
from bridge.osc_packet import LARGEST, build
from bridge.server.local import LocalServer
from bridge.studio import Studio
from bridge.told import TOLD
from bridge.wire_words import said
from engines.commands import Title
from engines.errors import OptionError, PortError, SessionError
from engines.session.desk import Desk

LONG = 60.0
SCENE_3 = "/hitpoint/scene/refill"


@pytest.fixture
def studio(at_work: Studio) -> Studio:
    return at_work


@pytest.fixture
def server(studio: Studio) -> Iterator[OscServer]:
    made = OscServer(studio)
    yield made
    made.close()
    made.close()


@pytest.fixture
def daw(server: OscServer) -> Iterator[OscClient]:
    with OscClient(server.port) as made:
        yield made


def ended(number: int) -> Callable[[tuple[str, tuple[object, ...]]], bool]:
    return lambda m: m[0] == "/hitpoint/told/job" and m[1][0] == number and m[1][1] in ("done", "failed", "cancelled")


def test_what_is_handed_over_and_read_back(studio: Studio, daw: OscClient, tmp_path: Path) -> None:
    number = daw.ask("/hitpoint/deliver", folder=str(tmp_path / "out"), stems=True)["job"]
    daw.hear(ended(number), LONG)
    assert daw.ask("/hitpoint/job", job=number)["result"]
    assert list((tmp_path / "out").glob("*.mid"))
    assert daw.ask("/hitpoint/cuesheet")["cue"]
    daw.ask("/hitpoint/tell", setting="density", value="5", scene=2)
    sheet = tmp_path / "brief.toml"
    sheet.write_text(daw.ask("/hitpoint/brief/sheet")["sheet"].replace("density = 5", "density = 6"), "utf-8")
    assert daw.ask("/hitpoint/brief/read", path=str(sheet))["scenes"][1]["composer"] == {"density": 6}
    assert daw.ask("/hitpoint/name", name="2m4")["cue"] == "2m4"
    told = daw.ask("/hitpoint/scene/remark", scene=1, name="Low", remark="for the chase")["takes"][0]
    assert (told["name"], told["note"]) == ("Low", "for the chase")
    with pytest.raises(OptionError, match="no such film"):
        daw.ask("/hitpoint/relink", path=str(tmp_path / "nowhere.mp4"))


def test_every_address_has_a_call_and_every_call_an_address() -> None:
    assert {row.address for row in ASKED if row.wire == "both"} == set(calls())
    for row in ASKED:
        order = [argument.needed for argument in row.arguments]
        assert order == sorted(order, reverse=True), f"{row.address}: what must be given comes first"


def test_a_button_in_a_daw_refills_scene_3_and_nothing_else(studio: Studio, daw: OscClient) -> None:
    before = studio.now.session
    daw.send(SCENE_3, 3)
    _, (address, _) = daw.hear(lambda m: m[0] == "/hitpoint/answer", LONG)
    _, (_, state, share, words) = daw.hear(ended(1), LONG)
    assert (address, state, share, words) == (SCENE_3, "done", 1.0, "Refill scene 3: done")
    after = studio.now.session
    assert after.scenes[:2] == before.scenes[:2]
    assert {name: after.takes[name] for name in before.takes} == before.takes
    assert after.take(after.scenes[2])[1].number == 2
    heard_before = [n for n in before.notes if n.start < before.spans[2].start]
    assert [n for n in after.notes if n.start < after.spans[2].start] == heard_before
    assert [n for n in after.notes if n.start >= after.spans[2].start] != [
        n for n in before.notes if n.start >= before.spans[2].start
    ]


@pytest.mark.parametrize(
    ("address", "args", "named"),
    [
        (SCENE_3, [3], {"scene": 3}),
        (SCENE_3, [3.0], {"scene": 3.0}),
        (SCENE_3, [3, 12], {"scene": 3, "seed": 12}),
        (SCENE_3, [3, -1, "16-17", "", "melody"], {"scene": 3, "bars": "16-17", "keep": "melody"}),
        (SCENE_3, [3, None, "", "piano"], {"scene": 3, "stems": "piano"}),
        ("/hitpoint/scene/3/refill", [], {"scene": 3}),
        ("/hitpoint/scene/3/refill", [1.0], {"scene": 3}),
        ("/hitpoint/scene/3/refill", [True], {"scene": 3}),
        ("/hitpoint/scene/3/refill", [127], {"scene": 3, "seed": 127}),
        (SCENE_3, [3, 0], {"scene": 3, "seed": 0}),
        (SCENE_3, [3, 1.0], {"scene": 3}),
        (SCENE_3, [3, True], {"scene": 3}),
        (SCENE_3, [3, 7.0], {"scene": 3, "seed": 7.0}),
        ("/hitpoint/tell", ["density", 4], {"setting": "density", "value": 4}),
        ("/hitpoint/tell", ["density", 0.0], {"setting": "density", "value": 0.0}),
        ("/hitpoint/tell", ["sting", True, 1], {"setting": "sting", "value": True, "scene": 1}),
        ("/hitpoint/scene/3/rate", [1.0], {"scene": 3, "rating": 1.0}),
        ("/hitpoint/lock", ["5-8", 0.0], {"bars": "5-8", "locked": False}),
        ("/hitpoint/conform", [2], {"refused": 2}),
        ("/hitpoint/scene/3/take", [2], {"scene": 3, "take": 2}),
        ("/hitpoint/scene/3/take/2", [1.0], {"scene": 3, "take": 2}),
        ("/hitpoint/undo", [1.0], {}),
        ("/hitpoint/score", [1.0], {}),
        ("/hitpoint/takes", [2], {"scene": 2}),
    ],
)
def test_what_controllers_send_is_understood(address: str, args: list[object], named: dict[str, object]) -> None:
    row, rest = understood(address, args)
    assert row is not None
    assert row.named(rest) == named
    row.values(named)


@pytest.mark.parametrize("address", ["/hitpoint/undo", "/hitpoint/score", "/hitpoint/scene/3/refill", "/hitpoint/scene/3/take/2"])
@pytest.mark.parametrize("up", [0, 0.0, False])
def test_a_button_that_is_let_go_does_nothing(address: str, up: float) -> None:
    assert understood(address, [up]) == (None, ())


@pytest.mark.parametrize("up", [0.0, False])
def test_a_button_that_sends_its_scene_too_is_let_go(up: float) -> None:
    assert understood(SCENE_3, [3, up]) == (None, ())
    assert understood("/hitpoint/scene/join", [3, up]) == (None, ())


def test_press_and_release_is_one_undo(studio: Studio, daw: OscClient) -> None:
    studio.choose(1, None)
    studio.choose(2, None)
    daw.send("/hitpoint/undo", 1.0)
    daw.send("/hitpoint/undo", 0.0)
    assert daw.ask("/hitpoint/history")["undone"][0]["sentence"] == "Silence scene 2"
    assert len(studio.now.history.done) == 1


def test_the_whole_way_by_name(studio: Studio, daw: OscClient) -> None:
    number = daw.ask(SCENE_3, scene=2, seed=7, bars="8-9", keep="melody")["job"]
    daw.hear(ended(number), LONG)
    result = daw.ask("/hitpoint/job", job=number)
    assert (result["state"], [row["scene"] for row in result["result"]["scenes"]]) == ("done", [2])
    assert daw.ask("/hitpoint/scene/take", scene=2, take=1)["chosen"] == 1
    assert daw.ask("/hitpoint/scene/rate", scene=2, rating=4, take=2)["takes"][1]["rating"] == 4
    assert daw.ask("/hitpoint/scene/keep", scene=1, keep="melody 2-3")["keep"] == ["melody", "2-3"]
    assert daw.ask("/hitpoint/scene/name", scene=1, name="Dawn")["scenes"][0]["name"] == "Dawn"
    assert daw.ask("/hitpoint/tell", setting="density", value="3", scene=1)["told"] == {"density": 3}
    assert daw.ask("/hitpoint/tell", setting="mood", value="calm")["told"] == {"mood": 4}
    assert daw.ask("/hitpoint/tell", setting="mood")["told"] == {}
    assert daw.ask("/hitpoint/tell", setting="theme", value="1", scene=2)["told"] == {"theme": "1"}
    assert daw.ask("/hitpoint/tell", setting="theme", scene=2)["told"] == {}
    assert daw.ask("/hitpoint/split", bar=4)["scenes"][1]["bars"] == [4, 7]
    assert len(daw.ask("/hitpoint/scene/join", scene=1)["scenes"]) == 3
    assert daw.ask("/hitpoint/undo") == {"undone": "Join scenes 1 and 2"}
    assert daw.ask("/hitpoint/redo") == {"redone": "Join scenes 1 and 2"}
    assert daw.ask("/hitpoint/scene/delete", scene=2, take=2)["takes"][0]["take"] == 1
    assert daw.ask("/hitpoint/session")["cue"] == "1m1"
    assert daw.ask("/hitpoint/takes", scene=3)["scenes"][0]["scene"] == 3
    assert len(daw.ask("/hitpoint/brief")["scenes"]) == 3
    assert daw.ask("/hitpoint/report")["hits"]
    assert daw.ask("/hitpoint/film") == {"film": None}
    first = daw.ask("/hitpoint/hits")["hits"][0]["frame"]
    assert daw.ask("/hitpoint/hit/move", frame=first, to=first + 1)["hits"][0]["frame"] == first + 1
    assert daw.ask("/hitpoint/hit/weigh", frame=first + 1, weight=0.25, hard=False)["hits"][0]["weight"] == 0.25
    assert daw.ask("/hitpoint/hit/drop", frame=first + 1)["hits"][0]["frame"] > first + 1
    assert daw.ask("/hitpoint/hit/add", frame=first, label="slap")["hits"][0]["label"] == "slap"
    assert daw.ask("/hitpoint/lock", bars="1-2")["sentence"].startswith("Lock")
    number = daw.ask("/hitpoint/cue/spot")["job"]
    daw.hear(ended(number), LONG)
    maps = daw.ask("/hitpoint/job", job=number)["result"]["candidates"]
    assert len(daw.ask("/hitpoint/cue/map", map=len(maps) - 1)["scenes"]) >= 1
    daw.ask("/hitpoint/undo")
    number = daw.ask("/hitpoint/place")["job"]
    daw.hear(ended(number), LONG)
    placed = daw.ask("/hitpoint/job", job=number)["result"]
    assert placed["files"]
    assert all(Path(name).is_file() for name in placed["files"])
    assert daw.ask("/hitpoint/ping")["session"] == str(studio.now.path)
    assert daw.ask("/hitpoint/save")["session"] == str(studio.now.path)
    assert daw.ask("/hitpoint/close") == {"session": None, "film": None}


@pytest.mark.parametrize(
    ("address", "args", "said"),
    [
        ("/hitpoint/nothing", [], "no such address"),
        (SCENE_3, [], "scene is missing"),
        (SCENE_3, [9], "there is no scene 9"),
        (SCENE_3, [0], "scene is below 1"),
        (SCENE_3, ["three"], "scene is no whole number"),
        (SCENE_3, [3.5], "scene is no whole number"),
        (SCENE_3, [True], "scene is no number"),
        ("/hitpoint/undo", [0.5], "1 arguments"),
        ("/hitpoint/undo", [127], "1 arguments"),
        ("/hitpoint/tell", ["density", 99], "not in 0 to 16"),
        (SCENE_3, [float("nan")], "scene is no number"),
        (SCENE_3, [3, *[""] * 29], "30 arguments"),
        (SCENE_3, [3, 1, "x-y"], "are no bars"),
        ("/hitpoint/tell", ["density", "lots"], "is not a value"),
        ("/hitpoint/tell", ["theme", "77"], "is no scene"),
        ("/hitpoint/tell", ["loudness", "1"], "is no setting"),
        ("/hitpoint/open", ["cue.hitpoint"], "is no absolute path"),
        ("/hitpoint/open", ["/nowhere/cue.hitpoint"], "cannot be read"),
        ("/hitpoint/job", [77], "there is no job 77"),
    ],
)
def test_what_cannot_be_is_told_to_who_asked_and_changes_nothing(
    studio: Studio, file: Path, daw: OscClient, address: str, args: list[object], said: str
) -> None:
    before, content = studio.now, file.read_bytes()
    daw.send(address, *args)
    _, told = daw.hear(lambda m: m[0] == "/hitpoint/error", LONG)
    assert told[0] == address
    assert said in told[1]
    assert (studio.now, file.read_bytes()) == (before, content)


def test_what_only_the_engine_finds_wrong_is_told_when_its_job_ends(studio: Studio, daw: OscClient) -> None:
    before = studio.now
    daw.send(SCENE_3, 3, 1, "", "drums")
    _, (number, state, _, words) = daw.hear(ended(1), LONG)
    assert (state, "no stem is named" in words) == ("failed", True)
    assert "no stem" in daw.ask("/hitpoint/job", job=number)["error"]["error"]
    assert studio.now == before


def test_subscribers_hear_what_anybody_does_until_they_leave(studio: Studio, server: OscServer, daw: OscClient) -> None:
    with OscClient(server.port) as other:
        other.ask("/hitpoint/subscribe")
        daw.send("/hitpoint/scene/take", 2, 0)
        heard = other.hear(lambda m: m[0] == "/hitpoint/told/session", LONG)
        assert heard == ("/hitpoint/told/session", ("acted", "Silence scene 2", "2"))
        studio.events.publish(TransportRead(None, True, 1.0, "MTC", "it rolls"))
        assert other.hear(lambda m: "transport" in m[0], LONG)[1] == (None, 1, 1.0, "MTC", "it rolls")
        studio.events.publish(Message("a word"))
        assert other.hear(lambda m: "message" in m[0], LONG)[1] == ("a word", "word")
        other.ask("/hitpoint/unsubscribe")
        studio.events.publish(Message("another"))
        other.ask("/hitpoint/ping")
        assert not [m for m in other.told if m[1][:1] == ("another",)]


def test_subscribers_are_so_many_and_no_more(studio: Studio, server: OscServer) -> None:
    clients = [OscClient(server.port) for _ in range(MOST_SUBSCRIBERS + 3)]
    try:
        for client in clients:
            client.ask("/hitpoint/subscribe")
        studio.events.publish(Message("hello"))
        for client in clients[3:]:
            assert client.hear(lambda m: "message" in m[0], LONG)[1][0] == "hello"
        for client in clients[:3]:
            client.ask("/hitpoint/ping")
            assert not client.told
    finally:
        for client in clients:
            client.close()


def test_what_is_told_keeps_to_the_table(studio: Studio, server: OscServer, daw: OscClient) -> None:
    daw.ask("/hitpoint/subscribe")
    daw.hear(ended(daw.ask(SCENE_3, scene=1)["job"]), LONG)
    studio.events.publish(TransportRead(1.5, False))
    studio.events.publish(Message("last"))
    daw.hear(lambda m: m[1][:1] == ("last",), LONG)
    rows = {row.address: row for row in TOLD}
    kinds = {"int": int, "float": (float, type(None)), "text": str}
    assert {m[0] for m in daw.told} >= {"/hitpoint/told/job", "/hitpoint/told/session", "/hitpoint/told/transport"}
    for address, args in daw.told:
        assert len(args) == len(rows[address].arguments)
        for value, row in zip(args, rows[address].arguments, strict=True):
            assert isinstance(value, kinds[row.kind]), (address, row.name)


def test_read_only_answers_and_changes_nothing(studio: Studio) -> None:
    server = OscServer(studio, read_only=True)
    try:
        with OscClient(server.port) as daw:
            before = studio.now
            assert len(daw.ask("/hitpoint/takes")["scenes"]) == 3
            for row in ASKED:
                if row.changes:
                    daw.send(row.address, *([1] * sum(a.needed for a in row.arguments)))
                    assert "may change nothing" in daw.hear(lambda m: m[0] == "/hitpoint/error", LONG)[1][1]
            assert studio.now == before
    finally:
        server.close()


def test_read_only_moves_no_transport_either(studio: Studio) -> None:
    heard: list[str] = []
    server = OscServer(studio, read_only=True, elsewhere=lambda address, args, now: heard.append(address))
    try:
        with OscClient(server.port) as daw:
            for address, value in (("/time", 5.0), ("/play", 1.0), ("/stop", 1.0), ("/position/samples", 48_000)):
                daw.send(address, value)
            daw.ask("/hitpoint/ping", LONG)
    finally:
        server.close()
    assert heard == []


def test_what_another_program_says_wrongly_ends_nothing(studio: Studio) -> None:
    def elsewhere(address: str, args: object, received_ns: int) -> None:
        raise ArithmeticError("of a word that nobody foresaw")

    server = OscServer(studio, elsewhere=elsewhere)
    try:
        with OscClient(server.port) as daw:
            for _ in range(3):
                daw.send("/time", 2.5)
            assert daw.ask("/hitpoint/ping", LONG)["session"]
    finally:
        server.close()


def test_a_session_that_takes_for_ever_to_open_holds_up_no_ping_and_no_end(
    studio: Studio, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network disk that is gone: the system comes back minutes later, or never."""
    there, go = Flag(), Flag()

    def hang(*args: object, **named: object) -> None:
        there.set()
        go.wait()
        raise SessionError("cannot be read (timed out)")

    other = file.with_name("other.hitpoint")
    monkeypatch.setattr(Desk, "open", hang)
    server, http = OscServer(studio), LocalServer(studio)
    try:
        with OscClient(server.port) as daw:
            daw.send("/hitpoint/open", str(other))
            assert there.wait(LONG)
            for address in sorted((AT_ONCE | STOPS) - {"/hitpoint/job", "/hitpoint/job/cancel"}):
                daw.ask(address, LONG)
            with httpx.Client(base_url=http.url, timeout=LONG, trust_env=False) as client:
                for address in ("ping", "session", "takes", "transport"):
                    assert client.get(f"/hitpoint/{address}").status_code == 200
                with suppress(httpx.TimeoutException):
                    admitted = {"Authorization": f"Bearer {http.door.token}"}
                    client.post("/hitpoint/open", json={"path": str(other)}, headers=admitted, timeout=0.2)
            assert studio.act(Title("Dawn", 1)).session.scenes[0].name == "Dawn"
            monkeypatch.setattr(bridge.patience, "LONGEST_S", 0.05)
            with pytest.raises(SessionError, match="is being opened"):
                studio.open_session(other)
            for number in range(MOST_WAITING + 5):
                daw.send("/hitpoint/session")
                if number % 50 == 0:
                    daw.ask("/hitpoint/ping", LONG)
            assert "wait already" in daw.hear(lambda m: m[0] == "/hitpoint/error", LONG)[1][1]
        began = time.monotonic()
        server.close()
        http.close()
        studio.close(LONG)
        assert time.monotonic() - began < LONG / 2
    finally:
        go.set()
        server.close()
        http.close()
    assert table_of(file)["session"]["scenes"][0]["name"] == "Dawn"  # type: ignore[index]


def test_a_cancel_overtakes_what_waits_and_holds_for_it_too(
    studio: Studio, server: OscServer, daw: OscClient, slow: type[Slow], monkeypatch: pytest.MonkeyPatch, file: Path
) -> None:
    there, go = Flag(), Flag()

    def hang(*args: object, **named: object) -> None:
        there.set()
        go.wait(LONG)
        raise SessionError("cannot be read (timed out)")

    with monkeypatch.context() as gone:
        gone.setattr(Desk, "open", hang)
        try:
            daw.send("/hitpoint/open", str(file.with_name("other.hitpoint")))
            assert there.wait(LONG)
            daw.send(SCENE_3, 3, -1, "", "", "", "slow")
            assert daw.ask("/hitpoint/jobs/cancel", LONG) == {"jobs": []}
        finally:
            go.set()
        assert daw.hear(ended(1), LONG)[1][1] == "cancelled"
    assert studio.now.history.done == ()


@pytest.fixture
def slow(trio: str, monkeypatch: pytest.MonkeyPatch) -> type[Slow]:
    from engines.engine import ENGINES

    Slow.began.clear()
    Slow.go.clear()
    monkeypatch.setitem(ENGINES, "slow", "test_studio:Slow")
    return Slow


def test_a_taken_port_is_told(studio: Studio, server: OscServer) -> None:
    with pytest.raises(PortError, match="is taken"):
        OscServer(studio, server.port)


def test_it_listens_on_the_loopback_alone(server: OscServer) -> None:
    assert server._socket.getsockname()[0] == "127.0.0.1"


def test_another_programs_messages_are_handed_on(studio: Studio) -> None:
    heard: list[tuple[str, tuple[object, ...]]] = []
    there = Flag()

    def elsewhere(address: str, args: object, received_ns: int) -> None:
        heard.append((address, tuple(args)))  # type: ignore[arg-type]
        there.set()

    server = OscServer(studio, elsewhere=elsewhere)
    try:
        with OscClient(server.port) as daw:
            daw.send("/time", 2.5)
            assert there.wait(LONG)
    finally:
        server.close()
    assert heard == [("/time", (2.5,))]


def malformed(number: int) -> Iterator[bytes]:
    """So many packets that are no OSC, or OSC that asks for what cannot be; never an act that could be done."""
    rng = Random(number)
    whole = build(SCENE_3, [3, 5, "5-8"])
    for k in range(number):
        match k % 8:
            case 0:
                yield rng.randbytes(rng.randint(1, 300))
            case 1:
                yield whole[: rng.randrange(4, len(whole) - 4) // 4 * 4 + 1]
            case 2:
                yield b"/" + rng.randbytes(rng.randint(1, 60))
            case 3:
                yield bundle(rng.randbytes(40))
            case 4:
                yield nested(rng.randint(5, 100))
            case 5:
                yield rng.randbytes(LARGEST + rng.randint(1, 20_000))
            case 6:
                yield build(SCENE_3, [rng.choice([0, -5, 10**6 + 1, "x", None, float("inf"), 3.5])])
            case _:
                yield bundle(*[build("/hitpoint/job", [10**5])] * 65)


def test_a_thousand_broken_packets_change_nothing_and_fill_no_memory(
    studio: Studio, file: Path, server: OscServer, daw: OscClient
) -> None:
    before, content = studio.now, file.read_bytes()

    def flood(number: int) -> None:
        for k, data in enumerate(malformed(number)):
            daw.post(data)
            if k % 20 == 0:
                daw.ask("/hitpoint/history", LONG)
        daw.ask("/hitpoint/history", LONG)  # in its turn, unlike a ping: what was refused before it has been told
        daw.told.clear()

    flood(700)  # what is made once is made
    tracemalloc.start()
    try:
        flood(100)
        at = tracemalloc.get_traced_memory()[0]
        flood(200)
        grown = tracemalloc.get_traced_memory()[0] - at
    finally:
        tracemalloc.stop()
    assert grown < 100_000, grown
    assert (studio.now, file.read_bytes()) == (before, content)
    assert studio.jobs.readings() == []
    daw.hear(ended(daw.ask(SCENE_3, scene=3)["job"]), LONG)


def test_a_flood_of_refills_is_refused_in_words_and_the_rest_is_done(studio: Studio, server: OscServer, daw: OscClient) -> None:
    for _ in range(10):
        for _ in range(10):
            daw.send(SCENE_3, 3)
        daw.ask("/hitpoint/history", LONG)  # in its turn, so that all before it are answered
    studio.jobs.cancel_all()
    refused = [m for m in daw.told if m[0] == "/hitpoint/error"]
    assert all("wait already" in m[1][1] for m in refused)
    answered = [m for m in daw.told if m[0] == "/hitpoint/answer"]
    assert len(refused) + len(answered) == 100


def test_an_asker_that_has_gone_harms_nobody(studio: Studio, server: OscServer, daw: OscClient) -> None:
    daw.ask("/hitpoint/subscribe", LONG)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.sendto(build("/hitpoint/subscribe"), ("127.0.0.1", server.port))
        gone.sendto(build(SCENE_3, [3]), ("127.0.0.1", server.port))
        there = gone.getsockname()[1]
    assert daw.hear(ended(1), LONG)[1][1] == "done"
    assert {port for _, port in server._subscribers} == {there, daw._socket.getsockname()[1]}
    assert len(studio.now.session.takes) == 4
    daw.ask("/hitpoint/undo", LONG)
    assert len(studio.now.session.takes) == 3


def test_a_client_tells_a_name_that_is_none_itself(server: OscServer, daw: OscClient) -> None:
    heard = server.heard
    with pytest.raises(OptionError, match="no argument"):
        daw.ask("/hitpoint/ping", color="red")
    assert server.heard == heard


def test_what_is_wrong_is_told_in_the_words_of_the_wire(studio: Studio, daw: OscClient) -> None:
    daw.send(SCENE_3, 9)
    assert daw.hear(lambda m: m[0] == "/hitpoint/error", LONG)[1][1:3] == ("there is no scene 9", "scene")
    job = daw.ask(SCENE_3, LONG, scene=3, engine="nobody")["job"]
    assert "--" not in str(daw.hear(ended(job), LONG)[1][3])
    told = daw.ask("/hitpoint/job", LONG, job=job)["error"]
    assert told["where"] == "engine"
    assert "--" not in f"{told}"
    for error in (
        OptionError("x", where="--max-bend", cure="use --stem, or --no-such"),
        OptionError("y", where=Path("/a--b/--c")),
    ):
        assert "--" not in said(error)[0] + (said(error)[2] or "")
    assert said(OptionError("x", where="--max-bend", cure="use --stem"))[1:] == ("max_bend", "use stems")
    assert said(OptionError("y", where=Path("/a--b")))[1] == "/a--b"


@pytest.mark.parametrize(
    ("address", "given", "wrong"),
    [
        ("/hitpoint/transport/loop", {"start": 2.0}, "two ends"),
        ("/hitpoint/transport/loop", {"end": 2.0}, "two ends"),
        ("/hitpoint/transport/follow", {"source": "nobody"}, "nothing is heard from 'nobody'"),
    ],
)
def test_half_a_loop_and_nobody_are_refused_and_start_no_player(
    studio: Studio, daw: OscClient, address: str, given: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(OptionError, match=wrong):
        daw.ask(address, LONG, **given)
    assert studio.playback.status is None


def test_two_servers_never_answer_each_others_answers(studio: Studio, daw: OscClient) -> None:
    for row in TOLD:
        daw.send(row.address, "/hitpoint/ping", "no")
    daw.ask("/hitpoint/ping", LONG)
    assert not daw.told


def test_nobody_there_is_told(studio: Studio) -> None:
    server = OscServer(studio)
    server.close()
    with OscClient(server.port) as daw, pytest.raises(PortError, match="does not answer"):
        daw.ask("/hitpoint/ping", 0.2)
