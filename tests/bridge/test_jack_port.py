"""Ports of JACK on a stand-in for its graph, which runs when the test says so: every message at its sample, none left sounding."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from fractions import Fraction
from threading import Timer
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.calibrating import Aim, round_trip
from bridge.clock import SECOND
from bridge.jack_client import JackClient
from bridge.jack_port import JackInput, JackPort
from bridge.jack_transport import BBT, ROLLING, JackTransport
from engines.errors import HitpointError, PortError

RATE, PERIOD = 48_000, 64
ON, OFF = b"\x90\x3c\x50", b"\x80\x3c\x40"


class JackError(Exception):
    pass


class Pins:
    """A port of the graph: what was written, by the sample of the graph; ``room`` messages fit into a period."""

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph, self.name, self.room = graph, name, 1000
        self.heard: list[tuple[int, bytes]] = []
        self.coming: list[tuple[int, bytes]] = []
        self._left, self._offset = 0, 0

    def clear_buffer(self) -> None:
        self._left, self._offset = self.room, 0

    def write_midi_event(self, offset: int, message: bytes) -> None:
        if not self._left:
            raise JackError("no room")
        assert self._offset <= offset < PERIOD, "in order, within the period"
        self._left, self._offset = self._left - 1, offset
        self.heard.append((self.graph.sample + offset, bytes(message)))

    def incoming_midi_events(self) -> list[tuple[int, bytes]]:
        first = self.graph.sample
        due = [row for row in sorted(self.coming) if row[0] < first + PERIOD]
        self.coming = [row for row in self.coming if row not in due]
        return [(sample - first, message) for sample, message in due]

    def unregister(self) -> None:
        self.graph.pins.remove(self)


class Graph:
    """Stands for python's jack and for one client of it."""

    JackError, JackOpenError = JackError, JackError

    def __init__(self, start: int = 0) -> None:
        self.sample, self.pins = start, list[Pins]()
        self.connected: list[tuple[str, str]] = []
        self.there = {"synth:in", "daw:mtc"}
        self.transport: tuple[int, int, int, float] = (0, 0, 0, 0.0)
        self.calls: dict[str, Callable[..., None]] = {}
        ports = SimpleNamespace(register=self._register)
        self.client = SimpleNamespace(
            name="Hitpoint", samplerate=RATE, blocksize=PERIOD, midi_outports=ports, midi_inports=ports, connect=self._connect,
            set_process_callback=lambda call: self.calls.update(process=call), activate=lambda: None, deactivate=lambda: None,
            set_shutdown_callback=lambda call: self.calls.update(shutdown=call), close=lambda: self.calls.update(closed=print),
            set_xrun_callback=lambda call: self.calls.update(xrun=call),
            set_graph_order_callback=lambda call: self.calls.update(order=call), get_port_by_name=lambda name: name,
            get_all_connections=lambda name: [SimpleNamespace(name=b) for a, b in self.connected if a == name],
            transport_query_struct=self._query,
        )  # fmt: skip

    def set_error_function(self, call: object) -> None:
        pass

    set_info_function = set_error_function

    def Client(self, name: str, no_start_server: bool, servername: str | None) -> Any:
        graph = self

        class Client(SimpleNamespace):
            frame_time = property(lambda self: graph.sample % 2**32)
            last_frame_time = property(lambda self: graph.sample % 2**32)

        return Client(**vars(self.client))

    def run(self, periods: int = 1) -> None:
        for _ in range(periods):
            self.calls["process"](PERIOD)
            self.sample += PERIOD

    def _register(self, name: str) -> Pins:
        if any(pins.name == name for pins in self.pins):
            raise JackError("taken")
        self.pins.append(Pins(self, name))
        return self.pins[-1]

    def _connect(self, source: str, target: str) -> None:
        ours, theirs = (source, target) if source.startswith("Hitpoint") else (target, source)
        if theirs not in self.there:
            raise JackError("unknown port")
        self.connected.append((ours, theirs))
        self.calls["order"]()

    def _query(self) -> tuple[int, SimpleNamespace]:
        state, frame, valid, bpm = self.transport
        return state, SimpleNamespace(frame=frame, valid=valid, beats_per_minute=bpm)


Made = tuple[Graph, JackClient]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    graph = Graph()
    monkeypatch.setattr("bridge.jack_client.library", lambda: graph)
    return graph, JackClient()


def opened(made: Made, name: str = "melody", connect: tuple[str, ...] = ()) -> tuple[JackPort, Pins]:
    port = JackPort(made[1], name, connect)
    port.open()
    return port, made[0].pins[-1]


