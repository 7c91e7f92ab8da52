"""Jobs: one at a time in a lane, told of, stopped within a step; nothing that a job does harms its lane."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from threading import enumerate as threads

import pytest

from bridge.jobs import KEPT, MOST_WAITING, RESULTS, JobReading, Jobs
from bridge.logfile import log_to_file
from engines.errors import Cancelled, ModelError, OptionError
from engines.watch import Watch

LONG = 60.0  # seconds that a job may take on a machine that is very busy


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs()
    yield made
    assert made.shutdown()
    assert not [thread for thread in threads() if thread.name.startswith("hitpoint ")]


def steps(watch: Watch) -> None:
    """Works until it is stopped, as an engine does: a look at ``cancelled`` each step."""
    with watch.stage("compose") as progress:
        while not (watch.cancelled and watch.cancelled()):
            progress(1, 4)
        raise Cancelled


def test_what_came_of_it_is_handed_over(jobs: Jobs) -> None:
    assert jobs.begin("Count", lambda watch: 3).result(LONG) == 3


def test_one_at_a_time_in_a_lane_and_in_order(jobs: Jobs) -> None:
    running: list[int] = []
    most: list[int] = []
    order: list[int] = []

    def work(number: int) -> None:
        running.append(number)
        most.append(len(running))
        order.append(number)
        running.remove(number)

    made = [jobs.begin(f"Job {n}", lambda watch, n=n: work(n)) for n in range(40)]  # type: ignore[misc]
    for job in made:
        job.result(LONG)
    assert (max(most), order) == (1, list(range(40)))


def test_another_lane_goes_on_beside(jobs: Jobs) -> None:
    there, back = Event(), Event()

    def composes(watch: Watch) -> bool:
        there.set()
        return back.wait(LONG)

    def decodes(watch: Watch) -> bool:
        met = there.wait(LONG)
        back.set()
        return met

    first, second = jobs.begin("Compose", composes), jobs.begin("Decode", decodes, "picture")
    assert first.result(LONG)
    assert second.result(LONG)


def test_a_job_that_works_is_stopped_and_the_next_one_begins(jobs: Jobs) -> None:
    heard: list[JobReading] = []
    began = Event()

    def hear(reading: JobReading) -> None:
        heard.append(reading)
        if reading.stage:
            began.set()

    jobs.listeners.subscribe(hear)
    first = jobs.begin("Refill scene 3", steps)
    second = jobs.begin("Refill scene 4", lambda watch: "done")
    assert began.wait(LONG)
    assert (first.reading.state, second.reading.state) == ("working", "waiting")
    first.cancel()
    with pytest.raises(Cancelled):
        first.result(LONG)
    assert second.result(LONG) == "done"
    assert [r.state for r in heard if r.number == second.number] == ["waiting", "working", "done"]
    told = [r for r in heard if r.number == first.number and r.stage == "compose" and r.state == "working"]
    assert (told[0].done, told[0].total) == (1, 4)
    assert told[0].left is not None
    assert told[0].left >= 0
    assert "25 %" in told[0].words
    assert first.reading.json()["state"] == "cancelled"


def test_a_job_that_waits_never_begins_once_cancelled(jobs: Jobs) -> None:
    first = jobs.begin("Refill scene 1", steps)
    begun: list[int] = []
    second = jobs.begin("Refill scene 2", lambda watch: begun.append(2))
    second.cancel()
    assert second.reading.state == "cancelled"
    first.cancel()
    last = jobs.begin("Count", lambda watch: None)
    last.result(LONG)
    assert begun == []


def test_a_refusal_is_kept_as_its_one_line(jobs: Jobs) -> None:
    def work(watch: Watch) -> None:
        raise ModelError("is missing", where="bmt", cure="reinstall")

    job = jobs.begin("Refill scene 1", work)
    with pytest.raises(ModelError, match="bmt: is missing; reinstall"):
        job.result(LONG)
    assert job.reading.json()["error"] == {"error": "is missing", "where": "bmt", "cure": "reinstall"}


def test_a_fault_of_ours_is_one_line_and_a_traceback_in_the_log(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "hitpoint"):
        job = jobs.begin("Divide", lambda watch: 1 / 0)
        assert job.wait(LONG)
    assert job.reading.state == "failed"
    said = str(job.reading.error)
    assert "fault of ours (ZeroDivisionError" in said
    assert "\n" not in said
    assert "Traceback" in caplog.text
    assert jobs.begin("Count", lambda watch: 1).result(LONG) == 1


def test_a_listener_that_raises_harms_nobody(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[tuple[int, str]] = []

    def bad(reading: JobReading) -> None:
        raise ValueError("bad listener")

    jobs.listeners.subscribe(bad)
    leave = jobs.listeners.subscribe(lambda reading: heard.append((reading.number, reading.state)))
    for _ in range(2):  # the lane begins the second when it has told of the first's end
        jobs.begin("Count", lambda watch: 1).result(LONG)
    assert [state for number, state in heard if number == 1] == ["waiting", "working", "done"]
    leave()
    jobs.begin("Count", lambda watch: 1).result(LONG)
    assert {number for number, _ in heard} == {1, 2}


def test_a_flood_of_jobs_is_refused_and_old_ones_are_forgotten(jobs: Jobs) -> None:
    first = jobs.begin("Refill scene 1", steps)
    refused: list[str] = []
    for number in range(10 * MOST_WAITING):
        try:
            jobs.begin(f"Refill scene {number}", lambda watch: None)
        except OptionError as error:
            refused.append(str(error))
    assert len(refused) >= 9 * MOST_WAITING - 1
    assert all("wait already" in line for line in refused)
    first.cancel()
    for _ in range(2 * KEPT):
        jobs.begin("Count", lambda watch: None, "picture").result(LONG)
    assert len(jobs.readings()) <= KEPT + MOST_WAITING
    with pytest.raises(OptionError, match="there is no job 1"):
        jobs.job(1)


def test_tracebacks_go_to_a_file_and_nowhere_else(jobs: Jobs, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = {name: list(logging.getLogger(name).handlers) for name in ("hitpoint", "uvicorn.error")}
    try:
        file = log_to_file(tmp_path / "logs")
        assert file is not None
        assert not file.exists()
        assert jobs.begin("Divide", lambda watch: 1 / 0).wait(LONG)
        jobs.shutdown()
        assert "ZeroDivisionError" in file.read_text("utf-8")
        assert "Traceback" not in "".join(capfd.readouterr())
        (tmp_path / "taken").write_text("no folder")
        assert log_to_file(tmp_path / "taken") is None
    finally:
        for name, handlers in before.items():
            for handler in [h for h in logging.getLogger(name).handlers if h not in handlers]:
                logging.getLogger(name).removeHandler(handler)
                handler.close()


def test_shutting_down_stops_what_works_and_what_waits_and_takes_nothing_more() -> None:
    jobs = Jobs()
    made = [jobs.begin(f"Refill scene {n}", steps) for n in range(3)] + [jobs.begin("Open", steps, "picture")]
    ended: list[bool] = []
    waiting = [Thread(target=lambda job=job: ended.append(job.wait(LONG))) for job in made]  # type: ignore[misc]
    for thread in waiting:
        thread.start()
    assert jobs.shutdown(LONG)
    for thread in waiting:
        thread.join(LONG)
    assert ended == [True] * 4
    assert {job.reading.state for job in made} == {"cancelled"}
    with pytest.raises(OptionError, match="shutting down"):
        jobs.begin("Count", lambda watch: 1)


def test_what_old_jobs_made_fills_no_memory(jobs: Jobs) -> None:
    class Film:
        pass

    made: list[weakref.ref[Film]] = []

    def work_of(film: Film) -> Callable[[object], Film]:
        made.append(weakref.ref(film))
        return lambda watch: film

    for _ in range(RESULTS + 5):
        assert jobs.begin("open", work_of(Film())).wait(LONG)
    jobs.begin("last", lambda watch: None).wait(LONG)
    gc.collect()
    assert sum(film() is not None for film in made) <= RESULTS
    assert jobs.job(RESULTS + 5).result(LONG) is made[-1]()
    old = jobs.job(1)
    assert (old.forgotten, old.reading.state, old.reading.sentence) == (True, "done", "open")
    with pytest.raises(OptionError, match="not kept any more"):
        old.result(LONG)
