"""Long work beside whoever asked for it: queued, one job at a time in each lane, told of as it goes, stopped within a step.

The lane ``engine`` is the one GPU: whatever composes waits there for its turn. Other lanes (``picture``: decoding, spotting) go on
beside it. Each lane is one thread, begun with its first job.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Condition, Event, Lock, Thread, current_thread
from typing import Any, Generic, Literal, TypeVar

from bridge.events import LOG, Subscribers
from bridge.wire_words import line, said
from engines.errors import Cancelled, HitpointError, OptionError
from engines.watch import Watch

T = TypeVar("T")

State = Literal["waiting", "working", "done", "cancelled", "failed"]
"""What a job is doing; the last three are for ever."""

MOST_WAITING = 64
"""Jobs that may wait in a lane; beyond it whoever asks is told no."""

KEPT = 100
"""Jobs that are remembered; the oldest that have ended are forgotten first."""

RESULTS = 16
"""Jobs of which it is kept what came of them: films and sessions fill the memory."""

TELL_EVERY = 0.1
"""Seconds between two words on the progress of one job."""


@dataclass(frozen=True)
class JobReading:
    """A job at one moment: how far its ``stage`` is (``done`` of ``total``), the ``seconds`` since it began to work and those that
    are ``left`` of the stage as it goes now (None: not known yet), and why it failed."""

    number: int
    sentence: str
    lane: str
    state: State
    stage: str = ""
    done: float = 0.0
    total: float = 0.0
    seconds: float = 0.0
    left: float | None = None
    error: HitpointError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "cancelled", "failed")

    @property
    def words(self) -> str:
        """The same in one line."""
        if self.state != "working":
            return f"{self.sentence}: {line(self.error) if self.error and self.state == 'failed' else self.state}"
        share = f" {100 * self.done / self.total:.0f} %" if self.total else ""
        left = "" if self.left is None or self.left < 1 else f", {self.left:.0f} s left"
        return f"{self.sentence}: {self.stage}{share}{left}" if self.stage else f"{self.sentence}{share}{left}"

    def json(self) -> dict[str, Any]:
        """As other programs read it."""
        error = None if self.error is None else error_json(self.error)
        left = None if self.left is None else round(self.left, 3)
        rest = {"seconds": round(self.seconds, 3), "left": left, "words": self.words, "error": error}
        return {"job": self.number, **{name: getattr(self, name) for name in _PLAIN}, **rest}


_PLAIN = ("sentence", "lane", "state", "stage", "done", "total")


def error_json(error: HitpointError) -> dict[str, Any]:
    """An error as other programs read it."""
    what, where, cure = said(error)
    return {"error": what, "where": where, "cure": cure}


class Job(Generic[T]):
    """One piece of long work. `Jobs.begin` makes it; whoever holds it can look, wait and cancel."""

    def __init__(
        self, number: int, sentence: str, lane: str, work: Callable[[Watch], T], tell: Callable[[JobReading], None]
    ) -> None:
        self.number, self.sentence, self.lane = number, sentence, lane
        self._work: Callable[[Watch], T] | None = work
        self._tell = tell
        self._forgotten = False
        self._changed = Condition()
        self._stop = Event()
        self._state: State = "waiting"
        self._stage, self._done, self._total = "", 0.0, 0.0
        self._began = self._staged = self._told = 0.0
        self._took: float | None = None
        self._value: T | None = None
        self._error: HitpointError | None = None
        self.watch = Watch(self._went_on, self._stop.is_set)

    @property
    def reading(self) -> JobReading:
        """How it stands."""
        with self._changed:
            now = time.monotonic()
            left = None
            if self._state == "working" and 0 < self._done <= self._total:
                left = (now - self._staged) * (self._total - self._done) / self._done
            seconds = self._took if self._took is not None else now - self._began if self._began else 0.0
            return JobReading(
                self.number,
                self.sentence,
                self.lane,
                self._state,
                self._stage,
                self._done,
                self._total,
                seconds,
                left,
                self._error,
            )

    def cancel(self) -> None:
        """Asks it to stop: at once if it waits, within a step of its work if it works. An ended job stays as it is."""
        self._stop.set()
        if self._end_if("waiting", "cancelled", Cancelled()):
            self._tell(self.reading)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has ended; False if ``timeout`` seconds went by first."""
        with self._changed:
            return self._changed.wait_for(lambda: self._took is not None, timeout)

    def result(self, timeout: float | None = None) -> T:
        """What came of it. Raises the error with which it failed, Cancelled, TimeoutError, or OptionError where it is not kept."""
        if not self.wait(timeout):
            raise TimeoutError(f"{self.sentence} is not done after {timeout} s")
        if self._error is not None:
            raise self._error
        if self._forgotten:
            raise OptionError("what came of it is not kept any more", where=self.sentence, cure="have it done again")
        return self._value  # type: ignore[return-value]

    @property
    def forgotten(self) -> bool:
        """Whether it is only remembered, and what came of it is not kept any more."""
        return self._forgotten

    def without_result(self) -> Job[T]:
        """The same job as a list of ended ones remembers it, without the film or the session that came of it."""
        bare = copy(self)
        bare._forgotten, bare._value, bare.watch = True, None, Watch()
        return bare

    def run(self) -> None:
        """Does the work, in the thread of its lane; whatever it raises ends with the job."""
        with self._changed:
            work, self._work = self._work, None  # which holds a film or a session, too
            if self._state != "waiting" or work is None:
                return
            self._state, self._began = "working", time.monotonic()
        self._tell(self.reading)
        state: State = "failed"
        error: HitpointError | None = None
        try:
            self._value, state = work(self.watch), "done"
        except Cancelled as stopped:
            state, error = "cancelled", stopped
        except HitpointError as refused:
            error = refused
        except MemoryError:
            error = HitpointError("not enough memory", where=self.sentence, cure="close other programs, or work on less at once")
        except Exception as unforeseen:  # noqa: BLE001  the lane must live on; the log has it
            LOG.exception("job %d, %s, failed", self.number, self.sentence)
            error = fault(unforeseen)
        self._end_if("working", state, error)
        self._tell(self.reading)

    def _end_if(self, was: State, state: State, error: HitpointError | None) -> bool:
        with self._changed:
            if self._state != was:
                return False
            self._took = time.monotonic() - self._began if self._began else 0.0
            self._state, self._error = state, error
            self._changed.notify_all()
            return True

    def _went_on(self, stage: str, done: float, total: float) -> None:
        now = time.monotonic()
        with self._changed:
            fresh = stage != self._stage
            if fresh:
                self._stage, self._staged = stage, now
            self._done, self._total = done, total
            if not fresh and now - self._told < TELL_EVERY:
                return
            self._told = now
        self._tell(self.reading)


