"""What is kept of latencies: by kind of port and by stem, read from older files, never lost with a damaged one, and played."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import main
from bridge.clock import SECOND
from bridge.events import Event, Message
from bridge.player import EVERY, Outlet, Part, Player, Programme, Route, TimedNote
from bridge.player.latencies import Latencies, forget, keep, latencies, signed
from bridge.player.messages import Patch
from bridge.player.plug import Plug
from bridge.player.rig import Rig
from bridge.ports import BOARD
from bridge.studio import Studio
from engines.errors import OptionError, OutputError

MS = SECOND // 1000
DEADLINE_S = 60.0


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "settings" / "latencies.json"
    monkeypatch.setattr("bridge.player.latencies.store", lambda: path)
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "there is none")
    return path


def test_next_to_nothing_has_no_sign_of_its_own() -> None:
    assert [signed(ms) for ms in (0.0, -0.0, -0.004, 0.004, -0.006, 12.3)] == ["+0.00 ms"] * 4 + ["-0.01 ms", "+12.30 ms"]


def test_each_kind_of_port_has_its_own_and_an_older_file_holds_for_any(store: Path) -> None:
    store.parent.mkdir()
    store.write_text('{"Hitpoint": -10.6, "system:midi_playback_1": 4}')
    known = latencies()
    assert known.fault == ""
    assert [known.port(kind, "Hitpoint") for kind in ("jack", "virtual", "system")] == [-10.6] * 3
    assert known.port("system", "system:midi_playback_1") == 4, "a name of JACK's, no key"
    keep("jack:Hitpoint", -1.0)
    keep("system:midi_playback_1", 7.0)
    known = latencies()
    assert [known.port(kind, "Hitpoint") for kind in ("jack", "virtual")] == [-1.0, -10.6]
    assert known.port("system", "midi_playback_1") == 7
    assert known.port("system", "system:midi_playback_1") == 4
    assert known.port("jack", "other") is None


def test_routes_take_what_is_kept_for_port_and_stem_and_leave_what_is_said(store: Path) -> None:
    for key, ms in {"jack:strings": -20, "virtual:strings": -3, "stem:melody": -150, "bridge=jack:strings": 5}.items():
        keep(key, ms)
    jack, auto, other = Outlet("jack", "strings"), Outlet("auto", "strings"), Outlet("system", "other")

    def routed(*routes: Route) -> dict[tuple[str, str], tuple[float | None, float | None]]:
        return {(r.outlet.kind, r.stem): (r.latency_ms, r.jack_ms) for r in latencies().routed(routes)}

    assert routed(Route(jack)) == {("jack", EVERY): (-20, None), ("jack", "melody"): (-170, None), ("jack", "bridge"): (5, None)}
    assert routed(Route(auto)) == {("auto", EVERY): (-3, -20), ("auto", "melody"): (-153, -170), ("auto", "bridge"): (-3, 5)}
    assert routed(Route(other, "melody"), Route(other, "piano")) == {
        ("system", "melody"): (-150, None),
        ("system", "piano"): (0, None),
    }
    assert routed(Route(jack, latency_ms=2.0)) == {("jack", EVERY): (2, None)}, "what somebody says counts alone"
    assert routed(Route(other, "melody", 1.0), Route(other)) == {("system", "melody"): (1, None), ("system", EVERY): (0, None)}


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (b"", {}),
        (b"[]", {}),
        (b"\xff", {}),
        (b'{"a": 1, ', {}),
        (b"[" * 100_000, {}),
        (b'{"latency_ms": [], "x": {}}', {}),
        (b'{"a": "b", "c": 1e9, "d": 3, "e": true, "f": NaN}', {"any:d": 3.0}),
        (b'{"latency_ms": {"jack:a": -2, "jack:b": null}}', {"jack:a": -2.0}),
    ],
)
def test_a_damaged_file_is_said_and_kept_beside_before_another_is_written(
    store: Path, content: bytes, left: dict[str, float]
) -> None:
    store.parent.mkdir()
    for number in ("", "-2"):
        store.write_bytes(content)
        known = latencies()
        assert known.values == left
        assert str(store) in known.fault
        assert "is damaged" in known.fault
        assert len(known.fault.splitlines()) == 1
        said = keep("virtual:e", -1.23456).said
        beside = store.with_name(f"latencies.json.damaged{number}")
        assert str(beside) in said
        assert beside.read_bytes() == content
        assert latencies() == Latencies({**left, "virtual:e": -1.235})
    assert keep("virtual:e", 1.0).said == ""
    assert len(list(store.parent.iterdir())) == 3


def test_what_cannot_be_kept_or_forgotten_is_said(store: Path) -> None:
    keep("jack:melody", 1.0)
    keep("stem:melody", 2.0)
    keep("virtual:Hitpoint", 3.0)
    for ms in (2000.1, -2000.1, float("nan"), float("inf")):
        with pytest.raises(OptionError, match="no latency is so large"):
            keep("jack:melody", ms)
    with pytest.raises(OptionError, match="may be jack:melody or stem:melody"):
        forget("melody")
    with pytest.raises(OptionError, match="nothing is kept for 'piano'"):
        forget("piano")
    assert len(latencies().values) == 3
    forget("Hitpoint")
    forget("stem:melody")
    assert latencies().values == {"jack:melody": 1.0}
    with pytest.raises(OutputError):
        keep("jack:e", 1.0, path=store / "below" / "x.json")


def test_an_outlet_that_may_be_jacks_takes_the_latency_of_what_it_is(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep("jack:Hitpoint", -2.0)
    keep("virtual:Hitpoint", -11.0)
    outlet = Outlet()
    for exact, ms in ((True, -2), (False, -11)):
        monkeypatch.setattr(Plug, "open", lambda self: None)
        monkeypatch.setattr(Plug, "exact", exact)
        rig = Rig(bytearray(BOARD))
        rig.patch(Patch(latencies().routed([Route(outlet)]), ((outlet, 0),)))
        assert rig.way("melody")[1] == ms * MS


# played


def pair() -> Programme:
    """Two stems that strike together, twice a second."""
    notes = [tuple(TimedNote(k * SECOND // 2, k * SECOND // 2 + 100 * MS, pitch, 80) for k in range(20)) for pitch in (72, 48)]
    return Programme("pair", (Part("melody", 0, notes[0]), Part("piano", 1, notes[1])), length=10 * SECOND)


def apart_ms(tape: Path, since: int = 0) -> list[float]:
    """How much later the melody is struck than the piano, note by note."""
    rows = [line.split() for line in tape.read_text().splitlines()[since:]]
    struck = [(int(now), bytes.fromhex(message)) for now, message in rows]
    melody, piano = ([now for now, message in struck if message[0] == 0x90 | channel] for channel in (0, 1))
    return [(m - p) / MS for m, p in zip(melody, piano, strict=False)]


def test_a_stem_is_played_by_what_is_kept_for_it_and_told_anew_when_it_is_played_again(store: Path, tmp_path: Path) -> None:
    keep("stem:melody", -150.0)
    tape = tmp_path / "out"
    with Player([Route(Outlet("file", str(tape)))], own_process=False) as player:
        player.load(pair())

        def found() -> float:
            lines = len(tape.read_text().splitlines())
            player.settle(player.play(0), DEADLINE_S)
            player.wait(lambda s: s.seconds > 1.2, DEADLINE_S)
            player.settle(player.stop(), DEADLINE_S)
            apart = apart_ms(tape, lines)
            assert len(apart) >= 2
            return sorted(apart)[len(apart) // 2]

        player.settle(timeout=DEADLINE_S)
        assert -200 < found() < -100
        keep("stem:melody", 120.0)
        assert 70 < found() < 170


@pytest.fixture
def studio(store: Path) -> Iterator[Studio]:
    made = Studio(partial(Player, own_process=False))
    yield made
    made.close(DEADLINE_S)


def test_the_windows_and_the_servers_player_plays_by_what_is_told_over_the_wire(studio: Studio, tmp_path: Path) -> None:
    from bridge.calls import answer

    player = studio.playback.open([Route(Outlet("file", str(tmp_path / "out")))])

    def known() -> dict[str, float | None]:
        patch = player._kept[Patch]
        assert isinstance(patch, Patch)
        return {route.stem: route.latency_ms for route in patch.routes}

    assert known() == {EVERY: 0.0}
    told = answer(studio, "/hitpoint/latencies/set", {"ms": -150, "stem": "melody"})
    assert (told["port"], told["latency_ms"], told["was_ms"]) == ("stem:melody", -150.0, None)
    assert known() == {EVERY: 0.0, "melody": -150.0}
    answer(studio, "/hitpoint/latencies/set", {"ms": 20, "stem": "melody"})
    assert known() == {EVERY: 0.0, "melody": 20.0}
    assert answer(studio, "/hitpoint/latencies", {}) == {"latency_ms": {"stem:melody": 20.0}, "fault": ""}
    for given in (
        {"ms": 2001, "stem": "melody"},
        {"ms": 1, "stem": "a", "port": "auto"},
        {"ms": 1, "port": "rubbish"},
        {"stem": "a"},
    ):
        with pytest.raises(OptionError):
            answer(studio, "/hitpoint/latencies/set", given)
    assert answer(studio, "/hitpoint/latencies/forget", {"port": "stem:melody"})["latency_ms"] == {}
    assert known() == {EVERY: 0.0}


def test_a_damaged_file_is_said_when_it_would_be_played_by(
    studio: Studio, store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store.parent.mkdir()
    store.write_text("no more")
    heard: list[Event] = []
    studio.subscribe(heard.append)
    studio.playback.open([Route(Outlet("file", str(tmp_path / "out")))])
    assert any(isinstance(event, Message) and "latencies.json: is damaged" in event.text for event in heard)
    assert main.main(["calibrate", "--list"]) == 0
    said = capsys.readouterr()
    assert "is damaged" in said.err
    assert said.out == "nothing is kept\n"
    assert main.main(["calibrate", "--set", "-5", "--out", "virtual:Foo"]) == 0
    assert "latencies.json.damaged" in capsys.readouterr().out


def test_a_latency_is_told_on_the_command_line(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        code = main.main(["calibrate", *words])
        out = capsys.readouterr()
        assert "Traceback" not in out.err
        assert code == (2 if out.err else 0)
        return (out.err or out.out).strip()

    assert said("--set", "-150", "--stem", "melody") == "kept -150.00 ms for the stem melody"
    assert said("--set", "-140.5", "--stem", "melody") == "kept -140.50 ms for the stem melody; was -150.00 ms"
    assert said("--set", "3", "--out", "system:IAC Bus 1") == "kept +3.00 ms for system:IAC Bus 1"
    assert said("--set", "4", "--out", "piano=virtual:Foo") == "kept +4.00 ms for piano=virtual:Foo"
    assert said("--set", "-1") == "kept -1.00 ms for virtual:Hitpoint", "as play opens it without JACK"
    assert "tracks of a MIDI file" in said("--set", "7", "--stem", "Violins 1")
    assert said("--list").splitlines() == [
        "piano=virtual:Foo: +4.00 ms",
        "the stem Violins 1: +7.00 ms",
        "the stem melody: -140.50 ms",
        "system:IAC Bus 1: +3.00 ms",
        "virtual:Hitpoint: -1.00 ms",
    ]
    before = store.read_bytes()
    assert "is not in -2000 to 2000" in said("--set", "-2000.5", "--stem", "melody")
    assert "is not in -2000 to 2000" in said("--set", "nan")
    assert "no kind of port" in said("--set", "1", "--out", "garbage:foo")
    assert "one port is measured at a time" in said("--set", "1", "--out", "jack:a; jack:b")
    assert "holds at every port" in said("--set", "1", "--out", "jack:a", "--stem", "melody")
    assert "no stem is named" in said("--set", "1", "--stem", " ")
    assert "told or measured" in said("--set", "1", "--midi", "x.mid")
    assert "cannot be measured over MIDI" in said("--stem", "melody")
    assert "nothing is kept for 'nobody'" in said("--forget", "nobody")
    assert store.read_bytes() == before
    assert "the stem melody" not in said("--forget", "stem:melody")
    assert json.loads(said("--list", "--json"))["latency_ms"].keys() == {
        "piano=virtual:Foo", "stem:Violins 1", "system:IAC Bus 1", "virtual:Hitpoint",
    }  # fmt: skip
