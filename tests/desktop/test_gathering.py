"""Rubbish is gathered on the window's thread, a little at a time, and never all of what lives at once."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from time import thread_time

import pytest
from PyQt6.QtCore import QObject
from pytestqt.qtbot import QtBot

from desktop.gathering import LATE_S, MANY, Gathering

PATIENCE = 30_000


@pytest.fixture
def gathering(qapp: object) -> Iterator[Gathering]:
    made = Gathering(clock=lambda: 0.0)  # no machine is so crowded that it is late
    yield made
    made.end()


class Ring:
    """It refers to itself, and notes in which thread it was destroyed."""

    def __init__(self, told: list[int]) -> None:
        self.me, self.told = self, told

    def __del__(self) -> None:
        self.told.append(threading.get_ident())


def test_what_another_thread_left_is_destroyed_in_the_windows(gathering: Gathering, qtbot: QtBot) -> None:
    told: list[int] = []

    def leave() -> None:
        for _ in range(30):
            Ring(told)
        kept = [[] for _ in range(5000)]  # at which Python's own collector would have looked several times, here
        assert kept
        assert not told

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    fresh = [[] for _ in range(3000)]
    qtbot.waitUntil(lambda: len(told) == 30, timeout=PATIENCE)
    assert fresh
    assert set(told) == {threading.get_ident()}


def test_no_look_takes_long_however_much_there_is(gathering: Gathering) -> None:
    lasting = [[k] for k in range(600_000)]  # a look through all of these takes a tenth of a second
    longest = 0.0
    for k in range(60):
        lasting += [[k] for _ in range(MANY // 2)]
        began = thread_time()
        gathering.look()
        longest = max(longest, thread_time() - began)
    began = thread_time()
    gathering.all()
    everything = thread_time() - began
    assert longest < 0.05
    assert longest < everything / 2
    assert len(lasting) > 600_000


def test_all_of_it_is_found_where_everything_is_looked_at(gathering: Gathering) -> None:
    ring = Ring([])
    gone = weakref.ref(ring)
    gathering._lived = 1.0
    gathering.look()  # it lives, and is not looked at from now on
    del ring
    gathering.look()
    assert gone() is not None
    gathering.all()
    assert gone() is None


def test_what_is_late_or_much_is_taken_for_lasting(qapp: object) -> None:
    now, kept = [0.0], []
    gathering = Gathering(clock=lambda: now[0])
    try:
        for crowd, seconds in ((MANY + 1, 0.0), (10, LATE_S + 1)):
            gathering.look()
            before = gc.get_freeze_count()
            kept.append([[] for _ in range(crowd)])
            now[0] += seconds
            gathering.look()
            assert gc.get_freeze_count() >= before + crowd
    finally:
        gathering.end()


def test_a_tuple_that_another_thread_is_filling_is_not_touched(gathering: Gathering) -> None:
    """Python refuses to make a tuple longer that anybody else holds."""
    end, failed = threading.Event(), []

    def fill() -> None:
        while not end.is_set():
            try:
                assert len(tuple([k] for k in range(3000))) == 3000
            except SystemError as error:
                failed.append(error)

    thread = threading.Thread(target=fill)
    thread.start()
    until = thread_time() + 0.5
    while thread_time() < until:
        gathering.look()
    end.set()
    thread.join()
    assert not failed


def test_pythons_own_collector_comes_back(qapp: object) -> None:
    assert gc.isenabled()
    one = Gathering()
    other = Gathering()
    assert not gc.isenabled()
    other.end()
    assert not gc.isenabled()
    one.end()
    assert gc.isenabled()
    assert not gc.get_freeze_count()
    assert isinstance(one, QObject)
