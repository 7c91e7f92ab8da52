"""What comes from a DAW is never trusted: whatever arrives, it is read, passed over, or one line with a cure."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from threading import Event, Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_double import LiveDouble
from pythonosc.osc_message_builder import OscMessageBuilder
from reaper_double import WebReaper
from sittings import scored

from bridge.daw import Address, Cue, open_daw
from bridge.daws.ardour_file import ArdourFile
from bridge.daws.ardour_place import place
from bridge.daws.mailbox import Mailbox
from bridge.daws.osc_peer import OscPeer, messages
from bridge.daws.reaper import Reaper
from engines.errors import DawError, HitpointError

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "ardour" / "film.ardour"
MANY = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def packet(address: str, *args: object) -> bytes:
    built = OscMessageBuilder(address)
    for arg in args:
        built.add_arg(arg)  # type: ignore[arg-type]
    return bytes(built.build().dgram)


def spoilt(draw: st.DataObject, content: bytes) -> bytes:
    """Content with some bytes changed, cut out or put in."""
    out = bytearray(content)
    for _ in range(draw.draw(st.integers(1, 6))):
        at = draw.draw(st.integers(0, max(0, len(out) - 1)))
        match draw.draw(st.sampled_from(("change", "cut", "insert"))):
            case "change" if out:
                out[at] = draw.draw(st.integers(0, 255))
            case "cut":
                del out[at : at + draw.draw(st.integers(1, 40))]
            case _:
                out[at:at] = draw.draw(st.binary(max_size=8))
    return bytes(out)


def refusal(act: Callable[[], object]) -> HitpointError | None:
    """The error of ours that an act ends with; None if it ends well. Any other error goes through."""
    try:
        act()
    except HitpointError as error:
        return error
    return None


def one_line(told: HitpointError | None) -> None:
    assert told is None or (told.what and "\n" not in str(told))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_datagram_can_do_anything_but_be_read_or_passed_over(data: st.DataObject) -> None:
    good = packet("/strip/list", "MT", "Gen", 1, 2.5, True)
    datagram = data.draw(st.one_of(st.binary(max_size=200), st.just(None)))
    for address, args in messages(spoilt(data, good) if datagram is None else datagram):
        assert isinstance(address, str)
        assert isinstance(args, tuple)


def test_ardours_own_reply_address_is_read() -> None:
    whole = packet("/reply", "end_route_list", 48000)
    assert messages(b"#" + whole[1:]) == [("/reply", ("end_route_list", 48000))]
    assert messages(whole) == [("/reply", ("end_route_list", 48000))]


class Far:
    """A program at the other end of a UDP socket that answers as it is told; with ``pair`` the next port is free too."""

    def __init__(self, answers: Callable[[bytes], list[bytes]], pair: bool = False) -> None:
        self.wire = LiveDouble._bound(0) if pair else socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if not pair:
            self.wire.bind(("127.0.0.1", 0))
        self.wire.settimeout(0.05)
        self.port = int(self.wire.getsockname()[1])
        self.heard: list[bytes] = []
        self._answers, self._done = answers, Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                datagram, sender = self.wire.recvfrom(65535)
            except TimeoutError:
                continue
            self.heard.append(datagram)
            for answer in self._answers(datagram):
                self.wire.sendto(answer, sender)

    def close(self) -> None:
        self._done.set()
        self._thread.join(5)
        self.wire.close()


@pytest.fixture
def far() -> Iterator[Callable[[Callable[[bytes], list[bytes]]], Far]]:
    opened: list[Far] = []

    def open_(answers: Callable[[bytes], list[bytes]]) -> Far:
        opened.append(Far(answers))
        return opened[-1]

    yield open_
    for one in opened:
        one.close()


Opens = Callable[[Callable[[bytes], list[bytes]]], Far]


def test_an_answer_among_rubbish_is_found(far: Opens) -> None:
    rubbish = [b"", b"\0", b"/a", b"#bundle\0", packet("/other", 1), packet("/where", "not this one")]
    peer = OscPeer("far", far(lambda datagram: [*rubbish, packet("/where", 7)] if datagram else []).port)
    assert peer.ask("/where", fits=lambda said: said == (7,)) == (7,)
    peer.close()


def test_a_question_that_is_lost_is_asked_again(far: Opens) -> None:
    count = [0]

    def second_time(datagram: bytes) -> list[bytes]:
        count[0] += 1
        return [packet("/where", 7)] if count[0] == 2 else []

    peer = OscPeer("far", far(second_time).port)
    assert peer.ask("/where") == (7,)
    peer.close()


def test_answers_that_pile_up_are_let_go_and_no_answer_is_lost(far: Opens) -> None:
    flood = [packet("/meter", number) for number in range(9000)]
    peer = OscPeer("far", far(lambda datagram: flood if b"flood" in datagram else [packet("/where", 7)]).port)
    peer.send("/flood")
    assert peer.ask("/where") == (7,)
    assert len(peer._answers) <= 4096 + 1
    peer.close()


def test_nobody_there_is_known_at_once_where_the_system_says_so() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    peer = OscPeer("far", port, timeout_s=30)
    began = time.monotonic()
    with pytest.raises(DawError, match="does not answer") as told:
        peer.ask("/where")
    assert time.monotonic() - began < 15
    assert told.value.cure
    peer.close()
    peer.close()


def test_a_port_for_answers_that_another_program_has_is_one_line() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        peer = OscPeer("far", 9, bind=other.getsockname()[1])
        with pytest.raises(DawError, match="another program has"):
            peer.send("/where")
        peer.close()


def test_a_shy_program_is_knocked_at_and_left_alone_while_it_starts(far: Opens) -> None:
    """Ardour 7.3 that hears a message while it loads its session never answers again; an empty datagram it does not notice."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    peer = OscPeer("far", port, timeout_s=2, shy_s=0.3)
    with pytest.raises(DawError):
        peer.ask("/where")
    shy = Far.__new__(Far)
    shy.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    shy.wire.bind(("127.0.0.1", port))
    shy.wire.settimeout(0.05)
    shy.port, shy.heard, shy._done = port, [], Event()
    arrivals: list[tuple[float, bytes]] = []

    def answers(datagram: bytes) -> list[bytes]:
        arrivals.append((time.monotonic(), datagram))
        return [packet("/where", 7)] if datagram else []

    shy._answers = answers
    shy._thread = Thread(target=shy._run, daemon=True)
    shy._thread.start()
    assert peer.ask("/where") == (7,)
    spoken = next(at for at, datagram in arrivals if datagram)
    assert arrivals[0][1] == b""
    assert spoken - arrivals[0][0] >= 0.3
    peer.close()
    shy.close()


