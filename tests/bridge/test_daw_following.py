"""Following a DAW: one thread at a time, a turn at once and again after as long as it asked for, and an end that is prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from threading import Event

import pytest

from bridge.daw import Address, Daw
from bridge.daws.ardour import Ardour
from bridge.daws.following import Following, hearing
from bridge.daws.live import Live
from bridge.daws.reaper import Reaper
from bridge.osc_transport import LiveTransport
from bridge.transport import Report

LONG = 20.0


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.endswith(" watch")]


def test_turns_go_on_until_it_is_ended() -> None:
    turns, third = [], Event()

    def turn() -> float:
        turns.append(threading.current_thread().name)
        if len(turns) == 3:
            third.set()
        return 0.001 if len(turns) < 3 else 3600.0

    following = Following("pulse")
    assert not following.end()
    following.begin(turn)
    assert third.wait(LONG)
    assert following.end()
    assert turns == ["pulse watch"] * 3
    assert not threads()


def test_beginning_again_ends_what_was_begun() -> None:
    first, second = Event(), Event()

    def resting(begun: Event) -> Callable[[], float]:
        def turn() -> float:
            begun.set()
            return 3600.0

        return turn

    following = Following("pulse")
    following.begin(resting(first))
    assert first.wait(LONG)
    following.begin(resting(second))
    assert second.wait(LONG)
    assert threads() == ["pulse watch"]
    assert following.end()
    assert not threads()


def test_what_a_reader_makes_nothing_of_is_not_handed_on() -> None:
    heard: list[Report] = []
    listener = hearing(LiveTransport(), heard.append)
    listener("/live/song/get/volume", (0.5,), 1)
    assert not heard
    listener("/live/song/get/current_song_time", (8.0,), 2)
    assert [report.beats for report in heard] == [8]


@pytest.mark.parametrize("make", [Ardour, Live, Reaper])
def test_a_daw_that_is_not_there_is_left_at_once(make: Callable[[Address], Daw]) -> None:
    daw = make(Address(port=1, timeout_s=0.2))
    daw.follow(lambda _: None)
    assert threads() == [f"{daw.name} watch"]
    daw.close()
    daw.close()
    assert not threads()
