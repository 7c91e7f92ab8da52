"""What every port owes: messages out when they are due, in order, and no note left sounding; the system's ports where there are any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.clock import Clock, FineClock, HandClock, MonotonicClock
from bridge.mtc import full_frame, quarter_frame
from bridge.ports import FilePort, MemoryPort, QueuedPort, SystemInput, SystemPort, names
from engines.errors import PortError
from engines.picture.timecode import Timecode

SECOND = 1_000_000_000
ON, OFF, CLOCK = b"\x90\x3c\x50", b"\x80\x3c\x00", b"\xf8"


class Wire:
    """Stands for a MIDI system of mido's: what is sent into it, it writes down; it can refuse, and it can break."""

    def __init__(self, refuses: Exception | None = None) -> None:
        self.refuses, self.broken = refuses, False
        self.sent: list[bytes] = []
        self.opened: list[tuple[str, bool]] = []
        self.closed = 0
        self.callback: Callable[[Any], None] | None = None

    def open_output(self, name: str, virtual: bool = False) -> SimpleNamespace:
        if self.refuses is not None:
            raise self.refuses
        self.opened.append((name, virtual))
        return SimpleNamespace(send=self._send, close=self._close)

    def open_input(self, name: str, virtual: bool, callback: Callable[[Any], None]) -> SimpleNamespace:
        self.callback = callback
        return self.open_output(name, virtual)

    def get_input_names(self) -> list[str]:
        if self.refuses is not None:
            raise self.refuses
        return ["b", "a", "a"]

    get_output_names = get_input_names

    def _send(self, message: Any) -> None:
        if self.broken:
            raise OSError("device gone")
        self.sent.append(bytes(message.bytes()))

    def _close(self) -> None:
        self.closed += 1


Opened = tuple[QueuedPort, HandClock, Callable[[], list[bytes]]]


def memory() -> Opened:
    clock = HandClock()
    port = MemoryPort(clock)
    return port, clock, lambda: [message for _, message in port.sent]


def system() -> Opened:
    clock, wire = HandClock(), Wire()
    return SystemPort("Hitpoint", True, clock, lambda: [("COREMIDI", wire)]), clock, lambda: wire.sent


SCRATCH: list[Path] = []