class Jobs:
    """All jobs, by lane. ``listeners`` are told of every change of state, and of progress at most ten times a second."""

    def __init__(self) -> None:
        self.listeners: Subscribers[JobReading] = Subscribers()
        self._lock = Lock()
        self._jobs: dict[int, Job[Any]] = {}
        self._lanes: dict[str, tuple[Thread, SimpleQueue[Job[Any] | None]]] = {}
        self._count = 0
        self._shut = False

    def begin(self, sentence: str, work: Callable[[Watch], T], lane: str = "engine") -> Job[T]:
        """Queues some work in a lane. Raises OptionError where too many wait already, or all is being shut down."""
        with self._lock:
            if self._shut:
                raise OptionError("is shutting down", where=sentence, cure="start the program again")
            if sum(job.lane == lane and job.reading.state == "waiting" for job in self._jobs.values()) >= MOST_WAITING:
                raise OptionError(f"{MOST_WAITING} jobs wait already", where=sentence, cure="cancel some, or wait for them")
            self._count += 1
            job = Job(self._count, sentence, lane, work, self.listeners.publish)
            self._jobs[job.number] = job
            for old in [n for n, j in self._jobs.items() if j.reading.ended][: max(0, len(self._jobs) - KEPT)]:
                del self._jobs[old]
            for done in [j for j in self._jobs.values() if not j.forgotten and j.reading.ended][:-RESULTS]:
                self._jobs[done.number] = done.without_result()
            if lane not in self._lanes:
                queue: SimpleQueue[Job[Any] | None] = SimpleQueue()
                thread = Thread(target=_serve, args=(queue,), name=f"hitpoint {lane}", daemon=True)
                self._lanes[lane] = thread, queue
                thread.start()
        self.listeners.publish(job.reading)  # before its lane can tell of it
        self._lanes[lane][1].put(job)
        return job

    def job(self, number: int) -> Job[Any]:
        """The job of that number. Raises OptionError for one that there is not, or that was forgotten."""
        with self._lock:
            if number not in self._jobs:
                raise OptionError(f"there is no job {number}", where="job", cure="ask for the list of jobs")
            return self._jobs[number]

    def readings(self) -> list[JobReading]:
        """How all jobs stand, the oldest first."""
        with self._lock:
            jobs = list(self._jobs.values())
        return [job.reading for job in jobs]

    def cancel_all(self) -> None:
        """Asks everything to stop."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in reversed(jobs):  # those that wait first, so that none begins in between
            job.cancel()

    def shutdown(self, timeout: float = 30.0) -> bool:
        """Cancels everything, takes nothing more, and waits for the lanes; False if one still works after ``timeout`` seconds."""
        with self._lock:
            self._shut = True
            lanes = list(self._lanes.values())
        self.cancel_all()
        for _, queue in lanes:
            queue.put(None)
        deadline = time.monotonic() + timeout
        for thread, _ in lanes:
            if thread is not current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread, _ in lanes)


def _serve(queue: SimpleQueue[Job[Any] | None]) -> None:
    while (job := queue.get()) is not None:
        job.run()


def fault(error: Exception) -> HitpointError:
    """A fault of ours as one line; its traceback is in the log."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = f", {Path(place[0].filename).name} line {place[0].lineno}" if place else ""
    said = " ".join(str(error).split())[:160]
    return HitpointError(f"a fault of ours ({type(error).__name__}: {said}{where})", cure="please report it, with the log")
