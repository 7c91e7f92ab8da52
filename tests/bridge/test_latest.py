"""Work that follows a value: for the newest state, at once or after a rest, and again after a failure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event

import pytest

from bridge.latest import Latest
from engines.errors import HitpointError, OutputError

LONG = 60.0


class Work:
    """Counts, and can be held up and made to fail."""

    def __init__(self) -> None:
        self.value = 0
        self.done: list[int] = []
        self.went, self.go = Event(), Event()
        self.go.set()
        self.fails: Exception | None = None

    def __call__(self) -> None:
        seen = self.value
        self.went.set()
        assert self.go.wait(LONG)
        if self.fails:
            raise self.fails
        self.done.append(seen)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def failed() -> list[HitpointError]:
    return []


@pytest.fixture
def latest(work: Work, failed: list[HitpointError]) -> Iterator[Latest]:
    made = Latest(work, failed.append, "test")
    yield made
    work.go.set()
    made.close()


def test_what_is_touched_while_it_works_is_done_once_more_and_for_the_newest(latest: Latest, work: Work) -> None:
    work.go.clear()
    work.value = 1
    latest.touch()
    assert work.went.wait(LONG)
    for work.value in range(2, 20):
        latest.touch()
    assert latest.behind
    work.go.set()
    latest.flush()
    assert work.done == [1, 19]
    assert not latest.behind


def test_what_may_rest_is_done_once_and_a_flush_does_not_wait_for_it(latest: Latest, work: Work) -> None:
    for work.value in range(1, 30):
        latest.touch(rest_s=LONG)
    began = time.monotonic()
    latest.flush()
    assert time.monotonic() - began < LONG / 2
    assert work.done == [29]


def test_a_rest_ends(latest: Latest, work: Work) -> None:
    work.value = 7
    latest.touch(rest_s=0.01)
    assert work.went.wait(LONG)
    latest.flush()
    assert work.done == [7]


def test_at_the_end_nothing_is_left_out(work: Work, failed: list[HitpointError]) -> None:
    latest = Latest(work, failed.append, "test")
    work.value = 3
    latest.touch(rest_s=LONG)
    latest.close()
    assert work.done == [3]


@pytest.mark.parametrize("error", [OutputError("the disk is full"), ZeroDivisionError("by zero")])
def test_what_failed_is_told_and_tried_again(latest: Latest, work: Work, failed: list[HitpointError], error: Exception) -> None:
    work.fails = error
    latest.touch()
    latest.flush()
    assert latest.behind
    assert len(failed) == 1
    assert "\n" not in str(failed[0])
    work.fails = None
    latest.touch()
    latest.flush()
    assert (work.done, latest.behind) == ([0], False)