@pytest.fixture(scope="module", autouse=True)
def scratch(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A folder for ports that write to files."""
    SCRATCH[:] = [tmp_path_factory.mktemp("ports")]


def file() -> Opened:
    clock = HandClock()
    path = SCRATCH[0] / f"{len(list(SCRATCH[0].iterdir()))}.txt"
    path.touch()
    return FilePort(path, clock), clock, lambda: [bytes.fromhex(line.split()[1]) for line in path.read_text().splitlines()]


PORTS: dict[str, Callable[[], Opened]] = {"memory": memory, "file": file, "system": system}


@pytest.fixture(params=sorted(PORTS))
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    port, clock, sent = PORTS[request.param]()
    port.open()
    yield port, clock, sent
    port.close()


def test_a_message_goes_out_when_it_is_due_and_not_before(opened: Opened) -> None:
    port, clock, sent = opened
    port.send(ON, SECOND)
    port.send(CLOCK, SECOND // 2)
    assert sent() == []
    clock.turn_to(SECOND // 2 - 1)
    assert port.service() == SECOND // 2
    assert sent() == []
    clock.turn_to(SECOND // 2)
    assert port.service() == SECOND
    assert sent() == [CLOCK]
    clock.turn_to(SECOND)
    assert port.service() is None
    assert sent() == [CLOCK, ON]


def test_words_of_the_transport_are_taken_back_by_their_kind_and_those_that_are_due_outlive_the_port(opened: Opened) -> None:
    port, clock, sent = opened
    stop = b"\xfc"
    for message, due in ((ON, SECOND), (stop, SECOND), (CLOCK, SECOND), (CLOCK, 2 * SECOND), (stop, 3 * SECOND)):
        port.send(message, due)
    assert port.take_back((0xF8,)) == ((SECOND, CLOCK), (2 * SECOND, CLOCK))
    clock.turn_to(2 * SECOND)
    port.close()
    assert sent() == [stop], "a note that nobody let out is not struck by the end, and what is not due is dropped"


def test_what_is_late_or_has_no_time_goes_at_once(opened: Opened) -> None:
    port, clock, sent = opened
    clock.turn(5)
    port.send(ON)
    port.send(OFF, SECOND)
    assert sent() == [ON, OFF]


def test_messages_of_one_moment_keep_their_order(opened: Opened) -> None:
    port, clock, sent = opened
    messages = [bytes((0x90, pitch, 1 + pitch % 100)) for pitch in (60, 50, 70, 40, 80)]
    for message in messages:
        port.send(message, SECOND)
    clock.turn(1)
    port.service()
    assert sent() == messages


def test_closing_ends_what_sounds_and_drops_what_waits(opened: Opened) -> None:
    port, clock, sent = opened
    port.send(b"\x91\x40\x40")
    port.send(ON)
    port.send(b"\x90\x3e\x40")
    port.send(b"\x90\x3e\x00")  # a note-on without velocity ends a note
    port.send(b"\x90\x50\x40", SECOND)
    port.close()
    assert sent()[4:] == [OFF, b"\x81\x40\x00"]
    port.close()
    clock.turn(2)
    assert len(sent()) == 6


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 15), st.integers(0, 127), st.integers(0, 5)), max_size=40))
@settings(deadline=None, max_examples=40)
def test_no_note_hangs_however_it_ends(notes: list[tuple[bool, int, int, int]]) -> None:
    for make in PORTS.values():
        port, clock, sent = make()
        port.open()
        for on, channel, pitch, due in notes:
            port.send(bytes(((0x90 if on else 0x80) | channel, pitch, 64)), due * SECOND)
        clock.turn(3)
        port.service()
        port.close()
        sounding = set()
        for status, pitch, _ in sent():
            (sounding.add if status & 0xF0 == 0x90 else sounding.discard)((status & 0x0F, pitch))
        assert sounding == set()


def test_what_is_taken_back_does_not_go_out_and_others_do(opened: Opened) -> None:
    port, clock, sent = opened
    port.send(ON, SECOND)
    port.send(b"\x91\x40\x40", SECOND)
    port.send(CLOCK, SECOND)
    port.send(OFF, 2 * SECOND)
    assert port.recall(0) == ((SECOND, ON), (2 * SECOND, OFF))
    assert port.recall(0) == ()
    clock.turn(3)
    port.service()
    assert sent() == [b"\x91\x40\x40", CLOCK]


def test_what_sounds_is_known(opened: Opened) -> None:
    port, clock, _ = opened
    port.send(ON)
    port.send(b"\x90\x3e\x40", SECOND)
    port.send(b"\x93\x10\x40")
    assert (port.sounding(0), port.sounding(3), port.sounding(4)) == ((60,), (16,), ())
    clock.turn(1)
    port.service()
    port.send(b"\x90\x3c\x00")
    assert port.sounding(0) == (62,)
    assert port.late.newest.count(0) == 4


def test_a_board_that_is_shared_says_what_a_dead_one_left_sounding() -> None:
    board = bytearray(16 * 128)
    port = MemoryPort(HandClock(), board=board)
    port.open()
    port.send(ON)
    heir = MemoryPort(HandClock(), board=board)
    assert heir.sounding(0) == (60,)
    heir.open()
    heir.close()
    assert heir.sent == [(0, b"\x80\x3c\x00")]
    assert not any(board)


def test_a_file_that_cannot_be_written_is_said() -> None:
    with pytest.raises(PortError, match="cannot be written"):
        FilePort("/no/such/folder/out").open()


def test_system_exclusive_and_real_time_pass_whole(opened: Opened) -> None:
    port, _, sent = opened
    messages = [full_frame(Timecode.parse("01:02:03:04", Fraction(25))), b"\xf1\x35", b"\xf2\x04\x01", b"\xfa", b"\xfc"]
    for message in messages:
        port.send(message)
    assert sent() == messages


@pytest.mark.parametrize("make", PORTS.values(), ids=list(PORTS))
def test_a_port_that_is_not_open_says_so(make: Callable[[], Opened]) -> None:
    port, _, _ = make()
    with pytest.raises(PortError, match="not open"):
        port.send(ON)
    port.open()
    port.open()
    port.close()
    with pytest.raises(PortError, match="not open"):
        port.send(ON)


@pytest.mark.parametrize("message", [b"", b"\x40\x40"])
def test_what_is_no_message_is_refused(opened: Opened, message: bytes) -> None:
    with pytest.raises(PortError, match="no MIDI message"):
        opened[0].send(message)


def test_the_next_midi_system_opens_when_the_first_raises() -> None:
    wire = Wire()
    port = SystemPort("Hitpoint", True, HandClock(), lambda: [("ALSA", Wire(OSError("no sequencer"))), ("JACK", wire)])
    port.open()
    port.send(ON)
    assert (wire.opened, wire.sent) == ([("Hitpoint", True)], [ON])


def test_when_none_opens_each_says_why_in_one_line() -> None:
    refusing = [("ALSA", Wire(OSError("no sequencer"))), ("JACK", Wire(OSError("server not running?")))]
    with pytest.raises(PortError) as refused:
        SystemPort("Hitpoint", True, HandClock(), lambda: refusing).open()
    assert "ALSA: no sequencer, JACK: server not running?" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert names(lambda: refusing) == {"ALSA": "ALSA: no sequencer", "JACK": "JACK: server not running?"}


def test_what_rtmidi_says_is_said_without_the_names_of_its_functions() -> None:
    refusing = [
        ("LINUX_ALSA", Wire(OSError("MidiOutAlsa::initialize: error creating ALSA sequencer client object."))),
        ("UNIX_JACK", Wire(OSError("MidiOutJack::initialize: JACK server not running?"))),
        ("MACOSX_CORE", Wire(OSError("MidiOutCore::openPort: no MIDI output destinations found!"))),
    ]
    with pytest.raises(PortError) as refused:
        SystemPort("Hitpoint", True, HandClock(), lambda: refusing).open()
    said = str(refused.value)
    assert "(ALSA's sequencer is not there, no JACK server runs, CoreMIDI: no MIDI output destinations found!)" in said
    assert "::" not in said


def test_windows_is_told_of_loopmidi() -> None:
    windows = [("WINDOWS_MM", Wire(NotImplementedError("virtual ports")))]
    with pytest.raises(PortError, match="loopMIDI"):
        SystemPort("Hitpoint", True, HandClock(), lambda: windows).open()
    with pytest.raises(PortError, match="loopMIDI"):
        SystemInput("Hitpoint", lambda message, ns: None, True, HandClock(), lambda: windows).open()


def test_a_port_that_vanishes_is_said_and_closes() -> None:
    wire = Wire()
    port = SystemPort("Hitpoint", False, HandClock(), lambda: [("ALSA", wire)])
    port.open()
    port.send(ON)
    wire.broken = True
    with pytest.raises(PortError, match="device gone"):
        port.send(CLOCK)
    with pytest.raises(PortError, match="device gone"):
        port.close()
    assert wire.closed == 1, "closed all the same"
    port.close()


def test_an_input_stamps_what_comes_with_its_clock() -> None:
    import mido

    wire, clock, came = Wire(), HandClock(), []
    port = SystemInput("Hitpoint", lambda message, ns: came.append((message, ns)), True, clock, lambda: [("JACK", wire)])
    port.open()
    clock.turn(2)
    assert wire.callback is not None
    wire.callback(mido.Message.from_bytes(b"\xf1\x35"))
    assert came == [(b"\xf1\x35", 2 * SECOND)]
    port.close()
    port.close()
    assert wire.closed == 1


def test_ports_are_listed_in_order_and_once() -> None:
    assert names(lambda: [("JACK", Wire())]) == {"JACK": (["a", "b"], ["a", "b"])}


def test_a_memory_port_hands_on_what_it_sends() -> None:
    came: list[tuple[bytes, int]] = []
    clock = HandClock(7)
    port = MemoryPort(clock, heard=lambda message, ns: came.append((message, ns)))
    port.open()
    port.send(CLOCK)
    assert came == [(CLOCK, 7)]
    port.close()


def test_the_systems_own_ports_carry_timecode_clock_and_notes_in_order() -> None:
    """A virtual port in and a port out to it, through whatever MIDI system runs here."""
    pytest.importorskip("rtmidi", reason="python-rtmidi is not installed, so there are no MIDI ports of the system's")
    label = Timecode.parse("01:02:03:04", Fraction(25))
    messages = [ON, full_frame(label), *(quarter_frame(label, k) for k in range(8)), b"\xf2\x04\x01", b"\xfa", CLOCK, b"\xfc"]
    came: list[tuple[int, bytes]] = []
    whole = Event()

    def heard(message: bytes, ns: int) -> None:
        came.append((ns, message))
        if len(came) == len(messages) + 1:
            whole.set()

    inlet = SystemInput("Hitpoint test", heard, virtual=True)
    try:
        inlet.open()
    except PortError as error:
        pytest.skip(f"no virtual MIDI port on this machine: {error}")
    try:
        offered = [name for listed in names().values() if not isinstance(listed, str) for name in listed[1]]
        port = SystemPort(next(name for name in offered if "Hitpoint test" in name))
        port.open()
        try:
            for message in messages:
                port.send(message)
        finally:
            port.close()
        assert whole.wait(5), f"{len(came)} of {len(messages) + 1} came"
    finally:
        inlet.close()
    assert [message for _, message in came] == [*messages, OFF], "the note that was left sounding is ended"
    moments = [ns for ns, _ in came]
    assert moments == sorted(moments)


@pytest.mark.parametrize("clock", [MonotonicClock(), FineClock()])
def test_the_real_clock_goes_on(clock: Clock) -> None:
    first = clock.now_ns()
    assert clock.now_ns() >= first


def test_a_clock_turned_by_hand_never_goes_back() -> None:
    clock = HandClock(5)
    assert clock.turn(0.5) == clock.now_ns() == 500_000_005
    with pytest.raises(ValueError, match="turned back"):
        clock.turn_to(5)