def ns(sample: int) -> int:
    return -(-sample * SECOND // RATE)


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 127)), max_size=40), st.integers(0, 2**33))
@settings(max_examples=60)
def test_every_message_goes_out_at_its_sample_and_those_of_one_in_their_order(rows: list[tuple[int, int]], start: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        graph = Graph(start)
        patch.setattr("bridge.jack_client.library", lambda: graph)
        jack = JackClient()
        port, pins = opened((graph, jack))
        begin = jack.clock.now_ns()
        for sample, number in rows:
            port.send(bytes((0xC0, number)), begin + ns(sample))
        graph.run(5000 // PERIOD + 2)
        assert pins.heard == [(start + at, bytes((0xC0, number))) for at, _, number in ordered(rows)]
        assert set(port.late.newest) <= {0}


def ordered(rows: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    heap = [(sample, k, number) for k, (sample, number) in enumerate(rows)]
    heapq.heapify(heap)
    return [heapq.heappop(heap) for _ in rows]


def test_what_is_late_goes_out_at_once_and_is_counted(made: Made) -> None:
    graph, _ = made
    port, pins = opened(made)
    graph.run(4)
    port.send(ON, ns(10))
    port.send(b"\xc0\x05")
    graph.run()
    assert pins.heard == [(4 * PERIOD, ON), (4 * PERIOD, b"\xc0\x05")]
    assert port.late.newest == ((4 * PERIOD - 10) * (SECOND // RATE),), "what nobody gave a moment cannot be late"


def test_what_has_no_room_waits_for_the_next_period(made: Made) -> None:
    graph, _ = made
    port, pins = opened(made)
    pins.room = 2
    for number in range(5):
        port.send(bytes((0xC0, number)), ns(number))
    graph.run(3)
    assert [message[1] for _, message in pins.heard] == [0, 1, 2, 3, 4]


def test_what_is_taken_back_is_not_heard(made: Made) -> None:
    graph, _ = made
    port, pins = opened(made)
    port.send(ON, ns(10))
    port.send(OFF, ns(1000))
    port.send(b"\x91\x40\x40", ns(1000))
    graph.run()
    assert port.sounding(0) == (60,)
    assert port.recall(0) == ((ns(1000), OFF),)
    graph.run(20)
    assert [message for _, message in pins.heard] == [ON, b"\x91\x40\x40"]
    assert port.service() is None
    assert port.commit_ns == 2 * PERIOD * SECOND // RATE


def test_closing_ends_what_sounds_while_the_graph_runs_on(made: Made) -> None:
    graph, jack = made
    port, pins = opened(made)
    port.send(ON, ns(0))
    port.send(b"\x90\x40\x40", ns(9999))
    graph.run()
    # JACK's own thread goes on while we wait: here it runs as soon as somebody does
    port._settled.wait = lambda timeout: (graph.run(4), True)[1]  # type: ignore[method-assign]
    port.close()
    assert pins.heard[1:] == [(PERIOD, b"\x80\x3c\x00")]
    assert graph.pins == []
    port.close()
    with pytest.raises(PortError, match="not open"):
        port.send(ON)
    jack.close()
    assert "closed" in graph.calls


def test_a_period_that_somebody_missed_has_its_ends_said_again(made: Made) -> None:
    graph, _ = made
    port, pins = opened(made)
    for pitch, end in ((60, 2), (61, 3), (62, 9000)):
        port.send(bytes((0x90, pitch, 80)), ns(0))
        port.send(bytes((0x80, pitch, 64)), ns(end * PERIOD // 2))
    graph.run(3)
    heard = len(pins.heard)
    graph.calls["xrun"](10.0)
    graph.run()
    again = pins.heard[heard:]
    assert again == [(3 * PERIOD, b"\x80\x3c\x40"), (3 * PERIOD, b"\x80\x3d\x40")], "and not the one that sounds"
    graph.run(2)
    assert len(pins.heard) == heard + 2, "once"


def test_a_server_that_goes_away_is_said(made: Made) -> None:
    graph, _ = made
    port, _pins = opened(made)
    port.send(ON)
    graph.calls["shutdown"]("failure", "JACK server has been closed")
    with pytest.raises(PortError, match=r"went away \(JACK server has been closed\); start it again"):
        port.send(ON)
    port.close()


def test_a_name_that_is_taken_is_refused(made: Made) -> None:
    opened(made)
    with pytest.raises(PortError, match="choose another name"):
        opened(made)


def test_it_connects_to_what_it_was_told_to_as_soon_as_that_is_there(made: Made) -> None:
    graph, _ = made
    port, _pins = opened(made, connect=("synth:in", "later:in"))
    assert port.peers == ("synth:in",)
    graph.there.add("later:in")
    port.reach()
    assert port.peers == ("synth:in", "later:in")
    graph.connected.clear()
    port.reach()
    assert port.peers == (), "what a person disconnects stays so"


def test_an_input_stamps_each_message_with_its_sample(made: Made) -> None:
    graph, jack = made
    came: list[tuple[bytes, int]] = []
    inlet = JackInput(jack, "sync", lambda message, moment: came.append((message, moment)), ("daw:mtc",))
    inlet.open()
    assert inlet.peers == ("daw:mtc",)
    graph.pins[-1].coming = [(70, b"\xf1\x00"), (100, b"\xf1\x10")]
    graph.run(2)
    assert came == []
    inlet.drain()
    assert came == [(b"\xf1\x00", ns(70)), (b"\xf1\x10", ns(100))]
    inlet.close()
    inlet.close()
    graph.run()
    assert graph.pins == []


def test_the_transport_is_seen_at_the_first_sample_of_a_period(made: Made) -> None:
    graph, jack = made
    transport = JackTransport(jack)
    assert transport.poll() is None
    graph.transport = (ROLLING, 119_040, BBT, 96.0)
    graph.run()
    report = transport.poll()
    assert report is not None
    assert (report.seconds, report.received_ns, report.bpm, report.rolling) == (Fraction(119_040, RATE), 0, 96.0, True)
    assert transport.poll() is None, "a period is told once"
    graph.transport = (ROLLING, 119_040 + PERIOD, 0, 6.9e-310)
    graph.run()
    report = transport.poll()
    assert report is not None
    assert report.bpm is None, "its tempo means nothing while no program leads in beats"
    transport.close()
    graph.run()
    assert transport.poll() is None


@settings(max_examples=40)
@given(
    st.sampled_from(("xrun", "order")),
    st.integers(1, 700),
    st.lists(
        st.tuples(st.integers(0, 1200), st.integers(1, 60), st.integers(60, 63), st.integers(0, 9)), min_size=1, max_size=30
    ),
)
def test_a_listener_that_misses_periods_is_left_with_no_note(
    how: str, later: int, notes: list[tuple[int, int, int, int]]
) -> None:
    """JACK tells that it was late, or that programs came to another order, up to a second after somebody missed a period, and that one
    may be away for a while."""
    graph = Graph()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bridge.jack_client.library", lambda: graph)
        jack = JackClient()
    jack_port = JackPort(jack, "melody")
    jack_port.open()
    end, missed = 0, set[int]()
    for begin, length, pitch, away in sorted(notes):
        begin = max(begin, end)
        end = begin + length
        missed |= {*range(end, end + away)}
        jack_port.send(bytes((0x90, pitch, 80)), jack.clock.nanoseconds(begin * PERIOD))
        jack_port.send(bytes((0x80, pitch, 64)), jack.clock.nanoseconds(end * PERIOD))
    sounds: set[int] = set()
    pins = graph.pins[0]
    for period in range(max(end, 1500) + later + RATE // PERIOD + 2):
        before = len(pins.heard)
        graph.run()
        if period - later in missed:
            graph.calls[how](*(1000.0,) * (how == "xrun"))
        for _, message in pins.heard[before:] if period not in missed else ():
            (sounds.add if message[0] == 0x90 else sounds.discard)(message[1])
    assert sounds == set()


def test_a_calibration_that_is_refused_or_not_connected_leaves_jack() -> None:
    for out, into, said in (
        ("jack:melody", "link", "no notes come in there"),
        ("jack:melody", "", "a port is missing"),
        ("jack:melody", "jack:return", "nothing was connected"),
    ):
        graph = Graph()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bridge.jack_client.library", lambda graph=graph: graph)
            with pytest.raises(HitpointError, match=said):
                round_trip(Aim.of(out).outlet, into, 1, 1000, 0.05)
        assert "process" not in graph.calls or "closed" in graph.calls
        assert graph.pins == []


def test_what_waits_for_a_connection_goes_on_as_soon_as_it_is_there(made: Made) -> None:
    _, jack = made
    port = JackPort(jack, "melody")
    port.open()
    later = Timer(0.1, lambda: jack.connect("melody", "synth:in", outwards=True))
    later.start()
    began = time.monotonic()
    assert jack.await_change(lambda: bool(port.peers), 60)
    assert time.monotonic() - began < 30
    later.join()
    assert not jack.await_change(lambda: False, 0.01)