@pytest.fixture(scope="module")
def web() -> Iterator[WebReaper]:
    made = WebReaper()
    yield made
    made.close()


ROWS = st.lists(
    st.lists(
        st.one_of(st.sampled_from(("TRANSPORT", "MARKER", "REGION", "BEATPOS", "1", "0.5", "-3", "1e9")), st.text(max_size=6))
    )
)


@MANY
@given(rows=ROWS)
def test_whatever_a_web_interface_says_is_read_or_one_line(rows: list[list[str]], web: WebReaper, tmp_path: Path) -> None:
    body = "\n".join("\t".join(row) for row in rows)
    web._command = lambda command: body  # type: ignore[method-assign]
    reaper = Reaper(Address(box=tmp_path, port=web.port, timeout_s=0.02))
    for ask in (reaper.transport, reaper.markers):
        one_line(refusal(ask))


@pytest.mark.parametrize("style", ["other", "password"])
def test_what_is_not_reaper_is_told(style: str, tmp_path: Path) -> None:
    made = WebReaper(style=style)
    try:
        reaper = Reaper(Address(box=tmp_path, port=made.port, timeout_s=0.3))
        assert reaper.reach().there is False
    finally:
        made.close()


@MANY
@given(data=st.data())
def test_whatever_a_script_answers_is_read_or_one_line(data: st.DataObject, tmp_path: Path) -> None:
    kinds = st.sampled_from(
        ("clip", "note", "transport", "marker", "region", "error", "hello", "1.5", "x", "-1", "1m1/s1/melody")
    )
    rows = data.draw(st.lists(st.lists(kinds, min_size=1, max_size=9), max_size=6))
    answer = [["hitpoint", "1", "a"], *rows, ["end"]]
    text = "\n".join("\t".join(row) for row in answer) + "\n"
    content = text.encode() if data.draw(st.booleans()) else spoilt(data, text.encode())

    class Told(Mailbox):
        def ask(self, act: str, rows: object = ()) -> list[list[str]]:
            path = tmp_path / "answer.txt"
            path.write_bytes(content)
            return self._read(path)

    reaper = Reaper(Address(port=1, timeout_s=0.1))
    reaper.box = Told("reaper", tmp_path, 0.1, tmp_path)
    for ask in (reaper.transport, reaper.markers, lambda: reaper.place(CUE, Fraction(1)), reaper.reach):
        one_line(refusal(ask))


