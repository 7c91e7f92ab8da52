"""What the studio tells those who listen: the session changed, a job went on, the transport moved, a word to the composer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.jobs import JobReading
    from engines.session.history import History
    from engines.session.model import Session

LOG = logging.getLogger("hitpoint")
LOG.addHandler(logging.NullHandler())  # without it Python prints tracebacks to a person's terminal

Change = Literal["opened", "acted", "undone", "redone", "saved", "closed"]
"""What became of a session."""

E = TypeVar("E")


@dataclass(frozen=True)
class OpenSession:
    """The open session at one moment: all of it, its file, and what was done to it. ``read_only``: another program has it open, or
    (``why``) its disk takes nothing."""

    session: Session
    path: Path
    history: History
    read_only: bool = False
    why: str = ""


@dataclass(frozen=True)
class SessionChanged:
    """The session is another now: ``change`` says how, ``sentence`` what was done, ``scenes`` (numbers from 1) whose notes are not
    where and what they were. ``serial`` counts these events from 1; ``now`` is the session then, None once it is closed. ``spared`` is
    where a session that lay in its place lies from now on."""

    serial: int
    change: Change
    sentence: str
    scenes: tuple[int, ...] = ()
    now: OpenSession | None = None
    spared: Path | None = None

    def json(self) -> dict[str, Any]:
        """As a subscriber on the wire reads it."""
        where = None if self.now is None else str(self.now.path)
        return {
            "event": "session",
            "serial": self.serial,
            "change": self.change,
            "sentence": self.sentence,
            "scenes": list(self.scenes),
            "session": where,
            "spared": None if self.spared is None else str(self.spared),
        }


@dataclass(frozen=True)
class FilmChanged:
    """Another film was opened, or other tempo maps were found or chosen for it (``candidates``, the chosen one first; none yet: 0).
    ``film`` is empty where it was put away."""

    film: str
    frames: int
    cuts: int
    candidates: int

    def json(self) -> dict[str, Any]:
        """As a subscriber on the wire reads it."""
        return {"event": "film", **vars(self)}


@dataclass(frozen=True)
class JobProgressed:
    """A job waits, works, went on or ended."""

    reading: JobReading

    def json(self) -> dict[str, Any]:
        """As a subscriber on the wire reads it."""
        return {"event": "job", **self.reading.json()}


@dataclass(frozen=True)
class TransportRead:
    """Where the transport is: ``seconds`` of the film, whether it rolls and at which speed, who leads, and why, in words. That was so at
    ``moment`` of Python's monotonic clock, in nanoseconds; whoever hears of it hears of it later."""

    seconds: float | None
    rolling: bool
    speed: float = 1.0
    leader: str = ""
    why: str = ""
    moment: int = field(default_factory=time.monotonic_ns, compare=False)

    def json(self) -> dict[str, Any]:
        """As a subscriber on the wire reads it."""
        return {"event": "transport", **{name: value for name, value in vars(self).items() if name != "moment"}}


@dataclass(frozen=True)
class Message:
    """A line for the composer; ``level`` is ``word`` or ``error``. ``holds`` tells whether it is still so, where that may end by itself."""

    text: str
    level: Literal["word", "error"] = "word"
    holds: Callable[[], bool] | None = field(default=None, compare=False, repr=False)

    def json(self) -> dict[str, Any]:
        """As a subscriber on the wire reads it."""
        return {"event": "message", "text": self.text, "level": self.level}


Event = SessionChanged | FilmChanged | JobProgressed | TransportRead | Message


class Subscribers(Generic[E]):
    """Those who listen. Each is called in the thread in which it happened, and must return at once: a window posts to its own loop.

    One that raises is written to the log and stays; the others hear all the same.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._calls: tuple[Callable[[E], None], ...] = ()

    def subscribe(self, call: Callable[[E], None]) -> Callable[[], None]:
        """Adds one; the function that comes back takes it away again."""
        with self._lock:
            self._calls = (*self._calls, call)

        def unsubscribe() -> None:
            with self._lock:
                self._calls = tuple(other for other in self._calls if other is not call)

        return unsubscribe

    def publish(self, event: E) -> None:
        """Tells everybody."""
        for call in self._calls:
            try:
                call(event)
            except Exception:
                LOG.exception("a listener failed at %r", type(event).__name__)
