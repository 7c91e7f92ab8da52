"""A player that comes to a stand: whoever gives it orders goes on, is told once it will not do, and can end it; none is left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from threading import Event

import pytest
from test_player_process import DEADLINE_S, chords, gone, sounding, until
from test_player_signals import children

from bridge.player import Outlet, Player, Route
from bridge.player.messages import Follow, Hear, Message, Order, Quit, Stop
from bridge.player.outbox import MOST, Outbox
from bridge.transport import Report
from engines.errors import OptionError, PortError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def report(source: str, seconds: float | None, rolling: bool | None = True) -> Report:
    place = None if seconds is None else Fraction(seconds)
    return Report(source, "osc", time.monotonic_ns(), place, rolling=rolling)


def loaded_again_and_again(player: Player) -> None:
    """More often than any pipe holds."""
    for _ in range(50 * MOST):
        player.load(chords())


def test_a_player_that_hangs_holds_nobody_up_and_can_be_ended(tmp_path: Path) -> None:
    """It is stopped like a program in a debugger, and all that other programs say of their transport comes in all the same."""
    tape = tmp_path / "out"
    with Player([Route(Outlet("file", str(tape)))]) as player:
        player.load(chords())
        player.play()
        player.wait(lambda status: status.rolling and len(status.sounding) > 3, DEADLINE_S)
        stopped = player.pid
        assert stopped is not None
        os.kill(stopped, signal.SIGSTOP)
        began = time.monotonic()
        for k in range(6000):
            player.hear(report("a DAW", k / 100))
        for k in range(10):
            player.locate(k)
        assert time.monotonic() - began < 10, "nobody waits for it"
        with pytest.raises(PortError, match=f"does not answer: {MOST} orders wait") as refused:
            loaded_again_and_again(player)
        assert "\n" not in str(refused.value)
        player.hear(report("a DAW", 1))
        player.hear(report("another", 1))
        assert sounding(tape)[1]
        began = time.monotonic()
        player.close()
        took_s = time.monotonic() - began
    assert gone(stopped)
    assert took_s < 15, "a few seconds of patience, and another process that ends the notes"
    count, hang = sounding(tape)
    assert count >= 4
    assert hang == set()
    with pytest.raises(PortError, match="closed"):
        player.play()


@pytest.mark.slow
def test_a_player_that_hung_and_goes_on_does_what_it_was_told(tmp_path: Path) -> None:
    with Player([Route(Outlet("file", str(tmp_path / "out")))]) as player:
        player.load(chords())
        player.settle(timeout=DEADLINE_S)
        assert player.pid is not None
        os.kill(player.pid, signal.SIGSTOP)
        for k in range(3000):
            player.hear(report("a DAW", k / 100, rolling=False))
        player.locate(7)
        os.kill(player.pid, signal.SIGCONT)
        status = player.settle(timeout=DEADLINE_S)
        assert status.seconds == 7
        player.follow()
        status = player.wait(lambda s: s.reading is not None and s.follows and s.seconds > 20, DEADLINE_S)
        assert status.seconds == Fraction(2999, 100), "the newest that was heard"


class Wire:
    """One end of a pipe that lets through what a test allows."""

    def __init__(self) -> None:
        self.sent: list[Order] = []
        self.open = Event()
        self.begun = Event()

    def send(self, order: Order) -> None:
        self.begun.set()
        self.open.wait(DEADLINE_S)
        self.sent.append(order)


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.open.set()


def shut(wire: Wire, *messages: Message) -> list[Message]:
    """What comes out of messages of which all but the first must wait, once they need not."""
    outbox = Outbox(wire)  # type: ignore[arg-type]
    outbox.put(Order(0, Follow()))
    assert wire.begun.wait(DEADLINE_S)
    for number, message in enumerate(messages, 1):
        outbox.put(Order(number, message))
    outbox.put(Order(len(messages) + 1, Quit()))
    wire.open.set()
    until(lambda: wire.sent and isinstance(wire.sent[-1].message, Quit), "it sent nothing")
    outbox.close(DEADLINE_S)
    assert [order.number for order in wire.sent] == sorted(order.number for order in wire.sent)
    return [order.message for order in wire.sent[1:-1]]


def test_the_newest_report_takes_the_place_of_one_that_waits_and_of_nothing_else(wire: Wire) -> None:
    reports = [
        report("Reaper", 1),
        report("Ardour", 1),
        report("Reaper", None),  # it was told to roll: no place can stand for that
        report("Reaper", 2),
        report("Reaper", 2, rolling=False),
        report("Ardour", 2),
        report("Reaper", 3),
    ]
    came = shut(wire, Stop(), *map(Hear, reports), Stop())
    assert came == [Stop(), Hear(reports[2]), Hear(reports[4]), Hear(reports[5]), Hear(reports[6]), Stop()]


def test_orders_that_wait_are_bounded_and_the_last_one_always_has_room(wire: Wire) -> None:
    outbox = Outbox(wire)  # type: ignore[arg-type]
    outbox.put(Order(0, Follow()))
    assert wire.begun.wait(DEADLINE_S)
    for number in range(MOST):
        outbox.put(Order(number, Stop()))
    with pytest.raises(PortError, match="does not answer"):
        outbox.put(Order(MOST, Stop()))
    outbox.put(Order(MOST, Quit()))
    wire.open.set()
    until(lambda: wire.sent and isinstance(wire.sent[-1].message, Quit), "it sent nothing")
    outbox.close(DEADLINE_S)


def test_orders_for_somebody_who_is_gone_are_dropped() -> None:
    mine, its = get_context("spawn").Pipe()
    its.close()
    outbox = Outbox(mine)
    for number in range(3 * MOST):
        outbox.put(Order(number, Stop()))
        if number == MOST // 2:
            outbox._thread.join(DEADLINE_S)
    outbox.close(DEADLINE_S)
    mine.close()


def test_what_is_refused_leaves_no_process_behind(tmp_path: Path) -> None:
    before = set(children(os.getpid()))
    many = [Route(Outlet("file", str(tmp_path / str(k))), str(k)) for k in range(17)]
    for _ in range(3):
        with pytest.raises(OptionError, match="more than 16"):
            Player(many)

    def broken() -> Iterator[Route]:
        yield Route(Outlet("file", str(tmp_path / "out")))
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011  the test's own
        Player(broken())
    assert set(children(os.getpid())) == before
    with Player(many[:2]) as player:
        with pytest.raises(OptionError, match="more than 16"):
            player.patch(many)
        status = player.settle(player.patch(many[:2]), DEADLINE_S)
        assert [socket.name for socket in status.outlets] == [route.outlet.name for route in many[:2]]


def test_ctrl_c_between_the_process_and_its_first_order_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set(children(os.getpid()))
    begun: list[int] = []

    def interrupted(self: Player, inlets: object) -> int:
        assert self.pid is not None
        begun.append(self.pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(Player, "listen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Player([Route(Outlet("file", str(tmp_path / "out")))])
    assert begun
    assert all(map(gone, begun))
    assert set(children(os.getpid())) - before <= set(begun) | trackers()


def trackers() -> set[int]:
    """multiprocessing's own process, which stays."""
    return {pid for pid in children(os.getpid()) if "resource_tracker" in Path(f"/proc/{pid}/cmdline").read_text()}


def test_the_wire_answers_what_the_player_does_and_says_where_it_does_nothing(file: Path, tmp_path: Path) -> None:
    from bridge.calls import answer
    from bridge.studio import Studio

    studio = Studio()
    studio.open_session(file)
    try:
        player = studio.playback.open([Route(Outlet("file", str(tmp_path / "out")))])
        player.settle(timeout=DEADLINE_S)
        for _ in range(3):
            assert answer(studio, "/hitpoint/transport/play", {})["rolling"] is True
            assert answer(studio, "/hitpoint/transport/locate", {"seconds": 2.0})["seconds"] >= 2
            assert answer(studio, "/hitpoint/transport/stop", {})["rolling"] is False
        assert player.pid is not None
        os.kill(player.pid, signal.SIGSTOP)
        began = time.monotonic()
        told = answer(studio, "/hitpoint/transport/play", {})
        assert time.monotonic() - began < 20
        assert told["rolling"] is False
        assert "has not answered" in told["said"]
    finally:
        studio.close()