@pytest.fixture(scope="module", autouse=True)
def cue(trio: str) -> None:
    global CUE
    CUE = Cue.of(scored((2,)))


CUE: Cue


def test_two_programs_at_one_mailbox_wait_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "job.txt").write_text("hitpoint\t1\tb\thello\nend\n")
    box = Mailbox("reaper", tmp_path, 0.2, tmp_path)
    with pytest.raises(DawError, match="has another job"):
        box.ask("hello")
    assert not list(tmp_path.glob("answer*"))
    assert (tmp_path / "job.txt").read_text() == "hitpoint\t1\tb\thello\nend\n"


def test_a_job_that_nobody_took_is_taken_back_and_another_programs_stays(tmp_path: Path) -> None:
    box = Mailbox("reaper", tmp_path, 0.2, tmp_path)
    with pytest.raises(DawError, match="does not answer"):
        box.ask("hello")
    assert list(tmp_path.iterdir()) == []
    other = "hitpoint\t1\t0123456789abcdef\thello\nend\n"
    box._wait = lambda true: bool((tmp_path / "job.txt").write_text(other)) and not true()  # type: ignore[method-assign]
    with pytest.raises(DawError):
        box.ask("hello")
    assert (tmp_path / "job.txt").read_text() == other


def test_an_answer_that_came_too_late_does_not_stay(tmp_path: Path) -> None:
    late, fresh = tmp_path / f"answer-{'0' * 16}.txt", tmp_path / f"answer-{'1' * 16}.txt"
    for file in (late, fresh):
        file.write_text("hitpoint\t1\nend\n")
    os.utime(late, (1, 1))
    with pytest.raises(DawError, match="does not answer"):
        Mailbox("reaper", tmp_path, 0.1, tmp_path).ask("hello")
    assert list(tmp_path.iterdir()) == [fresh]


@MANY
@given(data=st.data())
def test_a_damaged_session_of_ardours_is_one_line_and_stays_as_it_is(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("film")
    path = home / "film.ardour"
    text = GOLDEN.read_text("utf-8")
    if data.draw(st.booleans()):
        content = spoilt(data, text.encode())
    else:  # other values where values belong
        found = list(re.finditer(r'"[^"]*"', text))
        one = found[data.draw(st.integers(0, len(found) - 1))]
        other = data.draw(st.sampled_from(('""', '"x"', '"-1"', '"a"', '"b99999999999"', '"0"', '"1e400"', '"IsMark"', '"nan"')))
        content = (text[: one.start()] + other + text[one.end() :]).encode()
    path.write_bytes(content)

    def all_of_it() -> None:
        file = ArdourFile.read(path)
        file.markers()
        assert file.quarter(Fraction(3)) is not None
        place(path, CUE, Fraction(1), None)

    told = refusal(all_of_it)
    one_line(told)
    assert told is None or path.read_bytes() == content
    assert not (home / "hitpoint-placing.ardour").exists()


ARGS = st.lists(
    st.one_of(
        st.integers(-(2**31), 2**31 - 1), st.integers(0, 3), st.floats(width=32), st.text(max_size=4), st.booleans(), st.none(),
        st.sampled_from(("end_route_list", "MT", 48000, 96.0)),
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(args=ARGS)
@pytest.mark.parametrize("name", ["live", "ardour"])
def test_whatever_a_daw_answers_over_osc_is_read_or_one_line(name: str, args: list[object], tmp_path: Path) -> None:
    def answers(datagram: bytes) -> list[bytes]:
        asked = [address for address, _ in messages(datagram)]
        return [packet("/reply" if address == "/strip/list" else address, *args) for address in asked]

    far = Far(answers, pair=True)
    daw = open_daw(name, Address(port=far.port, project=tmp_path / "none", timeout_s=0.03))
    try:
        for act in (
            daw.reach,
            daw.transport,
            daw.markers,
            lambda: daw.place(CUE, Fraction(1)),
            lambda: daw.go(Fraction(1), True),
        ):
            one_line(refusal(act))
    finally:
        daw.close()
        far.close()
